"""Where a job comes from: trained here, shipped with the project, imported from somebody else."""

from dataclasses import replace

import pytest

from benchmarks import ship
from core import jobs as jobs_module
from core import shipped
from core.device import find_placement
from core.exchange import export_run, import_run
from core.jobs import Jobs
from core.kept import kept_run
from core.run import RunSpec
from core.store import Store

PLACEMENT = find_placement("cpu", 1)
ELSEWHERE = replace(PLACEMENT, torch="2.0.0")  # another machine, as far as keys are concerned
SPEC = RunSpec(epochs=2, train_images=200)
WAIT = 60  # seconds, far more than any of this takes


@pytest.fixture(scope="module")
def theirs(tmp_path_factory):
    """A store of another machine."""
    store = Store(tmp_path_factory.mktemp("theirs"))
    list(kept_run(SPEC, ELSEWHERE, store, owner="terminal"))
    return store


@pytest.fixture
def with_shipped(theirs, tmp_path, monkeypatch):
    entry = theirs.load(SPEC.key(ELSEWHERE))
    ship.write(tmp_path / "shipped", ship.packed([entry], theirs, 10_000_000))
    monkeypatch.setattr(shipped, "RUNS", tmp_path / "shipped")
    return entry


@pytest.fixture
def jobs(tmp_path):
    jobs = Jobs(Store(tmp_path / "store"), PLACEMENT, slots=1)
    yield jobs
    jobs.close()


def never(task):
    pytest.fail("a worker was started")


def test_a_shipped_run_is_there_at_once(with_shipped, tmp_path):
    jobs = Jobs(Store(tmp_path / "store"), PLACEMENT, slots=1, start_worker=never)
    job = jobs.get(SPEC)
    assert (job.status, job.origin, job.cached, job.key) == ("done", "shipped", True, with_shipped.key)
    assert (job.batches, tuple(job.epochs), tuple(job.insides)) == (
        list(with_shipped.batches), with_shipped.epochs, with_shipped.insides,
    )  # fmt: skip
    assert jobs.get(SPEC) is job
    assert jobs.get(job.key) is job
    assert jobs.submit(SPEC) is job
    assert jobs.list() == []
    assert jobs.get(replace(SPEC, seed=1)) is None
    assert jobs.store.runs() == []


@pytest.mark.slow
def test_it_can_be_trained_here_all_the_same(with_shipped, jobs):
    job = jobs.submit(SPEC, fresh_here=True)
    assert (job.origin, job.active, job.key) == ("here", True, SPEC.key(PLACEMENT))
    assert jobs.get(SPEC) is job
    assert job.wait_for(lambda job: job.status == "done", WAIT)
    assert jobs.get(SPEC) is job
    assert jobs.submit(SPEC, fresh_here=True) is job
    assert jobs.get(with_shipped.key).origin == "shipped"
    later = Jobs(jobs.store, PLACEMENT, start_worker=never)
    assert (later.get(SPEC).origin, later.get(SPEC).batches) == ("here", job.batches)


@pytest.mark.slow
def test_the_shipped_run_is_back_where_nothing_came_of_the_one_here(with_shipped, jobs):
    filler = jobs.submit(replace(SPEC, epochs=100, train_images=60_000))
    waiting = jobs.submit(SPEC, fresh_here=True)
    assert jobs.get(SPEC) is waiting
    jobs.cancel(waiting.key)
    assert jobs.get(SPEC).origin == "shipped"
    jobs.cancel(filler.key)


def test_a_damaged_shipped_run_is_as_good_as_none(with_shipped, jobs):
    for path in shipped.RUNS.glob("*.zip"):
        path.write_bytes(b"PK")
    assert jobs.get(SPEC) is None


def test_an_imported_run_opens_by_its_key(theirs, jobs):
    key = import_run(export_run(SPEC.key(ELSEWHERE), theirs), jobs.store)
    job = jobs.get(key)
    assert (job.origin, job.status, job.key, job.spec) == ("imported", "done", key, SPEC)
    assert job.placement == ELSEWHERE
    assert jobs.get(key) is job
    assert jobs.get(SPEC) is None  # nobody takes it for a run of this machine
    jobs.store.remove(key)
    assert jobs.get(key) is None


@pytest.mark.parametrize("key", ["", "i" * 16, "../../etc/passwd", "i../../../../pass", "0" * 16, "é"])
def test_a_key_from_a_link_is_only_looked_up(jobs, key):
    assert jobs.get(key) is None


def test_old_jobs_are_forgotten_when_they_are_many_or_large(theirs, tmp_path, monkeypatch):
    store = Store(tmp_path)
    specs = [replace(SPEC, seed=seed) for seed in range(5)]
    for spec in specs:
        list(kept_run(replace(spec, epochs=1), PLACEMENT, store, owner="terminal"))
    keys = [replace(spec, epochs=1).key(PLACEMENT) for spec in specs]
    monkeypatch.setattr(jobs_module, "REMEMBERED", 3)
    jobs = Jobs(store, PLACEMENT, start_worker=never)
    for key in keys:
        assert jobs.get(key).epochs
    assert len(jobs.list()) <= 4
    monkeypatch.setattr(jobs_module, "REMEMBERED_BYTES", 50_000)  # one job of one epoch has about 20,000
    jobs.get(keys[0])
    assert len(jobs.list()) <= 2
    assert all(jobs.get(key).epochs for key in keys)  # the store has them all
