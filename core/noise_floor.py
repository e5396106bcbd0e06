"""Where SGD stops improving: at a constant learning rate its batches keep pushing it away from the minimum.

In the minimum the gradients of all samples add up to zero, those of one batch do not. So mini-batches at a constant
learning rate end at a mean cost above the least one, which grows with the learning rate and shrinks with the batch
(L. Bottou, F. Curtis and J. Nocedal, "Optimization methods for large-scale machine learning", 2018, theorem 4.6); a
learning rate that decays brings it to zero (theorem 4.7). Samples that agree, as y = 2x exactly, leave no floor.
Course: "随机梯度下降算法". All figures come from real runs in the orders of a real shuffle.

A shuffle visits each sample once an epoch, so that the pushes of one epoch nearly cancel: at small learning rates the
floor is a quarter, not a half, at half the rate. A short last batch spoils that, for its samples count for more.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from core import mse
from core.affine import above_least, travel
from core.descent import MAX_SAMPLES, Descent
from core.losses import Array
from core.points import LIMIT, Points

SIZES = 6  # batch sizes of a grid, at most
NEAR = 1.6  # a divisor within this factor of the size that would be even is taken instead
SEEDS = 3  # runs that are averaged, at most


@dataclass(frozen=True, kw_only=True, eq=False)
class Floor:
    """The floor over r learning rates and s batch sizes."""

    rates: Array  # (r,)
    sizes: tuple[int, ...]  # s
    even: tuple[bool, ...]  # s, whether all batches of that size have as many samples
    seeds: int  # runs behind each figure
    excess: Array  # (s, r), cost above the least, mean over the updates of the last half of the epochs and the seeds;
    # where a run diverged, what it was before
    diverged: NDArray[np.bool_]  # (s, r), whether any of the runs did


def batch_sizes(count: int) -> tuple[int, ...]:
    """Return up to six batch sizes from 1 to all samples, each about as many times the one before.

    Sizes that divide the number of samples come first, so that no batch is short; else powers of two.
    """
    if count <= SIZES:
        return tuple(range(1, count + 1))
    divisors = np.array([size for size in range(1, count + 1) if count % size == 0])
    chosen = {count}
    for ideal in np.geomspace(1, count, SIZES)[:-1]:
        divisor = int(divisors[np.argmin(np.abs(np.log(divisors / ideal)))])
        near = max(divisor / ideal, ideal / divisor) <= NEAR
        chosen.add(divisor if near else min(2 ** round(np.log2(ideal)), count))
    return tuple(sorted(chosen))


def rates(points: Points, *, with_bias: bool = False, count: int = 8) -> Array:
    """Return learning rates, each twice the one before; at the largest, no single sample's update overshoots for good.

    It is nine tenths of 2/λ for the sample with the largest λ = 2·(x² + 1), without a bias 2·x²; at most 1.
    """
    x, _ = points.arrays
    steepest = 2 * (float(np.max(x * x)) + with_bias)
    halvings = np.arange(count, dtype=np.float64)[::-1]
    return np.asarray(min(0.9 * mse.largest_stable_lr(steepest), 1.0) * 0.5**halvings)


def grid(points: Points, spec: Descent, rates: Array, sizes: Sequence[int]) -> Floor:
    """Run shuffled mini-batches of each size at each learning rate, from the minimum, and see how far they are pushed.

    From there a run shows its floor and nothing else, however slowly its learning rate would have brought it there.
    Up to three seeds are averaged, fewer where they would see more than 2,000,000 samples. Of the spec, epochs, decay,
    seed and whether there is a bias matter. Raises InputError as `core.affine.travel` does.
    """
    least = mse.minimum(points, with_bias=spec.with_bias)
    w, b = (min(max(value, -LIMIT), LIMIT) for value in (least.w, least.b))
    spec = replace(spec, method="minibatch", shuffle=True, w=w, b=b if spec.with_bias else None)
    seeds = max(1, min(SEEDS, MAX_SAMPLES // (spec.epochs * len(points))))
    cells, diverged = [], []
    for size in sizes:
        passage = travel(points, replace(spec, batch_size=size), rates, seeds=seeds)
        gone = passage.diverged_epoch >= 0  # (r, seeds)
        late = passage.excess[..., spec.epochs // 2 :].mean(axis=-1)  # (r, seeds)
        before = above_least(passage.ends[..., -1], _hessian(points, spec))
        cells.append(np.where(gone, before, late).mean(axis=1))
        diverged.append(gone.any(axis=1))
    return Floor(
        rates=rates,
        sizes=tuple(sizes),
        even=tuple(len(points) % size == 0 for size in sizes),
        seeds=seeds,
        excess=np.stack(cells),
        diverged=np.stack(diverged),
    )


@dataclass(frozen=True, kw_only=True, eq=False)
class Decays:
    """The same run with d different decays of the learning rate, over e epochs."""

    decays: tuple[float, ...]  # d; 0 is a constant learning rate
    rates: Array  # (d, e), the learning rate of each epoch
    excess: Array  # (d, e + 1), cost above the least, at the start and after each epoch; the last one within the limit
    # is repeated once a run has diverged
    floor: Array  # (d,), mean over the updates of the last half of the epochs, or, where it diverged, the last excess
    diverged: NDArray[np.bool_]  # (d,)


def decays(points: Points, spec: Descent, values: Sequence[float]) -> Decays:
    """Run the spec once with each decay, in the same order of the samples.

    Raises InputError as `core.affine.travel` and `Descent` do.
    """
    specs = [replace(spec, decay=decay) for decay in values]
    passages = [travel(points, each, np.array([spec.lr])) for each in specs]
    excess = above_least(np.stack([passage.ends[:, 0, 0] for passage in passages], axis=1), _hessian(points, spec))
    diverged = np.array([passage.diverged_epoch[0, 0] >= 0 for passage in passages])
    late = np.array([passage.excess[0, 0, spec.epochs // 2 :].mean() for passage in passages])
    return Decays(
        decays=tuple(each.decay for each in specs),
        rates=np.array([[each.lr_in(epoch) for epoch in range(spec.epochs)] for each in specs]),
        excess=excess,
        floor=np.where(diverged, excess[:, -1], late),
        diverged=diverged,
    )


def _hessian(points: Points, spec: Descent) -> Array:
    size = 1 + spec.with_bias
    return mse.hessian(points)[:size, :size]
