"""The loss of a line with a bias, over the plane of w and b."""

import streamlit as st

from app import page
from app.charts import compiled
from app.figures import mse_words as words
from app.figures import plane
from app.figures.mse_words import digits, number
from app.figures.written import FRAME, written_mse
from app.i18n import _, language
from app.player import Drag, Slider, player
from core import mse, windows
from core.mse import Minimum
from core.points import Points
from core.windows import Plane
from pages.parts import mse_slider


def show(points: Points) -> None:
    window, lowest = windows.over_plane(points), mse.minimum(points, with_bias=True)
    flat, solid = st.columns([3, 2], vertical_alignment="center")
    with flat:
        plane_map(points, window, lowest)
    with solid:
        st.plotly_chart(
            plane.surface_in_3d(points, window, page.theme(), language()),
            key="surface",
            config={"displayModeBar": False},  # its labels are English
            alt=words.surface_in_words(lowest),
        )
        sentence = _("The same surface in 3-D, from the same {cells} × {cells} numbers. Turn it by dragging.")
        st.caption(sentence.format(cells=plane.CELLS))
    if lowest.unique:
        sentence = _("The minimum is at w = {w}, b = {b}, where the loss is {loss}. Drag in the data to move b alone.")
        page.status(sentence.format(w=number(lowest.w), b=number(lowest.b), loss=number(lowest.loss)))
    else:
        page.status(words.valley(), "warning")


def plane_map(points: Points, window: Plane, lowest: Minimum) -> None:
    player(
        compiled(plane.plane),
        key="plane",
        name="mse-plane",
        alt=words.plane_in_words(window, lowest),
        data=plane.plane_data(points, window),
        sliders=[
            mse_slider.over_w(window.w),
            Slider("b", _("bias b"), window.b.start, window.b.stop, window.b.step, mse_slider.inside(0.0, window.b)),
        ],
        drags=[Drag("plane", x="w", y="b"), Drag("data", set={"b": "y - w * x"})],
        formula=written_mse(
            len(points),
            digits=max(digits(window.w), digits(window.b)),
            with_bias=True,
            loss=plane.LOSS_NOW.replace("$", FRAME),
        ),
        height=240,
    )
