"""Runs composed of affine maps against the plain loop of core.descent, run by run."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core import mse
from core.affine import above_least, travel
from core.descent import Descent, descend
from core.errors import InputError
from core.points import PRESETS, Points

VALUES = st.floats(min_value=-5, max_value=5).map(lambda value: round(value, 2))
POINTS = st.lists(st.tuples(VALUES, VALUES), min_size=1, max_size=9).map(
    lambda pairs: Points(x=tuple(x for x, _ in pairs), y=tuple(y for _, y in pairs))
)
RATES = np.array([1e-4, 0.01, 0.05, 0.2, 1.0, 30.0])
NOISY = PRESETS["noisy"].points


@st.composite
def specs(draw, count):
    return Descent(
        method=draw(st.sampled_from(["gd", "sgd", "minibatch"])),
        shuffle=draw(st.booleans()),
        batch_size=draw(st.integers(1, count)),
        epochs=draw(st.integers(1, 12)),
        decay=draw(st.sampled_from([0.0, 0.5])),
        w=draw(VALUES),
        b=draw(st.none() | VALUES),
        seed=draw(st.integers(0, 3)),
    )


def losses_after_epochs(points, spec):
    """The cost at the start and at the end of each epoch that was finished, by the plain loop."""
    run = descend(points, spec)
    ends = run.cost[run.updates_per_epoch - 1 :: run.updates_per_epoch]
    if run.diverged_at is not None:
        ends = ends[: run.epoch[-1]]
    return run, np.concatenate(([run.start_cost], ends))


@settings(deadline=None)
@given(st.data(), POINTS)
def test_every_epoch_of_every_rate_is_that_of_the_plain_loop(data, points):
    spec = data.draw(specs(len(points)))
    passage = travel(points, spec, RATES)
    size = 1 + spec.with_bias
    least = mse.minimum(points, with_bias=spec.with_bias).loss
    ours = least + above_least(passage.ends[:, :, 0], mse.hessian(points)[:size, :size])  # (r, e + 1)
    assert np.isfinite(ours).all()
    for row, rate in enumerate(RATES):
        run, theirs = losses_after_epochs(points, replace(spec, lr=rate))
        stopped = passage.diverged_epoch[row, 0]
        assert stopped == (-1 if run.diverged_at is None else run.epoch[-1])
        rounding = 1e-12 * (1 + theirs.max())  # a loop that comes back from far away brings the rounding from there
        np.testing.assert_allclose(ours[row, : len(theirs)], theirs, rtol=1e-9, atol=rounding)
        assert np.all(ours[row, len(theirs) :] == ours[row, len(theirs) - 1])


@pytest.mark.parametrize("b", [None, 0.5])
@pytest.mark.parametrize("method", ["gd", "sgd", "minibatch"])
def test_the_mean_excess_is_that_of_the_plain_loop_for_each_seed(method, b):
    spec = Descent(method=method, shuffle=True, batch_size=5, epochs=7, b=b, seed=2**32 - 2)
    passage = travel(NOISY, spec, np.array([0.001, 0.01]), seeds=3)
    least = mse.minimum(NOISY, with_bias=b is not None).loss
    for column, seed in enumerate([2**32 - 2, 2**32 - 1, 0]):
        for row, rate in enumerate([0.001, 0.01]):
            run = descend(NOISY, replace(spec, lr=rate, seed=seed))
            theirs = (run.cost - least).reshape(7, -1).mean(axis=1)
            np.testing.assert_allclose(passage.excess[row, column], theirs, rtol=1e-9)


def test_a_run_that_leaves_and_would_come_back_within_an_epoch_has_diverged():
    points = Points(x=(1e3, 1e-3), y=(1.0, 1.0))
    spec = Descent(method="sgd", epochs=2, w=1e6)
    run = descend(points, replace(spec, lr=1.0))
    assert run.diverged_at == 0
    assert travel(points, spec, np.array([1.0])).diverged_epoch.tolist() == [[0]]


def test_who_starts_in_the_minimum_of_agreeing_samples_stays_at_any_rate():
    spec = Descent(method="sgd", shuffle=True, epochs=500, w=2.0)
    passage = travel(PRESETS["course"].points, spec, np.array([1000.0]))
    assert descend(PRESETS["course"].points, replace(spec, lr=1000.0)).diverged_at is None
    assert passage.diverged_epoch.tolist() == [[-1]]
    assert not passage.ends.any()


@pytest.mark.parametrize(
    ("fields", "rates", "seeds", "names"),
    [
        ({}, [0.1, 0.0], 1, "learning rate"),
        ({}, [float("nan")], 1, "learning rate"),
        ({"method": "minibatch", "batch_size": 13}, [0.1], 1, "batch_size"),
        ({"epochs": 1000}, [0.1], 200, "too many"),
    ],
)
def test_what_the_plain_loop_refuses_is_refused(fields, rates, seeds, names):
    with pytest.raises(InputError, match=names):
        travel(NOISY, Descent(**fields), np.array(rates), seeds=seeds)


def test_who_does_not_ask_for_the_excess_gets_the_same_ends_without_it():
    spec = Descent(method="minibatch", shuffle=True, batch_size=5, epochs=7, b=0.5)
    rates = np.array([0.001, 0.01, 10.0])
    whole, bare = travel(NOISY, spec, rates, seeds=2), travel(NOISY, spec, rates, seeds=2, with_excess=False)
    np.testing.assert_array_equal(bare.ends, whole.ends)
    np.testing.assert_array_equal(bare.diverged_epoch, whole.diverged_epoch)
    assert bare.excess.shape == (3, 2, 0)
