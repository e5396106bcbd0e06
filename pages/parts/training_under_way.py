"""How the sections follow a run under way: each is drawn anew soon after an epoch has ended."""

from collections.abc import Callable
from typing import Any

import streamlit as st

from core.caching import cached
from core.entries import RunSummary
from core.job import Job
from core.store import Store

LOOK = 1.0  # s between two looks; one that finds nothing new draws what it has in milliseconds


def follow(draw: Callable[..., None], job: Job | None, *args: Any) -> None:  # noqa: ANN401 - whatever it draws from
    """Draw a section as a fragment of its own, which looks at the run again as long as that is under way.

    What `draw` shows must come from caches that ask how many epochs there are: Streamlit takes away what a fragment
    does not draw again, so a look without news is one that finds everything computed.
    """
    st.fragment(draw, run_every=LOOK if job is not None and job.active else None)(*args)


def summary(store: Store, key: str) -> RunSummary | None:
    """Return the line of a run, which is read again where its entry has changed."""
    return _summary(store, key, store.stamp(key))


@cached(maxsize=64)
def _summary(store: Store, key: str, _stamp: tuple[int, int] | None) -> RunSummary | None:
    return store.summary(key)
