"""The one measurement of loading times that a server runs at a time, and the last one that was finished.

Everybody on the server sees the same measurement: two at once would measure each other.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from core.measuring import Measuring, State
from core.store import Store

PROGRAM = ("-m", "core.loading_time")
PLAN = (("demand", 0), ("demand", 1), ("demand", 2), ("demand", 4), ("once", 0))  # ways to read, with their workers
BATCH = 32  # samples
BATCHES = 20  # of a pass; a fresh random choice of the 60,000 images
PASSES = 3  # the first has the start-up in it; of the others the fastest counts, since other programs only delay
LATEST = "latest.json"


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
class Snapshot(State):
    """What a page shows; it never changes."""

    way: str = ""  # of reading that is measured now; empty while the data set is prepared
    workers: int = 0  # of it
    conditions: Conditions | None = None
    timings: tuple[Timing, ...] = ()


class Measurement(Measuring[Snapshot]):
    """The measurement of core.loading_time."""

    format = 1
    blank = Snapshot()

    def __init__(self, folder: Path, program: Sequence[str] = PROGRAM) -> None:
        """Use a folder for the data set and the last result."""
        super().__init__(folder / LATEST, (*program, str(folder)))

    def take(self, snapshot: Snapshot, kind: str, record: dict[str, Any]) -> Snapshot:
        """Add the conditions or a timing."""
        if kind == "conditions":
            return replace(snapshot, conditions=Conditions(**record))
        return replace(snapshot, timings=(*snapshot.timings, {"timing": Timing}[kind](**record)))

    def content(self, snapshot: Snapshot) -> dict[str, Any]:
        """Return the conditions and the timings."""
        if snapshot.conditions is None:
            return {}
        timings = [asdict(timing) for timing in snapshot.timings]
        return {"conditions": asdict(snapshot.conditions), "timings": timings}

    def read(self, content: dict[str, Any]) -> Snapshot:
        """Return what was measured."""
        timings = tuple(Timing(**timing) for timing in content["timings"])
        return Snapshot(conditions=Conditions(**content["conditions"]), timings=timings)


_measurement: Measurement | None = None
_making = threading.Lock()


def measurement() -> Measurement:
    """Return this server's measurement. Raises InputError where the cache folder cannot be used."""
    global _measurement  # noqa: PLW0603 - one for the whole server is the point
    with _making:
        if _measurement is None:
            _measurement = Measurement(Store().root / "loading")
        return _measurement
