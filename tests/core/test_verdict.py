"""What is said about a run of gradient descent agrees with what the run does."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core import mse, verdict
from core.descent import Descent, descend
from core.points import PRESETS, Points
from core.verdict import judge

COURSE, NOISY = PRESETS["course"].points, PRESETS["noisy"].points
EDGE = mse.largest_stable_lr(mse.curvature(NOISY))
some_points = st.lists(st.tuples(st.floats(-5, 5), st.floats(-5, 5)), min_size=2, max_size=8).map(
    lambda rows: Points(x=tuple(x for x, _ in rows), y=tuple(y for _, y in rows))
)


@pytest.mark.parametrize(
    ("part", "kind"),
    [(0.01, "converges"), (0.7, "oscillates"), (0.99, "oscillates"), (1.01, "diverges"), (9, "diverges")],
)
def test_the_full_batch_is_judged_by_its_learning_rate(part, kind):
    judged = judge(descend(NOISY, Descent(lr=part * EDGE, epochs=10)))
    assert judged.kind == kind
    assert judged.factor == pytest.approx(1 - 2 * part)
    assert judged.edge == pytest.approx(EDGE)


def test_on_the_edge_it_jumps_for_ever():
    points = Points(x=(1.0,), y=(3.0,))  # λ = 2, so lr = 1 is the edge, without rounding
    assert judge(descend(points, Descent(lr=1.0, epochs=9))).kind == "edge"


def test_samples_that_disagree_never_let_sgd_rest_and_samples_that_agree_do():
    judged = judge(descend(NOISY, Descent(method="sgd", epochs=50)))
    assert judged.kind == "circles"
    assert judged.low < judged.lowest.w < judged.high
    judged = judge(descend(COURSE, Descent(method="sgd", epochs=100)))
    assert judged.kind == "arrived"
    assert judged.digits >= 12


def test_a_tiny_learning_rate_is_under_way():
    assert judge(descend(NOISY, Descent(method="sgd", lr=1e-5, epochs=3))).kind == "underway"
    assert judge(descend(COURSE, Descent(method="sgd", lr=0.1, epochs=2))).kind == "underway"  # agreeing samples


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("batch_size", [1, 3, 5, 11])
@pytest.mark.parametrize("b", [None, 0.0])
def test_what_crosses_the_minimum_again_and_again_is_not_under_way(seed, batch_size, b):
    spec = Descent(method="minibatch", shuffle=True, batch_size=batch_size, seed=seed, epochs=1_000, b=b)
    run = descend(NOISY, spec)
    judged = judge(run)
    later = run.w[len(run) // 2 :] > judged.lowest.w
    assert np.count_nonzero(np.diff(later)) > 10
    assert judged.kind == "circles"


def test_a_few_epochs_are_enough_to_forget_a_start_far_away():
    spec = Descent(method="sgd", shuffle=True, lr=0.003, epochs=15, seed=3, w=3.5)
    assert judge(descend(PRESETS["outlier"].points, spec)).kind == "circles"


@pytest.mark.parametrize("method", ["gd", "sgd", "minibatch"])
@pytest.mark.parametrize("x", [(3.0,), (0.0, 0.0, 0.0), (2.0, 2.0, 2.0)])
def test_with_a_bias_and_equal_x_no_minimum_is_the_only_one(x, method):
    points = Points(x=x, y=(1.0, 2.0, 3.0)[: len(x)])
    spec = Descent(method=method, batch_size=1, w=0.5, b=0.0, epochs=10)
    assert judge(descend(points, spec)).kind == "valley"
    assert judge(descend(points, replace(spec, lr=100.0))).kind == "diverges"


def test_without_a_slope_nothing_moves():
    assert judge(descend(Points(x=(0.0, 0.0), y=(1.0, 3.0)), Descent())).kind == "flat"


def test_divergence_begins_where_the_loss_was_lowest():
    run = descend(COURSE, Descent(method="sgd", lr=0.3, epochs=40))
    judged = judge(run)
    assert judged.kind == "diverges"
    costs = np.concatenate(([run.start_cost], run.cost))
    assert costs[judged.since :].min() >= costs[judged.since - 1] == costs.min()


@given(some_points, st.floats(0.001, 0.5), st.sampled_from(["gd", "sgd", "minibatch"]))
@settings(deadline=None)
def test_the_factor_is_the_growth_of_the_distance_when_samples_agree(points, lr, method):
    agreeing = Points(x=points.x, y=tuple(2 * x for x in points.x))
    run = descend(agreeing, Descent(method=method, lr=lr, epochs=1, w=3.0))
    judged = judge(run)
    if run.diverged_at is None:
        assert abs(run.w[-1] - 2) == pytest.approx(abs(judged.factor) ** len(run), rel=1e-6, abs=1e-9)


@given(some_points, st.floats(0.001, 0.4), st.sampled_from(["gd", "sgd", "minibatch"]))
@settings(deadline=None)
def test_with_a_bias_the_factor_is_that_of_the_slowest_direction(points, lr, method):
    run = descend(points, Descent(method=method, lr=lr, epochs=1, b=0.0))
    x, _ = points.arrays
    product = np.eye(2)
    for update in range(run.updates_per_epoch):
        rows = x[run.spec.order(len(x))[0][update * run.spec.size(len(x)) : (update + 1) * run.spec.size(len(x))]]
        second = 2 * np.array([[np.mean(rows**2), np.mean(rows)], [np.mean(rows), 1.0]])
        product = (np.eye(2) - lr * second) @ product
    radius = np.abs(np.linalg.eigvals(product)).max()
    assert abs(judge(run).factor) ** run.updates_per_epoch == pytest.approx(radius, rel=1e-6, abs=1e-6)


def test_a_long_product_of_large_factors_stays_a_number():
    points = Points(x=tuple(float(i) for i in range(1000)), y=tuple(float(i % 7) for i in range(1000)))
    for b in (None, 0.0):
        assert np.isfinite(judge(descend(points, Descent(method="sgd", lr=10.0, b=b))).factor)


def test_the_parabola_of_an_update_is_the_loss_of_its_samples():
    run = descend(NOISY, Descent(method="minibatch", batch_size=3, epochs=2, shuffle=True))
    updates = np.arange(len(run))
    found = verdict.batches(run, updates)
    before = np.concatenate(([run.spec.w], run.w[:-1]))
    np.testing.assert_allclose(found["least"] + found["steepness"] * (before - found["best"]) ** 2, run.loss, rtol=1e-9)
    np.testing.assert_allclose(2 * found["steepness"] * (before - found["best"]), run.gradient_w, rtol=1e-9, atol=1e-9)
