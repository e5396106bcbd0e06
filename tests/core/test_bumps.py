"""One bump for data with two: autograd as the oracle, and who leaves the saddle."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from core import bumps
from core.bumps import COUNT, SAMPLES, WINDOW, BumpFit, descend
from core.errors import InputError
from core.shuffle import orders

PLACES = [(0.0, 0.5), (0.3, 0.9), (-1.7, 1.2), (3.0, -0.2)]
X, Y = (torch.tensor(values, dtype=torch.float64) for values in (SAMPLES.x, SAMPLES.y))


def torch_loss(place, rows=slice(None)):
    c, a = place
    return torch.nn.functional.mse_loss(a * torch.exp(-((X[rows] - c) ** 2)), Y[rows])


@pytest.mark.parametrize("place", PLACES)
def test_loss_gradient_and_hessian_are_autograd_s(place):
    leaves = torch.tensor(place, dtype=torch.float64, requires_grad=True)
    value = torch_loss(leaves)
    assert float(bumps.loss(*place)) == pytest.approx(value.item(), rel=1e-12)
    (slope,) = torch.autograd.grad(value, leaves)
    np.testing.assert_allclose(bumps.gradient(*place), slope.numpy(), rtol=1e-11, atol=1e-16)
    second = torch.autograd.functional.hessian(torch_loss, leaves).numpy()
    np.testing.assert_allclose(bumps.hessian(*place), second, rtol=1e-11, atol=1e-15)
    for row, own in enumerate(bumps.sample_gradients(*place)):
        (slope,) = torch.autograd.grad(torch_loss(leaves, [row]), leaves)
        np.testing.assert_allclose(own, slope.numpy(), rtol=1e-11, atol=1e-16)
    np.testing.assert_allclose(bumps.sample_gradients(*place).mean(axis=0), bumps.gradient(*place), rtol=1e-11)


@given(st.floats(-2, 2))
def test_halfway_all_samples_together_pull_nowhere_to_the_last_bit(a):
    assert bumps.gradient(0.0, a)[0] == 0.0
    own = bumps.sample_gradients(0.0, a)[:, 0]
    assert np.array_equal(own[0::2], -own[1::2])


def test_at_the_saddle_each_sample_pulls():
    found = bumps.saddle()
    np.testing.assert_allclose(bumps.gradient(found.c, found.a), 0, atol=1e-15)
    assert (bumps.sample_gradients(found.c, found.a)[:, 0] != 0).all()
    assert found.eigenvalues[0] < 0 < found.eigenvalues[1]


def test_the_minima_are_lower_and_curved_upwards_and_mirror_each_other():
    left, right = bumps.minima()
    for found in (left, right):
        np.testing.assert_allclose(bumps.gradient(found.c, found.a), 0, atol=1e-12)
        assert min(found.eigenvalues) > 0
        assert found.loss < bumps.saddle().loss
    assert left.c == pytest.approx(-right.c, rel=1e-12)
    assert left.c == pytest.approx(-bumps.SIDE, abs=0.01)
    assert bumps.surface(201)[2].min() >= left.loss


@pytest.mark.parametrize("lr", [0.05, 0.5, 1.0])
def test_the_full_batch_stays_on_the_ridge_and_ends_at_the_saddle(lr):
    path = descend(BumpFit(batch_size=COUNT, epochs=1000, lr=lr))
    assert not path.c.any()
    assert path.left_at is None
    assert path.a[-1] == pytest.approx(bumps.saddle().a, rel=1e-6)
    assert path.loss[-1] == pytest.approx(bumps.saddle().loss, rel=1e-9)


@pytest.mark.parametrize("batch_size", [1, 2, 4, 8])
@pytest.mark.parametrize("seed", range(6))
def test_shuffled_mini_batches_leave_it_for_one_of_the_minima(batch_size, seed):
    path = descend(BumpFit(batch_size=batch_size, epochs=150, seed=seed))
    goal = min(bumps.minima(), key=lambda found: abs(found.c - path.c[-1]))
    assert path.left_at is not None
    assert abs(path.c[path.left_at + 1]) > bumps.LEFT >= np.abs(path.c[: path.left_at + 1]).max()
    assert path.c[-1] == pytest.approx(goal.c, abs=0.05)
    assert path.loss[-1] < 0.6 * bumps.saddle().loss


@pytest.mark.parametrize("batch_size", [1, 5, COUNT])
def test_a_path_is_torch_s_over_the_same_batches(batch_size):
    spec = BumpFit(batch_size=batch_size, epochs=20, seed=3)
    path = descend(spec)
    place = torch.tensor([spec.c, spec.a], dtype=torch.float64, requires_grad=True)
    optimizer = torch.optim.SGD([place], lr=spec.lr)
    for update, (c, a) in enumerate(zip(path.c[1:], path.a[1:], strict=True)):
        optimizer.zero_grad()
        torch_loss(place, path.rows(update).tolist()).backward()
        np.testing.assert_allclose(path.gradient[update], place.grad.numpy(), rtol=1e-6, atol=1e-9)
        optimizer.step()
        np.testing.assert_allclose([c, a], place.detach().numpy(), rtol=1e-6, atol=1e-9)
    assert len(path.gradient) == len(path.epoch) == 20 * -(-COUNT // batch_size)


def test_each_epoch_visits_every_sample_in_the_shuffled_order():
    path = descend(BumpFit(batch_size=5, epochs=3, seed=9))
    visited = [np.concatenate([path.rows(update) for update in np.flatnonzero(path.epoch == e)]) for e in range(3)]
    assert np.array_equal(visited, orders(COUNT, 3, 9))


@given(
    st.integers(1, COUNT), st.floats(1e-3, 1.0), st.floats(*WINDOW[0]), st.floats(*WINDOW[1]), st.integers(0, 2**32 - 1)
)
def test_no_allowed_fit_leaves_the_finite_numbers(batch_size, lr, c, a, seed):
    path = descend(BumpFit(batch_size=batch_size, epochs=20, lr=lr, c=c, a=a, seed=seed))
    for values in (path.c, path.a, path.loss, path.gradient):
        assert np.isfinite(values).all()


def test_the_surface_is_the_loss_with_a_down():
    c, a, height = bumps.surface(7)
    assert height.shape == (7, 7)
    assert height[2, 5] == pytest.approx(torch_loss((c[5], a[2])).item(), rel=1e-12)


@pytest.mark.parametrize(
    "fields",
    [
        {"batch_size": 0},
        {"batch_size": COUNT + 1},
        {"batch_size": 2.5},
        {"epochs": 0},
        {"epochs": 1001},
        {"epochs": float("nan")},
        {"lr": 0.0},
        {"lr": 1.1},
        {"lr": float("nan")},
        {"c": 4.0},
        {"a": float("nan")},
        {"seed": -1},
        {"seed": 2**32},
    ],
)
def test_a_fit_outside_its_ranges_is_refused(fields):
    (name,) = fields
    with pytest.raises(InputError, match={"lr": "learning rate"}.get(name, name)):
        replace(BumpFit(), **fields)
