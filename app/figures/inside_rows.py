"""What the picture of the state inside a network draws, computed once for all readers of the same moment."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import pandas as pd

from core.caching import cached
from core.records import Inside

Rows = dict[str, pd.DataFrame]


@dataclass(frozen=True, kw_only=True)
class State:
    """The state inside one run's network up to now; equal ones make equal pictures."""

    key: str  # of the run
    count: int  # insides
    name: str  # as the legend has it
    insides: Sequence[Inside] = field(compare=False, repr=False)

    @property
    def epochs(self) -> int:
        """Return the last epoch that is known."""
        return self.insides[-1].epoch


def state_of(key: str, name: str, insides: Sequence[Inside]) -> State:
    """Take the state of a run at this moment."""
    return State(key=key, count=len(insides), name=name, insides=insides)


@cached(maxsize=64)
def rows(states: tuple[State, ...]) -> Rows:
    """Return the rows of all epochs; treat them as read-only. A shorter run stays at its last epoch."""
    last = states[0].epochs
    spread = [(state, inside, epoch) for state in states for inside, epoch in _spread(state, last)]
    layers = [row for moment in spread for row in _layers(*moment)]
    relus = [row for moment in spread for row in _relus(*moment)]
    limits = _limits(layers, relus)
    lowest = limits["gradient"][0]
    for row in layers:  # 0 has no place on a logarithmic axis: it is drawn at its end
        row["gradient"] = None if row["true_gradient"] is None else max(lowest, row["true_gradient"])
    first = states[0].insides[0]
    return {
        "layers": pd.DataFrame(layers),
        "relus": pd.DataFrame(relus, columns=["run", "epoch", "relu", "name", "dead"]),
        "limits": limits,
        "names_layer": pd.DataFrame({"name": [layer.name for layer in first.layers]}),
        "names_relu": pd.DataFrame({"name": [str(place) for place in range(1, len(first.dead) + 1)]}),
    }


def _spread(state: State, last: int) -> list[tuple[Inside, int]]:
    """Give every epoch up to `last` the latest state that is known by then."""
    known = {inside.epoch: inside for inside in state.insides}
    spread, present = [], state.insides[0]
    for epoch in range(last + 1):
        present = known.get(epoch, present)
        spread.append((present, epoch))
    return spread


def _layers(state: State, inside: Inside, epoch: int) -> list[dict[str, Any]]:
    return [
        {
            "run": state.name,
            "epoch": epoch,
            "layer": place,
            "name": layer.name,
            "true_gradient": layer.gradient_norm if math.isfinite(layer.gradient_norm) else None,
            "weight": layer.weight_norm if math.isfinite(layer.weight_norm) and layer.weight_norm > 0 else None,
            "change": layer.change if math.isfinite(layer.change) else None,
        }
        for place, layer in enumerate(inside.layers, start=1)
    ]


def _relus(state: State, inside: Inside, epoch: int) -> list[dict[str, Any]]:
    return [
        {"run": state.name, "epoch": epoch, "relu": place, "name": f"ReLU {place}", "dead": share}
        for place, share in enumerate(inside.dead, start=1)
    ]


def _limits(layers: Sequence[dict[str, Any]], relus: Sequence[dict[str, Any]]) -> pd.DataFrame:
    def numbers(name: str) -> list[float]:
        return [row[name] for row in layers if row[name]] or [1.0]

    gradients, weights = numbers("true_gradient"), numbers("weight")
    low = {
        "gradient": 10 ** math.floor(math.log10(min(gradients))),
        "weight": 0.8 * min(weights),
        "change": 0.0,
        "layer": 1,
        "relu": 1,
    }
    high = {
        "gradient": 10 ** math.ceil(math.log10(max(*gradients, 2 * low["gradient"]))),
        "weight": 1.25 * max(weights),
        "change": 1.05 * max(*numbers("change"), 0.01),
        "layer": max((row["layer"] for row in layers), default=1),
        "relu": max((row["relu"] for row in relus), default=1),
    }
    return pd.DataFrame([low, high])
