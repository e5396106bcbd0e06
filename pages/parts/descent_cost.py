"""Time and parallelism: the course's table of the methods, measured here. Course: "随机梯度下降算法"."""

import streamlit as st

from app import page
from app.charts import compiled
from app.figures import cost
from app.figures.descent_runs import Settings
from app.i18n import _
from app.player import player
from core.points import Points

ASKED = "cost.asked"  # whether this session has asked for a measurement; nothing runs before it does


def show(points: Points, _settings: Settings) -> None:
    st.markdown(
        _(
            "Updates follow one another, for each needs the w of the one before. Within an update, the gradients of "
            "its samples need not wait for each other: one tensor operation computes them all."
        )
    )
    asked = st.session_state.get(ASKED, False)
    label = _("Measure again") if asked else _("Measure on this machine (about a second)")
    st.button(label, key="cost.measure", on_click=ask)
    if not asked:
        return
    with st.spinner(_("Measuring…")):
        timings = cost.measured(points)
    player(compiled(cost.chart), key="cost", name="cost", alt=cost.in_words(timings), data=cost.chart_data(timings))
    page.status(cost.verdict(timings))
    page.table(cost.table(timings), name="cost", alt=_("Time and parallelism"), digits=4)
    sentence = _("Medians of {least} to {most} epochs of float64 tensors on the server's processor, measured in turns.")
    repeats = [timing.repeats for timing in timings]
    st.caption(f"{cost.about_rows(len(points))} {sentence.format(least=min(repeats), most=max(repeats))}".strip())


def ask() -> None:
    """Remember that a measurement is wanted; a second wish is for a new one."""
    if st.session_state.get(ASKED, False):
        cost.measured.cache_clear()
    st.session_state[ASKED] = True
