"""Fewer points for a long curve, without hiding its peaks."""

import math
from collections.abc import Sequence

Point = tuple[float, float]


def decimate(points: Sequence[Point], buckets: int) -> list[Point]:
    """Keep the lowest and the highest point of each of `buckets` equal parts, in their order.

    A curve of at most 2·buckets points comes back whole. Points that are not finite have no place on a picture and
    are left out.
    """
    finite = [point for point in points if math.isfinite(point[1])]
    if len(finite) <= 2 * buckets:
        return finite
    kept: list[Point] = []
    for number in range(buckets):
        part = finite[len(finite) * number // buckets : len(finite) * (number + 1) // buckets]
        ends = (min(part, key=lambda point: point[1]), max(part, key=lambda point: point[1]))
        kept.extend(sorted(ends))
    return kept


def sample(points: Sequence[Point], count: int) -> list[Point]:
    """Keep `count` points at even distances, the first and the last among them; leave out what is not finite."""
    if len(points) > count:
        last = len(points) - 1
        points = [points[round(number * last / (count - 1))] for number in range(count)]
    return [point for point in points if math.isfinite(point[1])]
