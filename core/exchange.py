"""A run as one file that travels: exported, and imported again with nothing in it taken on trust.

The file is a zip archive of the files of core.entries, without the optimizer's state.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from datetime import datetime
from functools import partial
from typing import TYPE_CHECKING, Any

from core.archive import Archive, damaged, write_archive
from core.device import DEVICES, MAX_THREADS, Placement
from core.entries import (
    BROKEN,
    KEY,
    MANIFEST,
    Entry,
    OtherFormatError,
    manifest_bytes,
    metrics_lines,
    read_entry,
    read_file,
    read_manifest,
    read_spec,
    seal,
    spec_bytes,
    weights_name,
)
from core.errors import InputError
from core.hardware import FACT
from core.record_checks import check_records
from core.run import RunSpec
from core.torch_thread import in_torch_thread

if TYPE_CHECKING:
    from core.store import Store

EXPORTED_WEIGHTS = 26_000_000  # bytes: what is exported can be imported, see MOST_BYTES
MOST_FACTS = 12  # about the hardware
YEARS = range(2016, 2200)  # in which PyTorch trains
_FACT_NAME = re.compile(r"[a-z_]{1,20}")
_TORCH = re.compile(r"[0-9A-Za-z.+_-]{1,40}")
_DTYPES = ("float32", "bfloat16")
_LAYOUTS = ("contiguous", "channels_last")


def export_run(key: str, store: Store) -> bytes:
    """Return a run from any layer of the store as an archive, with all of its kept weights.

    Where they have more than EXPORTED_WEIGHTS bytes, only those after the first, the best and the last epoch go along.
    Raises InputError where there is no such run.
    """
    entry = store.find(key)
    if entry is None or not entry.epochs:
        raise InputError("There is no run {key} to export; it needs one finished epoch.", key=key[:16])
    epochs = set(entry.weight_epochs)
    if entry.checkpoint and len(entry.checkpoint.weights) * len(epochs) > EXPORTED_WEIGHTS:
        epochs &= {1, entry.best_epoch, entry.epochs[-1].epoch}
    return pack_run(entry, {epoch: store.weights(key, epoch) for epoch in sorted(epochs)})


def pack_run(entry: Entry, weights: Mapping[int, bytes]) -> bytes:
    """Return an archive of a run with the weights after these epochs, which may be none."""
    files = {
        "spec.json": spec_bytes(entry.original_key, entry.spec, entry.placement),
        "metrics.jsonl": metrics_lines(entry.batches, entry.epochs, entry.insides),
        **{weights_name(epoch): content for epoch, content in weights.items()},
    }
    manifest = {
        "key": entry.original_key,
        "state": "done" if entry.state == "done" else "cancelled",
        "owner": "export",
        "epochs": len(entry.epochs),
        "best_accuracy": max(epoch.test_accuracy for epoch in entry.epochs),
        "when": entry.when.isoformat(),
        "hardware": dict(entry.hardware),
        "files": {name: seal(content) for name, content in files.items()},
    }
    return write_archive({MANIFEST: manifest_bytes(manifest), **files})


def read_exported(content: bytes) -> Entry:
    """Return the run of an archive after checking all that it says; its key is that of an imported run.

    Raises InputError, with a sentence, for everything else that somebody may upload.
    """
    archive = Archive(content)
    for name in (MANIFEST, "spec.json", "metrics.jsonl"):
        if name not in archive.names:
            raise InputError("{name} is missing from the archive; export the run again.", name=name)
    try:
        return _read(archive)
    except OtherFormatError as error:
        raise InputError(
            "This run was exported by another version of the program, which this one cannot read."
        ) from error
    except InputError:
        raise
    except BROKEN as error:
        raise InputError("The archive does not hold what an exported run holds; export the run again.") from error


def import_run(content: bytes, store: Store) -> str:
    """Keep an exported run apart from those that were trained here; return the key under which it can be opened.

    Raises InputError for what is no exported run, and where the disk is full.
    """
    entry = read_exported(content)
    archive = Archive(content)
    store.add_imported(entry.key, {name: archive.read(name) for name in archive.names})
    return entry.key


def _read(archive: Archive) -> Entry:
    manifest = read_manifest(archive.read)
    _check_manifest(manifest, archive.names)
    for name in manifest["files"]:
        if seal(archive.read(name)) != manifest["files"][name]:
            raise damaged(name)
    _check_placement(read_spec(archive.read, manifest)[1])  # the spec has refused bad values of its own by then
    key = "i" + seal(archive.read(MANIFEST))["sha256"][:15]
    entry = read_entry(key, archive.read, manifest)
    check_records(entry)
    if manifest["epochs"] != len(entry.epochs) or not set(entry.weight_epochs) <= set(range(1, len(entry.epochs) + 1)):
        raise ValueError("the epochs differ")
    weights = (read_file(archive.read, manifest, weights_name(epoch)) for epoch in entry.weight_epochs)
    check_weights(entry.spec, weights)
    return entry


def _check_manifest(manifest: Mapping[str, Any], names: Iterable[str]) -> None:
    """Raise ValueError where the manifest is not one of an exported run of these files."""
    best, facts = manifest["best_accuracy"], manifest["hardware"]
    known = (
        set(manifest["files"]) | {MANIFEST} == set(names)
        and KEY.fullmatch(manifest["key"]) is not None
        and manifest["state"] in ("done", "cancelled")
        and manifest["owner"] == "export"
        and type(manifest["epochs"]) is int
        and isinstance(best, float | int)
        and 0 <= best <= 1
        and datetime.fromisoformat(manifest["when"]).tzinfo is not None
        and datetime.fromisoformat(manifest["when"]).year in YEARS
        and len(facts) <= MOST_FACTS
    )
    if not known or not all(_FACT_NAME.fullmatch(name) and FACT.fullmatch(fact) for name, fact in facts.items()):
        raise ValueError("the manifest")


def _check_placement(placement: Placement) -> None:
    known = (
        placement.device in DEVICES
        and placement.dtype in _DTYPES
        and placement.layout in _LAYOUTS
        and type(placement.threads) is int
        and 1 <= placement.threads <= MAX_THREADS
        and _TORCH.fullmatch(placement.torch) is not None
        and not placement.reasons
    )
    if not known:
        raise ValueError("the placement")


def check_weights(spec: RunSpec, weights: Iterable[bytes]) -> None:
    """Raise InputError where weights are not those of the spec's network, name by name and shape by shape.

    safetensors is a table of names, types and shapes before plain numbers; nothing in it is ever run.
    """
    from safetensors import SafetensorError, deserialize

    expected = in_torch_thread(partial(_shapes, spec))
    for content in weights:
        try:
            found = {name: (tensor["dtype"], tuple(tensor["shape"])) for name, tensor in deserialize(content)}  # type: ignore[no-untyped-call]  # it has no types
        except SafetensorError as error:
            raise ValueError("the weights") from error
        if {name: shape for name, (_, shape) in found.items()} != expected:
            raise InputError("The weights in the archive are not those of the network that it names.")
        if not {dtype for dtype, _ in found.values()} <= {"F32", "I64"}:
            raise ValueError("the type of the weights")


def _shapes(spec: RunSpec) -> dict[str, tuple[int, ...]]:
    """Return the names and shapes of the weights of the spec's network. Loads torch."""
    from core.train import build_network

    return {name: tuple(tensor.shape) for name, tensor in build_network(spec).state_dict().items()}
