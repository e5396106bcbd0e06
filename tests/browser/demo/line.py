"""A straight line through the origin: two plots, a timeline, a slider, two drags and a formula."""

import altair as alt
import numpy as np
import pandas as pd
import streamlit as st

from app.charts import compiled, parameter, source
from app.player import Drag, Slider, player

X = np.array([1.0, 2.0, 3.0])
Y = np.array([2.0, 4.0, 6.0])
SWEEP = np.linspace(0, 4, 41)


def chart() -> alt.HConcatChart:
    points = (
        alt.Chart(source("points"))
        .mark_circle(size=90, opacity=1, tooltip=True)
        .encode(alt.X("x:Q").scale(domain=[0, 4]), alt.Y("y:Q").scale(domain=[0, 10]), color=alt.value("@data"))
    )
    line = (
        alt.Chart(source("ends"))
        .transform_calculate(prediction="w * datum.x")
        .mark_line(clip=True)
        .encode(x="x:Q", y="prediction:Q", color=alt.value("@prediction"))
    )
    curve = alt.Chart(source("curve")).mark_line().encode(x="w:Q", y="mse:Q", color=alt.value("@loss"))
    swept = (
        alt.Chart(source("curve"))
        .transform_filter("datum.step == step")
        .mark_circle(size=120, opacity=1)
        .encode(x="w:Q", y="mse:Q", color=alt.value("@weight"))
    )
    here = alt.Chart(source("ends")).transform_calculate(w="w").mark_rule().encode(x="w:Q", color=alt.value("@weight"))
    return alt.hconcat(
        alt.layer(points, line).properties(name="data", width=300, height=240),
        alt.layer(curve, swept, here).properties(name="loss", width=300, height=240),
    ).add_params(parameter("step"), parameter("w", 1.0))


FORMULA = """
<math><mi class="q-weight">w</mi><mo>=</mo><mn class="number-w">{{w|.2f}}</mn><mo>,</mo>
<mi class="q-loss">MSE</mi><mo>=</mo><mfrac><mn>1</mn><mn>3</mn></mfrac><mo>∑</mo>
<msup><mrow><mo>(</mo><mi class="q-weight">w</mi><mi>x</mi><mo>−</mo><mi>y</mi><mo>)</mo></mrow><mn>2</mn></msup>
<mo>=</mo><mn class="number-mse">{{data('now')[0].mse|.4f}}</mn></math>
<small class="number-powers">{{w / 1e10|.3~g}} {{w * 1e30|.3~g}} {{w / 1e5|.3~g}}</small>
"""
SQUARES = {
    "now": {
        "source": "points",
        "transform": [
            {"type": "formula", "as": "square", "expr": "pow(w * datum.x - datum.y, 2)"},
            {"type": "aggregate", "fields": ["square"], "ops": ["mean"], "as": ["mse"]},
        ],
    }
}

st.slider("count", 0, 10, 3, key="count", bind="query-params")
if st.button("rewrite"):
    st.query_params["rewritten"] = "1"
mse = [float(np.mean((w * X - Y) ** 2)) for w in SWEEP]
player(
    compiled(chart),
    key="demo",
    name="demo",
    alt="Three points, a line through the origin, and the loss over w.",
    data={
        "points": pd.DataFrame({"x": X, "y": Y}),
        "ends": [{"x": 0.0}, {"x": 4.0}],
        "curve": pd.DataFrame({"step": np.arange(41), "w": SWEEP, "mse": mse}),
    },
    steps=41,
    captions=[f"At w = {w:.1f} the loss is {loss:.3f}." for w, loss in zip(SWEEP, mse, strict=True)],
    sliders=[Slider("w", "weight w", 0.0, 4.0, 0.05, 1.0)],
    drags=[Drag("loss", x="w"), Drag("data", set={"w": "y / x"})],
    formula=FORMULA,
    outputs=SQUARES,
)
