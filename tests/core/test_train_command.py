"""`python -m core train | runs | warm` as a person or a script calls them."""

import json
import os
import subprocess
import sys
from argparse import Namespace
from pathlib import Path

import pytest

from benchmarks import ship
from core import shipped
from core.commands import runs, warm
from core.device import find_placement
from core.exchange import export_run, import_run
from core.jobs import Jobs
from core.preset_runs import COMPARISONS
from core.records import Epoch
from core.run import RunSpec
from core.store import Store
from core.train import train

ROOT = Path(__file__).resolve().parents[2]
SMALL = ("--epochs", "2", "--train-images", "300", "--device", "cpu", "--threads", "1")
KEYS = ["epoch", "train_loss", "test_accuracy", "seconds", "images_per_second", "device"]


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    return tmp_path_factory.mktemp("home")


def core(home, *words):
    return subprocess.run(
        [sys.executable, "-m", "core", *words],
        cwd=ROOT,
        env={**os.environ, "TORCHSCAPE_HOME": str(home)},
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )


def test_epochs_are_those_of_the_loop_and_the_second_call_is_cached(home):
    spec = RunSpec(epochs=2, train_images=300)
    expected = [r for r in train(spec, find_placement("cpu", 1)) if isinstance(r, Epoch)]
    first = core(home, "train", *SMALL, "--json")
    assert (first.returncode, first.stderr) == (0, "")
    *epochs, last = map(json.loads, first.stdout.splitlines())
    assert [list(epoch) for epoch in epochs] == [KEYS, KEYS]
    assert [(e["epoch"], e["train_loss"], e["test_accuracy"]) for e in epochs] == [
        (e.epoch, e.train_loss, e.test_accuracy) for e in expected
    ]
    assert last == {"done": True, "key": spec.key(find_placement("cpu", 1)), "cached": False}
    second = core(home, "train", *SMALL, "--json")
    *again, last = map(json.loads, second.stdout.splitlines())
    assert (again, last["cached"]) == (epochs, True)


def test_every_part_of_a_run_can_be_named(home):
    words = (
        "--model stack --option depth=8 --option norm=TRUE --option channels=4 --optimizer sgd --lr 1e-6 --momentum 0.9"
        " --nesterov --weight-decay 0.001 --schedule cosine --shift 1 --rotate 5 --patience 1 --batch-size 50"
        " --train-images 100 --epochs 5 --seed 7 --device cpu --threads 1 --json"
    )
    spec = RunSpec(
        model="stack", options={"depth": 8, "norm": True, "channels": 4}, lr=1e-6, momentum=0.9, nesterov=True,
        weight_decay=0.001, schedule="cosine", shift=1, rotate=5, patience=1, batch_size=50, train_images=100, epochs=5,
        seed=7,
    )  # fmt: skip
    *epochs, last = map(json.loads, core(home, "train", *words.split()).stdout.splitlines())
    assert last["key"] == spec.key(find_placement("cpu", 1))
    accuracies = [epoch["test_accuracy"] for epoch in epochs]
    best = accuracies.index(max(accuracies))
    assert len(epochs) == min(best + 2, 5)  # one epoch after the best, the patience is over


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        ("--optimizer lion", "must be one of sgd"),
        ("--schedule zigzag", "must be one of constant"),
        ("--option depth", "written name=value"),
        ("--option depth=56", "cnn has no option depth"),
        ("--model stack --option depth=57", "depth must be one of"),
        ("--model stack --option norm=1", "norm must be true or false"),
        ("--option dropout=much", "dropout must be a number"),
        ("--option dropout=nan", "dropout must be a number"),
        ("--model lenet --option x=1", "must be one of"),
        ("--nesterov --momentum 0", "momentum above 0"),
    ],
)
def test_what_cannot_be_is_refused_with_a_sentence(capsys, words, sentence):
    from core.__main__ import main

    assert main(["train", *words.split()]) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.count("\n") == 1
    assert sentence in captured.err


def test_people_get_a_line_an_epoch(home):
    core(home, "train", *SMALL)
    done = core(home, "train", *SMALL)
    lines = done.stdout.splitlines()
    assert sum(line.startswith("epoch ") for line in lines) == 2
    assert "kept from before" in lines[-1]
    assert any("This device was asked for." in line for line in lines)


def test_fresh_trains_again(home):
    core(home, "train", *SMALL, "--json")
    done = core(home, "train", *SMALL, "--json", "--fresh")
    assert json.loads(done.stdout.splitlines()[-1])["cached"] is False


def test_a_diverged_loss_is_valid_json(home):
    options = ("--epochs", "1", "--train-images", "400", "--batch-size", "4", "--lr", "10", "--momentum", "0.9")
    done = core(home, "train", *options, "--json")
    assert done.returncode == 0
    assert "NaN" not in done.stdout
    assert "Infinity" not in done.stdout


def test_the_list_of_runs(home):
    core(home, "train", *SMALL, "--json")
    listed = [json.loads(line) for line in core(home, "runs", "--json").stdout.splitlines()]
    kept = {run["key"]: run for run in listed}[RunSpec(epochs=2, train_images=300).key(find_placement("cpu", 1))]
    assert (kept["state"], kept["epochs"], kept["spec"]["train_images"]) == ("done", 2, 300)
    assert kept["origin"] == "here"
    assert kept["key"] in core(home, "runs").stdout


def test_no_runs_is_said_in_words(tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("TORCHSCAPE_HOME", str(tmp_path))
    assert runs.run(Namespace(json=False)) == 0
    assert "No runs are kept" in capsys.readouterr().out
    assert runs.run(Namespace(json=True)) == 0
    assert capsys.readouterr().out == ""


def test_shipped_and_imported_runs_are_listed_and_told_apart(home, tmp_path, monkeypatch, capsys):
    core(home, "train", *SMALL, "--json")
    key = RunSpec(epochs=2, train_images=300).key(find_placement("cpu", 1))
    ship.write(tmp_path / "shipped", ship.packed([Store(home).load(key)], Store(home), 10_000_000))
    monkeypatch.setattr(shipped, "RUNS", tmp_path / "shipped")
    monkeypatch.setenv("TORCHSCAPE_HOME", str(tmp_path / "other"))
    import_run(export_run(key, Store(home)), Store())
    assert runs.run(Namespace(json=True)) == 0
    listed = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [run["origin"] for run in listed] == ["imported", "shipped"]
    assert runs.run(Namespace(json=False)) == 0
    assert "imported" in capsys.readouterr().out


def test_a_damaged_run_is_reported_and_trained_again(home):
    core(home, "train", *SMALL, "--json")
    key = RunSpec(epochs=2, train_images=300).key(find_placement("cpu", 1))
    path = Store(home).folder(key) / "weights-002.safetensors"
    content = bytearray(path.read_bytes())
    content[100] ^= 1
    path.write_bytes(content)
    done = core(home, "train", *SMALL, "--json")
    assert f"{key} is damaged" in done.stderr
    assert json.loads(done.stdout.splitlines()[-1]) == {"done": True, "key": key, "cached": False}


def test_warm_trains_what_the_server_will_look_for_and_does_not_ship(tmp_path, monkeypatch, capsys):
    first = (RunSpec(epochs=1, train_images=200), RunSpec(epochs=2, train_images=200))
    monkeypatch.setattr(warm, "first_runs", lambda: first)
    monkeypatch.setenv("TORCHSCAPE_HOME", str(tmp_path / "home"))

    def warmed(here):
        assert warm.run(Namespace(json=True, here=here)) == 0
        return [(line["cached"], line["shipped"]) for line in map(json.loads, capsys.readouterr().out.splitlines())]

    assert warmed(here=False) == [(False, False), (False, False)]
    assert warmed(here=False) == [(True, False), (True, False)]
    jobs = Jobs()
    assert [jobs.get(spec).status for spec in first] == ["done", "done"]
    entry = Store().load(first[0].key(find_placement(shared=True)))
    ship.write(tmp_path / "shipped", ship.packed([entry], Store(), 10_000_000))
    monkeypatch.setattr(shipped, "RUNS", tmp_path / "shipped")
    monkeypatch.setenv("TORCHSCAPE_HOME", str(tmp_path / "fresh"))
    assert warmed(here=False) == [(True, True), (False, False)]
    assert Jobs().get(first[0]).origin == "shipped"
    assert warmed(here=True) == [(False, False), (True, False)]


def test_warm_trains_the_prepared_comparisons():
    first = warm.first_runs()
    assert len(set(first)) == len(first)
    assert {spec for each in COMPARISONS.values() for spec in each.runs} <= set(first)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--batch-size", "0"], "batch_size must be a whole number from 1 to 10,000, not 0"),
        (["--batch-size", "many"], "invalid int value"),
        (["--lr", "-1"], "learning rate must be a number from 0.00000001 to 10"),
        (["--lr", "nan"], "learning rate must be a number from 0.00000001 to 10"),
        (["--lr", "1e308"], "learning rate must be a number from 0.00000001 to 10"),
        (["--momentum", "1"], "momentum must be a number from 0 to below 1"),
        (["--epochs", "0"], "epochs must be a whole number from 1 to 100"),
        (["--train-images", "5"], "train_images must be a whole number from 100 to 60,000"),
        (["--seed", "-1"], "seed must be a whole number from 0"),
        (["--threads", "0"], "threads must be a whole number from 1"),
        (["--model", "lenet"], "model must be one of"),
        (["--device", "gpu"], "device must be one of auto, cpu, cuda, mps, not gpu"),
    ],
)
def test_bad_input_gets_one_sentence_and_exit_code_2(home, capsys, options, words):
    from core.__main__ import main

    try:
        code = main(["train", *options, "--json"])
    except SystemExit as leaving:
        code = leaving.code
    out, err = capsys.readouterr()
    assert (code, out) == (2, "")
    assert words in err
    assert err.count("\n") == 1


def test_a_device_that_is_not_there_is_named(capsys, monkeypatch):
    from core import device
    from core.__main__ import main

    monkeypatch.setattr(device, "_accelerators", tuple)
    assert main(["train", "--device", "cuda", "--json"]) == 2
    assert "no cuda device" in capsys.readouterr().err
