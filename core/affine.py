"""Many runs of (stochastic) gradient descent at once: for the squared error, each update is an affine map.

Let d be the way from the minimum to the present (w, b), H the Hessian of the batch's mean squared error, and g its
gradient at the minimum of all data. Then the batch's gradient at d is H·d + g, and

    d  <-  (I - lr·H)·d - lr·g

Two such updates after each other are again an affine map, and so is a whole epoch. The maps of all epochs, at all
learning rates, are composed side by side in NumPy; only the chain from epoch to epoch is left to a loop. g is what the
samples of one batch want when all together are content: over all data it adds up to 0, in one batch it does not.
"""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from core import mse
from core.descent import LIMIT, MAX_SAMPLES, Descent
from core.errors import InputError
from core.losses import Array
from core.points import Points
from core.shuffle import Order


@dataclass(frozen=True, kw_only=True, eq=False)
class Batches:
    """What each batch of each epoch does to (w, b): p is 1 for y = w·x and 2 for y = w·x + b."""

    hessian: Array  # (updates, p, p, seeds, epochs)
    pull: Array  # (updates, p, seeds, epochs), the gradient g of the batch at the minimum of all data


@dataclass(frozen=True, kw_only=True, eq=False)
class Passage:
    """What became of each run: r learning rates, s seeds, e epochs."""

    ends: Array  # (p, r, s, e + 1), the way d from the minimum at the start and after each epoch; the last good one
    # is repeated once a run has diverged
    excess: Array  # (r, s, e), cost above the least, averaged over the updates of each epoch; 0 once it has diverged.
    # (r, s, 0) where nobody asked for it
    diverged_epoch: NDArray[np.int64]  # (r, s), the epoch in which |w| or |b| passed the limit, from 0; -1: never


def batches(points: Points, orders: Order, batch_size: int, *, with_bias: bool) -> Batches:
    """Add up the samples of each batch; the last one of an epoch may be short.

    `orders`, (seeds, epochs, n), are the rows in the order in which they are visited.
    """
    x, y = points.arrays
    least = mse.minimum(points, with_bias=with_bias)
    residual = mse.forward(x, least.w, least.b) - y
    inputs = np.stack([x, np.ones_like(x)] if with_bias else [x])  # (p, n)
    size, count = len(inputs), len(points)
    own_hessian = 2 * inputs[:, None] * inputs[None]  # (p, p, n), of each sample
    own_pull = 2 * inputs * residual  # (p, n)
    samples = np.concatenate([own_hessian.reshape(size * size, count), own_pull])  # (p·p + p, n)
    begins = np.arange(0, count, batch_size)
    sums = np.add.reduceat(samples[:, orders], begins, axis=-1)  # (p·p + p, seeds, epochs, updates)
    means = np.moveaxis(sums / np.diff(begins, append=count), -1, 0)  # (updates, p·p + p, seeds, epochs)
    means = np.ascontiguousarray(means)
    hessian = means[:, : size * size]
    return Batches(hessian=hessian.reshape(-1, size, size, *hessian.shape[2:]), pull=means[:, size * size :])


def update(columns: Array, hessian: Array, pull: Array, lr: Array) -> None:
    """Do one update, in place, to columns (p, c, r, s, e): the pull acts on the last of the c columns.

    With one column these are the ways d themselves. With p + 1, begun as the identity matrix and a column of zeros,
    they become the matrix and the offset of all updates so far.
    """
    slope = hessian[:, 0, None, None] * columns[0]  # (p, 1, 1, s, e) · (c, r, s, e) -> (p, c, r, s, e)
    for row in range(1, len(columns)):
        slope += hessian[:, row, None, None] * columns[row]
    slope[:, -1] += pull[:, None]
    slope *= lr
    columns -= slope


def whole_epochs(steps: Batches, lr: Array) -> Array:
    """Compose the updates of each epoch into one map, (p, p + 1, r, s, e): its matrix, and its offset as last column.

    `lr` is (r, 1, e), or (r, 1, 1) for a constant one.
    """
    size = steps.pull.shape[1]
    shape = np.broadcast_shapes(lr.shape, steps.pull.shape[2:])
    maps = np.zeros((size, size + 1, *shape))
    for row in range(size):
        maps[row, row] = 1.0
    for hessian, pull in zip(steps.hessian, steps.pull, strict=True):
        update(maps, hessian, pull, lr)
    return maps


def travel(points: Points, spec: Descent, rates: Array, *, seeds: int = 1, with_excess: bool = True) -> Passage:
    """Run the spec with every learning rate (r,) and with `seeds` seeds from spec.seed on.

    Each run is that of core.descent.descend but for rounding, and diverges where that does. (Above the border rounding
    itself decides about one start: exactly on the minimum, where only an exact zero never grows.) The excess at each
    update takes a fifth of the time; who needs the ends only leaves it out. Raises InputError for a rate that `Descent`
    refuses, a batch larger than the data, and for more samples to see than 2,000,000.
    """
    for rate in rates.tolist():
        replace(spec, lr=rate)
    count = len(points)
    if spec.epochs * count * seeds > MAX_SAMPLES:
        raise InputError(
            "{epochs:,} epochs of {count:,} samples are too many; give at most {most:,} epochs.",
            epochs=spec.epochs,
            count=count,
            most=MAX_SAMPLES // (count * seeds),
        )
    visits = np.stack([replace(spec, seed=(spec.seed + more) % 2**32).order(count) for more in range(seeds)])
    alike = not (spec.shuffle and spec.size(count) < count)  # every epoch visits the samples in the same batches
    decay = np.array([replace(spec, lr=1.0).lr_in(epoch) for epoch in range(spec.epochs)])
    least = mse.minimum(points, with_bias=spec.with_bias)
    middle = np.array([least.w, least.b][: 1 + spec.with_bias])
    start = np.array([spec.w, spec.b or 0.0][: len(middle)]) - middle
    hessian = mse.hessian(points)[: len(middle), : len(middle)]
    steps = batches(points, visits[:, :1] if alike else visits, spec.size(count), with_bias=spec.with_bias)
    lr = rates[:, None, None] * decay  # (r, 1, e)
    with np.errstate(over="ignore", invalid="ignore"):  # maps of runs that diverge; these are told apart below
        maps = whole_epochs(steps, lr[..., :1] if alike and spec.decay == 0 else lr)
        ends, left = _chain(maps, start, middle, spec.epochs)
        outside, excess = _replay(steps, lr, ends[..., :-1], middle, hessian if with_excess else None)
    return _settle(ends, excess, left | outside)


def _chain(maps: Array, start: Array, middle: Array, epochs: int) -> tuple[Array, NDArray[np.bool_]]:
    """Go from epoch to epoch: the ways d (p, r, s, e + 1), and in which epochs a run was found outside, (r, s, e)."""
    size, _, rates, seeds, given = maps.shape
    ends = np.empty((size, rates, seeds, epochs + 1))
    ends[..., 0] = start[:, None, None]
    left = np.zeros((rates, seeds, epochs), dtype=bool)
    for epoch in range(epochs):
        here = ends[..., epoch]
        chart = maps[..., min(epoch, given - 1)]
        there = chart[:, size].copy()
        for row in range(size):
            # A run that sits on the minimum stays there, even where the map has overflowed: 0 · inf is 0 here.
            there += np.where(here[row] == 0, 0.0, chart[:, row] * here[row])
        left[..., epoch] = _outside(there, middle)
        ends[..., epoch + 1] = np.where(left[..., epoch], here, there)
    return ends, left


def _replay(
    steps: Batches, lr: Array, begins: Array, middle: Array, hessian: Array | None
) -> tuple[NDArray[np.bool_], Array]:
    """Do all epochs again, side by side and update by update, now that it is known where each begins.

    Returns whether a run was outside the limit during each epoch, and the mean excess of its updates: (r, s, e) each,
    the latter (r, s, 0) without a Hessian.
    """
    here = begins[:, None].copy()  # (p, 1, r, s, e)
    outside = np.zeros(begins.shape[1:], dtype=bool)
    excess = np.zeros(begins.shape[1:] if hessian is not None else (*begins.shape[1:3], 0))
    for batch_hessian, pull in zip(steps.hessian, steps.pull, strict=True):
        update(here, batch_hessian, pull, lr)
        outside |= _outside(here[:, 0], middle)
        if hessian is not None:
            excess += above_least(here[:, 0], hessian)
    return outside, excess / len(steps.pull)


def above_least(way: Array, hessian: Array) -> Array:
    """Return ½·dᵀHd, what the cost exceeds its least value by at the ways d, (p, …) -> (…)."""
    total = np.zeros(way.shape[1:])
    for row, slopes in zip(way, hessian, strict=True):
        for column, slope in zip(way, slopes, strict=True):
            total += 0.5 * slope * row * column
    return total


def _outside(way: Array, middle: Array) -> NDArray[np.bool_]:
    place = way + middle.reshape(-1, *(1,) * (way.ndim - 1))
    inside: NDArray[np.bool_] = np.all(np.abs(place) <= LIMIT, axis=0)
    return ~inside  # also true of NaN


def _settle(ends: Array, excess: Array, left: NDArray[np.bool_]) -> Passage:
    """Let nothing that comes after the epoch in which a run diverged count."""
    gone = np.logical_or.accumulate(left, axis=-1)  # (r, s, e)
    first = np.where(gone[..., -1], np.argmax(gone, axis=-1), -1)
    for epoch in range(gone.shape[-1]):
        ends[..., epoch + 1] = np.where(gone[..., epoch], ends[..., epoch], ends[..., epoch + 1])
    return Passage(ends=ends, excess=np.where(gone[..., : excess.shape[-1]], 0.0, excess), diverged_epoch=first)
