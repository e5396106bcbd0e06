"""Two ways to read a data set, and how long the training waits for it."""

import streamlit as st

from app import measured, page
from app.charts import compiled
from app.figures import loading_time as timed
from app.i18n import _
from app.player import player
from core.errors import InputError
from core.loading_job import Snapshot, measurement


def show_reading() -> None:
    st.markdown(timed.two_ways())
    once, demand = st.columns(2)
    with once:
        st.markdown(_("All at once: for tables, and whatever fits into memory."))
        st.code(timed.ALL_AT_ONCE, language="python")
    with demand:
        st.markdown(_("On demand: for images, sound and text that do not fit."))
        st.code(timed.ON_DEMAND, language="python")
    page.table(timed.memory_table(), name="reading")
    st.caption(timed.memory_note())


def show_workers(state: Snapshot) -> None:
    """Draw what was measured."""
    if not state.timings:
        return
    player(
        compiled(timed.chart, state.timings[0].samples),
        key="workers",
        name="loading-time",
        alt=timed.in_words(state.timings),
        data=timed.chart_data(state.timings),
    )
    for sentence in timed.verdict(state):
        page.status(*sentence)
    page.table(timed.table(state.timings), name="loading-time")
    if state.conditions is not None:
        st.caption(timed.conditions(state.conditions))


def show() -> None:
    st.markdown(timed.what_is_measured())
    try:
        job = measurement()
    except InputError as error:
        page.input_error(error)
        return
    first = _("Measure on this server (one to two minutes)")
    measured.watch(job, show_workers, key="timing", progress=timed.progress, first=first)
