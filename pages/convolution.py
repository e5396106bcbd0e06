"""Convolution by hand: see app/course.py. Course: "卷积", "padding", "stride" and "下采样" in "卷积神经网络"."""

import re
from collections.abc import Callable
from contextlib import nullcontext
from functools import partial
from typing import NamedTuple

import pandas as pd
import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from app import course, link, page
from app.charts import compiled
from app.choice import choice
from app.figures import convolution_words as words
from app.figures.convolution import sliding
from app.figures.convolution_data import READABLE, sliding_data
from app.figures.numbers import percent
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
from pages.parts.convolution_code import offer
from pages.parts.convolution_inputs import FIRST_OWN, drawn, number_of, typed, whole
from pages.parts.convolution_others import show_sequence, show_transposed
from pages.parts.convolution_pooling import show_pooling

ENTRY = course.entry("convolution")
PADDINGS = {"0": "0", "1": "1", "2": "2", "3": "3"}
STRIDES = {"1": "1", "2": "2", "3": "3", "4": "4"}
OWN = "own"

# --- The first screen: one matrix, one kernel ----------------------------------------------------------------------


def choose_input() -> str:
    titles = {name: _(preset.title) for name, preset in INPUTS.items()}
    titles |= {"digit": _("A digit"), "drawn": _("A drawn digit"), OWN: _("My own")}
    link.check_choice("input", titles)
    return choice(_("Input"), titles, key="input", default="course", folded=True)


def choose_kernel() -> str:
    titles = {name: _(preset.title) for name, preset in KERNELS.items()}
    titles |= {"trained": _("trained"), OWN: _("own")}
    link.check_choice("kernel", titles)
    return choice(_("Kernel"), titles, key="kernel", default="course", folded=True)


def read_input(name: str) -> Matrix:
    """Return the input of that name, asking which where there are many; raises InputError where there is none."""
    if name == "digit":
        return matrices.digit(whole(_("Image of the test set"), "image", 0, 0, 9999))
    if name == "drawn":
        return drawn(_("Draw a digit"), "drawn")
    if name == OWN:
        return matrices.parse(typed(_("The matrix, rows parted by semicolons"), "x", FIRST_OWN["x"]))
    return INPUTS[name].matrix


def read_kernel(name: str) -> Matrix:
    """Return the kernel of that name, asking which where there are many; raises InputError where there is none."""
    if name == "trained":
        found = trained()
        return found.kernels[whole(_("Kernel of the first layer"), "nth", 1, 1, len(found.kernels)) - 1]
    if name == OWN:
        return matrices.parse_kernel(typed(_("The kernel, rows parted by semicolons"), "k", FIRST_OWN["k"]))
    return KERNELS[name].matrix


def trained() -> TrainedKernels:
    """Return the kernels that were trained; raises InputError where none were."""
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
    return choice(_("Padding"), paddings, key="padding", default="1", folded=True)


def choose_stride() -> int:
    link.check_choice("stride", STRIDES)
    return int(choice(_("Stride"), STRIDES, key="stride", default="1"))


def where_from(found: TrainedKernels) -> str:
    """Say which network the trained kernels are from."""
    if found.origin == "shipped":
        how = _(
            "From the course's CNN as it ships with the project, trained on another machine: epochs {epochs}, right on "
            "the test set {accuracy}."
        )
    else:
        how = _("From the course's CNN as it was trained here: epochs {epochs}, right on the test set {accuracy}.")
    return how.format(epochs=found.epochs, accuracy=percent(found.accuracy, 1))


class Further(NamedTuple):
    """The settings of the section "More settings"; None across the columns: as down the rows."""

    mode: str
    dilation: int
    bias: float
    across: dict[str, int] | None


USUAL = Further(mode="zeros", dilation=1, bias=0.0, across=None)


def mode_titles() -> dict[str, str]:
    return {name: re.split("[:：]", _(title))[0] for name, title in MODES.items()}


def further_settings(outside: DeltaGenerator) -> Further:
    """Draw the settings that hold whether their section is open or closed.

    What the link asks for in vain is said outside, where it is seen in either case. Raises InputError.
    """
    with outside:
        link.check_choice("mode", MODES)
    mode = choice(_("What the padding holds"), mode_titles(), key="mode", default=USUAL.mode)
    if mode != USUAL.mode:
        st.caption(re.split("[:：]", _(MODES[mode]))[-1].strip())
    left, right = st.columns(2)
    with left:
        dilation = whole(_("Dilation"), "dilation", USUAL.dilation, 1, convolution.MAX_DILATION, outside=outside)
    with right:
        bias = number_of(_("Bias"), "bias", USUAL.bias, -1000, 1000, outside=outside)
    st.caption(
        _(
            "Dilation leaves gaps between the cells under the kernel, so that it spans more with as many weights. "
            "The bias is one number that is added to every output."
        )
    )
    across = None
    if st.toggle(_("Other numbers across the columns"), key="across", bind="query-params", persist_state="session"):
        columns = st.columns(3, vertical_alignment="bottom")
        with columns[0]:
            across = {"stride": whole(_("Stride across"), "stride_w", 1, 1, convolution.MAX_STRIDE, outside=outside)}
        with columns[1]:
            across["padding"] = whole(_("Padding left and right"), "padding_w", 1, 0, 14, outside=outside)
        with columns[2]:
            across["dilation"] = whole(
                _("Dilation across"), "dilation_w", 1, 1, convolution.MAX_DILATION, outside=outside
            )
    return Further(mode=mode, dilation=dilation, bias=bias, across=across)


def in_words(further: Further, padding: str) -> str:
    """Name the settings that are not the usual ones: dilation 2, bias 0.5."""
    named = []
    if further.mode != USUAL.mode:
        named.append(_("padding {mode}").format(mode=mode_titles()[further.mode]))
    if further.dilation != USUAL.dilation:
        named.append(_("dilation {number}").format(number=further.dilation))
    if further.bias != USUAL.bias:
        named.append(_("bias {number:g}").format(number=further.bias))
    if further.across:
        sentence = _("across the columns stride {stride}, padding {padding}, dilation {dilation}")
        named.append(sentence.format(**further.across | ({"padding": padding} if padding == "same" else {})))
    return ", ".join(named)


def make_layer(kernel: Matrix, padding: str, stride: int, further: Further) -> Convolution:
    """Put the settings together; raises InputError where they make no layer."""
    down = {"stride": stride, "padding": 0 if padding == "same" else int(padding), "dilation": further.dilation}
    across = further.across or down
    return Convolution(
        kernel=kernel.size,
        stride=(down["stride"], across["stride"]),
        padding="same" if padding == "same" else (down["padding"], across["padding"]),
        mode=further.mode,
        dilation=(down["dilation"], across["dilation"]),
    )


def window(layer: Convolution, x: Matrix, kernel: Matrix, bias: float) -> None:
    data = sliding_data(layer, x, kernel, bias, language())
    large = max(x.size) > READABLE
    player(
        compiled(sliding),
        key="digit" if large else "convolution",  # a place in the one says nothing in the other
        name="convolution",
        alt=words.convolution_in_words(layer, x.size, data),
        data=data,
        steps=len(data["output"]),
        start=int(data["output"]["value"].abs().argmax()) if large else 0,  # in a corner of a digit all is 0
        formula=words.written_sum(x, kernel, bias=bias) + f"<small>{live(words.pointed_at())}</small>",
    )
    page.status(*words.verdict(layer, x.size))
    height, width = words.axes(layer, x.size)
    if height.formula() == width.formula():
        st.markdown(rf"$H' = W' = {height.latex()}$")  # set in the text, it breaks into lines on a phone
    else:
        st.markdown(rf"$H' = {height.latex()}$ $\qquad W' = {width.latex()}$")
    st.caption(
        _(
            "⌊(size + padding on both sides − dilation·(kernel − 1) − 1) / stride⌋ + 1: the window has one first place "
            "and one more for each further stride that fits; ⌊ ⌋ rounds down, since a part of a stride is none."
        )
        + " "
        + words.keeps_the_size(layer)
    )
    st.caption(
        _(
            "Padding lets the cells at the edge count as often as the others and keeps the picture from shrinking; a "
            "stride above 1 makes it smaller, and the layers after it cheaper. Numbers below 0 are {colour}; the "
            "stronger a colour, the further from 0."
        ).format(colour=words.below_zero())
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


def show_code(layer: Convolution, x: Matrix, kernel: Matrix, bias: float) -> None:
    st.markdown(
        _(
            "A complete PyTorch script for exactly what the first picture shows now; the sections above offer theirs, "
            "each at its end."
        )
    )
    offer(partial(script, layer, x, kernel, bias), name="convolution")


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


page.header(_(ENTRY.title), _(ENTRY.promise))
with st.container(horizontal=True):
    with st.container(width=170):  # two beside each other on a phone
        input_name = choose_input()
    with st.container(width=170):
        kernel_name = choose_kernel()
    with st.container(width=170):
        padding = choose_padding()
    with st.container(width="content"):
        stride = choose_stride()
asks = input_name in {"digit", "drawn", OWN}, kernel_name in {"trained", OWN}  # each of these has one more input
places = iter(st.columns(sum(asks)) if any(asks) else ())
with next(places) if asks[0] else nullcontext():
    x = read(partial(read_input, input_name))
with next(places) if asks[1] else nullcontext():
    kernel = read(partial(read_kernel, kernel_name))
picture = st.container()
further = None
with page.section(_("More settings: dilation, padding modes, bias, rectangles"), key="more") as is_open:
    try:
        further = further_settings(picture)
    except InputError as error:
        with picture:
            page.input_error(error)
if further and not is_open and (others := in_words(further, padding)):
    st.caption(_("In force from the closed section above: {settings}.").format(settings=others))
shown = None
if x and kernel and further:
    with picture:
        try:
            layer = make_layer(kernel, padding, stride, further)
            window(layer, x, kernel, further.bias)
            if kernel_name == "trained":
                st.caption(where_from(trained()))
            shown = (layer, x, kernel, further.bias)
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
    page.part(_("The code"), partial(show_code, *shown), key="code")
    page.part(_("The numbers of the first picture"), partial(show_numbers, *shown), key="numbers")
