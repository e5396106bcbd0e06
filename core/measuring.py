"""A measurement that a program makes beside the server: one at a time, watched by all, the last whole one kept.

The program prints a JSON object a line: {"kind": "progress", "done": 0.5, …} any number of times, what it finds in
kinds of its own, {"kind": "failed", "reason": …} where it has to give up, and {"kind": "done"} at the end.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import threading
import time
from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, ClassVar, Generic, TypeVar

from core.errors import InputError
from core.files import write_file

ROOT = Path(__file__).resolve().parents[1]
NOT_OURS = (ValueError, TypeError, LookupError, AttributeError)  # what a line that some library printed may raise


@dataclass(frozen=True, kw_only=True)
class State:
    """How far a measurement is; it never changes."""

    running: bool = False
    done: float = 0.0  # part of the whole, 0 to 1
    began: float = 0.0  # time.monotonic() of the start of the one that runs
    took: float | None = None  # seconds of the last whole measurement; None while there was none
    stopped: str = ""  # "13:45", the server's time, when somebody stopped the last one
    error: InputError | None = None  # why the last one ended early
    finished: bool = False  # what was found is complete


S = TypeVar("S", bound=State)


class Measuring(ABC, Generic[S]):
    """Starts the program, reads what it prints, keeps what it finishes."""

    format: ClassVar[int]  # of the kept file; raise it when its content changes
    blank: S  # before the first measurement

    def __init__(self, kept_file: Path, program: Sequence[str]) -> None:
        """Keep the last result in a file; what is damaged there is measured again.

        `program` is what Python is told to run.
        """
        self.kept_file = kept_file
        self.program = program
        self._lock = threading.Lock()
        self._process: subprocess.Popen[str] | None = None
        self._snapshot = self._kept()

    @abstractmethod
    def take(self, snapshot: S, kind: str, record: dict[str, Any]) -> S:
        """Add what a line of a kind of its own says."""

    @abstractmethod
    def content(self, snapshot: S) -> dict[str, Any]:
        """Return what was found, ready for JSON; nothing where there is nothing to keep."""

    @abstractmethod
    def read(self, content: dict[str, Any]) -> S:
        """Return what `content` made. Raises a ValueError, LookupError or TypeError where it is damaged."""

    def failure(self, reason: str) -> InputError:
        """Say that the program ended early."""
        return InputError("The measurement stopped early ({reason}). Start it again.", reason=reason)

    @property
    def snapshot(self) -> S:
        """Return the present state."""
        return self._snapshot

    def start(self) -> None:
        """Start a measurement, unless one is running."""
        with self._lock:
            if self._snapshot.running:
                return
            try:
                self.kept_file.parent.mkdir(parents=True, exist_ok=True)
                self._process = self._popen()
            except OSError as error:
                self._snapshot = replace(self._snapshot, error=self.failure(str(error)[:200]))
                return
            self._snapshot = replace(self.blank, running=True, began=time.monotonic(), took=self._snapshot.took)
            threading.Thread(target=self._read, args=(self._process,), daemon=True, name="measuring").start()

    def stop(self) -> None:
        """Stop the measurement for everyone who watches it, and show the last finished one again, saying so."""
        with self._lock:
            if self._process is None or not self._snapshot.running:
                return  # it was done, or somebody else was quicker
            _end(self._process)
            self._process = None
            self._snapshot = replace(self._kept(), stopped=time.strftime("%H:%M"))

    def _popen(self) -> subprocess.Popen[str]:
        paths = os.pathsep.join(filter(None, (str(ROOT), os.environ.get("PYTHONPATH"))))
        return subprocess.Popen(  # noqa: S603 - our own program, with arguments of ours
            [sys.executable, *self.program],
            env={**os.environ, "PYTHONPATH": paths},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            start_new_session=True,  # a group of its own, so that its workers end with it
        )

    def _read(self, process: subprocess.Popen[str]) -> None:
        with process:
            for line in process.stdout or ():
                with contextlib.suppress(*NOT_OURS), self._lock:
                    if process is not self._process:
                        break  # it was stopped
                    self._take(json.loads(line))
            _end(process)
        with self._lock:
            if process is not self._process:
                return
            self._process = None
            if not self._snapshot.finished:
                reason = self._snapshot.error or self.failure(f"exit code {process.returncode}")
                self._snapshot = replace(self._kept(), error=reason)

    def _take(self, record: dict[str, Any]) -> None:
        """Add what one line says."""
        snapshot, kind = self._snapshot, record.pop("kind")
        if kind == "progress":
            self._snapshot = replace(snapshot, **record)
        elif kind == "failed":
            self._snapshot = replace(snapshot, error=self.failure(str(record["reason"])[:200]))
        elif kind == "done":
            took = time.monotonic() - snapshot.began
            finished = replace(snapshot, running=False, finished=True, done=1.0, took=took)
            self._keep(finished)  # before anybody sees it, and may start the next
            self._snapshot = finished
        else:
            self._snapshot = self.take(snapshot, kind, record)

    def _keep(self, kept: S) -> None:
        if content := self.content(kept):
            document = {"format": self.format, "took": kept.took, **content}
            with contextlib.suppress(OSError):  # then it is shown until the server ends
                write_file(self.kept_file, json.dumps(document, indent=1).encode())

    def _kept(self) -> S:
        try:
            document = json.loads(self.kept_file.read_text())
            if document["format"] != self.format:
                return self.blank
            return replace(self.read(document), finished=True, done=1.0, took=document.get("took"))
        except (OSError, ValueError, LookupError, TypeError):
            return self.blank


def end_with_server() -> None:
    """For the program: end it and its workers when the server, which holds its standard input, is gone."""
    threading.Thread(target=_wait_for_the_end, daemon=True).start()


def say(**record: object) -> None:
    """For the program: print a line at once."""
    sys.stdout.write(json.dumps(record) + "\n")
    sys.stdout.flush()


def _wait_for_the_end() -> None:
    sys.stdin.read()
    if hasattr(os, "killpg"):
        os.killpg(0, signal.SIGKILL)  # the group is this program's own
    os._exit(1)


def _end(process: subprocess.Popen[str]) -> None:
    """End the program and its workers at once."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        if hasattr(os, "killpg"):
            os.killpg(process.pid, signal.SIGKILL)
        else:
            process.kill()
