"""What the loss is made of: the sum or the mean of the terms, and squared, absolute or Huber's error."""

from functools import lru_cache
from typing import Any

import altair as alt
import numpy as np
import pandas as pd

from app.charts import parameter, source
from app.figures.line import SIZE, Data, View, axis, carrier, data_frame, shown
from app.figures.written import live
from app.i18n import _
from core import mse
from core.losses import LOSSES
from core.mse import Sweep
from core.points import Points

DASHES = {"mse": [1, 0], "mae": [8, 4], "huber": [2, 3]}  # one quantity, one colour: losses differ by their dashes


def sum_and_mean() -> View:
    """Build the loss over w as a sum and as a mean, each with its tangent at w."""
    across, up = _("weight w"), _("loss")
    x, y = axis(alt.X, "w", across), axis(alt.Y, "loss", up)
    dash = alt.StrokeDash(
        "reduction:N",
        scale=alt.Scale(domain=["sum", "mean"], range=[[1, 0], [6, 4]]),
        legend=alt.Legend(title=None, orient="top", symbolStrokeColor="@loss", symbolType="stroke", symbolSize=500),
    )
    curves = alt.Chart(source("curves")).mark_line(clip=True, color="@loss", strokeWidth=3)
    kinds = alt.Chart(source("kinds")).transform_calculate(
        now="w",
        loss="datum.least + datum.steepness * (w - datum.best) * (w - datum.best)",
        slope="2 * datum.steepness * (w - datum.best)",
        left="w - datum.reach",
        right="w + datum.reach",
    )
    kinds = kinds.transform_calculate(
        low="datum.loss - datum.reach * datum.slope", high="datum.loss + datum.reach * datum.slope"
    )
    ends = [axis(alt.X, "w", across, field="left"), axis(alt.Y, "loss", up, field="low")]
    now = [axis(alt.X, "w", across, field="now"), axis(alt.Y, "loss", up)]
    layers = [
        carrier(),
        curves.encode(x, y, dash),
        kinds.mark_rule(clip=True, color="@gradient", strokeWidth=2.5).encode(*ends, x2="right:Q", y2="high:Q"),
        kinds.mark_circle(color="@weight", opacity=1, size=120).encode(*now),
    ]
    chart = alt.layer(*layers, name="reductions").properties(height=SIZE["height"], width=2 * SIZE["width"])
    return chart.add_params(parameter("w", 1.0))


@lru_cache(maxsize=16)
def sum_and_mean_data(points: Points, window: Sweep) -> Data:
    """Compute what `sum_and_mean` draws; treat it as read-only."""
    values = np.linspace(window.start, window.stop, 121)
    curves, kinds = [], []
    for reduction in ("sum", "mean"):
        loss = mse.sweep(points, values, reduction=reduction)
        lowest = mse.minimum(points, reduction=reduction)
        curves.append(pd.DataFrame({"reduction": reduction, "w": values, "loss": loss}))
        steepness = mse.curvature(points, reduction=reduction) / 2
        kinds.append({"least": lowest.loss, "best": lowest.w, "steepness": steepness})
    reach = (window.stop - window.start) / 12
    top = float(curves[0]["loss"].max()) or 1.0
    frame = {"w0": window.start, "w1": window.stop, "loss0": -0.03 * top, "loss1": 1.05 * top}
    return {
        "curves": pd.concat(curves),
        "kinds": pd.DataFrame(kinds).assign(reach=reach),
        "frame": pd.DataFrame([frame]),
    }


def three_losses() -> alt.HConcatChart:
    """Build the lines that three losses choose, and the three losses over w, each as a part of its highest value."""
    return alt.hconcat(_three_lines(), _three_curves()).add_params(parameter("w", 2.0))


def _dash() -> alt.StrokeDash:
    return alt.StrokeDash(
        "loss:N",
        sort=list(LOSSES),
        scale=alt.Scale(domain=list(LOSSES), range=list(DASHES.values())),
        legend=alt.Legend(
            title=None,
            orient="top",
            labelExpr="{mse: 'MSE', mae: 'MAE', huber: 'Huber'}[datum.value]",
            symbolStrokeColor="@loss",
            symbolType="stroke",
            symbolSize=500,
        ),
    )


def _three_lines() -> View:
    x, y = axis(alt.X, "x", _("x")), axis(alt.Y, "y", _("y"))
    chosen = alt.Chart(source("chosen")).mark_line(clip=True, color="@prediction", strokeWidth=2.5)
    dragged = alt.Chart(source("ends")).transform_calculate(y="w * datum.x")
    dots = alt.Chart(source("points")).mark_circle(color="@data", opacity=1, size=64, clip=True)
    layers = [
        dragged.mark_line(clip=True, color="@weight", strokeWidth=1.5).encode(x, y),
        chosen.encode(x, y, _dash()),
        dots.encode(x, y),
    ]
    return alt.layer(*layers, name="data").properties(**SIZE)


def _three_curves() -> View:
    across, up = _("weight w"), _("loss, as a part of its highest value here")
    x, y = axis(alt.X, "w", across), axis(alt.Y, "part", up)
    curves = alt.Chart(source("curves")).mark_line(clip=True, color="@loss", strokeWidth=2.5)
    lowest = alt.Chart(source("lowest")).mark_point(
        clip=True, shape="diamond", size=90, filled=True, color="@background", stroke="@loss", strokeWidth=2, opacity=1
    )
    now = alt.Chart(source("frame")).transform_calculate(now="w")
    layers = [
        curves.encode(x, y, _dash()),
        lowest.transform_filter("datum.unique").encode(x, y),
        now.mark_rule(color="@weight", strokeDash=[4, 3], clip=True).encode(axis(alt.X, "w", across, field="now")),
    ]
    return alt.layer(*layers, name="loss").properties(**SIZE)


@lru_cache(maxsize=32)
def three_losses_data(points: Points, window: Sweep, delta: float) -> Data:
    """Compute what `three_losses` draws; treat it as read-only."""
    values = np.linspace(window.start, window.stop, 241)
    best = {loss: mse.lowest(points, loss=loss, delta=delta) for loss in LOSSES}
    slopes = np.array([*best.values(), window.start, window.stop])
    frame = data_frame(points, slopes, squares=False)
    frame |= {"w0": window.start, "w1": window.stop, "part0": -0.03, "part1": 1.05}
    ends = np.array([frame["x0"], frame["x1"]])
    curves, lowest, chosen = [], [], []
    for loss, w in best.items():
        over_w = mse.sweep(points, values, loss=loss, delta=delta)
        top = float(over_w.max()) or 1.0
        curves.append(pd.DataFrame({"loss": loss, "w": values, "part": over_w / top}))
        least = float(mse.sweep(points, np.array([w]), loss=loss, delta=delta)[0])
        lowest.append(
            {
                "loss": loss,
                "w": w,
                "part": least / top,
                "least": least,
                "top": top,
                "unique": bool(points.arrays[0].any()),
            }
        )
        chosen.append(pd.DataFrame({"loss": loss, "x": ends, "y": w * ends}))
    x, y = points.arrays
    return {
        "points": pd.DataFrame({"x": x, "y": y}),
        "ends": pd.DataFrame({"x": ends}),
        "frame": pd.DataFrame([frame]),
        "curves": pd.concat(curves),
        "lowest": pd.DataFrame(lowest),
        "chosen": pd.concat(chosen),
    }


def written_sum_and_mean() -> str:
    """Write height and slope at w, for both reductions, with live numbers."""
    lines = []
    template = _("{reduction}: loss {loss}, gradient {gradient}")
    for place, reduction in enumerate(("sum", "mean")):
        kind = f"data('kinds')[{place}]"
        loss = f"{kind}.least + {kind}.steepness * (w - {kind}.best) * (w - {kind}.best)"
        slope = f"2 * {kind}.steepness * (w - {kind}.best)"
        height = f"<b class='q-loss'>{live(shown(loss))}</b>"
        rise = f"<b class='q-gradient'>{live(shown(slope))}</b>"
        lines.append(f"<div>{template.format(reduction=reduction, loss=height, gradient=rise)}</div>")
    return "".join(lines)


def outputs(delta: float) -> dict[str, dict[str, Any]]:
    """Derive the three losses at w from the points, in the browser."""
    size = "abs(w * datum.x - datum.y)"
    terms = {
        "mse": f"{size} * {size}",
        "mae": size,
        "huber": f"{size} < {delta!r} ? 0.5 * {size} * {size} : {delta!r} * ({size} - 0.5 * {delta!r})",
    }
    steps: list[dict[str, Any]] = [{"type": "formula", "as": name, "expr": term} for name, term in terms.items()]
    names = list(terms)
    steps.append({"type": "aggregate", "ops": ["mean"] * len(names), "fields": names, "as": names})
    return {"charges": {"source": "points", "transform": steps}}


def written_three_losses() -> str:
    """Write the three losses at w, with live numbers."""
    titles = {"mse": "MSE", "mae": "MAE", "huber": "Huber"}
    charges = "data('charges')[0]"
    pieces = [f"{title} = <b>{live(shown(f'{charges}.{name}'))}</b>" for name, title in titles.items()]
    w = f"<span class='q-weight'>w = {live('w|.2f')}</span>"
    return f"<div>{w} · <span class='q-loss'>{' · '.join(pieces)}</span></div>"
