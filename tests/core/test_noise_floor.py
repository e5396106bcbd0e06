"""Where SGD stops improving, against the plain loop of core.descent."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core import mse, noise_floor
from core.descent import MAX_SAMPLES, Descent, descend
from core.errors import InputError
from core.noise_floor import batch_sizes, decays, grid
from core.points import PRESETS, Points

COURSE, NOISY = PRESETS["course"].points, PRESETS["noisy"].points


def late_excess(points, spec):
    run = descend(points, spec)
    least = mse.minimum(points, with_bias=spec.with_bias).loss
    return float(np.mean(run.cost[run.epoch >= spec.epochs // 2]) - least)


@pytest.mark.parametrize("b", [None, 0.0])
def test_each_cell_is_the_mean_of_plain_runs_from_the_minimum(b):
    spec = Descent(epochs=11, seed=5, decay=0.1, b=b)
    values = noise_floor.rates(NOISY, with_bias=b is not None, count=2)
    found = grid(NOISY, spec, values, (1, 5, 12))
    least = mse.minimum(NOISY, with_bias=b is not None)
    start = {"w": least.w, "b": least.b if b is not None else None}
    for line, size in enumerate(found.sizes):
        for column, rate in enumerate(values):
            run = replace(spec, method="minibatch", shuffle=True, batch_size=size, lr=float(rate), **start)
            runs = [late_excess(NOISY, replace(run, seed=seed)) for seed in (5, 6, 7)]
            assert found.excess[line, column] == pytest.approx(np.mean(runs), rel=1e-9, abs=1e-13)
    assert found.seeds == 3


@pytest.mark.parametrize("b", [None, 0.0])
def test_the_floor_rises_with_the_rate_and_falls_with_the_batch(b):
    found = grid(
        NOISY, Descent(epochs=200, b=b), noise_floor.rates(NOISY, with_bias=b is not None), batch_sizes(len(NOISY))
    )
    assert not found.diverged.any()
    batches, everything = found.excess[:-1], found.excess[-1]
    assert (np.diff(batches, axis=1) > 0).all()
    assert (np.diff(batches, axis=0) < 0).all()
    assert everything.max() < 1e-20
    assert batches.min() > 1e-6
    assert all(found.even)


def test_at_small_rates_half_the_rate_leaves_a_quarter_unless_the_last_batch_is_short():
    found = grid(NOISY, Descent(epochs=200), noise_floor.rates(NOISY)[:2], (4, 8))
    assert found.even == (True, False)
    (even, larger_even), (short, larger_short) = found.excess
    assert larger_even / even == pytest.approx(4, rel=0.1)
    assert larger_short / short == pytest.approx(2, rel=0.2)
    assert short > even


@settings(deadline=None, max_examples=25)
@given(st.integers(0, 10_000))
def test_sgd_ends_above_gradient_descent_where_the_samples_disagree(seed):
    random = np.random.default_rng(seed)
    x = random.uniform(0.5, 2, 20)
    points = Points(x=tuple(x), y=tuple(2 * x + random.normal(0, 1, 20)))
    run = Descent(method="sgd", shuffle=True, epochs=200, lr=0.1, seed=seed)
    floors = {
        "gd": late_excess(points, replace(run, method="gd")),
        "sgd": late_excess(points, run),
        "smaller rate": late_excess(points, replace(run, lr=0.01)),
        "larger batch": late_excess(points, replace(run, method="minibatch", batch_size=10)),
    }
    assert abs(floors["gd"]) < 1e-12
    assert floors["sgd"] > floors["smaller rate"] > 1e-8
    assert floors["sgd"] > floors["larger batch"] > 1e-8


def test_samples_that_agree_leave_no_floor():
    found = grid(COURSE, Descent(epochs=50), noise_floor.rates(COURSE), batch_sizes(3))
    assert found.excess.max() < 1e-25
    run = Descent(method="sgd", shuffle=True, epochs=200, lr=0.05)
    assert late_excess(COURSE, run) < 1e-12


def test_a_decaying_rate_goes_below_the_floor():
    spec = Descent(method="sgd", shuffle=True, epochs=300, lr=0.02, b=0.0)
    found = decays(NOISY, spec, (0.0, 0.05, 0.2))
    assert found.floor[1] < 0.5 * found.floor[0]
    assert found.floor[2] < 0.5 * found.floor[1]
    assert not found.diverged.any()


def test_the_runs_with_decay_are_those_of_the_plain_loop():
    spec = Descent(method="minibatch", batch_size=5, shuffle=True, epochs=20, lr=0.01, b=0.3, seed=1)
    found = decays(NOISY, spec, (0.0, 0.5))
    least = mse.minimum(NOISY, with_bias=True).loss
    for line, decay in enumerate(found.decays):
        run = descend(NOISY, replace(spec, decay=decay))
        theirs = np.concatenate(([run.start_cost], run.cost[2::3])) - least
        np.testing.assert_allclose(found.excess[line], theirs, rtol=1e-9)
        assert found.floor[line] == pytest.approx(late_excess(NOISY, run.spec), rel=1e-9)
        assert found.rates[line].tolist() == [run.spec.lr_in(epoch) for epoch in range(20)]


def test_a_run_that_diverges_is_marked_and_stays_finite():
    found = grid(NOISY, Descent(epochs=50), np.array([0.01, 5.0]), (1, 12))
    assert found.diverged.tolist() == [[False, True], [False, False]] or found.diverged[:, 1].any()
    assert not found.diverged[:, 0].any()
    assert np.isfinite(found.excess).all()
    gone = decays(NOISY, Descent(lr=5.0, epochs=50), (0.0, 0.01))
    assert gone.diverged.all()
    assert np.isfinite(gone.excess).all()
    assert np.isfinite(gone.floor).all()


@given(st.integers(1, 10_000))
def test_batch_sizes_go_from_one_to_all(count):
    sizes = batch_sizes(count)
    assert sizes[0] == 1
    assert sizes[-1] == count
    assert list(sizes) == sorted(set(sizes))
    assert len(sizes) <= 6
    assert np.diff(np.log2(sizes)).max(initial=0) <= np.log2(count) / 5 + 1.4


def test_the_largest_rate_keeps_each_sample_s_own_update_stable():
    for with_bias in (False, True):
        highest = noise_floor.rates(NOISY, with_bias=with_bias)[-1]
        edges = [
            mse.largest_stable_lr(mse.minimum(Points(x=(x,), y=(y,)), with_bias=with_bias).eigenvalues[-1])
            for x, y in zip(NOISY.x, NOISY.y, strict=True)
        ]
        assert highest == pytest.approx(0.9 * min(edges), rel=1e-9)
    assert noise_floor.rates(Points(x=(0.0,), y=(1.0,)))[-1] == 1.0


def test_more_samples_than_allowed_are_seen_by_fewer_seeds():
    points = Points(x=tuple(np.linspace(0.1, 1, 1000)), y=(0.5,) * 1000)
    values = np.array([0.01])
    assert grid(points, Descent(epochs=900), values, (1000,)).seeds == 2
    assert MAX_SAMPLES == 2_000_000
    with pytest.raises(InputError, match="too many"):
        grid(Points(x=points.x * 3, y=points.y * 3), Descent(epochs=1000), values, (1000,))
