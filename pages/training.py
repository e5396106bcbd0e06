"""Real training runs as jobs: started here, watched batch by batch, kept, compared, and scrubbed epoch by epoch."""

from dataclasses import replace
from functools import partial
from math import isfinite

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from app import course, page
from app.charts import compiled
from app.choice import choice
from app.figures import comparison, comparison_rows, training_axes
from app.figures import comparison_words as compared
from app.figures import training as figure
from app.figures import training_rows as drawn
from app.figures import training_words as words
from app.i18n import _, error_sentence, language
from app.link import check_choice
from app.player import player
from core.errors import InputError
from core.image_data import is_here
from core.job import Job
from core.jobs import Jobs, manager
from core.run import RunSpec
from core.training_script import training_script
from pages.parts import training_card, training_data, training_digit, training_inside, training_loop, training_results
from pages.parts import training_compare as compare
from pages.parts import training_found as found
from pages.parts import training_link as link
from pages.parts import training_numbers as numbers
from pages.parts import training_queue as queue
from pages.parts import training_setup as setup
from pages.parts import training_start as start
from pages.parts import training_try as tries
from pages.parts.training_under_way import follow

POLL = 0.7  # s between two looks at a run under way
GLANCE = 3.0  # s between two looks at a run that somebody else may start
FIRST_LOOK = 0.4  # s, at most, that a look waits for the first batch of a run that has just been started
MORE_EPOCHS = 10
MOST_EPOCHS = 100
ENTRY = course.entry("training")
# Fields and button grow with the letters of a wide screen; [data-retained] is Start, until the run of the page ends.
STYLE = """<style>
.st-key-epochs, .st-key-lr { flex-basis: 8.25rem !important; }
.st-key-images { flex-basis: 9.25rem !important; }
div:has(> .st-key-action) { flex-basis: 8.75rem !important; }
.st-key-action button p { white-space: nowrap; }
.st-key-action [data-retained] { display: none; }
</style>"""


# --- What can be done with the run


def quick_button(jobs: Jobs) -> None:
    st.button(
        _("Quick run"),
        icon=":material/bolt:",
        type="primary",
        help=start.about_quick(),
        on_click=start.quick,
        args=(jobs.submit,),
        key="quick",
    )


def action(jobs: Jobs, job: Job | None, ahead: int, refused: bool) -> None:
    """Offer the one thing that can be done with the run now; see `show_run` for `ahead`."""
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
    if job is not None and job.status == "done" and job.origin != "here":
        st.button(
            _("Train it here"),
            icon=":material/play_arrow:",
            disabled=refused,
            on_click=start.shown,
            args=(partial(found.train_here, jobs),),
            key="start",
            width="stretch",
        )
        return
    label = _("Start")
    if job is not None and job.status == "failed":
        label = _("Try again")
    elif ahead or (job is not None and job.status == "cancelled" and job.epochs):
        label = _("Continue")
    st.button(
        label,
        icon=":material/play_arrow:",
        disabled=refused or (job is not None and job.status == "done"),
        on_click=start.shown,
        args=(jobs.submit,),
        key="start",
        width="stretch",
    )


def more_epochs_button(jobs: Jobs, spec: RunSpec, job: Job | None) -> None:
    """Offer to go on with a finished run; a schedule or an early stop would have made another run of it.

    Weights that are no numbers stay so.
    """
    epochs = spec.epochs + MORE_EPOCHS
    if job is None or job.status != "done" or spec.schedule != "constant" or spec.patience or epochs > MOST_EPOCHS:
        return
    if job.epochs and not isfinite(job.epochs[-1].test_loss):
        return
    st.button(
        _("{n} more epochs").format(n=MORE_EPOCHS),
        icon=":material/fast_forward:",
        help=_("Goes on from where this run ended."),
        on_click=start.begin,
        args=(jobs.submit, replace(spec, epochs=epochs)),
        key="more_epochs",
    )


# --- The picture, which is drawn anew until the page around it has to change


def state(job: Job | None) -> str:
    """Say what the page around a run depends on."""
    return "" if job is None else "active" if job.active else job.status


def pause(states: tuple[str, ...]) -> float | None:
    """Return the seconds until the next look: somebody else may start or stop a run; one that is done stays so."""
    if "active" in states:
        return POLL
    return None if set(states) == {"done"} else GLANCE


def show_run(jobs: Jobs, spec: RunSpec, axis: str, drawn_as: tuple[str, ...], ahead: int) -> None:
    """Draw what the run has reported; `ahead` epochs of it are kept as a shorter run."""
    job = found.find(jobs, spec)
    said = st.empty()
    if job is not None and job.status == "running" and not job.batches:
        say(said, job, drawn.report(job, spec, language(), axis))
        job.wait_for(lambda job: bool(job.batches) or not job.active, FIRST_LOOK)
    if (state(job),) != drawn_as:
        st.rerun()
    report = drawn.report(job, spec, language(), axis)
    say(said, job, report, ahead)
    tell_progress(job)
    epochs = report.epochs[: report.epoch_count]
    told = words.captions(epochs, spec) if report.ended else []
    played = len(told) > 1  # one epoch is nothing to play
    player(
        compiled(figure.picture, axis, not spec.images.has_digits),
        key="run",
        name="training",
        alt=words.alternative(report),
        data=drawn.encoded_rows(report),
        steps=len(epochs) if played else 0,
        start=-1,
        moments=range(1, len(epochs) + 1) if played else (),
        captions=told if played else (),
        sliders=[training_axes.smoothing(spec.steps_per_epoch)],
        outputs=figure.WORST,
        formula=words.cross_entropy() if epochs and all(epoch.worst for epoch in epochs) else "",
    )
    if len(told) == 1:
        st.markdown(told[0])
    if report.batch_count:
        st.caption(training_axes.four_losses(spec.batch_size))
    if job is not None:
        st.caption(words.conditions(job), help=words.reasons(job) or None)
    else:
        st.caption(
            _(
                "Quick run: one epoch of 10,000 images of the chosen network, with a learning rate that climbs and "
                "falls (one cycle); the CNN takes about a second, a deep network longer."
            )
        )


def say(place: DeltaGenerator, job: Job | None, report: drawn.Report, ahead: int = 0) -> None:
    with place:
        page.status(*words.status(job, report, ahead))


def tell_progress(job: Job | None) -> None:
    """Show how far a run is, and what was wrong with what was kept of it."""
    for notice in job.notices if job is not None else ():
        page.status(error_sentence(notice), "warning")
    if job is not None and job.active:
        st.progress(min(1.0, job.progress))


def show_race(jobs: Jobs, specs: tuple[RunSpec, ...], spec: RunSpec, axis: str, drawn_as: tuple[str, ...]) -> None:
    """Draw what all runs of the comparison have reported."""
    race, runs = compare.race(jobs, specs, axis)
    if tuple(map(state, runs)) != drawn_as:
        st.rerun()
    sentences = list(filter(None, (compare.about(), compared.status(runs, race.reports, race.names))))
    if sentences:
        page.status("  \n".join(sentences))  # below each other in one paragraph
    job = found.find(jobs, spec)
    if job is not None and (job.active or not sentences):
        page.status(*words.status(job, drawn.report(job, spec, language(), axis)))
    tell_progress(job)
    player(
        compiled(comparison.picture, axis, len(specs)),
        key="runs",
        name="training-runs",
        alt=compared.alternative(race.reports, race.names),
        data=comparison_rows.encoded_rows(race),
        steps=race.steps,
        start=-1,
        moments=range(1, race.steps + 1),
        captions=compared.captions(race.reports, race.names) if race.steps else (),
        sliders=[training_axes.smoothing(min(one.steps_per_epoch for one in specs))],
    )
    if any(report.epoch_count for report in race.reports):
        st.caption(compared.columns())


def show_numbers(jobs: Jobs, spec: RunSpec, specs: tuple[RunSpec, ...], axis: str) -> None:
    """List what is drawn, of a run under way as far as its epochs are finished."""
    job = found.find(jobs, spec)
    if job is None or (job.active and not job.epochs):
        st.markdown(_("Appears after the first epoch."))
    else:
        numbers.show(job, compare.race(jobs, specs, axis)[0] if specs else None)


# --- The page, from top to bottom

head = st.container()  # what it says is known below
try:
    jobs = manager()
except InputError as error:
    page.header(_(ENTRY.title), _(ENTRY.promise))
    page.input_error(error)
    st.stop()
setup.arrive()
found.open_imported(jobs)
compare.read_link()
link.check()
check_choice("axis", training_axes.AXES)

first = st.container(horizontal=True, vertical_alignment="center", gap="small")
with first:
    quick = st.container(width="content")
    model = setup.network()
with quick:
    quick_button(jobs)
with st.container(horizontal=True, vertical_alignment="bottom", gap="small"):
    setup.number("epochs", width=120)
    setup.number("lr", width=130)
    setup.number("train_images", width=150)
    more = st.popover(_("More"), key=setup.MORE, on_change="rerun")
    with more:
        setup.more(model, is_open=bool(more.open))
    comparing = st.popover(_("Compare"), key=compare.MENU, on_change="rerun")
    with st.container(width=136, key="action"):  # of one size, so that nothing moves when Start becomes Stop
        button = st.empty()
st.html(STYLE)

spec, errors = setup.spec_in_force(model)
with head:
    page.header(_("Training on {title}").format(title=spec.images.title), _(ENTRY.promise))
for error in errors:
    page.input_error(error)
if errors:
    st.caption(_("Below is another run, whose settings were right: {run}.").format(run=words.called(spec)))
training_data.offer(spec.data, "page")
with comparing:
    compare.choose(jobs)
compare.write_link()
specs = compare.shown(spec)
job = found.find(jobs, spec)
runs = [found.find(jobs, one) for one in specs] or [job]
ahead = jobs.store.epochs_ahead(spec, jobs.placement) if job is None else 0
with button:
    action(jobs, job, ahead, refused=bool(errors) or not is_here(spec.data))
if specs:
    compare.missing_button(jobs, runs, specs)

place = st.container()
with st.container(horizontal=True, vertical_alignment="center", gap="small"):
    titles = training_axes.axis_titles()
    axis = choice(_("Horizontal axis"), titles, key="axis", default="epoch", label_visibility="collapsed")
    compare.add_button(spec)
    more_epochs_button(jobs, spec, job)
states = tuple(map(state, runs))
with place:
    if specs:
        st.fragment(show_race, run_every=pause(states))(jobs, specs, spec, axis, states)
    else:
        st.fragment(show_run, run_every=pause(states))(jobs, spec, axis, states, ahead)

if specs:
    compare.choose_below(specs, spec)
with page.section(_("Runs under way"), key="queue") as is_open:
    if is_open:
        queue.show(jobs)
with page.section(_("The numbers"), key="numbers") as is_open:
    if is_open:
        follow(show_numbers, job, jobs, spec, specs, axis)
SECTIONS = (
    ("results", _("Results: what it takes for what"), training_results.show),
    ("inside", _("Inside the network"), training_inside.show),
    ("digit", _("Draw a digit"), training_digit.show),
    ("loop", _("The training loop, line by line"), training_loop.show),
    ("card", _("Model card; take the run away or bring one"), training_card.show),
)
for key, label, show in SECTIONS:
    with page.section(label, key=key) as is_open:
        if is_open:
            show(jobs, spec, job)
with page.section(_("One step of the optimizer"), key="step") as is_open:
    if is_open:
        numbers.why_above()
        numbers.update_rule(spec)
page.code_panel(lambda: training_script(spec), name="training")
with page.section(_("Things to try"), key="try") as is_open:
    if is_open:
        tries.show(jobs)
