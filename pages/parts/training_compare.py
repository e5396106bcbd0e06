"""Several runs beside each other: which, kept in the link as `compare`, and the prepared comparisons."""

from collections.abc import Sequence

import streamlit as st

from app.figures import comparison_words as words
from app.figures.comparison import colours
from app.figures.comparison_rows import Race
from app.figures.run_names import names
from app.figures.training_rows import report
from app.history import is_news
from app.i18n import _, error_sentence, language, ngettext
from app.link import check_choice
from core import run_text
from core.errors import InputError
from core.job import Job
from core.jobs import Jobs
from core.models import MODELS
from core.preset_runs import COMPARISONS
from core.run import RunSpec
from core.shipped import shipped_runs
from pages.parts import training_setup as setup
from pages.parts.training_found import find

LINK = "compare"  # its value: the name of a prepared comparison, or the runs as text
MENU, BELOW = "comparing", "compare.below"  # the menu of comparisons; the run that the page describes
_RUNS = "compare.runs"  # in the session


def read_link() -> None:
    """Take the runs from the link where it asks for other ones; say what cannot be read.

    A link that names no run of its own shows the first of the comparison in the controls.
    """
    if not is_news(LINK):
        return
    runs, errors = _asked_runs(st.query_params.get(LINK, ""))
    for error in errors:
        sentence = _("Not all of the link's comparison can be shown. {reason}")
        st.warning(sentence.format(reason=plain(error_sentence(error))), icon=":material/link_off:")
    st.session_state[_RUNS] = runs
    if runs and not setup.are_set() and not setup.named_in_link():
        setup.put(runs[0])


def _asked_runs(asked: str) -> tuple[tuple[RunSpec, ...], Sequence[InputError]]:
    """Return the runs of a link, and what cannot be read of them; a name that no comparison has is said here."""
    if asked in COMPARISONS:
        return COMPARISONS[asked].runs, ()
    if asked.isalpha() and asked not in MODELS:
        check_choice(LINK, COMPARISONS)
        return (), ()
    return run_text.read_all(asked)


def plain(text: str) -> str:
    """Keep Markdown in a link from becoming markup."""
    return "".join(f"\\{character}" if character in "\\`*_[]()<>#$:~!|{}" else character for character in text)


def write_link() -> None:
    """Let the link say what is compared, by its name where it has one."""
    runs = pinned()
    named = next((name for name, entry in COMPARISONS.items() if entry.runs == runs), None)
    text = named or run_text.write_all(runs)
    if text != st.query_params.get(LINK, ""):
        if text:
            st.query_params[LINK] = text
        else:
            del st.query_params[LINK]


def pinned() -> tuple[RunSpec, ...]:
    """Return the runs that are compared."""
    return st.session_state.get(_RUNS, ())


def shown(spec: RunSpec) -> tuple[RunSpec, ...]:
    """Return the runs of the picture: those compared, and the controls' own."""
    runs = pinned()
    return runs if spec in runs or not runs else (*runs, spec)


def pin(runs: Sequence[RunSpec]) -> None:
    st.session_state[_RUNS] = tuple(runs)[: run_text.MOST_RUNS]


def open_prepared(name: str) -> None:
    """Show a prepared comparison, and no longer the menu that offers it."""
    runs = COMPARISONS[name].runs
    pin(runs)
    setup.put(runs[0])
    st.session_state[MENU] = False


def readiness(jobs: Jobs, runs: Sequence[RunSpec]) -> str:
    """Say whether a comparison opens at once, without opening its runs."""
    ships = {run.spec for run in shipped_runs()}
    keys = [run.key(jobs.placement) for run in runs if run not in ships]
    kept = [jobs.store.summary(key) for key in keys]
    missing = sum(run is None or run.state != "done" for run in kept)
    if not missing:
        return _("ready")
    return ngettext("{n} run to train", "{n} runs to train", missing).format(n=missing)


def choose(jobs: Jobs) -> None:
    """Offer the prepared comparisons, and the runs of this one to leave out."""
    st.markdown(_("Prepared comparisons"))
    for name, entry in COMPARISONS.items():
        st.button(
            f"{_(entry.title)} · {readiness(jobs, entry.runs)}",
            key=f"prepared_{name}",
            type="tertiary",
            icon=":material/stacked_line_chart:",
            help=_(entry.about),
            on_click=open_prepared,
            args=(name,),
        )
    if not pinned():
        return
    texts = {run_text.write(run): run for run in pinned()}
    called = dict(zip(texts, names(tuple(texts.values())), strict=True))
    st.session_state["compare.kept"] = list(texts)
    st.multiselect(
        _("Runs of this comparison"),
        list(texts),
        format_func=called.__getitem__,
        key="compare.kept",
        on_change=leave_out,
    )


def leave_out() -> None:
    kept = set(st.session_state["compare.kept"])
    pin([run for run in pinned() if run_text.write(run) in kept])


def add_button(spec: RunSpec) -> None:
    """Offer to close the comparison, and to add the controls' run to it or to begin one with it."""
    full = len(pinned()) >= run_text.MOST_RUNS
    if pinned():
        st.button(_("Close the comparison"), icon=":material/close:", key="leave", on_click=pin, args=((),))
    if spec in pinned():
        return
    st.button(
        _("Add to the comparison"),
        icon=":material/add:",
        help=_(
            "A comparison keeps at most {most} runs, besides the one that is set above; leave one out under Compare."
        ).format(most=run_text.MOST_RUNS)
        if full
        else _("Keeps this run on the chart while you change the settings and train another one."),
        disabled=full,
        key="add",
        on_click=pin,
        args=((*pinned(), spec),),
    )


def missing_button(jobs: Jobs, runs: Sequence[Job | None], specs: Sequence[RunSpec]) -> None:
    """Offer to train all runs of the comparison that are not there, one after the other."""
    missing = [
        spec for spec, job in zip(specs, runs, strict=True) if job is None or (not job.active and job.status != "done")
    ]
    if not missing:
        return
    label = ngettext("Train the missing run", "Train the {n} missing runs", len(missing))
    st.button(
        label.format(n=len(missing)),
        icon=":material/playlist_add:",
        type="primary",
        key="train_missing",
        on_click=submit_all,
        args=(jobs, missing),
    )


def submit_all(jobs: Jobs, specs: Sequence[RunSpec]) -> None:
    for spec in specs:
        jobs.submit(spec)


def race(jobs: Jobs, specs: tuple[RunSpec, ...], axis: str) -> tuple[Race, list[Job | None]]:
    """Take what the runs have reported at this moment."""
    runs = [find(jobs, spec) for spec in specs]
    reports = tuple(report(job, spec, language(), axis) for job, spec in zip(runs, specs, strict=True))
    states = tuple(map(words.state, runs))
    return Race(reports=reports, names=names(specs), colours=colours(specs), states=states), runs


def about() -> str:
    """Say what a prepared comparison asks; nothing of another one."""
    for entry in COMPARISONS.values():
        if entry.runs == pinned():
            return _("**{title}**: {question}").format(title=_(entry.title), question=_(entry.about))
    return ""


def choose_below(specs: Sequence[RunSpec], spec: RunSpec) -> None:
    """Say which run the controls and the sections below are about, and let another one be chosen."""
    texts = {run_text.write(run): run for run in specs}
    called = dict(zip(texts, names(specs), strict=True))
    st.session_state[BELOW] = run_text.write(spec)
    st.selectbox(
        _("The settings above and the sections below belong to this run; choose another one here."),
        list(texts),
        format_func=called.__getitem__,
        key=BELOW,
        on_change=lambda: setup.put(texts[st.session_state[BELOW]]),
        width=720,
    )
