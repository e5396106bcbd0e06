"""The course's test of convexity: a chord between two points of a curve, whose ends the hand moves.

Both ends are points of the drawn curve, so everything that is shown is exact there and computed in the browser.
"""

from functools import lru_cache
from typing import Any

import altair as alt
import numpy as np
import pandas as pd

from app.charts import parameter, source
from app.figures.line import Data, View, axis, carrier
from app.figures.written import FRAME, live, spoken
from app.i18n import _
from core.terrain import TERRAINS

POINTS = 241  # of the curve, and places where an end can be
SIZE = {"width": 800, "height": 290}  # px
# What dragging in the picture moves: the nearer end.
NEARER_END = {"a": "abs(x - a) <= abs(x - b) ? x : a", "b": "abs(x - a) <= abs(x - b) ? b : x"}


def _at(end: str) -> str:
    """Return the expression of the curve's point at one end of the chord."""
    return f"data('curve')[clamp(round(({end} - {FRAME}.x0) / {FRAME}.dx), 0, length(data('curve')) - 1)]"


# How far the curve is above the chord at datum.x; 0 where both ends are one point.
_LINE = f"({_at('a')}.value + ({_at('b')}.value - {_at('a')}.value) * (datum.x - a) / (b == a ? 1 : b - a))"
_BETWEEN = "datum.x >= min(a, b) && datum.x <= max(a, b)"


def chart() -> View:
    """Build the curve with the chord; where the curve is above it, the gap is filled."""
    x, y = axis(alt.X, "x", _("x")), axis(alt.Y, "value", _("value f(x)"))
    curve = alt.Chart(source("curve"))
    there = f"length(data('curve')) && length(data('frame')) && {_BETWEEN}"
    gap = curve.transform_filter(there).transform_calculate(line=_LINE)
    gap = gap.transform_calculate(over="max(datum.value, datum.line)")
    ends = alt.Chart(source("ends")).transform_calculate(
        x="datum.end == 'a' ? a : b", value=f"datum.end == 'a' ? {_at('a')}.value : {_at('b')}.value"
    )
    layers = [
        carrier(),
        gap.mark_area(clip=True, color="@residual", opacity=0.35).encode(
            x=x, y=axis(alt.Y, "value", _("value f(x)"), field="over"), y2="line:Q"
        ),
        curve.mark_line(clip=True, color="@loss", strokeWidth=3).encode(x=x, y=y),
        gap.mark_line(clip=True, color="@weight", strokeWidth=2).encode(
            x=x, y=axis(alt.Y, "value", _("value f(x)"), field="line")
        ),
        ends.mark_circle(color="@weight", size=200, opacity=1).encode(x=x, y=y),
        ends.mark_text(color="@weight", dy=-16, fontWeight="bold").encode(x=x, y=y, text="end:N"),
    ]
    views = alt.layer(*layers, name="chord").properties(**SIZE)
    return views.add_params(parameter("a", 0.0), parameter("b", 1.0))


@lru_cache(maxsize=8)
def chord_data(name: str) -> Data:
    """Compute what `chart` draws; treat it as read-only."""
    terrain = TERRAINS[name]
    ((low, high),) = terrain.window
    x = np.linspace(low, high, POINTS)
    values = terrain.value(x)
    margin = 0.08 * float(np.ptp(values))
    frame = {"x0": low, "x1": high, "dx": (high - low) / (POINTS - 1)}
    frame |= {"value0": float(values.min()) - margin, "value1": float(values.max()) + 2 * margin}
    frame["tiny"] = 1e-9 * float(np.ptp(values))
    return {
        "frame": pd.DataFrame([frame]),
        "curve": pd.DataFrame({"x": x, "value": values}),
        "ends": pd.DataFrame({"end": ["a", "b"]}),
    }


def outputs() -> dict[str, dict[str, Any]]:
    """Return the points of the curve between the ends, that which is highest above the chord first."""
    transform = [
        {"type": "filter", "expr": _BETWEEN},
        {"type": "formula", "expr": f"datum.value - {_LINE}", "as": "rise"},
        {"type": "collect", "sort": {"field": "rise", "order": "descending"}},
    ]
    return {"gap": {"source": "curve", "transform": transform}}


def written() -> str:
    """Write what this chord shows, as a live sentence."""
    numbers = {
        "a": "format(a, '.2f')",
        "b": "format(b, '.2f')",
        "rise": "format(data('gap')[0].rise, '.3~g')",
        "x": "format(data('gap')[0].x, '.2f')",
    }
    above = spoken(
        _("From a = {a} to b = {b} the curve rises above the chord, most at x = {x}, by {rise}: it is not convex."),
        **numbers,
    )
    below = spoken(
        _("From a = {a} to b = {b} the curve stays below the chord. Convex means that it does so for every a and b."),
        **numbers,
    )
    sentence = live(f"data('gap')[0].rise > {FRAME}.tiny ? {above} : {below}")
    return f"<div>{sentence}</div>"
