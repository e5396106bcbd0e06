"""Max and average pooling, window by window. Course: "下采样" in "卷积神经网络"."""

from functools import partial

import streamlit as st

from app import link, page
from app.charts import compiled
from app.choice import choice
from app.figures import convolution_boards as boards_of
from app.figures.boards import boards
from app.i18n import _, language
from app.player import player
from core import convolution
from core.convolution_script import pooling_script
from core.errors import InputError
from core.matrices import Matrix
from core.pooling import KINDS, Pooling
from core.shapes.windows import Axis
from pages.parts.convolution_code import offer_on_request
from pages.parts.convolution_inputs import whole


def show_pooling(x: Matrix) -> None:
    st.markdown(
        _(
            "Pooling makes the picture smaller without weights, so that later layers see more of it at less cost; each "
            "channel is pooled alone. Max keeps the strongest answer under the window and forgets where exactly it "
            "was; the mean keeps what all of it answers on average."
        )
    )
    kinds = {name: _(title) for name, title in KINDS.items()}
    columns = st.columns([4, 3, 3, 3], vertical_alignment="bottom")
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
        drawn = boards_of.pooling_data(layer, x, language())
    except InputError as error:
        page.input_error(error)
        return
    player(
        compiled(boards),
        key="pooling",
        name="pooling",
        alt=_("The window over the input, and the pooled output.") + " " + "; ".join(drawn.captions[:16]),
        data=drawn.data,
        steps=len(drawn.captions),
        captions=drawn.captions,
        height=drawn.height,
    )
    names = ("height", "width") if x.size[0] != x.size[1] else ("height",)
    for name, size in zip(names, x.size, strict=False):
        axis = Axis(
            name=name, size=size, kernel=side, stride=stride, before=padding, after=padding, dilation=1, ceil=ceil
        )
        st.markdown(f"${axis.latex()}$")
    offer_on_request(partial(pooling_script, layer, x), key="pooling")
