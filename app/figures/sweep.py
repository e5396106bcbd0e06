"""The exhaustive search over w, one value a step: the line, the curve so far, and what the listing prints."""

from functools import lru_cache

import altair as alt
import numpy as np
import pandas as pd

from app.charts import parameter, source
from app.figures.line import BESIDE, SIZE, Data, View, axis, carrier, data_frame, data_view, rows, shown
from app.figures.written import live
from app.i18n import _
from core import mse
from core.mse import Sweep
from core.points import Points

MOST_PRINTED = 6  # samples whose lines are printed at each w


def chart() -> alt.HConcatChart:
    """Build the data with the line of this step, and the losses up to this step."""
    now = alt.param(name="w", expr="length(data('sweep')) > step ? data('sweep')[step].w : 0")
    return alt.hconcat(data_view("w * datum.x"), _losses()).add_params(parameter("step"), now)


def _losses() -> View:
    across, up = _("weight w"), _("mean squared error")
    x, y = axis(alt.X, "w", across), axis(alt.Y, "mse", up)
    tried = alt.Chart(source("sweep")).transform_filter("datum.index <= step")
    now = alt.Chart(source("sweep")).transform_filter("datum.index == step")
    label = now.transform_calculate(number=shown("datum.mse"))
    layers = [
        carrier(),
        tried.mark_line(clip=True, color="@loss", strokeWidth=2).encode(x, y),
        tried.mark_circle(clip=True, color="@loss", size=22, opacity=1).encode(x, y),
        now.mark_rule(clip=True, color="@weight", strokeDash=[4, 3], strokeWidth=1.5).encode(x, y),
        now.mark_circle(color="@weight", size=170, opacity=1).encode(x, y),
        label.mark_text(color="@loss", **BESIDE).encode(x, y, text="number:N"),
    ]
    return alt.layer(*layers, name="loss").properties(**SIZE)


@lru_cache(maxsize=16)
def sweep_data(points: Points, sweep: Sweep) -> Data:
    """Compute what `chart` draws; treat it as read-only."""
    values = sweep.values
    errors = mse.sweep(points, values)
    frame = data_frame(points, values[[0, -1]])
    top = float(errors.max()) or 1.0
    frame |= {"w0": sweep.start, "w1": sweep.stop, "mse0": -0.03 * top, "mse1": 1.08 * top}
    return {
        "points": rows(points),
        "ends": pd.DataFrame({"x": [frame["x0"], frame["x1"]]}),
        "frame": pd.DataFrame([frame]),
        "sweep": pd.DataFrame({"index": np.arange(len(values)), "w": values, "mse": errors}),
    }


def table(points: Points, sweep: Sweep) -> pd.DataFrame:
    """Return the listing's numbers: w, each sample's prediction and loss where there are few samples, and the MSE."""
    values = sweep.values
    columns = {"w": values}
    if len(points) <= MOST_PRINTED:
        for sample, (x, term) in enumerate(zip(points.x, mse.curves(points, values), strict=True), start=1):
            columns[f"y_pred {sample}"] = mse.forward(x, values)
            columns[f"loss {sample}"] = term
    return pd.DataFrame(columns | {"MSE": mse.sweep(points, values)})


def listing(count: int) -> str:
    """Write what the listing prints at this w: x, y, y_pred and loss of each sample, and the MSE."""
    now = "data('sweep')[step]"
    cells = "".join(
        f"<tr>{_cell(f'{point}.x', '.6~g')}{_cell(f'{point}.y', '.6~g')}"
        f"{_cell(f'w * {point}.x', '.6~g', 'prediction')}"
        f"{_cell(f'(w * {point}.x - {point}.y) * (w * {point}.x - {point}.y)', '.6~g', 'residual')}</tr>"
        for point in (f"data('points')[{place}]" for place in range(count if count <= MOST_PRINTED else 0))
    )
    head = "".join(
        f"<th style='padding:0 1.5em 0 0;text-align:right'>{name}</th>" for name in ("x", "y", "y_pred", "loss")
    )
    body = f"<table style='font-size:.9rem;margin:.25rem 0'><tr>{head}</tr>{cells}</table>" if cells else ""
    w = f"<span class='q-weight'>w = {live('w|.6~g')}</span>"
    return f"<div>{w}{body}<b class='q-loss'>MSE = {live(f'{now}.mse|.6~g')}</b></div>"


def _cell(expression: str, how: str, quantity: str = "data") -> str:
    return f"<td class='q-{quantity}' style='padding:0 1.5em 0 0;text-align:right'>{live(f'{expression}|{how}')}</td>"
