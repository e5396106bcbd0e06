"""A small non-convex fit whose saddle holds gradient descent but not mini-batches: one bump for data with two.

The model ŷ = a·exp(-(x - c)²) has a place c and a height a; the data have two equal bumps, at -2 and 2. Halfway, at
c = 0, the left samples pull c as hard as the right ones: the gradient of all data by c is exactly 0, and gradient
descent ends at a saddle. No single sample agrees, so batches of some samples, in the order of a real shuffle, leave
it. Course: "随机梯度下降算法" (SGD may help to get past a saddle, because the data are noisy).
"""

import math
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from core.errors import InputError
from core.losses import Array
from core.points import Points
from core.shuffle import Order, orders

SIDE = 2.0  # the bumps of the data are at -SIDE and SIDE
WINDOW = ((-3.5, 3.5), (-0.3, 1.5))  # of c and of a, where all that happens lies
LEFT = 1.0  # who is farther from c = 0 has left the saddle for good


def _samples() -> Points:
    """Lay out 16 samples from -3.75 to 3.75, each x beside its -x.

    In this order the two parts of a pair cancel as soon as they are added, so that the sum is 0 without rounding.
    """
    x = tuple(sign * (0.25 + 0.5 * number) for number in range(8) for sign in (1, -1))
    return Points(x=x, y=tuple(math.exp(-((at - SIDE) ** 2)) + math.exp(-((at + SIDE) ** 2)) for at in x))


SAMPLES = _samples()
COUNT = len(SAMPLES)


@dataclass(frozen=True, kw_only=True)
class BumpFit:
    """How the bump is fitted."""

    batch_size: int = 4  # 1 to 16; with 16, the full batch, each epoch is one update and nothing is shuffled
    epochs: int = 100  # 1 to 1,000
    lr: float = 0.5  # learning rate, above 0 and at most 1: there, no sample can make a grow without end
    c: float = 0.0  # start, inside WINDOW
    a: float = 0.5  # start, inside WINDOW
    seed: int = 0  # of the shuffling, 0 to 2**32 - 1

    def __post_init__(self) -> None:
        for name, value, most in (("batch_size", self.batch_size, COUNT), ("epochs", self.epochs, 1_000)):
            if not 1 <= value <= most or value != int(value):  # also true of NaN
                raise InputError(
                    "{name} must be a whole number from 1 to {most:,}, not {value}.", name=name, most=most, value=value
                )
        if not 0 < self.lr <= 1:
            raise InputError("The learning rate must be above 0 and at most {most:g}, not {lr:g}.", most=1, lr=self.lr)
        for name, start, (low, high) in (("c", self.c, WINDOW[0]), ("a", self.a, WINDOW[1])):
            if not low <= start <= high:
                raise InputError(
                    "{name} must be from {low:g} to {high:g}, not {value:g}.",
                    name=name,
                    low=low,
                    high=high,
                    value=start,
                )
        if not 0 <= self.seed < 2**32:
            raise InputError("The seed must be from 0 to 4,294,967,295, not {seed}.", seed=self.seed)


@dataclass(frozen=True, kw_only=True, eq=False)
class BumpPath:
    """One fit: k updates."""

    spec: BumpFit
    c: Array  # (k + 1,), the start first
    a: Array  # (k + 1,)
    loss: Array  # (k + 1,), mean squared error of all samples there
    gradient: Array  # (k, 2), by c and by a, of the batch, as used by each update
    epoch: Order  # (k,), from 0
    left_at: int | None  # the first update (from 0) after which |c| > 1; None: it stayed at the saddle
    order: Order  # (epochs, 16), the samples as each epoch visits them

    def rows(self, update: int) -> Order:
        """Return which samples were in the batch of an update."""
        updates = -(-COUNT // self.spec.batch_size)
        begin = update % updates * self.spec.batch_size
        return self.order[update // updates, begin : begin + self.spec.batch_size]


def predict(x: Array | float, c: Array | float, a: Array | float) -> Array:
    """Return the height of the bump, a·exp(-(x - c)²)."""
    return np.asarray(a * np.exp(-((x - c) ** 2)), dtype=np.float64)


def loss(c: Array | float, a: Array | float) -> Array:
    """Return the mean squared error over all samples, for c and a of any shapes that fit together."""
    errors = [(predict(x, c, a) - y) ** 2 for x, y in zip(SAMPLES.x, SAMPLES.y, strict=True)]
    return np.asarray(sum(errors) / COUNT, dtype=np.float64)


def sample_gradient(x: float, y: float, c: float, a: float) -> tuple[float, float]:
    """Return the derivatives of one sample's squared error by c and by a."""
    bump = math.exp(-((x - c) ** 2))
    residual = a * bump - y
    return 2 * residual * a * bump * 2 * (x - c), 2 * residual * bump


def gradient(c: float, a: float, rows: Order | None = None) -> tuple[float, float]:
    """Return the mean gradient of a batch, of all samples by default; by c it is exactly 0 for all at c = 0."""
    chosen = range(COUNT) if rows is None else rows.tolist()
    by_c = by_a = 0.0
    for row in chosen:
        own_c, own_a = sample_gradient(SAMPLES.x[row], SAMPLES.y[row], c, a)
        by_c += own_c
        by_a += own_a
    return by_c / len(chosen), by_a / len(chosen)


def sample_gradients(c: float, a: float) -> Array:
    """Return each sample's own gradient by c and by a, (16, 2)."""
    return np.array([sample_gradient(x, y, c, a) for x, y in zip(SAMPLES.x, SAMPLES.y, strict=True)])


def hessian(c: float, a: float) -> Array:
    """Return the second derivatives of the loss by (c, a), (2, 2)."""
    x, y = SAMPLES.arrays
    bump = np.exp(-((x - c) ** 2))
    first, second = 2 * (x - c) * bump, (4 * (x - c) ** 2 - 2) * bump  # of the bump, by c
    residual = a * bump - y
    by_cc = np.mean(2 * ((a * first) ** 2 + residual * a * second))
    by_ca = np.mean(2 * (a * first * bump + residual * first))
    return np.array([[by_cc, by_ca], [by_ca, np.mean(2 * bump * bump)]])


def surface(count: int = 61) -> tuple[Array, Array, Array]:
    """Return c (count,), a (count,) and the loss over their grid, (count, count) with a down."""
    c, a = (np.linspace(low, high, count) for low, high in WINDOW)
    return c, a, loss(*np.meshgrid(c, a))


def descend(spec: BumpFit) -> BumpPath:
    """Fit the bump: (c, a) <- (c, a) - lr·gradient of the batch, batch after batch, in a new order each epoch."""
    if spec.batch_size == COUNT:
        order = np.tile(np.arange(COUNT), (spec.epochs, 1))
    else:
        order = orders(COUNT, spec.epochs, spec.seed)
    c, a = spec.c, spec.a
    places, used, epochs = [(c, a)], [], []
    for epoch, visited in enumerate(order):
        for begin in range(0, COUNT, spec.batch_size):
            by_c, by_a = gradient(c, a, visited[begin : begin + spec.batch_size])
            c, a = c - spec.lr * by_c, a - spec.lr * by_a
            places.append((c, a))
            used.append((by_c, by_a))
            epochs.append(epoch)
    path_c, path_a = np.array(places).T
    away = np.flatnonzero(np.abs(path_c) > LEFT)
    return BumpPath(
        spec=spec,
        c=path_c,
        a=path_a,
        loss=loss(path_c, path_a),
        gradient=np.array(used),
        epoch=np.array(epochs),
        left_at=int(away[0]) - 1 if len(away) else None,
        order=order,
    )


@dataclass(frozen=True, kw_only=True)
class Stationary:
    """A place where the gradient of all samples is zero."""

    c: float
    a: float
    loss: float
    eigenvalues: tuple[float, float]  # of the Hessian there, ascending


@lru_cache(maxsize=1)
def saddle() -> Stationary:
    """Return the saddle at c = 0: there the loss is lowest for this c, which least squares finds in closed form."""
    x, y = SAMPLES.arrays
    bump = predict(x, 0.0, 1.0)
    return _stationary(0.0, float(np.sum(bump * y) / np.sum(bump * bump)))


@lru_cache(maxsize=1)
def minima() -> tuple[Stationary, Stationary]:
    """Return the two minima, the left one first, found by Newton's method from the bumps of the data."""
    found = []
    for side in (-SIDE, SIDE):
        place = np.array([side, 1.0])
        for _ in range(20):
            place -= np.linalg.solve(hessian(*place.tolist()), gradient(*place.tolist()))
        found.append(_stationary(*place.tolist()))
    return found[0], found[1]


def _stationary(c: float, a: float) -> Stationary:
    low, high = np.linalg.eigvalsh(hessian(c, a)).tolist()
    return Stationary(c=c, a=a, loss=float(loss(c, a)), eigenvalues=(low, high))
