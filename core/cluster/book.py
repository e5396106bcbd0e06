"""What the scheduler of a cluster knows of the runs under way, so that servers may come late and workers may be lost.

A worker reports here; a server that wants the run reads from the first message on, whenever it comes. Messages are
pickled lists of records and stay closed here: the scheduler needs neither torch nor memory for more than the runs that
are wanted now.
"""

from __future__ import annotations

import os
from collections import deque
from dataclasses import dataclass, field
from typing import Any

from distributed import Scheduler
from distributed.diagnostics.plugin import SchedulerPlugin

from core.cluster.offer import PREFIX, fingerprint

TOPIC = "torchscape"  # of the events that say that a task has news: its name and how many messages it has sent
RESTARTED = b""  # the message that stands where another worker went on after the last checkpoint
HELD = 256_000_000  # bytes of messages that are held for one task; servers that come later get a task of their own
UNASSIGNED = ("released", "waiting", "queued", "no-worker")  # Dask's states of a task that no worker has


@dataclass
class Report:
    """What one task has told so far."""

    run: str  # what servers ask for: the run's key, and how many of its epochs are there before
    messages: deque[bytes] = field(default_factory=deque)
    dropped: int = 0  # messages that are no longer held
    held: int = 0  # bytes
    checkpoint: bytes | None = None  # the last one, pickled
    attempts: int = 0  # workers that have begun
    at_work: bool = False
    ended: bool = False

    def add(self, message: bytes) -> None:
        """Add a message, and let go of the oldest ones where they are too many."""
        self.messages.append(message)
        self.held += len(message)
        while self.held > HELD and len(self.messages) > 1:
            self.held -= len(self.messages.popleft())
            self.dropped += 1


class RunBook(SchedulerPlugin):
    """Answers servers and workers; forgets a task when no server wants it any more."""

    name = TOPIC

    def __init__(self) -> None:
        self.reports: dict[str, Report] = {}  # by the task's name, in the order in which they were asked for
        self.names = 0  # that were given

    async def start(self, scheduler: Scheduler) -> None:
        """Take calls for the methods below."""
        self.scheduler = scheduler
        calls = (self.hello, self.join, self.find, self.history, self.begin, self.report)
        scheduler.handlers.update({f"{TOPIC}_{call.__name__}": call for call in calls})

    def transition(self, key: Any, start: str, finish: str, *args: Any, **kwargs: Any) -> None:  # noqa: ANN401 - the base class has it so
        """Follow what becomes of a task: its worker is gone, its workers died too often, nobody wants it."""
        report = self.reports.get(key)
        if report is None:
            return
        if finish == "forgotten":
            del self.reports[key]
        elif finish == "erred":
            report.ended = True
        elif finish in UNASSIGNED and report.at_work:
            report.at_work = False
            self._tell(key)

    # --- What servers call

    def hello(self) -> dict[str, Any]:
        """Return which program this is, its process, and what each worker offers."""
        workers = self.scheduler.workers.values()
        offers = [name for worker in workers for name in worker.resources if name.startswith(PREFIX)]
        return {"program": fingerprint(), "process": os.getpid(), "offers": offers}

    def join(self, run: str) -> str:
        """Return the name of the task that every server submits who wants this run now."""
        for name, report in self.reports.items():
            if report.run == run and not report.ended and not report.dropped:
                return name
        self.names += 1
        name = f"{run}-{self.names}"
        self.reports[name] = Report(run)
        return name

    def find(self, start: str) -> str | None:
        """Return the latest task whose name begins so."""
        return next((name for name in reversed(self.reports) if name.startswith(start)), None)

    def history(self, name: str, after: int, offer: str) -> dict[str, Any] | None:
        """Return the messages after the first `after` ones and how the task stands; None where they are gone."""
        report = self.reports.get(name)
        if report is None or after < report.dropped:
            return None
        waiting = [other for other, its in self.reports.items() if not its.at_work and not its.ended]
        return {
            "messages": list(report.messages)[after - report.dropped :],
            "position": waiting.index(name) + 1 if name in waiting else 0,
            "offered": any(offer in worker.resources for worker in self.scheduler.workers.values()),
        }

    # --- What workers call

    def begin(self, name: str) -> dict[str, Any] | None:
        """Take note of a worker; return its number and the checkpoint to go on from, None where it is not wanted."""
        report = self.reports.get(name)
        if report is None or report.ended:
            return None
        if report.attempts:
            report.add(RESTARTED)
        report.attempts += 1
        report.at_work = True
        self._tell(name)
        return {"attempt": report.attempts, "checkpoint": report.checkpoint}

    def report(self, name: str, attempt: int, message: bytes, checkpoint: bytes | None, last: bool) -> bool:
        """Take a message; return whether the worker is to go on. To cancel, a server sends the last one (attempt 0)."""
        report = self.reports.get(name)
        if report is None or report.ended or attempt not in (report.attempts, 0):
            return False
        report.add(message)
        report.checkpoint = checkpoint or report.checkpoint
        report.ended = last
        self._tell(name)
        return not last

    def _tell(self, name: str) -> None:
        report = self.reports[name]
        self.scheduler.log_event(TOPIC, (name, report.dropped + len(report.messages)))
