"""Where the playhead of the page's first picture stands: a section that is opened begins there.

From then on they move together in the browser, by epochs (`moments` of `app.player`).
"""

from collections.abc import Sequence

import streamlit as st

MAIN = ("run.step", "runs.step")  # what the first picture notes in the link: an epoch


def playhead(epochs: Sequence[int]) -> int:
    """Return the position, among these, of the main picture's epoch; the last one where the link names none."""
    asked = next((st.query_params[name] for name in MAIN if name in st.query_params), "")
    epoch = int(asked) if asked.isdecimal() and len(asked) < 5 else epochs[-1]
    return min(range(len(epochs)), key=lambda position: abs(epochs[position] - epoch))
