"""What holds on either engine, processes of this server or workers of a cluster, and what only a cluster has to do."""

import json
import os
import signal
import subprocess
import sys
import threading
from dataclasses import replace
from functools import cache

import pytest

from core.device import find_placement
from core.jobs import Jobs
from core.kept import kept_run
from core.models import MODELS
from core.run import RunSpec
from core.store import Store
from tests.core.test_train import numbers
from tests.jobs.lab import ROOT, WAIT, open_lab, scheduler

PLACEMENT = find_placement("cpu", 1)
SMALL = {"stack": {"depth": 8, "channels": 4}, "densenet": {"growth": 4, "layers": 1}}
LONG = RunSpec(model="mlp", epochs=3, train_images=2_000, batch_size=8, seed=4)  # long enough to be there in the middle

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def lab():
    with open_lab(workers=2) as lab:
        yield lab


@pytest.fixture
def server(lab, tmp_path):
    """Return the jobs of one server."""
    return lab.jobs(tmp_path / "server")


@pytest.fixture
def other(lab, tmp_path):
    """Return the jobs of a server that shares nothing with the first but the cluster."""
    return lab.jobs(tmp_path / "other")


@pytest.fixture(autouse=True)
def no_task_is_left(request):
    """Close the servers of a test, and see that the scheduler forgets what they wanted."""
    yield
    if "lab" in request.fixturenames:
        lab = request.getfixturevalue("lab")
        lab.stack.close()
        assert until(lambda: not lab.wanted())


def until(condition):
    """Look again and again; on a scheduler there is nothing to wait at."""
    pause = threading.Event()
    return any(condition() or pause.wait(0.02) for _ in range(50 * WAIT))


@cache
def undisturbed_store():
    import tempfile

    folder = tempfile.TemporaryDirectory()
    return folder, Store(folder.name)


def undisturbed(spec):
    """Return the run as this process trains it."""
    _, store = undisturbed_store()
    list(kept_run(spec, PLACEMENT, store, owner="terminal"))
    return store.load(spec.key(PLACEMENT))


def agrees(job, entry, spec):
    """Compare what a page has, and what is kept, with the undisturbed run."""
    run = undisturbed(spec)
    assert job.status == "done"
    for name in ("batches", "epochs", "insides"):
        assert numbers(getattr(job, name)) == numbers(getattr(run, name)) == numbers(getattr(entry, name))
    assert entry.state == "done"
    assert entry.checkpoint.weights == run.checkpoint.weights


def in_epoch(number):
    return lambda job: job.batches and job.batches[-1].epoch == number


# --- Either engine


@pytest.mark.parametrize("engine", ["processes", "cluster"])
@pytest.mark.parametrize("model", MODELS)
def test_a_killed_worker_goes_on_after_its_last_epoch(model, engine, request, tmp_path):
    spec = RunSpec(model=model, options=SMALL.get(model, {}), epochs=2, train_images=400, batch_size=4, seed=1)
    lab = request.getfixturevalue("lab") if engine == "cluster" else None
    jobs = lab.jobs(tmp_path) if lab else Jobs(Store(tmp_path), PLACEMENT)
    job = jobs.submit(spec)
    assert job.wait_for(lambda job: job.epochs, WAIT)
    os.kill(lab.pid_of(job.key) if lab else job.worker.process.pid, signal.SIGKILL)
    assert job.wait_for(lambda job: not job.active, WAIT)
    assert (job.restarts, job.error) == (1, None)
    agrees(job, jobs.store.load(job.key), spec)
    jobs.close()


@pytest.mark.parametrize("engine", ["processes", "cluster"])
def test_ten_sessions_share_twenty_jobs(engine, request, tmp_path):
    """In a process of its own, whose memory is measured."""
    address = request.getfixturevalue("lab").address if engine == "cluster" else ""
    before = request.getfixturevalue("lab").tasks() if address else 0
    done = subprocess.run(
        [sys.executable, "-m", "tests.jobs.sessions", str(tmp_path), address],
        cwd=ROOT, capture_output=True, text=True, check=True, timeout=WAIT,
    )  # fmt: skip
    said = json.loads(done.stdout)
    assert said["states"] == ["done"] * 20
    assert said["workers"] == 20  # none was started twice
    assert said["lost"] == []
    assert said["grown"] < 50e6  # bytes
    if address:
        assert request.getfixturevalue("lab").tasks() - before == 20


# --- A cluster


def test_two_servers_share_one_task(lab, server, other):
    before = lab.tasks()
    jobs = [server.submit(LONG), other.submit(LONG)]
    assert all(job.wait_for(lambda job: not job.active, WAIT) for job in jobs)
    assert lab.tasks() - before == 1
    for job, at in zip(jobs, (server, other), strict=True):
        agrees(job, at.store.load(job.key), LONG)
    assert [batch.seconds for batch in jobs[0].batches] == [batch.seconds for batch in jobs[1].batches]


def test_a_server_that_comes_late_gets_all_of_it(lab, server, other):
    before = lab.tasks()
    first = server.submit(LONG)
    assert first.wait_for(in_epoch(2), WAIT)
    late = other.submit(LONG)
    assert late.wait_for(lambda job: not job.active, WAIT)
    assert lab.tasks() - before == 1
    agrees(late, other.store.load(late.key), LONG)


def test_two_servers_on_one_store_see_the_run_live(lab, server):
    before = lab.tasks()
    first = server.submit(LONG)
    assert first.wait_for(in_epoch(1), WAIT)
    second = lab.jobs(server.store.root).submit(LONG)
    assert second.wait_for(lambda job: job.batches and not job.epochs, WAIT)  # before there is an epoch in the store
    assert second.wait_for(lambda job: not job.active, WAIT)
    assert first.wait_for(lambda job: not job.active, WAIT)
    assert lab.tasks() - before == 1
    for job in (first, second):
        agrees(job, server.store.load(job.key), LONG)


def test_a_stopped_run_stops_for_everyone_and_can_go_on(lab, server, other):
    jobs = [server.submit(LONG), other.submit(LONG)]
    assert all(job.wait_for(in_epoch(2), WAIT) for job in jobs)
    other.cancel(jobs[1].key)
    assert all(job.wait_for(lambda job: not job.at_work, WAIT) for job in jobs)
    assert [job.status for job in jobs] == ["cancelled", "cancelled"]
    assert server.store.load(jobs[0].key).state == "cancelled"
    again = server.submit(LONG)
    assert again.resumed_from >= 1
    assert again.wait_for(lambda job: not job.active, WAIT)
    agrees(again, server.store.load(again.key), LONG)


def test_a_server_that_ends_leaves_its_runs_to_the_next_one(lab, server):
    job = server.submit(LONG)
    assert job.wait_for(in_epoch(2), WAIT)
    server.close()
    assert until(lambda: not lab.wanted())  # nobody wants it: the worker is free again
    assert server.store.load(job.key).state == "running"
    later = lab.jobs(server.store.root)
    later.resume_interrupted()
    (again,) = later.list()
    assert again.wait_for(lambda job: not job.active, WAIT)
    agrees(again, later.store.load(again.key), LONG)


def test_more_runs_than_workers_wait_in_a_queue(server):
    jobs = [server.submit(replace(LONG, epochs=1, seed=seed)) for seed in range(4)]
    assert all(job.wait_for(lambda job: job.status == "queued", WAIT) for job in jobs[2:])
    assert all(job.wait_for(lambda job: not job.active, WAIT) for job in jobs)
    assert [job.status for job in jobs] == ["done"] * 4


def test_a_run_that_no_worker_can_compute_says_so_and_can_be_stopped(lab, tmp_path):
    jobs = lab.without_workers(tmp_path, replace(PLACEMENT, threads=3))
    job = jobs.submit(LONG)
    assert job.wait_for(lambda job: job.waiting_for, WAIT)
    assert (job.status, job.position) == ("queued", 1)
    assert "3 threads" in str(job.waiting_for)
    jobs.cancel(job.key)
    assert job.wait_for(lambda job: not job.at_work, WAIT)
    assert job.status == "cancelled"


def test_a_lost_scheduler_fails_the_run_with_its_address(lab, tmp_path, monkeypatch):
    monkeypatch.setattr("core.cluster.engine.CONNECT", 0.5)
    with scheduler() as (process, address):
        from core.cluster.engine import Cluster

        cluster = Cluster(address)
        job = Jobs(Store(tmp_path), PLACEMENT, slots=1, start_worker=cluster.start).submit(LONG)
        assert job.wait_for(lambda job: job.waiting_for, WAIT)
        process.kill()
        assert job.wait_for(lambda job: not job.active, WAIT)
        assert job.status == "failed"
        assert f"No scheduler answers at {address}" in str(job.error)
        cluster.close()
