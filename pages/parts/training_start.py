"""What begins a run: the page's buttons, with what the controls hold at the moment of the click."""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace

import streamlit as st

from app.figures.training_refused import refusals
from app.i18n import _
from core.errors import InputError
from core.image_data import is_here
from core.optimizers import SCHEDULES
from core.run import QUICK, RunSpec
from pages.parts.training_setup import put, typed


def begin(submit: Callable[[RunSpec], object], spec: RunSpec) -> None:
    """Set the controls to a run and begin it."""
    put(spec)
    submit(spec)


def shown(submit: Callable[[RunSpec], object]) -> None:
    """Begin the run that the controls hold at the moment of the click, or none.

    A number is taken over when its field is left, which the click itself may do: what the page knew before is old.
    """
    values = typed(st.session_state["model"])
    if not refusals(values) and is_here(values["data"]):
        submit(RunSpec(**values))


def about_quick() -> str:
    """Say what the quick run sets."""
    sentence = _(
        "Sets {images} images, learning rate {lr}, momentum {momentum}, the schedule “{schedule}” and one epoch, and "
        "trains at once. The network, its options, the data and the seed stay as they are."
    )
    return sentence.format(
        images=f"{QUICK.train_images:,}",
        lr=f"{QUICK.lr:g}",
        momentum=f"{QUICK.momentum:g}",
        schedule=_(SCHEDULES[QUICK.schedule].title),
    )


def quick(submit: Callable[[RunSpec], object]) -> None:
    """Begin the quick run of the chosen network, with its options and the seed as they are set."""
    values = typed(st.session_state["model"])
    spec = replace(QUICK, model=values["model"])
    for name in ("options", "data", "seed"):
        with suppress(InputError):
            spec = replace(spec, **{name: values[name]})
    if is_here(spec.data):
        begin(submit, spec)
    else:
        put(spec)
