"""What the pictures of gradient descent draw: where each method stands at each step, and the followed one's updates."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
import pandas as pd

from app.figures.descent_clock import Steps, steps
from app.figures.descent_runs import Settings, run
from app.figures.line import Data, some
from app.figures.numbers import tidy
from app.i18n import _, ngettext
from core import mse, verdict, windows
from core.descent import Trajectory
from core.losses import Array
from core.mse import LIMIT, Sweep
from core.points import Points
from core.shuffle import Order

MOST_PARABOLAS = 30
WIDEST = 1e10  # how far below the loss at the start the axis of the loss reaches
HIGHEST = 1e3  # and how far above it
FAR = 4  # widths of the picture, from its middle
MOST_POWERS = 7  # marked on the axis of the loss
NAMED = 3  # samples of a batch that are named in the table
WIDTH = 7  # characters of a number in the table
THIN = "·⁻⁰¹²³⁴⁵⁶⁷⁸⁹"  # characters half as wide as the others
TERMS = ("a", "b", "c")  # of the formula: an update's first sample, its second and its last
EXACT = 5  # digits of the gradient that the formula's own numbers give


@dataclass(frozen=True, kw_only=True)
class Race:
    """The methods that are shown, the one that is followed, and the clock: what a picture depends on."""

    shown: tuple[str, ...]  # keys of RACERS, in their order; the followed one is among them
    follow: str
    clock: str  # key of CLOCKS
    seconds: tuple[float, ...] = ()  # an update of each shown method takes, for the clock "time"


def runs(points: Points, settings: Settings, race: Race, *, with_bias: bool = False) -> dict[str, Trajectory]:
    """Run the methods that are shown."""
    return {racer: run(points, settings.spec(racer, with_bias=with_bias)) for racer in race.shown}


@lru_cache(maxsize=32)
def timeline(points: Points, settings: Settings, race: Race, *, with_bias: bool = False) -> Steps:
    """Choose the steps of the picture."""
    seconds = dict(zip(race.shown, race.seconds, strict=False))
    return steps(runs(points, settings, race, with_bias=with_bias), race.clock, seconds)


@lru_cache(maxsize=32)
def race_data(points: Points, settings: Settings, race: Race, _language: str) -> Data:
    """Compute what the first picture draws, for y = w·x; read-only. The language is there for the cache."""
    window = window_of(points, settings.w)
    found = runs(points, settings, race)
    beat = timeline(points, settings, race)
    lowest = mse.minimum(points)
    values = np.linspace(window.start, window.stop, 161)
    mean = mse.sweep(points, values)
    chosen = some(len(points), MOST_PARABOLAS)
    own = mse.curves(Points(x=tuple(points.x[i] for i in chosen), y=tuple(points.y[i] for i in chosen)), values[::2])
    top = float(mean.max()) or 1.0
    walk = walk_rows(found, beat, race)
    walk["w"] = near(walk["w"], window)
    frame: dict[str, Any] = {"w0": window.start, "w1": window.stop, "loss0": -0.04 * top, "loss1": 1.08 * top}
    frame |= {"best": lowest.w, "least": lowest.loss, "steepness": mse.curvature(points) / 2, "start": settings.w}
    frame |= ends(walk, found, beat, lowest.loss)
    follow = follow_rows(found[race.follow], beat.done[race.follow])
    x, y = points.arrays
    return {
        "mean": pd.DataFrame({"w": values, "loss": mean}),
        "own": pd.DataFrame(
            {"sample": np.repeat(chosen, 81), "w": np.tile(values[::2], len(chosen)), "loss": own.ravel()}
        ),
        "minima": pd.DataFrame({"w": y[x != 0] / x[x != 0], "loss": 0.0}),
        "frame": pd.DataFrame([frame]),
        "walk": walk,
        "follow": follow,
        "printed": printed_rows(found[race.follow], beat.done[race.follow]),
    }


def window_of(points: Points, start: float) -> Sweep:
    """Return the part of the w axis that is drawn: that of the landscape, with the start in it."""
    return stretched(windows.over_w(points), start)


def stretched(usual: Sweep, start: float) -> Sweep:
    """Return a range made wider where the start lies outside."""
    if usual.start <= start <= usual.stop:
        return usual
    width = abs(start - (usual.start + usual.stop) / 2) * 1.15
    low, high = (usual.start, start + 0.05 * width) if start > usual.stop else (start - 0.05 * width, usual.stop)
    step = usual.step * 10 ** np.ceil(np.log10((high - low) / (usual.stop - usual.start)))
    low, high = max(-LIMIT, np.floor(low / step) * step), min(LIMIT, np.ceil(high / step) * step)
    return Sweep(start=float(f"{low:.12g}"), stop=float(f"{high:.12g}"), step=float(f"{step:.12g}"))


def walk_rows(found: Mapping[str, Trajectory], beat: Steps, race: Race) -> pd.DataFrame:
    """Return where each method stands at each step."""
    parts = []
    for racer, course in found.items():
        done = beat.done[racer]
        parts.append(
            pd.DataFrame(
                {
                    "racer": racer,
                    "followed": int(racer == race.follow),
                    "step": np.arange(len(done)),
                    "at": beat.ticks,
                    "w": from_start(course.w, course.spec.w)[done],
                    "b": from_start(course.b, course.spec.b or 0.0)[done],
                    "cost": from_start(course.cost, course.start_cost)[done],
                }
            )
        )
    return pd.concat(parts, ignore_index=True)


def near(values: pd.Series, window: Sweep) -> pd.Series:
    """Leave out what lies so far outside that its path is nothing but level lines across the picture."""
    middle, width = (window.start + window.stop) / 2, window.stop - window.start
    return values.where((values - middle).abs() <= FAR * width)


def from_start(values: Array, start: float) -> Array:
    """Put the start before the values after each update."""
    return np.concatenate(([start], values))


def ends(walk: pd.DataFrame, found: Mapping[str, Trajectory], beat: Steps, least: float) -> dict[str, Any]:
    """Choose the ends of the clock's axis and of the loss's, which is logarithmic."""
    start = next(iter(found.values())).start_cost
    costs = walk["cost"].to_numpy()
    positive = costs[costs > 0]
    high = min(float(positive.max()), HIGHEST * start) if len(positive) and start > 0 else 1.0
    low = max(float(positive.min()), high / WIDEST) if len(positive) and start > 0 else high / 10
    if least > 0:
        low = max(min(low, least), high / WIDEST)
    low, high = (low / 1.25, high * 1.25) if low < high else (low / 3, high * 3)
    return {"at0": 0.0, "at1": float(beat.ticks[-1]), "cost0": low, "cost1": high, "ticks": _powers(low, high)}


def _powers(low: float, high: float) -> list[float]:
    """Choose the marks of a logarithmic axis: powers of ten, a few of them where they are many, more where few."""
    first, last = int(np.floor(np.log10(low))), int(np.ceil(np.log10(high)))
    steps = (1, 2, 5) if last - first <= 3 else (1,)
    every = max(1, (last - first) // MOST_POWERS + 1) if len(steps) == 1 else 1
    marks = [float(f"{step}e{power}") for power in range(first, last + 1, every) for step in steps]
    return [mark for mark in marks if low <= mark <= high]


def follow_rows(course: Trajectory, done: Order) -> pd.DataFrame:
    """Return the last update of the followed method at each step: what the formula and the arrow show.

    Before the first update there is none: its fields are NaN, which draws nothing and prints a dash.
    """
    update = done - 1  # -1 at the start
    made = update >= 0
    last = np.maximum(update, 0)
    w, b = (
        from_start(values, start) for values, start in ((course.w, course.spec.w), (course.b, course.spec.b or 0.0))
    )

    def where_made(values: Array) -> Array:
        return np.where(made, values, np.nan)

    rows = [course.rows(int(u)) for u in last]
    sizes = np.array([len(chosen) for chosen in rows], dtype=np.float64)
    rates = np.array([course.spec.lr_in(int(epoch)) for epoch in course.epoch[last]])
    columns = {
        "step": np.arange(len(done)),
        "update": done,
        "w0": where_made(w[last]),
        "b0": where_made(b[last]),
        "w1": w[done],
        "b1": b[done],
        "gw": where_made(course.gradient_w[last]),
        "gb": where_made(course.gradient_b[last]),
        "lr": rates,
        "cost": from_start(course.cost, course.start_cost)[done],
        "place": np.unique(done, return_inverse=True)[1],  # among the printed rows
        "size": sizes,
        "partial": made & (sizes < len(course.points)),
    }
    if not course.spec.with_bias:
        columns |= {name: where_made(values) for name, values in verdict.batches(course, last).items()}
    x, y = course.points.arrays
    for term, place in zip(TERMS, (0, 1, -1), strict=True):
        named = np.array([chosen[min(place, len(chosen) - 1)] for chosen in rows])
        columns |= {f"x{term}": where_made(x[named]), f"y{term}": where_made(y[named])}
    digits = [
        digits_of(course, chosen, before, gradient) if is_made else 6
        for is_made, chosen, before, gradient in zip(made, rows, w[last], course.gradient_w[last], strict=True)
    ]
    return pd.DataFrame(columns | {"digits": digits})


def digits_of(course: Trajectory, rows: Order, w: float, gradient: float) -> int:
    """Count the digits of w, from 6 to 12, that the formula needs: near the minimum of a batch most of them cancel."""
    if course.spec.with_bias or len(rows) > len(TERMS):
        return 6
    x, y = (values[rows] for values in course.points.arrays)
    wanted = f"{gradient:.{EXACT}g}"
    for digits in range(6, 12):
        if f"{float(np.mean(2 * x * (float(f'{w:.{digits}g}') * x - y))):.{EXACT}g}" == wanted:
            return digits
    return 12


def printed_rows(course: Trajectory, done: Order) -> pd.DataFrame:
    """Return the followed method's updates as the picture's table prints them."""
    update = np.unique(done)
    w, cost = from_start(course.w, course.spec.w), from_start(course.cost, course.start_cost)
    return pd.DataFrame(
        {
            "place": np.arange(len(update)),
            "update": [str(u) for u in update],
            "samples": [samples(course, int(u) - 1) if u else _("start") for u in update],
            "gradient": [narrow(course.gradient_w[u - 1], 4) if u else "" for u in update],
            "w": [narrow(value, 5) for value in w[update]],
            "cost": [narrow(value, 4) for value in cost[update]],
        }
    )


def samples(course: Trajectory, update: int) -> str:
    """Name the samples of an update: the point itself where it is one, the rows' numbers where they are few."""
    rows = course.rows(update)
    if len(rows) == 1:
        return tidy(f"({course.points.x[rows[0]]:.4g}, {course.points.y[rows[0]]:.4g})")
    if len(rows) == len(course.points):
        return _("all {count}").format(count=len(rows))
    if len(rows) <= NAMED:
        return _("rows {rows}").format(rows=", ".join(str(row + 1) for row in rows))
    return ngettext("{count} row", "{count} rows", len(rows)).format(count=len(rows))


def written(value: float, digits: int) -> str:
    """Write a number with so many digits at most, however small it is; 0 is 0 exactly."""
    return tidy(f"{value:.{digits}g}")


def narrow(value: float, digits: int) -> str:
    """Write a number of the picture's table: with fewer digits where its column is too narrow for it."""
    texts = [written(value, some_) for some_ in range(digits, 0, -1)]
    return next((text for text in texts if len(text) - sum(map(text.count, THIN)) / 2 <= WIDTH), texts[-1])
