"""The runs of the page: trained here, shipped, or imported and named by the link."""

import streamlit as st

from app.history import is_restored
from app.link import check_choice
from core.entries import is_imported
from core.job import Job
from core.jobs import Jobs
from core.run import RunSpec
from pages.parts import training_setup as setup

LINK = "run"  # its value: the key of an imported run
_OPENED = "run.opened"  # in the session


def open_imported(jobs: Jobs) -> None:
    """Set the controls to the imported run that the link names, once; before they are drawn.

    A link that is opened, or returned to, says of the controls what they had become beside that run.
    """
    asked, job = st.query_params.get(LINK, ""), _imported(jobs)
    is_new = asked != st.session_state.get(_OPENED, "")
    st.session_state[_OPENED] = asked
    if asked and job is None:
        if is_new:
            check_choice(LINK, ())
        del st.query_params[LINK]
    elif is_new and job is not None and not is_restored() and (setup.are_set() or not setup.named_in_link()):
        setup.put(job.spec)


def find(jobs: Jobs, spec: RunSpec) -> Job | None:
    """Return the imported run that the link names where it is this one, else the one of this spec."""
    imported = _imported(jobs)
    return imported if imported is not None and imported.spec == spec else jobs.get(spec)


def train_here(jobs: Jobs, spec: RunSpec) -> None:
    """Train a run that came from elsewhere."""
    st.query_params.pop(LINK, None)
    jobs.submit(spec, fresh_here=True)


def _imported(jobs: Jobs) -> Job | None:
    asked = st.query_params.get(LINK, "")
    return jobs.get(asked) if is_imported(asked) and asked.isalnum() else None
