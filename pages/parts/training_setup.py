"""What is trained: the network with its options, and how; all of it stands in the link."""

import math
from collections.abc import Collection
from contextlib import suppress
from sys import float_info
from typing import Any

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from app.choice import choice
from app.figures.training_augmented import ANY, strip
from app.figures.training_card import capitalised
from app.figures.training_refused import labels, refusals
from app.figures.training_schedule import in_numbers
from app.history import is_restored
from app.i18n import _, error_sentence
from app.link import wrong_choice, wrong_number, wrong_switch
from core.errors import InputError
from core.image_sets import DATASETS
from core.models import MODELS
from core.optimizers import OPTIMIZERS, SCHEDULES
from core.options import Option
from core.run import DEFAULTS, RunSpec
from core.run_text import NAMES
from pages.parts import training_data

GOOD = "accepted"  # the last run whose numbers were all right
MORE = "more"  # the panel that most controls stand in
_HELD = "more.held"  # in the session: what the controls in the closed panel were set to
MOST = float_info.max
FIRST = ("epochs", "lr", "train_images")  # the fields beside the panel
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


def wrong_in_link() -> list[str]:
    """Say which values of the link cannot be used, and which names are not as a link calls them."""
    choices: dict[str, Collection[str]] = {
        "model": MODELS, "data": DATASETS, "optimizer": OPTIMIZERS, "schedule": SCHEDULES
    }  # fmt: skip
    switches = ["nesterov"]
    numbers = [NAMES[name] for name in NUMBERS]
    for option in MODELS[_model()].options:
        key = option_key(_model(), option)
        if isinstance(option.default, bool):
            switches.append(key)
        elif isinstance(option.default, str):
            choices[key] = option.choices
        else:
            numbers.append(key)
    wrong = [wrong_choice(key, options) for key, options in choices.items()]
    wrong += [wrong_switch(key) for key in switches]
    wrong += [wrong_number(key, -MOST, MOST, _beyond(key)) for key in numbers]  # the spec judges what is too large
    return [*wrong, *_misnamed()]


def _beyond(key: str) -> str:
    """Return what the spec says of an infinite number in the link, as it would of one that is too large."""
    fields = {link: name for name, link in NAMES.items()}
    try:
        asked = float(st.query_params.get(key, ""))
    except ValueError:
        return ""
    if not math.isinf(asked):
        return ""
    named = {fields[key]: asked} if key in fields else {"options": {key.partition(".")[2]: asked}}
    return " ".join(map(error_sentence, refusals({"model": _model()} | named).values()))


def _misnamed() -> list[str]:
    """Say which names in the link are those of a field or an option, but not as a link calls them."""
    meant = {name: key for name, key in NAMES.items() if name != key}
    meant |= {option.name: option_key(_model(), option) for option in MODELS[_model()].options}
    sentence = _("The link says {name}, which does nothing here; in a link it is called {key}.")
    return [sentence.format(name=name, key=key).replace("_", r"\_") for name, key in meant.items()
            if name in st.query_params]  # fmt: skip


def names_in_link() -> set[str]:
    """Return the names that a link may say of a run while the network is the present one, or says by mistake."""
    options = MODELS[_model()].options
    keys = {option_key(_model(), option) for option in options}
    return {"model", *NAMES, *NAMES.values(), *keys, *(option.name for option in options)}


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
    """Draw the rest of the spec, whose controls hold what they were set to while they were not on the screen."""
    if not is_restored():  # else the link says what they hold
        st.session_state.update(_held())
    _panel(model, is_open=is_open)
    if is_open:
        st.session_state.pop(_HELD, None)
    elif is_restored():
        _hold({key: _as_in_link(st.session_state[key]) for key in _behind(model)})


def _panel(model: str, *, is_open: bool) -> None:
    """Draw how it learns, what is done to its images, and the network's own options.

    A value that is refused gets its sentence here as well, because the panel covers the one on the page.
    """
    told: dict[str, DeltaGenerator] = {}  # where it is said of a field what is wrong with it
    learning, images = st.columns(2)
    with learning:
        titles = {name: entry.title for name, entry in OPTIMIZERS.items()}
        optimizer = choice(
            labels()["optimizer"], titles, key="optimizer", default="sgd", folded=True, on_change=suit_rate
        )
        uses = OPTIMIZERS[optimizer].uses
        for name in ("batch_size", "momentum"):
            number(name, disabled=name == "momentum" and name not in uses)
            told[name] = st.container()
        key, off = NAMES["nesterov"], "nesterov" not in uses
        st.toggle(labels()["nesterov"], key=key, bind="query-params", disabled=off)
        told["nesterov"] = st.container()
        number("weight_decay", disabled="weight_decay" not in uses)
        told["weight_decay"] = st.container()
        schedules = {name: _(entry.title) for name, entry in SCHEDULES.items()}
        chosen = choice(labels()["schedule"], schedules, key="schedule", default="constant", folded=True)
        st.caption(_(SCHEDULES[chosen].about))
        if is_open:
            scheduled(chosen, typed(model)["lr"])
    with images:
        data = choice(
            labels()["data"], training_data.titles(), key="data", default="mnist", folded=True, on_change=suit_images
        )
        told["data"] = st.container()
        if is_open:
            training_data.offer(data, "more")
        for option in MODELS[model].options:
            draw_option(model, option)
        told["options"] = st.container()
        for name in ("shift", "rotate"):
            number(name)
            told[name] = st.container()
        examples = st.container()
        for name in ("patience", "seed"):
            number(name)
            told[name] = st.container()
        if is_open:
            with examples:
                augmented(typed(model))
    for name, error in refusals(typed(model)).items():
        if name in told:
            told[name].markdown(f":small[:red[{error_sentence(error)}]]")


def _behind(model: str) -> list[str]:
    """Return the keys of the controls that stand in the panel."""
    fields = [key for name, key in NAMES.items() if name not in FIRST]
    return [*fields, *(option_key(model, option) for option in MODELS[model].options)]


def _hold(values: dict[str, Any]) -> None:
    """Remember what the controls in the panel are set to, until it has been opened.

    Streamlit does not tell the browser of a new value for a control that is not on the screen: one that was there
    before would send its old value back with the next click.
    """
    st.session_state[_HELD] = values


def _held() -> dict[str, Any]:
    """Return what the controls in the closed panel were set to."""
    held: dict[str, Any] = st.session_state.get(_HELD, {})
    return held


def arrive() -> None:
    """Forget what the panel was set to where the reader comes from another page; before anything is drawn."""
    if MORE not in st.session_state:
        st.session_state.pop(_HELD, None)


def draw_option(model: str, option: Option) -> None:
    """Draw an option of a network by the type of its values."""
    key, title = option_key(model, option), capitalised(_(option.title))
    if isinstance(option.default, bool):
        st.toggle(title, value=option.default, key=key, bind="query-params")
    elif isinstance(option.default, str):
        named = {value: _(shown) for value, shown in option.choices.items()}
        choice(title, named, key=key, default=option.default, folded=True)
    else:
        _number(title, key, option.default, option.step if isinstance(option.default, int) else 0.1)


def augmented(values: dict[str, Any]) -> None:
    """Show what an image becomes, epoch by epoch, where the augmentation is on and what is typed is right."""
    chosen = {name: values[name] for name in ("data", "shift", "rotate", "seed")}
    try:
        spec = RunSpec(model=ANY, **chosen)
        shown = strip(spec.data, spec.shift, spec.rotate, spec.seed) if spec.augments else b""
    except InputError:  # its sentence stands under the field, or the set is offered above
        return
    if shown:
        text = _("A training image as the first eight epochs may see it: moved and turned.")
        st.image(shown, alt=text)
        st.caption(text)


def suit_images() -> None:
    """Take all images of the set just chosen where all of the last one were taken, and never more than it has."""
    most = DATASETS[st.session_state["data"]].train_images
    chosen = st.session_state[NAMES["train_images"]]
    if chosen > most or chosen in {entry.train_images for entry in DATASETS.values()}:
        st.session_state[NAMES["train_images"]] = float(most)


def scheduled(schedule: str, lr: float) -> None:
    """Say what the schedule makes of the learning rate that is typed, where it can be one."""
    with suppress(InputError):
        if said := in_numbers(schedule, RunSpec(lr=lr).lr):
            st.caption(said)


def suit_rate() -> None:
    """Set a learning rate that suits the optimizer just chosen."""
    st.session_state[NAMES["lr"]] = OPTIMIZERS[st.session_state["optimizer"]].lr


def typed(model: str) -> dict[str, Any]:
    """Read the controls, by the spec's names; the images stand before the batch, which they limit."""
    values: dict[str, Any] = {"model": model, "options": {}}
    held = _held()
    for option in MODELS[model].options:
        key = option_key(model, option)
        value = held.get(key, st.session_state.get(key, option.default))
        values["options"][option.name] = _in_kind(option.default, value)
    fields = {name: held[key] if key in held else st.session_state[key] for name, key in NAMES.items()}
    return values | {name: _in_kind(DEFAULTS[name], value) for name, value in fields.items()}


def _in_kind(default: object, value: Any) -> Any:  # noqa: ANN401 - whatever a widget holds
    """Return the integer that a float stands for where one is wanted; the spec refuses what is none."""
    wants_whole = isinstance(default, int) and not isinstance(default, bool) and isinstance(value, float)
    return int(value) if wants_whole and value % 1 == 0 and abs(value) < 1e15 else value


def spec_in_force(model: str) -> tuple[RunSpec, list[InputError]]:
    """Return the run of the controls, and what is wrong with them; then it is the last one that was right."""
    values = typed(model)
    errors = list(refusals(values).values())
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
    return {"model": spec.model} | {key: _as_in_link(value) for key, value in values.items()}


def _as_in_link(value: Any) -> Any:  # noqa: ANN401 - whatever a widget holds
    """Return the integer that a float stands for: of a float Streamlit would write 100.0 into the link."""
    return int(value) if isinstance(value, float) and value % 1 == 0 and abs(value) < 1e15 else value


def put(spec: RunSpec) -> None:
    """Set all controls to a run: after a click, or before they are drawn for the first time.

    Streamlit writes what is set for a control that it knows already into the link, and not for one that is new.
    """
    values, usual = controls(spec), controls(RunSpec())
    usual |= {option_key(spec.model, option): option.default for option in MODELS[spec.model].options}
    new = {key: value for key, value in values.items() if key not in st.session_state and value != usual[key]}
    if new:
        st.query_params.update({key: _written(value) for key, value in new.items()})
    st.session_state.update(values)
    _hold({key: values[key] for key in _behind(spec.model)})


def _written(value: object) -> str:
    """Return how Streamlit writes what a control holds into the link."""
    return str(value).lower() if isinstance(value, bool) else str(value)


def are_set() -> bool:
    """Say whether there are controls already."""
    return "epochs" in st.session_state


def named_in_link() -> bool:
    """Say whether the link sets any control."""
    keys = {"model", *NAMES.values()}
    return any(name in keys or name.partition(".")[0] in MODELS for name in st.query_params)
