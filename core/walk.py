"""Gradient descent on a terrain, and what became of it: in a minimum, at a saddle, on a plateau, gone.

Course: "梯度下降算法". The walk itself is plain Python floats, as in the course.
"""

import math
from dataclasses import dataclass
from functools import lru_cache
from itertools import product

import numpy as np

from core.errors import InputError
from core.losses import Array
from core.messages import N_
from core.terrain import TERRAINS, Place, Terrain, newton

MAX_LR = 100.0
MAX_STEPS = 1_000
AWAY = 10  # times half the window, from its middle: who is farther has left
SMALL = 0.02  # of the steepest gradient in the window: that small, a gradient hardly moves anything
HIGH = 0.05  # of the range of values in the window: so far above the lowest, a small gradient is no arrival
FLAT = 1e-9  # a curvature below it is none
LAST = 0.25  # of a walk: where the value still rises there, the walk jumps about
LONG = 0.03  # of the window: a step of that length is no rest


@dataclass(frozen=True, kw_only=True, eq=False)
class Walk:
    """The places of a walk, its start first: k updates in d variables."""

    lr: float
    at: Array  # (k + 1, d)
    value: Array  # (k + 1,)
    gradient: Array  # (k + 1, d), at each place
    norm: Array  # (k + 1,), its length
    left_at: int | None  # the update (from 0) that led far out of the window, with which the walk ends


def walk(name: str, start: Place, lr: float, steps: int) -> Walk:
    """Go `steps` times against the gradient: x <- x - lr·f'(x).

    Raises InputError for an unknown terrain, a start outside its window, lr not above 0 or above 100, or steps
    not from 1 to 1,000.
    """
    terrain = find(name)
    check_place(terrain, start)
    if not 0 < lr <= MAX_LR:  # also true of NaN
        raise InputError("The learning rate must be above 0 and at most {most:g}, not {lr:g}.", most=MAX_LR, lr=lr)
    if not 1 <= steps <= MAX_STEPS or steps != int(steps):
        raise InputError("steps must be a whole number from 1 to 1,000, not {steps}.", steps=steps)
    place = tuple(float(value) for value in start)
    slope = terrain.gradient(*place)
    places, slopes, left_at = [place], [slope], None
    for step in range(int(steps)):
        place = tuple(x - lr * g for x, g in zip(place, slope, strict=True))
        slope = terrain.gradient(*place)
        places.append(place)
        slopes.append(slope)
        if _far(terrain, place):
            left_at = step
            break
    at, gradient = np.array(places), np.array(slopes, dtype=np.float64)
    value = np.asarray(terrain.value(*at.T), dtype=np.float64)
    return Walk(lr=lr, at=at, value=value, gradient=gradient, norm=np.hypot.reduce(gradient, axis=1), left_at=left_at)


def find(name: str) -> Terrain:
    """Return the terrain of that name."""
    if name not in TERRAINS:
        raise InputError("terrain must be one of {names}, not {name}.", names=", ".join(TERRAINS), name=name)
    return TERRAINS[name]


def check_place(terrain: Terrain, place: Place) -> None:
    """Refuse a place outside the window."""
    if len(place) != len(terrain.names):
        raise InputError(
            "A place on this terrain has {wanted} coordinates, not {given}.",
            wanted=len(terrain.names),
            given=len(place),
        )
    for name, value, (low, high) in zip(terrain.names, place, terrain.window, strict=True):
        if not low <= value <= high:  # also true of NaN
            raise InputError(
                "{name} must be from {low:g} to {high:g}, not {value:g}.", name=name, low=low, high=high, value=value
            )


def _far(terrain: Terrain, place: Place) -> bool:
    return any(
        not abs(value - (low + high) / 2) <= AWAY * (high - low) / 2  # also true of NaN
        for value, (low, high) in zip(place, terrain.window, strict=True)
    )


VERDICTS: dict[str, str] = {
    "minimum": N_("In the lowest minimum: the value is {value}, the gradient {norm}."),
    "local minimum": N_(
        "In a local minimum: the gradient {norm} pulls it nowhere. Its value is {value}; the lowest is {lowest}."
    ),
    "saddle": N_(
        "At a saddle point: the gradient is {norm}, so it stays at {value}, though another direction leads downhill."
    ),
    "maximum": N_(
        "On a maximum: the gradient is {norm}, so it stays at {value}, though every direction leads downhill."
    ),
    "inflection": N_(
        "At a flat point, no minimum: the gradient is {norm}, so it stays at {value}, though beyond it goes downhill."
    ),
    "plateau": N_(
        "On a plateau: the gradient is only {norm}, so each step is tiny; the value {value} is far above the lowest."
    ),
    "flat": N_(
        "On a flat stretch: the gradient is only {norm}, so each step is tiny, though it goes on downhill. The value "
        "is {value}."
    ),
    "moving": N_("Still on its way: the value is {value}, the gradient {norm}."),
    "jumping": N_(
        "It jumps to and fro and has not settled: its steps are so long that the value, now {value}, does not keep "
        "falling."
    ),
    "restless": N_(
        "It jumps to and fro for ever: the learning rate is not below {limit}, the largest one at which a minimum of "
        "this function can hold it (2 divided by the curvature there). The value is {value}."
    ),
    "diverged": N_("It left the picture: at this learning rate its steps are too long; the value rose to {value}."),
    "bottomless": N_("It left the picture downhill: this function has no lowest value. The last one is {value}."),
}


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """What became of a walk, judged by its last place."""

    kind: str  # key of VERDICTS
    value: float  # at the last place
    norm: float  # length of the gradient there
    eigenvalues: tuple[float, ...]  # of the Hessian there, ascending
    lowest: float | None  # least value of the terrain, None where it has none
    limit: float | None  # the largest learning rate at which one of its minima holds a walk; None where it has none


def judge(name: str, walked: Walk) -> Verdict:
    """Say where a walk ended, from the gradient and the curvature there."""
    terrain = find(name)
    place = tuple(walked.at[-1].tolist())
    return Verdict(
        kind=_kind(name, walked, place),
        value=float(walked.value[-1]),
        norm=float(walked.norm[-1]),
        eigenvalues=_eigenvalues(terrain, place),
        lowest=terrain.lowest,
        limit=largest_stable_lr(name),
    )


@lru_cache(maxsize=32)
def largest_stable_lr(name: str) -> float | None:
    """Return the largest learning rate at which one of the minima of a terrain holds a walk: 2/λmax there.

    The minima are looked for by Newton's method from a grid of places. None for a terrain without one.
    """
    terrain = find(name)
    axes = [np.linspace(low, high, 61 if len(terrain.names) == 1 else 13) for low, high in terrain.window]
    limits = []
    for place in product(*(axis.tolist() for axis in axes)):
        found = newton(terrain, place, reach=0.1)
        if found is not None and _eigenvalues(terrain, found)[0] > FLAT:
            limits.append(2 / _eigenvalues(terrain, found)[-1])
    return max(limits, default=None)


def _kind(name: str, walked: Walk, place: Place) -> str:
    terrain = find(name)
    if walked.left_at is not None:
        return "bottomless" if terrain.bottomless and walked.value[-1] < walked.value[0] else "diverged"
    stationary = newton(terrain, place)
    if _jumps(terrain, walked):
        limit = largest_stable_lr(name)
        return "restless" if limit is not None and walked.lr >= limit * (1 - FLAT) else "jumping"
    if stationary is not None:
        return stationary_kind(terrain, stationary)
    values = terrain.values
    high = float(walked.value[-1] - values.min()) > HIGH * float(np.ptp(values))
    if high and float(walked.norm[-1]) <= SMALL * terrain.steepest:
        return "flat" if terrain.bottomless else "plateau"
    return "moving"


def _jumps(terrain: Terrain, walked: Walk) -> bool:
    """Tell whether the value rose during the last part of a walk, or stayed as it was though the steps are long."""
    count = max(2, int(LAST * len(walked.value)))
    late, steps = walked.value[-count:], np.abs(np.diff(walked.at[-count:], axis=0))
    rounding = 1e-9 * max(1.0, float(np.abs(late).max()))
    widths = np.array([high - low for low, high in terrain.window])
    is_long = bool(np.any(steps[-1] > LONG * widths))
    return bool(np.diff(late).max() > rounding or (is_long and late[-1] >= late[0] - rounding))


def stationary_kind(terrain: Terrain, place: Place) -> str:
    """Name a place where the gradient is zero by the signs of the curvatures there."""
    eigenvalues = _eigenvalues(terrain, place)
    if eigenvalues[-1] < -FLAT:
        return "maximum"
    if eigenvalues[0] < -FLAT:
        return "saddle"
    if eigenvalues[0] <= FLAT and _lower_nearby(terrain, place):
        return "inflection"
    value = float(terrain.value(*place))
    at_the_bottom = terrain.lowest is not None and math.isclose(value, terrain.lowest, rel_tol=1e-9, abs_tol=1e-9)
    return "minimum" if at_the_bottom else "local minimum"


def _eigenvalues(terrain: Terrain, place: Place) -> tuple[float, ...]:
    return tuple(float(value) for value in np.linalg.eigvalsh(np.array(terrain.hessian(*place))))


def _lower_nearby(terrain: Terrain, place: Place) -> bool:
    """Look a thousandth of the window to either side of a place, along each variable."""
    here = float(terrain.value(*place))
    for index, (low, high) in enumerate(terrain.window):
        for way in (-1e-3 * (high - low), 1e-3 * (high - low)):
            there = (*place[:index], place[index] + way, *place[index + 1 :])
            if float(terrain.value(*there)) < here:
                return True
    return False
