"""Servers that share a cluster: each run is computed once, seen live by all, and outlives the one that asked for it."""

from dataclasses import replace

import pytest

from core.jobs import Jobs
from core.run import RunSpec
from core.store import Store
from tests.jobs.lab import WAIT, scheduler, until
from tests.jobs.undisturbed import PLACEMENT, agrees

LONG = RunSpec(model="mlp", epochs=3, train_images=2_000, batch_size=8, seed=4)  # long enough to be there in the middle

pytestmark = pytest.mark.slow


def in_epoch(number):
    return lambda job: job.batches and job.batches[-1].epoch == number


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
