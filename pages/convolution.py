"""Convolution by hand: see app/course.py. Course: "卷积", "padding", "stride" and "下采样" in "卷积神经网络"."""

from collections.abc import Callable
from functools import partial

import pandas as pd
import streamlit as st

from app import course, link, page
from app.charts import compiled
from app.choice import choice
from app.figures import convolution_boards as boards_of
from app.figures import convolution_words as words
from app.figures.boards import boards
from app.figures.convolution import sliding, sliding_data
from app.figures.written import live
from app.i18n import _, language
from app.player import player
from core import convolution, matrices
from core.convolution import Convolution, output_size
from core.convolution_script import script
from core.errors import InputError
from core.matrices import INPUTS, KERNELS, Matrix
from core.padding import MODES
from core.pooling import KINDS, Pooling
from core.shapes.windows import Axis, TransposedAxis
from core.store import Store
from core.trained_kernels import trained_kernels
from core.transposed import TransposedConvolution

ENTRY = course.entry("convolution")
PADDINGS = {"0": "0", "1": "1", "2": "2", "3": "3"}
STRIDES = {"1": "1", "2": "2", "3": "3", "4": "4"}
OWN = "own"
FIRST_OWN = {"x": "0 0 0 0 0 0; 0 9 9 9 9 0; 0 9 0 0 9 0; 0 9 0 0 9 0; 0 9 9 9 9 0; 0 0 0 0 0 0", "k": "1 1; 1 1"}


# --- The first screen: one matrix, one kernel ----------------------------------------------------------------------


def choose_input() -> Matrix:
    """Draw the choice of the input; raises InputError where what is typed is no matrix."""
    titles = {name: _(preset.title) for name, preset in INPUTS.items()}
    titles |= {"digit": _("A digit"), OWN: _("My own")}
    link.check_choice("input", titles)
    chosen = choice(_("Input"), titles, key="input", default="course")
    if chosen == "digit":
        return matrices.digit(int(number_of(_("Image of the test set"), "image", 0, 0, 9999)))
    if chosen == OWN:
        return matrices.parse(typed(_("The matrix, rows parted by semicolons"), "x"))
    return INPUTS[chosen].matrix


def choose_kernel() -> Matrix:
    """Draw the choice of the kernel; raises InputError where what is typed is none, or none was trained yet."""
    titles = {name: _(preset.title) for name, preset in KERNELS.items()}
    titles |= {"trained": _("trained"), OWN: _("own")}
    link.check_choice("kernel", titles)
    chosen = choice(_("Kernel"), titles, key="kernel", default="course")
    if chosen == "trained":
        return choose_trained()
    if chosen == OWN:
        return matrices.parse_kernel(typed(_("The kernel, rows parted by semicolons"), "k"))
    return KERNELS[chosen].matrix


def choose_trained() -> Matrix:
    found = trained_kernels(Store())
    if found is None:
        raise InputError(
            "No trained CNN is kept yet. Start one on the page “{page}”, or run: python -m core warm",
            page=_(course.entry("training").title),
        )
    which = number_of(_("Kernel of the first layer"), "nth", 1, 1, len(found.kernels))
    sentence = _("From the course's CNN as it was trained here: epochs {epochs}, right on the test set {accuracy:.1%}.")
    st.caption(sentence.format(epochs=found.epochs, accuracy=found.accuracy))
    return found.kernels[int(which) - 1]


def number_of(label: str, key: str, value: float, low: float, high: float) -> float:
    link.check_number(key, low, high)
    return st.number_input(
        label,
        float(low),
        float(high),
        float(value),
        1.0,
        format="%g",
        key=key,
        bind="query-params",
        persist_state="session",
    )


def whole(label: str, key: str, value: int, low: int, high: int) -> int:
    """Draw an input for a whole number; raises InputError where it is none."""
    given = number_of(label, key, value, low, high)
    if given != int(given):
        raise InputError("{label} must be a whole number, not {value:g}.", label=label, value=given)
    return int(given)


def typed(label: str, key: str) -> str:
    return st.text_input(label, FIRST_OWN[key], key=key, max_chars=4000, bind="query-params", persist_state="session")


def choose_padding() -> str:
    paddings = PADDINGS | {"same": "same"}
    link.check_choice("padding", paddings)
    return choice(_("Padding"), paddings, key="padding", default="1")


def choose_stride() -> int:
    link.check_choice("stride", STRIDES)
    return int(choice(_("Stride"), STRIDES, key="stride", default="1"))


def more_settings(kernel: Matrix, padding: str, stride: int) -> tuple[Convolution, float]:
    """Draw the settings that are in force while their section is open; raises InputError where they make no layer."""
    titles = {name: _(title).partition(":")[0].partition("：")[0] for name, title in MODES.items()}
    link.check_choice("mode", titles)
    mode = choice(_("What the padding holds"), titles, key="mode", default="zeros")
    st.caption(_(MODES[mode]))
    left, right = st.columns(2)
    with left:
        dilation = whole(_("Dilation"), "dilation", 1, 1, convolution.MAX_DILATION)
    with right:
        bias = number_of(_("Bias"), "bias", 0, -1000, 1000)
    rows = {"stride": stride, "padding": 0 if padding == "same" else int(padding), "dilation": dilation}
    across = rows
    if st.toggle(_("Other numbers across the columns"), key="across", bind="query-params", persist_state="session"):
        columns = st.columns(3)
        with columns[0]:
            wide = {"stride": whole(_("Stride across"), "stride_w", 1, 1, convolution.MAX_STRIDE)}
        with columns[1]:
            wide["padding"] = whole(_("Padding left and right"), "padding_w", 1, 0, 14)
        with columns[2]:
            wide["dilation"] = whole(_("Dilation across"), "dilation_w", 1, 1, convolution.MAX_DILATION)
        across = wide
    return (
        Convolution(
            kernel=kernel.size,
            stride=(rows["stride"], across["stride"]),
            padding="same" if padding == "same" else (rows["padding"], across["padding"]),
            mode=mode,
            dilation=(rows["dilation"], across["dilation"]),
        ),
        bias,
    )


def plain(kernel: Matrix, padding: str, stride: int) -> Convolution:
    return Convolution(
        kernel=kernel.size,
        stride=(stride, stride),
        padding="same" if padding == "same" else (int(padding), int(padding)),
    )


def window(layer: Convolution, x: Matrix, kernel: Matrix, bias: float) -> None:
    data = sliding_data(layer, x, kernel, bias, language())
    player(
        compiled(sliding),
        key="convolution",
        name="convolution",
        alt=words.convolution_in_words(layer, x.size, data),
        data=data,
        steps=len(data["output"]),
        formula=words.written_sum(kernel.size, bias=bias != 0) + f"<small>{live(words.pointed_at())}</small>",
    )
    page.status(*words.verdict(layer, x.size))
    height, width = words.axes(layer, x.size)
    if height.formula() == width.formula():
        st.markdown(rf"$H' = W' = {height.latex()}$")  # set in the text, it breaks into lines on a phone
    else:
        st.markdown(rf"$H' = {height.latex()}$ $\qquad W' = {width.latex()}$")
    st.caption(
        _("⌊(size + padding on both sides − dilation·(kernel − 1) − 1) / stride⌋ + 1; ⌊ ⌋ rounds down.")
        + " "
        + words.keeps_the_size(layer)
    )


# --- Several channels ----------------------------------------------------------------------------------------------


def show_channels() -> None:
    st.markdown(
        _(
            "A kernel has as many channels as the input (of its group), and there are as many kernels as output "
            "channels. Each kernel gives one output channel: a convolution per channel, added up."
        )
    )
    columns = st.columns(4)
    options = {str(n): str(n) for n in (1, 2, 3, 4)}
    with columns[0]:
        link.check_choice("inputs", options)
        inputs = int(choice(_("Input channels"), options, key="inputs", default="3"))
    with columns[1]:
        link.check_choice("kernels", options)
        kernels = int(choice(_("Kernels"), options, key="kernels", default="2"))
    with columns[2]:
        link.check_choice("groups", options)
        groups = int(choice(_("Groups"), options, key="groups", default="1"))
    with columns[3]:
        sides = {"3": "3 × 3", "1": "1 × 1"}
        link.check_choice("side", sides)
        side = int(choice(_("Kernel size"), sides, key="side", default="3"))
    try:
        layer = Convolution(in_channels=inputs, out_channels=kernels, kernel=(side, side), groups=groups)
    except InputError as error:
        page.input_error(error)
        return
    data, captions = boards_of.channels_data(layer, language())
    player(
        compiled(boards),
        key="channels",
        name="convolution-channels",
        alt=_("{inputs} input channels; kernel by kernel, a product per channel and their sum.").format(inputs=inputs)
        + " "
        + " ".join(captions),
        data=data,
        steps=len(captions),
        captions=captions,
        height=400,
    )
    st.markdown(_("All weights together are one tensor with four axes:"))
    product = r" \cdot ".join(map(str, layer.weight_shape))
    page.formula(
        rf"@weight{{\text{{weight}}}}: {layer.weight_shape}"
        rf" \qquad {product} = {convolution.parameters(layer, bias=False)}"
    )
    player(
        compiled(boards),
        key="weights",
        name="convolution-weights",
        alt=_(
            "{kernels} kernels, one below the other, each with {channels} channels; beside each its output channel."
        ).format(kernels=kernels, channels=layer.weight_shape[1]),
        data=boards_of.weights_data(layer, language()),
    )
    if groups == inputs == kernels > 1:
        page.status(_("Depthwise: as many groups as channels, so each kernel sees one channel only."))
    elif groups > 1:
        sentence = _("With {groups} groups each kernel sees {seen} of {inputs} channels, so there are fewer weights.")
        page.status(sentence.format(groups=groups, seen=layer.weight_shape[1], inputs=inputs))


# --- 1 × 1 ---------------------------------------------------------------------------------------------------------


def show_pointwise() -> None:
    st.markdown(
        _(
            "A 1 × 1 kernel sees one pixel, and all of its channels: it mixes channels and leaves the picture's size "
            "alone. So it can make the channels fewer before an expensive layer."
        )
    )
    page.formula(r"@prediction{y_o} = \sum_c @weight{w_{o,c}} \cdot x_c")
    between = int(number_of(_("Channels in between"), "between", 16, 1, 192))
    size = (28, 28)
    direct = [Convolution(in_channels=192, out_channels=32, kernel=(5, 5), padding="same")]
    narrowed = [
        Convolution(in_channels=192, out_channels=between, kernel=(1, 1)),
        Convolution(in_channels=between, out_channels=32, kernel=(5, 5), padding="same"),
    ]
    rows, totals = [], []
    for way, chain in ((_("5 × 5 at once"), direct), (_("1 × 1 first"), narrowed)):
        totals.append(sum(convolution.multiplications(layer, size) for layer in chain))
        rows += [
            (
                way,
                f"{layer.in_channels} → {layer.out_channels}",
                f"{layer.kernel[0]} × {layer.kernel[1]}",
                convolution.parameters(layer, bias=False),
                convolution.multiplications(layer, output_size(layer, size)),
            )
            for layer in chain
        ]
    names = [_("way"), _("channels"), _("kernel"), _("weights"), _("multiplications")]
    page.table(pd.DataFrame(rows, columns=names), name="convolution-cost")
    page.formula(rf"28 \cdot 28 \cdot 32 \cdot 192 \cdot 5 \cdot 5 = {totals[0]:,}".replace(",", r"\,"))
    page.formula(
        rf"28 \cdot 28 \cdot {between} \cdot 192 + 28 \cdot 28 \cdot 32 \cdot {between} \cdot 5 \cdot 5"
        rf" = {totals[1]:,}".replace(",", r"\,")
    )
    share = totals[1] / totals[0]
    sentence = _("On 28 × 28 pixels, {first:,} multiplications become {second:,}: {share:.1%} of them.")
    page.status(sentence.format(first=totals[0], second=totals[1], share=share), "good" if share < 1 else "warning")


# --- Pooling -------------------------------------------------------------------------------------------------------


def show_pooling(x: Matrix) -> None:
    st.markdown(_("Pooling makes the picture smaller without weights; each channel is pooled alone."))
    kinds = {name: _(title) for name, title in KINDS.items()}
    columns = st.columns([4, 3, 3, 3])
    with columns[0]:
        link.check_choice("pool", kinds)
        kind = choice(_("Takes"), kinds, key="pool", default="max")
    try:
        with columns[1]:
            side = whole(_("Kernel"), "pool_k", 2, 1, convolution.MAX_KERNEL)
        with columns[2]:
            stride = whole(_("Stride"), "pool_s", 2, 1, convolution.MAX_STRIDE)
        with columns[3]:
            padding = whole(_("Padding"), "pool_p", 0, 0, 5)
        ceil = st.toggle(
            _("ceil_mode: a last window may hang over the end"),
            key="ceil",
            bind="query-params",
            persist_state="session",
        )
        count = kind == "max" or st.toggle(
            _("count_include_pad: divide by the padding's cells too"),
            True,
            key="count",
            bind="query-params",
            persist_state="session",
        )
        layer = Pooling(
            kind=kind,
            kernel=(side, side),
            stride=(stride, stride),
            padding=(padding, padding),
            ceil_mode=ceil,
            count_include_pad=count,
        )
        data, captions = boards_of.pooling_data(layer, x, language())
    except InputError as error:
        page.input_error(error)
        return
    player(
        compiled(boards),
        key="pooling",
        name="pooling",
        alt=_("The window over the input, and the pooled output.") + " " + "; ".join(captions[:16]),
        data=data,
        steps=len(captions),
        captions=captions,
        height=300,
    )
    names = ("height", "width") if x.size[0] != x.size[1] else ("height",)
    for name, size in zip(names, x.size, strict=False):
        axis = Axis(
            name=name, size=size, kernel=side, stride=stride, before=padding, after=padding, dilation=1, ceil=ceil
        )
        st.markdown(f"${axis.latex()}$")


# --- Transposed ----------------------------------------------------------------------------------------------------

STAMPED = matrices.parse("3 4 6; 2 4 6; 1 6 7")


def show_transposed() -> None:
    st.markdown(
        _(
            "A transposed convolution goes the other way: each input cell stamps the kernel, times its value, onto the "
            "output, and stamps that overlap add up. With a stride above 1 the output is larger than the input."
        )
    )
    columns = st.columns(3)
    try:
        with columns[0]:
            stride = whole(_("Stride"), "up_s", 2, 1, 4)
        with columns[1]:
            padding = whole(_("Padding, cut off each side"), "up_p", 0, 0, 4)
        with columns[2]:
            extra = whole(_("Output padding, added"), "up_o", 0, 0, 3)
        kernel = KERNELS["course"].matrix
        layer = TransposedConvolution(
            kernel=kernel.size, stride=(stride, stride), padding=(padding, padding), output_padding=(extra, extra)
        )
        data, captions = boards_of.stamps_data(layer, STAMPED, kernel, language())
    except InputError as error:
        page.input_error(error)
        return
    player(
        compiled(boards),
        key="transposed",
        name="convolution-transposed",
        alt=_("An input of 3 × 3, a kernel of 3 × 3, and the output that grows stamp by stamp.") + " " + captions[0],
        data=data,
        steps=len(captions),
        start=-1,
        captions=captions,
    )
    axis = TransposedAxis(
        name="height", size=3, kernel=3, stride=stride, before=padding, after=padding, dilation=1, extra=extra
    )
    st.markdown(f"${axis.latex()}$")


# --- One axis ------------------------------------------------------------------------------------------------------


def show_sequence() -> None:
    st.markdown(_("`Conv1d` slides along one axis: over time or over text instead of over an image."))
    columns = st.columns([3, 2, 1, 1, 1])
    try:
        with columns[0]:
            given = st.text_input(
                _("The sequence"), "0 1 2 4 8 8 4 2 1 0", key="seq", bind="query-params", persist_state="session"
            )
        with columns[1]:
            weights = st.text_input(_("Kernel"), "1 0 -1", key="seq_k", bind="query-params", persist_state="session")
        with columns[2]:
            stride = whole(_("Stride"), "seq_s", 1, 1, 8)
        with columns[3]:
            padding = whole(_("Padding"), "seq_p", 1, 0, 8)
        with columns[4]:
            dilation = whole(_("Dilation"), "seq_d", 1, 1, 8)
        x, kernel = one_row(matrices.parse(given)), one_row(matrices.parse_kernel(weights))
        layer = Convolution(
            kernel=kernel.size, stride=(1, stride), padding=(0, padding), dilation=(1, dilation)
        )  # one row of an image is a sequence
        data = sliding_data(layer, x, kernel, 0.0, language())
    except InputError as error:
        page.input_error(error)
        return
    player(
        compiled(sliding),
        key="sequence",
        name="convolution-1d",
        alt=words.convolution_in_words(layer, x.size, data),
        data=data,
        steps=len(data["output"]),
        formula=words.written_sum(kernel.size, bias=False) + f"<small>{live(words.pointed_at())}</small>",
        height=170,
    )
    st.markdown(rf"$L' = {words.axes(layer, x.size)[1].latex()}$")


def one_row(matrix: Matrix) -> Matrix:
    if len(matrix.rows) != 1:
        raise InputError("A sequence is one row of numbers; this has {rows} rows.", rows=len(matrix.rows))
    return matrix


# --- Things to try -------------------------------------------------------------------------------------------------


def things_to_try() -> None:
    five = Convolution(kernel=(5, 5))
    page.predict(
        key="try_size",
        question=_("A digit of 28 × 28, a kernel of 5 × 5, no padding, stride 1. How large is the output?"),
        options=["28 × 28", "24 × 24", "23 × 23"],
        answer=1,
        explanation=f"{words.axes(five, (28, 28))[0].formula()}.",
    )
    lost = (~convolution.reached(Convolution(kernel=(2, 2), stride=(2, 2)), (5, 5))).sum()
    page.predict(
        key="try_lost",
        question=_("A kernel of 2 × 2 with stride 2 on 5 × 5, no padding. What happens to the last row and column?"),
        options=[_("PyTorch refuses"), _("They are discarded"), _("They are padded")],
        answer=1,
        explanation=_(
            "The division is rounded down: {lost} of 25 cells meet no weight. That is legal, and easily overlooked."
        ).format(lost=lost),
    )
    st.markdown(
        _(
            "* Choose the digit and the kernel “edge”: where is the output positive, where negative, where 0?\n"
            "* Point at a weight in the corner of the kernel: which inputs does it never meet?\n"
            "* Point at an input in a corner, then in the middle: which of them counts in more outputs?"
        )
    )


def show_numbers(layer: Convolution, x: Matrix, kernel: Matrix, bias: float) -> None:
    data = sliding_data(layer, x, kernel, bias, language())
    out = data["output"]
    page.table(
        pd.DataFrame({_("row"): out["row"], _("column"): out["col"], _("output"): out["value"]}), name="convolution"
    )


# --- The page ------------------------------------------------------------------------------------------------------


def chosen(choose: Callable[[], Matrix]) -> Matrix | None:
    """Draw a choice; where it makes no matrix, say why."""
    try:
        return choose()
    except InputError as error:
        page.input_error(error)
        return None


def in_force(kernel: Matrix, padding: str, stride: int) -> tuple[Convolution, float] | None:
    """Draw the section of further settings, which hold while it is open; where they make no layer, say why."""
    with page.section(_("More settings: dilation, padding modes, bias, rectangles"), key="more") as is_open:
        try:
            return more_settings(kernel, padding, stride) if is_open else (plain(kernel, padding, stride), 0.0)
        except InputError as error:
            page.input_error(error)
            return None


page.header(_(ENTRY.title), _(ENTRY.promise))
left, right = st.columns([2, 1])
with left:
    x = chosen(choose_input)
    kernel = chosen(choose_kernel)
with right:
    padding = choose_padding()
    stride = choose_stride()
picture = st.container()
settings = in_force(kernel, padding, stride) if kernel else None
shown = None
if x and kernel and settings:
    with picture:
        try:
            window(settings[0], x, kernel, settings[1])
            shown = (settings[0], x, kernel, settings[1])
        except InputError as error:
            page.input_error(error)

PARTS: tuple[tuple[str, str, Callable[[], None]], ...] = (
    ("stack", _("Several channels"), show_channels),
    ("pointwise", _("1 × 1: a mix across channels, and what it saves"), show_pointwise),
    ("pools", _("Max and average pooling"), partial(show_pooling, x or INPUTS["pooling"].matrix)),
    ("up", _("Transposed convolution"), show_transposed),
    ("line", _("One axis: Conv1d"), show_sequence),
    ("try", _("Things to try"), things_to_try),
)
for key, label, show in PARTS:
    page.part(label, show, key=key)

if shown:
    page.code_panel(partial(script, *shown), name="convolution")
    page.part(_("The numbers of the picture"), partial(show_numbers, *shown), key="numbers")
