"""Time and parallelism: the course's table of the methods, measured here. Course: "随机梯度下降算法"."""

import streamlit as st

from app import page
from app.charts import compiled
from app.figures import cost
from app.figures.descent_runs import Settings
from app.i18n import _
from app.player import player
from core.points import Points

TURN = "cost.turn"  # how often this session has measured; nothing before it asks


def show(points: Points, _settings: Settings) -> None:
    st.markdown(
        _(
            "Updates follow one another, for each needs the w of the one before. Within an update, the gradients of "
            "its samples need not wait for each other: one tensor operation computes them all."
        )
    )
    turn = st.session_state.get(TURN, 0)
    st.button(
        _("Measure again") if turn else _("Measure on this machine (about a second)"),
        key="cost.measure",
        on_click=st.session_state.update,
        args=({TURN: turn + 1},),
    )
    if not turn:
        return
    with st.spinner(_("Measuring…")):
        timings = cost.measured(points, turn)
    player(compiled(cost.chart), key="cost", name="cost", alt=cost.in_words(timings), data=cost.chart_data(timings))
    page.status(cost.verdict(timings))
    page.table(cost.table(timings), name="cost")
    sentence = _("Medians of {least} to {most} epochs of float64 tensors on the server's processor, measured in turns.")
    repeats = [timing.repeats for timing in timings]
    st.caption(sentence.format(least=min(repeats), most=max(repeats)))
