"""A process that trains one run and reports to the one that started it."""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import signal
import threading
import time
import traceback
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any

from core.device import Placement
from core.errors import InputError
from core.kept import Event, Opened, WorkerDiedError, kept_run
from core.records import Epoch
from core.run import RunSpec
from core.store import Store

SEND_EVERY = 0.05  # seconds between two messages
NICENESS = 10  # the pages come first
GRACE = 2.0  # seconds from the wish to cancel to the end of the process
ROOT = str(Path(__file__).resolve().parents[1])


@dataclass(frozen=True, kw_only=True)
class Task:
    """What a worker is to do."""

    spec: RunSpec
    placement: Placement
    root: Path  # of the store
    limit: int  # of the store, in bytes


@dataclass(frozen=True, kw_only=True)
class Finished:
    """The last event: how the run ended."""

    error: InputError | None = None  # the reason, where it failed
    cancelled: bool = False


def failed(error: Exception) -> Finished:
    """Return how a run ended that an error stopped; one that nobody foresaw is told in full on stderr."""
    if isinstance(error, InputError):
        return Finished(error=error)
    traceback.print_exception(error)
    reason = f"{type(error).__name__}: {error}"
    return Finished(error=InputError("The training stopped with an error ({reason}).", reason=reason))


class ProcessWorker:
    """The starting side: a process from the fork server (from scratch where there is none) and a pipe to it."""

    def __init__(self, task: Task) -> None:
        """Start the process. Raises OSError where the system has no room for it."""
        self._connection, theirs = multiprocessing.Pipe()
        self.process = _start(_work, theirs, task)
        theirs.close()

    def events(self) -> Iterator[list[Event | Finished]]:
        """Yield events as they arrive, the last one Finished. Raises WorkerDiedError where the process dies."""
        finished = False
        with contextlib.suppress(EOFError, ConnectionResetError):
            while not finished:
                events = self._connection.recv()
                finished = isinstance(events[-1], Finished)
                yield events
        self.process.join()
        self._connection.close()
        if not finished:
            raise WorkerDiedError(f"exit code {self.process.exitcode}")

    def cancel(self) -> None:
        """Ask the process to stop after its step; end it where it does not."""
        with contextlib.suppress(OSError):  # it has gone already
            self._connection.send("cancel")
        killer = threading.Timer(GRACE, self.kill)
        killer.daemon = True
        killer.start()

    def kill(self) -> None:
        """End the process at once; what it kept stays kept."""
        with contextlib.suppress(ValueError):  # it was closed already
            self.process.kill()


def warm_up() -> None:
    """Start the fork server and wait until it can serve; without one this only tries out a process."""
    _start(_say_hello).join()


_METHOD = "forkserver" if "forkserver" in multiprocessing.get_all_start_methods() else "spawn"
_start_lock = threading.Lock()  # over the environment


def _start(target: Callable[..., None], *args: object) -> BaseProcess:
    """Start a process; the fork server, started with the first one, finds this project from any folder."""
    context: Any = multiprocessing.get_context(_METHOD)  # the contexts have no common type with Process
    if _METHOD == "forkserver":
        context.set_forkserver_preload(["core.warm"])
    process: BaseProcess = context.Process(target=target, args=args, daemon=True)
    with _start_lock:
        before = os.environ.get("PYTHONPATH")
        os.environ["PYTHONPATH"] = os.pathsep.join(filter(None, (ROOT, before)))
        try:
            process.start()
        finally:
            if before is None:
                del os.environ["PYTHONPATH"]
            else:
                os.environ["PYTHONPATH"] = before
    return process


def _say_hello() -> None:
    """Prove that processes start."""


def _work(connection: Connection, task: Task) -> None:
    """Train in this process and report; ends with the process that started it."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is meant for the server, which then ends this process
    if hasattr(os, "nice"):
        os.nice(NICENESS)
    os.environ["TORCHSCAPE_HOME"] = str(task.root)  # the sets of images lie beside the runs
    cancelled = threading.Event()
    threading.Thread(target=_end_with_parent, daemon=True).start()
    threading.Thread(target=_listen, args=(connection, cancelled), daemon=True).start()
    try:
        finished = _report(connection, task, cancelled)
    except Exception as error:
        finished = failed(error)
    connection.send([finished])


def _report(connection: Connection, task: Task, cancelled: threading.Event) -> Finished:
    """Send the run's events, a few times a second."""
    store = Store(task.root, task.limit)
    events = kept_run(task.spec, task.placement, store, owner="server")
    waiting: list[Event] = []
    sent = 0.0
    with contextlib.closing(events):  # type: ignore[type-var]  # a generator has close()
        for event in events:
            waiting.append(event)
            if isinstance(event, Opened | Epoch) or time.monotonic() - sent > SEND_EVERY:
                connection.send(waiting)
                waiting, sent = [], time.monotonic() if not isinstance(event, Opened) else 0.0
            if cancelled.is_set():
                return Finished(cancelled=True)
    return Finished()


def _listen(connection: Connection, cancelled: threading.Event) -> None:
    with contextlib.suppress(EOFError, OSError):
        while True:
            if connection.recv() == "cancel":
                cancelled.set()


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)  # at once: what was kept is whole, and the run stays marked as running
