"""Building blocks of charts that several pages share, and the cache of compiled specs.

Altair checks a chart against its schema when it becomes a dict: about 10 ms under a lock that all sessions share. So
a chart is built once from the few values it depends on, and everything that changes travels beside it as data.

Give a scale its domain where one of its layers is filtered by a moving parameter: a domain that is taken from the rows
that remain makes Vega place every mark of the plot anew at every step, which took three times as long.
"""

from collections.abc import Callable, Hashable
from dataclasses import dataclass, field
from types import CodeType
from typing import Any

import altair as alt

from app.i18n import language
from core.caching import cached

Spec = dict[str, Any]


def source(name: str) -> alt.NamedData:
    """Return the data source `name`, whose rows `player(data={name: …})` delivers."""
    return alt.NamedData(name)


def parameter(name: str, value: float = 0) -> alt.Parameter:
    """Return a parameter that the browser moves: `step`, or one that has a slider."""
    return alt.param(name=name, value=value)


def compiled(builder: Callable[..., alt.TopLevelMixin], *args: Hashable) -> Spec:
    """Build a chart once per language and arguments and return its Vega-Lite spec; treat that as read-only.

    Pages run anew on every interaction, so the builder is recognised by its code, not by its identity.

    Raises:
        ValueError: the builder takes values from an enclosing function, which the cache could not see.
    """
    if builder.__closure__:
        msg = f"{builder.__qualname__} must get all it needs as arguments, not from an enclosing function"
        raise ValueError(msg)
    return _compile(_Call(builder.__code__, builder.__defaults__, language(), args, builder))


@dataclass(frozen=True)
class _Call:
    """What a spec depends on; the function itself is carried along but not compared."""

    code: CodeType
    defaults: tuple[Any, ...] | None
    language: str
    args: tuple[Hashable, ...]
    builder: Callable[..., alt.TopLevelMixin] = field(compare=False)


@cached(maxsize=256)
def _compile(call: _Call) -> Spec:
    spec: Spec = call.builder(*call.args).to_dict()
    return spec
