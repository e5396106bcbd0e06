"""Learning rates: where each method ends at each of them, and what one of them does to gradient descent.

On the squared error of a line everything about gradient descent follows from the eigenvalues λ of the Hessian: an
update multiplies the distance to the minimum along each eigenvector by 1 - lr·λ. It shrinks below lr = 2/λmax and
grows above (e.g. Goodfellow, Bengio & Courville, "Deep Learning", 2016, section 4.3). For the course's three points
(course: "梯度下降算法") λmax = 2·mean(x²) = 28/3, and the border is 3/14.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from core import mse
from core.affine import above_least, batches, travel, whole_epochs
from core.descent import RACERS, Descent
from core.losses import Array
from core.messages import N_
from core.points import Points

RACED = ("gd", "sgd", "sgd-shuffled", "minibatch-shuffled")
MOST = 1_000.0  # largest learning rate that `Descent` takes
SLOW = 100  # more updates than that for a tenth of the distance are slow
EXACT = 1e-9  # relative distance from 2/λmax that counts as none
TRIED = 301  # rates of each look for the border of an epoch


@dataclass(frozen=True, kw_only=True, eq=False)
class RateSweep:
    """Where m methods end at r learning rates."""

    racers: tuple[str, ...]  # m keys of RACERS
    rates: Array  # (r,)
    loss: Array  # (m, r), mean squared error of all samples after the last update, or, where the run diverged, after
    # the last epoch that it ended within the limit
    diverged_epoch: NDArray[np.int64]  # (m, r), from 0; -1 where the run did not diverge

    @property
    def diverged(self) -> NDArray[np.bool_]:
        """Tell which runs diverged, (m, r)."""
        return self.diverged_epoch >= 0

    @property
    def best(self) -> NDArray[np.int64]:
        """Return the index of the learning rate with the lowest loss for each method, (m,); -1 where all diverged."""
        lowest = np.argmin(np.where(self.diverged, np.inf, self.loss), axis=1)
        return np.where(self.diverged.all(axis=1), -1, lowest)


def grid(points: Points, *, with_bias: bool = False, count: int = 60) -> Array:
    """Return learning rates at even distances on a logarithmic scale, the largest three times the stable one."""
    edge = mse.largest_stable_lr(mse.minimum(points, with_bias=with_bias).eigenvalues[-1])
    high = min(3 * edge, MOST)
    return np.geomspace(high / 3_000, high, count)


def sweep(points: Points, spec: Descent, rates: Array, *, racers: Sequence[str] = RACED) -> RateSweep:
    """Run each racer at each learning rate; of the spec, method, shuffle and lr do not matter.

    Raises InputError as `core.affine.travel` does.
    """
    least = mse.minimum(points, with_bias=spec.with_bias)
    size = 1 + spec.with_bias
    hessian = mse.hessian(points)[:size, :size]
    passages = [travel(points, RACERS[name].enter(spec), rates, with_excess=False) for name in racers]
    return RateSweep(
        racers=tuple(racers),
        rates=rates,
        loss=np.stack([least.loss + above_least(passage.ends[:, :, 0, -1], hessian) for passage in passages]),
        diverged_epoch=np.stack([passage.diverged_epoch[:, 0] for passage in passages]),
    )


def epoch_factors(points: Points, rates: Array, *, batch_size: int = 1, with_bias: bool = False) -> Array:
    """Return what an epoch of batches in the samples' order multiplies the distance to their limit by, (r,).

    That is the spectral radius of the product of I - lr·H over the batches; without a bias that of the numbers
    1 - lr·2·mean(x²), which is the same in any order of single samples. Infinite where it is beyond all floats.
    """
    order = np.arange(len(points))[None, None]  # one seed, one epoch
    steps = batches(points, order, batch_size, with_bias=with_bias)
    with np.errstate(over="ignore", invalid="ignore"):
        maps = np.moveaxis(whole_epochs(steps, rates[:, None, None])[:, :-1, :, 0, 0], -1, 0)  # (r, p, p), no offsets
    bounded = np.asarray(np.isfinite(maps).all(axis=(1, 2)))
    radii = np.abs(np.linalg.eigvals(np.where(bounded[:, None, None], maps, 0.0))).max(axis=1)
    return np.where(bounded, radii, np.inf)


def largest_stable_in_order(points: Points, *, batch_size: int = 1, with_bias: bool = False) -> float | None:
    """Return the learning rate up to which an epoch of batches in order brings every start nearer to their limit.

    For all samples in one batch it is 2/λmax. Single samples have curvatures of their own, a large x a large one, so
    that SGD's border may lie on either side of that. Above it there may be single rates that shrink the distance
    again. None where nothing is curved, and where no border is found below three times 2/λmax.
    """
    edge = mse.largest_stable_lr(mse.minimum(points, with_bias=with_bias).eigenvalues[-1])
    if not math.isfinite(edge):
        return None
    low, high = 0.0, 3 * edge
    for _ in range(4):  # each looks a hundred times as closely at where the factor first exceeds 1
        rates = np.linspace(low, high, TRIED)
        grows = epoch_factors(points, rates, batch_size=batch_size, with_bias=with_bias) > 1 + EXACT
        if not grows.any():
            return None
        first = int(np.argmax(grows))
        low, high = float(rates[first - 1]), float(rates[first])
    return low


REGIMES: dict[str, str] = {
    "flat": N_("The loss is the same everywhere: the gradient is zero, and no learning rate changes anything."),
    "slow": N_(
        "Slow: an update leaves {factor} of the distance to the minimum. Updates until a tenth is left: {updates}; "
        "at lr = {best} it is fastest."
    ),
    "good": N_("An update leaves {factor} of the distance to the minimum. Updates until a tenth is left: {updates}."),
    "oscillates": N_(
        "lr is above 1/λmax: each update jumps across the minimum and lands {jump} times as far away on the other "
        "side. That still shrinks, since lr is below 2/λmax = {edge}."
    ),
    "edge": N_("lr is 2/λmax = {edge}: each update lands just as far away on the other side, and never comes closer."),
    "diverges": N_(
        "lr is above 2/λmax = {edge}: each update lands {jump} times as far away on the other side, without end."
    ),
}


@dataclass(frozen=True, kw_only=True)
class Diagnosis:
    """What a learning rate does to gradient descent on all samples. Exact, for the squared error is quadratic."""

    regime: str  # key of REGIMES, a sentence with the names below
    lr: float
    edge: float  # 2/λmax, infinite where nothing is curved
    best: float  # 2/(λmin + λmax), the lr whose largest factor is smallest; infinite where nothing is curved
    factors: tuple[float, ...]  # 1 - lr·λ with its sign, for each eigenvalue λ > 0, ascending in λ
    factor: float  # the largest |1 - lr·λ|: what an update leaves of the slowest part of the distance
    jump: float  # |1 - lr·λmax|: the same for the steepest direction
    updates: int | None  # until a tenth of the slowest part is left; None where that never happens


def diagnose(points: Points, lr: float, *, with_bias: bool = False) -> Diagnosis:
    """Say what gradient descent does at a learning rate. Raises InputError for one that `Descent` refuses."""
    replace(Descent(), lr=lr)
    eigenvalues = [value for value in mse.minimum(points, with_bias=with_bias).eigenvalues if value * lr > 0]
    if not eigenvalues:
        return Diagnosis(
            regime="flat", lr=lr, edge=math.inf, best=math.inf, factors=(), factor=1.0, jump=1.0, updates=None
        )
    steepest = eigenvalues[-1]
    factors = tuple(1 - lr * value for value in eigenvalues)
    regime, updates = _regime(lr * steepest), None
    if regime not in ("edge", "diverges"):
        updates = max(_updates(lr * value) for value in eigenvalues)
        regime = "slow" if regime == "good" and updates > SLOW else regime
    return Diagnosis(
        regime=regime,
        lr=lr,
        edge=mse.largest_stable_lr(steepest),
        best=2 / (eigenvalues[0] + steepest),
        factors=factors,
        factor=max(abs(factor) for factor in factors),
        jump=abs(factors[-1]),
        updates=updates,
    )


def _regime(product: float) -> str:
    """Name what happens along the steepest direction, from lr·λmax."""
    if abs(product - 2) <= 2 * EXACT:
        return "edge"
    if product > 2:
        return "diverges"
    return "oscillates" if product > 1 + EXACT else "good"


def _updates(product: float) -> int:
    """Return how many updates with the factor |1 - lr·λ| < 1 leave a tenth or less."""
    if product == 1:
        return 1
    shrink = -math.log1p(-product) if product < 1 else -math.log(product - 1)
    return math.ceil(math.log(10) / shrink)
