"""The two training loops: that both are what they say, and that the clock charges the line that took the time."""

import json
import subprocess
import sys
import threading
import time
from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from torch.utils.data import DataLoader, Subset

from core import loop_job, loops
from core.datasets import mnist
from core.device import find_placement
from core.loop_costs import Contest, LineClock, OneByOne, lines_of
from core.loop_job import PHASES, Conditions, Line, LoopCosts, Pass, Snapshot
from core.models import MODELS
from core.records import Batch
from core.run import RunSpec
from core.store import Store
from core.train import train
from tests.core.published_sets import kept

ROOT = Path(__file__).parents[2]
PLACEMENT = replace(find_placement("cpu", 1), dtype="float32", layout="contiguous")
SPEC = RunSpec(epochs=1, train_images=256)


def network():
    torch.manual_seed(SPEC.seed)
    model = MODELS["cnn"].network()()
    return model, torch.optim.SGD(model.parameters(), lr=SPEC.lr, momentum=SPEC.momentum)


@pytest.fixture(scope="module")
def trained():
    """The losses that core.train reports."""
    return [record.loss for record in train(SPEC, PLACEMENT) if isinstance(record, Batch)]


def order():
    return torch.randperm(SPEC.train_images, generator=torch.Generator().manual_seed(SPEC.seed))


def test_our_loop_is_what_core_train_does(trained):
    model, optimizer = network()
    pixels = torch.tensor(mnist().train_images).unsqueeze(1)
    digits = torch.tensor(mnist().train_labels, dtype=torch.int64)
    losses = loops.ours(
        pixels,
        digits,
        order(),
        model=model,
        optimizer=optimizer,
        layout=torch.contiguous_format,
        precision=nullcontext(),
    )
    assert losses == trained


def test_the_textbook_s_loop_takes_the_same_steps(trained):
    model, optimizer = network()
    loader = DataLoader(Subset(OneByOne(), order().tolist()), batch_size=64)
    assert loops.textbook(loader, model, optimizer, "cpu") == pytest.approx(trained, rel=1e-5)


def test_both_loops_take_the_same_steps_on_images_in_colour(tmp_path, monkeypatch):
    monkeypatch.setenv("TORCHSCAPE_HOME", str(tmp_path))
    spec = replace(SPEC, model="stack", options={"depth": 8}, data="cifar10")
    with kept("cifar10"):
        contest, photos = Contest(spec, PLACEMENT), OneByOne("cifar10")
    images, labels = zip(*(photos[place] for place in range(64)), strict=True)
    x, y = contest.images.batch(torch.arange(64), torch.contiguous_format)
    torch.testing.assert_close(torch.stack(images), contest.images.normalise(x))
    assert list(labels) == y.tolist()
    contest.textbook(1)
    contest.ours(1)
    assert contest.own.conv.in_channels == contest.theirs.conv.in_channels == 3
    assert not torch.equal(contest.own.conv.weight, contest.theirs.conv.weight)  # each took steps of its own


def test_scores_are_the_same_with_and_without_no_grad():
    model, _ = network()
    x = torch.randn(5, 1, 28, 28)
    with_grad, without = loops.test(model, x, torch.enable_grad), loops.test(model, x, torch.no_grad)
    assert torch.equal(with_grad, without)
    assert with_grad.requires_grad
    assert not without.requires_grad


def two_lines(wait):
    wait(0.05)
    wait(0)


def test_the_clock_charges_the_line_that_takes_the_time():
    clock = LineClock(two_lines, lambda: None)
    before = time.perf_counter()
    with clock:
        two_lines(time.sleep)
    elapsed = time.perf_counter() - before
    first = two_lines.__code__.co_firstlineno
    assert set(clock.seconds) == {first + 1, first + 2}
    assert 0.05 <= clock.seconds[first + 1] <= elapsed
    assert clock.seconds[first + 2] < clock.seconds[first + 1]
    assert sys.gettrace() is not clock._call


@pytest.mark.parametrize("name", ["textbook", "ours"])
def test_each_line_in_the_loop_says_what_it_is_for(name):
    function = getattr(loops, name)
    lines = lines_of(function, {}, 1)
    source = Path(loops.__file__).read_text().partition(f"def {name}(")[2].partition("    return losses")[0]
    body = source[source.index("    for ") :].splitlines()
    assert [line.code for line in lines] == [text.partition("  # ")[0].strip() for text in body]
    assert [text.rstrip() for text in loop_job.listing(name).splitlines()] == [text[4:] for text in body]
    assert {line.phase for line in lines} <= PHASES.keys()
    assert {"data", "clear", "forward", "loss", "backward", "update", "read"} <= {line.phase for line in lines}


@pytest.mark.slow
def test_the_program_measures_both_loops():
    code = (
        "from core import loop_costs as c\n"
        "c.STEPS, c.TURN, c.WARM_UP, c.TEST_IMAGES, c.REPEATS = 2, 1, 1, 10, 1\n"
        "c.main('cnn')\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, check=True, capture_output=True, text=True, timeout=120
    )
    records = [json.loads(line) for line in done.stdout.splitlines()]
    assert records[-1] == {"kind": "done"}
    assert records[-4]["name"] == "ours"
    assert all(line["seconds"] > 0 for record in records if record["kind"] == "loop" for line in record["lines"])
    without, with_grad = (Pass(**{k: v for k, v in r.items() if k != "kind"}) for r in records[-3:-1])
    assert (without.grad, without.kept) == (False, 0)
    # Ten images: at least the input of each of the three layers with weights is kept, 4 bytes a number.
    assert with_grad.kept >= 10 * 4 * (784 + 1440 + 320)
    assert max(record["done"] for record in records if "done" in record) == 1


LINES = ({"code": "loss.backward()", "phase": "backward", "seconds": 0.001},)
CONDITIONS = {
    "device": "cpu",
    "threads": 1,
    "dtype": "float32",
    "layout": "contiguous",
    "load": 0.5,
    "cores": 2,
    "torch": "2",
    "when": "2026-01-31 13:45",
}
RECORDS = [
    {"kind": "conditions", **CONDITIONS},
    {"kind": "progress", "done": 0.5},
    {"kind": "loop", "name": "textbook", "lines": LINES},
    {"kind": "loop", "name": "ours", "lines": LINES},
    {"kind": "test", "grad": False, "seconds": 0.1, "spread": 0.01, "kept": 0},
    {"kind": "done"},
]
PRINT = "import json; [print(json.dumps(line), flush=True) for line in {records}]\n"


def test_what_was_measured_is_kept(tmp_path):
    costs = LoopCosts("cnn", Store(tmp_path), program=("-c", PRINT.format(records=RECORDS)))
    assert costs.snapshot == Snapshot()
    costs.start()
    for thread in (each for each in threading.enumerate() if each.name == "measuring"):
        thread.join(30)
    found = costs.snapshot
    assert found.loops == (("textbook", (Line(**LINES[0]),)), ("ours", (Line(**LINES[0]),)))
    assert found.tests == (Pass(grad=False, seconds=0.1, spread=0.01, kept=0),)
    assert found.conditions == Conditions(**CONDITIONS)
    again = LoopCosts("cnn", Store(tmp_path)).snapshot
    assert (again.loops, again.tests, again.conditions) == (found.loops, found.tests, found.conditions)
    damaged = costs.kept_file.read_text().replace('"backward"', '"sideways"')
    costs.kept_file.write_text(damaged)
    assert LoopCosts("cnn", Store(tmp_path)).snapshot == Snapshot()


def test_a_server_measures_each_network_once(tmp_path, monkeypatch):
    monkeypatch.setenv("TORCHSCAPE_HOME", str(tmp_path))
    monkeypatch.setattr(loop_job, "_costs", {})
    assert loop_job.loop_costs("cnn") is loop_job.loop_costs("cnn")
    assert loop_job.loop_costs("cnn") is not loop_job.loop_costs("mlp")
