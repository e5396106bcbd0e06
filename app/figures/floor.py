"""Where mini-batches stop improving: a map over learning rate and batch size, and the runs of the cell under the hand.

The parameters `column` and `row` name a cell: its learning rate and its batch size, both counted from 1.
"""

from dataclasses import replace
from typing import Any

import altair as alt
import numpy as np
import pandas as pd

from app.charts import parameter, source
from app.figures.descent_runs import Settings
from app.figures.line import Data, View, axis, carrier
from app.figures.mse_words import is_exact, number
from app.figures.numbers import numeral
from app.figures.written import FRAME, live
from app.i18n import _
from app.page import Kind
from core import mse, noise_floor
from core.affine import travel
from core.caching import cached
from core.losses import Array
from core.noise_floor import Floor
from core.points import Points

SIZE = {"width": 400, "height": 280}  # px
COLUMNS = 8  # learning rates
EPOCHS = 100  # of the runs behind each cell
DECAY = 0.1  # of the second run: lr / (1 + 0.1 e) in epoch e
DECADES = 5  # of the floor that the colours tell apart

SMALL = alt.ExprRef("min(0.72 * em, range('map_x')[1] / 31)")  # as large a text as fits into a cell

_CELL = f"((row - 1) * {COLUMNS} + column - 1)"  # place of the present cell among all
_NOW = f"data('cells')[{_CELL}]"


def chart() -> alt.HConcatChart:
    """Build the map and, for the cell under the hand, the runs with constant and with decaying learning rate."""
    views = alt.hconcat(_map_view(), _runs_view())
    views = views.add_params(parameter("column", COLUMNS), parameter("row", 1))
    built: alt.HConcatChart = views.resolve_scale(color="independent")
    return built


def _map_view() -> View:
    cells = alt.Chart(source("cells"))
    cells = cells.transform_calculate(
        left="datum.column - 0.5", right="datum.column + 0.5", low="datum.row - 0.5", high="datum.row + 0.5"
    )
    bare = {"grid": False, "labels": False, "ticks": False, "domain": False}

    def x(field: str) -> Any:  # noqa: ANN401 - Altair's X
        return axis(alt.X, "column", _("learning rate"), field=field).axis(**bare, titlePadding=36)

    def y(field: str) -> Any:  # noqa: ANN401 - Altair's Y
        return axis(alt.Y, "row", _("batch size"), field=field).axis(**bare, titlePadding=38)

    colour = alt.Color(
        "shade:Q",
        scale=alt.Scale(domain=[0, 1], range=["@background", "@loss"], interpolate="lab"),
        legend=None,
    )
    ink = alt.condition("datum.shade > 0.55", alt.value("@background"), alt.value("@text"))
    layers = [
        carrier(),
        cells.mark_rect(opacity=1, stroke="@background", strokeWidth=1).encode(
            x=x("left"), x2="right:Q", y=y("low"), y2="high:Q", color=colour
        ),
        cells.transform_filter("datum.column == column && datum.row == row")
        .mark_rect(fillOpacity=0, stroke="@weight", strokeWidth=3)
        .encode(x=x("left"), x2="right:Q", y=y("low"), y2="high:Q"),
        # Labels that are data: an axis would not notice that they change.
        *(
            alt.Chart(source("rates"))
            .transform_filter(f"datum.column % 2 == {odd}")
            .transform_calculate(floor=f"{FRAME}.row0")
            .mark_text(dy=12 + 14 * odd, fontSize=SMALL)
            .encode(x=x("column"), y=y("floor"), text="text:N")
            for odd in (0, 1)  # in two lines, where next to each other they would meet
        ),
        alt.Chart(source("sizes"))
        .transform_calculate(left=f"{FRAME}.column0")
        .mark_text(dx=-6, align="right")
        .encode(x=x("left"), y=y("row"), text="text:N"),
        cells.mark_text(fontSize=SMALL).encode(x=x("column"), y=y("row"), text="text:N", color=ink),
    ]
    return alt.layer(*layers, name="map").properties(**SIZE)


def _runs_view() -> View:
    names = [_("constant"), _("decaying")]
    colour = alt.Color(
        "title:N",
        scale=alt.Scale(domain=names, range=["@minibatch", "@weight"]),
        legend=alt.Legend(title=_("learning rate"), orient="top"),
    )
    domain = [alt.ExprRef(f"length(data('frame')) ? {FRAME}.excess{end} : {10**end}") for end in (0, 1)]
    x = axis(alt.X, "epoch", _("epochs"))
    y = alt.Y(
        "excess:Q",
        title=_("loss above the least"),
        scale=alt.Scale(type="log", domain=domain, nice=False),
        axis=alt.Axis(tickCount=6, format=".0e"),
    )
    runs = (
        alt.Chart(source("runs"))
        .transform_filter(f"datum.cell == {_CELL}")
        .transform_calculate(title=f"datum.decays ? {names[1]!r} : {names[0]!r}")
    )
    floor = alt.Chart(source("cells")).transform_filter("datum.column == column && datum.row == row")
    layers = [
        carrier(),
        floor.mark_rule(color="@text", strokeDash=[4, 3]).encode(y=y),
        runs.mark_line(clip=True, strokeWidth=2).encode(x=x, y=y, color=colour),
    ]
    return alt.layer(*layers, name="runs").properties(**SIZE)


@cached(maxsize=8)
def floor(points: Points, seed: int) -> Floor:
    """Run all cells from the minimum; read-only."""
    spec = replace(Settings(seed=seed).spec("minibatch-shuffled"), epochs=EPOCHS)
    return noise_floor.grid(
        points, spec, noise_floor.rates(points, count=COLUMNS), noise_floor.batch_sizes(len(points))
    )


@cached(maxsize=8)
def courses(points: Points, seed: int, w: float, decay: float) -> Array:
    """Run all cells from w: the loss above the least, mean of each epoch, (sizes, rates, epochs); 0 once diverged."""
    spec = replace(Settings(seed=seed, w=w, decay=decay).spec("minibatch-shuffled"), epochs=EPOCHS)
    found = floor(points, seed)
    return np.stack([travel(points, replace(spec, batch_size=size), found.rates).excess[:, 0] for size in found.sizes])


@cached(maxsize=8)
def chart_data(points: Points, seed: int, w: float, language: str) -> Data:
    """Compute what `chart` draws; read-only. The language is named for the cache."""
    found = floor(points, seed)
    top = float(found.excess.max())
    scale = max(mse.minimum(points).loss, top, 1e-12)
    tiny = found.excess <= 1e-13 * scale  # rounding
    shade = 1 + np.log10(np.maximum(found.excess, 1e-300) / (top or 1.0)) / DECADES
    shade = np.where(tiny, 0.0, np.clip(shade, 0.0, 1.0))
    size, rate = np.indices(found.excess.shape)
    texts = [
        _("diverges") if gone else "0" if small else tight(value)
        for value, gone, small in zip(found.excess.ravel(), found.diverged.ravel(), tiny.ravel(), strict=True)
    ]
    constant, decaying = (courses(points, seed, w, decay) for decay in (0.0, DECAY))
    least = 1e-9 * float(max(constant.max(), decaying.max())) or 1e-9
    runs = pd.DataFrame(
        {
            "cell": np.tile(np.repeat(np.arange(found.excess.size), EPOCHS), 2),
            "decays": np.repeat([False, True], found.excess.size * EPOCHS),
            "epoch": np.tile(np.arange(1, EPOCHS + 1), 2 * found.excess.size),
            "excess": np.maximum(np.concatenate([constant.ravel(), decaying.ravel()]), least),
        }
    )
    cells = pd.DataFrame({"column": rate.ravel() + 1, "row": size.ravel() + 1, "shade": shade.ravel(), "text": texts})
    cells["excess"] = np.where(tiny, least, found.excess).ravel()
    cells["sentence"] = [
        _cell_in_words(found, place, _final(constant, place), _final(decaying, place), small=bool(tiny[place]))
        for place in zip(size.ravel().tolist(), rate.ravel().tolist(), strict=True)
    ]
    frame = {"column0": 0.5, "column1": COLUMNS + 0.5, "row0": 0.5, "row1": len(found.sizes) + 0.5}
    frame |= {"epoch0": 0, "epoch1": EPOCHS, "excess0": least, "excess1": 2 * float(runs["excess"].max())}
    return {
        "frame": pd.DataFrame([frame]),
        "cells": cells,
        "runs": runs,
        "rates": pd.DataFrame(
            {"column": np.arange(1, COLUMNS + 1), "text": [numeral(rate, 3) for rate in found.rates]}
        ),
        "sizes": pd.DataFrame({"row": np.arange(1, len(found.sizes) + 1), "text": list(map(str, found.sizes))}),
    }


def _final(runs: Array, place: tuple[int, int]) -> float:
    return float(runs[place][-1])


def _cell_in_words(found: Floor, place: tuple[int, int], constant: float, decaying: float, *, small: bool) -> str:
    """Say what one cell shows."""
    size, rate = found.sizes[place[0]], number(found.rates[place[1]])
    if found.diverged[place]:
        return _("lr = {lr}, batches of {size}: it diverges.").format(lr=rate, size=size)
    if small:
        sentence = _(
            "lr = {lr}, batches of {size}: no floor. From the page's w the loss comes down all the way; after {epochs} "
            "epochs it is still {end} above the least."
        )
        if short(constant) == "0":
            sentence = _(
                "lr = {lr}, batches of {size}: no floor. From the page's w the loss comes down all the way within "
                "{epochs} epochs."
            )
        return sentence.format(lr=rate, size=size, epochs=EPOCHS, end=short(constant))
    sentence = _(
        "lr = {lr}, batches of {size}: a constant rate goes on wandering {floor} above the least loss on average. A "
        "decaying one is {end} above it after {epochs} epochs."
    )
    values = {"floor": short(float(found.excess[place])), "end": short(decaying), "epochs": EPOCHS}
    return sentence.format(lr=rate, size=size, **values)


def tight(value: float) -> str:
    """Write a number with two digits in as few characters as they need, to fit into a cell."""
    mantissa, _e, power = f"{value:.2g}".partition("e")
    text = f"{mantissa}e{int(power)}" if power else mantissa
    if 0 < abs(value) < 1e-3:
        mantissa, _e, power = f"{value:.1e}".partition("e")
        text = min(text, f"{float(mantissa):g}e{int(power)}", key=len)
    return text.replace("-", "−")


def short(value: float) -> str:
    """Write a number with two digits; what is nothing but rounding is 0."""
    return number(float(f"{value:.2g}")) if value > 1e-13 else "0"


def written() -> str:
    """Write what the cell under the hand shows, live."""
    return f"<div>{live(f'{_NOW}.sentence')}</div>"


def verdict(points: Points, seed: int) -> tuple[str, Kind]:
    """Say what the map shows."""
    found = floor(points, seed)
    if not float(np.max(np.abs(points.arrays[0]))) > 0:
        return _("Every x is 0, so the loss is flat and nothing moves."), "warning"
    if is_exact(points, mse.minimum(points)):
        sentence = _("The samples agree: one w fits them all, every gradient is zero there, and so there is no floor.")
        return sentence, "good"
    if len(found.sizes) == 1:
        return _("There is one sample only, so every batch is the full batch and there is no floor."), "good"
    sentence = _(
        "The samples disagree, so single batches push w away from the minimum: by {most} of loss at lr = {high} with "
        "batches of 1, by {least} at lr = {low}. All samples in one batch leave no floor."
    )
    pushes = {"most": short(float(found.excess[0, -1])), "least": short(float(found.excess[0, 0]))}
    ends = {"low": number(found.rates[0]), "high": number(found.rates[-1])}
    return sentence.format(**pushes, **ends), "neutral"


def in_words(points: Points, seed: int) -> str:
    """Write the text alternative."""
    found = floor(points, seed)
    sentence = _(
        "Left: a map of the floor over {rates} learning rates from {low} to {high} and batch sizes {sizes}. Right: the "
        "loss above the least over {epochs} epochs for the chosen cell, with constant and with decaying rate. {verdict}"
    )
    sizes = ", ".join(map(str, found.sizes))
    ends = {"low": number(found.rates[0]), "high": number(found.rates[-1])}
    return sentence.format(rates=COLUMNS, sizes=sizes, epochs=EPOCHS, verdict=verdict(points, seed)[0], **ends)


def table(points: Points, seed: int) -> pd.DataFrame:
    """Return the cells of the map, a row each."""
    found = floor(points, seed)
    return pd.DataFrame(
        {
            _("batch size"): np.repeat(found.sizes, COLUMNS),
            _("learning rate"): np.tile(found.rates, len(found.sizes)),
            _("loss above the least"): found.excess.ravel(),
            _("diverged"): found.diverged.ravel(),
        }
    )
