"""Short names of the networks that are asked about a digit: what tells them apart, and no more."""

from collections.abc import Sequence

from app.figures.run_names import COUNTED, SAID, said
from app.i18n import N_, _
from core.models import MODELS, find_model
from core.naming import OPTION, Part, differences
from core.optimizers import OPTIMIZERS, SCHEDULES
from core.run import RunSpec

RESIDUAL = OPTION + "residual"
SHAPES = {True: N_("residual"), False: N_("plain")}  # of a stack
SETTINGS = ("epochs", "train_images", "batch_size", "optimizer", "lr", "schedule", "seed")  # what a tooltip says


def short_names(specs: Sequence[RunSpec]) -> tuple[str, ...]:
    """Name each run by its network; those of one network also by the first settings that tell them apart.

    >>> short_names([RunSpec(), RunSpec(model="mlp"), RunSpec(lr=0.1)])
    ('CNN, lr 0.01', 'MLP', 'CNN, lr 0.1')
    """
    parts: dict[RunSpec, list[Part]] = {}
    for model in dict.fromkeys(spec.model for spec in specs):
        alike = [spec for spec in dict.fromkeys(specs) if spec.model == model]
        parts |= zip(alike, _fewest([_shape(spec) for spec in alike], differences(alike)), strict=True)
    return tuple(_name(spec, parts[spec]) for spec in specs)


def _shape(spec: RunSpec) -> list[Part]:
    """Return what belongs to the name of every stack."""
    options = {option.name: option.default for option in find_model(spec.model).options} | dict(spec.options)
    return [(OPTION + name, options[name]) for name in ("depth", "residual") if name in options]


def _fewest(always: Sequence[list[Part]], found: Sequence[tuple[Part, ...]]) -> list[list[Part]]:
    """Return what is always said, and as many of the first differences as tell all runs apart."""
    names = list(always)
    for differing in zip(*found, strict=True):  # the values of one field
        if len(set(map(tuple, names))) == len(names):
            break
        names = [name if part in name else [*name, part] for name, part in zip(names, differing, strict=True)]
    return names


def settings(spec: RunSpec) -> str:
    """Write what matters of a run's settings, and every option of its network that is not as usual."""
    chosen = [(OPTION + name, value) for name, value in spec.options]
    fields = spec.as_dict()
    return _name(spec, [*chosen, *((name, fields[name]) for name in SETTINGS)])


def _name(spec: RunSpec, parts: Sequence[Part]) -> str:
    """Write "Stack 56, residual": the depth belongs to the network's name."""
    depth = dict(parts).get(OPTION + "depth")
    name = find_model(spec.model).class_name + (f" {depth}" if depth is not None else "")
    for part in parts:
        if part[0] != OPTION + "depth":
            name = _("{network}, {what}").format(network=name, what=_said(*part))
    return name


def _said(field: str, value: object) -> str:
    if field == RESIDUAL:
        return _(SHAPES[bool(value)])
    if field.startswith(OPTION):
        return _option(field.removeprefix(OPTION), value)
    if field == "optimizer":
        return OPTIMIZERS[str(value)].title
    if field == "schedule":
        return _(SCHEDULES[str(value)].title)
    return said(field, value) if field in SAID or field in COUNTED else f"{field} {value}"


def _option(name: str, value: object) -> str:
    option = next(option for model in MODELS.values() for option in model.options if option.name == name)
    if isinstance(value, bool):
        return (_("with {option}") if value else _("without {option}")).format(option=_(option.title))
    return _(option.choices[value]) if isinstance(value, str) else f"{_(option.title)} {value}"
