"""The scripts that the page hands out run, and print the page's numbers."""

import contextlib
import io
import re
import subprocess
import sys

import numpy as np
import pytest

from core.descent import RACERS, Descent, descend
from core.descent_script import listing, script
from core.errors import InputError
from core.points import PRESETS
from tests.core.test_descent import random_points

COURSE = PRESETS["course"].points


def run(source):
    """Run a script; return its numbers by name, and what else it said."""
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed), contextlib.suppress(SystemExit):
        exec(compile(source, "script.py", "exec"), {"__name__": "__main__"})  # noqa: S102 - our own script is tested
    return read(printed.getvalue().splitlines())


def read(lines):
    updates = [dict(re.findall(r"(\w+)=(\S+)", line)) for line in lines if line.startswith("update=")]
    numbers = {name: [float(update[name]) for update in updates] for name in updates[0]}
    assert numbers.pop("update") == list(range(1, len(updates) + 1))
    return numbers, lines[len(updates) :]


def agree(printed, ours):
    for name, values in printed.items():
        own = getattr(ours, {"loss": "loss_after"}.get(name, name))
        np.testing.assert_allclose(values, own, rtol=1e-12, atol=1e-12, err_msg=name)


@pytest.mark.parametrize("racer", RACERS)
@pytest.mark.parametrize(
    ("points", "fields"),
    [
        pytest.param(COURSE, {"epochs": 30}, id="course"),
        pytest.param(
            random_points(23, noise=1.0),
            {"epochs": 5, "batch_size": 5, "b": -1.5, "w": 1e-7, "decay": 0.25, "seed": 9, "lr": 0.03},
            id="all fields",
        ),
    ],
)
def test_the_script_prints_the_pages_numbers(racer, points, fields):
    ours = descend(points, RACERS[racer].enter(Descent(**fields)))
    printed, rest = run(script(points, ours.spec))
    assert set(printed) == {"gradient_w", "w", "cost"} | ({"gradient_b", "b"} if "b" in fields else set())
    assert rest == []
    agree(printed, ours)


@pytest.mark.parametrize("bias", [None, 2.0])
def test_the_script_of_a_run_that_diverges_ends_where_the_picture_does(bias):
    ours = descend(COURSE, Descent(lr=0.5, b=bias))
    printed, rest = run(script(COURSE, ours.spec))
    assert len(printed["w"]) == len(ours) == ours.diverged_at + 1
    assert rest == ["The run diverges; this learning rate is too large."]
    for name, values in printed.items():
        np.testing.assert_allclose(values, getattr(ours, name), rtol=1e-12)


@pytest.mark.parametrize("lr", [0.01, 0.5])
def test_the_script_runs_alone(tmp_path, lr):
    ours = descend(COURSE, Descent(method="minibatch", shuffle=True, epochs=10, lr=lr, b=0.0))
    file = tmp_path / "script.py"
    file.write_text(script(COURSE, ours.spec), encoding="utf-8")
    done = subprocess.run([sys.executable, file], check=True, capture_output=True, text=True, timeout=120, cwd=tmp_path)
    assert done.stderr == ""
    agree(read(done.stdout.splitlines())[0], ours)


@pytest.mark.parametrize("method", ["gd", "sgd"])
@pytest.mark.parametrize("lr", [0.01, 0.6])
def test_the_listing_prints_the_pages_numbers(method, lr):
    ours = descend(COURSE, Descent(method=method, lr=lr))
    printed, rest = run(listing(COURSE, ours.spec))
    assert printed["w"] == ours.w.tolist()
    assert printed["gradient_w"] == ours.gradient_w.tolist()
    assert bool(rest) == (ours.diverged_at is not None)
    for name, values in printed.items():
        own = getattr(ours, {"loss": "loss_after"}.get(name, name))
        np.testing.assert_allclose(values, own, rtol=1e-15)


@pytest.mark.parametrize(
    "fields", [{"method": "minibatch"}, {"method": "sgd", "shuffle": True}, {"b": 0.0}, {"decay": 0.1}]
)
def test_the_course_has_no_listing_of_the_rest(fields):
    assert listing(COURSE, Descent(**fields)) is None


def test_a_batch_larger_than_the_data_has_no_script():
    with pytest.raises(InputError, match="from 1 to 3"):
        script(COURSE, Descent(method="minibatch", batch_size=5))
