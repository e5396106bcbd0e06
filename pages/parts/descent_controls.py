"""What the page of gradient descent can be set to; a value that cannot be is refused in words."""

from dataclasses import replace
from functools import partial

import streamlit as st

from app import link, page
from app import points as data
from app.choice import choice
from app.figures.descent_clock import CLOCKS
from app.figures.descent_runs import MOST_ROWS, Settings, few, on_screen, title
from app.history import is_restored
from app.i18n import _
from core.descent import RACERS
from core.errors import InputError
from core.points import Points

USUAL = Settings()
GOOD = "descent.good"  # the settings in force while an input holds something else


def choose_points() -> Points:
    """Choose the data; of very many rows some are taken, aloud."""
    chosen = data.choose(default="noisy")
    if len(chosen) > MOST_ROWS:
        sentence = _("This page takes {most:,} of the {count:,} rows, evenly chosen.")
        page.status(sentence.format(most=MOST_ROWS, count=len(chosen)), "warning")
    return few(chosen)


def labels() -> dict[str, str]:
    """Name the settings as their inputs do."""
    return {
        "lr": _("Learning rate"),
        "epochs": _("Epochs"),
        "batch_size": _("Batch size of the mini-batches"),
        "seed": _("Seed of the shuffling"),
        "decay": _("Decay of the learning rate"),
        "w": _("Start of w"),
        "b": _("Start of b, where there is a bias"),
    }


def ask(name: str, step: float) -> InputError | None:
    """Draw the input of one setting and put its value in force; return why it cannot be."""
    link.check_number(name)
    usual: float = getattr(USUAL, name)
    label = labels()[name]
    value = st.number_input(label, value=float(usual), step=step, format="%g", key=name, bind="query-params")
    whole = isinstance(usual, int) and value == int(value)
    try:
        st.session_state[GOOD] = replace(in_force(), **{name: int(value) if whole else value})
    except InputError as error:
        return on_screen(error, label)
    return None


def refuse(name: str, error: InputError | None) -> None:
    """Say why a value was not taken, and which one the picture is drawn for."""
    if error:
        page.input_error(error)
        value = f"{getattr(in_force(), name):.15g}".replace("-", "−")
        st.caption(_("The picture is drawn for: {label} = {value}.").format(label=labels()[name], value=value))


def in_force() -> Settings:
    """Return the last settings that were right."""
    settings: Settings = st.session_state.get(GOOD, USUAL)
    return settings


def choose_race(batch_size: int) -> tuple[str, str]:
    """Draw the learning rate, which method is followed, and what a step is; return the latter two."""
    rate, method, step = st.columns([2, 3, 5])
    with rate:
        refused = ask("lr", 0.01)
    with method:
        titles = {racer: title(racer, batch_size) for racer in RACERS}
        link.check_choice("method", titles)
        follow = choice(_("Follow"), titles, key="method", default="sgd", folded=True)
    with step:
        clocks = {name: _(clock.title) for name, clock in CLOCKS.items()}
        link.check_choice("clock", clocks)
        why = _(
            "An update of the full batch uses all samples, one of SGD a single one: what is fair depends on the clock."
        )
        clock = choice(_("Count in"), clocks, key="clock", default="samples", help=why)
    refuse("lr", refused)
    return follow, clock


def more_settings(points: Points) -> None:
    """Draw the inputs that are closed at first, unless the link uses one of them."""
    steps = {"epochs": 1.0, "batch_size": 1.0, "seed": 1.0, "decay": 0.01, "w": 0.1, "b": 0.1}
    is_used = st.session_state.setdefault("descent.used", any(name in st.query_params for name in steps))
    panel = st.expander(
        _("More settings"), expanded=is_used, key="more", on_change="rerun", bind="query-params", type="compact"
    )
    with panel:
        columns = [column for _row in range(2) for column in st.columns(3)]
        refused = {}
        for column, (name, step) in zip(columns, steps.items(), strict=True):
            with column:
                refused[name] = ask(name, step)
        for name, error in refused.items():
            refuse(name, error)
        choose_shown(in_force().fitted(points).batch_size)
        st.caption(_("In epoch e = 0, 1, … the learning rate is lr / (1 + decay · e)."))


def read_shown() -> None:
    """Take from the link which methods are shown, once; say so where it names one that does not exist."""
    asked = st.query_params.get("shown")
    names = asked.split(",") if asked else []
    if asked is not None and not (names and set(names) <= set(RACERS)):
        link.check_choice("shown", ())
        del st.query_params["shown"]
        names = []
    if "descent.shown" not in st.session_state or is_restored():
        st.session_state["descent.shown"] = names or list(RACERS)


def choose_shown(batch_size: int) -> None:
    """Draw which methods are shown; the link names them in one parameter."""
    st.pills(
        _("Methods shown"),
        list(RACERS),
        selection_mode="multi",
        format_func=partial(title, batch_size=batch_size),
        key="descent.shown",
        persist_state="session",
    )
    chosen = shown(None)
    if len(chosen) < len(RACERS):
        st.query_params["shown"] = ",".join(chosen)
    elif "shown" in st.query_params:
        del st.query_params["shown"]


def shown(follow: str | None) -> tuple[str, ...]:
    """Return the methods that are shown, among them the one that is followed."""
    chosen = {*st.session_state.get("descent.shown", RACERS), follow}
    return tuple(racer for racer in RACERS if racer in chosen)


def fitted(points: Points) -> Settings:
    """Return settings that these points allow; what was asked for in vain is said, and what is taken instead."""
    settings = in_force()
    if settings.batch_size == USUAL.batch_size:  # nobody asked for it
        settings = replace(settings, batch_size=min(settings.batch_size, len(points)))
    try:
        settings.check(points)
    except InputError as error:
        page.input_error(on_screen(error, _("Batch size")))
        settings = settings.fitted(points)
        sentence = _("The picture takes batches of {batch_size} and {epochs} epochs.")
        st.caption(sentence.format(batch_size=settings.batch_size, epochs=settings.epochs))
    return settings
