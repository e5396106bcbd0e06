"""The squared error over the plane of weight and bias: a map with lines of equal loss, and the same surface in 3-D."""

from functools import lru_cache
from typing import Any

import altair as alt
import numpy as np
import pandas as pd

from app.charts import parameter, source
from app.figures.line import BESIDE, SIZE, Data, View, axis, data_frame, data_view, rows, shown
from app.i18n import _
from app.palette import QUANTITIES
from core import mse, windows
from core.losses import Array
from core.points import Points
from core.windows import Plane

CELLS = 41  # along each axis of the map
RINGS = (0.001, 0.01, 0.04, 0.1, 0.2, 0.35, 0.55, 0.8)  # heights of the lines, as parts of the highest

# The mean squared error at (w, b) as a Vega expression; $ stands for the one row of the frame.
LOSS_NOW = (
    "$.least + 0.5 * ($.hww * (w - $.w) * (w - $.w)"
    " + 2 * $.hwb * (w - $.w) * (b - $.b) + $.hbb * (b - $.b) * (b - $.b))"
)


def plane() -> alt.HConcatChart:
    """Build the two pictures that (w, b) moves at once: the data with the line, and the map of the loss."""
    views = alt.hconcat(data_view("w * datum.x + b"), _map()).add_params(parameter("w", 1.0), parameter("b", 0.0))
    chart: alt.HConcatChart = views.resolve_scale(color="independent")
    return chart


def _map() -> View:
    across, up = _("weight w"), _("bias b")
    x, y = axis(alt.X, "w", across), axis(alt.Y, "b", up)
    colour = alt.Color(
        "loss:Q",
        scale=alt.Scale(type="pow", exponent=0.4, range=["@background", "@loss"], interpolate="lab"),
        legend=alt.Legend(title=_("mean squared error"), orient="bottom", gradientLength=220, format=".3~g"),
    )
    cells = alt.Chart(source("cells")).mark_rect(clip=True)
    rings = alt.Chart(source("rings")).mark_line(clip=True, color="@text", strokeWidth=0.8, opacity=0.55)
    frame = alt.Chart(source("frame"))
    now = frame.transform_calculate(now_w="w", now_b="b", low="datum.b0", left="datum.w0")
    to_w, to_b = axis(alt.X, "w", across, field="now_w"), axis(alt.Y, "b", up, field="now_b")
    label = now.transform_calculate(number=shown(LOSS_NOW.replace("$", "datum")))
    layers = [
        cells.encode(
            x=axis(alt.X, "w", across, field="left"),
            x2="right:Q",
            y=axis(alt.Y, "b", up, field="low"),
            y2="high:Q",
            color=colour,
        ),
        rings.encode(x=x, y=y, detail="ring:N", order="order:Q"),
        frame.transform_filter("datum.unique")
        .mark_point(
            clip=True,
            shape="diamond",
            size=90,
            filled=True,
            color="@background",
            stroke="@loss",
            strokeWidth=2,
            opacity=1,
        )
        .encode(x=x, y=y),
        now.mark_rule(clip=True, color="@weight", strokeDash=[4, 3]).encode(
            x=to_w, y=axis(alt.Y, "b", up, field="low"), y2="now_b:Q"
        ),
        now.mark_rule(clip=True, color="@bias", strokeDash=[4, 3]).encode(
            y=to_b, x=axis(alt.X, "w", across, field="left"), x2="now_w:Q"
        ),
        now.mark_circle(color="@weight", opacity=1, size=170).encode(x=to_w, y=to_b),
        label.mark_text(color="@text", **BESIDE).encode(x=to_w, y=to_b, text="number:N"),
    ]
    return alt.layer(*layers, name="plane").properties(**SIZE)


def grid(window: Plane) -> tuple[Array, Array]:
    """Return the values of w and of b at the middles of the map's cells, each (CELLS,)."""

    def middles(low: float, high: float) -> Array:
        edges = np.linspace(low, high, CELLS + 1)
        return (edges[:-1] + edges[1:]) / 2

    return middles(window.w.start, window.w.stop), middles(window.b.start, window.b.stop)


@lru_cache(maxsize=16)
def surface(points: Points, window: Plane) -> Array:
    """Return the loss at the middles of the map's cells, (b, w); both pictures are drawn from it."""
    return mse.surface(points, *grid(window))


@lru_cache(maxsize=16)
def plane_data(points: Points, window: Plane) -> Data:
    """Compute what `plane` draws; treat it as read-only."""
    w, b = grid(window)
    heights = surface(points, window)
    half_w, half_b = 0.53 * (w[1] - w[0]), 0.53 * (b[1] - b[0])  # a little over, or seams show between the cells
    each_w, each_b = np.meshgrid(w, b)
    lowest = mse.minimum(points, with_bias=True)
    second = mse.hessian(points)
    corners_w, corners_b = np.meshgrid([window.w.start, window.w.stop], [window.b.start, window.b.stop])
    frame = data_frame(points, corners_w.ravel(), corners_b.ravel())
    frame |= {"w0": window.w.start, "w1": window.w.stop, "b0": window.b.start, "b1": window.b.stop}
    frame |= {"w": lowest.w, "b": lowest.b, "least": lowest.loss}
    frame |= {"unique": lowest.unique, "hww": second[0, 0], "hwb": second[0, 1], "hbb": second[1, 1]}
    return {
        "points": rows(points),
        "ends": pd.DataFrame({"x": [frame["x0"], frame["x1"]]}),
        "frame": pd.DataFrame([frame]),
        "cells": pd.DataFrame(
            {
                "left": each_w.ravel() - half_w,
                "right": each_w.ravel() + half_w,
                "low": each_b.ravel() - half_b,
                "high": each_b.ravel() + half_b,
                "loss": heights.ravel(),
            }
        ),
        "rings": _rings(points, heights, unique=lowest.unique, least=lowest.loss),
    }


def _rings(points: Points, heights: Array, *, unique: bool, least: float) -> pd.DataFrame:
    """Compute the lines of equal loss; none where the minimum is a valley without end."""
    highest = float(heights.max()) - least
    if not unique or highest <= 0:
        return pd.DataFrame({"ring": [], "order": [], "w": [], "b": []})
    parts = []
    for ring, height in enumerate(RINGS):
        w, b = windows.ellipse(points, height * highest)
        parts.append(pd.DataFrame({"ring": ring, "order": np.arange(len(w)), "w": w, "b": b}))
    return pd.concat(parts)


@lru_cache(maxsize=16)
def surface_in_3d(points: Points, window: Plane, ground: str, _language: str) -> Any:  # noqa: ANN401 - a Plotly figure
    """Build the same surface in 3-D for the light or dark ground; the language is there for the cache."""
    import plotly.graph_objects as go

    colours = {name: str(getattr(colour, ground)) for name, colour in QUANTITIES.items()}
    w, b = grid(window)
    heights = surface(points, window)
    highest = float(heights.max())
    lines = {"show": True, "usecolormap": False, "color": colours["muted"], "width": 1}
    body = go.Surface(
        x=w,
        y=b,
        z=heights,
        colorscale=[
            [0, colours["background"]],
            [0.25, _between(colours["background"], colours["loss"])],
            [1, colours["loss"]],
        ],
        showscale=False,
        contours={"z": {**lines, "start": 0, "end": highest, "size": highest / 12 or 1}},
        hovertemplate="w %{x:.3g}<br>b %{y:.3g}<br>" + _("loss") + " %{z:.4g}<extra></extra>",
    )
    plain = {
        "color": colours["text"],
        "gridcolor": colours["grid"],
        "showbackground": False,
        "nticks": 5,
        "tickfont": {"size": 13},
    }
    scene = {
        "xaxis": {"title": {"text": _("weight w"), "font": {"size": 15}}, **plain},
        "yaxis": {"title": {"text": _("bias b"), "font": {"size": 15}}, **plain},
        "zaxis": {"title": {"text": _("loss"), "font": {"size": 15}}, **plain},
        "camera": {"eye": {"x": -2.2, "y": -2.2, "z": 1.25}},
    }
    layout = {
        "scene": scene,
        "margin": {"l": 0, "r": 0, "t": 0, "b": 0},
        "height": 360,  # px; much higher than wide would cut the titles of the axes off
        "paper_bgcolor": "rgba(0,0,0,0)",
    }
    return go.Figure(data=[body], layout=layout)


def _between(one: str, other: str) -> str:
    """Mix two colours of the form #RRGGBB."""
    halves = [(int(one[i : i + 2], 16) + int(other[i : i + 2], 16)) // 2 for i in (1, 3, 5)]
    return "#" + "".join(f"{half:02X}" for half in halves)
