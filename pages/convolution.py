"""Convolution by hand: see app/course.py. Course: "卷积", "padding", "stride" and "下采样" in "卷积神经网络"."""

from collections.abc import Callable
from contextlib import nullcontext
from functools import partial

import pandas as pd
import streamlit as st

from app import course, link, page
from app.charts import compiled
from app.choice import choice
from app.figures import convolution_words as words
from app.figures.convolution import sliding, sliding_data
from app.figures.written import live
from app.i18n import _, language
from app.player import player
from core import convolution, matrices
from core.convolution import Convolution
from core.convolution_script import script
from core.errors import InputError
from core.matrices import INPUTS, KERNELS, Matrix
from core.padding import MODES
from core.store import Store
from core.trained_kernels import TrainedKernels, trained_kernels
from pages.parts.convolution_channels import show_channels, show_pointwise
from pages.parts.convolution_inputs import number_of, typed, whole
from pages.parts.convolution_others import show_sequence, show_transposed
from pages.parts.convolution_pooling import show_pooling

ENTRY = course.entry("convolution")
PADDINGS = {"0": "0", "1": "1", "2": "2", "3": "3"}
STRIDES = {"1": "1", "2": "2", "3": "3", "4": "4"}
OWN = "own"

# --- The first screen: one matrix, one kernel ----------------------------------------------------------------------


def choose_input() -> str:
    titles = {name: _(preset.title) for name, preset in INPUTS.items()}
    titles |= {"digit": _("A digit"), OWN: _("My own")}
    link.check_choice("input", titles)
    return choice(_("Input"), titles, key="input", default="course")


def choose_kernel() -> str:
    titles = {name: _(preset.title) for name, preset in KERNELS.items()}
    titles |= {"trained": _("trained"), OWN: _("own")}
    link.check_choice("kernel", titles)
    return choice(_("Kernel"), titles, key="kernel", default="course")


def read_input(name: str) -> Matrix:
    """Return the input of that name, asking which where there are many; raises InputError where there is none."""
    if name == "digit":
        return matrices.digit(whole(_("Image of the test set"), "image", 0, 0, 9999))
    if name == OWN:
        return matrices.parse(typed(_("The matrix, rows parted by semicolons"), "x"))
    return INPUTS[name].matrix


def read_kernel(name: str) -> Matrix:
    """Return the kernel of that name, asking which where there are many; raises InputError where there is none."""
    if name == "trained":
        found = trained()
        return found.kernels[whole(_("Kernel of the first layer"), "nth", 1, 1, len(found.kernels)) - 1]
    if name == OWN:
        return matrices.parse_kernel(typed(_("The kernel, rows parted by semicolons"), "k"))
    return KERNELS[name].matrix


def trained() -> TrainedKernels:
    """Return the kernels that were trained here; raises InputError where none were."""
    found = trained_kernels(Store())
    if found is None:
        raise InputError(
            "No trained CNN is kept yet. Start one on the page “{page}”, or run: python -m core warm",
            page=_(course.entry("training").title),
        )
    return found


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
        columns = st.columns(3, vertical_alignment="bottom")
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
        formula=words.written_sum(x, kernel, bias=bias) + f"<small>{live(words.pointed_at())}</small>",
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


def read(how: Callable[[], Matrix]) -> Matrix | None:
    """Draw what a choice asks beyond itself; where it makes no matrix, say why."""
    try:
        return how()
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
    input_name, kernel_name = choose_input(), choose_kernel()
with right:
    padding, stride = choose_padding(), choose_stride()
asks = input_name in {"digit", OWN}, kernel_name in {"trained", OWN}  # each of these has one more input
places = iter(st.columns(sum(asks)) if any(asks) else ())
with next(places) if asks[0] else nullcontext():
    x = read(partial(read_input, input_name))
with next(places) if asks[1] else nullcontext():
    kernel = read(partial(read_kernel, kernel_name))
picture = st.container()
settings = in_force(kernel, padding, stride) if kernel else None
shown = None
if x and kernel and settings:
    with picture:
        try:
            window(settings[0], x, kernel, settings[1])
            if kernel_name == "trained":
                how = _(
                    "From the course's CNN as it was trained here: epochs {epochs}, right on the test set "
                    "{accuracy:.1%}."
                )
                st.caption(how.format(epochs=trained().epochs, accuracy=trained().accuracy))
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
