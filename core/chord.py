"""Is it convex? Draw a line between two points of the curve and see whether the curve rises above it.

Course: "非凸函数". A function is convex on a window if no chord has the curve above it anywhere between its ends;
one chord that lies below the curve is enough to show that it is not.
"""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from core.losses import Array
from core.terrain import Place, Terrain
from core.walk import check_place, find

ROUNDING = 1e-12  # of the largest value on the way: what rises less is rounding


@dataclass(frozen=True, kw_only=True, eq=False)
class Chord:
    """A straight line between two points of a curve or surface, and the curve between them, at k places."""

    a: Place  # from here
    b: Place  # to here
    share: Array  # (k,), of the way from a (0) to b (1)
    at: Array  # (k, d), the places
    curve: Array  # (k,), the values of the function
    line: Array  # (k,), the heights of the chord
    rise: float  # the most by which the curve lies above the line; 0 where it nowhere does
    rise_at: Place | None  # where; None where it nowhere does


@dataclass(frozen=True, kw_only=True, eq=False)
class Convexity:
    """Whether a terrain is convex on its window, as far as a grid of chords shows."""

    convex: bool
    example: Chord | None  # the chord above which the curve rises most


def chord(name: str, a: Place, b: Place, *, count: int = 201) -> Chord:
    """Draw one chord. Raises InputError for ends outside the window."""
    terrain = find(name)
    for end in (a, b):
        check_place(terrain, end)
    share = np.linspace(0.0, 1.0, count)
    at, curve, line = _between(terrain, np.array([a], dtype=np.float64), np.array([b], dtype=np.float64), share)
    at, curve, line = at[0], curve[0], line[0]
    highest = int(np.argmax(curve - line))
    rise = float((curve - line)[highest])
    above = rise > ROUNDING * max(1.0, float(np.abs(curve).max()))
    return Chord(
        a=tuple(map(float, a)),
        b=tuple(map(float, b)),
        share=share,
        at=at,
        curve=curve,
        line=line,
        rise=rise if above else 0.0,
        rise_at=tuple(at[highest].tolist()) if above else None,
    )


@lru_cache(maxsize=32)
def convexity(name: str) -> Convexity:
    """Try the chords between all pairs of points of a grid: 41 points of a curve, 9 x 9 of a surface."""
    terrain = find(name)
    axes = [np.linspace(low, high, 41 if len(terrain.names) == 1 else 9) for low, high in terrain.window]
    points = np.stack([axis.ravel() for axis in np.meshgrid(*axes)], axis=1)  # (m, d)
    first, second = np.triu_indices(len(points), k=1)
    _, curve, line = _between(terrain, points[first], points[second], np.linspace(0.0, 1.0, 33))
    pair = int(np.argmax(np.max(curve - line, axis=1)))
    example = chord(name, tuple(points[first[pair]].tolist()), tuple(points[second[pair]].tolist()))
    return Convexity(convex=example.rise == 0, example=example if example.rise > 0 else None)


def _between(terrain: Terrain, a: Array, b: Array, share: Array) -> tuple[Array, Array, Array]:
    """Follow m chords: ends (m, d) and shares (k,) -> places (m, k, d), curve (m, k), line (m, k)."""
    at = a[:, None] + share[:, None] * (b - a)[:, None]
    curve = np.asarray(terrain.value(*np.moveaxis(at, -1, 0)))
    line = curve[:, :1] + share * (curve[:, -1:] - curve[:, :1])
    return at, curve, line
