"""Finished and interrupted training runs on disk, a folder each, with a checksum for every byte.

runs/<key>/        a run that was trained here; its files are those of core.entries. The manifest is replaced last, so
                   that an entry is always whole: a crash between two writes leaves the one before
imported/<key>/    a run that somebody exported, the same files; its key begins with "i", see core.exchange
locks/<key>.lock   held by the one process that trains the run
damaged/<key>-<n>/ entries that failed their checksums

The lowest layer are the runs that ship with the project, core.shipped; nothing ever writes to them.
"""

from __future__ import annotations

import itertools
import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from datetime import UTC, datetime
from functools import lru_cache, partial
from pathlib import Path
from typing import TypeVar

from filelock import FileLock, Timeout

from core.device import Placement
from core.entries import (
    BROKEN,
    KEY,
    MANIFEST,
    Entry,
    NotKeptError,
    OtherFormatError,
    RunSummary,
    goes_on,
    is_imported,
    read_entry,
    read_manifest,
    read_spec,
    read_weights,
    summarise,
    weights_missing,
)
from core.errors import InputError
from core.files import disk_errors, folder_bytes, write_file
from core.home import home
from core.messages import N_
from core.run import RunSpec
from core.shipped import load_shipped, shipped_by_key, shipped_weights

DEFAULT_LIMIT = 2_000_000_000  # bytes
SET_ASIDE = 5  # damaged entries that are kept for a look
MOST_IMPORTED = 60  # imported runs; the oldest goes out when another comes
T = TypeVar("T")


class DamagedEntryError(InputError):
    """An entry that failed its checksums; it was set aside and the run has to be computed again."""


class Store:
    """The folder of runs."""

    def __init__(self, root: Path | str | None = None, limit: int | None = None) -> None:
        """Use `root`, or TORCHSCAPE_HOME, or the user's cache folder; at most `limit` bytes, or TORCHSCAPE_STORE_BYTES.

        Raises InputError where the folder cannot be made or the limit is not a number.
        """
        self.root = home(root)
        self.limit = _limit_from_environment() if limit is None else limit
        with disk_errors(self.root, 1_000_000):
            for name in ("runs", "imported", "locks", "damaged"):
                (self.root / name).mkdir(parents=True, exist_ok=True)

    def folder(self, key: str) -> Path:
        """Return where a run is kept."""
        return self.root / ("imported" if is_imported(key) else "runs") / key

    def lock(self, key: str) -> FileLock:
        """Return the lock that the trainer of a run holds; the system releases it when that process dies."""
        return FileLock(self.root / "locks" / f"{key}.lock", thread_local=False)

    def stamp(self, key: str) -> tuple[int, int] | None:
        """Return something that changes with every change of the entry, or None where none can be read."""
        if not KEY.fullmatch(key):
            return None  # from a link
        try:
            status = (self.folder(key) / MANIFEST).stat()
        except OSError:  # not there, or a folder that nobody may read: what is to be kept there will say so
            return None
        return status.st_ino, status.st_ctime_ns

    def load(self, key: str, *, holding_lock: bool = False) -> Entry | None:
        """Return the entry after checking it, or None where there is none or only one that another version wrote.

        Checked is every byte, but of the earlier epochs' weights only the size: `weights` checks those. Raises
        DamagedEntryError once for an entry that fails; it is moved to damaged/ and is gone afterwards.
        """
        folder = self.folder(key)
        if self.stamp(key) is None and not (KEY.fullmatch(key) and any(folder.glob("weights-*"))):
            return None  # no entry, or one that a crash stopped before its first epoch
        try:
            entry = self._checked(key, partial(_read_whole, folder), holding_lock=holding_lock)
        except OtherFormatError:
            return None
        os.utime(folder)  # used just now
        return entry

    def find(self, key: str) -> Entry | None:
        """Return the run of that key from any layer, or None; raises InputError as `load` does."""
        if entry := self.load(key):
            return entry
        shipped = shipped_by_key(key)
        return load_shipped(shipped) if shipped else None

    def shorter(self, spec: RunSpec, placement: Placement) -> Entry | None:
        """Return the kept run with the most epochs that a run of this spec can go on from: the same, of fewer epochs.

        None where there is none. Training straight through gives the same numbers, bit for bit; where a run has so
        many steps that a Batch is the mean of a few, those that are taken over may be the mean of fewer.
        """
        for run in sorted(self._shorter(spec, placement), key=lambda run: run.epochs, reverse=True):
            with suppress(DamagedEntryError):  # whoever asks for that run itself is told
                entry = self.load(run.key)
                if entry and entry.checkpoint and entry.checkpoint.optimizer:
                    return entry
        return None

    def epochs_ahead(self, spec: RunSpec, placement: Placement) -> int:
        """Return how many epochs the run has that `shorter` would find, as its manifest says: quick, and unchecked."""
        return max((run.epochs for run in self._shorter(spec, placement)), default=0)

    def weights(self, key: str, epoch: int) -> bytes:
        """Return the weights after an epoch as a safetensors file, of a run from any layer.

        Raises InputError where they are not kept, and DamagedEntryError as `load` does.
        """
        if self.stamp(key) is None:
            return shipped_weights(key, epoch)
        read = partial(_read, self.folder(key))
        with suppress(OtherFormatError):
            return self._checked(key, partial(read_weights, key, epoch, read))
        raise weights_missing(key, epoch, ())

    def runs(self) -> list[RunSummary]:
        """List the entries that were trained here, latest change first."""
        return self._summaries("runs")

    def imported(self) -> list[RunSummary]:
        """List the runs that somebody exported and somebody imported here, latest first."""
        return self._summaries("imported")

    def summary(self, key: str) -> RunSummary | None:
        """Return the line of one run from any layer, or None where there is none."""
        if self.stamp(key) is not None and (found := self._summary(self.folder(key))):
            return found
        shipped = shipped_by_key(key)
        return shipped.summary if shipped else None

    def remove(self, key: str) -> None:
        """Forget a run; the caller holds its lock, which an imported run does not need."""
        shutil.rmtree(self.folder(key), ignore_errors=True)

    def add_imported(self, key: str, files: dict[str, bytes]) -> None:
        """Keep an imported run, the manifest last. Raises InputError where the disk is full."""
        folder = self.folder(key)
        with disk_errors(folder, sum(map(len, files.values()))):
            folder.mkdir(parents=True, exist_ok=True)
            for name in sorted(files, key=lambda name: name == MANIFEST):
                write_file(folder / name, files[name])
        oldest = sorted((self.root / "imported").iterdir(), key=_last_use)
        for other in oldest[: max(0, len(oldest) - MOST_IMPORTED)]:
            shutil.rmtree(other, ignore_errors=True)
        self.make_room(key)

    def make_room(self, keep: str) -> None:
        """Remove the entries that were unused for longest until the store is within its limit.

        The run `keep` stays, and so does every run that is being trained.
        """
        entries = [path for layer in ("runs", "imported") for path in (self.root / layer).iterdir() if path.is_dir()]
        total = folder_bytes(self.root)
        for folder in sorted((path for path in entries if path.name != keep), key=_last_use):
            if total <= self.limit:
                return
            size = folder_bytes(folder)
            try:
                with self.lock(folder.name).acquire(blocking=False):
                    self.remove(folder.name)
            except Timeout:
                continue
            total -= size

    def _shorter(self, spec: RunSpec, placement: Placement) -> list[RunSummary]:
        """List the kept runs that are the same but for having fewer epochs."""
        keys = _shorter_keys(spec, placement) if goes_on(spec) else ()
        return [run for key in keys if self.stamp(key) is not None and (run := self._summary(self.folder(key)))]

    def _summaries(self, layer: str) -> list[RunSummary]:
        found = [self._summary(path) for path in (self.root / layer).iterdir() if path.is_dir()]
        return sorted((run for run in found if run is not None), key=lambda run: run.when, reverse=True)

    def _summary(self, folder: Path) -> RunSummary | None:
        """Return the line of one folder; None for one that another version wrote."""
        origin = "imported" if is_imported(folder.name) else "here"
        size, changed = folder_bytes(folder), datetime.fromtimestamp(_last_use(folder), UTC)
        read = partial(_read, folder)
        try:
            manifest = read_manifest(read)
            return summarise(folder.name, manifest, *read_spec(read, manifest), size=size, origin=origin)
        except OtherFormatError:
            return None
        except BROKEN:
            return RunSummary(
                key=folder.name, spec=None, device="", state="damaged", to_resume=False, epochs=0, best_accuracy=None,
                bytes=size, when=changed, origin=origin,
            )  # fmt: skip

    def _checked(self, key: str, read: Callable[[], T], *, holding_lock: bool = False) -> T:
        """Return what `read` reads of an entry. Raises DamagedEntryError where it cannot, and moves the entry away."""
        for _ in range(3):  # another process may be replacing the entry while it is read here
            before = self.stamp(key)
            try:
                return read()
            except NotKeptError:
                raise
            except BROKEN:
                if self.stamp(key) == before:
                    break
        self._set_aside(key, holding_lock=holding_lock)
        raise DamagedEntryError(
            N_("The kept run {key} is damaged (a checksum differs). It was moved to {folder} and is computed again."),
            key=key,
            folder=self.root / "damaged",
        )

    def _set_aside(self, key: str, *, holding_lock: bool) -> None:
        """Move a damaged entry away, unless its trainer is at work: then that is the one who decides."""
        try:
            with _nothing() if holding_lock else self.lock(key).acquire(timeout=1):
                if self.folder(key).exists():
                    names = (self.root / "damaged" / f"{key}-{number}" for number in itertools.count(1))
                    self.folder(key).rename(next(name for name in names if not name.exists()))
        except Timeout:
            return
        aside = sorted((self.root / "damaged").iterdir(), key=_last_use)
        for old in aside[:-SET_ASIDE]:
            shutil.rmtree(old, ignore_errors=True)


@contextmanager
def _nothing() -> Iterator[None]:
    yield


def _limit_from_environment() -> int:
    text = os.environ.get("TORCHSCAPE_STORE_BYTES", str(DEFAULT_LIMIT))
    if not text.strip().isdecimal():
        raise InputError("TORCHSCAPE_STORE_BYTES must be a whole number of bytes, not {value}.", value=text[:40])
    return int(text)


@lru_cache(maxsize=128)
def _shorter_keys(spec: RunSpec, placement: Placement) -> tuple[str, ...]:
    return tuple(replace(spec, epochs=epochs).key(placement) for epochs in range(1, spec.epochs))


def _last_use(folder: Path) -> float:
    try:
        return folder.stat().st_mtime
    except FileNotFoundError:
        return 0.0


def _read(folder: Path, name: str) -> bytes:
    return (folder / name).read_bytes()


def _read_whole(folder: Path) -> Entry:
    """Read an entry. Raises one of BROKEN where it is damaged, as far as the sizes of its files tell."""
    read = partial(_read, folder)
    manifest = read_manifest(read)
    for name, sealed in manifest["files"].items():
        size = (folder / name).stat().st_size
        if size != sealed["bytes"] and name != "metrics.jsonl":  # which may end with the start of another epoch
            raise ValueError(f"{name} has another size")
    return read_entry(folder.name, read, manifest)
