"""What runs are called beside each other: by what differs between them."""

from collections.abc import Callable, Sequence
from functools import reduce

from app.i18n import N_, _, ngettext
from core.image_sets import DATASETS
from core.models import MODELS
from core.naming import OPTION, Part, differences
from core.optimizers import OPTIMIZERS, SCHEDULES
from core.run import RunSpec

# How the value of a field is said where it tells runs apart.
SAID = {
    "batch_size": N_("batch {value}"),
    "lr": N_("lr {value}"),
    "momentum": N_("momentum {value}"),
    "weight_decay": N_("weight decay {value}"),
    "shift": N_("shift ±{value} px"),
    "rotate": N_("rotation ±{value}°"),
    "patience": N_("patience {value}"),
    "train_images": N_("{value} images"),
    "seed": N_("seed {value}"),
}
# How an option of a network is said there: a flag that is off, and one that is on; other options by one template.
OPTIONS = {
    "residual": (N_("plain"), N_("residual")),
    "norm": (N_("without batch norm"), N_("with batch norm")),
    "branch1x1": (N_("without 1×1 branch"), N_("with 1×1 branch")),
    "branch5x5": (N_("without 5×5 branch"), N_("with 5×5 branch")),
    "branch3x3": (N_("without 3×3 branch"), N_("with 3×3 branch")),
    "branch_pool": (N_("without pooling branch"), N_("with pooling branch")),
    "depth": (N_("{value} layers"),),
    "channels": (N_("{value} channels"),),
    "growth": (N_("growth rate {value}"),),
    "dropout": (N_("dropout {value}"),),
    "block": ("{value}",),
}
# What is counted, and so has a plural.
COUNTED: dict[str, Callable[[int], str]] = {
    "epochs": lambda n: ngettext("{value} epoch", "{value} epochs", n),
    OPTION + "layers": lambda n: ngettext("{value} layer in a block", "{value} layers in a block", n),
}
# What is told by a proper name.
TITLES: dict[str, Callable[[str], str]] = {
    "model": lambda name: MODELS[name].class_name,
    "data": lambda name: DATASETS[name].title,
    "optimizer": lambda name: OPTIMIZERS[name].title,
}


def names(specs: Sequence[RunSpec]) -> tuple[str, ...]:
    """Name each run by what differs between them."""
    return tuple(_chained([_part(part) for part in parts]) for parts in differences(specs))


def _chained(parts: Sequence[str]) -> str:
    """Write the parts of one name after each other; a list of names has another sign between them."""
    chain = _("{part}, {next}")
    return reduce(lambda before, part: chain.format(part=before, next=part), parts)


def _part(part: Part) -> str:
    field, value = part
    if field in TITLES:
        return TITLES[field](str(value))
    if field == "schedule":
        return _("{schedule} schedule").format(schedule=_(SCHEDULES[str(value)].title))
    if field == "nesterov":
        return _("Nesterov") if value else _("no Nesterov")
    if field.startswith(OPTION) and field not in COUNTED:
        return _option(field.removeprefix(OPTION), value)
    return said(field, value)


def said(field: str, value: object) -> str:
    """Say the value of a field that is a number."""
    template = COUNTED[field](int(str(value))) if field in COUNTED else _(SAID[field])
    return template.format(value=f"{value:,}" if isinstance(value, int) and field != "seed" else f"{value:g}")


def _option(name: str, value: object) -> str:
    if isinstance(value, bool):
        return _(OPTIONS[name][value])
    option = next(option for model in MODELS.values() for option in model.options if option.name == name)
    return _(OPTIONS[name][0]).format(value=_(option.choices[value]) if isinstance(value, str) else f"{value:g}")
