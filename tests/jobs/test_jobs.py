import threading
from dataclasses import replace
from types import SimpleNamespace

import pytest

import core.job
import core.jobs
from core.device import find_placement
from core.errors import InputError
from core.job import MOMENT, Job
from core.jobs import MAX_RESTARTS, Jobs, runs_at_once
from core.kept import Opened
from core.records import Batch, Epoch
from core.run import RunSpec
from core.store import Store
from core.worker import Finished, WorkerDiedError

PLACEMENT = find_placement("cpu", 1)
SPEC = RunSpec(epochs=2, train_images=200)
WAIT = 30  # seconds, far more than any of this takes


class FakeWorker:
    """A worker that does what the test says, one step at a time."""

    def __init__(self, task):
        self.task, self.script, self.more = task, [], threading.Condition()
        self.cancelled = False

    def say(self, *events):
        with self.more:
            self.script.append(list(events))
            self.more.notify()

    def events(self):
        while True:
            with self.more:
                assert self.more.wait_for(lambda: self.script, WAIT)
                events = self.script.pop(0)
            if events == ["die"]:
                raise WorkerDiedError("exit code -9")
            yield events

    def cancel(self):
        self.cancelled = True
        self.say(Finished(cancelled=True))

    def kill(self):
        self.say("die")


class Office:
    """Starts fake workers and hands them to the test."""

    def __init__(self):
        self.workers, self.more = [], threading.Condition()

    def __call__(self, task):
        with self.more:
            self.workers.append(FakeWorker(task))
            self.more.notify()
            return self.workers[-1]

    def worker(self, number):
        with self.more:
            assert self.more.wait_for(lambda: len(self.workers) > number, WAIT)
            return self.workers[number]


@pytest.fixture
def office():
    return Office()


@pytest.fixture
def jobs(tmp_path, office):
    jobs = Jobs(Store(tmp_path), PLACEMENT, slots=1, start_worker=office)
    yield jobs
    jobs.close()


def spec(seed):
    return replace(SPEC, seed=seed)


def batch(step, epoch=1, seconds=None):
    return Batch(step=step, epoch=epoch, loss=1.0, seconds=step / 10 if seconds is None else seconds)


def epoch(number):
    return Epoch(
        epoch=number, train_loss=1.0, train_accuracy=0.5, test_loss=1.0, test_accuracy=0.5, seconds=0.4,
        images_per_second=500.0, device="cpu", worst=(), predicted="",
    )  # fmt: skip


def test_equal_specs_share_a_job_and_others_queue(jobs, office):
    first, second, third = jobs.submit(spec(1)), jobs.submit(spec(2)), jobs.submit(spec(3))
    assert jobs.submit(spec(1)) is first
    assert jobs.submit(spec(3)) is third
    assert [(job.status, job.position) for job in (first, second, third)] == [
        ("running", 0),
        ("queued", 1),
        ("queued", 2),
    ]
    assert jobs.list() == [third, second, first]
    assert jobs.get(spec(2)) is second
    assert jobs.get(second.key) is second
    office.worker(0).say(Finished())
    assert second.wait_for(lambda job: job.status == "running", WAIT)
    assert (first.status, second.position, third.position) == ("done", 0, 1)
    assert office.worker(1).task.spec == spec(2)


def test_as_many_jobs_run_as_there_are_slots(tmp_path, office):
    jobs = Jobs(Store(tmp_path), PLACEMENT, slots=2, start_worker=office)
    states = [jobs.submit(spec(seed)).status for seed in range(3)]
    jobs.close()
    assert states == ["running", "running", "queued"]


@pytest.mark.parametrize(
    ("device", "threads", "cores", "expected"),
    [
        ("cpu", 1, 1, 1),
        ("cpu", 1, 2, 1),
        ("cpu", 1, 8, 7),
        ("cpu", 2, 8, 3),
        ("cuda", 1, 1, 1),
        ("cuda", 1, 2, 1),
        ("cuda", 1, 16, 2),
        ("mps", 1, 8, 2),
    ],
)
def test_runs_side_by_side_leave_a_core_free_and_are_few_on_a_gpu(monkeypatch, device, threads, cores, expected):
    monkeypatch.setattr(core.jobs, "usable_cores", lambda: cores)
    assert runs_at_once(replace(PLACEMENT, device=device, threads=threads)) == expected


def test_get_starts_nothing(jobs, office):
    assert jobs.get(SPEC) is None
    assert jobs.get("0" * 16) is None
    assert office.workers == []


def test_a_queued_job_leaves_the_queue(jobs, office):
    first, second, third = (jobs.submit(spec(seed)) for seed in range(3))
    jobs.cancel(second.key)
    assert (second.status, second.position, third.position) == ("cancelled", 0, 1)
    office.worker(0).say(Finished())
    assert third.wait_for(lambda job: job.status == "running", WAIT)
    assert len(office.workers) <= 2
    assert first.status == "done"


def test_a_cancelled_job_can_be_submitted_again_at_once(jobs, office):
    first = jobs.submit(SPEC)
    worker = office.worker(0)
    jobs.cancel(first.key)
    assert first.status == "cancelled"
    assert first.wait_for(lambda job: not job.at_work, WAIT)
    assert worker.cancelled
    again = jobs.submit(SPEC)
    assert again is not first
    assert again.active


def test_what_a_worker_reports_reaches_the_page(jobs, office):
    job = jobs.submit(SPEC)
    office.worker(0).say(Opened(done=False, batches=(), epochs=(), insides=()), batch(1))
    assert job.wait_for(lambda job: job.batches, WAIT)
    assert 0 < job.first_metric_seconds < WAIT
    assert job.images_per_second is None
    assert job.seconds_left is None
    office.worker(0).say(batch(2), batch(3), batch(4), epoch(1))
    assert job.wait_for(lambda job: job.epochs, WAIT)
    assert job.progress == pytest.approx(4 / 8)
    assert job.images_per_second == pytest.approx(200 / 4 * 10)  # 50 images a step, 10 steps a second
    assert job.seconds_left == pytest.approx(0.4)
    office.worker(0).say(Finished())
    assert job.wait_for(lambda job: job.status == "done", WAIT)
    assert not job.cached


def test_all_who_look_in_the_same_moment_see_the_same(monkeypatch):
    clock = [100.0]
    monkeypatch.setattr(core.job, "time", SimpleNamespace(monotonic=lambda: clock[0]))
    job = Job(SPEC, find_placement(shared=True))
    job.status = "running"
    assert job.counts() == (0, 0)
    job.apply([batch(1)])
    assert job.counts() == (1, 0)  # the first one is seen at once
    job.apply([batch(2), batch(3)])
    assert job.counts() == (1, 0)
    clock[0] += 1.01 * MOMENT
    assert job.counts() == (3, 0)
    job.apply([batch(4), epoch(1)])
    assert job.counts() == (4, 1)  # and so is an epoch
    job.apply([batch(5, 2)])
    job.end("done")
    assert job.counts() == (5, 1)


def test_a_dead_worker_is_replaced_a_few_times(jobs, office):
    job = jobs.submit(SPEC)
    for number in range(MAX_RESTARTS + 1):
        office.worker(number).say("die")
    assert job.wait_for(lambda job: job.status == "failed", WAIT)
    assert "exit code -9" in str(job.error)
    assert len(office.workers) == MAX_RESTARTS + 1


def test_a_restarted_worker_begins_after_the_last_kept_epoch(jobs, office):
    job = jobs.submit(SPEC)
    office.worker(0).say(
        Opened(done=False, batches=(), epochs=(), insides=()), batch(1), batch(4), epoch(1), batch(5, 2)
    )
    office.worker(0).say("die")
    office.worker(1).say(Opened(done=False, batches=(batch(1), batch(4)), epochs=(epoch(1),), insides=()))
    assert job.wait_for(lambda job: job.resumed_from == 1, WAIT)
    assert (len(job.batches), len(job.epochs), job.restarts) == (2, 1, 1)


def test_a_job_that_fails_says_why_and_can_be_tried_again(jobs, office):
    job = jobs.submit(SPEC)
    office.worker(0).say(Finished(error=InputError("The disk is full.")))
    assert job.wait_for(lambda job: job.status == "failed", WAIT)
    assert str(job.error) == "The disk is full."
    assert jobs.get(SPEC) is job
    assert jobs.submit(SPEC) is not job


def test_a_process_that_cannot_start_gets_a_sentence(tmp_path):
    def refuse(task):
        raise OSError(11, "Resource temporarily unavailable")

    job = Jobs(Store(tmp_path), PLACEMENT, start_worker=refuse).submit(SPEC)
    assert job.wait_for(lambda job: job.status == "failed", WAIT)
    assert "Resource temporarily unavailable" in str(job.error)
