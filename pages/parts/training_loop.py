"""The section that puts the textbook's training loop beside ours, and says what each line costs on this server."""

import streamlit as st

from app import page
from app.charts import compiled
from app.figures import loop as figure
from app.i18n import _
from app.player import player
from core.errors import InputError
from core.jobs import Job, Jobs
from core.loop_job import LoopCosts, loop_costs
from core.models import MODELS
from core.run import RunSpec

POLL = 0.7  # s between two looks at a measurement that runs
GLANCE = 3.0  # s between two looks at one that somebody else may start


def show(_jobs: Jobs, spec: RunSpec, _job: Job | None) -> None:
    """Draw the section for the network of the page."""
    st.markdown(figure.what_is_measured(_(MODELS[spec.model].title)))
    try:
        costs = loop_costs(spec.model)
    except InputError as error:
        page.input_error(error)
        return
    running = costs.snapshot.running
    st.fragment(show_costs, run_every=POLL if running else GLANCE)(costs, running)


def show_costs(costs: LoopCosts, drawn_running: bool) -> None:
    """Draw the measurement; this part alone is drawn anew while it runs."""
    state = costs.snapshot
    if state.running != drawn_running:
        st.rerun()
    if state.error is not None:
        page.input_error(state.error)
    if state.stopped:
        page.status(_("The measurement was stopped at {when}, maybe by another reader.").format(when=state.stopped))
    if state.running:
        st.progress(min(1.0, state.done), text=_("Measuring."))
        st.button(_("Stop it for everyone"), icon=":material/stop:", on_click=costs.stop, key="stop_loop")
    else:
        st.button(figure.start_label(state), icon=":material/timer:", on_click=costs.start, key="start_loop")
    if not state.finished:
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
