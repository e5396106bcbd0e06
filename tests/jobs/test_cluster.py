"""What a cluster promises, without its processes: the book on the scheduler, what workers offer, what is missing."""

import json
import socket
from contextlib import closing
from types import SimpleNamespace

import pytest
from distributed import LocalCluster

import core.cluster
import core.jobs
from app.figures.training_words import status
from core.cluster import ClusterError, check_library
from core.cluster.book import HELD, RESTARTED, RunBook
from core.cluster.engine import Cluster
from core.cluster.offer import PREFIX, best_placement, offer
from core.device import Placement
from core.errors import InputError
from core.jobs import cluster_jobs, manager
from tests.jobs.lab import scheduler

CPU = Placement(device="cpu", dtype="float32", layout="contiguous", threads=1, torch="2")
FAST = Placement(device="cpu", dtype="bfloat16", layout="channels_last", threads=1, torch="2")
GPU = Placement(device="cuda", dtype="float32", layout="channels_last", threads=1, torch="2")
ADDRESS = "tcp://host:8786"


@pytest.fixture
def book():
    book = RunBook()
    book.scheduler = SimpleNamespace(workers={}, log_event=lambda topic, message: None)
    return book


def report(book, name, message=b"m", *, attempt=1, checkpoint=None, last=False):
    return book.report(name, attempt, message, checkpoint, last)


def history(book, name, after=0):
    return book.history(name, after, offer(CPU))


# --- The book


def test_servers_that_want_the_same_run_get_the_same_task(book):
    assert book.join("run-a") == book.join("run-a") != book.join("run-b")
    assert book.find("run-b") == book.join("run-b")
    assert book.find("run-c") is None


def test_a_run_that_has_ended_gets_a_new_task(book):
    name = book.join("run")
    book.begin(name)
    assert report(book, name, last=True) is False
    assert book.join("run") != name
    assert history(book, name)["messages"] == [b"m"]  # for servers that have not read it yet


def test_a_task_that_nobody_wants_is_forgotten_and_its_worker_stops(book):
    name = book.join("run")
    book.begin(name)
    assert report(book, name) is True
    book.transition(name, "processing", "forgotten")
    assert report(book, name) is False
    assert book.begin(name) is None
    assert history(book, name) is None


def test_a_worker_that_takes_over_gets_the_last_checkpoint_and_the_lost_one_is_not_heard(book):
    name = book.join("run")
    assert book.begin(name) == {"attempt": 1, "checkpoint": None}
    report(book, name, b"1", checkpoint=b"c")
    report(book, name, b"2")
    book.transition(name, "processing", "no-worker")
    assert history(book, name)["position"] == 1
    assert book.begin(name) == {"attempt": 2, "checkpoint": b"c"}
    assert history(book, name)["position"] == 0
    assert report(book, name, b"3", attempt=1) is False
    assert report(book, name, b"4", attempt=2) is True
    assert history(book, name)["messages"] == [b"1", b"2", RESTARTED, b"4"]
    assert history(book, name, after=3)["messages"] == [b"4"]


def test_a_task_whose_workers_die_too_often_is_not_joined_again(book):
    name = book.join("run")
    book.transition(name, "processing", "erred")
    assert book.join("run") != name


def test_a_server_stops_a_task_that_waits(book):
    name = book.join("run")
    assert report(book, name, b"stop", attempt=0, last=True) is False
    assert book.begin(name) is None
    assert history(book, name)["messages"] == [b"stop"]


def test_a_run_with_too_much_to_hold_is_not_joined_late(book):
    name = book.join("run")
    book.begin(name)
    large = bytes(HELD // 2)
    for _ in range(3):
        report(book, name, large)
    assert history(book, name) is None
    assert len(history(book, name, after=1)["messages"]) == 2
    assert book.join("run") != name


def test_those_who_wait_are_counted_in_the_order_of_their_coming(book):
    names = [book.join(run) for run in "abc"]
    book.begin(names[0])
    assert [history(book, name)["position"] for name in names] == [0, 1, 2]


# --- What workers offer


def test_runs_get_a_gpu_where_there_is_one_and_else_what_most_workers_have():
    assert best_placement([offer(CPU), offer(FAST), offer(FAST)], ADDRESS) == FAST
    assert best_placement([offer(CPU), offer(GPU), offer(CPU)], ADDRESS) == GPU


def test_another_program_is_refused():
    other = PREFIX + json.dumps({**CPU.facts(), "program": "another"})
    assert best_placement([other, other, offer(CPU)], ADDRESS) == CPU
    with pytest.raises(ClusterError, match="another version"):
        best_placement([other], ADDRESS)


def test_a_cluster_without_workers_says_how_to_start_one():
    with pytest.raises(ClusterError, match=f"no workers yet.*python -m core worker {ADDRESS}"):
        best_placement([], ADDRESS)


# --- What may be missing


def free_address():
    with closing(socket.socket()) as probe:
        probe.bind(("127.0.0.1", 0))
        return f"tcp://127.0.0.1:{probe.getsockname()[1]}"


def test_a_server_without_the_library_says_what_to_install(monkeypatch):
    monkeypatch.setattr(core.cluster, "find_spec", lambda name: None)
    with pytest.raises(InputError, match=r"requirements-cluster\.txt.*TORCHSCAPE_SCHEDULER"):
        cluster_jobs(ADDRESS)
    monkeypatch.undo()
    check_library()


def test_a_server_without_a_scheduler_says_how_to_start_one_and_does_not_ask_all_the_time(monkeypatch):
    address = free_address()
    monkeypatch.setenv("TORCHSCAPE_SCHEDULER", address)
    monkeypatch.setattr("core.cluster.engine.CONNECT", 0.2)
    monkeypatch.setattr(core.jobs, "_manager", None)
    monkeypatch.setattr(core.jobs, "_refused", None)
    with pytest.raises(ClusterError, match=f"No scheduler answers at {address}.*python -m core scheduler") as first:
        manager()
    monkeypatch.setattr(core.jobs, "cluster_jobs", lambda address: pytest.fail("asked again"))
    with pytest.raises(ClusterError) as second:
        manager()
    assert second.value is first.value


def test_a_scheduler_of_another_program_is_refused(monkeypatch):
    with (
        LocalCluster(n_workers=0, dashboard_address=None) as plain,
        pytest.raises(ClusterError, match="not started by"),
    ):
        Cluster(plain.scheduler_address)
    with scheduler() as (_, address):
        monkeypatch.setattr("core.cluster.engine.fingerprint", lambda: "another")
        with pytest.raises(ClusterError, match="another version"):
            Cluster(address)


def test_an_address_that_is_none_gets_the_same_sentence():
    with pytest.raises(ClusterError, match="No scheduler answers at nowhere://x"):
        Cluster("nowhere://x")


def test_the_page_says_what_a_run_waits_for():
    job = SimpleNamespace(status="queued", position=1, waiting_for=InputError("No worker is there."), error=None)
    assert status(job, report=None) == ("No worker is there.", "warning")
