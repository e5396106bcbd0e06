"""Training, validation and test rows, and what leaks from one to the other."""

from sys import float_info

import streamlit as st

from app import link, page
from app.charts import compiled
from app.figures import splits as parted
from app.i18n import _
from app.player import player
from core import splits
from core.splits import Split
from pages.parts.batches_controls import whole


def show() -> None:
    columns = st.columns(3)
    inputs = (("train", _("Training, %"), 60.0, 5.0), ("validation", _("Validation, %"), 20.0, 5.0))
    for column, (key, label, value, step) in zip(columns, (*inputs, ("split_seed", _("Seed"), 0.0, 1.0)), strict=True):
        with column:
            link.check_number(key, -float_info.max, float_info.max)
            st.number_input(label, value=value, step=step, format="%g", key=key, bind="query-params")
    split = accepted_split(*(st.session_state[key] for key in ("train", "validation", "split_seed")))
    player(
        compiled(parted.belt),
        key="split",
        name="split",
        alt=parted.in_words(split),
        data=parted.belt_data(split),
    )
    st.markdown(parted.uses())
    page.table(parted.table(split), name="split")
    st.code(parted.code(split), language="python")
    show_leaks(split)


def accepted_split(train: float, validation: float, seed: float) -> Split:
    """Return the typed split, or the last right one with a sentence for what is wrong."""
    state, seed = st.session_state, whole(seed)
    refused = splits.refusals(train, validation, seed)
    for error in refused:
        page.input_error(error)
    if not refused:
        state["batches.split"] = Split(train=train, validation=validation, seed=seed)
    split: Split = state.get("batches.split", Split())
    if refused:
        sentence = _("All that follows is for {train:g} % training, {validation:g} % validation, seed {seed}.")
        st.caption(sentence.format(train=split.train, validation=split.validation, seed=split.seed))
    return split


def show_leaks(split: Split) -> None:
    st.markdown(
        _(
            "**Leaks.** What touches the test rows before the test makes it lie. Three common mistakes, each "
            "measured on this table: the same model, with the mistake and without it, on {seeds} random splits. The "
            "model is a logistic regression; for the copied rows it is the nearest neighbour, which gives each row "
            "the label of the training row most like it."
        ).format(seeds=parted.SEEDS)
    )
    player(
        compiled(parted.leaks),
        key="leaks",
        name="leaks",
        alt=parted.leaks_in_words(split),
        data=parted.leaks_data(split),
    )
    for sentence in parted.verdicts(split):
        page.status(*sentence)
    page.table(parted.leaks_table(split), name="leaks")
