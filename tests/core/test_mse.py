"""The landscape of the MSE against its oracles: the course's listing, torch's losses, autograd and lstsq."""

import contextlib
import io

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from core import mse, windows
from core.errors import InputError
from core.losses import LOSSES, REDUCTIONS
from core.mse import Sweep
from core.points import PRESETS, Points

# course: "线性模型", word for word, without the plot.
LISTING = """
import numpy as np

x_data = [1.0, 2.0, 3.0]
y_data = [2.0, 4.0, 6.0]
def forward(x):
    return x * w
def loss(x, y):
    y_pred = forward(x)
    return (y_pred - y) * (y_pred - y)
w_list = []
mse_list = []
for w in np.arange(0.0, 4.1, 0.1):
    print('w=', w)
    l_sum = 0
    for x_val, y_val in zip(x_data, y_data):
        y_pred_val = forward(x_val)
        loss_val = loss(x_val, y_val)
        l_sum += loss_val
        print('\\t', x_val, y_val, y_pred_val, loss_val)
    print('MSE=', l_sum / 3)
    w_list.append(w)
    mse_list.append(l_sum / 3)
"""

COURSE = PRESETS["course"].points
PRESET_POINTS = [pytest.param(preset.points, id=name) for name, preset in PRESETS.items()]
MODEST = st.floats(min_value=-100, max_value=100).map(lambda value: round(value, 3))
POINTS = st.lists(st.tuples(MODEST, MODEST), min_size=1, max_size=8).map(
    lambda pairs: Points(x=tuple(x for x, _ in pairs), y=tuple(y for _, y in pairs))
)


@pytest.fixture(scope="module")
def listing():
    names = {}
    with contextlib.redirect_stdout(io.StringIO()) as printed:
        exec(LISTING, names)  # noqa: S102 - the oracle is the listing itself
    return {**names, "printed": printed.getvalue()}


def torch_loss(points, w, *, b=0.0, loss="mse", reduction="mean", delta=1.0):
    """The same loss by the class of torch.nn, differentiable in w and b."""
    x, y = torch.tensor(points.x, dtype=torch.float64), torch.tensor(points.y, dtype=torch.float64)
    options = {"delta": delta} if loss == "huber" else {}
    criterion = getattr(torch.nn, LOSSES[loss].torch_class)(reduction=reduction, **options)
    return criterion(w * x + b, y)


def test_the_sweep_is_the_listing(listing):
    values = Sweep().values
    errors = mse.sweep(COURSE, values)
    assert values.tolist() == listing["w_list"]
    assert errors.tolist() == listing["mse_list"]  # to the last bit


def test_each_term_is_the_listing(listing):
    lines = [line.split() for line in listing["printed"].splitlines() if line.startswith("\t")]
    printed = [float(cells[3]) for cells in lines]
    ours = np.concatenate([mse.terms(COURSE, float(w)) for w in listing["w_list"]])
    assert ours.tolist() == printed


@pytest.mark.parametrize(
    ("start", "stop", "step", "count"),
    [(0, 1, 0.1, 11), (0, 4, 0.1, 41), (0, 1, 0.3, 4), (-1, 5, 0.5, 13), (0, 1, 1, 2)],
)
def test_a_sweep_reaches_its_end_and_never_passes_it(start, stop, step, count):
    values = Sweep(start=start, stop=stop, step=step).values
    assert len(values) == count
    assert values[0] == start
    assert values[-1] <= stop + 1e-9
    assert values[-1] + step > stop
    assert values.tolist() == np.arange(start, stop + step, step)[:count].tolist()


@pytest.mark.parametrize(
    ("fields", "names"),
    [
        ({"step": 0}, "step"),
        ({"step": -0.1}, "step"),
        ({"step": float("nan")}, "step"),
        ({"step": float("inf")}, "step"),
        ({"step": 5}, "step"),
        ({"step": 1e-300}, "10,001"),
        ({"step": 4 / 10_001}, "10,001"),
        ({"start": 4}, "from must be below to"),
        ({"start": 5}, "from must be below to"),
        ({"start": float("nan")}, "from"),
        ({"stop": float("inf")}, "to must"),
        ({"stop": 1e308}, "to must"),
    ],
)
def test_a_sweep_that_cannot_be_made_is_refused(fields, names):
    with pytest.raises(InputError, match=names):
        Sweep(**fields)


def test_ten_thousand_and_one_values_are_welcome():
    assert len(Sweep(step=4 / 10_000).values) == 10_001


@pytest.mark.parametrize("points", PRESET_POINTS)
@pytest.mark.parametrize("reduction", REDUCTIONS)
@pytest.mark.parametrize("loss", LOSSES)
def test_losses_are_those_of_torch(points, loss, reduction):
    values = np.linspace(-1, 5, 25)
    ours = mse.sweep(points, values, loss=loss, reduction=reduction, delta=1.5)
    theirs = [torch_loss(points, w, loss=loss, reduction=reduction, delta=1.5).item() for w in values]
    np.testing.assert_allclose(ours, theirs, rtol=1e-12)


@pytest.mark.parametrize("loss", LOSSES)
def test_each_sample_s_curve_adds_up_to_the_sweep(loss):
    values = np.linspace(-1, 5, 25)
    for preset in PRESETS.values():
        summed = mse.curves(preset.points, values, loss=loss).sum(axis=0)
        np.testing.assert_allclose(summed, mse.sweep(preset.points, values, loss=loss, reduction="sum"), rtol=1e-12)


def test_the_slope_of_each_loss_is_its_derivative():
    residual = np.array([-3.0, -1.5, -0.2, 0.0, 0.7, 2.0])
    for loss in LOSSES.values():
        r = torch.tensor(residual, requires_grad=True)
        options = {"delta": 1.0} if loss.torch_class == "HuberLoss" else {}
        getattr(torch.nn, loss.torch_class)(reduction="sum", **options)(r, torch.zeros_like(r)).backward()
        np.testing.assert_allclose(loss.slope(residual, 1.0), r.grad.numpy(), rtol=1e-12)


@pytest.mark.parametrize("points", PRESET_POINTS)
@pytest.mark.parametrize("reduction", REDUCTIONS)
def test_gradient_and_hessian_are_autograd_s(points, reduction):
    def at(place):
        return torch_loss(points, place[0], b=place[1], reduction=reduction)

    for w, b in [(0.0, 0.0), (1.3, -0.7), (4.0, 2.0)]:
        place = torch.tensor([w, b], dtype=torch.float64, requires_grad=True)
        (slopes,) = torch.autograd.grad(at(place), place)
        np.testing.assert_allclose(mse.gradient(points, w, b, reduction=reduction), slopes.numpy(), rtol=1e-12)
        second = torch.autograd.functional.hessian(at, place).numpy()
        np.testing.assert_allclose(mse.hessian(points, reduction=reduction), second, rtol=1e-12)
        assert mse.curvature(points, reduction=reduction) == pytest.approx(second[0, 0], rel=1e-12)


@pytest.mark.parametrize("points", PRESET_POINTS)
@pytest.mark.parametrize("reduction", REDUCTIONS)
def test_the_surface_is_torch_on_the_mesh(points, reduction):
    w, b = np.linspace(-1, 4, 6), np.linspace(-2, 2, 5)
    ours = mse.surface(points, w, b, reduction=reduction)
    theirs = [[torch_loss(points, wi, b=bi, reduction=reduction).item() for wi in w] for bi in b]
    assert ours.shape == (5, 6)
    np.testing.assert_allclose(ours, theirs, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("points", PRESET_POINTS)
@pytest.mark.parametrize("with_bias", [False, True])
def test_the_minimum_is_least_squares(points, with_bias):
    x = torch.tensor(points.x, dtype=torch.float64)
    columns = torch.stack([x, torch.ones_like(x)] if with_bias else [x], dim=1)
    solution = torch.linalg.lstsq(columns, torch.tensor(points.y, dtype=torch.float64)[:, None]).solution[:, 0]
    found = mse.minimum(points, with_bias=with_bias)
    assert found.unique
    assert found.w == pytest.approx(solution[0].item(), rel=1e-12)
    assert found.b == pytest.approx(solution[1].item() if with_bias else 0.0, rel=1e-10, abs=1e-12)
    assert found.loss == pytest.approx(torch_loss(points, found.w, b=found.b).item(), rel=1e-12, abs=1e-24)


@given(POINTS, st.booleans(), MODEST, MODEST)
def test_nothing_lies_below_the_minimum(points, with_bias, w, b):
    found = mse.minimum(points, with_bias=with_bias)
    elsewhere = float(np.mean(mse.terms(points, w, b if with_bias else 0.0)))
    assert found.loss <= elsewhere * (1 + 1e-9) + 1e-9
    assert all(value >= 0 for value in found.eigenvalues)


@given(POINTS, st.sampled_from(list(LOSSES)), st.floats(0.05, 20), MODEST)
def test_nothing_lies_below_the_lowest_w(points, loss, delta, w):
    lowest = mse.lowest(points, loss=loss, delta=delta)
    here, there = mse.sweep(points, np.array([lowest, w]), loss=loss, delta=delta)
    assert here <= there * (1 + 1e-9) + 1e-9


def test_the_lowest_w_of_the_mse_is_the_closed_form():
    for preset in PRESETS.values():
        assert mse.lowest(preset.points, loss="mse") == pytest.approx(mse.minimum(preset.points).w, rel=1e-12)


def test_an_outlier_moves_the_mse_but_not_the_mae():
    points = PRESETS["outlier"].points
    assert mse.lowest(points, loss="mae") == 2.0
    assert abs(mse.lowest(points, loss="mse") - 2) > 0.4
    assert abs(mse.lowest(points, loss="huber") - 2) < 0.1


@pytest.mark.parametrize("points", PRESET_POINTS)
@pytest.mark.parametrize("reduction", REDUCTIONS)
@pytest.mark.parametrize("with_bias", [False, True])
@pytest.mark.parametrize(("factor", "shrinks"), [(0.99, True), (1.01, False)])
def test_two_over_lambda_max_is_the_border(points, reduction, with_bias, factor, shrinks):
    found = mse.minimum(points, with_bias=with_bias, reduction=reduction)
    lr = factor * mse.largest_stable_lr(found.eigenvalues[-1])
    way = torch.tensor([found.w + 1.0, found.b + 0.3 * with_bias], dtype=torch.float64, requires_grad=True)
    optimizer = torch.optim.SGD([way], lr=lr)
    start = torch_loss(points, way[0], b=way[1] * with_bias, reduction=reduction).item() - found.loss
    for _ in range(1000):
        optimizer.zero_grad()
        loss = torch_loss(points, way[0], b=way[1] * with_bias, reduction=reduction)
        loss.backward()
        optimizer.step()
    assert (loss.item() - found.loss < start) == shrinks


def test_without_a_spread_there_is_a_valley_and_no_nan():
    zero = Points(x=(0.0, 0.0), y=(1.0, 3.0))
    assert not mse.minimum(zero).unique
    assert mse.minimum(zero).loss == 5.0
    assert mse.largest_stable_lr(mse.curvature(zero)) == float("inf")
    assert mse.lowest(zero, loss="huber") == 0.0
    equal = Points(x=(0.1, 0.1, 0.1), y=(1.0, 2.0, 6.0))
    valley = mse.minimum(equal, with_bias=True)
    assert not valley.unique
    assert valley.w * 0.1 + valley.b == pytest.approx(3.0)
    assert valley.eigenvalues[0] == 0.0


@pytest.mark.parametrize("points", PRESET_POINTS)
def test_an_ellipse_lies_at_its_height(points):
    w, b = windows.ellipse(points, 2.5)
    heights = [np.mean(mse.terms(points, wi, bi)) for wi, bi in zip(w, b, strict=True)]
    np.testing.assert_allclose(heights, mse.minimum(points, with_bias=True).loss + 2.5, rtol=1e-9)


def test_the_course_s_window_is_the_course_s():
    window = windows.over_w(COURSE)
    assert (window.start, window.stop, window.step) == (0.0, 4.0, 0.01)


@pytest.mark.parametrize("points", PRESET_POINTS)
def test_windows_have_round_ends_and_steps(points):
    plane = windows.over_plane(points)
    for window in (windows.over_w(points), plane.w, plane.b):
        assert window.start / window.step == pytest.approx(round(window.start / window.step), abs=1e-9)
        assert window.stop == pytest.approx(window.values[-1], abs=1e-9)
        assert len(f"{window.step:g}") <= 5


EXTREME = st.one_of(st.floats(-1e6, 1e6), st.sampled_from([0.0, 1e6, -1e6, 1e-6, 1e-170, 5e-324]))
HARD = st.lists(st.tuples(EXTREME, EXTREME), min_size=1, max_size=5).map(
    lambda pairs: Points(x=tuple(x for x, _ in pairs), y=tuple(y for _, y in pairs))
)


@given(HARD)
def test_any_points_have_finite_numbers(points):
    plane = windows.over_plane(points)
    for window in (windows.over_w(points), plane.w, plane.b):
        assert window.start < window.stop
        assert 400 <= len(window.values) <= 1002
    for with_bias in (False, True):
        found = mse.minimum(points, with_bias=with_bias)
        assert np.isfinite([found.w, found.b, found.loss, *found.eigenvalues]).all()
    assert np.isfinite(mse.surface(points, plane.w.values[::100], plane.b.values[::100])).all()
    assert all(np.isfinite(mse.lowest(points, loss=loss)) for loss in LOSSES)


@pytest.mark.parametrize(
    "fields", [{"loss": "cube"}, {"reduction": "none"}, {"delta": 0.0}, {"delta": float("nan")}, {"delta": 1e7}]
)
def test_unknown_losses_are_refused(fields):
    with pytest.raises(InputError):
        mse.sweep(COURSE, Sweep().values, **fields)
