"""A training run as a short text for a link, such as ``resnet~epochs-5~lr-0.1``, and back.

Only what differs from the defaults is written, with letters that a link leaves as they are. Reading is by a list of
known names: a text from a stranger's link can name a run, and nothing else.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress

from core.errors import InputError, Names
from core.models import find_model
from core.options import Value
from core.run import DEFAULTS, RunSpec

# The fields of a run besides its network and that network's options, and what a link calls them.
NAMES = {
    "data": "data",
    "epochs": "epochs",
    "train_images": "images",
    "batch_size": "batch",
    "optimizer": "optimizer",
    "lr": "lr",
    "momentum": "momentum",
    "nesterov": "nesterov",
    "weight_decay": "decay",
    "schedule": "schedule",
    "shift": "shift",
    "rotate": "rotate",
    "patience": "patience",
    "seed": "seed",
}
MOST_RUNS = 8  # in one text
LONGEST = 400  # characters of one run
_FIELDS = {name: field for field, name in NAMES.items()}
_PART, _RUN = "~", "~~"  # between the parts of a run, and between runs


def write(spec: RunSpec) -> str:
    """Return the text of a run; `read` makes the same run of it."""
    changed = spec.changed()
    parts = [(NAMES[name], value) for name, value in changed.items() if name in NAMES]
    parts += changed.get("options", {}).items()
    return _PART.join([spec.model, *(f"{name}-{_written(value)}" for name, value in parts)])


def read(text: str) -> RunSpec:
    """Return the run that a text names. Raises InputError for anything that is none."""
    if len(text) > LONGEST:
        raise InputError("A run in a link is at most {most} characters long.", most=LONGEST)
    model, *parts = text.split(_PART)
    options = {option.name: option for option in find_model(model).options}
    fields: dict[str, Value] = {}
    chosen: dict[str, Value] = {}
    for part in parts:
        name, _, value = part.partition("-")
        if name in _FIELDS:
            fields[_FIELDS[name]] = _like(DEFAULTS[_FIELDS[name]], name, value)
        elif name in options:
            chosen[name] = _like(options[name].default, name, value)
        else:
            raise InputError(
                "“{part}” says nothing about a run of {model}; known are {known}.",
                part=part[:40], model=model, known=Names([*_FIELDS, *options]),
            )  # fmt: skip
    return RunSpec(model=model, options=tuple(chosen.items()), **fields)  # type: ignore[arg-type]  # checked there


def write_all(specs: Sequence[RunSpec]) -> str:
    """Return the text of several runs."""
    return _RUN.join(map(write, specs))


def read_all(text: str) -> tuple[tuple[RunSpec, ...], tuple[InputError, ...]]:
    """Return the different runs of a text, at most MOST_RUNS, and why others were left out."""
    specs: dict[RunSpec, None] = {}  # in their order
    errors = []
    pieces = text.split(_RUN) if text else []
    for piece in pieces[:MOST_RUNS]:
        try:
            specs[read(piece)] = None
        except InputError as error:
            errors.append(error)
    if len(pieces) > MOST_RUNS:
        left = len(pieces) - MOST_RUNS
        errors.append(
            InputError(
                "A comparison keeps at most {most} runs; the last {left} are left out.", most=MOST_RUNS, left=left
            )
        )
    return tuple(specs), tuple(errors)


def _written(value: Value) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return f"{value:.15g}" if isinstance(value, float) and float(f"{value:.15g}") == value else str(value)


def _like(default: Value, name: str, text: str) -> Value:
    """Read a value of the default's type; a wrong one goes on as text, and the spec refuses it by name."""
    if isinstance(default, bool):
        return {"yes": True, "no": False}.get(text, text)
    if isinstance(default, str):
        return text
    for kind in (int, float):
        with suppress(ValueError):
            return kind(text[:40])
    raise InputError("{name} in a link must be a number, not {value}.", name=name, value=text[:40])
