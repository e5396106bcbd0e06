"""The one measurement of loading times that a server runs at a time, and the last one that was finished.

Everybody on the server sees the same measurement: two at once would measure each other.
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
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from core.errors import InputError
from core.files import write_file
from core.store import Store

PROGRAM = ("-m", "core.loading_time")
ROOT = Path(__file__).resolve().parents[1]
PLAN = (("demand", 0), ("demand", 1), ("demand", 2), ("demand", 4), ("once", 0))  # ways to read, with their workers
BATCH = 32  # samples
BATCHES = 20  # of a pass; a fresh random choice of the 60,000 images
PASSES = 3  # the first has the start-up in it; of the others the fastest counts, since other programs only delay
FORMAT = 1  # of the kept file
LATEST = "latest.json"
NOT_OURS = (ValueError, TypeError, LookupError, AttributeError)  # what a line that some library printed may raise


@dataclass(frozen=True, kw_only=True)
class Conditions:
    """What the figures depend on."""

    cores: int  # that the process may use
    memory: int  # bytes of the machine, 0 where unknown
    load: float  # average number of busy processes in the minute before; NaN where the system does not say
    system: str  # "Linux", "Darwin" or "Windows"
    torch: str  # version
    when: str  # "2026-01-31 13:45", the server's time
    on_disk: int  # bytes of the compressed data set
    decoded: int  # bytes of all samples as the network takes them
    batch_size: int  # samples


@dataclass(frozen=True, kw_only=True)
class Timing:
    """One way of loading, measured."""

    way: str  # "demand" or "once"; see core.packed
    workers: int  # processes beside the one that trains
    reading: float  # seconds of the Dataset's __init__
    first_batch: float  # seconds from asking for the first batch of all to having it: the start of the workers
    waiting: float  # seconds of the fastest later pass in which the training waited for data
    training: float  # seconds of it in which it computed
    samples: int  # of a pass
    memory: int  # bytes that the Dataset keeps

    @property
    def per_second(self) -> float:
        """Return the samples that were loaded and trained on in a second."""
        return self.samples / self.seconds

    @property
    def seconds(self) -> float:
        """Return how long a pass takes."""
        return self.waiting + self.training


@dataclass(frozen=True, kw_only=True)
class Snapshot:
    """What a page shows; it never changes."""

    running: bool = False
    done: float = 0.0  # part of the whole, 0 to 1
    way: str = ""  # of reading that is measured now; empty while the data set is prepared
    workers: int = 0  # of it
    began: float = 0.0  # time.monotonic() of the start of the one that runs
    took: float | None = None  # seconds of the last whole measurement; None while there was none
    stopped: str = ""  # "13:45", the server's time, when somebody stopped the last one
    conditions: Conditions | None = None
    timings: tuple[Timing, ...] = ()
    error: InputError | None = None  # why the last one ended early
    finished: bool = False  # the timings are complete


class Measurement:
    """Starts the measuring program, reads what it prints, keeps what it finishes."""

    def __init__(self, folder: Path, program: Sequence[str] = PROGRAM) -> None:
        """Use a folder for the data set and the last result; what is damaged there is measured again.

        `program` is what Python is told to run.
        """
        self.folder = folder
        self.program = program
        self._lock = threading.Lock()
        self._process: subprocess.Popen[str] | None = None
        self._snapshot = self._kept()

    @property
    def snapshot(self) -> Snapshot:
        """Return the present state."""
        return self._snapshot

    def start(self) -> None:
        """Start a measurement, unless one is running."""
        with self._lock:
            if self._snapshot.running:
                return
            try:
                self.folder.mkdir(parents=True, exist_ok=True)
                self._process = self._popen()
            except OSError as error:
                self._snapshot = replace(self._snapshot, error=_failed(str(error)))
                return
            self._snapshot = Snapshot(running=True, began=time.monotonic(), took=self._snapshot.took)
            threading.Thread(target=self._read, args=(self._process,), daemon=True, name="loading-time").start()

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
        return subprocess.Popen(  # noqa: S603 - our own program, with a folder of ours
            [sys.executable, *self.program, str(self.folder)],
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
                reason = self._snapshot.error or _failed(f"exit code {process.returncode}")
                self._snapshot = replace(self._kept(), error=reason)

    def _take(self, record: dict[str, object]) -> None:
        """Add what one line says."""
        snapshot, kind = self._snapshot, record.pop("kind")
        if kind == "progress":
            self._snapshot = replace(snapshot, **record)  # type: ignore[arg-type]  # our own JSON
        elif kind == "conditions":
            self._snapshot = replace(snapshot, conditions=Conditions(**record))  # type: ignore[arg-type]  # the same
        elif kind == "timing":
            timing = Timing(**record)  # type: ignore[arg-type]  # the same
            self._snapshot = replace(snapshot, timings=(*snapshot.timings, timing))
        elif kind == "failed":
            self._snapshot = replace(snapshot, error=_failed(str(record["reason"])))
        elif kind == "done":
            took = time.monotonic() - snapshot.began
            finished = replace(snapshot, running=False, finished=True, done=1.0, took=took)
            self._keep(finished)  # before anybody sees it, and may start the next
            self._snapshot = finished

    def _keep(self, kept: Snapshot) -> None:
        if kept.conditions is not None:
            content = {
                "format": FORMAT,
                "took": kept.took,
                "conditions": asdict(kept.conditions),
                "timings": [asdict(timing) for timing in kept.timings],
            }
            with contextlib.suppress(OSError):  # then it is shown until the server ends
                write_file(self.folder / LATEST, json.dumps(content, indent=1).encode())

    def _kept(self) -> Snapshot:
        try:
            content = json.loads((self.folder / LATEST).read_text())
            if content["format"] != FORMAT:
                return Snapshot()
            return Snapshot(
                finished=True,
                done=1.0,
                took=content.get("took"),
                conditions=Conditions(**content["conditions"]),
                timings=tuple(Timing(**timing) for timing in content["timings"]),
            )
        except (OSError, ValueError, LookupError, TypeError):
            return Snapshot()


def _failed(reason: str) -> InputError:
    return InputError("The measurement stopped early ({reason}). Start it again.", reason=reason[:200])


def _end(process: subprocess.Popen[str]) -> None:
    """End the program and its workers at once."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        if hasattr(os, "killpg"):
            os.killpg(process.pid, signal.SIGKILL)
        else:
            process.kill()


_measurement: Measurement | None = None
_making = threading.Lock()


def measurement() -> Measurement:
    """Return this server's measurement. Raises InputError where the cache folder cannot be used."""
    global _measurement  # noqa: PLW0603 - one for the whole server is the point
    with _making:
        if _measurement is None:
            _measurement = Measurement(Store().root / "loading")
        return _measurement
