"""The comparison with torch.optim.SGD that the page offers."""

from dataclasses import replace

import pytest

from core import descent_check
from core.descent import RACERS, Descent, descend
from core.points import PRESETS, Points
from tests.core.test_descent import random_points


@pytest.mark.parametrize("preset", PRESETS)
@pytest.mark.parametrize("racer", RACERS)
def test_our_runs_are_torch_s_but_for_rounding(preset, racer):
    spec = RACERS[racer].enter(Descent(epochs=8, lr=0.02, decay=0.1, b=0.5, seed=3))
    run = descend(PRESETS[preset].points, spec)
    found = descent_check.compare(run)
    assert found.updates == len(run)
    assert 0 <= found.difference < 1e-12


def test_a_run_that_diverges_is_compared_up_to_its_end():
    run = descend(PRESETS["outlier"].points, Descent(lr=1.0, b=0.0))
    found = descent_check.compare(run)
    assert found.updates == len(run) == run.diverged_at + 1
    assert 0 <= found.difference < 1e-12


def test_a_wrong_run_is_found_out():
    run = descend(PRESETS["noisy"].points, Descent(method="sgd", shuffle=True))
    assert descent_check.compare(replace(run, spec=replace(run.spec, seed=1))).difference > 1e-3
    assert descent_check.compare(replace(run, w=run.w + 1e-6)).difference > 1e-7


@pytest.mark.parametrize(
    ("points", "spec", "updates"),
    [
        (random_points(20, noise=1.0), Descent(method="sgd", epochs=200), descent_check.MAX_UPDATES),
        (random_points(900, noise=1.0), Descent(epochs=100), descent_check.MAX_SAMPLES // 900),
        (Points(x=(0.0,) * 10_000, y=(1.0,) * 10_000), Descent(epochs=1), 1),
    ],
)
def test_long_runs_are_compared_at_their_beginning(points, spec, updates):
    assert descent_check.compare(descend(points, spec)).updates == updates
