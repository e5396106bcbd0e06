"""The course's table in measured figures: what one epoch costs, and brings, here and now.

Course: "随机梯度下降算法" (its table of performance and time complexity, and what can be computed in parallel). Every
line of it does the same arithmetic on the same rows in float64 tensors; they differ in how many rows a tensor operation
takes at once, and in how often w is updated.
"""

import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from core import noise_floor
from core.descent import Descent
from core.messages import N_
from core.points import Points

if TYPE_CHECKING:
    from torch import Tensor

ROWS = 1_000
BATCH = 32
BUDGET = 0.6  # seconds for all measurements of the table together; shared out evenly
LEAST, MOST = 3, 200  # measurements of each line
CHUNK = 32  # updates that are timed together, where single ones are asked for
CHUNKS = 9  # of which the median is taken

State = tuple["Tensor", "Tensor"]  # w and b, each ()


@dataclass(frozen=True, kw_only=True)
class Way:
    """One line of the table."""

    title: str  # English, translated by the page
    parallel: str  # the same: whether its gradients can be computed at once
    size: Callable[[int, int], int]  # rows of an update, from the number of rows and the size of a mini-batch
    one_by_one: bool = False  # the gradients of an update are computed row by row, then averaged


WAYS: dict[str, Way] = {
    "full": Way(title=N_("Full batch, vectorised"), parallel=N_("yes, of all rows"), size=lambda rows, _: rows),
    "full-serial": Way(
        title=N_("Full batch, row after row"),
        parallel=N_("they could be"),
        size=lambda rows, _: rows,
        one_by_one=True,
    ),
    "minibatch": Way(title=N_("Mini-batches, vectorised"), parallel=N_("yes, of a batch"), size=lambda _, size: size),
    "sgd": Way(
        title=N_("SGD, row after row"),
        parallel=N_("no"),
        size=lambda _, __: 1,
    ),
}


@dataclass(frozen=True, kw_only=True)
class Timing:
    """What one epoch of one way costs and brings."""

    way: str  # key of WAYS
    rows: int
    batch_size: int  # rows of an update
    updates: int  # in the epoch
    seconds: float  # for the epoch, median
    repeats: int  # measurements behind it
    ratio: float  # to the seconds of "full"
    start_loss: float  # mean squared error of all rows at w = 1, b = 0
    loss: float  # after the epoch


def gradient(x: "Tensor", y: "Tensor", w: "Tensor", b: "Tensor") -> State:
    """Return the gradient of the mean squared error of these rows, x and y (m,), by w and by b."""
    slope = 2 * (x * w + b - y)
    return (slope * x).mean(), slope.mean()


def gradient_one_by_one(x: "Tensor", y: "Tensor", w: "Tensor", b: "Tensor") -> State:
    """Return the same, with one row in each tensor operation."""
    by_w, by_b = w * 0, b * 0
    for x_row, y_row in zip(_parts(x, 1), _parts(y, 1), strict=True):
        own_w, own_b = gradient(x_row, y_row, w, b)
        by_w, by_b = by_w + own_w, by_b + own_b
    return by_w / len(x), by_b / len(x)


def epoch(x: "Tensor", y: "Tensor", state: State, *, lr: float, way: str, size: int, with_bias: bool) -> State:
    """Visit all rows once, in their order, with an update after every `size` of them."""
    slope = gradient_one_by_one if WAYS[way].one_by_one else gradient
    w, b = state
    for x_batch, y_batch in zip(_parts(x, size), _parts(y, size), strict=True):
        by_w, by_b = slope(x_batch, y_batch, w, b)
        w = w - lr * by_w
        if with_bias:
            b = b - lr * by_b
    return w, b


def _parts(values: "Tensor", size: int) -> "tuple[Tensor, ...]":
    """Cut (rows,) into parts of `size`, the last one perhaps short; they share the memory."""
    return values.split(size)  # type: ignore[no-any-return, no-untyped-call]  # torch gives split no types


def safe_lr(points: Points, *, with_bias: bool) -> float:
    """Return a learning rate at which no single row overshoots: under half of the largest stable one."""
    return 0.4 * float(noise_floor.rates(points, with_bias=with_bias, count=1)[0])


def measure(points: Points, *, with_bias: bool = False, rows: int = ROWS, batch_size: int = BATCH) -> list[Timing]:
    """Time one epoch of each way on the points, repeated from the first until there are `rows` of them.

    All start at w = 1, b = 0 and use the learning rate of `safe_lr`. The ways take turns, so that whatever else the
    machine does meets all of them; a first round, which warms the machine up, is not counted.
    """
    import torch

    x, y = (torch.from_numpy(np.resize(values, rows)) for values in points.arrays)
    start = (torch.tensor(1.0, dtype=torch.float64), torch.tensor(0.0, dtype=torch.float64))
    lr = safe_lr(points, with_bias=with_bias)
    seconds: dict[str, list[float]] = {name: [] for name in WAYS}
    ends: dict[str, State] = {}
    sizes = {name: min(way.size(rows, batch_size), rows) for name, way in WAYS.items()}
    for turn in range(MOST + 1):
        for name in WAYS:
            if turn > LEAST and sum(seconds[name]) > BUDGET / len(WAYS):
                continue
            begin = time.perf_counter()
            ends[name] = epoch(x, y, start, lr=lr, way=name, size=sizes[name], with_bias=with_bias)
            if turn:
                seconds[name].append(time.perf_counter() - begin)
    medians = {name: statistics.median(measured) for name, measured in seconds.items()}
    return [
        Timing(
            way=name,
            rows=rows,
            batch_size=sizes[name],
            updates=-(-rows // sizes[name]),
            seconds=medians[name],
            repeats=len(seconds[name]),
            ratio=medians[name] / medians["full"],
            start_loss=_loss(x, y, start),
            loss=_loss(x, y, ends[name]),
        )
        for name in WAYS
    ]


def _loss(x: "Tensor", y: "Tensor", state: State) -> float:
    w, b = state
    return float(((x * w + b - y) ** 2).mean())


def seconds_per_update(points: Points, spec: Descent) -> float:
    """Measure what one update of the spec costs on these points, in tensors: a time axis for its trajectory.

    With numbers so small it hardly depends on how many rows an update sees: that is why a large batch is cheap.
    Raises InputError for a batch larger than the data.
    """
    import torch

    size = spec.size(len(points))
    rows = min(len(points), CHUNK * size)
    x, y = (torch.from_numpy(values[:rows].copy()) for values in points.arrays)
    lr = safe_lr(points, with_bias=spec.with_bias)
    state = (torch.tensor(1.0, dtype=torch.float64), torch.tensor(0.0, dtype=torch.float64))
    epochs = max(1, CHUNK * size // rows)
    updates = epochs * -(-rows // size)
    measured = []
    for _ in range(CHUNKS + 1):  # the first one warms up
        begin = time.perf_counter()
        for _ in range(epochs):
            state = epoch(x, y, state, lr=lr, way="sgd", size=size, with_bias=spec.with_bias)
        measured.append((time.perf_counter() - begin) / updates)
    return statistics.median(measured[1:])
