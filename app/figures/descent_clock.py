"""What a step of the picture is: so many samples seen, updates made, epochs passed, or so much measured time.

The same runs on four clocks. At a step each method stands where it was when its own reading of the clock had come
that far, so that what is compared has had the same of it.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.descent import Trajectory
from core.losses import Array
from core.messages import N_

MOST_STEPS = 400  # of the player
FIRST = 200  # of them shown one by one; the rest are spread evenly over what follows

Reading = NDArray[np.floating[Any]]
Runs = Mapping[str, Trajectory]


@dataclass(frozen=True, kw_only=True)
class Clock:
    """One way to count what a method has used up."""

    title: str  # English, translated by the page
    axis: str  # the same, for the axis
    reading: Callable[[Trajectory, float], Reading]  # after each update, (k,); takes the measured seconds of an update


CLOCKS: dict[str, Clock] = {
    "samples": Clock(
        title=N_("samples"),
        axis=N_("samples seen"),
        reading=lambda run, _: run.samples_seen.astype(np.float64),
    ),
    "updates": Clock(
        title=N_("updates"), axis=N_("updates"), reading=lambda run, _: np.arange(1, len(run) + 1, dtype=np.float64)
    ),
    "epochs": Clock(
        title=N_("epochs"),
        axis=N_("epochs"),
        reading=lambda run, _: run.samples_seen / len(run.points),
    ),
    "time": Clock(
        title=N_("time"),
        axis=N_("measured time (ms)"),
        reading=lambda run, seconds: 1e3 * seconds * np.arange(1, len(run) + 1),
    ),
}


@dataclass(frozen=True, kw_only=True, eq=False)
class Steps:
    """What the clock shows at each step, and how many updates each method has made by then."""

    ticks: Array  # (s,), from 0
    done: dict[str, NDArray[np.intp]]  # by method, each (s,)
    is_thinned: bool  # whether some ticks are left out


def steps(runs: Runs, clock: str, seconds: Mapping[str, float] | None = None) -> Steps:
    """Choose the steps; `seconds` an update of each method takes are needed for "time" alone."""
    seconds = seconds or {}
    readings = {racer: CLOCKS[clock].reading(run, seconds.get(racer, 0.0)) for racer, run in runs.items()}
    unit = min(reading[0] for reading in readings.values()) if clock == "time" else 1.0
    count = int(np.ceil(max(reading[-1] for reading in readings.values()) / unit - 1e-9))
    chosen = thinned(count)
    ticks = chosen * unit
    done = {racer: np.searchsorted(reading, ticks * (1 + 1e-9), side="right") for racer, reading in readings.items()}
    return Steps(ticks=ticks, done=done, is_thinned=len(chosen) <= count)


def thinned(count: int) -> NDArray[np.intp]:
    """Choose steps from 0 to count: all where they are few, otherwise the first ones and then evenly to the last."""
    if count < MOST_STEPS:
        return np.arange(count + 1)
    later = np.linspace(FIRST, count, MOST_STEPS - FIRST).round().astype(np.intp)
    return np.unique(np.concatenate((np.arange(FIRST), later)))
