"""What a trained network takes for what: the confusion matrix after any epoch, and another run beside it."""

import streamlit as st

from app import link
from app.charts import compiled
from app.choice import choice
from app.figures import confusion as figure
from app.figures import confusion_rows as drawn
from app.figures import confusion_words as words
from app.history import is_restored
from app.i18n import _, language
from app.player import Drag, Slider, player
from core import run_text
from core.caching import cached
from core.confusion import CLASSES
from core.job import Job
from core.jobs import Jobs
from core.run import RunSpec
from core.shipped import shipped_runs
from pages.parts.training_data import images_here
from pages.parts.training_found import find
from pages.parts.training_playhead import playhead
from pages.parts.training_under_way import follow

MOST_OTHERS = 30  # runs to choose from
NOBODY = "none"
CELL = {"label": 4, "seen": 9}  # whose images are shown at first


def show(jobs: Jobs, spec: RunSpec, job: Job | None) -> None:
    """Draw the results as far as there are any; of a run under way they are drawn anew."""
    listed = other_runs(jobs, spec) if job is not None and job.active else None
    follow(_draw, job, jobs, spec, listed)


def _draw(jobs: Jobs, spec: RunSpec, listed: dict[str, RunSpec] | None) -> None:
    job = find(jobs, spec)
    if job is None or not job.epochs:
        st.markdown(_("Appears after the first epoch."))
        return
    if not images_here(spec.data):
        return
    seen = drawn.seen_by(job.key, tuple(job.epochs), spec.data)
    show_matrix(seen)
    compare_runs(jobs, spec, seen, other_runs(jobs, spec) if listed is None else listed)


def show_matrix(seen: drawn.Seen) -> None:
    """Draw the matrix; a click, or the two sliders, choose the cell whose images are shown."""
    label, other = (chosen_digit(name) for name in CELL)
    shares = choice(
        _("In the cells"),
        {"images": _("images"), "shares": _("% of the row")},
        key="cells",
        default="images",
        label_visibility="collapsed",
    )
    player(
        compiled(figure.matrix, not seen.names_are_digits),
        key="confusion",
        name="confusion-matrix",
        alt=words.matrix_alternative(drawn.counts(seen), seen.names),
        data={
            **drawn.matrix_rows(seen),
            "limits": drawn.limits(seen, shares == "shares"),
            **drawn.cell_rows(seen, label, other, language()),
        },
        steps=seen.count,
        start=playhead(epochs_of(seen)),
        moments=epochs_of(seen),
        captions=words.captions(seen.epochs, drawn.counts(seen), seen.names),
        sliders=[
            Slider("label", _("cell: what it is"), 0, CLASSES - 1, 1, label, seen.names),
            Slider("seen", _("cell: seen as"), 0, CLASSES - 1, 1, other, seen.names),
        ],
        drags=[Drag("matrix", x="seen", y="label")],
        on_release=choose_cell,
    )


def epochs_of(seen: drawn.Seen) -> range:
    """Return the epochs that the pictures show."""
    return range(1, seen.count + 1)


def chosen_digit(name: str) -> int:
    """Return the row or the column of the chosen cell: from this session, or from the link."""
    asked = st.query_params.get(name, "")
    chosen = st.session_state.get(f"cell.{name}")
    if chosen is None or is_restored():
        chosen = int(asked) if len(asked) == 1 and asked in "0123456789" else CELL[name]
        st.session_state[f"cell.{name}"] = chosen
    return int(chosen)


def choose_cell(values: dict[str, float]) -> None:
    """Keep the cell, in the link too."""
    for name, value in values.items():
        st.session_state[f"cell.{name}"] = int(value)
        if int(value) != CELL[name]:
            st.query_params[name] = str(int(value))
        elif name in st.query_params:
            del st.query_params[name]


# --- Another run beside it


def compare_runs(jobs: Jobs, spec: RunSpec, seen: drawn.Seen, others: dict[str, RunSpec]) -> None:
    """Compare with a run that is chosen among those that are there."""
    if not others:
        st.caption(_("Train another run to compare the two image by image."))
        return
    link.check_choice("versus", {NOBODY, *others})
    named = dict(zip(others, _called(spec, tuple(others.values()), language()), strict=True))
    chosen = choice(_("Compare with"), {NOBODY: _("no other run"), **named}, key="versus", default=NOBODY, folded=True)
    job = jobs.get(others[chosen]) if chosen in others else None
    if job is None or not job.epochs:
        return
    other = drawn.seen_by(job.key, tuple(job.epochs), spec.data)
    found = drawn.comparisons(seen, other)
    player(
        compiled(figure.comparison),
        key="versus",
        name="comparison",
        alt=words.comparison_alternative(found, seen.names),
        data=drawn.comparison_rows(seen, other, language()),
        steps=seen.count,
        start=playhead(epochs_of(seen)),
        moments=epochs_of(seen),
        captions=words.comparison_captions(seen.epochs, other.epochs, found),
    )
    st.caption(
        _(
            "Only the images on which the two differ tell which is better (McNemar's test). It is about new images; "
            "another seed makes another net."
        )
    )


@cached(maxsize=64)
def _called(spec: RunSpec, others: tuple[RunSpec, ...], _language: str) -> list[str]:
    return words.other_names(spec, others)


def other_runs(jobs: Jobs, spec: RunSpec) -> dict[str, RunSpec]:
    """Return the runs that can be compared with, by their text in a link: shipped, then trained here, then kept.

    Two networks are compared image by image, so both must have been tested on the same images.
    """
    here = [job.spec for job in jobs.list() if job.epochs]
    kept = [run.spec for run in jobs.store.runs() if run.spec is not None and run.epochs]
    shipped = [run.spec for run in shipped_runs()]
    runs = [run for run in dict.fromkeys([*shipped, *here, *kept]) if run != spec and run.data == spec.data]
    return {run_text.write(run): run for run in runs[:MOST_OTHERS]}
