"""Two pads: one that is asked while a line grows, and one that is asked after each line."""

import streamlit as st

from app.pad import drawn_pixels, pad, sent


@st.fragment
def live() -> None:
    left, right = st.columns(2)
    picture, latest = drawn_pixels("live"), sent("live")
    with right:
        st.write(f"ink {0 if picture is None else round(picture.sum() / 255)}")
        st.write(f"example {latest.drawing.example}")
        st.write(f"points {[len(stroke) for stroke in latest.drawing.strokes]}")
        st.write(f"strokes {latest.drawing.strokes}")
        runs = st.session_state["runs"] = st.session_state.get("runs", 0) + 1
        st.write(f"runs {runs}")
    with left:
        pad(key="live", label="Live", live=True)


live()
calm = pad(key="calm", label="Calm")
calm_runs = st.session_state["calm_runs"] = st.session_state.get("calm_runs", 0) + 1
st.write(f"calm {0 if calm is None else round(calm.sum() / 255)}, runs {calm_runs}")
st.write("\n\n".join(f"line {number}" for number in range(60)))
