"""A real training run as a job: started here, watched batch by batch, kept, and scrubbed epoch by epoch."""

from dataclasses import replace
from sys import float_info

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from app import course, page
from app.charts import compiled
from app.choice import choice
from app.figures import training as figure
from app.figures import training_refused as refused
from app.figures import training_rows as drawn
from app.figures import training_words as words
from app.i18n import _, error_sentence, language, ngettext
from app.link import check_choice, check_number
from app.player import player
from core.errors import InputError
from core.jobs import Job, Jobs, manager
from core.models import MODELS
from core.run import TRAIN_IMAGES, RunSpec
from core.training_script import training_script

POLL = 0.7  # s between two looks at a run under way
GLANCE = 3.0  # s between two looks at a run that somebody else may start
FIRST_LOOK = 0.4  # s, at most, that a look waits for the first batch of a run that has just been started
ENTRY = course.entry("training")

# What the controls begin with; what differs stands in the link. All are floats, so that what the link or a hand brings
# reaches the spec as it is.
DEFAULTS = {"epochs": 10.0, "batch": 64.0, "lr": 0.01, "images": float(TRAIN_IMAGES), "momentum": 0.5, "seed": 0.0}
IN_LINK = {  # the spec's names, and how the link calls them; the images before the batch, which they limit
    "epochs": "epochs",
    "train_images": "images",
    "batch_size": "batch",
    "lr": "lr",
    "momentum": "momentum",
    "seed": "seed",
}
QUICK = {"epochs": 1.0, "images": 10_000.0}
QUESTION = {lr: RunSpec(epochs=1, train_images=10_000, lr=lr) for lr in (0.01, 0.1)}  # what "predict" asks about


# --- Controls


def labels() -> dict[str, str]:
    """Return what stands above the controls, by the spec's names."""
    return {
        "epochs": _("Epochs"),
        "batch_size": _("Batch size"),
        "lr": _("Learning rate"),
        "momentum": _("Momentum"),
        "train_images": _("Training images"),
        "seed": _("Seed of the weights and of the images' order"),
    }


def control(name: str, *, step: float, width: int | str = "stretch") -> None:
    """Draw one number of the spec. It has no bounds of its own: the spec refuses a wrong value with its sentence."""
    key = IN_LINK[name]
    st.number_input(
        labels()[name],
        value=DEFAULTS[key],
        step=step,
        format="%g",
        key=key,
        bind="query-params",
        width=width,
    )


def choose_model() -> str:
    check_choice("model", MODELS)
    titles = {name: _(model.title) for name, model in MODELS.items()}
    return choice(_("Network"), titles, key="model", default=RunSpec().model, label_visibility="collapsed")


def typed() -> dict[str, float]:
    """Read the controls, by the spec's names."""
    values = {name: st.session_state[key] for name, key in IN_LINK.items()}
    return {name: value if name in ("lr", "momentum") else whole(value) for name, value in values.items()}


def whole(value: float) -> int:
    """Return the integer that a float stands for; the spec refuses what is none."""
    return int(value) if value % 1 == 0 and abs(value) < 1e15 else value  # type: ignore[return-value]


def set_controls(**values: float) -> None:
    st.session_state.update(DEFAULTS | values)


# --- The run


def action(jobs: Jobs, spec: RunSpec, job: Job | None, refused: bool) -> None:
    """Offer the one thing that can be done with the run now."""
    if job is not None and job.active:
        st.button(
            _("Stop"),
            icon=":material/stop:",
            help=_("Stops the run for everyone who watches it; Continue goes on after the last finished epoch."),
            on_click=jobs.cancel,
            args=(job.key,),
            key="stop",
            width="stretch",
        )
        return
    label = _("Start")
    if job is not None and job.status == "failed":
        label = _("Try again")
    elif job is not None and job.status == "cancelled" and job.epochs:
        label = _("Continue")
    st.button(
        label,
        icon=":material/play_arrow:",
        type="primary",
        disabled=refused or (job is not None and job.status == "done"),
        on_click=jobs.submit,
        args=(spec,),
        key="start",
        width="stretch",
    )


def state(job: Job | None) -> str:
    """Say what the page around the run depends on."""
    return "" if job is None else "active" if job.active else job.status


def pause(state: str) -> float | None:
    """Return the seconds until the next look: somebody else may start or stop the run; one that is done stays so."""
    return {"active": POLL, "done": None}.get(state, GLANCE)


def show_run(jobs: Jobs, spec: RunSpec, drawn_as: str) -> None:
    """Draw what the run has reported; this part alone is drawn anew until the page around it has to change."""
    job = jobs.get(spec)
    said = st.empty()
    if job is not None and job.status == "running" and not job.batches:
        say(said, job, drawn.report(job, spec, language()))
        job.wait_for(lambda job: bool(job.batches) or not job.active, FIRST_LOOK)
    if state(job) != drawn_as:
        st.rerun()
    report = drawn.report(job, spec, language())
    say(said, job, report)
    for notice in job.notices if job is not None else ():
        page.status(error_sentence(notice), "warning")
    if job is not None and job.active:
        st.progress(min(1.0, job.progress))
    epochs = report.epochs[: report.epoch_count]
    player(
        compiled(figure.picture),
        key="run",
        name="training",
        alt=words.alternative(report),
        data=drawn.encoded_rows(report),
        steps=len(epochs) if report.ended else 0,
        start=-1,
        captions=words.captions(epochs, spec) if report.ended else (),
        outputs=figure.WORST,
        formula=words.cross_entropy() if epochs else "",
    )
    if job is not None:
        st.caption(words.conditions(job, jobs.placement), help=words.reasons(jobs.placement))


def say(place: DeltaGenerator, job: Job | None, report: drawn.Report) -> None:
    with place:
        page.status(*words.status(job, report))


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
    rate = "" if spec.lr == 1 else rf"{spec.lr:g}\,"
    page.formula(
        rf"@momentum{{v}} \leftarrow {spec.momentum:g}\,@momentum{{v}} + @gradient{{g}} \qquad "
        rf"@weight{{w}} \leftarrow @weight{{w}} - {rate}@momentum{{v}}"
    )


def why_above() -> None:
    st.markdown(
        _(
            "In the first epochs the train loss is often above the test loss: it is averaged over an epoch in which "
            "the network still learns, the test comes after it."
        )
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
            "The two runs: {before} with 0.01, {after} with 0.1. The loss on the test images is {low:.3g} and "
            "{high:.3g}."
        ).format(
            before=words.percent(before),
            after=words.percent(after),
            low=done[0.01].test_loss,
            high=done[0.1].test_loss,
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
        label.format(n=missing), on_click=submit_question, args=(jobs,), key="train_question", disabled=not chosen
    )


def submit_question(jobs: Jobs) -> None:
    for spec in QUESTION.values():
        jobs.submit(spec)


def state_of_question(jobs: Jobs) -> str:
    """Say what the look at the question's runs depends on."""
    states = {state(jobs.get(spec)) for spec in QUESTION.values()}
    return "active" if "active" in states else "done" if states == {"done"} else ""


# --- The page, from top to bottom

page.header(_(ENTRY.title), _(ENTRY.promise))
model = choose_model()
for key in DEFAULTS:
    check_number(key, -float_info.max, float_info.max)  # what is too large gets a sentence of the spec
with st.container(horizontal=True, vertical_alignment="bottom", gap="small"):
    control("epochs", step=1.0, width=120)
    control("lr", step=0.01, width=130)
    control("train_images", step=10_000.0, width=150)
    with st.popover(_("More")):
        control("batch_size", step=16.0)
        control("momentum", step=0.1)
        control("seed", step=1.0)
    with st.container(width=136, key="action"):  # of one size, so that nothing moves when Start becomes Stop
        button = st.empty()
st.html("<style>.st-key-action [data-retained] { display: none; }</style>")  # Start, until the run of the page ends

errors = refused.refusals(typed(), labels())
for error in errors:
    page.input_error(error)
if not errors:
    st.session_state["accepted"] = RunSpec(**typed())
accepted: RunSpec = st.session_state.get("accepted", RunSpec())  # a refused value leaves the run that was there
spec = replace(accepted, model=model)
try:
    jobs = manager()
except InputError as error:
    page.input_error(error)
    st.stop()

job = jobs.get(spec)
with button:
    action(jobs, spec, job, refused=bool(errors))
st.fragment(show_run, run_every=pause(state(job)))(jobs, spec, state(job))

why_above()
update_rule(spec)
page.code_panel(lambda: training_script(spec), name="training")
if job is not None and not job.active:
    with page.section(_("The numbers"), key="numbers") as is_open:
        if is_open:
            numbers(job)
with page.section(_("Things to try"), key="try") as is_open:
    if is_open:
        things_to_try()
        asked = state_of_question(jobs)
        st.fragment(predict_ten_times, run_every=pause(asked))(jobs, asked)
