"""Three pictures that share their time; the one that stands first on the page is made last.

With `?behind=first` or `?behind=last` the others, made before or after it, have not got its last epochs yet.
"""

import altair as alt
import pandas as pd
import streamlit as st

from app.charts import compiled, parameter, source
from app.player import player

BEHIND = st.query_params.get("behind")
EPOCHS = {"first": range(1, 6), "second": range(1, 6), "third": range(6)}
if BEHIND:
    EPOCHS |= {"second": range(1, 3), "third": range(3)}


def dots() -> alt.Chart:
    """Draw the dot of the step where the playhead is."""
    dot = alt.Chart(source("steps")).transform_filter("datum.step == step").mark_circle()
    return dot.encode(x="step:Q").properties(width=200, height=60).add_params(parameter("step"))


places = {name: st.container() for name in EPOCHS}
for name in EPOCHS if BEHIND == "last" else reversed(EPOCHS):
    with places[name]:
        player(
            compiled(dots),
            key=name,
            name=name,
            alt=f"The {name} picture.",
            data={"steps": pd.DataFrame({"step": range(len(EPOCHS[name]))})},
            steps=len(EPOCHS[name]),
            first=EPOCHS[name][0],
            start=-1,
            moments=EPOCHS[name],
        )
