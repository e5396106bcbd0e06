"""Walks on the terrains: the same as torch.optim.SGD's, bounded, and judged by where they end."""

import math
from itertools import product

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from core.errors import InputError
from core.terrain import TERRAINS
from core.walk import VERDICTS, judge, largest_stable_lr, walk
from tests.core.test_terrain import FORMULAS


@pytest.mark.parametrize("name", TERRAINS)
def test_a_walk_is_torch_s(name):
    terrain = TERRAINS[name]
    walked = walk(name, terrain.start, terrain.lr, 60)
    place = torch.tensor(terrain.start, dtype=torch.float64, requires_grad=True)
    optimizer = torch.optim.SGD([place], lr=terrain.lr)
    for step in range(60):
        np.testing.assert_allclose(walked.at[step], place.detach().numpy(), rtol=1e-9, atol=1e-12)
        optimizer.zero_grad()
        value = FORMULAS[name](*place)
        value.backward()
        assert walked.value[step] == pytest.approx(value.item(), rel=1e-9, abs=1e-12)
        assert walked.norm[step] == pytest.approx(place.grad.norm().item(), rel=1e-9, abs=1e-12)
        optimizer.step()
    assert len(walked.at) == 61
    assert walked.left_at is None


@pytest.mark.parametrize(
    ("name", "start", "lr", "steps", "kind"),
    [
        ("parabola", (-1.5,), 0.1, 100, "minimum"),
        ("parabola", (-1.5,), 0.1, 3, "moving"),
        ("parabola", (-1.5,), 1.1, 100, "diverged"),
        ("two-valleys", (2.2,), 0.02, 100, "local minimum"),
        ("two-valleys", (-2.2,), 0.02, 100, "minimum"),
        ("two-valleys", (2.2,), 1.0, 100, "diverged"),
        ("two-valleys", (0.1260,), 0.001, 1, "maximum"),
        ("plateau", (-7.0,), 1.0, 100, "plateau"),
        ("plateau", (0.0,), 1.0, 200, "minimum"),
        ("cubic", (0.0,), 0.1, 50, "inflection"),
        ("two-valleys", (-0.08,), 0.15, 100, "restless"),
        ("two-valleys", (-2.0,), 0.12, 100, "jumping"),
        ("parabola", (-1.5,), 1.0, 100, "restless"),
        ("parabola", (-1.5,), 0.99, 100, "moving"),
        ("cubic", (1.0,), 0.1, 100, "flat"),
        ("cubic", (-0.5,), 0.1, 100, "bottomless"),
        ("bowl", (-1.5, 1.5), 0.1, 100, "minimum"),
        ("bowl", (-1.5, 1.5), 0.34, 500, "diverged"),
        ("saddle", (1.5, 0.0), 0.1, 100, "saddle"),
        ("saddle", (1.5, 1e-3), 0.1, 100, "bottomless"),
        ("two-wells", (1.5, 0.0), 0.1, 100, "saddle"),
        ("two-wells", (1.5, 1e-3), 0.1, 100, "minimum"),
        ("pit", (2.2, 1.6), 0.1, 100, "plateau"),
        ("pit", (1.0, 0.5), 0.1, 100, "minimum"),
    ],
)
def test_the_verdict_names_where_a_walk_ended(name, start, lr, steps, kind):
    verdict = judge(name, walk(name, start, lr, steps))
    assert verdict.kind == kind
    sentence = VERDICTS[kind].format(value=verdict.value, norm=verdict.norm, lowest=verdict.lowest, limit=verdict.limit)
    assert "None" not in sentence


def test_a_local_minimum_is_higher_than_the_lowest():
    verdict = judge("two-valleys", walk("two-valleys", (2.2,), 0.02, 100))
    assert verdict.value > verdict.lowest + 2
    assert verdict.eigenvalues[0] > 0


@pytest.mark.parametrize("name", TERRAINS)
def test_a_minimum_holds_a_walk_below_the_largest_stable_rate_and_none_does_above(name):
    limit = largest_stable_lr(name)
    if limit is None:
        assert TERRAINS[name].bottomless
        return
    grid = [np.linspace(low, high, 15)[1:-1] for low, high in TERRAINS[name].window]
    starts = [tuple(map(float, start)) for start in product(*grid)]
    kinds = {
        share: {judge(name, walk(name, start, share * limit, 600)).kind for start in starts} for share in (0.95, 1.05)
    }
    assert kinds[0.95] & {"minimum", "local minimum"}
    assert kinds[1.05] & {"restless", "diverged"}


def test_the_borders_of_the_two_valleys_are_two_over_the_curvature():
    bottoms = np.roots([4, 0, -8, 1]).real
    limits = [2 / (12 * x * x - 8) for x in bottoms if 12 * x * x > 8]
    assert largest_stable_lr("two-valleys") == pytest.approx(max(limits), rel=1e-9)


def test_from_the_ridge_the_walk_stays_on_it_to_the_last_bit():
    assert not walk("two-wells", (1.5, 0.0), 0.1, 1000).at[:, 1].any()


@given(st.sampled_from(list(TERRAINS)), st.floats(0, 1), st.floats(0, 1), st.floats(1e-6, 100), st.integers(1, 60))
def test_any_walk_has_finite_numbers_and_a_verdict(name, across, down, lr, steps):
    terrain = TERRAINS[name]
    shares = (across, down)[: len(terrain.names)]
    start = tuple(low + share * (high - low) for share, (low, high) in zip(shares, terrain.window, strict=True))
    walked = walk(name, start, lr, steps)
    assert np.isfinite(walked.at).all()
    assert np.isfinite(walked.value).all()
    assert len(walked.at) == (steps if walked.left_at is None else walked.left_at + 1) + 1
    verdict = judge(name, walked)
    assert verdict.kind in VERDICTS
    assert (walked.left_at is not None) == (verdict.kind in ("diverged", "bottomless"))
    assert math.isfinite(verdict.norm)


@pytest.mark.parametrize(
    ("arguments", "names"),
    [
        (("hill", (0.0,), 0.1, 10), "terrain must be"),
        (("bowl", (0.0,), 0.1, 10), "coordinates"),
        (("parabola", (9.0,), 0.1, 10), "x must be"),
        (("bowl", (0.0, float("nan")), 0.1, 10), "v must be"),
        (("parabola", (0.0,), 0.0, 10), "learning rate"),
        (("parabola", (0.0,), float("nan"), 10), "learning rate"),
        (("parabola", (0.0,), 101.0, 10), "learning rate"),
        (("parabola", (0.0,), 0.1, 0), "steps"),
        (("parabola", (0.0,), 0.1, 1001), "steps"),
        (("parabola", (0.0,), 0.1, 2.5), "steps"),
        (("parabola", (0.0,), 0.1, float("nan")), "steps"),
    ],
)
def test_a_walk_that_cannot_be_made_is_refused(arguments, names):
    with pytest.raises(InputError, match=names):
        walk(*arguments)
