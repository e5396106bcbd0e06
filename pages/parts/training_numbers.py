"""The numbers behind the picture, and one step of the optimizer written with this run's numbers."""

from collections.abc import Callable
from math import isfinite

import numpy as np
import pandas as pd
import streamlit as st

from app import page
from app.figures import comparison_rows
from app.figures import training_rows as drawn
from app.figures.comparison_rows import Race
from app.figures.numbers import numeral
from app.i18n import _, language
from core.caching import cached
from core.job import Job
from core.run import RunSpec

FORMATS = {  # an accuracy is counted on 10,000 images
    "train_accuracy": "%.4f",
    "test_accuracy": "%.4f",
    "seconds": "%.2f",
    "images_per_second": "%.0f",
}


LOSSES = ("loss", "train_loss", "test_loss")
LARGE = 100.0  # a loss from here on has no fixed decimals


def headings() -> dict[str, str]:
    """Name the columns of the tables; their CSV keeps the names of the records."""
    return {
        "run": _("run"),
        "step": _("training step"),
        "epoch": _("epoch"),
        "loss": _("loss"),
        "train_loss": _("train loss"),
        "train_accuracy": _("train accuracy"),
        "test_loss": _("test loss"),
        "test_accuracy": _("test accuracy"),
        "seconds": _("seconds"),
        "images_per_second": _("images a second"),
        "device": _("device"),
        "index": _("test image"),
        "label": _("label"),
        "predicted": _("predicted"),
        "confidence": _("probability of the prediction"),
        "true_probability": _("probability of the label"),
    }


def show(job: Job, race: Race | None) -> None:
    """Show and offer what is drawn, number for number."""
    if race is not None:
        st.markdown(_("All runs, epoch by epoch:"))
        _table(comparison_rows.table(race), "comparison", alt=_("All runs, epoch by epoch"))
    epochs, batches, mistakes = _tables(job, len(job.epochs), _listed(job), language())
    st.markdown(_("Each epoch: the test is on the 10,000 test images."))
    _table(epochs, "epochs")
    st.markdown(_("Each batch: its loss before the step that it causes."))
    _table(batches, "batches")
    st.markdown(_("The test images that it gets most wrong, after each epoch."))
    _table(mistakes, "mistakes")


def _listed(job: Job) -> int:
    """Return how many batches are listed: of a run under way those of its finished epochs, so that it holds still."""
    if not job.active:
        return len(job.batches)
    return int(np.searchsorted(job.batches.columns().epoch, len(job.epochs), side="right"))


@cached(maxsize=8)
def _tables(job: Job, epochs: int, batches: int, _language: str) -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame]:
    """Return so many epochs and batches, and the mistakes; treat them as read-only. The language names classes."""
    finished = job.epochs[:epochs]
    mistakes = drawn.mistake_table(finished, job.spec.data)
    return drawn.epoch_table(finished), drawn.batch_table(job.batches[:batches]), mistakes


def _table(frame: pd.DataFrame, name: str, alt: str = "") -> None:
    there = [column for column in LOSSES if column in frame]
    written = {column: loss_text for column in there if not frame[column].abs().lt(LARGE).all()}
    aligned = dict.fromkeys(set(there) - set(written), "%.4f")
    page.table(frame, name=name, alt=alt, digits=4, labels=headings(), formats=FORMATS | aligned, written=written)


def loss_text(loss: float) -> str:
    """Write a loss of a run that went off: a large one as a power of ten, one that is no number in words."""
    if not isfinite(loss):
        return _("not finite")
    return f"{loss:.4f}" if abs(loss) < LARGE else numeral(loss, 4)


def why_above() -> None:
    st.markdown(
        _(
            "In the first epochs the train loss is often above the test loss: it is averaged over an epoch in which "
            "the network still learns, the test comes after it."
        )
    )


def update_rule(spec: RunSpec) -> None:
    """Write one step as the class of torch.optim takes it (their pseudocode: pytorch.org/docs/stable/optim.html)."""
    page.formula(
        rf"@gradient{{g}} = \frac{{1}}{{{spec.batch_size}}} \sum_{{i=1}}^{{{spec.batch_size}}} "
        r"\frac{\partial @loss{\ell_i}}{\partial @weight{w}}" + _decay(spec)
    )
    RULES[spec.optimizer](spec)
    if spec.schedule != "constant":
        st.caption(_("The learning rate is the highest one here; the schedule changes it from step to step."))


def _decay(spec: RunSpec) -> str:
    """Return the weight decay that is added to the gradient; AdamW takes it off the weight instead."""
    return rf" + {spec.weight_decay:g}\,@weight{{w}}" if spec.weight_decay and spec.optimizer != "adamw" else ""


def _rate(spec: RunSpec) -> str:
    return "" if spec.lr == 1 else rf"{spec.lr:g}\,"


def _sgd(spec: RunSpec) -> None:
    st.markdown(_("Each step takes the gradient g of its batch's mean loss, adds it to the velocity v, and moves w:"))
    moved = rf"(@gradient{{g}} + {spec.momentum:g}\,@momentum{{v}})" if spec.nesterov else r"@momentum{v}"
    page.formula(
        rf"@momentum{{v}} \leftarrow {spec.momentum:g}\,@momentum{{v}} + @gradient{{g}} \qquad "
        rf"@weight{{w}} \leftarrow @weight{{w}} - {_rate(spec)}{moved}"
    )


def _adam(spec: RunSpec) -> None:
    st.markdown(_("Adam divides the average gradient m by the root of the average square s; both are corrected for t:"))
    shrunk = rf"{1 - spec.lr * spec.weight_decay:.15g}\," if spec.optimizer == "adamw" and spec.weight_decay else ""
    page.formula(
        r"@momentum{m} \leftarrow 0.9\,@momentum{m} + 0.1\,@gradient{g} \qquad "
        r"s \leftarrow 0.999\,s + 0.001\,@gradient{g}^2 \qquad "
        rf"@weight{{w}} \leftarrow {shrunk}@weight{{w}} - {_rate(spec)}"
        r"\frac{@momentum{m} / (1 - 0.9^t)}{\sqrt{s / (1 - 0.999^t)} + 10^{-8}}"
    )


def _rmsprop(spec: RunSpec) -> None:
    st.markdown(_("RMSprop divides the gradient by the root of the average s of its square:"))
    step = r"\frac{@gradient{g}}{\sqrt{s} + 10^{-8}}"
    velocity = rf"@momentum{{v}} \leftarrow {spec.momentum:g}\,@momentum{{v}} + {step} \qquad " if spec.momentum else ""
    page.formula(
        rf"s \leftarrow 0.99\,s + 0.01\,@gradient{{g}}^2 \qquad {velocity}"
        rf"@weight{{w}} \leftarrow @weight{{w}} - {_rate(spec)}{r'@momentum{v}' if spec.momentum else step}"
    )


def _adagrad(spec: RunSpec) -> None:
    st.markdown(_("Adagrad divides the gradient by the root of the sum s of all its squares so far:"))
    page.formula(
        r"s \leftarrow s + @gradient{g}^2 \qquad "
        rf"@weight{{w}} \leftarrow @weight{{w}} - {_rate(spec)}\frac{{@gradient{{g}}}}{{\sqrt{{s}} + 10^{{-10}}}}"
    )


RULES: dict[str, Callable[[RunSpec], None]] = {
    "sgd": _sgd,
    "adam": _adam,
    "adamw": _adam,
    "rmsprop": _rmsprop,
    "adagrad": _adagrad,
}
