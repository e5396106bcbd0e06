"""Reads sets of images in the form in which they are published: idx files, and CIFAR-10's archive of pickles.

A pickle can run any program when it is read, and CIFAR-10 as torchvision downloads it consists of pickles (the version
without them is another download, of which torchvision has no checksum). So the archive is read after its checksum was
found to be the published one, nothing of it is written to the disk, and from its pickles come arrays, texts, numbers
and lists, and nothing else: `_Unpickler` knows no other name.
"""

from __future__ import annotations

import gzip
import io
import pickle
import struct
import tarfile
import zlib
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from core.image_data import Bytes, Part

BROKEN = (OSError, EOFError, ValueError, LookupError, TypeError, AttributeError, struct.error, zlib.error,
          tarfile.TarError, pickle.UnpicklingError)  # what a file that is none of these may raise  # fmt: skip
CIFAR_FILES = {"train": tuple(f"data_batch_{number}" for number in range(1, 6)), "test": ("test_batch",)}
CIFAR_BATCH = 40_000_000  # bytes; the real ones have 31,000,000


def read_idx_set(folder: Path) -> dict[str, Part]:
    """Read the four files of MNIST and the sets that were made like it. Raises one of BROKEN for anything else."""
    return {
        kind: Part(
            images=read_idx(folder / f"{prefix}-images-idx3-ubyte.gz")[:, None],
            labels=read_idx(folder / f"{prefix}-labels-idx1-ubyte.gz"),
        )
        for kind, prefix in (("train", "train"), ("test", "t10k"))
    }


def read_idx(path: Path) -> Bytes:
    """Read an idx file of bytes: two zeros, the type 8, the number of axes, each axis as 4 bytes, then the values."""
    content = gzip.decompress(path.read_bytes())
    zeros, kind, axes = struct.unpack(">HBB", content[:4])
    if (zeros, kind) != (0, 8) or axes not in (1, 3):
        raise ValueError(f"{path.name} is no idx file of bytes")
    shape = struct.unpack(f">{axes}I", content[4 : 4 + 4 * axes])
    return np.frombuffer(content, dtype=np.uint8, offset=4 + 4 * axes).reshape(shape)


def read_cifar(folder: Path) -> dict[str, Part]:
    """Read cifar-10-python.tar.gz. Raises one of BROKEN for anything else."""
    batches: dict[str, Mapping[bytes, Any]] = {}
    wanted = {name for names in CIFAR_FILES.values() for name in names}
    with tarfile.open(folder / "cifar-10-python.tar.gz", "r:gz") as archive:
        for member in archive:
            directory, _, name = member.name.rpartition("/")
            if directory == "cifar-10-batches-py" and name in wanted and member.size <= CIFAR_BATCH:
                file = archive.extractfile(member)  # into memory; a link or a folder has no content
                batches[name] = _Unpickler(io.BytesIO(file.read() if file else b""), encoding="bytes").load()
    return {kind: _cifar_part([batches[name] for name in names]) for kind, names in CIFAR_FILES.items()}


def _cifar_part(batches: list[Mapping[bytes, Any]]) -> Part:
    """Join batches; each has rows of 3,072 bytes: 1,024 of red, row by row, then of green, then of blue."""
    images = np.concatenate([np.asarray(batch[b"data"]) for batch in batches])
    labels = np.concatenate([np.asarray(batch[b"labels"], dtype=np.int64) for batch in batches])
    if images.dtype != np.uint8 or labels.min() < 0 or labels.max() > 255:
        raise ValueError("no bytes")
    return Part(images=images.reshape(-1, 3, 32, 32), labels=labels.astype(np.uint8))


class _Unpickler(pickle.Unpickler):
    """Knows what an array is made of, and nothing else."""

    def find_class(self, module: str, name: str) -> Any:  # noqa: ANN401 - as pickle has it
        """Return one of three classes. Raises UnpicklingError for every other name."""
        known: dict[tuple[str, str], Callable[..., Any]] = {
            ("numpy.core.multiarray", "_reconstruct"): np.empty(0).__reduce__()[0],  # type: ignore[dict-item]  # a function
            ("numpy", "ndarray"): np.ndarray,
            ("numpy", "dtype"): np.dtype,
        }
        if (module, name) not in known:
            raise pickle.UnpicklingError(f"{module}.{name} does not belong in a set of images")
        return known[module, name]
