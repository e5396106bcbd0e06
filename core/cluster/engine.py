"""The app server's side of a cluster: the connection, and the runs that this server follows and keeps."""

from __future__ import annotations

import ctypes
import pickle
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

from distributed import Client, Future

from core.cluster import ClusterError
from core.cluster.book import TOPIC
from core.cluster.offer import best_placement, fingerprint, offer
from core.cluster.work import train_on_worker
from core.device import Placement
from core.errors import InputError
from core.kept import Event, Restarted, Waiting, WorkerDiedError, kept_run
from core.messages import N_
from core.records import Batch, Checkpoint, Record
from core.run import RunSpec
from core.store import Store
from core.worker import Finished, Task, failed

CONNECT = 5.0  # seconds that a connection may take
ANSWER = 30.0  # seconds that an answer may take; a whole run may have to travel
M_MMAP_THRESHOLD = -3  # of mallopt, from malloc.h
LARGE = 2**20  # bytes
QUIET = 1.0  # seconds after which a task without news is looked at all the same


class SchedulerLostError(WorkerDiedError):
    """The scheduler does not answer; what it knew of the run is known here up to the last kept epoch."""


class _CancelledError(Exception):
    """Somebody has cancelled the run, here or on another server."""


class Cluster:
    """The connection to one scheduler. All methods may be called from any thread."""

    def __init__(self, address: str) -> None:
        """Connect. Raises ClusterError where there is no scheduler, or another program's."""
        _return_large_blocks()
        self.address = address
        self._news: dict[str, threading.Event] = {}  # by the task's name
        self._lock = threading.Lock()
        self._client = self._connect()

    def placement(self) -> Placement:
        """Ask the cluster how it computes. Raises ClusterError where no worker can be used."""
        try:
            return best_placement(self.call("hello")["offers"], self.address)
        except SchedulerLostError as lost:
            raise self.unreachable(str(lost)) from lost

    def start(self, task: Task) -> ClusterWorker:
        """Return a worker for the task; nothing is sent before its events are read."""
        return ClusterWorker(self, task)

    def submit(self, name: str, spec: RunSpec, placement: Placement, resume: Checkpoint | None) -> Future[None]:
        """Ask for the task of that name; while any server holds what is returned, it is trained."""
        return self._client.submit(
            train_on_worker, name, spec, placement, resume, key=name, resources={offer(placement): 1}, pure=True
        )

    def call(self, what: str, **values: Any) -> Any:  # noqa: ANN401 - whatever the book answers
        """Call a method of the scheduler's book. Raises SchedulerLostError."""
        with self._lock:
            if self._client.status in ("closing", "closed"):
                try:
                    self._client = self._connect()
                except ClusterError as error:
                    raise SchedulerLostError(str(error)) from error
        try:
            return self._ask(self._client, what, **values)
        except (OSError, TimeoutError, ValueError) as error:
            raise SchedulerLostError(str(error) or type(error).__name__) from error

    @contextmanager
    def listen(self, name: str) -> Iterator[threading.Event]:
        """Give an event that is set whenever there is news of the task."""
        news = self._news.setdefault(name, threading.Event())
        try:
            yield news
        finally:
            self._news.pop(name, None)

    def unreachable(self, reason: str) -> ClusterError:
        """Say that nobody answers at the address."""
        return ClusterError(
            N_("No scheduler answers at {address} ({reason}). Start it there with: python -m core scheduler"),
            address=self.address,
            reason=reason,
        )

    def close(self) -> None:
        """Leave the cluster; runs that no other server wants end."""
        self._client.close()

    def _connect(self) -> Client:
        try:
            client = Client(self.address, timeout=CONNECT, set_as_default=False, name="torchscape")
        except (OSError, TimeoutError, ValueError) as error:
            raise self.unreachable(str(error) or type(error).__name__) from error
        try:
            hello = self._ask(client, "hello")
        except (OSError, TimeoutError, ValueError) as error:
            client.close()
            raise self.unreachable(str(error) or type(error).__name__) from error
        if hello is None:  # how Dask answers a call that it does not know
            client.close()
            raise ClusterError(
                N_("The scheduler at {address} was not started by Torchscape. Start it with: python -m core scheduler"),
                address=self.address,
            )
        if hello["program"] != fingerprint():
            client.close()
            raise ClusterError(
                N_(
                    "The scheduler at {address} runs another version of Torchscape, Python or Dask than this server."
                    " Bring the machines to the same version and start the scheduler again."
                ),
                address=self.address,
            )
        client.subscribe_topic(TOPIC, self._hear)
        return client

    def _ask(self, client: Client, what: str, **values: Any) -> Any:  # noqa: ANN401 - whatever the book answers
        return client.sync(getattr(client.scheduler, f"{TOPIC}_{what}"), callback_timeout=ANSWER, **values)

    def _hear(self, event: tuple[float, tuple[str, int]]) -> None:
        name, _ = event[1]
        if news := self._news.get(name):
            news.set()


class ClusterWorker:
    """One run on the cluster, as `Jobs` and `kept_run` see it: a worker to the first, a trainer to the second."""

    def __init__(self, cluster: Cluster, task: Task) -> None:
        self._cluster, self._task = cluster, task
        self._key = task.spec.key(task.placement)
        self._offer = offer(task.placement)
        self._news = threading.Event()
        self._cancelled = self._killed = False
        self._more = False  # whether the next record is here already
        self._heard: tuple[str | None, int] = (None, 0)  # of another's task: its name and the messages that were read
        self._batches: list[Batch] = []  # that were overheard since the last kept epoch
        self._kept = 0  # epochs that `_batches` comes after

    def events(self) -> Iterator[list[Event | Finished]]:
        """Yield events as they arrive, the last one Finished. Raises WorkerDiedError where workers die all the time."""
        store = Store(self._task.root, self._task.limit)
        events: list[Event | Finished] = []
        try:
            for event in kept_run(self._task.spec, self._task.placement, store, owner="server", trainer=self):
                events.append(event)
                if not self._more:
                    yield events
                    events = []
            finished = Finished()
        except _CancelledError:
            finished = Finished(cancelled=True)
        except SchedulerLostError as lost:
            finished = Finished(error=self._cluster.unreachable(str(lost)))
        except WorkerDiedError:
            raise
        except Exception as error:
            finished = failed(error)
        yield [*events, finished]

    def cancel(self) -> None:
        """Stop the run, for everyone who wants it."""
        self._cancelled = True
        self._news.set()

    def kill(self) -> None:
        """Follow the run no longer; it ends where no other server wants it."""
        self._killed = True
        self._news.set()

    # --- What kept_run asks for

    def train(
        self, spec: RunSpec, placement: Placement, *, resume: Checkpoint | None
    ) -> Iterator[Record | Waiting | Restarted]:
        """Have the run trained by a worker, and report as the training loop does."""
        after = resume.epoch if resume else 0
        name = self._cluster.call("join", run=f"{TOPIC}-{self._key}-after-{after}")
        future = self._cluster.submit(name, spec, placement, resume)
        try:
            with self._cluster.listen(name) as self._news:
                yield from self._read(name, future)
        finally:
            future.release()

    def overheard(self, epochs: int) -> list[Batch | Waiting]:
        """Return what is new of a task that another server with the same store keeps, after so many kept epochs."""
        name = self._cluster.call("find", start=f"{TOPIC}-{self._key}-")
        self._check(name)
        if name is None:
            return []
        if name != self._heard[0]:
            self._heard, self._batches = (name, 0), []
        page = self._cluster.call("history", name=name, after=self._heard[1], offer=self._offer)
        if page is None:
            return []
        self._heard = name, self._heard[1] + len(page["messages"])
        return [self._waiting(page), *self._new_batches(_opened(page["messages"]), epochs)]

    def _new_batches(self, records: list[Any], epochs: int) -> list[Batch]:
        told = len(self._batches)
        for record in records:
            if isinstance(record, Restarted):
                self._batches, told = [], 0
            elif isinstance(record, Finished) and record.cancelled:
                raise _CancelledError
            elif isinstance(record, Batch):
                self._batches.append(record)
        if epochs != self._kept:  # the kept epochs have been told anew, without what comes after them
            self._batches, self._kept, told = [batch for batch in self._batches if batch.epoch > epochs], epochs, 0
        return [batch for batch in self._batches[told:] if batch.epoch > epochs]

    def _read(self, name: str, future: Future[None]) -> Iterator[Record | Waiting | Restarted]:
        """Yield what the task reports until it has finished."""
        read, told = 0, Waiting(position=0)
        while True:
            self._news.clear()
            self._check(name)
            page = self._cluster.call("history", name=name, after=read, offer=self._offer)
            if page is None:
                raise WorkerDiedError("the scheduler has forgotten the run")
            if (waiting := self._waiting(page)) != told:
                told = waiting
                yield waiting
            read += len(page["messages"])
            records = _opened(page["messages"])
            for left, record in zip(reversed(range(len(records))), records, strict=True):
                if isinstance(record, Finished):
                    return _end(record)
                self._more = left > 0
                yield record
            if not records:
                if future.status in ("error", "lost", "cancelled"):
                    raise WorkerDiedError(f"Dask's task ended as: {future.status}")
                self._news.wait(QUIET)

    def _check(self, name: str | None) -> None:
        """Leave where somebody has asked for it."""
        if self._killed:
            raise WorkerDiedError("the server ends")
        if self._cancelled:
            if name is not None:
                last = pickle.dumps([Finished(cancelled=True)])
                self._cluster.call("report", name=name, attempt=0, message=last, checkpoint=None, last=True)
            raise _CancelledError

    def _waiting(self, page: dict[str, Any]) -> Waiting:
        if not page["position"] or page["offered"]:
            return Waiting(position=page["position"])
        return Waiting(
            position=page["position"],
            reason=InputError(
                "The run waits for a worker that computes as it needs ({device}, {dtype}, {threads} threads, torch"
                " {torch}); none is connected to {address} now.",
                address=self._cluster.address,
                **{name: value for name, value in self._task.placement.facts().items() if name != "layout"},
            ),
        )


def _opened(messages: list[bytes]) -> list[Any]:
    """Return the records of some messages; an empty message says that another worker has taken over."""
    return [
        record
        for message in messages
        for record in (pickle.loads(message) if message else [Restarted()])  # noqa: S301 - from this cluster's workers
    ]


def _end(last: Finished) -> None:
    """Raise what the last message says, unless all went well."""
    if last.error is not None:
        raise last.error
    if last.cancelled:
        raise _CancelledError


def _return_large_blocks() -> None:
    """Let what is freed of large blocks go back to the system at once.

    Left alone, glibc raises the size from which a block is mapped for itself with the blocks that it sees, and keeps
    the checkpoints that many threads have freed: 60 MB after twenty runs.
    """
    with suppress(OSError, AttributeError):  # another C library
        ctypes.CDLL("libc.so.6").mallopt(M_MMAP_THRESHOLD, LARGE)
