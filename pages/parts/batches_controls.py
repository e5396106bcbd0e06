"""What the page of batches can be set to; a number that cannot be is refused in words."""

from sys import float_info

import streamlit as st

from app import link, page
from app.choice import choice
from app.history import is_restored
from app.i18n import _, ngettext
from core import loading
from core.loading import Loading
from core.samples import AMOUNTS, ARRANGEMENTS, samples

USUAL = {"few": 5, "all": 32}  # batch sizes; ints, since the link says 5.0 for a float
EPOCHS = 3


def choose_loading() -> None:
    """Draw the four; they have no bounds of their own: core.loading refuses a wrong value with its sentence."""
    for key in ("batch_size", "seed"):
        link.check_number(key, -float_info.max, float_info.max)
    for key in ("shuffle", "drop_last"):
        link.check_choice(key, ("true", "false"))
    with st.container(horizontal=True, vertical_alignment="bottom", gap="medium"):
        number(_("Batch size"), "batch_size", USUAL[amount()])
        number(_("Seed"), "seed", 0)
        st.toggle("shuffle", value=True, key="shuffle", bind="query-params", width="content")
        st.toggle("drop_last", key="drop_last", bind="query-params", width="content")


def number(label: str, key: str, value: int) -> None:
    st.number_input(label, value=float(value), step=1.0, format="%g", key=key, bind="query-params", width=130)


def amount() -> str:
    """Return how much of the table is handed out, also before its control is drawn."""
    linked = st.query_params.get("rows")
    asked = linked if is_restored() else st.session_state.get("rows", linked)
    return asked if asked in AMOUNTS else "few"


def choose_data() -> None:
    left, middle, right = st.columns([2, 2, 1])
    with left:
        link.check_choice("rows", AMOUNTS)
        options = {name: _(title) for name, title in AMOUNTS.items()}
        choice(_("Samples"), options, key="rows", default="few", on_change=fit_batch)
    with middle:
        link.check_choice("order", ARRANGEMENTS)
        options = {name: _(title) for name, title in ARRANGEMENTS.items()}
        choice(_("Their order in the data set"), options, key="order", default="file")
    with right:
        link.check_number("epochs", -float_info.max, float_info.max)
        number(_("Epochs"), "epochs", EPOCHS)


def fit_batch() -> None:
    """Keep a batch size that the other amount of data allows; say so where it changes."""
    state = st.session_state
    chosen = state["rows"]
    before = next(name for name in AMOUNTS if name != chosen)
    size, usual, count = state["batch_size"], USUAL[chosen], len(samples(chosen))
    if size == USUAL[before]:
        sentence = _("The batch size is now {usual:g}, the usual one of this page for {count} samples.")
    elif size > count:
        sentence = _("The batch size is now {usual:g}: {size:,g} is more than the {count} samples.")
    else:
        return
    state["batch_size"] = usual
    state["batches.fitted"] = sentence.format(usual=usual, size=size, count=count)


def whole(value: float) -> int:
    """Return the integer that a float stands for; the spec refuses what is none."""
    return int(value) if value % 1 == 0 and abs(value) < 1e15 else value  # type: ignore[return-value]


def accepted(count: int) -> Loading:
    """Read the controls; say what is wrong with each number, and what the picture shows instead."""
    state = st.session_state
    usual = {"batch_size": USUAL[amount()], "seed": 0, "epochs": EPOCHS}
    numbers = {key: whole(state.get(key, value)) for key, value in usual.items()}
    refused = loading.refusals(count, numbers)
    if not refused:
        spec = Loading(count=count, shuffle=state["shuffle"], drop_last=state["drop_last"], **numbers)
        state["batches.accepted"] = spec
        return spec
    for error in refused:
        page.input_error(error)
    kept = state.get("batches.accepted")
    spec = kept if kept and kept.count == count else Loading(count=count, batch_size=USUAL[amount()])
    sentence = _("All that follows is for batch size {size}, seed {seed}, shuffle {shuffle}, drop_last {drop_last}")
    said = sentence.format(size=spec.batch_size, seed=spec.seed, shuffle=on(spec.shuffle), drop_last=on(spec.drop_last))
    epochs = ngettext("{said}, {epochs} epoch.", "{said}, {epochs} epochs.", spec.epochs)
    st.caption(epochs.format(said=said, epochs=spec.epochs))
    return spec


def on(switch: bool) -> str:
    return _("on") if switch else _("off")
