"""What a worker of a cluster does: train one run and report each moment of it to the scheduler."""

from __future__ import annotations

import asyncio
import pickle
import time
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

from distributed import Nanny, Scheduler, get_worker
from distributed.utils import sync

from core.cluster.book import TOPIC, RunBook
from core.cluster.offer import offer
from core.device import Placement
from core.records import Checkpoint, Record
from core.run import RunSpec
from core.worker import SEND_EVERY, Finished, failed


def train_on_worker(name: str, spec: RunSpec, placement: Placement, resume: Checkpoint | None) -> None:
    """Train in this worker; `name` is the task's. It goes on after the last checkpoint that was reported."""
    worker = get_worker()

    def call(what: str, **values: Any) -> Any:  # noqa: ANN401 - whatever the book answers
        return sync(worker.loop, getattr(worker.scheduler, f"{TOPIC}_{what}"), name=name, **values)

    begun = call("begin")
    if begun is None:
        return
    if begun["checkpoint"] is not None:
        resume = pickle.loads(begun["checkpoint"])  # noqa: S301 - from another worker of this cluster
    report = partial(call, "report", attempt=begun["attempt"])
    try:
        finished = _train(spec, placement, resume, report)
    except Exception as error:
        finished = failed(error)
    report(message=pickle.dumps([finished]), checkpoint=None, last=True)


def _train(spec: RunSpec, placement: Placement, resume: Checkpoint | None, report: Callable[..., bool]) -> Finished:
    """Send the records a few times a second, and each checkpoint at once; stop when nobody wants them."""
    from core.train import train

    waiting: list[Record] = []
    sent = 0.0
    for record in train(spec, placement, resume=resume):
        waiting.append(record)
        kept = isinstance(record, Checkpoint)
        if kept or time.monotonic() - sent > SEND_EVERY:
            checkpoint = pickle.dumps(record) if kept else None
            if not report(message=pickle.dumps(waiting), checkpoint=checkpoint, last=False):
                return Finished(cancelled=True)
            waiting, sent = [], time.monotonic()
    return Finished()


async def serve_scheduler(host: str, port: int, ready: Callable[[str], None]) -> None:
    """Be the scheduler until it is told to end; `ready` gets its address. Raises OSError where the port is taken."""
    async with Scheduler(host=host, port=port, dashboard_address="127.0.0.1:0", plugins=[RunBook()]) as scheduler:
        ready(scheduler.address)
        await scheduler.finished()


async def serve_workers(address: str, placement: Placement, names: Sequence[str]) -> None:
    """Be a few workers, each a process that is started again where it dies. Raises OSError without a scheduler."""
    await asyncio.gather(*(_serve_worker(address, placement, name) for name in names))


async def _serve_worker(address: str, placement: Placement, name: str) -> None:
    nanny = Nanny(
        address,
        name=name,
        nthreads=1,  # one run at a time: torch's threads and its random numbers belong to the whole process
        resources={offer(placement): 1},
        memory_limit=0,  # Dask has nothing to move to a disk here, and must not end a run for its memory
        preload=["core.warm"],
    )
    async with nanny:
        await nanny.finished()
