"""One plot, not a row of them, in which both directions are dragged."""

import altair as alt
import numpy as np
import pandas as pd

from app.charts import compiled, parameter, source
from app.player import Drag, Slider, player

GRID = np.linspace(-2, 2, 21)


def chart() -> alt.LayerChart:
    w, b = alt.X("w:Q").bin(step=0.2), alt.Y("b:Q").bin(step=0.2)
    heat = alt.Chart(source("surface")).mark_rect().encode(w, b, color=alt.Color("mean(loss):Q").legend(None))
    here = (
        alt.Chart(source("one"))
        .transform_calculate(w="w", b="b")
        .mark_circle(size=200, opacity=1)
        .encode(x="w:Q", y="b:Q", color=alt.value("@weight"))
    )
    return (
        alt.layer(heat, here)
        .properties(name="surface", height=300)
        .add_params(parameter("w", 1.0), parameter("b", -1.0))
    )


w, b = np.meshgrid(GRID, GRID)
player(
    compiled(chart),
    key="surface",
    name="surface",
    alt="Loss over w and b.",
    data={
        "surface": pd.DataFrame({"w": w.ravel(), "b": b.ravel(), "loss": (w**2 + 3 * b**2).ravel()}),
        "one": [{"at": 0}],
    },
    sliders=[Slider("w", "weight w", -2.0, 2.0, 0.1, 1.0), Slider("b", "bias b", -2.0, 2.0, 0.1, -1.0)],
    drags=[Drag("surface", x="w", y="b")],
)
