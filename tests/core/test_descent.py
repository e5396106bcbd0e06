"""Gradient descent against its oracles: the course's listings, autograd, and torch.optim.SGD with a DataLoader."""

import contextlib
import io
import re
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from torch.utils.data import DataLoader, TensorDataset

from core import mse, parabola
from core.descent import LIMIT, METHODS, RACERS, Descent, descend
from core.errors import InputError
from core.points import PRESETS, Points

COURSE = PRESETS["course"].points
NOISY = PRESETS["noisy"].points
LISTINGS = (
    Path(__file__).parent / "listings"
)  # course: "梯度下降算法", "随机梯度下降算法", word for word, without the plots

MODEST = st.floats(-20, 20).map(lambda value: round(value, 3))
POINTS = st.lists(st.tuples(MODEST, MODEST), min_size=1, max_size=12).map(
    lambda pairs: Points(x=tuple(x for x, _ in pairs), y=tuple(y for _, y in pairs))
)
BIAS = st.none() | MODEST


def random_points(count, *, noise, seed=0):
    rng = np.random.default_rng(seed)
    x = rng.uniform(-2, 2, count)
    return Points(x=tuple(x.tolist()), y=tuple((2 * x + noise * rng.normal(size=count)).tolist()))


def torch_loss(points, rows, w, b):
    x, y = (torch.tensor(values, dtype=torch.float64)[list(rows)] for values in (points.x, points.y))
    return torch.nn.functional.mse_loss(w * x + b, y)


def excess(points, spec):
    """How far the loss stays above its minimum in the last half of the run, on average."""
    cost = descend(points, spec).cost
    return float(np.mean(cost[len(cost) // 2 :])) - mse.minimum(points, with_bias=spec.with_bias).loss


def run_listing(name):
    """Return a listing's variables and the lines that it printed."""
    names: dict = {}
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        exec((LISTINGS / f"{name}.txt").read_text(encoding="utf-8"), names)  # noqa: S102 - it is the oracle
    return names, printed.getvalue().splitlines()


def square(value):
    """Python's `r ** 2` may differ from r · r in the last bit; nothing else does."""
    return pytest.approx(value, rel=5e-16, abs=0)


def test_the_listing_of_gradient_descent_is_met_at_every_update():
    names, lines = run_listing("gradient_descent")
    ours = descend(COURSE, Descent(method="gd", epochs=100, lr=0.01, w=1.0))
    printed = [re.fullmatch(r"epoch: \d+ w= (\S+) loss= (\S+)", line).groups() for line in lines[1:-1]]
    assert len(printed) == len(ours) == 100
    assert ours.w.tolist() == [float(w) for w, _ in printed]
    assert ours.loss.tolist() == square([float(loss) for _, loss in printed])
    assert [ours.start_cost, *ours.cost[:-1]] == square(names["cost_list"])
    for update, before in enumerate([1.0, *ours.w[:-1].tolist()]):
        names["w"] = before
        assert ours.gradient_w[update] == names["gradient"](names["x_data"], names["y_data"])


def test_the_listing_of_sgd_is_met_at_every_update():
    names, lines = run_listing("stochastic_gradient_descent")
    ours = descend(COURSE, Descent(method="sgd", epochs=100, lr=0.01, w=1.0))
    found = [re.fullmatch(r"\tgrad: (\S+) (\S+) (\S+)", line) for line in lines]
    grads = [tuple(map(float, match.groups())) for match in found if match]
    assert len(grads) == len(ours) == 300
    w = 1.0
    for update, (x, y, grad) in enumerate(grads):
        assert (COURSE.x[ours.rows(update)[0]], COURSE.y[ours.rows(update)[0]]) == (x, y)
        assert ours.gradient_w[update] == grad
        names["w"] = w
        assert ours.loss[update] == square(names["loss"](x, y))
        w = names["w"] = w - 0.01 * grad
        assert ours.w[update] == w
        assert ours.loss_after[update] == square(names["loss"](x, y))
    progress = [match for line in lines if (match := re.fullmatch(r"progress: \d+ w= (\S+) loss= (\S+)", line))]
    assert ours.w[2::3].tolist() == [float(match[1]) for match in progress]
    assert ours.loss_after[2::3].tolist() == square([float(match[2]) for match in progress])


@settings(deadline=None, max_examples=50)
@given(points=POINTS, racer=st.sampled_from(list(RACERS)), size=st.integers(1, 12), w=MODEST, b=BIAS)
def test_gradients_and_losses_are_autograd_s(points, racer, size, w, b):
    assume(size <= len(points))
    spec = RACERS[racer].enter(Descent(batch_size=size, epochs=2, lr=1e-4, w=w, b=b))
    ours = descend(points, spec)
    place = np.column_stack([[w, *ours.w], [b or 0.0, *ours.b]])  # (k + 1, 2)
    for update in range(len(ours)):
        before = torch.tensor(place[update], requires_grad=True)
        loss = torch_loss(points, ours.rows(update), *before)
        (theirs,) = torch.autograd.grad(loss, before)
        gradient = [ours.gradient_w[update], ours.gradient_b[update]]
        np.testing.assert_allclose(gradient, theirs.numpy() * [1.0, b is not None], rtol=1e-11, atol=1e-9)
        assert ours.loss[update] == pytest.approx(loss.item(), rel=1e-11, abs=1e-20)
        after = torch_loss(points, ours.rows(update), *place[update + 1]).item()
        assert ours.loss_after[update] == pytest.approx(after, rel=1e-11, abs=1e-20)
        cost = torch_loss(points, range(len(points)), *place[update + 1]).item()
        assert ours.cost[update] == pytest.approx(cost, rel=1e-11, abs=1e-20)


@given(points=POINTS, w=MODEST, b=BIAS)
def test_the_gradients_of_the_samples_average_to_the_gradient_of_all(points, w, b):
    one = Descent(epochs=1, w=w, b=b)
    singles = [
        descend(Points(x=(x,), y=(y,)), replace(one, method="sgd")) for x, y in zip(points.x, points.y, strict=True)
    ]
    whole = descend(points, one)
    rounding = 1e-13 * max(abs(x) + 1 for x in points.x) * max(map(abs, (*points.x, *points.y, w, b or 0.0))) ** 2
    mean_w, mean_b = (np.mean([getattr(single, f"gradient_{name}")[0] for single in singles]) for name in "wb")
    assert mean_w == pytest.approx(whole.gradient_w[0], rel=1e-12, abs=rounding + 1e-15)
    assert mean_b == pytest.approx(whole.gradient_b[0], rel=1e-12, abs=rounding + 1e-15)
    full = mse.gradient(points, w, b or 0.0)
    assert whole.gradient_w[0] == pytest.approx(full[0], rel=1e-12, abs=rounding + 1e-15)
    assert whole.gradient_b[0] == pytest.approx(full[1] * (b is not None), rel=1e-12, abs=rounding + 1e-15)


def torch_run(points, spec):
    """Train nn.Linear as one would; return (gradient by w, by b, w, b, loss) of each update."""
    x, y = (torch.tensor(values, dtype=torch.float64)[:, None] for values in (points.x, points.y))
    model = torch.nn.Linear(1, 1, bias=spec.with_bias, dtype=torch.float64)
    with torch.no_grad():
        model.weight.fill_(spec.w)
        if spec.with_bias:
            model.bias.fill_(spec.b)
    optimizer = torch.optim.SGD(model.parameters(), lr=spec.lr)
    scheduler = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda epoch: 1 / (1 + spec.decay * epoch))
    criterion = torch.nn.MSELoss()
    generator = torch.Generator().manual_seed(spec.seed)
    batch_size = {"gd": len(points), "sgd": 1, "minibatch": spec.batch_size}[spec.method]
    loader = DataLoader(TensorDataset(x, y), batch_size=batch_size, shuffle=spec.shuffle, generator=generator)
    steps = []
    for _ in range(spec.epochs):
        for inputs, targets in loader:
            optimizer.zero_grad()
            loss = criterion(model(inputs), targets)
            loss.backward()
            optimizer.step()
            bias = (model.bias.grad.item(), model.bias.item()) if spec.with_bias else (0.0, 0.0)
            steps.append((model.weight.grad.item(), bias[0], model.weight.item(), bias[1], loss.item()))
        scheduler.step()
    return np.array(steps).T  # (5, k)


@pytest.mark.parametrize("racer", RACERS)
@pytest.mark.parametrize("bias", [None, -0.5])
@pytest.mark.parametrize("decay", [0.0, 0.3])
def test_whole_runs_are_those_of_torch(racer, bias, decay):
    points = random_points(37, noise=1.0, seed=3)
    spec = RACERS[racer].enter(Descent(batch_size=5, epochs=6, lr=0.04, decay=decay, w=-1.0, b=bias, seed=11))
    ours = descend(points, spec)
    theirs = torch_run(points, spec)
    for name, values in zip(("gradient_w", "gradient_b", "w", "b", "loss"), theirs, strict=True):
        np.testing.assert_allclose(getattr(ours, name), values, rtol=1e-12, atol=1e-12, err_msg=name)


@pytest.mark.parametrize("racer", RACERS)
def test_batches_epochs_and_samples_seen_are_those_of_the_dataloader(racer):
    points = random_points(11, noise=0.1)
    spec = RACERS[racer].enter(Descent(batch_size=4, epochs=3, seed=8))
    ours = descend(points, spec)
    batch_size = {"gd": 11, "sgd": 1, "minibatch": 4}[spec.method]
    generator = torch.Generator().manual_seed(8)
    loader = DataLoader(range(11), batch_size=batch_size, shuffle=spec.shuffle, generator=generator)
    batches = [(epoch, batch.tolist()) for epoch in range(3) for batch in loader]
    assert [ours.rows(update).tolist() for update in range(len(ours))] == [batch for _, batch in batches]
    assert ours.epoch.tolist() == [epoch for epoch, _ in batches]
    assert ours.samples_seen.tolist() == np.cumsum([len(batch) for _, batch in batches]).tolist()
    assert ours.updates_per_epoch == len(loader)


def test_shuffling_means_nothing_where_an_update_sees_all():
    plain, shuffled = (descend(NOISY, Descent(shuffle=shuffle)) for shuffle in (False, True))
    assert plain.w.tolist() == shuffled.w.tolist()


def test_another_seed_is_another_path_and_the_same_seed_the_same():
    first, again, other = (descend(NOISY, Descent(method="sgd", shuffle=True, seed=seed)) for seed in (1, 1, 2))
    assert first.w.tolist() == again.w.tolist()
    assert first.w.tolist() != other.w.tolist()


@settings(deadline=None)
@given(points=POINTS, with_bias=st.booleans(), turn=st.sampled_from([1, -1]))
def test_two_over_lambda_max_is_the_border(points, with_bias, turn):
    lowest = mse.minimum(points, with_bias=with_bias)
    edge = mse.largest_stable_lr(lowest.eigenvalues[-1])
    assume(1.02 * edge <= 1000)
    steepest = np.linalg.eigh(mse.hessian(points))[1][:, -1] if with_bias else np.array([1.0, 0.0])  # (2,)
    start = np.array([lowest.w, lowest.b]) + 10 * turn * steepest
    assume(np.max(np.abs(start)) <= 1e6)
    below, above = (
        Descent(epochs=1000, lr=factor * edge, w=start[0], b=start[1] if with_bias else None)
        for factor in (0.99, 1.015)
    )
    ended = descend(points, below)
    rest = np.hypot(ended.w[-1] - lowest.w, ended.b[-1] - lowest.b)
    assert ended.diverged_at is None
    assert rest <= 10 * 0.98**999 + 1e-7 * np.max(np.abs(start))  # it shrinks by 0.98 an update, up to rounding
    assert descend(points, above).diverged_at is not None


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("bias", [None, 1.0])
def test_a_run_that_diverges_ends_at_the_limit(method, bias):
    points = PRESETS["outlier"].points
    run = descend(points, Descent(method=method, lr=1.0, epochs=1000, b=bias))
    assert run.diverged_at == len(run) - 1 < 50
    size = np.maximum(np.abs(run.w), np.abs(run.b))
    assert size[-1] > LIMIT
    assert np.all(size[:-1] <= LIMIT)
    for name in ("gradient_w", "gradient_b", "w", "b", "cost", "loss", "loss_after"):
        assert np.isfinite(getattr(run, name)).all()
        assert len(getattr(run, name)) == len(run)


def test_b_alone_can_diverge():
    run = descend(Points(x=(0.0, 0.0), y=(1.0, 2.0)), Descent(lr=2.0, epochs=1000, w=5.0, b=0.0))
    assert run.diverged_at == len(run) - 1
    assert abs(run.b[-1]) > LIMIT >= abs(run.b[-2])
    assert set(run.w) == {5.0}


EXTREME = st.one_of(st.floats(-1e6, 1e6), st.sampled_from([0.0, 1e6, -1e6, 1e-6, 1e-150, 1e-170, 5e-324]))
HARD = st.lists(st.tuples(EXTREME, EXTREME), min_size=1, max_size=5).map(
    lambda pairs: Points(x=tuple(x for x, _ in pairs), y=tuple(y for _, y in pairs))
)


@settings(deadline=None)
@given(
    points=HARD,
    racer=st.sampled_from(list(RACERS)),
    lr=st.floats(0, 1000, exclude_min=True),
    w=EXTREME,
    b=st.none() | EXTREME,
)
def test_nothing_is_ever_nan_or_infinite(points, racer, lr, w, b):
    spec = RACERS[racer].enter(Descent(batch_size=1, epochs=20, lr=lr, w=w, b=b))
    run = descend(points, spec)
    for name in ("gradient_w", "gradient_b", "w", "b", "cost", "loss", "loss_after"):
        assert np.isfinite(getattr(run, name)).all(), name
    assert np.isfinite(parabola.closed_form(points, run.w, run.b, with_bias=spec.with_bias)).all()


@settings(deadline=None)
@given(points=POINTS, racer=st.sampled_from(list(RACERS)), lr=st.floats(1e-4, 1e-2), w=MODEST, b=BIAS)
def test_the_closed_form_of_the_cost_is_the_sum(points, racer, lr, w, b):
    run = descend(points, RACERS[racer].enter(Descent(batch_size=1, epochs=20, lr=lr, w=w, b=b)))
    closed = parabola.closed_form(points, run.w, run.b, with_bias=b is not None)
    size = max(map(abs, (*points.x, *points.y, 1.0))) * np.max(np.abs([*run.w, *run.b, 1.0]))
    np.testing.assert_allclose(closed, run.cost, rtol=1e-11, atol=(1e-13 * size) ** 2 + 1e-13 * size)
    assert np.all(closed >= mse.minimum(points, with_bias=b is not None).loss)


@pytest.mark.parametrize("bias", [None, 3.0])
def test_long_runs_take_the_closed_form_and_agree(bias, monkeypatch):
    points = random_points(1000, noise=1.0)
    run = descend(points, Descent(method="sgd", shuffle=True, epochs=2, b=bias))
    summed = parabola.direct(points, run.w, run.b)
    np.testing.assert_allclose(run.cost, summed, rtol=1e-12)
    assert run.cost.tolist() != summed.tolist()  # it is another computation
    monkeypatch.setattr(parabola, "DIRECT", 2_000_000)
    np.testing.assert_array_equal(descend(points, run.spec).cost, summed)


FLOOR = Descent(method="minibatch", shuffle=True, batch_size=1, epochs=120, lr=0.04, w=-1.0, b=0.0)


@pytest.fixture(scope="module")
def disagreeing():
    return random_points(100, noise=1.0, seed=5)


@pytest.mark.parametrize("racer", ["sgd", "sgd-shuffled", "minibatch", "minibatch-shuffled"])
def test_with_disagreeing_samples_noise_keeps_the_loss_above_gradient_descent(disagreeing, racer):
    full = excess(disagreeing, RACERS["gd"].enter(FLOOR))
    assert abs(full) < 1e-5
    assert excess(disagreeing, RACERS[racer].enter(FLOOR)) > max(1e-3, 10 * full)


def test_the_floor_sinks_with_the_learning_rate(disagreeing):
    floors = [excess(disagreeing, replace(FLOOR, lr=lr)) for lr in (0.16, 0.08, 0.04, 0.02)]
    assert all(smaller < 0.7 * larger for larger, smaller in pairwise(floors))


def test_the_floor_sinks_with_the_batch_size(disagreeing):
    floors = [excess(disagreeing, replace(FLOOR, batch_size=size)) for size in (1, 4, 16, 50)]
    assert all(smaller < 0.7 * larger for larger, smaller in pairwise(floors))


def test_decay_removes_the_floor(disagreeing):
    assert excess(disagreeing, replace(FLOOR, decay=1.0)) < 0.2 * excess(disagreeing, FLOOR)


@pytest.mark.parametrize("racer", RACERS)
def test_agreeing_samples_have_no_floor(racer):
    points = random_points(100, noise=0.0)
    run = descend(points, RACERS[racer].enter(replace(FLOOR, b=None, epochs=400, lr=0.05)))
    assert run.cost[-1] < 1e-25


@pytest.mark.parametrize(
    ("fields", "says"),
    [
        ({"method": "newton"}, "one of gd, sgd, minibatch, not newton"),
        ({"epochs": 0}, "epochs must be a whole number from 1 to 1,000, not 0"),
        ({"epochs": 1001}, "1,000"),
        ({"epochs": 2.5}, "whole number"),
        ({"batch_size": 0}, "batch_size must be a whole number from 1 to 10,000, not 0"),
        ({"batch_size": 10_001}, "10,000"),
        ({"seed": -1}, "from 0 to 4,294,967,295, not -1"),
        ({"seed": 2**32}, "seed"),
        ({"lr": 0}, "above 0 and at most 1,000, not 0"),
        ({"lr": -0.1}, "learning rate"),
        ({"lr": 1e9}, "learning rate"),
        ({"lr": float("nan")}, "learning rate"),
        ({"lr": float("inf")}, "learning rate"),
        ({"lr": "0.1"}, "learning rate"),
        ({"decay": -1}, "decay must be a number from 0 to 100"),
        ({"decay": float("nan")}, "decay"),
        ({"w": 2e6}, "start of w"),
        ({"w": float("nan")}, "start of w"),
        ({"b": float("-inf")}, "start of b"),
    ],
)
def test_what_cannot_be_run_is_refused(fields, says):
    with pytest.raises(InputError, match=says):
        Descent(**fields)


def test_a_batch_larger_than_the_data_is_refused_where_batches_matter():
    with pytest.raises(InputError, match="batch_size must be from 1 to 3, the number of samples, not 4"):
        descend(COURSE, Descent(method="minibatch", batch_size=4))
    assert len(descend(COURSE, Descent(method="minibatch", batch_size=3))) == 100
    assert len(descend(COURSE, Descent(method="sgd", batch_size=4))) == 300


def test_more_work_than_anybody_waits_for_is_refused():
    with pytest.raises(InputError, match=r"1,000 epochs of 10,000 samples are too many; give at most 200 epochs\."):
        descend(random_points(10_000, noise=1.0), Descent(epochs=1000))


def test_whole_and_decimal_numbers_are_the_same_run():
    assert Descent(lr=1, w=2, b=3, decay=0) == Descent(lr=1.0, w=2.0, b=3.0, decay=0.0)
    assert hash(Descent(lr=1)) == hash(Descent(lr=1.0))
