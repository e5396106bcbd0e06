"""What tells training runs apart: only the fields in which they differ."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from core.models import find_model
from core.optimizers import find_optimizer
from core.options import Value
from core.run import RunSpec

Part = tuple[str, Value]  # the name of a field, or "options." and the name of an option, and its value
OPTION = "options."


def differences(specs: Sequence[RunSpec]) -> list[tuple[Part, ...]]:
    """Return for each run its values of the fields in which not all runs agree, the network first.

    An option counts only among the runs whose network has it, and a number of the optimizer only among those whose
    optimizer takes it. A setting that most of three or more runs share goes without saying, but not the learning
    rate where the optimizers differ. A run of which nothing is left is told by its network.

    >>> differences([RunSpec(lr=0.1), RunSpec(lr=0.2)])
    [(('lr', 0.1),), (('lr', 0.2),)]
    """
    values = [_values(spec) for spec in specs]
    names = list(dict.fromkeys(name for run in values for name in run))
    differing = [name for name in names if len({repr(run[name]) for run in values if name in run}) > 1]
    even = ("lr",) if "optimizer" in differing else ()  # a rate says little without its optimizer
    usual = {
        name: None if name in even else _usual(name, [run[name] for run in values if name in run]) for name in differing
    }
    told = [
        tuple((name, run[name]) for name in differing if name in run and repr(run[name]) != usual[name])
        for run in values
    ]
    return [parts or (("model", run["model"]),) for parts, run in zip(told, values, strict=True)]


def _usual(name: str, values: Sequence[Value]) -> str | None:
    """Return how the value that most runs share is written; none of the network and its options, which make a name."""
    (value, count), *_ = Counter(map(repr, values)).most_common(1)
    return None if name == "model" or name.startswith(OPTION) or len(values) < 3 or 2 * count <= len(values) else value


def _values(spec: RunSpec) -> dict[str, Value]:
    """Return everything that can differ, the network and its options first."""
    fields = spec.as_dict()
    chosen = fields.pop("options")
    options = {
        OPTION + option.name: chosen.get(option.name, option.default) for option in find_model(spec.model).options
    }
    without = {"momentum", "nesterov", "weight_decay"} - set(find_optimizer(spec.optimizer).uses)
    told = {name: value for name, value in fields.items() if name not in without}
    return {"model": told.pop("model"), **options, **told}
