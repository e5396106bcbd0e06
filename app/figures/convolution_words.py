"""The sentences and formulas beside the convolution, each computed from what is shown."""

from collections.abc import Callable

import numpy as np

from app.figures.convolution import FRAME
from app.figures.convolution_data import number
from app.figures.line import Data
from app.figures.written import EQUALS, PLUS, bracketed, live, spoken
from app.i18n import _, ngettext
from app.page import Kind, theme
from core import convolution
from core.convolution import Cell, Convolution
from core.matrices import Matrix
from core.shapes.windows import Axis

MOST_TERMS = 9  # products that are written out; of more, the first three and the last
LINE = 90  # characters of the sum that fit beside each other on a laptop


def written_sum(x: Matrix, kernel: Matrix, *, bias: float) -> str:
    """Write the sum at the window: y[0, 1] = 3·1 + 4·2 + … = 91.

    It keeps the lines free that the longest sum needs, so that the picture below stays where the pointer is.
    """
    rows, columns = kernel.size
    count = rows * columns
    places: list[int | None] = list(range(count)) if count <= MOST_TERMS else [0, 1, 2, None, count - 1]
    row, col = live(f"floor(at / {FRAME}.ocols)"), live(f"at % {FRAME}.ocols")
    name = f"<mi class='q-prediction'>y</mi><mo>[</mo><mn>{row}</mn><mo>,</mo><mn>{col}</mn><mo>]</mo>"
    pieces = [_term(place, columns) for place in places]
    if bias:
        pieces.append(f"<mn class='q-bias'>{live(bracketed(f'{FRAME}.bias', '.4~g'))}</mn>")
    first, *others = pieces
    value = "data('output')[at].value"
    total = live(f"length(data('output')) > at ? format({value}, abs({value}) >= 1 ? '.5~g' : '.3~g') : ''")
    written = [f"<math>{name}<mspace width='.3em'/>{EQUALS}{first}</math>"]
    written += [f"<math>{PLUS}{piece}</math>" for piece in others]
    written.append(f"<math>{EQUALS}<mn class='q-prediction'><b>{total}</b></mn></math>")
    lines = -(-_longest(x, kernel, [place for place in places if place is not None]) // LINE)
    return f"<div style='font-size:.92em;min-height:{1.7 * lines:g}em'>{' '.join(written)}</div>"


def _longest(x: Matrix, kernel: Matrix, places: list[int]) -> int:
    """Count the characters that a sum of these products may have."""
    longest = max(len(f"{value:.3g}") for row in x.rows for value in row)
    weights = [len(f"{value:.3g}") for row in kernel.rows for value in row]
    return sum(longest + weights[place] + 4 for place in places) + 16


def _term(place: int | None, columns: int) -> str:
    """Write one product, input times weight."""
    if place is None:
        return "<mo>⋯</mo>"
    row, col = divmod(place, columns)
    value = f"data('input')[(top + {row} * {FRAME}.dh) * {FRAME}.cols + left + {col} * {FRAME}.dw].value"
    weight = live(bracketed(f"data('kernel')[{place}].weight", ".3~g"))
    return f"<mn>{live(bracketed(value, '.3~g'))}</mn><mo>·</mo><mn class='q-weight'>{weight}</mn>"


def pointed_at() -> str:
    """Write the sentence about what is pointed at, as an expression for the browser."""
    weight, cell = "data('kernel')[weight_at]", "data('input')[input_at]"
    count = f"{FRAME}.orows * {FRAME}.ocols"

    def of_weight(n: int) -> str:
        sentence = ngettext(
            "Weight [{row}, {col}] = {value} meets {count} input, one for each output; in the padding: {padding}.",
            "Weight [{row}, {col}] = {value} meets {count} inputs, one for each output; in the padding: {padding}.",
            n,
        )
        return spoken(
            sentence,
            row=f"format({weight}.row, 'd')",
            col=f"format({weight}.col, 'd')",
            value=f"format({weight}.weight, '.3~g')",
            count=f"format({count}, 'd')",
            padding=f"format({weight}.padding, 'd')",
        )

    numbers = {
        "row": f"format({cell}.row - {FRAME}.top, 'd')",
        "col": f"format({cell}.col - {FRAME}.left, 'd')",
        "value": f"format({cell}.value, '.3~g')",
        "count": f"format({cell}.uses, 'd')",
    }

    def of_padding(n: int) -> str:
        sentence = ngettext(
            "This cell is padding, {value}; it counts in {count} output.",
            "This cell is padding, {value}; it counts in {count} outputs.",
            n,
        )
        return spoken(sentence, **numbers)

    def of_input(n: int) -> str:
        sentence = ngettext(
            "Input [{row}, {col}] = {value} counts in {count} output.",
            "Input [{row}, {col}] = {value} counts in {count} outputs.",
            n,
        )
        return spoken(sentence, **numbers)

    passed = spoken(_("Input [{row}, {col}] = {value} meets no weight: it is discarded."), **numbers)
    of_output = spoken(
        _("Output [{row}, {col}]: the window above its inputs is lit, and their products with the weights."),
        row=f"format(floor(at / {FRAME}.ocols), 'd')",
        col=f"format(at % {FRAME}.ocols, 'd')",
    )
    nothing = spoken(_("Point at an output, a weight or an input to see what belongs to it."))
    of_cell = (
        f"{cell}.pad ? {_one_or_more(f'{cell}.uses', of_padding)} : {cell}.uses == 0 ? {passed}"
        f" : {_one_or_more(f'{cell}.uses', of_input)}"
    )
    return (
        f"weight_at >= 0 ? {_one_or_more(count, of_weight)} : input_at >= 0 ? ({of_cell})"
        f" : output_at >= 0 ? {of_output} : {nothing}"
    )


def _one_or_more(count: str, sentence: Callable[[int], str]) -> str:
    """Return the expression of a sentence that depends on a count; Chinese and English know two forms at most."""
    return f"({count} == 1 ? {sentence(1)} : {sentence(2)})"


def axes(layer: Convolution, size: Cell) -> list[Axis]:
    """Return the two axes as the shape formulas know them."""
    both = zip(("height", "width"), size, layer.kernel, layer.stride, layer.margins, layer.dilation, strict=True)
    return [
        Axis(name=name, size=n, kernel=k, stride=s, before=before, after=after, dilation=d)
        for name, n, k, s, (before, after), d in both
    ]


def verdict(layer: Convolution, size: Cell) -> tuple[str, Kind]:
    """Say how large the output is, and what is lost."""
    out = convolution.output_size(layer, size)
    lost = int((~convolution.reached(layer, size)).sum())
    numbers = {"rows": out[0], "cols": out[1], "lost": lost, "all": size[0] * size[1]}
    if lost:
        sentence = ngettext(
            "The output is {rows} × {cols}. {lost} of {all} input cells never meets a weight and is discarded: "
            "it is marked ×.",
            "The output is {rows} × {cols}. {lost} of {all} input cells never meet a weight and are discarded: "
            "they are marked ×.",
            lost,
        )
        return sentence.format(**numbers), "warning"
    if out == size:
        return _("The output is {rows} × {cols}, as large as the input.").format(**numbers), "good"
    return _("The output is {rows} × {cols}; every input cell counts in it.").format(**numbers), "neutral"


def keeps_the_size(layer: Convolution) -> str:
    """Say which padding keeps the size of the input at stride 1."""
    padding = convolution.same_padding(layer)
    if padding is None:
        return _(
            "At stride 1 no equal padding on both sides keeps the size, since the kernel spans an even number of "
            "cells; “same” pads one cell more after than before."
        )
    halves = [f"{d}·({k} − 1)/2 = {p}" for d, k, p in zip(layer.dilation, layer.kernel, padding, strict=True)]
    sentence = _("At stride 1 the padding that keeps the size is {padding}: dilation·(kernel − 1)/2.")
    return sentence.format(padding=" × ".join(dict.fromkeys(halves)))


def convolution_in_words(layer: Convolution, size: Cell, data: Data) -> str:
    """Write the text alternative of the picture."""
    frame, out = data["frame"].iloc[0], data["output"]["value"]
    return _(
        "Left: an input of {rows} × {cols} with its padding and the window of the kernel, {krows} × {kcols}. Right: "
        "the kernel, the products under the window, and the output of {orows} × {ocols}, from {least} to {most}."
    ).format(
        rows=size[0],
        cols=size[1],
        krows=layer.kernel[0],
        kcols=layer.kernel[1],
        orows=int(frame["orows"]),
        ocols=int(frame["ocols"]),
        least=number(float(out.min())),
        most=number(float(out.max())),
    )


def below_zero() -> str:
    """Return the name of the colour of what is below 0 on the reader's ground."""
    return _("orange") if theme() == "dark" else _("brown")


def listed(values: list[float], sign: str) -> str:
    """Write numbers with a sign between them, 3 + 4 − 2; of more than nine the first three and the last."""
    texts = [number(value) for value in values]
    if len(texts) > MOST_TERMS:
        texts = [*texts[:3], "…", texts[-1]]
    return sign.join(texts).replace("+ −", "− ")


def times(factor: float, values: np.ndarray) -> str:
    """Write a number times a row of numbers."""
    return f"{number(factor)} · ({', '.join(number(value) for value in values.ravel().tolist())})"
