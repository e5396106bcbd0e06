import gzip
import io
import json
import os
import re
import shutil
import subprocess
import sys
import tarfile
from dataclasses import replace

import pytest

from core.datasets import DATA
from core.device import find_placement
from core.image_data import read_part
from core.records import Checkpoint, Epoch
from core.run import RunSpec
from core.train import train
from core.training_script import training_script
from tests.core.published_sets import FEW, cifar_files, kept

SPEC = RunSpec(epochs=2, train_images=1_000, batch_size=96, seed=3)  # 1,000 / 96 leaves a smaller last batch
SPECS = {
    "the course's": SPEC,
    "augmented, with a schedule": replace(SPEC, shift=2, rotate=10, schedule="onecycle", optimizer="adamw", lr=0.002),
    "with options": replace(
        SPEC, model="mlp", options={"dropout": 0.3}, momentum=0.9, nesterov=True, weight_decay=1e-3, schedule="step"
    ),
    "ended early": replace(SPEC, model="mlp", epochs=9, train_images=200, lr=1e-6, patience=2),
}
PLACEMENTS = [
    replace(find_placement("cpu", 1), dtype=dtype, layout=layout)
    for dtype, layout in (("float32", "contiguous"), ("bfloat16", "channels_last"))
]
CASES = [(spec, placement) for spec in SPECS.values() for placement in PLACEMENTS]
NAMES = [f"{name}, {placement.dtype}" for name in SPECS for placement in PLACEMENTS]


@pytest.fixture(scope="module")
def mnist_folder(tmp_path_factory):
    """MNIST as torchvision keeps it, with as few test images as `few_tests` leaves."""
    root = tmp_path_factory.mktemp("mnist")
    raw = root / "MNIST" / "raw"
    raw.mkdir(parents=True)
    for path in (DATA / "mnist").glob("*.gz"):
        content = gzip.decompress(path.read_bytes())
        if path.name.startswith("t10k"):
            head, each = (16, 28 * 28) if "images" in path.name else (8, 1)
            content = content[:4] + FEW.to_bytes(4, "big") + content[8 : head + FEW * each]
        (raw / path.stem).write_bytes(content)
    return root


@pytest.fixture(scope="module")
def histories(tmp_path_factory, mnist_folder):
    """What the scripts of all specs and placements print and return; one process runs them, each as a module."""
    folder = tmp_path_factory.mktemp("scripts")
    for number, (spec, placement) in enumerate(CASES):
        (folder / f"script{number}.py").write_text(training_script(spec, placement), encoding="utf-8")
    code = "import importlib, json, sys\n" + "\n".join(
        f"print(json.dumps(importlib.import_module('script{number}').main(sys.argv[1])))"
        for number in range(len(CASES))
    )
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", code, str(mnist_folder)],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": ""},
        capture_output=True,
        text=True,
        check=True,
        timeout=300,
    )
    printed = re.findall(r"((?:epoch .*\n)+)(\[.*\])\n", done.stdout)
    assert len(printed) == len(CASES)
    return [(lines.splitlines(), json.loads(history)) for lines, history in printed]


@pytest.mark.parametrize("number", range(len(CASES)), ids=NAMES)
@pytest.mark.usefixtures("few_tests")
def test_script_gives_the_numbers_of_the_training_loop(histories, number):
    lines, history = histories[number]
    epochs = [record for record in train(*CASES[number]) if isinstance(record, Epoch)]
    assert len(lines) == len(epochs)
    for (train_loss, test_loss, accuracy), ours in zip(history, epochs, strict=True):
        assert train_loss == pytest.approx(ours.train_loss, rel=1e-12)  # the same losses, added in another order
        assert test_loss == ours.test_loss
        assert accuracy == ours.test_accuracy


@pytest.mark.parametrize("as_published", [True, False])
def test_script_finds_the_images_that_are_there(request, tmp_path, mnist_folder, as_published):
    """Without a network: the four files that ship with the project, or what torchvision has made of them."""
    if not as_published:
        request.getfixturevalue("few_tests")
    spec = RunSpec(epochs=1, train_images=300)
    placement = find_placement("cpu", 1)
    script = training_script(spec, placement, "cnn-0")
    assert "python cnn-0.py --root FOLDER" in script
    assert "the four .gz files" in script
    (tmp_path / "cnn-0.py").write_text(script, encoding="utf-8")
    folder = DATA / "mnist" if as_published else mnist_folder
    before = sorted(folder.rglob("*"))
    done = subprocess.run(
        [sys.executable, "cnn-0.py", "--root", folder],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": "", "https_proxy": "http://127.0.0.1:9"},
        capture_output=True,
        text=True,
        check=True,
        timeout=120,
    )
    assert sorted(folder.rglob("*")) == before
    (epoch,) = (record for record in train(spec, placement) if isinstance(record, Epoch))
    loss, accuracy = epoch.test_loss, epoch.test_accuracy
    assert f"test loss {loss:.6f}, test accuracy {accuracy:.4f}" in done.stdout


def test_script_reads_the_images_of_its_run(tmp_path, monkeypatch):
    """In colour, from a stand-in for CIFAR-10 as torchvision keeps it."""
    monkeypatch.setenv("TORCHSCAPE_HOME", str(tmp_path / "home"))
    with kept("cifar10") as parts, tarfile.open(fileobj=io.BytesIO(*cifar_files(parts).values())) as archive:
        archive.extractall(tmp_path, filter="data")
        read_part("cifar10", "train")  # once for all of this process
        read_part("cifar10", "test")
    spec = RunSpec(
        model="stack", options={"depth": 8, "channels": 4}, data="cifar10", epochs=2, train_images=300, lr=0.1
    )
    placement = replace(find_placement("cpu", 1), dtype="float32", layout="contiguous")
    (tmp_path / "script.py").write_text(training_script(spec, placement), encoding="utf-8")
    code = (
        "import json, script, sys; own = script.datasets.CIFAR10; own.download = own._load_meta = lambda self: None;"
        " own._check_integrity = lambda self: True; print(json.dumps(script.main(sys.argv[1])))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path)],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": ""},
        capture_output=True,
        text=True,
        check=True,
        timeout=300,
    )
    epochs = [record for record in train(spec, placement) if isinstance(record, Epoch)]
    history = json.loads(done.stdout.splitlines()[-1])
    for (train_loss, test_loss, accuracy), ours in zip(history, epochs, strict=True):
        assert train_loss == pytest.approx(ours.train_loss, rel=1e-5)  # normalised in one step or in three
        assert test_loss == pytest.approx(ours.test_loss, rel=1e-4)
        assert accuracy == pytest.approx(ours.test_accuracy, abs=0.002)
    checkpoint = next(record for record in train(spec, placement) if isinstance(record, Checkpoint))
    resumed = [record for record in train(spec, placement, resume=checkpoint) if isinstance(record, Epoch)]
    assert [one.train_loss for one in resumed] == [epochs[1].train_loss]
    assert resumed[0].predicted == epochs[1].predicted
    shutil.rmtree(tmp_path / "cifar-10-batches-py")  # large


def test_script_has_no_line_that_its_run_does_not_need():
    script = training_script(RunSpec(), find_placement("cpu", 1))
    for word in ("augment", "schedule", "math", "PATIENCE", "nesterov", "weight_decay"):
        assert word not in script
    for spec in SPECS.values():
        lines = training_script(spec, find_placement("cpu", 1)).splitlines()
        assert max(map(len, lines)) <= 120


def test_script_runs_in_a_notebook(tmp_path, mnist_folder):
    """Jupyter starts its kernel with arguments that are not the script's."""
    path = tmp_path / "script.py"
    path.write_text(training_script(RunSpec(epochs=1, train_images=100), find_placement("cpu", 1)), encoding="utf-8")
    done = subprocess.run(
        [sys.executable, path, "-f", "kernel.json", "--root", mnist_folder],
        capture_output=True,
        text=True,
        check=True,
        timeout=120,
    )
    assert done.stdout.startswith("epoch 1: train loss")


def test_script_of_a_server_run_loads_no_torch():
    code = (
        "import sys; from core.run import RunSpec; from core.training_script import training_script;"
        " compile(training_script(RunSpec()), 'script.py', 'exec'); assert 'torch' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)
