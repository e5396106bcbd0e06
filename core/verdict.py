"""What became of a run of gradient descent: converging, circling, diverging, and at which rate.

The squared error is a parabola, so an update with the batch's Hessian H maps the distance d to the minimum of its own
samples to (I - lr·H) d. Full batch: the factors are 1 - lr·λ, and above lr = 2/λmax one of them is below -1. For the
others the product over the batches of an epoch says how much an epoch leaves of the start.

All maps are affine, so the same batches walked from the minimum itself show what the samples' disagreement does alone;
what a run is away from that run is what is left of its start.
"""

from dataclasses import dataclass, replace

import numpy as np

from core import mse
from core.descent import METHODS, Trajectory, descend
from core.losses import Array
from core.mse import Minimum

EDGE = 1e-9  # a factor this near to 1 neither shrinks nor grows
SETTLED = (
    0.25  # of how far the samples pull away from the minimum in the last epoch: less than that is left of the start
)
MOST_DIGITS = 15
ARRIVED = 6  # digits


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """How a run went."""

    kind: str  # "diverges", "edge", "oscillates", "converges", "arrived", "circles", "underway", "valley" or "flat"
    factor: float  # by which an update multiplies the distance: with its sign for the full batch, else their mean
    edge: float  # 2/λmax of all samples; infinite where nothing is curved
    since: int  # update, from 1, from which on the loss was never again as low
    digits: int  # to which w (and b) at the end equal the minimum, 0 to 15
    low: float  # least w of the last epoch
    high: float  # greatest w of the last epoch
    lowest: Minimum  # of all samples; one of many where the kind is "valley" or "flat"


def judge(run: Trajectory) -> Verdict:
    """Judge a run by its numbers, and by the factors that its learning rate gives.

    "circles": the start is forgotten, and what moves w is that the samples disagree. "valley": the model has a bias
    and all x are equal, so the minimum is a line of (w, b), and no distance to it is that of w.
    """
    lowest = mse.minimum(run.points, with_bias=run.spec.with_bias)
    steepest = lowest.eigenvalues[-1]
    factor = _factor(run)
    last = run.w[-run.updates_per_epoch :]
    digits = _digits(run.w[-1], lowest.w) if lowest.unique else 0
    if run.spec.with_bias:
        digits = min(digits, _digits(run.b[-1], lowest.b))
    return Verdict(
        kind=_kind(run, factor, digits, lowest),
        factor=factor,
        edge=mse.largest_stable_lr(steepest),
        since=int(np.argmin(np.concatenate(([run.start_cost], run.cost)))) + 1,
        digits=digits,
        low=float(last.min()),
        high=float(last.max()),
        lowest=lowest,
    )


def is_full_batch(run: Trajectory) -> bool:
    """Tell whether each update of a run uses all samples."""
    return METHODS[run.spec.method].size(len(run.points), run.spec.batch_size) == len(run.points)


def _kind(run: Trajectory, factor: float, digits: int, lowest: Minimum) -> str:
    if not lowest.eigenvalues[-1] > 0:
        return "flat"
    if run.diverged_at is not None or (abs(factor) > 1 + EDGE and run.cost[-1] > run.start_cost):
        return "diverges"
    if not lowest.unique or digits >= ARRIVED:
        return "arrived" if lowest.unique else "valley"
    if not is_full_batch(run):
        return "circles" if _is_settled(run, lowest) else "underway"
    if abs(factor + 1) <= EDGE:
        return "edge"
    return "oscillates" if factor < 0 else "converges"


def _is_settled(run: Trajectory, lowest: Minimum) -> bool:
    """Tell whether little is left of the start, beside what the samples' disagreement does in the last epoch."""
    if max(abs(lowest.w), abs(lowest.b)) > mse.LIMIT:  # so far away that no run can begin there
        return False
    start = replace(run.spec, w=lowest.w, b=lowest.b if run.spec.with_bias else None)
    restless = descend(run.points, start)  # the same batches from the minimum on
    if len(restless) != len(run):
        return False
    epoch = slice(-run.updates_per_epoch, None)

    def widest(w: Array, b: Array) -> float:
        return max(float(np.abs(w[epoch]).max()), float(np.abs(b[epoch]).max()))

    left = widest(run.w - restless.w, run.b - restless.b)
    return left <= SETTLED * widest(restless.w - lowest.w, restless.b - lowest.b)


def _factor(run: Trajectory) -> float:
    """Return what an update multiplies the distance by: exactly, or the geometric mean of the first epoch's updates."""
    x, _ = run.points.arrays
    size = run.spec.size(len(x))
    order = run.spec.order(len(x))[0]
    starts = np.arange(0, len(x), size)
    counts = np.diff(np.append(starts, len(x)))
    square = 2 * np.add.reduceat(x[order] ** 2, starts) / counts  # (batches,): the entries of the batches' Hessians
    mixed = 2 * np.add.reduceat(x[order], starts) / counts
    if not run.spec.with_bias:
        factors = 1 - run.spec.lr * square
        return float(factors[0]) if len(factors) == 1 else _mean(factors)
    product, grown = np.eye(2), 0.0
    for ww, wb in zip(square, mixed, strict=True):
        product = (np.eye(2) - run.spec.lr * np.array([[ww, wb], [wb, 2.0]])) @ product
        norm = float(np.abs(product).max()) or 1.0  # kept apart, so that no long product leaves the range of floats
        product, grown = product / norm, grown + float(np.log(norm))
    values = np.linalg.eigvals(product)
    largest = values[np.argmax(np.abs(values))]
    if len(square) == 1:
        return float(largest.real) * float(np.exp(grown))
    each = 1 / len(square)
    return float(np.exp(each * grown) * np.abs(largest) ** each)


def _mean(factors: Array) -> float:
    """Return the geometric mean of the factors' sizes; 0 where one of them is 0."""
    sizes = np.abs(factors)
    return float(np.exp(np.mean(np.log(sizes)))) if sizes.all() else 0.0


def _digits(value: float, wanted: float) -> int:
    """Count the decimal digits to which a value equals another, relative to it (to 1 where that is 0)."""
    away = abs(value - wanted) / (abs(wanted) or 1.0)
    return MOST_DIGITS if away < 10.0**-MOST_DIGITS else max(0, int(-np.log10(2 * away)))


def batches(run: Trajectory, updates: Array) -> dict[str, Array]:
    """Return the parabola of w that each of these updates walks down: the loss of its own samples, for y = w·x.

    "best" is where it is lowest, "least" its loss there, "steepness" half of its curvature; each (k,). An update
    whose samples all have x = 0 has a level line: steepness 0, and its best is 0.
    """
    known: dict[bytes, tuple[float, float, float]] = {}
    found = []
    x, y = run.points.arrays
    for update in updates.tolist():
        rows = np.sort(run.rows(int(update)))
        name = rows.tobytes()
        if name not in known:
            steepness = float(np.mean(x[rows] ** 2))
            best = float(np.mean(x[rows] * y[rows])) / steepness if steepness > 0 else 0.0
            known[name] = best, float(np.mean((x[rows] * best - y[rows]) ** 2)), steepness
        found.append(known[name])
    best_, least, steep = np.array(found, dtype=np.float64).reshape(-1, 3).T
    return {"best": best_, "least": least, "steepness": steep}
