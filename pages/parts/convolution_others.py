"""What slides in other ways: the transposed convolution, and the convolution along one axis."""

import streamlit as st

from app import page
from app.charts import compiled
from app.figures import convolution_boards as boards_of
from app.figures import convolution_words as words
from app.figures.boards import boards
from app.figures.convolution import sliding, sliding_data
from app.figures.written import live
from app.i18n import _, language
from app.player import player
from core import matrices
from core.convolution import Convolution
from core.errors import InputError
from core.matrices import KERNELS, Matrix
from core.shapes.windows import TransposedAxis
from core.transposed import TransposedConvolution
from pages.parts.convolution_inputs import whole

# --- Transposed ----------------------------------------------------------------------------------------------------

STAMPED = matrices.parse("3 4 6; 2 4 6; 1 6 7")


def show_transposed() -> None:
    st.markdown(
        _(
            "A transposed convolution goes the other way: each input cell stamps the kernel, times its value, onto the "
            "output, and stamps that overlap add up. With a stride above 1 the output is larger than the input."
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


def show_sequence() -> None:
    st.markdown(_("`Conv1d` slides along one axis: over time or over text instead of over an image."))
    columns = st.columns([3, 2, 1, 1, 1], vertical_alignment="bottom")
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
        formula=words.written_sum(x, kernel, bias=0.0) + f"<small>{live(words.pointed_at())}</small>",
        height=170,
    )
    st.markdown(rf"$L' = {words.axes(layer, x.size)[1].latex()}$")


def one_row(matrix: Matrix) -> Matrix:
    if len(matrix.rows) != 1:
        raise InputError("A sequence is one row of numbers; this has {rows} rows.", rows=len(matrix.rows))
    return matrix
