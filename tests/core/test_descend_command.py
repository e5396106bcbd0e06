"""`python -m core descend`, as a person calls it."""

import json
import subprocess
import sys

import numpy as np
import pytest

from core import mse
from core.__main__ import main
from core.descent import METHODS
from core.points import PRESETS
from tests.core.test_descent import run_listing, square

COURSE = PRESETS["course"].points
START = ["--epochs", "100", "--lr", "0.01", "--w", "1"]


def descend(capsys, *arguments):
    assert main(["descend", *arguments, "--json"]) == 0
    printed = capsys.readouterr()
    assert len(printed.out.splitlines()) == 1

    def refuse(constant):
        raise AssertionError(constant)

    found = json.loads(printed.out, parse_constant=refuse)  # NaN and Infinity are no JSON
    assert set(found) == {"gradient", "w", "cost"}
    assert len({len(values) for values in found.values()}) == 1
    return found, printed.err


def test_gd_is_the_listing(capsys):
    names, lines = run_listing("gradient_descent")
    found, said = descend(capsys, "--method", "gd", *START)
    assert said == ""
    assert found["w"] == [float(line.split()[3]) for line in lines[1:-1]]
    assert found["cost"][:-1] == square(names["cost_list"][1:])
    names["w"] = 1.0
    assert found["gradient"][0] == names["gradient"](names["x_data"], names["y_data"])


def test_sgd_is_the_listing(capsys):
    names, lines = run_listing("stochastic_gradient_descent")
    found, said = descend(capsys, "--method", "sgd", *START)
    assert said == ""
    assert found["gradient"] == [float(line.split()[-1]) for line in lines if line.startswith("\t")]
    assert found["w"][2::3] == [float(line.split()[3]) for line in lines if line.startswith("progress")]
    assert found["w"][-1] == names["w"]
    assert found["cost"] == square(mse.sweep(COURSE, np.array(found["w"])).tolist())


def test_minibatches_lie_between(capsys):
    found, _ = descend(capsys, "--method", "minibatch", "--batch-size", "2", *START)
    assert len(found["w"]) == 200
    assert found["gradient"][0] == (2 * 1 * (1 - 2) + 2 * 2 * (2 - 4)) / 2
    whole, _ = descend(capsys, "--method", "minibatch", "--batch-size", "3", *START)
    assert whole == descend(capsys, "--method", "gd", *START)[0]


def test_the_seed_shuffles(capsys):
    runs = [descend(capsys, "--method", "sgd", "--shuffle", "--seed", seed, *START)[0]["w"] for seed in ("1", "1", "2")]
    assert runs[0] == runs[1] != runs[2]


def test_the_course_s_numbers_are_the_defaults(capsys):
    assert descend(capsys) == descend(capsys, "--method", "gd", *START)


@pytest.mark.parametrize("method", METHODS)
def test_a_run_that_diverges_ends_and_says_why(capsys, method):
    found, said = descend(capsys, "--method", method, "--lr", "0.3", "--epochs", "1000", "--w", "1")
    assert abs(found["w"][-1]) > 1e9
    assert all(abs(w) <= 1e9 for w in found["w"][:-1])
    assert len(said.splitlines()) == 1
    assert f"update {len(found['w'])}," in said
    assert "2/λmax = 0.214286" in said
    assert "above" in said


def test_sgd_diverges_where_gradient_descent_does_not(capsys):
    gentle, said = descend(capsys, "--method", "gd", "--lr", "0.212", "--epochs", "1000")
    assert said == ""
    assert gentle["cost"][-1] < 1e-9
    _, said = descend(capsys, "--method", "sgd", "--lr", "0.212", "--epochs", "1000")
    assert "is below 2/λmax = 0.214286 of all samples" in said


def test_the_table_has_a_row_for_each_update(capsys):
    assert main(["descend", "--method", "sgd", "--epochs", "10"]) == 0
    out = capsys.readouterr().out
    assert len([line for line in out.splitlines() if "│" in line]) == 30
    assert "1.02" in out
    rows = [line.split("│")[1:3] for line in out.splitlines() if "│" in line]
    assert [(int(epoch), int(update)) for epoch, update in rows] == [(k // 3, k + 1) for k in range(30)]


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["--method", "minibatch", "--batch-size", "4"], "from 1 to 3, the number of samples, not 4"),
        (["--method", "gd", "--batch-size", "4"], "from 1 to 3"),
        (["--method", "minibatch", "--batch-size", "0"], "batch_size"),
        (["--lr", "0"], "learning rate"),
        (["--lr", "-0.1"], "learning rate"),
        (["--lr", "1e9"], "learning rate"),
        (["--lr", "nan"], "learning rate"),
        (["--lr", "inf"], "learning rate"),
        (["--epochs", "0"], "epochs"),
        (["--epochs", "1001"], "epochs"),
        (["--seed", "-1"], "seed"),
        (["--w", "nan"], "start of w"),
        (["--method", "newton"], "gd, sgd, minibatch"),
    ],
)
def test_bad_input_gets_one_sentence(capsys, arguments, says):
    assert main(["descend", *arguments, "--json"]) == 2
    printed = capsys.readouterr()
    assert printed.out == ""
    assert len(printed.err.splitlines()) == 1
    assert says in printed.err


@pytest.mark.parametrize("arguments", [["--epochs", "ten"], ["--lr", "fast"], ["--batch-size", "1.5"]])
def test_what_is_no_number_gets_one_sentence_in_a_real_process(arguments):
    done = subprocess.run(
        [sys.executable, "-m", "core", "descend", *arguments], check=False, capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 2
    assert done.stdout == ""
    assert len(done.stderr.splitlines()) == 1
