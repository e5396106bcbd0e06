import itertools
import math

import numpy as np
import pytest

from core.diagnosis import GUESSING, LEAST_LOOK_BACK, State, diagnose, overfitting_since, plateau_since
from core.records import Epoch

STEPS = 20  # in an epoch


def epochs(train, test):
    return [
        Epoch(
            epoch=number,
            train_loss=train_loss,
            train_accuracy=0.9,
            test_loss=test_loss,
            test_accuracy=0.9,
            seconds=1.0,
            images_per_second=1000.0,
            device="cpu",
            worst=(),
            predicted="",
        )
        for number, (train_loss, test_loss) in enumerate(zip(train, test, strict=True), start=1)
    ]


def finding(losses, tested=()):
    return diagnose(losses, tested, steps_per_epoch=STEPS)


def test_nothing_is_said_before_the_first_batch():
    assert finding([]).state is State.WAITING


def test_a_falling_loss_is_the_average_of_the_last_batches():
    found = finding([2.3 * 0.9**step for step in range(40)])
    assert found.state is State.FALLING
    assert 2.3 * 0.9**39 < found.loss < 2.3 * 0.9**20


def test_a_loss_that_goes_up_and_down_is_level():
    assert finding([1.0, 1.1] * 30 + [1.2] * 10).state is State.LEVEL


def test_a_few_batches_show_no_trend():
    assert finding([1.0, 0.9, 1.1, 0.8]).state is State.WAITING


def test_the_verdict_on_a_noisy_loss_does_not_flicker():
    noise = np.random.default_rng(0)
    losses = [math.exp(-step / 150) + noise.uniform(0, 0.5) for step in range(300)]
    verdicts = [finding(losses[:count]).state for count in range(LEAST_LOOK_BACK, len(losses) + 1)]
    changes = [count for count, (a, b) in enumerate(itertools.pairwise(verdicts)) if a is not b]
    assert set(verdicts[30:]) <= {State.FALLING, State.LEVEL}
    assert all(later - earlier >= LEAST_LOOK_BACK for earlier, later in itertools.pairwise(changes[1:]))
    said = [verdict for verdict in verdicts if verdict is not State.WAITING]
    assert said.count(State.FALLING) > 0.7 * len(said)


def test_a_jump_that_is_over_no_longer_counts():
    losses = [2.3] * STEPS + [90_000.0] + [2.35, 2.38] * 12  # the average is still in the thousands
    assert finding(losses, epochs([4000.0, 2.36], [2.4, 2.42])).state is State.COLLAPSED
    assert finding([2.3] * STEPS + [90_000.0] + [0.5, 0.4] * 12).state is not State.DIVERGED


@pytest.mark.parametrize("bad", [math.inf, math.nan])
def test_the_first_loss_that_is_not_finite_is_named(bad):
    found = finding([2.3, 5.0, 900.0, bad, bad])
    assert (found.state, found.since) == (State.NOT_FINITE, 4)


def test_a_test_that_is_not_finite_counts_for_the_last_step_of_its_epoch():
    found = finding([1.0] * 2 * STEPS, epochs([1.0, 1.0], [1.0, math.nan]))
    assert (found.state, found.since) == (State.NOT_FINITE, 2 * STEPS)


def test_a_loss_above_that_of_guessing_has_diverged():
    found = finding([2.3] * 5 + [50.0] * 40)
    assert found.state is State.DIVERGED
    assert found.loss > GUESSING
    after_a_jump = finding([2.3] * STEPS + [90_000.0] + [2.6] * 40)  # the average is still above 10,000
    assert (after_a_jump.state, after_a_jump.loss) == (State.DIVERGED, 2.6)


def test_a_run_that_starts_a_little_above_guessing_has_not_diverged():
    assert finding([2.32] * 40).state is State.GUESSING


def test_a_jump_tells_a_collapse_from_a_slow_start():
    tested = epochs([2.3, 2.3], [2.31, 2.31])
    assert finding([2.3, 30.0] + [2.31] * 120, tested).state is State.COLLAPSED
    assert finding([2.3] * 120, tested).state is State.GUESSING


def test_overfitting_begins_after_the_lowest_test_loss():
    tested = epochs([0.5, 0.3, 0.2, 0.1, 0.05], [0.5, 0.4, 0.42, 0.45, 0.5])
    assert overfitting_since(tested) == 3
    found = finding([0.05] * 5 * STEPS, tested)
    assert (found.state, found.since) == (State.OVERFITTING, 3)


@pytest.mark.parametrize(
    ("train", "test"),
    [
        ([0.5, 0.3, 0.2], [0.5, 0.4, 0.3]),  # still improves
        ([0.5, 0.3, 0.2], [0.5, 0.4, 0.45]),  # one bad epoch is not yet a trend
        ([0.5, 0.3, 0.2, 0.1], [0.5, 0.400, 0.403, 0.404]),  # less than noise
        ([0.5, 0.3, 0.4, 0.5], [0.5, 0.4, 0.5, 0.6]),  # worse on both: not overfitting
        ([9.0, 2.42, 2.41, 2.38], [2.35, 2.43, 2.41, 2.45]),  # it collapsed and only guesses
        ([0.3, 0.2, 0.1, 0.08, 0.07], [0.0974, 0.1104, 0.0735, 0.0973, 0.0762]),  # up and down
    ],
)
def test_what_is_no_overfitting(train, test):
    assert overfitting_since(epochs(train, test)) is None


def test_a_plateau_needs_three_flat_epochs():
    train = [1.0, 0.5, 0.500, 0.499, 0.498]
    assert plateau_since(epochs(train, train)) == 2
    assert plateau_since(epochs(train[:4], train[:4])) is None
    assert plateau_since([]) is None
