"""A terrain of two variables in 3-D, with two walks that start next to each other."""

from functools import lru_cache
from typing import Any

import numpy as np

from app.figures.terrain import SHORT
from app.i18n import _
from app.palette import QUANTITIES
from core.losses import Array
from core.terrain import TERRAINS, Place, Terrain
from core.walk import walk

NUDGE = 0.1  # by which the second walk starts farther along the second variable
LIFT = 0.012  # of the height, by which the walks are drawn above the ground


def starts(terrain: Terrain) -> tuple[Place, Place]:
    """Return where the two walks start."""
    u, v = terrain.start
    return (u, v), (u, v + NUDGE)


@lru_cache(maxsize=16)
def terrain_in_3d(name: str, lr: float, ground: str, _language: str) -> Any:  # noqa: ANN401 - a Plotly figure
    """Build the figure for the light or dark ground; the language is there for the cache."""
    import plotly.graph_objects as go

    colours = {quantity: str(getattr(colour, ground)) for quantity, colour in QUANTITIES.items()}
    terrain = TERRAINS[name]
    u, v = terrain.axes
    low, height = float(terrain.values.min()), float(np.ptp(terrain.values))
    lines = {"show": True, "usecolormap": False, "color": colours["muted"], "width": 1}
    body = go.Surface(
        x=u,
        y=v,
        z=terrain.values,
        colorscale=[[0, colours["background"]], [1, colours["loss"]]],
        showscale=False,
        contours={"z": {**lines, "start": low, "end": low + height, "size": height / 14}},
        hovertemplate="u %{x:.3g}<br>v %{y:.3g}<br>f %{z:.4g}<extra></extra>",
    )
    walks = [
        _path(go, _inside(terrain, walk(name, start, lr, SHORT).at), terrain, colours[colour], LIFT * height)
        for start, colour in zip(starts(terrain), ("weight", "bias"), strict=True)
    ]
    plain = {
        "color": colours["text"],
        "gridcolor": colours["grid"],
        "showbackground": False,
        "nticks": 5,
        "tickfont": {"size": 13},
    }
    titles = {"xaxis": "u", "yaxis": "v", "zaxis": _("value")}
    scene = {axis: {"title": {"text": text, "font": {"size": 15}}, **plain} for axis, text in titles.items()}
    layout = {
        "scene": {
            **scene,
            "camera": {"eye": {"x": 1.6, "y": -2.05, "z": 1.2}},
            "aspectmode": "manual",
            "aspectratio": {"x": 1, "y": 1, "z": 0.75},
        },
        "margin": {"l": 0, "r": 0, "t": 0, "b": 0},
        "height": 360,  # px
        "showlegend": False,
        "paper_bgcolor": "rgba(0,0,0,0)",
    }
    return go.Figure(data=[body, *walks], layout=layout)


def _inside(terrain: Terrain, at: Array) -> Array:
    """Return the places of a walk up to where it leaves the picture, (k, 2)."""
    low, high = np.array(terrain.window).T
    outside = np.flatnonzero(np.any((at < low) | (at > high), axis=1))
    return at[: outside[0]] if len(outside) else at


def _path(go: Any, at: Array, terrain: Terrain, colour: str, lift: float) -> Any:  # noqa: ANN401 - the Plotly module, a trace
    u, v = at.T
    return go.Scatter3d(
        x=u,
        y=v,
        z=terrain.value(u, v) + lift,
        mode="lines+markers",
        line={"color": colour, "width": 5},
        marker={"color": colour, "size": 3},
        hoverinfo="skip",
    )
