"""Keeping one run while it is trained, epoch by epoch, so that a crash leaves the epoch before."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any

from core.device import Placement
from core.entries import (
    MANIFEST,
    Entry,
    best_epoch,
    goes_on,
    kept_weights,
    manifest_bytes,
    metrics_lines,
    optimizer_name,
    read_file,
    read_manifest,
    seal,
    spec_bytes,
    weights_name,
)
from core.errors import InputError
from core.files import append_file, disk_errors, write_file
from core.hardware import hardware
from core.records import Batch, Checkpoint, Epoch, Inside
from core.run import RunSpec
from core.store import Store


class RunWriter:
    """Keeps one run while it is trained; the caller holds its lock. Raises InputError where the disk is full."""

    def __init__(self, store: Store, spec: RunSpec, placement: Placement, *, owner: str, entry: Entry | None) -> None:
        """Go on with `entry`, or begin. `owner` is "server" or "terminal": a server resumes its own runs.

        `entry` is this run, or the same run of fewer epochs (Store.shorter): then its files are taken over.
        """
        self.store, self.key, self.owner, self.spec, self.placement = store, spec.key(placement), owner, spec, placement
        self.folder = store.folder(self.key)
        self.epochs: list[Epoch] = list(entry.epochs) if entry else []
        self.files: dict[str, dict[str, Any]] = {}
        self.metrics = b""
        self.hardware = entry.checkpoint.hardware if entry and entry.checkpoint else hardware(placement.device)
        with disk_errors(self.folder, 1_000_000):
            if entry is not None and entry.key == self.key:
                self._reopen()
            else:
                shutil.rmtree(self.folder, ignore_errors=True)
                self.folder.mkdir(parents=True)
                self._write("spec.json", spec_bytes(self.key, spec, placement))
                self._begin(entry)
            self._write_manifest("running")

    def _reopen(self) -> None:
        manifest = read_manifest(self._read)
        self.files = manifest["files"]
        self.metrics = read_file(self._read, manifest, "metrics.jsonl")

    def _begin(self, entry: Entry | None) -> None:
        """Write what there is before the first new epoch: nothing, or what a run of fewer epochs had kept."""
        if entry is not None and entry.checkpoint is not None:
            self.metrics = metrics_lines(entry.batches, entry.epochs, entry.insides)
            last, weights = entry.checkpoint.epoch, entry.checkpoint.weights
            self._write(optimizer_name(last), entry.checkpoint.optimizer)
            self._write(weights_name(last), weights)
            for epoch in self._kept_weights(len(weights)) & set(entry.weight_epochs) - {last}:
                with suppress(InputError):  # their trainer has just removed it, or it is damaged: do without
                    self._write(weights_name(epoch), self.store.weights(entry.key, epoch))
        append_file(self.folder / "metrics.jsonl", self.metrics, at=0)
        self.files["metrics.jsonl"] = seal(self.metrics)

    def keep(self, batches: list[Batch], epoch: Epoch, checkpoint: Checkpoint, insides: Sequence[Inside] = ()) -> None:
        """Add a finished epoch."""
        lines = metrics_lines(batches, [epoch], insides)
        needed = len(lines) + 2 * len(checkpoint.weights) + len(checkpoint.optimizer) + 10_000
        with disk_errors(self.folder, needed):
            append_file(self.folder / "metrics.jsonl", lines, at=len(self.metrics))
            self.metrics += lines
            self.epochs.append(epoch)
            self.hardware = checkpoint.hardware
            stay = {weights_name(number) for number in self._kept_weights(len(checkpoint.weights))}
            self.files = {name: sealed for name, sealed in self.files.items() if name in stay | {"spec.json"}}
            self.files["metrics.jsonl"] = seal(self.metrics)
            self._write(weights_name(epoch.epoch), checkpoint.weights)
            self._write(optimizer_name(epoch.epoch), checkpoint.optimizer)
            self._write_manifest("running")

    def close(self, state: str) -> None:
        """Say how the run ended: "done" or "cancelled".

        A run that one of more epochs could go on from keeps its optimizer's state.
        """
        with disk_errors(self.folder, 10_000):
            if state == "done" and not goes_on(self.spec):
                self.files = {name: sealed for name, sealed in self.files.items() if not name.startswith("optimizer")}
            self._write_manifest(state)
            self.store.make_room(self.key)

    def _kept_weights(self, size: int) -> set[int]:
        return kept_weights(self.epochs, self.spec.epochs, size)

    def _read(self, name: str) -> bytes:
        return (self.folder / name).read_bytes()

    def _write(self, name: str, content: bytes) -> None:
        write_file(self.folder / name, content)
        self.files[name] = seal(content)

    def _write_manifest(self, state: str) -> None:
        """Replace the manifest, which makes the entry what it says, then remove what no longer belongs to it."""
        best = best_epoch(self.epochs)
        manifest = {
            "key": self.key,
            "state": state,
            "owner": self.owner,
            "epochs": len(self.epochs),
            "best_accuracy": self.epochs[best - 1].test_accuracy if best else None,
            "when": datetime.now(UTC).isoformat(),
            "hardware": self.hardware,
            "files": self.files,
        }
        write_file(self.folder / MANIFEST, manifest_bytes(manifest))
        for path in self.folder.iterdir():
            if path.name not in self.files and path.name != MANIFEST:
                path.unlink()
