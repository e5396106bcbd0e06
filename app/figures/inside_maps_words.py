"""The sentences beside the picture of what a network computes for one image."""

from collections.abc import Sequence

import numpy as np

from app.figures.inside_maps import DIGITS, FRAME, MOST, rounded
from app.figures.numbers import numeral
from app.figures.training_words import joined
from app.figures.written import bracketed, live
from app.i18n import N_, _, ngettext
from core.image_sets import DIGITS as DIGITS_OF_MNIST
from core.inside import Look, Stage

Names = Sequence[str]  # of the labels 0 to 9

# What an operation does, as the layer's sentence says it.
OPERATIONS = {
    "image": N_("the image as the network sees it, normalised"),
    "conv": N_("convolution"),
    "linear": N_("linear layer"),
    "relu": N_("ReLU: negative values become 0"),
    "max pool": N_("max pooling: the largest of each window"),
    "average pool": N_("average pooling: the mean of each window"),
    "batch norm": N_("batch norm: each channel shifted and scaled"),
    "concatenate": N_("the branches' channels, one behind the other"),
    "add": N_("the sum of two paths"),
    "multiply": N_("the product of two paths, or with a factor"),
    "sigmoid": N_("sigmoid: between 0 and 1"),
}


def layer_names(stages: Sequence[Stage]) -> tuple[str, ...]:
    """Name the layers as the slider shows them: with their number, for some have the same name."""
    return tuple(f"{place} {_name(stage)}" for place, stage in enumerate(stages))


def _name(stage: Stage) -> str:
    """Return the name of a module as it is, that of an operation in the reader's language."""
    return _(stage.name) if stage.name == stage.operation else stage.name


def layer_sentence(stage: Stage) -> str:
    """Say what a layer is, and how many of its maps are shown."""
    count, rows, cols = stage.maps.shape
    what = _(OPERATIONS[stage.operation])
    if rows == cols == 1:
        text = ngettext("{name}: {what}, {n} number", "{name}: {what}, {n} numbers", count)
    else:
        text = ngettext(
            "{name}: {what}, {n} map of {rows} × {cols}", "{name}: {what}, {n} maps of {rows} × {cols}", count
        )
    text = text.format(name=_name(stage), what=what, n=count, rows=rows, cols=cols)
    return text + (_("; here the first {shown} of {count}").format(shown=MOST, count=count) if count > MOST else "")


def captions(looks: Sequence[Look], epochs: Sequence[int], label: int, names: Names = DIGITS_OF_MNIST) -> list[str]:
    """Say what the network takes the image for after each epoch."""
    said = []
    for seen, epoch in zip(looks, epochs, strict=True):
        when = _("Before the first step") if epoch == 0 else _("After epoch {epoch}").format(epoch=epoch)
        said.append(_("{when}: {what}").format(when=when, what=_seen(seen, label, names)))
    return said


def _seen(seen: Look, label: int, names: Names) -> str:
    probabilities = seen.probabilities
    if not np.isfinite(probabilities).all():
        return _("the run has diverged, and what it computes is no longer a finite number.")
    digit = int(probabilities.argmax())
    sure = _percent(float(probabilities[digit]))
    if digit == label:
        return _("this {label} is recognised ({sure}).").format(label=names[label], sure=sure)
    return _("this {label} is taken for a {digit} ({sure}); for a {label} the probability is {right}.").format(
        label=names[label], digit=names[digit], sure=sure, right=_percent(float(probabilities[label]))
    )


def _percent(probability: float) -> str:
    if probability > 0.999:
        return "> 99.9 %"
    return f"{100 * probability:.2g} %" if probability < 0.1 else f"{100 * probability:.1f} %"


def formula(channels: int, others: int) -> str:
    """Write the pixel that is pointed at as the sum that it is, for the player to fill in; empty without a kernel.

    The total is that of the rounded numbers, so that what is written adds up.
    """
    if not channels:
        return ""
    row, col = f"floor(at / {FRAME}.ocols) + 1", f"at % {FRAME}.ocols + 1"
    sums = [f"data('parts')[min({rank}, length(data('parts')) - 1)].total" for rank in range(channels)]
    pixel = "data('output')[min(at, length(data('output')) - 1)]"
    numbers = [rounded(total) for total in sums]
    parts = [_number(number, "weight", after_sign=place > 0) for place, number in enumerate(numbers)]
    if others:
        numbers.append(rounded(f"{pixel}.rest[step]"))
        count = ngettext("{n} other channel", "{n} other channels", others).format(n=others)
        parts.append(f"<munder>{_number(numbers[-1])}<mtext>{count}</mtext></munder>")
    numbers.append(rounded(f"{FRAME}.bias[step]"))
    name = _("bias")
    parts.append(f"<munder>{_number(numbers[-1], 'bias')}<mtext>{name}</mtext></munder>")
    where = _("Row {row}, column {col}:").format(row=f"{{{{{row}|d}}}}", col=f"{{{{{col}|d}}}}")
    total = _number(rounded(" + ".join(numbers)), "prediction", after_sign=False)
    sign = "<mo form='infix'>{}</mo>"
    pieces = [parts[0], *(sign.format("+") + part for part in parts[1:]), sign.format("=") + total]
    return f"<span>{where}</span> " + " ".join(f"<math>{piece}</math>" for piece in pieces)  # lines break between them


def _number(expression: str, quantity: str = "", *, after_sign: bool = True) -> str:
    """Write a number; after a sign, one below 0 stands in brackets."""
    named = f" class='q-{quantity}'" if quantity else ""
    return f"<mn{named}>{live(bracketed(expression, DIGITS) if after_sign else f'{expression}|{DIGITS}')}</mn>"


def alternative(stage: Stage, number: int, seen: Look, label: int, names: Names = DIGITS_OF_MNIST) -> str:
    """Say what the picture shows after the last epoch, for a reader who cannot see it."""
    chosen = stage.maps[number]
    largest = np.unravel_index(np.nan_to_num(chosen, nan=-np.inf).argmax(), chosen.shape)
    sentences = [
        layer_sentence(stage) + ".",
        _("Map {number}: values from {low} to {high}, the largest in row {row}, column {col}.").format(
            number=number + 1,
            low=numeral(float(chosen.min()), 3),
            high=numeral(float(chosen.max()), 3),
            row=int(largest[0]) + 1,
            col=int(largest[1]) + 1,
        ),
        _("After the last epoch {what}").format(what=_seen(seen, label, names)),
    ]
    if stage.kernels is not None:
        sentences.append(_("Beside it the input under the kernel, the kernel, and the sum of their products."))
    return joined(sentences)


def kernels_sentence(count: int, size: tuple[int, ...]) -> str:
    """Say which kernels are shown."""
    text = _("{count} kernels of {rows} × {cols} in the first layer").format(count=count, rows=size[0], cols=size[1])
    return text + (_("; here the first {shown} of {count}").format(shown=MOST, count=count) if count > MOST else "")


def kernels_alternative(count: int, size: tuple[int, ...], change: float) -> str:
    """Say what the kernels show, for a reader who cannot see them."""
    return joined(
        [
            kernels_sentence(count, size) + ".",
            _("Positive weights in one colour, negative ones in another; they change with the epoch."),
            _("From the first to the last epoch they have moved by {change} of their norm.").format(
                change=f"{100 * change:.0f} %"
            ),
        ]
    )


def kernel_captions(epochs: Sequence[int]) -> list[str]:
    """Name the epochs."""
    return [
        _("Before the first step: random numbers.") if epoch == 0 else _("After epoch {epoch}.").format(epoch=epoch)
        for epoch in epochs
    ]
