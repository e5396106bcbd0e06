"""A heavy film, to be measured: a heat map of 2,500 cells, seven paths of 200 steps across it, and their losses."""

import altair as alt
import numpy as np
import pandas as pd

from app.charts import compiled, parameter, source
from app.player import player

STEPS = 200
METHODS = ["SGD", "Momentum", "Nesterov", "AdaGrad", "RMSProp", "Adam", "AdamW"]
CELL = 0.08


def film() -> alt.HConcatChart:
    """Draw what a page about optimizers would draw."""
    # Fixed domains: a domain that is taken from rows filtered by `step` would place every mark anew at every step.
    x, y = alt.X("x:Q").scale(domain=[-2, 2], nice=False), alt.Y("y:Q").scale(domain=[-2, 2], nice=False)
    method = alt.Color("method:N").scale(domain=METHODS)
    time, loss = alt.X("step:Q").scale(domain=[0, STEPS]), alt.Y("loss:Q").scale(domain=[0, 12])
    cells = alt.Chart(source("surface")).mark_rect()
    cells = cells.encode(x, y, x2="x2", y2="y2", color=alt.Color("loss:Q").legend(None))
    paths = alt.Chart(source("paths"))
    walked = paths.transform_filter("datum.step <= step").mark_line().encode(x, y, method, order="step:Q")
    heads = paths.transform_filter("datum.step == step").mark_circle(size=80).encode(x, y, method)
    losses = paths.mark_line().encode(time, loss, method)
    now = paths.transform_filter("datum.step == step").mark_circle(size=60).encode(time, loss)
    left = alt.layer(cells, walked, heads).resolve_scale(color="independent").properties(width=500, height=400)
    return alt.hconcat(left, alt.layer(losses, now).properties(width=400, height=400)).add_params(parameter("step"))


step = np.arange(STEPS)
rows = []
for k, method in enumerate(METHODS):
    angle = step / (20 + 5 * k) + k
    radius = 1.9 * np.exp(-step / (40 + 20 * k))
    x, y = radius * np.cos(angle), radius * np.sin(angle)
    rows.append(pd.DataFrame({"step": step, "x": x, "y": y, "loss": x**2 + 3 * y**2, "method": method}))
gx, gy = (grid.ravel() for grid in np.meshgrid(np.arange(-2, 2, CELL), np.arange(-2, 2, CELL)))
cells = pd.DataFrame({"x": gx, "x2": gx + CELL, "y": gy, "y2": gy + CELL, "loss": gx**2 + 3 * gy**2})

player(
    compiled(film),
    key="film",
    name="film",
    alt="Seven paths on a bowl, and their losses.",
    data={"surface": cells, "paths": pd.concat(rows)},
    steps=STEPS,
)
