"""A curve that grows while the page is open, as that of a training run does; `?start=0` begins at its start.

Of one epoch there is nothing to play.
"""

import altair as alt
import streamlit as st

from app.charts import compiled, parameter, source
from app.player import player


def chart() -> alt.LayerChart:
    curve = alt.Chart(source("losses")).mark_line(point=True).encode(x="epoch:Q", y="loss:Q", color=alt.value("@train"))
    now = alt.Chart(source("losses")).transform_filter("datum.epoch == step").mark_rule().encode(x="epoch:Q")
    return alt.layer(curve, now).properties(height=200).add_params(parameter("step"))


epochs = st.session_state.setdefault("epochs", 3)
if st.button("more", key="more"):
    st.session_state.epochs = epochs = epochs + 2
if st.button("less", key="less"):
    st.session_state.epochs = epochs = epochs - 2
player(
    compiled(chart),
    key="run",
    name="run",
    alt=f"Loss of {epochs} epochs, falling.",
    data={"losses": [{"epoch": k, "loss": 1 / (1 + k)} for k in range(epochs)]},
    steps=epochs if epochs > 1 else 0,
    start=int(st.query_params.get("start", -1)),
)
