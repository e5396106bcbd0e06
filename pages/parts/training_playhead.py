"""Where the playhead of the page's first picture stands: a section that is opened begins there."""

import streamlit as st

MAIN = ("run.step", "runs.step")  # what the first picture notes in the link: an epoch


def playhead(epochs: int) -> int:
    """Return the position of the main picture's epoch among so many, the last one where the link names none."""
    asked = next((st.query_params[name] for name in MAIN if name in st.query_params), "")
    epoch = int(asked) if asked.isdecimal() and len(asked) < 5 else epochs
    return min(max(1, epoch), epochs) - 1
