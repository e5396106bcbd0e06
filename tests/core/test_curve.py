import math

import numpy as np

from core.curve import decimate, sample


def noisy(count):
    return list(enumerate(np.random.default_rng(0).normal(size=count).tolist()))


def test_a_short_curve_comes_back_whole():
    points = noisy(20)
    assert decimate(points, 10) == points
    assert sample(points, 20) == points


def test_the_extremes_of_every_part_survive_in_order():
    points = noisy(1003)
    kept = decimate(points, 10)
    assert len(kept) == 20
    assert kept == sorted(kept)
    for number in range(10):
        part = [y for _, y in points[1003 * number // 10 : 1003 * (number + 1) // 10]]
        assert {y for _, y in kept[2 * number : 2 * number + 2]} == {min(part), max(part)}


def test_what_is_not_finite_is_left_out():
    points = [(0.0, 1.0), (1.0, math.inf), (2.0, math.nan), (3.0, 2.0)]
    assert decimate(points, 10) == sample(points, 10) == [(0.0, 1.0), (3.0, 2.0)]
    assert decimate([], 10) == sample([], 10) == []


def test_a_sample_has_both_ends():
    points = noisy(1003)
    kept = sample(points, 50)
    assert len(kept) == 50
    assert (kept[0], kept[-1]) == (points[0], points[-1])
    assert kept == sorted(kept)
