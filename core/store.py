"""Finished and interrupted training runs on disk, a folder each, with a checksum for every byte.

runs/<key>/manifest.json              what belongs to the entry, with checksums; replaced last, so that an entry
                                      is always whole: a crash between two writes leaves the one before
runs/<key>/spec.json                  the spec and the placement
runs/<key>/metrics.jsonl              a line for each Batch, Epoch and Inside
runs/<key>/weights-<epoch>.safetensors    the network after its last finished epoch
runs/<key>/optimizer-<epoch>.safetensors  what else is needed to go on; only while the run is not done
locks/<key>.lock                      held by the one process that trains the run
damaged/<key>-<n>/                    entries that failed their checksums
"""

from __future__ import annotations

import errno
import itertools
import json
import os
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

from core.device import Placement
from core.errors import InputError
from core.files import append_file, folder_bytes, sha256, write_file
from core.messages import N_
from core.records import Batch, Checkpoint, Epoch, Inside, LayerState, Mistake
from core.run import RunSpec

DEFAULT_LIMIT = 2_000_000_000  # bytes
SET_ASIDE = 5  # damaged entries that are kept for a look
FORMAT = 1  # of the folder's files
BROKEN = (OSError, ValueError, LookupError, TypeError, AttributeError)  # what reading a damaged entry may raise


class DamagedEntryError(InputError):
    """An entry that failed its checksums; it was set aside and the run has to be computed again."""


@dataclass(frozen=True, kw_only=True)
class Entry:
    """One run as it was kept."""

    key: str
    spec: RunSpec
    placement: Placement
    state: str  # "running", "cancelled" or "done"
    batches: tuple[Batch, ...]  # of the finished epochs
    epochs: tuple[Epoch, ...]  # the finished ones
    insides: tuple[Inside, ...]  # before the first step and after each finished epoch
    checkpoint: Checkpoint | None  # after the last finished epoch; its optimizer is empty once the run is done


@dataclass(frozen=True, kw_only=True)
class RunSummary:
    """One line of the list of runs, read without its metrics and weights."""

    key: str
    spec: RunSpec | None  # None where the entry cannot be read
    device: str  # "" where the entry cannot be read
    state: str  # "done", "interrupted" or "damaged"
    to_resume: bool  # a server was training it when that server ended
    epochs: int  # finished
    best_accuracy: float | None  # best test accuracy so far, 0 to 1
    bytes: int  # on disk
    when: datetime  # of the last change


class Store:
    """The folder of runs."""

    def __init__(self, root: Path | str | None = None, limit: int | None = None) -> None:
        """Use `root`, or TORCHSCAPE_HOME, or the user's cache folder; at most `limit` bytes, or TORCHSCAPE_STORE_BYTES.

        Raises InputError where the folder cannot be made or the limit is not a number.
        """
        self.root = Path(root or os.environ.get("TORCHSCAPE_HOME") or _cache_folder()).expanduser().resolve()
        self.limit = _limit_from_environment() if limit is None else limit
        with disk_errors(self.root, 1_000_000):
            for name in ("runs", "locks", "damaged"):
                (self.root / name).mkdir(parents=True, exist_ok=True)

    def folder(self, key: str) -> Path:
        """Return where a run is kept."""
        return self.root / "runs" / key

    def lock(self, key: str) -> FileLock:
        """Return the lock that the trainer of a run holds; the system releases it when that process dies."""
        return FileLock(self.root / "locks" / f"{key}.lock", thread_local=False)

    def stamp(self, key: str) -> tuple[int, int] | None:
        """Return something that changes with every change of the entry, or None where there is none."""
        try:
            status = (self.folder(key) / "manifest.json").stat()
        except FileNotFoundError:
            return None
        return status.st_ino, status.st_ctime_ns

    def load(self, key: str, *, holding_lock: bool = False) -> Entry | None:
        """Return the entry after checking every byte, or None where there is none.

        Raises DamagedEntryError once for an entry that fails; it is moved to damaged/ and is gone afterwards.
        """
        folder = self.folder(key)
        for _ in range(3):  # another process may be replacing the entry while it is read here
            before = self.stamp(key)
            if before is None and not any(folder.glob("weights-*")):
                return None  # no entry, or one that a crash stopped before its first epoch
            try:
                entry = _read_entry(folder)
            except BROKEN:
                if self.stamp(key) == before:
                    break
            else:
                os.utime(folder)  # used just now
                return entry
        self._set_aside(key, holding_lock=holding_lock)
        raise DamagedEntryError(
            N_("The kept run {key} is damaged (a checksum differs). It was moved to {folder} and is computed again."),
            key=key,
            folder=self.root / "damaged",
        )

    def runs(self) -> list[RunSummary]:
        """List the entries, latest change first."""
        keys = [path.name for path in (self.root / "runs").iterdir() if path.is_dir()]
        return sorted((self._summary(key) for key in keys), key=lambda run: run.when, reverse=True)

    def remove(self, key: str) -> None:
        """Forget a run; the caller holds its lock."""
        shutil.rmtree(self.folder(key), ignore_errors=True)

    def make_room(self, keep: str) -> None:
        """Remove the entries that were unused for longest until the store is within its limit.

        The run `keep` stays, and so does every run that is being trained.
        """
        entries = [path for path in (self.root / "runs").iterdir() if path.is_dir() and path.name != keep]
        total = folder_bytes(self.root)
        for folder in sorted(entries, key=_last_use):
            if total <= self.limit:
                return
            size = folder_bytes(folder)
            try:
                with self.lock(folder.name).acquire(blocking=False):
                    self.remove(folder.name)
            except Timeout:
                continue
            total -= size

    def _summary(self, key: str) -> RunSummary:
        folder = self.folder(key)
        size, changed = folder_bytes(folder), datetime.fromtimestamp(_last_use(folder), UTC)
        try:
            manifest = _read_manifest(folder)
            spec, placement = _read_spec(folder, manifest)
        except BROKEN:
            return RunSummary(
                key=key, spec=None, device="", state="damaged", to_resume=False, epochs=0, best_accuracy=None,
                bytes=size, when=changed,
            )  # fmt: skip
        done = manifest["state"] == "done"
        return RunSummary(
            key=key,
            spec=spec,
            device=placement.device,
            state="done" if done else "interrupted",
            to_resume=manifest["state"] == "running" and manifest["owner"] == "server",
            epochs=manifest["epochs"],
            best_accuracy=manifest["best_accuracy"],
            bytes=size,
            when=datetime.fromisoformat(manifest["when"]),
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


class RunWriter:
    """Keeps one run while it is trained; the caller holds its lock. Raises InputError where the disk is full."""

    def __init__(self, store: Store, spec: RunSpec, placement: Placement, *, owner: str, entry: Entry | None) -> None:
        """Go on with `entry`, or begin. `owner` is "server" or "terminal": a server resumes its own runs."""
        self.store, self.key, self.owner = store, spec.key(placement), owner
        self.folder = store.folder(self.key)
        self.epochs: list[Epoch] = list(entry.epochs) if entry else []
        self.files: dict[str, dict[str, Any]] = {}
        self.metrics = b""
        with disk_errors(self.folder, 1_000_000):
            if entry is None:
                shutil.rmtree(self.folder, ignore_errors=True)
                self.folder.mkdir(parents=True)
                document = {"key": self.key, "spec": spec.as_dict(), "placement": placement.facts()}
                self._write("spec.json", json.dumps(document, indent=1).encode())
                append_file(self.folder / "metrics.jsonl", b"", at=0)
                self.files["metrics.jsonl"] = _seal(b"")
            else:
                manifest = _read_manifest(self.folder)
                self.files = manifest["files"]
                self.metrics = _read_file(self.folder, manifest, "metrics.jsonl")
            self._write_manifest("running")

    def keep(self, batches: list[Batch], epoch: Epoch, checkpoint: Checkpoint, insides: Sequence[Inside] = ()) -> None:
        """Add a finished epoch."""
        lines = b"".join([*map(_line, batches), _line(epoch), *map(_line, insides)])
        needed = len(lines) + 2 * len(checkpoint.weights) + len(checkpoint.optimizer) + 10_000
        with disk_errors(self.folder, needed):
            append_file(self.folder / "metrics.jsonl", lines, at=len(self.metrics))
            self.metrics += lines
            self.epochs.append(epoch)
            self.files = {name: self.files[name] for name in ("spec.json",)}
            self.files["metrics.jsonl"] = _seal(self.metrics)
            self._write(f"weights-{epoch.epoch:03d}.safetensors", checkpoint.weights)
            self._write(f"optimizer-{epoch.epoch:03d}.safetensors", checkpoint.optimizer)
            self._write_manifest("running")

    def close(self, state: str) -> None:
        """Say how the run ended: "done" or "cancelled"."""
        with disk_errors(self.folder, 10_000):
            if state == "done":
                self.files = {name: seal for name, seal in self.files.items() if not name.startswith("optimizer")}
            self._write_manifest(state)
            self.store.make_room(self.key)

    def _write(self, name: str, content: bytes) -> None:
        write_file(self.folder / name, content)
        self.files[name] = _seal(content)

    def _write_manifest(self, state: str) -> None:
        """Replace the manifest, which makes the entry what it says, then remove what no longer belongs to it."""
        manifest = {
            "format": FORMAT,
            "state": state,
            "owner": self.owner,
            "epochs": len(self.epochs),
            "best_accuracy": max((epoch.test_accuracy for epoch in self.epochs), default=None),
            "when": datetime.now(UTC).isoformat(),
            "files": self.files,
        }
        manifest["checksum"] = sha256(_canonical(manifest))
        write_file(self.folder / "manifest.json", json.dumps(manifest, indent=1).encode())
        for path in self.folder.iterdir():
            if path.name not in self.files and path.name != "manifest.json":
                path.unlink()


@contextmanager
def disk_errors(folder: Path, needed: int) -> Iterator[None]:
    """Turn the system's complaint about a disk into a sentence that says what is needed (`needed` in bytes)."""
    try:
        yield
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise InputError(
                "The disk is full: keeping this run needs about {needed} MB in {folder}. Free some space there, or"
                " set TORCHSCAPE_HOME to a folder on another disk.",
                needed=max(1, round(needed / 1e6)),
                folder=folder,
            ) from error
        raise InputError(
            "Runs cannot be kept in {folder} ({reason}). Make that folder writable, or set TORCHSCAPE_HOME to one"
            " that is.",
            folder=folder,
            reason=error.strerror or type(error).__name__,
        ) from error


@contextmanager
def _nothing() -> Iterator[None]:
    yield


def _cache_folder() -> Path:
    from platformdirs import user_cache_path

    return user_cache_path("torchscape")


def _limit_from_environment() -> int:
    text = os.environ.get("TORCHSCAPE_STORE_BYTES", str(DEFAULT_LIMIT))
    if not text.strip().isdecimal():
        raise InputError("TORCHSCAPE_STORE_BYTES must be a whole number of bytes, not {value}.", value=text[:40])
    return int(text)


def _last_use(folder: Path) -> float:
    try:
        return folder.stat().st_mtime
    except FileNotFoundError:
        return 0.0


def _canonical(document: dict[str, Any]) -> bytes:
    return json.dumps(document, sort_keys=True, separators=(",", ":")).encode()


def _seal(content: bytes) -> dict[str, Any]:
    return {"bytes": len(content), "sha256": sha256(content)}


def _line(record: Batch | Epoch | Inside) -> bytes:
    """Write a record as one line; a diverged loss is written as Python's NaN."""
    if isinstance(record, Batch):
        return json.dumps({"batch": [record.step, record.epoch, record.loss, record.seconds]}).encode() + b"\n"
    name = "epoch" if isinstance(record, Epoch) else "inside"
    return json.dumps({name: asdict(record)}).encode() + b"\n"


def _read_manifest(folder: Path) -> dict[str, Any]:
    manifest: dict[str, Any] = json.loads((folder / "manifest.json").read_bytes())
    checksum = manifest.pop("checksum")
    if manifest["format"] != FORMAT or checksum != sha256(_canonical(manifest)):
        raise ValueError("manifest.json differs from its checksum")
    return manifest


def _read_file(folder: Path, manifest: dict[str, Any], name: str) -> bytes:
    seal = manifest["files"][name]
    content = (folder / name).read_bytes()[: seal["bytes"]]  # a crash may have left the start of another epoch
    if _seal(content) != seal:
        raise ValueError(f"{name} differs from its checksum")
    return content


def _read_spec(folder: Path, manifest: dict[str, Any]) -> tuple[RunSpec, Placement]:
    document = json.loads(_read_file(folder, manifest, "spec.json"))
    return RunSpec(**document["spec"]), Placement(**document["placement"])


def _read_entry(folder: Path) -> Entry:
    """Read and check a whole entry. Raises one of BROKEN where it is damaged."""
    manifest = _read_manifest(folder)
    spec, placement = _read_spec(folder, manifest)
    lines = [json.loads(line) for line in _read_file(folder, manifest, "metrics.jsonl").splitlines()]
    batches = [line["batch"] for line in lines if "batch" in line]
    content = {name.partition("-")[0]: _read_file(folder, manifest, name) for name in manifest["files"]}
    epochs = tuple(_epoch(line["epoch"]) for line in lines if "epoch" in line)
    checkpoint = None
    if epochs:
        checkpoint = Checkpoint(
            epoch=epochs[-1].epoch,
            seconds=batches[-1][3],
            weights=content["weights"],
            optimizer=content.get("optimizer", b""),
        )
    return Entry(
        key=folder.name,
        spec=spec,
        placement=placement,
        state=manifest["state"],
        batches=tuple(Batch(step=step, epoch=epoch, loss=loss, seconds=s) for step, epoch, loss, s in batches),
        epochs=epochs,
        insides=tuple(_inside(line["inside"]) for line in lines if "inside" in line),
        checkpoint=checkpoint,
    )


def _epoch(fields: dict[str, Any]) -> Epoch:
    return Epoch(**{**fields, "worst": tuple(Mistake(**mistake) for mistake in fields["worst"])})


def _inside(fields: dict[str, Any]) -> Inside:
    layers = tuple(LayerState(**layer) for layer in fields["layers"])
    return Inside(epoch=fields["epoch"], layers=layers, dead=tuple(fields["dead"]))
