"""A lab on this machine: a scheduler and two workers, each started as a person starts it, with `python -m core`."""

import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import psutil
from distributed import Client

from core.cluster.engine import Cluster
from core.jobs import Jobs, cluster_jobs
from core.store import Store

ROOT = Path(__file__).resolve().parents[2]
WAIT = 300  # seconds, far more than any of this takes


class Lab:
    """A running scheduler with its workers, and a client that looks at them."""

    def __init__(self, address: str) -> None:
        self.address = address
        self.client = Client(address, set_as_default=False)
        self.stack = ExitStack()

    def jobs(self, folder):
        """Return the jobs of a new server with the store in that folder."""
        jobs = cluster_jobs(self.address, Store(folder))
        self.stack.callback(jobs.close)
        return jobs

    def without_workers(self, folder, placement):
        """Return the jobs of a server that believes in workers that are not there."""
        cluster = Cluster(self.address)
        self.stack.callback(cluster.close)
        jobs = Jobs(Store(folder), placement, slots=8, start_worker=cluster.start)
        self.stack.callback(jobs.close)
        return jobs

    def tasks(self) -> int:
        """Return how many tasks were ever asked for."""
        return self.client.run_on_scheduler(_tasks)

    def wanted(self) -> list[str]:
        """Return the tasks that the scheduler knows."""
        return self.client.run_on_scheduler(_wanted)

    def pid_of(self, key: str) -> int | None:
        """Return the process that trains a run, None where none does."""
        at_work = [worker for worker, tasks in self.client.processing().items() if any(key in task for task in tasks)]
        return self.client.run(os.getpid, workers=at_work)[at_work[0]] if at_work else None


def _tasks(dask_scheduler):
    return dask_scheduler.plugins["torchscape"].names


def _wanted(dask_scheduler):
    return list(dask_scheduler.plugins["torchscape"].reports)


@contextmanager
def command(*words: str) -> Iterator[tuple["subprocess.Popen[str]", dict]]:
    """Run `python -m core` and yield the process with its first line; end it and all that it has started."""
    arguments = [sys.executable, "-m", "core", *words, "--json"]
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    with subprocess.Popen(arguments, cwd=ROOT, env=environment, stdout=subprocess.PIPE, text=True) as process:
        try:
            yield process, json.loads(process.stdout.readline())
        finally:
            family = psutil.Process(process.pid).children(recursive=True) if process.poll() is None else []
            process.terminate()
            _, alive = psutil.wait_procs([process, *family], timeout=10)
            for one in alive:
                one.kill()


@contextmanager
def scheduler() -> Iterator[tuple["subprocess.Popen[str]", str]]:
    """Run a scheduler on a free port and yield its process and its address."""
    with command("scheduler", "--host", "127.0.0.1", "--port", "0") as (process, said):
        yield process, said["scheduler"]


@contextmanager
def open_lab(workers: int) -> Iterator[Lab]:
    """Run a scheduler and some workers."""
    with scheduler() as (_, address), command("worker", address, "--runs", str(workers), "--device", "cpu"):
        lab = Lab(address)
        try:
            lab.client.wait_for_workers(workers, timeout=WAIT)
            yield lab
        finally:
            lab.stack.close()
            lab.client.close()


def until(condition):
    """Look again and again; on a scheduler there is nothing to wait at."""
    pause = threading.Event()
    return any(condition() or pause.wait(0.02) for _ in range(50 * WAIT))
