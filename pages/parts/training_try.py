"""Things to try with a training run, one of them to be predicted first."""

import streamlit as st

from app import page
from app.figures.numbers import numeral, percent
from app.i18n import _, ngettext
from core.job import Job
from core.jobs import Jobs
from core.run import RunSpec
from pages.parts import training_compare as compare
from pages.parts import training_setup as setup

POLL, GLANCE = 0.7, 3.0  # s between two looks, while the answer is trained and before
QUESTION = {lr: RunSpec(epochs=1, train_images=10_000, lr=lr) for lr in (0.01, 0.1)}  # what "predict" asks about


def show(jobs: Jobs) -> None:
    suggestions()
    asked = state_of_question(jobs)
    looks = {"active": POLL, "done": None}
    st.fragment(predict_ten_times, run_every=looks.get(asked, GLANCE))(jobs, asked)


def suggestions() -> None:
    runs = [
        (
            _("The course's run: ten epochs of all 60,000 images. After which epoch does it hardly improve?"),
            RunSpec(),
        ),
        (
            _("One epoch of 10,000 images, in seconds. Then make the batch four times larger: fewer steps, what else?"),
            RunSpec(epochs=1, train_images=10_000),
        ),
        (
            _("A learning rate of 1: what does the loss do, and where does it end?"),
            RunSpec(epochs=1, train_images=10_000, lr=1.0),
        ),
        (
            _("1,000 images, 40 epochs, learning rate 0.05: the train loss goes to zero. What does the test loss do?"),
            RunSpec(epochs=40, train_images=1_000, lr=0.05),
        ),
    ]
    for number, (text, spec) in enumerate(runs):
        page.suggestion(text, setup.put, spec, key=str(number))
    page.suggestion(
        _("Add a run to the comparison, change one number, train again: which difference is more than chance?"),
        compare.open_prepared,
        "optimizers",
        key="compare",
    )


def predict_ten_times(jobs: Jobs, drawn_as: str) -> None:
    """Ask what a ten times larger learning rate does, then train both runs where they are not kept, then tell."""
    question = _("One epoch of 10,000 images. With the learning rate 0.1 instead of 0.01, the test accuracy is …")
    options = [_("lower"), _("about the same (within 1 %)"), _("higher")]
    runs = {lr: jobs.get(spec) for lr, spec in QUESTION.items()}
    if state_of_question(jobs) != drawn_as:
        st.rerun()
    done = {lr: job.epochs[-1] for lr, job in runs.items() if job is not None and job.status == "done"}
    if len(done) < len(QUESTION):
        chosen = st.radio(question, range(len(options)), index=None, format_func=options.__getitem__, key="ten_times")
        train_question(jobs, [job for job in runs.values() if job], len(QUESTION) - len(done), chosen is not None)
        return
    before, after = (done[lr].test_accuracy for lr in QUESTION)
    page.predict(
        key="ten_times",
        question=question,
        options=options,
        answer=1 if abs(after - before) < 0.01 else 2 * (after > before),
        explanation=_(
            "The two runs: {before} with 0.01, {after} with 0.1. The loss on the test images is {low} and {high}."
        ).format(
            before=percent(before),
            after=percent(after),
            low=numeral(done[0.01].test_loss, 3),
            high=numeral(done[0.1].test_loss, 3),
        ),
    )


def train_question(jobs: Jobs, runs: list[Job], missing: int, chosen: bool) -> None:
    """Offer to train what answers the question; while it is trained, say how long that takes."""
    if any(job.active for job in runs):
        left = [job.seconds_left for job in runs if job.active]
        known = sum(seconds for seconds in left if seconds is not None) if None not in left else None
        sentence = _("Training the answer.")
        if known is not None:
            sentence = _("Training the answer, {left} s left.").format(left=max(1, round(known)))
        st.progress(min(1.0, sum(job.progress for job in runs) / len(QUESTION)), text=sentence)
        return
    label = ngettext("Train the {n} run that answers it", "Train the {n} runs that answer it", missing)
    st.button(
        label.format(n=missing),
        on_click=compare.submit_all,
        args=(jobs, list(QUESTION.values())),
        key="train_question",
        disabled=not chosen,
    )


def state_of_question(jobs: Jobs) -> str:
    """Say what the look at the question's runs depends on."""
    runs = [jobs.get(spec) for spec in QUESTION.values()]
    if any(job is not None and job.active for job in runs):
        return "active"
    return "done" if all(job is not None and job.status == "done" for job in runs) else ""
