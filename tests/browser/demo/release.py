"""A start that the hand chooses: where it lets go, the page runs again and draws from there."""

import altair as alt
import streamlit as st

from app.charts import compiled, parameter, source
from app.player import Drag, Slider, player


def chart() -> alt.LayerChart:
    x = alt.X("w:Q").scale(domain=[0, 4])
    path = alt.Chart(source("path")).mark_line().encode(x, y="step:Q")
    here = alt.Chart(source("path")).transform_filter("datum.step == 0").transform_calculate(w="w").mark_circle()
    return (
        alt.layer(path, here.encode(x, y="step:Q"), name="path").properties(height=200).add_params(parameter("w", 1.0))
    )


start = st.session_state.setdefault("w", 1.0)
st.session_state["runs"] = st.session_state.get("runs", 0) + 1
player(
    compiled(chart),
    key="release",
    name="release",
    alt="A path from w to 2.",
    data={"path": [{"step": step, "w": 2 + (start - 2) * 0.5**step} for step in range(9)]},
    sliders=[Slider("w", "start", 0.0, 4.0, 0.1, start)],
    drags=[Drag("path", x="w")],
    on_release=st.session_state.update,
)
st.text(f"run {st.session_state['runs']} from {start:g}")
