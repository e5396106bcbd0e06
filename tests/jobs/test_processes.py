"""Real processes: started, cancelled, killed. What they leave is compared with an undisturbed run, bit for bit."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from core.datasets import DATA
from core.device import find_placement
from core.jobs import Jobs
from core.kept import kept_run
from core.run import RunSpec
from core.store import Store
from tests.core.test_train import numbers

PLACEMENT = find_placement("cpu", 1)
SPEC = RunSpec(epochs=3, train_images=4_000, batch_size=16, seed=4)
KEY = SPEC.key(PLACEMENT)
WAIT = 120  # seconds, far more than any of this takes
ROOT = Path(__file__).resolve().parents[2]

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory):
    store = Store(tmp_path_factory.mktemp("undisturbed"))
    list(kept_run(SPEC, PLACEMENT, store, owner="terminal"))
    return store.load(KEY)


@pytest.fixture
def jobs(tmp_path):
    jobs = Jobs(Store(tmp_path), PLACEMENT)
    yield jobs
    jobs.close()


def same(entry, undisturbed):
    assert entry.state == "done"
    assert numbers(entry.batches) == numbers(undisturbed.batches)
    assert numbers(entry.epochs) == numbers(undisturbed.epochs)
    assert entry.checkpoint.weights == undisturbed.checkpoint.weights


def in_epoch(number):
    return lambda job: job.batches and job.batches[-1].epoch == number and len(job.epochs) == number - 1


def test_a_job_ends_with_the_numbers_of_the_loop(jobs, undisturbed):
    job = jobs.submit(SPEC)
    assert job.wait_for(lambda job: job.status == "done", WAIT)
    assert numbers([*job.batches]) == numbers(undisturbed.batches)
    assert numbers(job.epochs) == numbers(undisturbed.epochs)
    same(jobs.store.load(KEY), undisturbed)
    later = Jobs(jobs.store, PLACEMENT).submit(SPEC)  # another server on the same store
    assert (later.status, later.cached) == ("done", True)
    assert (later.batches, later.epochs) == (job.batches, job.epochs)


def test_a_killed_worker_goes_on_after_its_last_epoch(jobs, undisturbed):
    job = jobs.submit(SPEC)
    assert job.wait_for(in_epoch(2), WAIT)
    os.kill(job.worker.process.pid, signal.SIGKILL)
    assert job.wait_for(lambda job: job.status == "done", WAIT)
    assert (job.restarts, job.resumed_from) == (1, 1)
    same(jobs.store.load(KEY), undisturbed)
    assert numbers(job.batches) == numbers(undisturbed.batches)


def test_a_killed_server_goes_on_after_its_last_epoch(tmp_path, undisturbed):
    command = [sys.executable, "-m", "tests.jobs.server", str(tmp_path)]
    submit = [*command, json.dumps(SPEC.as_dict())]
    with subprocess.Popen(submit, cwd=ROOT, stdout=subprocess.PIPE, text=True) as server:
        assert server.stdout.readline() == "epoch 1\n"
        assert server.stdout.readline() == "epoch 2\n"
        family = psutil.Process(server.pid).children(recursive=True)
        server.kill()
    _, alive = psutil.wait_procs(family, timeout=WAIT)
    assert alive == []  # the worker does not outlive its server
    entry = Store(tmp_path).load(KEY)
    assert (entry.state, len(entry.epochs)) == ("running", 1)
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True, timeout=WAIT)
    assert done.stdout.splitlines()[-1] == "done 1"  # resumed after epoch 1
    same(Store(tmp_path).load(KEY), undisturbed)


def test_a_killed_terminal_goes_on_after_its_last_epoch(tmp_path, undisturbed):
    command = [
        sys.executable, "-m", "core", "train", "--json", "--device", "cpu", "--threads", "1", "--epochs", "3",
        "--train-images", "4000", "--batch-size", "16", "--seed", "4",
    ]  # fmt: skip
    env = {**os.environ, "TORCHSCAPE_HOME": str(tmp_path)}
    with subprocess.Popen(command, cwd=ROOT, env=env, stdout=subprocess.PIPE, text=True) as first:
        assert json.loads(first.stdout.readline())["epoch"] == 1
        first.kill()
    assert len(Store(tmp_path).load(KEY).epochs) < 3
    done = subprocess.run(command, cwd=ROOT, env=env, capture_output=True, text=True, check=True, timeout=WAIT)
    *epochs, last = map(json.loads, done.stdout.splitlines())
    assert last == {"done": True, "key": KEY, "cached": False}
    assert [epoch["test_accuracy"] for epoch in epochs] == [epoch.test_accuracy for epoch in undisturbed.epochs]
    same(Store(tmp_path).load(KEY), undisturbed)


def test_a_cancelled_job_stops_within_a_step_and_goes_on_when_submitted(jobs, undisturbed):
    job = jobs.submit(SPEC)
    assert job.wait_for(in_epoch(2), WAIT)
    jobs.cancel(job.key)
    assert job.status == "cancelled"
    assert job.wait_for(lambda job: not job.at_work, WAIT)
    assert jobs.store.load(KEY).state == "cancelled"
    Jobs(jobs.store, PLACEMENT, start_worker=lambda task: pytest.fail("resumed")).resume_interrupted()
    again = jobs.submit(SPEC)
    assert again.resumed_from == 1
    assert again.wait_for(lambda job: job.status == "done", WAIT)
    same(jobs.store.load(KEY), undisturbed)


def test_a_flipped_byte_is_reported_and_computed_again(jobs, undisturbed):
    list(kept_run(SPEC, PLACEMENT, jobs.store, owner="terminal"))
    path = jobs.store.folder(KEY) / "metrics.jsonl"
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)
    seen = jobs.get(SPEC)
    assert (seen.status, seen.epochs) == ("cancelled", [])
    job = jobs.submit(SPEC)
    assert "damaged" in str(job.notices[0])
    assert job.wait_for(lambda job: job.status == "done", WAIT)
    same(jobs.store.load(KEY), undisturbed)


def test_data_that_are_missing_fail_with_their_name(jobs, monkeypatch, tmp_path):
    """In a process of its own kind: the fork server of the other tests has read the data already."""
    code = (
        "import sys; from pathlib import Path; from core import datasets; datasets.DATA = Path(sys.argv[1]);"
        "from core.kept import kept_run; from core.store import Store; from core.run import RunSpec;"
        "from core.device import find_placement;"
        "list(kept_run(RunSpec(), find_placement('cpu', 1), Store(sys.argv[1]), owner='terminal'))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path)], cwd=ROOT, capture_output=True, text=True, check=False, timeout=WAIT
    )
    assert done.returncode == 1
    assert "train-images-idx3-ubyte.gz cannot be read" in done.stderr
    assert (DATA / "mnist" / "train-images-idx3-ubyte.gz").exists()


def test_the_fork_server_is_found_from_any_folder(tmp_path):
    """A server that was started elsewhere still forks warm workers."""
    code = (
        f"import sys; sys.path.insert(0, {str(ROOT)!r});\n"
        "from core.worker import _start\n"
        "from tests.jobs.probe import loaded\n"
        "if __name__ == '__main__':\n"
        "    p = _start(loaded); p.join(); sys.exit(p.exitcode)\n"
    )
    (tmp_path / "main.py").write_text(code)
    done = subprocess.run([sys.executable, str(tmp_path / "main.py")], cwd=tmp_path, check=False, timeout=WAIT)
    assert done.returncode == 0
