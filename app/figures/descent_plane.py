"""Gradient descent on y = w·x + b: the paths of all methods over the map of the loss."""

from functools import lru_cache
from typing import Any

import altair as alt
import pandas as pd

from app.charts import parameter, source
from app.figures import plane
from app.figures.descent import Look, channel, colours, dots, lines, losses
from app.figures.descent_data import Race, ends, follow_rows, runs, stretched, timeline, walk_rows
from app.figures.descent_runs import Settings, title_of
from app.figures.descent_words import step
from app.figures.line import Data, View
from app.figures.mse_words import number
from app.i18n import _
from core import windows
from core.descent import Trajectory
from core.points import Points
from core.windows import Plane

HEIGHT = 330  # px


def chart(shown: tuple[str, ...], clock: str, batch_size: int) -> alt.HConcatChart:
    """Build the map with the paths, and the loss on the clock beside it."""
    look = colours(shown, batch_size)
    views: alt.HConcatChart = alt.hconcat(_map(shown, look), losses(shown, clock, look, height=HEIGHT), spacing=24)
    return views.add_params(parameter("step"), parameter("w", 1.0), parameter("b"))


def _map(shown: tuple[str, ...], look: Look) -> View:
    def x(field: str = "w") -> alt.X:
        made: alt.X = channel(alt.X, "w", _("weight w"), field=field, grid=False)
        return made

    def y(field: str = "b") -> alt.Y:
        made: alt.Y = channel(alt.Y, "b", _("bias b"), field=field, grid=False)
        return made

    ramp = alt.Scale(type="pow", exponent=0.4, range=["@background", "@loss"], interpolate="lab")
    lowest: Look = {"shape": "diamond", "size": 90, "filled": True, "color": "@background", "stroke": "@loss"}
    start = alt.Chart(source("frame")).transform_calculate(at_w="w", at_b="b")
    layers = [
        alt.Chart(source("cells"))
        .mark_rect(clip=True, stroke=None, opacity=1)
        .encode(x=x("left"), x2="right:Q", y=y("low"), y2="high:Q", fill=alt.Fill("loss:Q", scale=ramp, legend=None)),
        alt.Chart(source("rings"))
        .mark_line(clip=True, color="@text", strokeWidth=0.8, opacity=0.45)
        .encode(x=x(), y=y(), detail="ring:N", order="order:Q"),
        alt.Chart(source("frame"))
        .transform_filter("datum.unique")
        .mark_point(clip=True, strokeWidth=2, opacity=1, **lowest)
        .encode(x=x(), y=y()),
        *lines(alt.Chart(source("walk")), x(), y(), look),
        start.mark_point(clip=True, color="@weight", size=90, strokeWidth=2, filled=False, opacity=1).encode(
            x=x("at_w"), y=y("at_b")
        ),
        *dots(shown, x(), y()),
        alt.Chart(source("follow")).mark_point(opacity=0).encode(x=x("w1"), y=y("b1")),  # for the formula to read
    ]
    return alt.layer(*layers, name="plane").properties(width=430, height=HEIGHT)


def window_of(points: Points, settings: Settings) -> Plane:
    """Return the part of the plane that is drawn, with the start in it."""
    usual = windows.over_plane(points)
    return Plane(w=stretched(usual.w, settings.w), b=stretched(usual.b, settings.b))


@lru_cache(maxsize=32)
def chart_data(points: Points, settings: Settings, race: Race) -> Data:
    """Compute what `chart` draws; treat it as read-only."""
    drawn = plane.plane_data(points, window_of(points, settings))
    found = runs(points, settings, race, with_bias=True)
    beat = timeline(points, settings, race, with_bias=True)
    walk = walk_rows(found, beat, race)
    frame: dict[str, Any] = {str(name): value for name, value in drawn["frame"].iloc[0].items()}
    frame |= ends(walk, found, beat, frame["least"])
    follow = follow_rows(found[race.follow], beat.done[race.follow])
    kept = {name: drawn[name] for name in ("cells", "rings")}
    return kept | {"frame": pd.DataFrame([frame]), "walk": walk, "follow": follow}


def formula() -> str:
    """Write the followed method's update of both parameters with the numbers of the present step."""
    pieces = [step(name, quantity) for name, quantity in (("w", "weight"), ("b", "bias"))]
    return f"<div style='font-size:.92em'>{'&emsp; '.join(pieces)}</div>"


def in_words(found: dict[str, Trajectory], window: Plane) -> str:
    """Write the text alternative of the map."""
    start = _(
        "A map of the loss over w from {w0} to {w1} and b from {b0} to {b1}, and the path of each method over it. "
    )
    one = _("{method} ends at w = {w}, b = {b}, where the loss is {cost}.")
    ends_ = [
        one.format(method=title_of(racer, run), w=number(run.w[-1]), b=number(run.b[-1]), cost=number(run.cost[-1]))
        for racer, run in found.items()
    ]
    limits = {"w0": window.w.start, "w1": window.w.stop, "b0": window.b.start, "b1": window.b.stop}
    return start.format(**{name: number(value) for name, value in limits.items()}) + " ".join(ends_)
