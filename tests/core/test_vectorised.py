"""The measured table: its numbers against the plain loop and autograd, its times where they can only be one way."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from core import vectorised
from core.descent import RACERS, Descent, descend
from core.errors import InputError
from core.points import PRESETS, Points
from core.vectorised import WAYS, measure, safe_lr, seconds_per_update

COURSE, NOISY = PRESETS["course"].points, PRESETS["noisy"].points


@pytest.fixture(scope="module", params=[False, True], ids=["w", "w and b"])
def table(request):
    return request.param, {line.way: line for line in measure(NOISY, with_bias=request.param, rows=300, batch_size=32)}


def test_each_line_reaches_the_loss_of_the_plain_loop(table):
    with_bias, lines = table
    tiled = Points(x=tuple(np.resize(NOISY.x, 300)), y=tuple(np.resize(NOISY.y, 300)))
    lr = safe_lr(NOISY, with_bias=with_bias)
    for name, method in (("full", "gd"), ("full-serial", "gd"), ("minibatch", "minibatch"), ("sgd", "sgd")):
        run = descend(tiled, Descent(method=method, batch_size=32, epochs=1, lr=lr, b=0.0 if with_bias else None))
        assert lines[name].loss == pytest.approx(run.cost[-1], rel=1e-9)
        assert lines[name].start_loss == pytest.approx(run.start_cost, rel=1e-9)
        assert lines[name].updates == len(run)


def test_the_lines_say_what_was_done(table):
    _, lines = table
    assert list(lines) == list(WAYS)
    assert {name: line.batch_size for name, line in lines.items()} == {
        "full": 300,
        "full-serial": 300,
        "minibatch": 32,
        "sgd": 1,
    }
    for line in lines.values():
        assert line.rows == 300
        assert line.seconds > 0
        assert line.repeats >= vectorised.LEAST
        assert line.ratio == line.seconds / lines["full"].seconds
        assert line.loss < line.start_loss


def test_three_hundred_operations_take_longer_than_one(table):
    _, lines = table
    assert lines["sgd"].ratio > 10
    assert lines["full-serial"].ratio > 10


@pytest.mark.parametrize("function", [vectorised.gradient, vectorised.gradient_one_by_one])
def test_both_gradients_are_autograd_s(function):
    x, y = (torch.tensor(values, dtype=torch.float64) for values in (NOISY.x, NOISY.y))
    w, b = (torch.tensor(value, dtype=torch.float64, requires_grad=True) for value in (1.3, -0.4))
    theirs = torch.autograd.grad(torch.nn.functional.mse_loss(x * w + b, y), (w, b))
    for own, reference in zip(function(x, y, w.detach(), b.detach()), theirs, strict=True):
        assert own.item() == pytest.approx(reference.item(), rel=1e-12)


@pytest.mark.parametrize("racer", RACERS)
@pytest.mark.parametrize("points", [COURSE, NOISY, Points(x=(0.0,), y=(1.0,))])
def test_an_update_takes_some_time_and_not_long(racer, points):
    spec = replace(RACERS[racer].enter(Descent(b=0.0)), batch_size=1)
    assert 1e-7 < seconds_per_update(points, spec) < 0.1


def test_a_batch_larger_than_the_data_is_refused():
    with pytest.raises(InputError, match="batch_size"):
        seconds_per_update(COURSE, Descent(method="minibatch", batch_size=4))


def test_the_safe_rate_lets_no_sample_overshoot():
    for with_bias in (False, True):
        rate = safe_lr(NOISY, with_bias=with_bias)
        assert all(rate * 2 * (x * x + with_bias) < 1 for x in NOISY.x)
