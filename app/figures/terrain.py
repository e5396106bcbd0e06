"""Walks down a curve or a surface from every start of a grid, so that the hand chooses the start in the browser.

All walks travel as one source, one after the other and each of the same length; a picture looks its walk up in it.
"""

from collections.abc import Sequence
from itertools import product
from typing import Any

import altair as alt
import numpy as np
import pandas as pd

from app.charts import parameter, source
from app.figures.line import SIZE, Data, View, axis, carrier, shown
from app.figures.mse_words import number
from app.figures.written import FRAME
from app.i18n import _
from core.caching import cached
from core.losses import Array
from core.terrain import TERRAINS, Place
from core.walk import VERDICTS, Verdict, judge, walk

STARTS = 61  # of the walks down a curve
STEPS = 100  # updates of each of them
GRID = 17  # starts of the walks down a surface, along each variable
SHORT = 50  # updates of each of them
BANDS = 14  # of the map's colour; where two meet is a line of equal height
GOOD = ("minimum", "bottomless")  # verdicts on walks that nothing held up

# Where the walk from the present start begins in the source "walks", as Vega expressions.
_START = f"round((start - {FRAME}.x0) / {FRAME}.dx)"
_START_2D = f"({GRID} * round((v - {FRAME}.v0) / {FRAME}.dv) + round((u - {FRAME}.u0) / {FRAME}.du))"
SENTENCE = f"data('starts')[{_START}].sentence"
SENTENCE_2D = f"data('starts')[{_START_2D}].sentence"


# --- One variable ------------------------------------------------------------------------------------------------


def curve() -> alt.HConcatChart:
    """Build the curve with the walk on it, and the value over its updates."""
    return alt.hconcat(_curve_view(), _values_view()).add_params(parameter("start", 0.0), parameter("step"))


def _updates(start: str) -> alt.Chart:
    """Return the rows of the present walk, one an update: where it is after it, and how high."""
    row = f"{start} * {FRAME}.rows + datum.update"
    there = f"length(data('walks')) > {row}"
    fetched = {name: f"{there} ? data('walks')[{row}].{name} : 0" for name in ("x", "u", "v", "value")}
    chart: alt.Chart = alt.Chart(source("updates")).transform_calculate(**fetched)
    return chart


def _kept(*names: str) -> list[alt.Chart]:
    """Bring sources into the chart that are looked up and not drawn."""
    return [carrier(), *(alt.Chart(source(name)).transform_filter("false").mark_point() for name in names)]


def _curve_view() -> View:
    x, y = axis(alt.X, "x", _("x")), axis(alt.Y, "value", _("value f(x)"))
    walked = _updates(_START).transform_filter("datum.update <= step")
    first = _updates(_START).transform_filter("datum.update == 0")
    now = _updates(_START).transform_filter("datum.update == step")
    label = now.transform_calculate(number=_height())
    label = label.mark_text(color="@loss", dy=-18, fontSize=13, fontWeight="bold", clip=True)
    layers = [
        *_kept("walks"),
        _strip(),
        alt.Chart(source("curve")).mark_line(clip=True, color="@loss", strokeWidth=3).encode(x=x, y=y),
        walked.mark_line(clip=True, color="@weight", strokeWidth=1.2).encode(x=x, y=y, order="update:Q"),
        walked.mark_circle(clip=True, color="@weight", size=34, opacity=0.8).encode(x=x, y=y),
        first.mark_point(clip=True, size=130, strokeWidth=2, stroke="@weight", fill="@background", opacity=1).encode(
            x=x, y=y
        ),
        now.mark_circle(clip=True, color="@weight", size=170, opacity=1).encode(x=x, y=y),
        label.encode(x=x, y=y, text="number:N"),
    ]
    return alt.layer(*layers, name="curve").properties(**SIZE)


def _height() -> str:
    """Return the expression that writes the present value; what is next to nothing is 0."""
    return f"abs(datum.value) < 1e-6 ? '0' : {shown('datum.value')}"


def _strip() -> alt.Chart:
    """Draw every start as a cell under the curve, coloured by what becomes of its walk."""
    starts = alt.Chart(source("starts")).transform_calculate(
        left=f"datum.x - {FRAME}.dx / 2", right=f"datum.x + {FRAME}.dx / 2", floor=f"{FRAME}.value0"
    )
    strip: alt.Chart = starts.mark_rect(clip=True, height=9, yOffset=-4.5).encode(
        x=axis(alt.X, "x", _("x"), field="left"),
        x2="right:Q",
        y=axis(alt.Y, "value", _("value f(x)"), field="floor"),
        color=alt.Color(
            "end:N",
            scale=alt.Scale(domain=[name for _good, name in ends_of_walks()], range=["@accuracy", "@residual"]),
            legend=alt.Legend(title=None, orient="top", symbolType="square", labelLimit=260),
        ),
        tooltip=[alt.Tooltip("sentence:N", title=_("From here"))],
    )
    return strip


def _values_view() -> View:
    """Draw the value over the updates: all of the walk thin, what was walked so far bold."""
    x, y = axis(alt.X, "update", _("updates")), axis(alt.Y, "value", _("value"))
    updates = _updates(_START)
    lowest = alt.Chart(source("frame")).transform_filter("datum.has_lowest").transform_calculate(value="datum.lowest")
    line: dict[str, Any] = {"clip": True, "color": "@loss"}
    layers = [
        carrier(),
        lowest.mark_rule(clip=True, color="@muted", strokeDash=[4, 3]).encode(y=y),
        updates.mark_line(**line, strokeWidth=1.2, opacity=0.4).encode(x=x, y=y),
        updates.transform_filter("datum.update <= step").mark_line(**line, strokeWidth=3).encode(x=x, y=y),
        updates.transform_filter("datum.update == step")
        .mark_circle(clip=True, color="@weight", size=170, opacity=1)
        .encode(x=x, y=y),
    ]
    return alt.layer(*layers, name="values").properties(width=SIZE["width"] * 0.7, height=SIZE["height"])


@cached(maxsize=16)
def curve_data(name: str, lr: float, language: str) -> Data:
    """Walk down from every start and compute what `curve` draws; treat it as read-only.

    The sentences are in the reader's language, which is named for the cache. Raises InputError for a learning rate
    that cannot be used.
    """
    terrain = TERRAINS[name]
    ((low, high),) = terrain.window
    starts = np.linspace(low, high, STARTS)
    walks, said = _walked(name, [(float(start),) for start in starts], lr, STEPS)
    values = terrain.values
    frame = {"x0": low, "x1": high, "dx": (high - low) / (STARTS - 1), "rows": STEPS + 1, "lr": lr}
    frame |= {"update0": 0, "update1": STEPS, **_heights(values), **_lowest(terrain.lowest)}
    return {
        "frame": pd.DataFrame([frame]),
        "curve": pd.DataFrame({"x": terrain.axes[0], "value": values}),
        "updates": pd.DataFrame({"update": np.arange(STEPS + 1)}),
        "walks": walks,
        "starts": said.assign(x=starts),
    }


def _walked(name: str, starts: Sequence[Place], lr: float, steps: int) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Walk from each start: the places of all walks, one after the other, and a sentence about each.

    A walk that left the picture keeps its last place, so that all are equally long.
    """
    variables = TERRAINS[name].names
    ends = dict(ends_of_walks())
    columns: dict[str, list[Array]] = {column: [] for column in ("value", *variables)}
    said = []
    for start in starts:
        walked, verdict = (found := walk(name, start, lr, steps)), judge(name, found)
        kept = np.minimum(np.arange(steps + 1), len(walked.value) - 1)
        columns["value"].append(walked.value[kept])
        for index, variable in enumerate(variables):
            columns[variable].append(walked.at[kept, index])
        end = ends[verdict.kind in GOOD]
        said.append({"end": end, "kind": verdict.kind, "sentence": sentence_about(verdict)})
    walks = pd.DataFrame({column: np.concatenate(parts) for column, parts in columns.items()})
    return walks, pd.DataFrame(said)


def sentence_about(verdict: Verdict) -> str:
    """Say what became of a walk."""
    numbers = {"value": verdict.value, "norm": verdict.norm, "lowest": verdict.lowest, "limit": verdict.limit}
    return _(VERDICTS[verdict.kind]).format(**{key: tidy(value or 0.0) for key, value in numbers.items()})


def ends_of_walks() -> list[tuple[bool, str]]:
    """Name the two colours of the strip of starts: whether a walk from there is held up by nothing."""
    return [(True, _("all the way down from here")), (False, _("not all the way"))]


def tidy(value: float) -> str:
    """Write a number with three digits; what a walk can no longer notice is 0."""
    return number(float(f"{value:.3g}")) if abs(value) >= 1e-9 else "0"


def _heights(values: Array) -> dict[str, float]:
    """Choose the ends of the value's axis, with room for the strip of starts beneath."""
    low, high = float(values.min()), float(values.max())
    return {"value0": low - 0.1 * (high - low), "value1": high + 0.05 * (high - low)}


def _lowest(lowest: float | None) -> dict[str, float | bool]:
    return {"has_lowest": lowest is not None, "lowest": lowest or 0.0}


# --- Two variables -----------------------------------------------------------------------------------------------


def surface() -> View:
    """Build the map with the walk on it."""
    return _map_view().add_params(parameter("u", 0.0), parameter("v", 0.0), parameter("step"))


def cells_layer(across: str, up: str, titles: tuple[str, str], legend: str) -> alt.Chart:
    """Draw the cells of a map, in bands of colour."""
    colour = alt.Color(
        "band:Q",
        scale=alt.Scale(range=["@background", "@loss"], interpolate="lab"),
        legend=alt.Legend(title=legend, orient="bottom", gradientLength=200, format=".3~g"),
    )
    layer: alt.Chart = (
        alt.Chart(source("cells"))
        .mark_rect(clip=True, opacity=1)
        .encode(
            x=axis(alt.X, across, titles[0], field="left"),
            x2="right:Q",
            y=axis(alt.Y, up, titles[1], field="low"),
            y2="high:Q",
            color=colour,
        )
    )
    return layer


def _map_view() -> View:
    x, y = axis(alt.X, "u", _("u")), axis(alt.Y, "v", _("v"))
    walked = _updates(_START_2D).transform_filter("datum.update <= step")
    first = _updates(_START_2D).transform_filter("datum.update == 0")
    now = _updates(_START_2D).transform_filter("datum.update == step")
    label = now.transform_calculate(number=_height())
    layers = [
        *_kept("walks", "starts"),
        cells_layer("u", "v", (_("u"), _("v")), _("value")),
        walked.mark_line(clip=True, color="@weight", strokeWidth=1.5).encode(x=x, y=y, order="update:Q"),
        walked.mark_circle(clip=True, color="@weight", size=34, opacity=0.9).encode(x=x, y=y),
        first.mark_point(clip=True, size=130, strokeWidth=2, stroke="@weight", fill="@background", opacity=1).encode(
            x=x, y=y
        ),
        now.mark_circle(clip=True, color="@weight", size=170, opacity=1).encode(x=x, y=y),
        label.mark_text(color="@text", dy=-18, fontSize=13, fontWeight="bold", clip=True).encode(
            x=x, y=y, text="number:N"
        ),
    ]
    return alt.layer(*layers, name="map").properties(**SIZE)


@cached(maxsize=16)
def surface_data(name: str, lr: float, language: str) -> Data:
    """Walk down from every start of a grid and compute what `surface` draws; as `curve_data`."""
    terrain = TERRAINS[name]
    (u0, u1), (v0, v1) = terrain.window
    starts: list[Place] = [
        (float(u), float(v)) for v, u in product(np.linspace(v0, v1, GRID), np.linspace(u0, u1, GRID))
    ]
    walks, said = _walked(name, starts, lr, SHORT)
    frame = {"u0": u0, "u1": u1, "du": (u1 - u0) / (GRID - 1), "v0": v0, "v1": v1, "dv": (v1 - v0) / (GRID - 1)}
    frame |= {"rows": SHORT + 1, "lr": lr, "update0": 0, "update1": SHORT}
    frame |= {**_heights(terrain.values), **_lowest(terrain.lowest)}
    return {
        "frame": pd.DataFrame([frame]),
        "cells": cells(terrain.axes[0], terrain.axes[1], terrain.values),
        "updates": pd.DataFrame({"update": np.arange(SHORT + 1)}),
        "walks": walks,
        "starts": said,
    }


def cells(across: Array, up: Array, values: Array) -> pd.DataFrame:
    """Lay a grid of values, (up, across), out as cells, each value rounded down to the edge of its band."""
    half_across, half_up = 0.62 * (across[1] - across[0]), 0.62 * (up[1] - up[0])  # a pixel over: no seams between
    each_across, each_up = (grid.ravel() for grid in np.meshgrid(across, up))
    low, height = float(values.min()), float(np.ptp(values)) or 1.0
    return pd.DataFrame(
        {
            "left": each_across - half_across,
            "right": each_across + half_across,
            "low": each_up - half_up,
            "high": each_up + half_up,
            "band": low + height * np.floor(BANDS * (values.ravel() - low) / height) / BANDS,
        }
    )


def spacing(low: float, high: float, count: int) -> float:
    """Return the way from one of `count` even places to the next."""
    return round((high - low) / (count - 1), 12)


def nearest(value: float, low: float, high: float, count: int) -> float:
    """Return the nearest of `count` even places from low to high."""
    width = (high - low) / (count - 1)
    return round(low + round((value - low) / width) * width, 12)
