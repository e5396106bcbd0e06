"""One training run as the pages see it: what its worker has reported, how far it is, how it ended."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from typing import Literal, Protocol

from core.device import Placement
from core.entries import Entry
from core.errors import InputError
from core.history import History
from core.kept import Event, Notice, Opened, Restarted, Waiting
from core.records import Batch, Epoch, Inside
from core.run import RunSpec
from core.worker import Finished

RATE_WINDOW = 200  # batches that the speed is taken from
MOMENT = 0.3  # s; what a run under way is drawn with stays the same for so long

Origin = Literal["here", "shipped", "imported"]  # where a run comes from, see core.store


class Worker(Protocol):
    """One run under way, on whatever engine."""

    def events(self) -> Iterator[list[Event | Finished]]:
        """Yield events as they arrive, the last one Finished. Raises WorkerDiedError where the worker dies."""

    def cancel(self) -> None:
        """Ask the worker to stop after its step."""

    def kill(self) -> None:
        """End the worker at once."""


class Job:
    """One training run as the pages see it. They read its attributes at any time; only `Jobs` changes them."""

    def __init__(self, spec: RunSpec, placement: Placement, kept: Entry | Job | None = None) -> None:
        """Begin with the finished epochs of what is kept."""
        self.key, self.spec, self.placement = spec.key(placement), spec, placement
        self.origin: Origin = "here"
        self.status = "queued"  # then "running", then "done", "cancelled" or "failed"
        self.position = 0  # in the queue, from 1; 0 when it is not waiting
        self.waiting_for: InputError | None = None  # what is missing, where it is not the others that it waits for
        self.cached = False  # done before it was submitted
        self.epochs: list[Epoch] = list(kept.epochs) if kept else []
        finished = (batch for batch in kept.batches if batch.epoch <= len(kept.epochs)) if kept else ()
        self.batches: History = History(finished)
        self.insides: list[Inside] = list(kept.insides) if kept else []  # of epoch 0 and of the finished epochs
        self.resumed_from = len(self.epochs)  # epochs that were there before
        self.error: InputError | None = None  # why it failed
        self.notices: list[InputError] = list(kept.notices) if isinstance(kept, Job) else []  # such as damage
        self.first_metric_seconds: float | None = None  # from submit to the first new batch
        self.restarts = 0  # workers that died
        self.at_work = False  # it has a slot; a cancelled job keeps it until its worker has ended
        self.worker: Worker | None = None
        self._submitted = time.monotonic()
        self._seen = 0.0, 0, 0  # when `counts` was taken, and it
        self._changed = threading.Condition()
        self.stamp: object = None  # of the entry in the store when the job ended or was read

    @property
    def active(self) -> bool:
        """Say whether it waits or trains."""
        return self.status in ("queued", "running")

    @property
    def size(self) -> int:
        """Bytes that its records take in memory, roughly."""
        layers = sum(len(inside.layers) for inside in self.insides)
        return 24 * len(self.batches) + 20_000 * len(self.epochs) + 250 * layers

    @property
    def images_per_second(self) -> float | None:
        """Training images a second, measured over the latest batches; None before there are two."""
        batches = self.batches
        end = len(batches)
        if end < 2:
            return None
        first, last = batches[max(0, end - RATE_WINDOW)], batches[end - 1]  # these two and not all between them
        if last.seconds <= first.seconds:
            return None
        images_per_step = self.spec.train_images / self.spec.steps_per_epoch
        return (last.step - first.step) * images_per_step / (last.seconds - first.seconds)

    @property
    def progress(self) -> float:
        """Share of the steps that are taken, 0 to 1; a run that is done, be it early, has taken all of its own."""
        if self.status == "done":
            return 1.0
        batches = self.batches
        last = batches[len(batches) - 1].step if batches else 0
        return last / (self.spec.steps_per_epoch * self.spec.epochs)

    @property
    def seconds_left(self) -> float | None:
        """Estimate of the training time that is left; None while nothing is known."""
        rate = self.images_per_second
        return None if rate is None else (1 - self.progress) * self.spec.train_images * self.spec.epochs / rate

    def counts(self) -> tuple[int, int]:
        """Return how many batches and epochs a picture of this moment shows.

        While it trains, all who look within MOMENT get the same answer unless an epoch has ended: what is computed for
        one reader then serves a whole class.
        """
        now, (since, batches, epochs) = time.monotonic(), self._seen
        is_same = self.active and epochs == len(self.epochs) and 0 < batches <= len(self.batches)
        if not is_same or now - since >= MOMENT:
            epochs = len(self.epochs)  # first: those of its batches that have come since do no harm
            batches = len(self.batches)
            self._seen = now, batches, epochs
        return batches, epochs

    def wait_for(self, condition: Callable[[Job], object], timeout: float) -> bool:
        """Wait until the condition, which only reads the job, holds, at most `timeout` seconds; return whether."""
        with self._changed:
            return bool(self._changed.wait_for(lambda: condition(self), timeout))

    def apply(self, events: list[Event | Finished]) -> None:
        """Take in what a worker reports."""
        for event in events:
            match event:
                case Opened():
                    self.batches, self.epochs = History(event.batches), list(event.epochs)
                    self.insides = list(event.insides)
                    self.resumed_from = len(self.epochs)
                case Batch():
                    if self.first_metric_seconds is None:
                        self.first_metric_seconds = time.monotonic() - self._submitted
                    self.batches.append(event)
                case Epoch():
                    self.epochs.append(event)
                case Inside():
                    self.insides.append(event)
                case Notice():
                    self.notices.append(event.error)
                case Waiting() | Restarted():
                    self._apply_to_place(event)
        self.tell()

    def _apply_to_place(self, event: Waiting | Restarted) -> None:
        """Take in what a cluster says of the place where the run is trained."""
        if isinstance(event, Waiting):
            self.position, self.waiting_for = event.position, event.reason
            if self.active:
                self.status = "queued" if event.position else "running"
        else:
            self.restarts += 1
            self.batches = History(batch for batch in self.batches if batch.epoch <= len(self.epochs))
            self.insides = self.insides if self.epochs else []

    def end(self, status: str, error: InputError | None = None) -> None:
        """Say how it ended; one that was cancelled stays so."""
        if self.status != "cancelled":
            self.status, self.error = status, error
        self.tell()

    def tell(self) -> None:
        """Wake up those who wait for a change."""
        with self._changed:
            self._changed.notify_all()
