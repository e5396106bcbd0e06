"""One run as files, in a folder of the store or in an archive that somebody exported: how it is read and checked.

manifest.json                     what belongs to the entry, with the size and the SHA-256 of each file, and its own
spec.json                         the spec and the placement
metrics.jsonl                     a line for each Epoch and each Inside, and one for all batches of an epoch, by columns
weights-<epoch>.safetensors       the network after that epoch; see `kept_weights`
optimizer-<epoch>.safetensors     what else is needed to go on after the last finished epoch
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from itertools import groupby
from typing import Any

from core.device import Placement
from core.errors import InputError
from core.files import sha256
from core.messages import N_
from core.records import Batch, Checkpoint, Epoch, Inside, LayerState, Mistake
from core.run import RunSpec

FORMAT = 2  # of the files; an entry of another format is not known
WEIGHT_BYTES = 48_000_000  # of the weights of all epochs that a run may keep
MANIFEST = "manifest.json"
KEY = re.compile(r"[0-9a-f]{16}|i[0-9a-f]{15}")  # of a run; of one that was imported, see core.exchange
WEIGHTS = re.compile(r"weights-([0-9]{3})\.safetensors")
BROKEN = (OSError, ValueError, LookupError, TypeError, AttributeError, RecursionError)  # what a damaged entry may raise

Read = Callable[[str], bytes]  # returns the content of the entry's file of that name


class NotKeptError(InputError):
    """A part of a run that is not among its files, although all of them are whole."""


class OtherFormatError(Exception):
    """An entry that another version of the program wrote: not damaged, only not known."""


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
    checkpoint: Checkpoint | None  # after the last finished epoch; its optimizer may be empty once the run is done;
    # None before the first epoch, and for a run that travelled without weights
    weight_epochs: tuple[int, ...]  # the epochs whose weights are kept
    hardware: Mapping[str, str]  # what it was computed on, see core.hardware
    when: datetime  # of the last change
    original_key: str  # where it was trained: `key`, but for an imported run

    @property
    def best_epoch(self) -> int:
        """Return the epoch with the highest test accuracy, the first of them; 0 before there is one."""
        return best_epoch(self.epochs)


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
    origin: str = "here"  # "here", "shipped" or "imported"
    weight_epochs: tuple[int, ...] = ()  # the epochs whose weights are kept
    hardware: Mapping[str, str] | None = None  # None where the entry cannot be read
    placement: Placement | None = None  # None where the entry cannot be read


def best_epoch(epochs: Sequence[Epoch]) -> int:
    """Return the epoch with the highest test accuracy, the first of them; 0 where there is none."""
    return max(epochs, key=lambda epoch: epoch.test_accuracy).epoch if epochs else 0


def is_imported(key: str) -> bool:
    """Say whether the key is that of an imported run."""
    return key.startswith("i")


def kept_weights(epochs: Sequence[Epoch], planned: int, size: int) -> set[int]:
    """Return the epochs whose weights stay, for a run of `planned` epochs with `size` bytes of weights.

    All of them while a whole run's weights fit in WEIGHT_BYTES, otherwise the first, the best and the last.
    """
    if planned * size <= WEIGHT_BYTES:
        return {epoch.epoch for epoch in epochs}
    return {epochs[0].epoch, best_epoch(epochs), epochs[-1].epoch}


def goes_on(spec: RunSpec) -> bool:
    """Say whether a run of more epochs begins as this one does, bit for bit, and so can go on from it.

    Every schedule but the constant one looks at the number of epochs, and patience decides when a run is over.
    """
    return spec.schedule == "constant" and not spec.patience


def weights_name(epoch: int) -> str:
    """Return the name of the file with the weights after an epoch."""
    return f"weights-{epoch:03d}.safetensors"


def optimizer_name(epoch: int) -> str:
    """Return the name of the file with the optimizer's state after an epoch."""
    return f"optimizer-{epoch:03d}.safetensors"


def weight_epochs(names: Collection[str]) -> tuple[int, ...]:
    """Return the epochs whose weights are among the files of these names, in order."""
    return tuple(sorted(int(match[1]) for name in names if (match := WEIGHTS.fullmatch(name))))


def seal(content: bytes) -> dict[str, Any]:
    """Return what a manifest says of a file."""
    return {"bytes": len(content), "sha256": sha256(content)}


def manifest_bytes(fields: Mapping[str, Any]) -> bytes:
    """Write a manifest with its format and checksum."""
    manifest = {"format": FORMAT, **fields}
    return json.dumps({**manifest, "checksum": sha256(_canonical(manifest))}, indent=1).encode()


def read_manifest(read: Read) -> dict[str, Any]:
    """Return the manifest. Raises OtherFormatError, and one of BROKEN where it is damaged."""
    manifest: dict[str, Any] = json.loads(read(MANIFEST))
    checksum = manifest.pop("checksum")
    if checksum != sha256(_canonical(manifest)):
        raise ValueError("manifest.json differs from its checksum")
    if manifest["format"] != FORMAT:
        raise OtherFormatError
    return manifest


def read_file(read: Read, manifest: Mapping[str, Any], name: str) -> bytes:
    """Return a file that the manifest lists. Raises one of BROKEN where it is damaged."""
    sealed = manifest["files"][name]
    content = read(name)[: sealed["bytes"]]  # a crash may have left the start of another epoch
    if seal(content) != sealed:
        raise ValueError(f"{name} differs from its checksum")
    return content


def spec_bytes(key: str, spec: RunSpec, placement: Placement) -> bytes:
    """Write spec.json."""
    return json.dumps({"key": key, "spec": spec.as_dict(), "placement": placement.facts()}, indent=1).encode()


def read_spec(read: Read, manifest: Mapping[str, Any]) -> tuple[RunSpec, Placement]:
    """Return spec and placement. Raises one of BROKEN where they are damaged."""
    document = json.loads(read_file(read, manifest, "spec.json"))
    return RunSpec(**document["spec"]), Placement(**document["placement"])


def read_entry(key: str, read: Read, manifest: Mapping[str, Any]) -> Entry:
    """Read a whole entry but the weights of its earlier epochs. Raises one of BROKEN where it is damaged."""
    spec, placement = read_spec(read, manifest)
    batches, epochs, insides = parse_metrics(read_file(read, manifest, "metrics.jsonl"))
    checkpoint = None
    if epochs and weights_name(last := epochs[-1].epoch) in manifest["files"]:
        has_optimizer = optimizer_name(last) in manifest["files"]
        checkpoint = Checkpoint(
            epoch=last,
            seconds=batches[-1].seconds,
            weights=read_file(read, manifest, weights_name(last)),
            optimizer=read_file(read, manifest, optimizer_name(last)) if has_optimizer else b"",
            hardware=manifest["hardware"],
        )
    return Entry(
        key=key,
        spec=spec,
        placement=placement,
        state=manifest["state"],
        batches=tuple(batches),
        epochs=tuple(epochs),
        insides=tuple(insides),
        checkpoint=checkpoint,
        weight_epochs=weight_epochs(manifest["files"]),
        hardware=manifest["hardware"],
        when=datetime.fromisoformat(manifest["when"]),
        original_key=manifest["key"],
    )


def read_weights(key: str, epoch: int, read: Read) -> bytes:
    """Return the weights after an epoch. Raises NotKeptError, OtherFormatError, and one of BROKEN for damage."""
    manifest = read_manifest(read)
    kept = weight_epochs(manifest["files"])
    if epoch not in kept:
        raise weights_missing(key, epoch, kept)
    return read_file(read, manifest, weights_name(epoch))


def weights_missing(key: str, epoch: int, kept: Sequence[int]) -> NotKeptError:
    """Return the error that says which weights are kept instead."""
    if not kept:
        return NotKeptError(N_("No weights of run {key} are kept."), key=key[:16])
    return NotKeptError(
        N_("The weights of run {key} after epoch {epoch} are not kept, only those after epoch {kept}."),
        key=key[:16],
        epoch=epoch,
        kept=", ".join(map(str, kept)),
    )


def summarise(
    key: str, manifest: Mapping[str, Any], spec: RunSpec, placement: Placement, *, size: int, origin: str
) -> RunSummary:
    """Return the line that a list shows of a run whose files have `size` bytes."""
    return RunSummary(
        key=key,
        spec=spec,
        device=placement.device,
        state="done" if manifest["state"] == "done" else "interrupted",
        to_resume=manifest["state"] == "running" and manifest["owner"] == "server",
        epochs=manifest["epochs"],
        best_accuracy=manifest["best_accuracy"],
        bytes=size,
        when=datetime.fromisoformat(manifest["when"]),
        origin=origin,
        weight_epochs=weight_epochs(manifest["files"]),
        hardware=manifest["hardware"],
        placement=placement,
    )


def metrics_lines(batches: Sequence[Batch], epochs: Sequence[Epoch], insides: Sequence[Inside]) -> bytes:
    """Write records as lines; a diverged loss is written as Python's NaN."""
    lines: list[dict[str, Any]] = []
    for epoch, group in groupby(batches, key=lambda batch: batch.epoch):
        of_epoch = list(group)
        columns = {name: [getattr(batch, name) for batch in of_epoch] for name in ("step", "loss", "seconds")}
        lines.append({"batches": {"epoch": epoch, **columns}})
    lines += [{"epoch": asdict(epoch)} for epoch in epochs]
    lines += [{"inside": asdict(inside)} for inside in insides]
    return b"".join(json.dumps(line).encode() + b"\n" for line in lines)


def parse_metrics(content: bytes) -> tuple[list[Batch], list[Epoch], list[Inside]]:
    """Read the lines. Raises one of BROKEN for what is none."""
    batches: list[Batch] = []
    epochs: list[Epoch] = []
    insides: list[Inside] = []
    for text in content.splitlines():
        ((kind, fields),) = json.loads(text).items()
        if kind == "batches":
            batches += _batches(**fields)
        elif kind == "epoch":
            epochs.append(Epoch(**{**fields, "worst": tuple(Mistake(**mistake) for mistake in fields["worst"])}))
        elif kind == "inside":
            layers = tuple(LayerState(**layer) for layer in fields["layers"])
            insides.append(Inside(**{**fields, "layers": layers, "dead": tuple(fields["dead"])}))
        else:
            raise ValueError(f"a line of the kind {kind}")
    return batches, epochs, insides


def _batches(*, epoch: int, step: list[int], loss: list[float], seconds: list[float]) -> list[Batch]:
    columns = zip(step, loss, seconds, strict=True)
    return [Batch(step=at, epoch=epoch, loss=value, seconds=spent) for at, value, spent in columns]


def _canonical(document: Mapping[str, Any]) -> bytes:
    return json.dumps(document, sort_keys=True, separators=(",", ":")).encode()
