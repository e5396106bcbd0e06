"""Gradient descent on the squared error of a straight line: full batch, sample by sample, and by mini-batches.

Course: "梯度下降算法" (the gradient of the mean, one update an epoch) and "随机梯度下降算法" (the gradient of one
sample, one update a sample); the numbers are those of the two listings, at every update. The loop is plain Python
floats, as in the course: with a handful of samples an update this is a hundred times faster than tensors. What
torch.optim.SGD does with a DataLoader is the same but for rounding (core.descent_check).
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from core.checks import check_whole, is_number
from core.errors import InputError
from core.losses import Array
from core.messages import N_
from core.parabola import costs
from core.points import MAX_ROWS, Points
from core.shuffle import Order, orders

LIMIT = 1e9  # a run ends as diverged where |w| or |b| passes it
MAX_SAMPLES = 2_000_000  # samples seen in a run: epochs times rows


@dataclass(frozen=True, kw_only=True)
class Method:
    """A way to choose the samples of an update."""

    title: str  # English, translated by the page
    size: Callable[[int, int], int]  # of a batch, from the number of samples and the batch size that was asked for
    shuffles: bool  # whether the order of the samples matters


METHODS: dict[str, Method] = {
    "gd": Method(title=N_("Gradient descent"), size=lambda count, _: count, shuffles=False),
    "sgd": Method(title=N_("Stochastic gradient descent (SGD)"), size=lambda _, __: 1, shuffles=True),
    "minibatch": Method(title=N_("Mini-batch gradient descent"), size=lambda _, size: size, shuffles=True),
}


@dataclass(frozen=True, kw_only=True)
class Descent:
    """One run of gradient descent. Raises InputError for a value outside its range."""

    method: str = "gd"  # a key of METHODS
    shuffle: bool = False  # a new order of the samples each epoch; without effect where an update sees them all ("gd")
    batch_size: int = 2  # samples of an update for "minibatch", 1 to 10,000 and not above the number of samples
    epochs: int = 100  # passes over the samples, 1 to 1,000
    lr: float = 0.01  # learning rate of the first epoch, above 0, up to 1,000
    decay: float = 0.0  # the learning rate of epoch e = 0, 1, … is lr / (1 + decay·e); 0 to 100
    w: float = 1.0  # start, -1e6 to 1e6
    b: float | None = None  # start of the bias, -1e6 to 1e6; None: y = w·x, without one
    seed: int = 0  # of the shuffling, 0 to 2**32 - 1

    def __post_init__(self) -> None:
        if self.method not in METHODS:
            raise InputError(
                "The method must be one of {names}, not {value}.", names=", ".join(METHODS), value=self.method
            )
        check_whole("epochs", self.epochs, 1, 1_000)
        check_whole("batch_size", self.batch_size, 1, MAX_ROWS)
        check_whole("seed", self.seed, 0, 2**32 - 1)
        if not is_number(self.lr) or not 0 < self.lr <= 1_000:  # also true of NaN
            raise InputError(
                "The learning rate must be a number above 0 and at most 1,000, not {value}.", value=self.lr
            )
        if not is_number(self.decay) or not 0 <= self.decay <= 100:
            raise InputError("The decay must be a number from 0 to 100, not {value}.", value=self.decay)
        for name, value in (("w", self.w), ("b", 0.0 if self.b is None else self.b)):
            if not is_number(value) or not abs(value) <= 1e6:
                raise InputError(
                    "The start of {name} must be a number from -1,000,000 to 1,000,000, not {value}.",
                    name=name,
                    value=value,
                )
        for name in ("lr", "decay", "w"):  # 1 and 1.0 are the same run
            object.__setattr__(self, name, float(getattr(self, name)))
        object.__setattr__(self, "b", None if self.b is None else float(self.b))

    @property
    def with_bias(self) -> bool:
        """Tell whether the model is y = w·x + b."""
        return self.b is not None

    @property
    def shuffles(self) -> bool:
        """Tell whether each epoch has its own order of the samples."""
        return self.shuffle and METHODS[self.method].shuffles

    def lr_in(self, epoch: int) -> float:
        """Return the learning rate of an epoch, counted from 0."""
        return self.lr / (1 + self.decay * epoch)

    def size(self, count: int) -> int:
        """Return how many of `count` samples an update uses; the last one of an epoch may have fewer.

        Raises InputError for mini-batches larger than the data.
        """
        size = METHODS[self.method].size(count, self.batch_size)
        if size > count:
            raise InputError(
                "{name} must be from 1 to {count}, the number of samples, not {value}.",
                name="batch_size",
                count=count,
                value=size,
            )
        return size

    def order(self, count: int) -> Order:
        """Return which of `count` samples comes when, (epochs, count), read-only."""
        if self.shuffles:
            return orders(count, self.epochs, self.seed)
        return np.broadcast_to(np.arange(count), (self.epochs, count))


@dataclass(frozen=True, kw_only=True)
class Racer:
    """One of the runs that are compared."""

    title: str  # English, translated by the page
    method: str  # a key of METHODS
    shuffle: bool

    def enter(self, spec: Descent) -> Descent:
        """Return the spec with this racer's method."""
        return replace(spec, method=self.method, shuffle=self.shuffle)


RACERS: dict[str, Racer] = {
    "gd": Racer(title=N_("Full batch"), method="gd", shuffle=False),
    "sgd": Racer(title=N_("SGD in order"), method="sgd", shuffle=False),
    "sgd-shuffled": Racer(title=N_("SGD shuffled"), method="sgd", shuffle=True),
    "minibatch": Racer(title=N_("Mini-batch in order"), method="minibatch", shuffle=False),
    "minibatch-shuffled": Racer(title=N_("Mini-batch shuffled"), method="minibatch", shuffle=True),
}


@dataclass(frozen=True, kw_only=True, eq=False)
class Trajectory:
    """What happened, update by update: each array is (k,), and its first entry is the first update.

    No value is ever NaN or infinite: a run that grows without end stops at LIMIT, far below the largest float.
    """

    points: Points
    spec: Descent
    gradient_w: Array  # the gradient that this update used, by w
    gradient_b: Array  # and by b; zeros for y = w·x
    w: Array  # after it
    b: Array  # after it; zeros for y = w·x
    cost: Array  # mean squared error of all samples at (w, b) after it
    start_cost: float  # and at the start
    diverged_at: int | None  # the last update, after which |w| or |b| is above LIMIT; None where that did not happen

    def __len__(self) -> int:
        return len(self.w)

    @property
    def updates_per_epoch(self) -> int:
        """Return how many updates a whole epoch has."""
        return -(-len(self.points) // self.spec.size(len(self.points)))

    @cached_property
    def epoch(self) -> NDArray[np.intp]:
        """Return the epoch of each update, from 0."""
        return np.arange(len(self)) // self.updates_per_epoch

    @cached_property
    def samples_seen(self) -> NDArray[np.intp]:
        """Return how many samples were used up to and with each update."""
        count, place = len(self.points), np.arange(len(self)) % self.updates_per_epoch
        return self.epoch * count + np.minimum((place + 1) * self.spec.size(count), count)

    @cached_property
    def loss(self) -> Array:
        """Return the mean squared error of the update's own samples before it: what a training loop prints."""
        before_w = np.concatenate(([self.spec.w], self.w[:-1]))
        before_b = np.concatenate(([self.spec.b or 0.0], self.b[:-1]))
        return self._batch_loss(before_w, before_b)

    @cached_property
    def loss_after(self) -> Array:
        """Return the mean squared error of the update's own samples after it, as in the course's listing of SGD."""
        return self._batch_loss(self.w, self.b)

    def rows(self, update: int) -> NDArray[np.intp]:
        """Return which samples an update used, in their order."""
        epoch, place = divmod(update, self.updates_per_epoch)
        size = self.spec.size(len(self.points))
        return self._order[epoch, place * size : (place + 1) * size]

    @cached_property
    def _order(self) -> Order:
        return self.spec.order(len(self.points))

    def _batch_loss(self, w: Array, b: Array) -> Array:
        x, y = self.points.arrays
        ends = self.samples_seen
        starts = np.concatenate(([0], ends[:-1]))
        sizes = ends - starts
        rows = self._order.reshape(-1)[: ends[-1]]  # every sample seen, one after the other
        residuals = x[rows] * np.repeat(w, sizes) + np.repeat(b, sizes) - y[rows]
        return np.asarray(np.add.reduceat(residuals**2, starts) / sizes)


def descend(points: Points, spec: Descent) -> Trajectory:
    """Run gradient descent.

    Raises InputError for a batch larger than the data, and for more samples to see than 2,000,000.
    """
    if spec.epochs * len(points) > MAX_SAMPLES:
        raise InputError(
            "{epochs:,} epochs of {count:,} samples are too many; give at most {most:,} epochs.",
            epochs=spec.epochs,
            count=len(points),
            most=MAX_SAMPLES // len(points),
        )
    path = np.fromiter(_updates(points, spec), dtype=np.float64).reshape(-1, 4)  # (k, 4)
    gradient_w, gradient_b, w, b = np.ascontiguousarray(path.T)
    start = np.array([spec.w]), np.array([spec.b or 0.0])
    return Trajectory(
        points=points,
        spec=spec,
        gradient_w=gradient_w,
        gradient_b=gradient_b if spec.with_bias else np.zeros_like(w),
        w=w,
        b=b,
        cost=costs(points, w, b, with_bias=spec.with_bias),
        start_cost=float(costs(points, *start, with_bias=spec.with_bias)[0]),
        diverged_at=len(w) - 1 if max(abs(w[-1]), abs(b[-1])) > LIMIT else None,
    )


def _updates(points: Points, spec: Descent) -> Iterator[float]:
    """Yield four numbers an update: the gradient by w and by b, then w and b after it."""
    x_all, y_all = points.arrays
    size = spec.size(len(points))
    ends = [size if row % size == size - 1 else 0 for row in range(len(points))]  # samples of the batch that ends here
    ends[-1] = (len(points) - 1) % size + 1  # the last batch may be short
    w, b = spec.w, spec.b or 0.0
    low, high = -LIMIT, LIMIT
    for epoch, order in enumerate(spec.order(len(points))):
        lr = spec.lr_in(epoch)
        lr_b = lr if spec.with_bias else 0.0  # b then stays 0
        sum_w = sum_b = 0.0
        for x, y, end in zip(x_all[order].tolist(), y_all[order].tolist(), ends, strict=True):
            slope = 2.0 * (x * w + b - y)  # of the squared residual, by the prediction
            sum_w += slope * x
            sum_b += slope
            if end:
                gradient_w, gradient_b = sum_w / end, sum_b / end
                w -= lr * gradient_w
                b -= lr_b * gradient_b
                yield gradient_w
                yield gradient_b
                yield w
                yield b
                if not (low <= w <= high and low <= b <= high):
                    return
                sum_w = sum_b = 0.0
