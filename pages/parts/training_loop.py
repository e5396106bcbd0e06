"""The section that puts the textbook's training loop beside ours, and says what each line costs on this server."""

import streamlit as st

from app import measured, page
from app.charts import compiled
from app.figures import loop as figure
from app.i18n import _
from app.player import player
from core.errors import InputError
from core.job import Job
from core.jobs import Jobs
from core.loop_job import Snapshot, listing, loop_costs
from core.models import MODELS
from core.run import RunSpec
from pages.parts.training_data import images_here


def show(_jobs: Jobs, spec: RunSpec, _job: Job | None) -> None:
    """Draw the section for the network of the page."""
    st.markdown(figure.what_is_measured(_(MODELS[spec.model].title), spec.images.title))
    if not images_here(spec.data):
        show_lines()
        return
    try:
        costs = loop_costs(spec.model, spec.data)
    except InputError as error:
        page.input_error(error)
        return
    first = _("Measure on this server (about ten seconds)")
    measured.watch(costs, show_costs, key="loop", progress=lambda _state: _("Measuring."), first=first)


def show_lines() -> None:
    """Show the lines of both loops."""
    for name, title in figure.titles().items():
        st.markdown(f"**{title}**")
        st.code(listing(name), language="python")


def show_costs(state: Snapshot) -> None:
    """Draw the loops: their lines, and once they are measured what each of them costs."""
    if not state.finished:
        show_lines()
        return
    player(
        compiled(figure.chart, *(len(lines) for _name, lines in state.loops)),
        key="loop",
        name="training-loop",
        alt=figure.in_words(state.loops),
        data=figure.chart_data(state.loops),
    )
    for sentence in figure.verdict(state):
        page.status(*sentence)
    page.table(figure.table(state.loops), name="training-loop", digits=3)
    if state.conditions is not None:
        st.caption(figure.conditions(state.conditions))
