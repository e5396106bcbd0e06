"""What pages show of a measurement that a program makes beside the server (core.measuring)."""

from collections.abc import Callable
from typing import TypeVar

import streamlit as st

from app import page
from app.i18n import _
from core.measuring import Measuring, State

POLL, GLANCE = 0.7, 3.0  # s between two looks: at one that runs; at one that somebody else may start
S = TypeVar("S", bound=State)


def watch(job: Measuring[S], show: Callable[[S], None], *, key: str, progress: Callable[[S], str], first: str) -> None:
    """Draw a measurement, and it alone anew while it runs: how far it is, what starts and stops it, what it found.

    `key` is unique on the page; `progress` says what is being measured; `first` names the button before there is any.
    """
    running = job.snapshot.running
    draw = st.fragment(_draw, run_every=POLL if running else GLANCE)
    draw(job, running, show, key=key, progress=progress, first=first)


def _draw(
    job: Measuring[S],
    drawn_running: bool,
    show: Callable[[S], None],
    *,
    key: str,
    progress: Callable[[S], str],
    first: str,
) -> None:
    state = job.snapshot
    if state.running != drawn_running:
        st.rerun()
    if state.error is not None:
        page.input_error(state.error)
    if state.stopped:
        page.status(stopped(state), "warning")
    if state.running:
        st.progress(min(1.0, state.done), text=progress(state))
        st.button(_("Stop it for everyone"), icon=":material/stop:", on_click=job.stop, key=f"stop_{key}")
    else:
        st.button(start_label(state, first), icon=":material/timer:", on_click=job.start, key=f"start_{key}")
    show(state)


def start_label(state: State, first: str) -> str:
    """Name the button that starts a measurement, with the time that it takes as far as that is known."""
    if state.took is not None:
        return _("Measure again (the last time it took {took} s)").format(took=round(state.took))
    return _("Measure again") if state.finished else first


def stopped(state: State) -> str:
    """Say that somebody stopped the last measurement, and what is shown instead."""
    if state.finished:
        sentence = _("The measurement was stopped at {when}, maybe by another reader; shown is the last whole one.")
    else:
        sentence = _("The measurement was stopped at {when}, maybe by another reader.")
    return sentence.format(when=state.stopped)


def busy(load: float, cores: int) -> str:
    """Say that other work disturbed a measurement; nothing where there was little."""
    if not load > cores:
        return ""
    return _(
        "When this was measured the machine was busy with other work (load {load} on {cores} cores): the figures "
        "are not reliable. Measure again when it is quiet."
    ).format(load=f"{load:.3g}", cores=cores)
