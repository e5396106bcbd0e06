"""What tells training runs apart: only the fields in which they differ."""

from __future__ import annotations

from collections.abc import Sequence

from core.models import find_model
from core.options import Value
from core.run import RunSpec

Part = tuple[str, Value]  # the name of a field, or "options." and the name of an option, and its value
OPTION = "options."


def differences(specs: Sequence[RunSpec]) -> list[tuple[Part, ...]]:
    """Return for each run its values of the fields in which not all runs agree, the network first.

    An option counts only among the runs whose network has it. Runs that are all equal, as a single one is, are told by
    their network.

    >>> differences([RunSpec(lr=0.1), RunSpec(lr=0.2)])
    [(('lr', 0.1),), (('lr', 0.2),)]
    """
    values = [_values(spec) for spec in specs]
    names = list(dict.fromkeys(name for run in values for name in run))
    differing = [name for name in names if len({repr(run[name]) for run in values if name in run}) > 1] or ["model"]
    return [tuple((name, run[name]) for name in differing if name in run) for run in values]


def _values(spec: RunSpec) -> dict[str, Value]:
    """Return everything that can differ, the network and its options first."""
    fields = spec.as_dict()
    chosen = fields.pop("options")
    options = {
        OPTION + option.name: chosen.get(option.name, option.default) for option in find_model(spec.model).options
    }
    return {"model": fields.pop("model"), **options, **fields}
