"""What slides in other ways: the transposed convolution, and the convolution along one axis."""

from functools import partial

import streamlit as st

from app import page
from app.charts import compiled
from app.figures import convolution_boards as boards_of
from app.figures import convolution_words as words
from app.figures.boards import boards
from app.figures.convolution import sliding_row
from app.figures.convolution_data import sliding_data
from app.figures.written import live
from app.i18n import _, language
from app.player import player
from core import matrices
from core.convolution import MAX_KERNEL, Convolution
from core.convolution_script import sequence_script, transposed_script
from core.errors import InputError
from core.matrices import KERNELS
from core.shapes.windows import TransposedAxis
from core.transposed import TransposedConvolution
from pages.parts.convolution_code import offer_on_request
from pages.parts.convolution_inputs import typed, whole

# --- Transposed ----------------------------------------------------------------------------------------------------

STAMPED = matrices.parse("3 4 6; 2 4 6; 1 6 7")


def show_transposed() -> None:
    st.markdown(
        _(
            "A transposed convolution goes the other way: each input cell stamps the kernel, times its value, onto the "
            "output, and stamps that overlap add up. With a stride above 1 the output is larger than the input: this "
            "is how a network draws a picture from a small one."
        )
    )
    columns = st.columns(3, vertical_alignment="bottom")
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
        drawn = boards_of.stamps_data(layer, STAMPED, kernel, language())
    except InputError as error:
        page.input_error(error)
        return
    player(
        compiled(boards),
        key="transposed",
        name="convolution-transposed",
        alt=_("An input of 3 × 3, a kernel of 3 × 3, and the output that grows stamp by stamp.")
        + " "
        + drawn.captions[0],
        data=drawn.data,
        steps=len(drawn.captions),
        captions=drawn.captions,
        height=drawn.height,
    )
    axis = TransposedAxis(
        name="height", size=3, kernel=3, stride=stride, before=padding, after=padding, dilation=1, extra=extra
    )
    st.markdown(f"${axis.latex()}$")
    offer_on_request(partial(transposed_script, layer, STAMPED, kernel), key="transposed")


def show_sequence() -> None:
    st.markdown(_("`Conv1d` slides along one axis: over time or over text instead of over an image."))
    columns = st.columns([3, 2, 1, 1, 1], vertical_alignment="bottom")
    try:
        with columns[0]:
            given = typed(_("The sequence"), "seq", "0 1 2 4 8 8 4 2 1 0")
        with columns[1]:
            weights = typed(_("Kernel"), "seq_k", "1 0 -1")
        with columns[2]:
            stride = whole(_("Stride"), "seq_s", 1, 1, 8)
        with columns[3]:
            padding = whole(_("Padding"), "seq_p", 1, 0, 8)
        with columns[4]:
            dilation = whole(_("Dilation"), "seq_d", 1, 1, 8)
        x, kernel = matrices.parse_sequence(given), matrices.parse_sequence(weights, most=MAX_KERNEL)
        layer = Convolution(
            kernel=kernel.size, stride=(1, stride), padding=(0, padding), dilation=(1, dilation)
        )  # one row of an image is a sequence
        data = sliding_data(layer, x, kernel, 0.0, language())
    except InputError as error:
        page.input_error(error)
        return
    player(
        compiled(sliding_row),
        key="sequence",
        name="convolution-1d",
        alt=words.convolution_in_words(layer, x.size, data),
        data=data,
        steps=len(data["output"]),
        formula=words.written_sum(x, kernel, bias=0.0) + f"<small>{live(words.pointed_at())}</small>",
    )
    st.markdown(rf"$L' = {words.axes(layer, x.size)[1].latex()}$")
    offer_on_request(partial(sequence_script, layer, x, kernel), key="sequence")
