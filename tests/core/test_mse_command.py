"""`python -m core mse`, as a person calls it."""

import json
import subprocess
import sys

import pytest

from core.__main__ import main
from tests.core.test_mse import LISTING


def test_json_is_the_listing(capsys):
    names = {}
    exec(LISTING, names)  # noqa: S102 - the oracle is the listing itself
    capsys.readouterr()
    assert main(["mse", "--json"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 1
    assert json.loads(lines[0]) == {"w": names["w_list"], "mse": names["mse_list"]}


def test_another_range(capsys):
    assert main(["mse", "--from", "-1", "--to", "1", "--step", "0.5", "--json"]) == 0
    printed = json.loads(capsys.readouterr().out)
    assert printed["w"] == [-1.0, -0.5, 0.0, 0.5, 1.0]
    assert printed["mse"][2] == 56 / 3


def test_the_table_has_a_row_for_each_w(capsys):
    assert main(["mse"]) == 0
    out = capsys.readouterr().out
    assert "18.6667" in out
    assert len([line for line in out.splitlines() if "│" in line]) == 41


@pytest.mark.parametrize(
    "arguments",
    [["--step", "0"], ["--step", "-1"], ["--step", "nan"], ["--step", "1e-9"], ["--from", "5"], ["--to", "inf"]],
)
def test_bad_ranges_get_one_sentence(capsys, arguments):
    assert main(["mse", *arguments, "--json"]) == 2
    printed = capsys.readouterr()
    assert printed.out == ""
    assert len(printed.err.splitlines()) == 1


def test_text_gets_one_sentence_in_a_real_process():
    done = subprocess.run(
        [sys.executable, "-m", "core", "mse", "--step", "abc"], check=False, capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 2
    assert done.stdout == ""
    assert len(done.stderr.splitlines()) == 1
