"""One training run, from the store as far as it is there, from the training loop beyond.

The server's workers and the terminal use the same function, so a run may begin in one and end in the other.
"""

from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Protocol

from filelock import FileLock, Timeout

from core.device import Placement
from core.entries import Entry
from core.entry_writer import RunWriter
from core.errors import InputError
from core.records import Batch, Checkpoint, Epoch, Inside, Record
from core.run import RunSpec
from core.store import DamagedEntryError, Store

POLL = 0.25  # seconds between two looks at a run that another process trains


@dataclass(frozen=True, kw_only=True)
class Opened:
    """What the store holds of the run so far; whatever was reported before gives way to it."""

    done: bool  # nothing is left to train
    batches: tuple[Batch, ...]
    epochs: tuple[Epoch, ...]
    insides: tuple[Inside, ...]


@dataclass(frozen=True, kw_only=True)
class Notice:
    """Something that the reader should know, such as a damaged entry."""

    error: InputError


@dataclass(frozen=True, kw_only=True)
class Waiting:
    """The run waits for a place to train, or has just got one."""

    position: int  # in the queue, from 1; 0 when it waits no longer
    reason: InputError | None = None  # where it is not the others that it waits for


@dataclass(frozen=True, kw_only=True)
class Restarted:
    """Another worker goes on after the last checkpoint; what came since is void."""


Event = Opened | Notice | Waiting | Restarted | Batch | Inside | Epoch


class WorkerDiedError(Exception):
    """Whoever trained the run has gone without a word; the run stays marked as being trained."""


class Trainer(Protocol):
    """Where a run is trained, if not in this process."""

    def train(
        self, spec: RunSpec, placement: Placement, *, resume: Checkpoint | None
    ) -> Iterator[Record | Waiting | Restarted]:
        """Report as core.train.train does."""

    def overheard(self, epochs: int) -> Iterable[Batch | Waiting]:
        """Return what is new of the same run in another server's hands, of which so many epochs are kept."""


def kept_run(
    spec: RunSpec,
    placement: Placement,
    store: Store,
    *,
    owner: str,
    fresh: bool = False,
    trainer: Trainer | None = None,
) -> Iterator[Event]:
    """Report what is kept of the run, train the rest and keep each epoch before it is reported.

    While another process trains the same run, its finished epochs are reported instead. `fresh` forgets what is kept.
    To cancel, close the iterator. Raises InputError for missing data and for a disk that is full.
    """
    lock = store.lock(spec.key(placement))
    yield from _follow(lock, store, spec.key(placement), trainer)
    try:
        yield from _train_rest(spec, placement, store, owner, fresh=fresh, trainer=trainer)
    finally:
        lock.release()


def _follow(lock: FileLock, store: Store, key: str, trainer: Trainer | None) -> Iterator[Event]:
    """Take the lock; until it is free, report the epochs of the process that holds it."""
    seen = -1
    while True:
        try:
            lock.acquire(timeout=0 if seen < 0 else POLL)
        except Timeout:
            entry = _load(store, key)
            if entry and len(entry.epochs) > seen:
                yield _opened(entry, done=False)
            seen = max(seen, len(entry.epochs) if entry else 0)
            if trainer:
                yield from trainer.overheard(seen)
        else:
            return


def _load(store: Store, key: str) -> Entry | None:
    with suppress(DamagedEntryError):  # whoever holds the lock will say so
        return store.load(key)
    return None


def _opened(entry: Entry | None, *, done: bool) -> Opened:
    if entry is None:
        return Opened(done=done, batches=(), epochs=(), insides=())
    return Opened(done=done, batches=entry.batches, epochs=entry.epochs, insides=entry.insides)


def _further(entry: Entry | None, shorter: Entry | None) -> Entry | None:
    """Return what has more finished epochs: the run itself, or the same run of fewer epochs, to go on from."""
    if shorter is None or (entry and (entry.state == "done" or len(entry.epochs) >= len(shorter.epochs))):
        return entry
    return replace(shorter, state="cancelled")  # as this run it is not done


def _train_rest(
    spec: RunSpec, placement: Placement, store: Store, owner: str, *, fresh: bool, trainer: Trainer | None
) -> Iterator[Event]:
    key, entry = spec.key(placement), None
    if fresh:
        store.remove(key)
    try:
        entry = store.load(key, holding_lock=True)
    except DamagedEntryError as error:
        yield Notice(error=error)
    if not fresh:
        entry = _further(entry, store.shorter(spec, placement))
    done = entry is not None and entry.state == "done"
    yield _opened(entry, done=done)
    if done:
        return
    writer = RunWriter(store, spec, placement, owner=owner, entry=entry)
    try:
        yield from _train_and_keep(spec, placement, writer, entry.checkpoint if entry else None, trainer)
    except WorkerDiedError:
        raise
    except BaseException:
        with suppress(InputError):  # a full disk has had its say
            writer.close("cancelled")
        raise
    writer.close("done")


def _train_and_keep(
    spec: RunSpec, placement: Placement, writer: RunWriter, resume: Checkpoint | None, trainer: Trainer | None
) -> Iterator[Event]:
    if trainer:
        train = trainer.train
    else:
        from core.train import train

    batches: list[Batch] = []
    epochs: list[Epoch] = []
    insides: list[Inside] = []  # that are not kept yet
    for record in train(spec, placement, resume=resume):
        match record:
            case Waiting():
                yield record
            case Restarted():
                batches, insides = [], []
                yield record
            case Batch():
                batches.append(record)
                yield record
            case Epoch():
                epochs.append(record)
            case Inside():
                insides.append(record)
                if not record.epoch:
                    yield record
            case Checkpoint():
                writer.keep(batches, epochs[-1], record, insides)
                yield insides[-1]
                yield epochs[-1]  # last, so that a reader who sees the epoch has all of it
                batches, insides = [], []
