"""Learning rates: the sweep against the plain loop, and 2/λmax as the border of what converges."""

import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from core import mse, rates
from core.descent import RACERS, Descent, descend
from core.errors import InputError
from core.points import PRESETS, Points
from core.rates import REGIMES, diagnose, epoch_factors, grid, largest_stable_in_order, sweep
from tests.core.test_affine import POINTS

COURSE, NOISY = PRESETS["course"].points, PRESETS["noisy"].points


@pytest.mark.parametrize("b", [None, 0.0])
@pytest.mark.parametrize("points", [COURSE, NOISY])
def test_the_sweep_ends_where_the_plain_loop_ends(points, b):
    spec = Descent(epochs=30, b=b, seed=4)
    found = sweep(points, spec, grid(points, with_bias=b is not None, count=12), racers=tuple(RACERS))
    assert np.isfinite(found.loss).all()
    for line, name in enumerate(found.racers):
        for column, rate in enumerate(found.rates):
            run = descend(points, RACERS[name].enter(replace(spec, lr=float(rate))))
            assert found.diverged[line, column] == (run.diverged_at is not None)
            if not found.diverged[line, column]:
                assert found.loss[line, column] == pytest.approx(run.cost[-1], rel=1e-9, abs=1e-12)


def test_the_best_rate_has_the_lowest_loss_of_those_that_converge():
    found = sweep(NOISY, Descent(epochs=50), grid(NOISY))
    assert found.diverged.any()
    for line, best in enumerate(found.best):
        converged = found.loss[line][~found.diverged[line]]
        assert found.loss[line, best] == converged.min()
    assert sweep(NOISY, Descent(), np.array([500.0])).best.tolist() == [-1] * 4


def test_the_grid_reaches_from_far_below_the_border_to_three_times_it():
    values = grid(COURSE, count=60)
    assert len(values) == 60
    assert values[-1] == pytest.approx(9 / 14)
    assert values[0] == pytest.approx(9 / 14 / 3000)
    assert grid(Points(x=(0.0,), y=(1.0,)))[-1] == rates.MOST


@settings(deadline=None)
@given(POINTS, st.booleans(), st.floats(0.2, 3.0), st.floats(-3, 3))
def test_just_below_the_border_gradient_descent_converges_and_just_above_it_diverges(points, with_bias, w, b):
    least = mse.minimum(points, with_bias=with_bias)
    steepest = least.eigenvalues[-1]
    assume(steepest > 0.01)
    edge = diagnose(points, 0.01, with_bias=with_bias).edge
    spec = Descent(epochs=1000, w=round(least.w, 3) + w, b=round(least.b, 3) + b if with_bias else None)
    _, vectors = np.linalg.eigh(mse.hessian(points)) if with_bias else (None, np.ones((1, 1)))

    def steep_part(place_w, place_b):  # of the way to the minimum, along the steepest direction
        way = np.array([place_w - least.w, place_b - least.b][: len(vectors)])
        return abs(float(vectors[:, -1] @ way))

    start = steep_part(spec.w, spec.b or 0.0)
    assume(start > 1e-3)
    below = descend(points, replace(spec, lr=0.995 * edge))
    assert below.diverged_at is None
    assert steep_part(below.w[-1], below.b[-1]) < 0.01 * start
    above = descend(points, replace(spec, lr=1.005 * edge))
    assert steep_part(above.w[-1], above.b[-1]) > 100 * start


def test_the_course_s_border_is_three_fourteenths():
    found = diagnose(COURSE, 0.01)
    assert found.edge == pytest.approx(3 / 14, rel=1e-15)
    assert found.factor == pytest.approx(1 - 28 / 300, rel=1e-15)
    assert found.regime == "good"


@pytest.mark.parametrize(
    ("lr", "regime"),
    [
        (1e-4, "slow"),
        (0.01, "good"),
        (3 / 28, "good"),
        (0.15, "oscillates"),
        (3 / 14, "edge"),
        (0.22, "diverges"),
        (1000.0, "diverges"),
    ],
)
def test_the_regime_is_what_the_loop_does(lr, regime):
    found = diagnose(COURSE, lr)
    assert found.regime == regime
    run = descend(COURSE, Descent(lr=lr, epochs=6))
    ways = np.concatenate(([1.0], run.w)) - 2.0
    factor = ways[1] / ways[0]
    assert factor == pytest.approx(found.factors[0], rel=1e-9, abs=1e-12)
    assert (factor < -1e-12) == (regime in ("oscillates", "edge", "diverges"))
    assert abs(ways[1]) == pytest.approx(found.jump, rel=1e-9, abs=1e-12)


@pytest.mark.parametrize("with_bias", [False, True])
@pytest.mark.parametrize("share", [0.1, 0.3, 0.5, 0.7, 0.97])
def test_after_so_many_updates_a_tenth_is_left_and_not_before(share, with_bias):
    """Started on the slowest eigenvector, so that nothing else is in the distance."""
    least = mse.minimum(NOISY, with_bias=with_bias)
    lr = share * 2 / least.eigenvalues[-1]
    found = diagnose(NOISY, lr, with_bias=with_bias)
    slowest = int(np.argmax(np.abs(found.factors)))
    way = np.linalg.eigh(mse.hessian(NOISY))[1][:, slowest] if with_bias else np.array([1.0, 0.0])
    b = float(least.b + way[1]) if with_bias else None
    run = descend(NOISY, Descent(lr=lr, epochs=1000, w=float(least.w + way[0]), b=b))
    left = np.hypot(run.w - least.w, (run.b - least.b) if with_bias else 0.0)
    assert int(np.argmax(left <= 0.1)) + 1 == found.updates


def test_the_best_rate_has_the_smallest_factor():
    for with_bias in (False, True):
        best = diagnose(NOISY, 0.001, with_bias=with_bias).best
        factors = [diagnose(NOISY, share * best, with_bias=with_bias).factor for share in (0.99, 1.0, 1.01)]
        assert factors[1] < factors[0]
        assert factors[1] < factors[2]


def test_without_a_curvature_no_rate_changes_anything():
    found = diagnose(Points(x=(0.0, 0.0), y=(1.0, 3.0)), 0.1)
    assert found.regime == "flat"
    assert descend(Points(x=(0.0, 0.0), y=(1.0, 3.0)), Descent(lr=0.1)).w.tolist() == [1.0] * 100


EXTREME = st.one_of(st.floats(-1e6, 1e6), st.sampled_from([0.0, 1e6, -1e6, 1e-6, 1e-170, 5e-324]))
HARD = st.lists(st.tuples(EXTREME, EXTREME), min_size=1, max_size=4).map(
    lambda pairs: Points(x=tuple(x for x, _ in pairs), y=tuple(y for _, y in pairs))
)


@given(HARD, st.booleans(), st.floats(1e-12, 1000))
def test_any_points_have_a_sentence_without_nan(points, with_bias, lr):
    found = diagnose(points, lr, with_bias=with_bias)
    assert not math.isnan(found.factor)
    assert found.updates is None or found.updates >= 1
    sentence = REGIMES[found.regime].format(
        lr=lr, edge=found.edge, best=found.best, factor=found.factor, jump=found.jump, updates=found.updates
    )
    assert "None" not in sentence
    assert "nan" not in sentence
    assert (grid(points, with_bias=with_bias) > 0).all()


def test_a_rate_outside_its_range_is_refused():
    for lr in (0.0, -1.0, 1e9, float("nan")):
        with pytest.raises(InputError, match="learning rate"):
            diagnose(COURSE, lr)


@pytest.mark.parametrize("with_bias", [False, True])
@pytest.mark.parametrize("preset", PRESETS)
def test_below_the_border_of_an_epoch_sgd_in_order_settles_and_above_it_grows(preset, with_bias):
    points = PRESETS[preset].points
    border = largest_stable_in_order(points, with_bias=with_bias)
    ways = []
    for share in (0.99, 1.01):
        spec = Descent(method="sgd", epochs=1000, lr=share * border, w=-1.5, b=0.7 if with_bias else None)
        run = descend(points, spec)
        ends = run.w[run.updates_per_epoch - 1 :: run.updates_per_epoch]
        ways.append(np.abs(np.diff(ends)))
    settles, grows = ways
    assert settles[-1] < 1e-3 * settles[:20].max()
    assert grows[-1] > 1e3 * grows[:20].max()


def test_the_border_of_the_full_batch_is_the_exact_one_and_that_of_sgd_another():
    points = PRESETS["course"].points
    assert largest_stable_in_order(points, batch_size=3) == pytest.approx(3 / 14, rel=1e-6)
    by_hand = [abs((1 - 2 * lr) * (1 - 8 * lr) * (1 - 18 * lr)) for lr in (0.01, 0.21, 0.5)]
    np.testing.assert_allclose(epoch_factors(points, np.array([0.01, 0.21, 0.5])), by_hand, rtol=1e-12, atol=1e-15)
    assert largest_stable_in_order(points) < 0.21 < 3 / 14
    assert largest_stable_in_order(Points(x=(0.0, 0.0), y=(1.0, 2.0))) is None


def test_an_epoch_of_many_rows_far_above_the_border_is_infinite_and_not_an_error():
    x = tuple(np.linspace(-3, 3, 1000).tolist())
    points = Points(x=x, y=x)
    assert np.isinf(epoch_factors(points, np.array([1000.0]), with_bias=True)).all()
    assert largest_stable_in_order(points, with_bias=True) > 0
