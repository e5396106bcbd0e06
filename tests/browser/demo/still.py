"""A chart without a timeline."""

import altair as alt
import streamlit as st

from app.charts import compiled, source
from app.player import player


def chart() -> alt.Chart:
    return alt.Chart(source("bars")).mark_bar().encode(x="digit:O", y="count:Q", color=alt.value("@cnn"))


if st.toggle("draw", value=True, key="draw"):
    player(
        compiled(chart),
        key="bars",
        name="bars",
        alt="Two bars.",
        data={"bars": [{"digit": "0", "count": 3}, {"digit": "1", "count": 5}]},
    )
