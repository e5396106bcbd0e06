import math

import pytest

from app.figures.training_schedule import STEPS, in_numbers, rates
from core.optimizers import SCHEDULES


def test_one_cycle_climbs_to_its_highest_rate_and_falls_to_almost_zero():
    """torch's OneCycleLR: a 25th of the rate at first, all of it after three tenths, its 250,000th at the end."""
    found = rates("onecycle", 0.1)
    assert found[0] == pytest.approx(0.1 / 25)
    assert max(found) == pytest.approx(0.1)
    assert found.index(max(found)) == pytest.approx(0.3 * STEPS, abs=1)
    assert found[-1] == pytest.approx(0.1 / 25e4)
    assert in_numbers("onecycle", 0.1) == "Here: 0.004 at first, 0.1 after 30 % of the steps, 4·10⁻⁷ at the end."


def test_half_a_cosine_is_that():
    wanted = [0.5 * 0.02 * (1 + math.cos(math.pi * step / STEPS)) for step in range(STEPS)]
    assert rates("cosine", 0.02) == pytest.approx(wanted, abs=1e-12)


def test_steps_end_at_a_hundredth():
    assert in_numbers("step", 0.5) == "Here: 0.5 at first, 0.005 at the end."


@pytest.mark.parametrize("schedule", SCHEDULES)
def test_every_schedule_can_be_said(schedule):
    assert (in_numbers(schedule, 0.01) == "") == (schedule == "constant")
