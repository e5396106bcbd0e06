"""Gradient descent as the page asks for it, against the plain loop: milliseconds from the spec to the numbers.

`python -m benchmarks.descend [--rounds 5]` computes, on y = w·x + b:

* the five runs that the page compares, 200 epochs each, mini-batches of 32, on 1,000 rows and on 100;
* where four methods end at 60 learning rates, 200 epochs each, on 100 rows and on 1,000.

Nothing is left in a cache from one round to the next, the orders of the shuffling included. The plain loop is the
course's (course: "随机梯度下降算法"): lists, Python's numbers, and for the first task the cost of all rows at every
update. It goes by turns with ours, one epoch a round, and its time is taken 200 times (and 60 times, for 60 rates).
Exit code 1 when a median is above its target.
"""

import argparse
import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from benchmarks.conditions import conditions
from core.descent import RACERS, Descent, descend
from core.points import Points
from core.rates import RACED, grid, sweep
from core.shuffle import orders

SPEC = Descent(epochs=200, batch_size=32, lr=0.01, w=-1.0, b=0.0)
RATES = 60


@dataclass(frozen=True, kw_only=True)
class Task:
    """Something to compute in two ways."""

    title: str
    target: float  # milliseconds
    ours: Callable[[], None]
    plain: Callable[[], None]
    times: int  # as often as the plain way would have to be repeated


def data(rows: int) -> Points:
    """Return points around y = 2x."""
    x, noise = np.random.default_rng(0).normal(size=(2, rows))
    return Points(x=tuple(x.tolist()), y=tuple((2 * x + noise).tolist()))


def race(points: Points) -> None:
    """Compute everything that the page shows of the five runs."""
    for racer in RACERS.values():
        run = descend(points, racer.enter(SPEC))
        _ = run.loss, run.epoch, run.samples_seen


def plain_epoch(points: Points, name: str, *, history: bool) -> None:
    """Run one epoch as the course does, all methods alike."""
    spec = RACERS[name].enter(SPEC)
    count, size = len(points), spec.size(len(points))
    order = orders(count, 1, spec.seed)[0].tolist() if spec.shuffles else list(range(count))
    x_data, y_data = list(points.x), list(points.y)
    w, b = spec.w, spec.b or 0.0
    kept = []
    for start in range(0, count, size):
        gradient_w = gradient_b = 0.0
        batch = order[start : start + size]
        for row in batch:
            x, y = x_data[row], y_data[row]
            gradient_w += 2 * x * (x * w + b - y)
            gradient_b += 2 * (x * w + b - y)
        w = w - spec.lr * gradient_w / len(batch)
        b = b - spec.lr * gradient_b / len(batch)
        if history:
            cost = 0.0
            for x, y in zip(x_data, y_data, strict=True):
                cost += (x * w + b - y) ** 2
            kept.append((gradient_w / len(batch), gradient_b / len(batch), w, b, cost / count))


def tasks() -> list[Task]:
    """List the tasks, with the targets that the pages count on."""

    def racing(rows: int, target: float) -> Task:
        points = data(rows)

        def plain() -> None:
            for name in RACERS:
                plain_epoch(points, name, history=True)

        title = f"5 methods x 200 epochs x {rows:,} rows"
        return Task(title=title, target=target, ours=lambda: race(points), plain=plain, times=SPEC.epochs)

    def sweeping(rows: int, target: float) -> Task:
        points = data(rows)
        rates = grid(points, with_bias=True, count=RATES)

        def ours() -> None:
            sweep(points, SPEC, rates)

        def plain() -> None:
            for name in RACED:
                plain_epoch(points, name, history=False)

        title = f"{RATES} rates x 4 methods x 200 epochs x {rows:,} rows"
        return Task(title=title, target=target, ours=ours, plain=plain, times=SPEC.epochs * RATES)

    return [racing(1_000, 400), racing(100, 60), sweeping(100, 500), sweeping(1_000, 500)]


def measure(task: Task, rounds: int) -> tuple[list[float], list[float]]:
    """Return the milliseconds of both ways in each round, by turns."""
    ours: list[float] = []
    plain: list[float] = []
    for _ in range(rounds):
        orders.cache_clear()
        for way, times in ((task.ours, ours), (task.plain, plain)):
            started = time.perf_counter()
            way()
            times.append((time.perf_counter() - started) * 1000)
    return ours, [each * task.times for each in plain]


def main() -> int:
    """Measure, print, judge."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5)
    rounds = parser.parse_args().rounds
    print(f"Gradient descent on y = w·x + b ({conditions()})")
    good = True
    for task in tasks():
        ours, plain = (statistics.median(times) for times in measure(task, rounds))
        good &= ours <= task.target
        verdict = "" if ours <= task.target else f" (should be {task.target:g} ms or less)"
        print(
            f"  {task.title}: median {ours:.0f} ms{verdict},"
            f" the plain loop {plain / 1000:,.1f} s: {plain / ours:,.0f} times (n={rounds})"
        )
    return 0 if good else 1


if __name__ == "__main__":
    raise SystemExit(main())
