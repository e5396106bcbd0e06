"""The loss of a straight line: swept over w, spread over (w, b), and its minimum in closed form.

Course: "线性模型" (the exhaustive search over w, and its exercise y = w·x + b with np.meshgrid). Everything is
float64; sums run over the samples in their order, as the course's listing does, so that the numbers are the same.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from core import losses
from core.errors import InputError
from core.losses import LOSSES, Array
from core.points import Points

MAX_SWEEP = 10_001  # values of w
LIMIT = 1e6  # largest absolute value of w


@dataclass(frozen=True, kw_only=True)
class Sweep:
    """The values of w that are tried, one after the other: start, start + step, … up to stop."""

    start: float = 0.0  # from -1e6 to 1e6
    stop: float = 4.0  # above start, at most 1e6; itself tried when the steps meet it
    step: float = 0.1  # above 0, and small enough for two values and large enough for at most 10,001

    def __post_init__(self) -> None:
        for name, value in (("from", self.start), ("to", self.stop)):
            if not abs(value) <= LIMIT:  # also true of NaN
                raise InputError("{name} must be from -1,000,000 to 1,000,000, not {value:g}.", name=name, value=value)
        if not self.start < self.stop:
            raise InputError(
                "from must be below to; {start:g} is not below {stop:g}.", start=self.start, stop=self.stop
            )
        if not 0 < self.step <= self.stop - self.start:
            raise InputError(
                "step must be above 0 and at most {width:g}, the way from {start:g} to {stop:g}; not {step:g}.",
                width=self.stop - self.start,
                start=self.start,
                stop=self.stop,
                step=self.step,
            )
        if (self.stop - self.start) / self.step > MAX_SWEEP - 1 + 1e-9:
            raise InputError(
                "step {step:g} makes more than 10,001 values of w; take {least:g} or more.",
                step=self.step,
                least=(self.stop - self.start) / (MAX_SWEEP - 1),
            )

    @cached_property
    def values(self) -> Array:
        """Return the values of w, (k,): those of `np.arange(start, stop + step, step)` up to stop.

        The end of arange is set half a step behind the last value. `stop + step` itself, as in the listing, would let
        rounding decide whether one value too many is tried (np.arange(0, 1 + 0.1, 0.1) ends at 1.1).
        """
        count = int((self.stop - self.start) / self.step + 1e-9) + 1
        return np.arange(self.start, self.start + (count - 0.5) * self.step, self.step)


def forward(x: Array | float, w: Array | float, b: Array | float = 0.0) -> Array:
    """Predict y = w·x + b."""
    return np.asarray(x * w + b, dtype=np.float64)


def terms(points: Points, w: float, b: float = 0.0, *, loss: str = "mse", delta: float = 1.0) -> Array:
    """Return what each sample contributes to the sum, (n,)."""
    x, y = points.arrays
    return LOSSES[loss].term(forward(x, w, b) - y, delta)


def curves(points: Points, w: Array, *, loss: str = "mse", delta: float = 1.0) -> Array:
    """Return each sample's own curve over w: (n,) samples and (k,) values -> (n, k)."""
    x, y = points.arrays
    return LOSSES[loss].term(forward(x[:, None], w) - y[:, None], delta)


def sweep(points: Points, w: Array, *, loss: str = "mse", reduction: str = "mean", delta: float = 1.0) -> Array:
    """Return the loss at each value of w, (k,)."""
    return _loss(points, w, np.zeros(1), loss=loss, reduction=reduction, delta=delta)


def surface(points: Points, w: Array, b: Array, *, reduction: str = "mean") -> Array:
    """Return the mean (or summed) squared error over the grid of w (k,) and b (m,), as np.meshgrid lays it: (m, k)."""
    grid_w, grid_b = np.meshgrid(w, b)  # (k,), (m,) -> (m, k), (m, k)
    return _loss(points, grid_w, grid_b, loss="mse", reduction=reduction, delta=1.0)


def _loss(points: Points, w: Array, b: Array, *, loss: str, reduction: str, delta: float) -> Array:
    losses.check(loss, reduction, delta)
    total = np.zeros(np.broadcast_shapes(w.shape, b.shape))
    term = LOSSES[loss].term
    for x, y in zip(points.x, points.y, strict=True):
        total += term(forward(x, w, b) - y, delta)
    return total / losses.divisor(reduction, len(points))


def gradient(points: Points, w: float, b: float = 0.0, *, reduction: str = "mean") -> tuple[float, float]:
    """Return the derivatives of the squared error by w and by b."""
    x, y = points.arrays
    slope = 2 * (forward(x, w, b) - y) / losses.divisor(reduction, len(points))
    return float(np.sum(slope * x)), float(np.sum(slope))


def hessian(points: Points, *, reduction: str = "mean") -> Array:
    """Return the second derivatives of the squared error by (w, b), (2, 2); the same everywhere."""
    x, _ = points.arrays
    second = [[np.sum(x * x), np.sum(x)], [np.sum(x), float(len(points))]]
    return 2 * np.array(second) / losses.divisor(reduction, len(points))


def curvature(points: Points, *, reduction: str = "mean") -> float:
    """Return the second derivative of the squared error of y = w·x by w; the same everywhere."""
    return float(hessian(points, reduction=reduction)[0, 0])


def largest_stable_lr(highest_curvature: float) -> float:
    """Return 2/λmax: gradient descent on the squared error shrinks below this learning rate and grows above.

    λmax is the curvature of y = w·x, or the largest eigenvalue of the Hessian of y = w·x + b. Infinite where
    nothing is curved.
    """
    return 2 / highest_curvature if highest_curvature > 0 else float("inf")


@dataclass(frozen=True, kw_only=True)
class Minimum:
    """Where the squared error is smallest, and how it is curved there."""

    w: float
    b: float  # 0 for y = w·x
    loss: float  # in the reduction that was asked for
    eigenvalues: tuple[float, ...]  # of the Hessian, ascending: one for y = w·x, two for y = w·x + b
    unique: bool  # False: a valley of equally good lines; w and b are one of them


def minimum(points: Points, *, with_bias: bool = False, reduction: str = "mean") -> Minimum:
    """Find the minimum in closed form (least squares).

    y = w·x: w = Σxy / Σx². y = w·x + b: w = Σ(x - x̄)(y - ȳ) / Σ(x - x̄)², b = ȳ - w·x̄. Without a spread of x the
    denominator is 0 and every w is as good; then w = 0 stands for all.
    """
    x, y = points.arrays
    middle_x, middle_y = (float(np.mean(x)), float(np.mean(y))) if with_bias else (0.0, 0.0)
    spread = float(np.sum((x - middle_x) ** 2))
    unique = spread > 0 and not (with_bias and np.ptp(x) == 0)  # a mean of equal x may be off by a bit
    w = float(np.sum((x - middle_x) * (y - middle_y))) / spread if unique else 0.0
    b = middle_y - w * middle_x
    loss = float(np.sum(terms(points, w, b))) / losses.divisor(reduction, len(points))
    eigenvalues: tuple[float, ...] = (curvature(points, reduction=reduction),)
    if with_bias:
        low, high = np.linalg.eigvalsh(hessian(points, reduction=reduction))
        eigenvalues = (max(0.0, float(low)) if unique else 0.0, float(high))
    return Minimum(w=w, b=b, loss=loss, eigenvalues=eigenvalues, unique=unique)


def lowest(points: Points, *, loss: str, delta: float = 1.0) -> float:
    """Return the w at which any of the losses of y = w·x is smallest; 0 where w does not matter.

    Each loss is convex in w and each sample alone would choose w = y/x, so the slope changes its sign between the
    smallest and the largest of these. Halving that interval until no number is left in it works for kinks too.
    """
    losses.check(loss, "sum", delta)
    x, y = points.arrays
    x, y = x[x * x > 0], y[x * x > 0]
    if not len(x):
        return 0.0
    slope = LOSSES[loss].slope

    def falls(w: float) -> bool:
        return float(np.sum(slope(forward(x, w) - y, delta) * x)) < 0

    return _halve(float(np.min(y / x)), float(np.max(y / x)), falls)


def _halve(low: float, high: float, falls: Callable[[float], bool]) -> float:
    """Find where a falling function begins to rise, to the last bit."""
    while True:
        middle = low + (high - low) / 2
        if middle in (low, high):
            return high if falls(low) else low
        if falls(middle):
            low = middle
        else:
            high = middle
