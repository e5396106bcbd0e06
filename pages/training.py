"""A real training run as a job: started here, watched batch by batch, kept, and scrubbed epoch by epoch."""

from sys import float_info

import streamlit as st

from app import course, page
from app.charts import compiled
from app.figures import training as figure
from app.figures import training_rows as drawn
from app.figures import training_words as words
from app.i18n import _, error_sentence, language, ngettext
from app.link import check_number
from app.player import player
from core.errors import InputError
from core.jobs import Job, Jobs, manager
from core.run import TRAIN_IMAGES, RunSpec
from core.training_script import training_script

POLL = 0.7  # s between two looks at a run under way
FIRST_LOOK = 0.4  # s, at most, that a look waits for the first batch of a run that has just been started
ENTRY = course.entry("training")

# What the controls begin with; what differs stands in the link. All are floats, so that what the link or a hand brings
# reaches the spec as it is.
DEFAULTS = {"epochs": 10.0, "batch": 64.0, "lr": 0.01, "images": float(TRAIN_IMAGES), "momentum": 0.5, "seed": 0.0}
QUICK = {"epochs": 1.0, "images": 10_000.0}
QUESTION = {lr: RunSpec(epochs=1, train_images=10_000, lr=lr) for lr in (0.01, 0.1)}  # what "predict" asks about


# --- Controls


def control(key: str, label: str, *, step: float, width: int | str = "stretch") -> None:
    """Draw one number of the spec. It has no bounds of its own: the spec refuses a wrong value with its sentence."""
    st.number_input(
        label,
        value=DEFAULTS[key],
        step=step,
        format="%g",
        key=key,
        bind="query-params",
        width=width,
    )


def spec_of_controls() -> RunSpec:
    """Read the spec; raises InputError."""
    value = st.session_state
    return RunSpec(
        epochs=whole(value.epochs),
        batch_size=whole(value.batch),
        lr=value.lr,
        momentum=value.momentum,
        train_images=whole(value.images),
        seed=whole(value.seed),
    )


def whole(value: float) -> int:
    """Return the integer that a float stands for; the spec refuses what is none."""
    return int(value) if value % 1 == 0 and abs(value) < 1e15 else value  # type: ignore[return-value]


def set_controls(**values: float) -> None:
    st.session_state.update(DEFAULTS | values)


# --- The run


def action(jobs: Jobs, spec: RunSpec, job: Job | None) -> None:
    """Offer the one thing that can be done with the run now."""
    if job is not None and job.active:
        st.button(_("Stop"), icon=":material/stop:", on_click=jobs.cancel, args=(job.key,), key="stop")
        return
    labels = {"cancelled": _("Continue"), "failed": _("Try again")}
    label = labels.get(job.status, _("Start")) if job is not None else _("Start")
    st.button(
        label,
        icon=":material/play_arrow:",
        type="primary",
        disabled=job is not None and job.status == "done",
        on_click=jobs.submit,
        args=(spec,),
        key="start",
    )


def show_run(jobs: Jobs, spec: RunSpec, was_active: bool) -> None:
    """Draw what the run has reported; while it is under way this part alone is drawn anew."""
    job = jobs.get(spec)
    if job is not None and job.status == "running" and not job.batches:
        job.wait_for(lambda job: bool(job.batches) or not job.active, FIRST_LOOK)
    if was_active and job is not None and not job.active:
        st.rerun()
    report = drawn.report(job, spec, language())
    sentence, kind = words.status(job, report)
    page.status(sentence, kind)
    for notice in job.notices if job is not None else ():
        page.status(error_sentence(notice), "warning")
    if job is not None and job.active:
        st.progress(min(1.0, job.progress))
    epochs = report.epochs[: report.epoch_count]
    player(
        compiled(figure.picture),
        key="run",
        name="training",
        alt=words.alternative(report.batches[: report.batch_count], epochs),
        data=drawn.encoded_rows(report),
        steps=len(epochs) if report.ended else 0,
        start=-1,
        captions=words.captions(epochs, spec) if report.ended else (),
        outputs=figure.WORST,
        formula=words.cross_entropy() if epochs else "",
    )
    if job is not None:
        st.caption(words.conditions(job, jobs.placement))


# --- Below the picture


def numbers(job: Job) -> None:
    """Show and offer what is drawn, number for number."""
    epochs, batches = drawn.epoch_table(job.epochs), drawn.batch_table(job.batches)
    st.markdown(_("Each epoch: the test is on the 10,000 test images."))
    page.table(epochs, name="epochs")
    st.markdown(_("Each batch: its loss before the step that it causes."))
    page.table(batches, name="batches")
    st.markdown(_("The test images that it gets most wrong, after each epoch."))
    page.table(drawn.mistake_table(job.epochs), name="mistakes")


def update_rule(spec: RunSpec) -> None:
    """Write one step of SGD with momentum as torch.optim.SGD takes it, with the numbers of this run."""
    st.markdown(_("Each step takes the gradient g of its batch's mean loss, adds it to the velocity v, and moves w:"))
    page.formula(
        rf"@gradient{{g}} = \frac{{1}}{{{spec.batch_size}}} \sum_{{i=1}}^{{{spec.batch_size}}} "
        r"\frac{\partial @loss{\ell_i}}{\partial @weight{w}}"
    )
    page.formula(
        rf"@momentum{{v}} \leftarrow {spec.momentum:g}\,@momentum{{v}} + @gradient{{g}} \qquad "
        rf"@weight{{w}} \leftarrow @weight{{w}} - {spec.lr:g}\,@momentum{{v}}"
    )


def things_to_try() -> None:
    suggestions = [
        (
            _("The course's run: ten epochs of all 60,000 images. After which epoch does it hardly improve?"),
            {},
        ),
        (
            _("One epoch of 10,000 images, in seconds. Then make the batch four times larger: fewer steps, what else?"),
            QUICK,
        ),
        (
            _("A learning rate of 1: what does the loss do, and where does it end?"),
            {**QUICK, "lr": 1.0},
        ),
        (
            _("1,000 images, 40 epochs: the train loss goes to zero. What does the test loss do?"),
            {"epochs": 40.0, "images": 1_000.0, "lr": 0.05},
        ),
    ]
    for number, (text, values) in enumerate(suggestions):
        st.button(
            text,
            key=f"try_{number}",
            type="tertiary",
            icon=":material/arrow_forward:",
            on_click=set_controls,
            kwargs=values,
        )


def predict_ten_times(jobs: Jobs, was_active: bool) -> None:
    """Ask what a ten times larger learning rate does; both answers are kept runs."""
    question = _("One epoch of 10,000 images. With the learning rate 0.1 instead of 0.01, the test accuracy is …")
    runs = {lr: jobs.get(spec) for lr, spec in QUESTION.items()}
    active = [job for job in runs.values() if job is not None and job.active]
    if was_active and not active:
        st.rerun()
    done = {lr: job.epochs[-1] for lr, job in runs.items() if job is not None and job.status == "done"}
    if len(done) == len(QUESTION):
        before, after = (done[lr].test_accuracy for lr in QUESTION)
        page.predict(
            key="ten_times",
            question=question,
            options=[_("lower"), _("about the same (within 1 %)"), _("higher")],
            answer=1 if abs(after - before) < 0.01 else 2 * (after > before),
            explanation=_(
                "The two runs: {before} with 0.01, {after} with 0.1. The loss on the test images is {low:.3g} and "
                "{high:.3g}."
            ).format(
                before=words.percent(before),
                after=words.percent(after),
                low=done[0.01].test_loss,
                high=done[0.1].test_loss,
            ),
        )
        return
    st.markdown(question)
    if active:
        st.progress(sum(job.progress for job in runs.values() if job is not None) / len(QUESTION))
        return
    label = ngettext(
        "Train the {n} run that answers it", "Train the {n} runs that answer it", len(QUESTION) - len(done)
    )
    st.button(label.format(n=len(QUESTION) - len(done)), on_click=submit_question, args=(jobs,), key="train_question")


def submit_question(jobs: Jobs) -> None:
    for spec in QUESTION.values():
        jobs.submit(spec)


def is_active(job: Job | None) -> bool:
    return job is not None and job.active


def poll_while(active: bool) -> float | None:
    return POLL if active else None


# --- The page, from top to bottom

page.header(_(ENTRY.title), _(ENTRY.promise))
for key in DEFAULTS:
    check_number(key, -float_info.max, float_info.max)  # what is too large gets a sentence of the spec
with st.container(horizontal=True, vertical_alignment="bottom", gap="small"):
    control("epochs", _("Epochs"), step=1.0, width=120)
    control("batch", _("Batch size"), step=16.0, width=120)
    control("lr", _("Learning rate"), step=0.01, width=130)
    control("images", _("Training images"), step=10_000.0, width=150)
    with st.popover(_("More")):
        control("momentum", _("Momentum"), step=0.1)
        control("seed", _("Seed of the weights and of the images' order"), step=1.0)
    button = st.container(width="content")

try:
    spec = spec_of_controls()
    jobs = manager()
except InputError as error:
    page.input_error(error)
    st.stop()

job = jobs.get(spec)
with button:
    action(jobs, spec, job)
st.fragment(show_run, run_every=poll_while(is_active(job)))(jobs, spec, is_active(job))

update_rule(spec)
page.code_panel(lambda: training_script(spec), name="training")
if job is not None and not job.active:
    with page.section(_("The numbers"), key="numbers") as is_open:
        if is_open:
            numbers(job)
with page.section(_("Things to try"), key="try") as is_open:
    if is_open:
        things_to_try()
        asked = any(is_active(jobs.get(each)) for each in QUESTION.values())
        st.fragment(predict_ten_times, run_every=poll_while(asked))(jobs, asked)
