"""The runs that ship with the project: the lowest layer of the store, read-only, computed on another machine.

data/runs/ holds an archive for each (core.exchange), and index.json with what a list needs, so that looking for one
reads no archive. `python -m benchmarks.ship` makes them.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from core.archive import Archive
from core.datasets import DATA
from core.device import Placement
from core.entries import BROKEN, Entry, RunSummary, read_entry, read_manifest, read_weights, summarise, weights_missing
from core.errors import InputError
from core.run import RunSpec

RUNS = DATA / "runs"
INDEX = "index.json"


@dataclass(frozen=True, kw_only=True)
class Shipped:
    """One shipped run, as the index has it."""

    path: Path  # of its archive
    spec: RunSpec
    summary: RunSummary


def shipped_runs() -> tuple[Shipped, ...]:
    """Return the shipped runs, in the order of the index; none where the index is missing or damaged."""
    return _index(RUNS)


def find_shipped(spec: RunSpec) -> Entry | None:
    """Return the shipped run of a spec, wherever it was computed, or None. Raises InputError where it is damaged."""
    found = next((run for run in shipped_runs() if run.spec == spec), None)
    return load_shipped(found) if found else None


def shipped_by_key(key: str) -> Shipped | None:
    """Return the shipped run of that key, or None."""
    return next((run for run in shipped_runs() if run.summary.key == key), None)


def load_shipped(run: Shipped) -> Entry:
    """Read a shipped run, 50 ms. Raises InputError where its archive is missing or damaged."""
    try:
        archive = Archive(run.path.read_bytes())
        return read_entry(run.summary.key, archive.read, read_manifest(archive.read))
    except BROKEN as error:
        raise _damaged(run.path) from error


def shipped_weights(key: str, epoch: int) -> bytes:
    """Return the weights of a shipped run after an epoch; raises InputError where there are none or damaged ones."""
    run = shipped_by_key(key)
    if run is None:
        raise weights_missing(key, epoch, ())
    if epoch not in run.summary.weight_epochs:
        raise weights_missing(key, epoch, run.summary.weight_epochs)
    try:
        return read_weights(key, epoch, Archive(run.path.read_bytes()).read)
    except BROKEN as error:
        raise _damaged(run.path) from error


def index_line(name: str, content: bytes) -> dict[str, Any]:
    """Return what the index says of an archive of that name."""
    archive = Archive(content)
    return {
        "file": name,
        "bytes": len(content),
        **{part: json.loads(archive.read("spec.json"))[part] for part in ("spec", "placement")},
        "manifest": read_manifest(archive.read),
    }


@lru_cache(maxsize=2)
def _index(folder: Path) -> tuple[Shipped, ...]:
    try:
        return tuple(_shipped(folder, line) for line in json.loads((folder / INDEX).read_bytes()))
    except BROKEN:
        return ()


def _shipped(folder: Path, line: dict[str, Any]) -> Shipped:
    manifest, spec = line["manifest"], RunSpec(**line["spec"])
    placement = Placement(**line["placement"])
    summary = summarise(manifest["key"], manifest, spec, placement, size=line["bytes"], origin="shipped")
    return Shipped(path=folder / line["file"], spec=spec, summary=summary)


def _damaged(path: Path) -> InputError:
    return InputError(
        "The data file {path} is damaged (its checksum differs); copy it there again from the project.", path=path
    )
