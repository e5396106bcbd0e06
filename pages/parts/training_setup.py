"""What is trained: the network with its options, and how; all of it stands in the link."""

from collections.abc import Callable
from sys import float_info
from typing import Any

import streamlit as st

from app.choice import choice
from app.figures.training_augmented import strip
from app.figures.training_refused import labels, refusals
from app.i18n import _
from app.link import check_choice, check_number
from core.errors import InputError
from core.models import MODELS
from core.optimizers import OPTIMIZERS, SCHEDULES
from core.options import Option
from core.run import DEFAULTS, RunSpec
from core.run_text import NAMES

GOOD = "accepted"  # the last run whose numbers were all right
SWITCHES = ("false", "true")  # in the link
NUMBERS = {  # the spec's numbers and the steps of their buttons; they have no bounds, the spec refuses wrong values
    "epochs": 1.0,
    "lr": 0.01,
    "train_images": 10_000.0,
    "batch_size": 16.0,
    "momentum": 0.1,
    "weight_decay": 0.0001,
    "shift": 1.0,
    "rotate": 5.0,
    "patience": 1.0,
    "seed": 1.0,
}


def check_link() -> None:
    """Say which values of the link cannot be used."""
    check_choice("model", MODELS)
    check_choice("optimizer", OPTIMIZERS)
    check_choice("schedule", SCHEDULES)
    check_choice("nesterov", SWITCHES)
    for name in NUMBERS:  # what is too large gets a sentence of the spec
        check_number(NAMES[name], -float_info.max, float_info.max)
    for option in MODELS[_model()].options:
        key = option_key(_model(), option)
        if isinstance(option.default, bool):
            check_choice(key, SWITCHES)
        elif isinstance(option.default, str):
            check_choice(key, option.choices)
        else:
            check_number(key, -float_info.max, float_info.max)


def _model() -> str:
    asked = st.query_params.get("model", "")
    return str(st.session_state.get("model") or (asked if asked in MODELS else RunSpec().model))


def option_key(model: str, option: Option) -> str:
    """Return how the link calls an option of a network."""
    return f"{model}.{option.name}"


def network() -> str:
    """Choose the network."""
    titles = {name: model.class_name for name, model in MODELS.items()}
    return choice(_("Network"), titles, key="model", default=RunSpec().model, label_visibility="collapsed")


def number(name: str, *, width: int | str = "stretch", disabled: bool = False) -> None:
    """Draw one number of the spec, as a float, so that what the link or a hand brings reaches the spec as it is."""
    _number(labels()[name], NAMES[name], DEFAULTS[name], NUMBERS[name], width=width, disabled=disabled)


def _number(label: str, key: str, default: float, step: float, **look: Any) -> None:  # noqa: ANN401 - Streamlit's
    st.number_input(label, value=float(default), step=float(step), format="%g", key=key, bind="query-params", **look)


def more(model: str, *, is_open: bool) -> None:
    """Draw the rest of the spec: how it learns, what is done to its images, and the network's own options."""
    learning, images = st.columns(2)
    with learning:
        titles = {name: entry.title for name, entry in OPTIMIZERS.items()}
        optimizer = choice(
            labels()["optimizer"], titles, key="optimizer", default="sgd", folded=True, on_change=suit_rate
        )
        uses = OPTIMIZERS[optimizer].uses
        number("batch_size")
        number("momentum", disabled="momentum" not in uses)
        key, off = NAMES["nesterov"], "nesterov" not in uses
        st.toggle(labels()["nesterov"], key=key, bind="query-params", disabled=off)
        number("weight_decay", disabled="weight_decay" not in uses)
        schedules = {name: _(entry.title) for name, entry in SCHEDULES.items()}
        chosen = choice(labels()["schedule"], schedules, key="schedule", default="constant", folded=True)
        st.caption(_(SCHEDULES[chosen].about))
    with images:
        for option in MODELS[model].options:
            draw_option(model, option)
        number("shift")
        number("rotate")
        if is_open:
            augmented()
        number("patience")
        number("seed")


def draw_option(model: str, option: Option) -> None:
    """Draw an option of a network by the type of its values."""
    key, title = option_key(model, option), _(option.title)
    if isinstance(option.default, bool):
        st.toggle(title, value=option.default, key=key, bind="query-params")
    elif isinstance(option.default, str):
        named = {value: _(shown) for value, shown in option.choices.items()}
        choice(title, named, key=key, default=option.default, folded=True)
    else:
        _number(title, key, option.default, option.step if isinstance(option.default, int) else 0.1)


def augmented() -> None:
    """Show what an image becomes, epoch by epoch, where the augmentation is on."""
    spec: RunSpec = st.session_state.get(GOOD, RunSpec())
    if spec.shift or spec.rotate:
        text = _("A training image as the first eight epochs may see it: moved and turned.")
        st.image(strip(spec.shift, spec.rotate, spec.seed), alt=text)
        st.caption(text)


def suit_rate() -> None:
    """Set a learning rate that suits the optimizer just chosen."""
    st.session_state[NAMES["lr"]] = OPTIMIZERS[st.session_state["optimizer"]].lr


def typed(model: str) -> dict[str, Any]:
    """Read the controls, by the spec's names; the images stand before the batch, which they limit."""
    values: dict[str, Any] = {"model": model, "options": {}}
    for option in MODELS[model].options:
        value = st.session_state[option_key(model, option)]
        values["options"][option.name] = _in_kind(option.default, value)
    return values | {name: _in_kind(DEFAULTS[name], st.session_state[key]) for name, key in NAMES.items()}


def _in_kind(default: object, value: Any) -> Any:  # noqa: ANN401 - whatever a widget holds
    """Return the integer that a float stands for where one is wanted; the spec refuses what is none."""
    wants_whole = isinstance(default, int) and not isinstance(default, bool) and isinstance(value, float)
    return int(value) if wants_whole and value % 1 == 0 and abs(value) < 1e15 else value


def spec_in_force(model: str) -> tuple[RunSpec, list[InputError]]:
    """Return the run of the controls, and what is wrong with them; then it is the last one that was right."""
    values = typed(model)
    errors = refusals(values)
    if not errors:
        st.session_state[GOOD] = RunSpec(**values)
    spec: RunSpec = st.session_state.get(GOOD, RunSpec())
    return spec, errors


def controls(spec: RunSpec) -> dict[str, Any]:
    """Return what each control holds for a run, by its name in the link."""
    fields = spec.as_dict()
    chosen = fields["options"]
    values = {key: fields[name] for name, key in NAMES.items()}
    values |= {option_key(spec.model, one): chosen.get(one.name, one.default) for one in MODELS[spec.model].options}
    return {"model": spec.model} | {
        key: float(value) if isinstance(value, int | float) and not isinstance(value, bool) else value
        for key, value in values.items()
    }


def put(spec: RunSpec) -> None:
    """Set all controls to a run: after a click, or before they are drawn for the first time."""
    st.session_state.update(controls(spec))


def named_in_link() -> bool:
    """Say whether there are controls already, or the link sets any."""
    keys = {"model", *NAMES.values()}
    named = any(name in keys or name.partition(".")[0] in MODELS for name in st.query_params)
    return named or "epochs" in st.session_state


def start(submit: Callable[[RunSpec], object], spec: RunSpec) -> None:
    """Set the controls to a run and begin it."""
    put(spec)
    submit(spec)
