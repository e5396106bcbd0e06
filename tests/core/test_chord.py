"""Convexity by chords, against the sign of the curvature."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.chord import chord, convexity
from core.errors import InputError
from core.terrain import TERRAINS


@pytest.mark.parametrize("name", TERRAINS)
def test_a_terrain_is_convex_where_its_curvature_is_nowhere_negative(name):
    terrain = TERRAINS[name]
    grid = zip(*(axis.ravel() for axis in np.meshgrid(*terrain.axes)), strict=True)
    least = min(np.linalg.eigvalsh(np.array(terrain.hessian(*place)))[0] for place in list(grid)[::5])
    found = convexity(name)
    assert found.convex == (least >= 0)
    assert (found.example is None) == found.convex


@pytest.mark.parametrize("name", [name for name in TERRAINS if not convexity(name).convex])
def test_the_example_shows_the_curve_above_its_chord(name):
    example, value = convexity(name).example, TERRAINS[name].value
    share = np.linalg.norm(np.subtract(example.rise_at, example.a)) / np.linalg.norm(np.subtract(example.b, example.a))
    line = float(value(*example.a)) * (1 - share) + float(value(*example.b)) * share
    assert float(value(*example.rise_at)) - line == pytest.approx(example.rise, rel=1e-9)
    assert example.rise > 0


@given(st.floats(-2, 4), st.floats(-2, 4))
def test_no_chord_of_the_parabola_lies_below_it(a, b):
    drawn = chord("parabola", (a,), (b,))
    assert drawn.rise == 0.0
    assert drawn.rise_at is None


@given(st.floats(-2, 2), st.floats(-2, 2), st.floats(-2, 2))
def test_along_v_the_saddle_lies_above_its_chords_by_a_quarter_of_the_square(u, a, b):
    drawn = chord("saddle", (u, a), (u, b))  # there it is u² - v²
    assert drawn.rise == pytest.approx((a - b) ** 2 / 4, rel=1e-6, abs=1e-10)


def test_a_chord_begins_and_ends_on_the_curve():
    drawn = chord("two-valleys", (-1.0,), (2.0,), count=7)
    assert drawn.at[0] == drawn.a
    assert drawn.at[-1] == drawn.b
    assert drawn.line[0] == drawn.curve[0]
    assert drawn.line[-1] == pytest.approx(drawn.curve[-1], rel=1e-12)
    assert len(drawn.share) == len(drawn.curve) == 7


def test_ends_outside_the_window_are_refused():
    with pytest.raises(InputError, match="x must be"):
        chord("parabola", (0.0,), (5.0,))
