"""The terrains against autograd, and the places that gradient descent ends at."""

import numpy as np
import pytest
import torch

from core.terrain import TERRAINS, newton

NAMES = list(TERRAINS)
FORMULAS = {  # each once more, as torch would have it
    "parabola": lambda x: (x - 1) ** 2,
    "two-valleys": lambda x: x**4 - 4 * x**2 + x,
    "plateau": lambda x: (torch.sigmoid(x) - 0.8) ** 2,
    "cubic": lambda x: x**3,
    "bowl": lambda u, v: u**2 + 3 * v**2,
    "saddle": lambda u, v: u**2 - v**2,
    "two-wells": lambda u, v: u**2 + (v**2 - 1) ** 2,
    "pit": lambda u, v: 1 - torch.exp(-(u**2 + v**2)),
}


def places(terrain, count=25):
    random = np.random.default_rng(0)
    low, high = np.array(terrain.window).T
    return random.uniform(low, high, (count, len(low)))


@pytest.mark.parametrize("name", NAMES)
def test_value_gradient_and_hessian_are_autograd_s(name):
    terrain = TERRAINS[name]
    for place in places(terrain):
        leaves = torch.tensor(place, requires_grad=True)
        value = FORMULAS[name](*leaves)
        (slope,) = torch.autograd.grad(value, leaves)
        second = torch.autograd.functional.hessian(lambda at: FORMULAS[name](*at), leaves)
        assert float(terrain.value(*place)) == pytest.approx(value.item(), rel=1e-12, abs=1e-14)
        np.testing.assert_allclose(terrain.gradient(*place), slope.numpy(), rtol=1e-10, atol=1e-14)
        np.testing.assert_allclose(terrain.hessian(*place), second.numpy(), rtol=1e-10, atol=1e-12)


@pytest.mark.parametrize("name", NAMES)
def test_the_grid_holds_the_values_with_the_second_variable_down(name):
    terrain = TERRAINS[name]
    assert terrain.values.shape == tuple(len(axis) for axis in reversed(terrain.axes))
    corner = [axis[index] for axis, index in zip(terrain.axes, (3, 7), strict=False)]
    inside = terrain.values[3] if len(terrain.names) == 1 else terrain.values[7, 3]
    assert float(inside) == float(terrain.value(*corner))
    assert np.isfinite(terrain.values).all()


@pytest.mark.parametrize("name", [name for name in NAMES if not TERRAINS[name].bottomless])
def test_nothing_in_the_window_is_lower_than_the_lowest(name):
    terrain = TERRAINS[name]
    assert terrain.lowest <= terrain.values.min()
    for place in places(terrain, 200):
        assert float(terrain.value(*place)) >= terrain.lowest


def test_a_bottomless_terrain_has_no_lowest_value():
    assert TERRAINS["saddle"].lowest is None
    assert TERRAINS["cubic"].lowest is None


def test_newton_finds_the_local_minimum_as_numpy_finds_the_root():
    root = np.roots([4, 0, -8, 1]).real.max()
    (found,) = newton(TERRAINS["two-valleys"], (1.35,))
    assert found == pytest.approx(root, rel=1e-12)


def test_newton_finds_nothing_where_nothing_is_near():
    assert newton(TERRAINS["two-valleys"], (2.0,)) is None
    assert newton(TERRAINS["pit"], (2.2, 1.6)) is None
    assert newton(TERRAINS["pit"], (2**-0.5, 0.0)) is None  # the Hessian is singular there
