"""Which part of the w axis, and of the plane of (w, b), is worth seeing for given points."""

from dataclasses import dataclass

import numpy as np

from core import mse
from core.losses import Array
from core.mse import LIMIT, Sweep
from core.points import Points

ROUND = (1, 2, 2.5, 4, 5, 8, 10)  # times a power of ten: half of a range
STEPS = (5, 2, 1)  # the same, for a step


def over_w(points: Points) -> Sweep:
    """Choose the part of the w axis for y = w·x: the minimum near the middle, round ends, 400 to 1,000 steps.

    Half of its width is the w that would bring the size of x to the size of y, rounded up; for the course's three
    points this gives 0 to 4, as in the course. Stays within what `Sweep` allows, even where the minimum does not.
    """
    x, y = points.arrays
    size_x, size_y = float(np.sqrt(np.sum(x * x))), float(np.sqrt(np.sum(y * y)))
    half = _round_up(size_y / size_x) if size_x > 0 and size_y > 0 else 1.0
    return _around(mse.minimum(points).w, half)


@dataclass(frozen=True, kw_only=True)
class Plane:
    """The part of the plane of (w, b), for y = w·x + b."""

    w: Sweep
    b: Sweep


def over_plane(points: Points) -> Plane:
    """Choose the part of the plane around the minimum of y = w·x + b.

    b reaches as far as changes the loss about as much as w does at the ends of its own range.
    """
    lowest = mse.minimum(points, with_bias=True)
    x, _ = points.arrays
    along_w = over_w(points)
    half = (along_w.stop - along_w.start) / 2
    size = float(np.sqrt(np.mean(x * x)))
    return Plane(
        w=_around(lowest.w, half),
        b=_around(lowest.b, _round_up(0.4 * half * size) if size > 0 else max(1.0, abs(lowest.b))),
    )


def ellipse(points: Points, height: float, *, count: int = 121) -> tuple[Array, Array]:
    """Return w and b, each (count,), of the closed line on which the MSE is `height` above its minimum.

    On it ½ dᵀHd = height, where d is the way from the minimum and H the Hessian: an ellipse along H's eigenvectors.
    The minimum must be unique.
    """
    lowest = mse.minimum(points, with_bias=True)
    values, vectors = np.linalg.eigh(mse.hessian(points))
    angle = np.linspace(0, 2 * np.pi, count)
    radii = np.sqrt(2 * height / values)
    way = vectors @ (radii[:, None] * np.array([np.cos(angle), np.sin(angle)]))  # (2, 2) @ (2, count)
    return lowest.w + way[0], lowest.b + way[1]


def _around(middle: float, half: float) -> Sweep:
    """Lay a range around a value, with round ends and steps, inside what a sweep allows."""
    half = min(max(half, 1e-5), LIMIT / 2)
    grid = _round_down(half / 4)
    middle = min(max(round(middle / grid) * grid, half - LIMIT), LIMIT - half)
    return Sweep(start=_tidy(middle - half), stop=_tidy(middle + half), step=_tidy(_round_down(half / 200)))


def _round_up(value: float) -> float:
    power = 10.0 ** np.floor(np.log10(value))
    return float(next(factor * power for factor in ROUND if factor * power >= value * (1 - 1e-9)))


def _round_down(value: float) -> float:
    """Round down to 1, 2 or 5 times a power of ten."""
    power = 10.0 ** np.floor(np.log10(value * (1 + 1e-9)))
    return float(next(factor * power for factor in STEPS if factor * power <= value * (1 + 1e-9)))


def _tidy(value: float) -> float:
    """Remove the rounding errors of sums of round numbers."""
    return float(f"{value:.12g}")
