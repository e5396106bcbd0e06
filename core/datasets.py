"""The data that ship with the project: MNIST and the diabetes table, checked before they are used."""

from __future__ import annotations

import gzip
import struct
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.caching import cached
from core.errors import InputError
from core.files import sha256

DATA = Path(__file__).resolve().parents[1] / "data"
MEAN, STD = 0.1307, 0.3081  # of MNIST's training pixels in 0..1; course: "多分类问题"

_MNIST_FILES = {
    "train_images": ("mnist/train-images-idx3-ubyte.gz", (60_000, 28, 28)),
    "train_labels": ("mnist/train-labels-idx1-ubyte.gz", (60_000,)),
    "test_images": ("mnist/t10k-images-idx3-ubyte.gz", (10_000, 28, 28)),
    "test_labels": ("mnist/t10k-labels-idx1-ubyte.gz", (10_000,)),
}


@dataclass(frozen=True, kw_only=True)
class Mnist:
    """Handwritten digits: pixels 0 (paper) to 255 (ink), labels 0 to 9."""

    train_images: NDArray[np.uint8]  # (60000, 28, 28)
    train_labels: NDArray[np.uint8]  # (60000,)
    test_images: NDArray[np.uint8]  # (10000, 28, 28)
    test_labels: NDArray[np.uint8]  # (10000,)


@dataclass(frozen=True, kw_only=True)
class Diabetes:
    """Measurements of 768 women and whether diabetes showed within five years."""

    names: tuple[str, ...]  # of the columns of x, with their units
    x: NDArray[np.float64]  # (768, 8)
    y: NDArray[np.float64]  # (768,), 0 or 1


def mnist() -> Mnist:
    """Return all of MNIST, 55 MB; see `mnist_array`."""
    return Mnist(**{field: mnist_array(field) for field in _MNIST_FILES})


@cached(maxsize=len(_MNIST_FILES))
def mnist_array(field: str) -> NDArray[np.uint8]:
    """Read one field of `Mnist` into memory, once a process; it is shared, so treat it as read-only.

    Raises InputError that names the file where it is missing or damaged.
    """
    name, shape = _MNIST_FILES[field]
    return _read_idx(name, shape)


@cached(maxsize=1)
def diabetes() -> Diabetes:
    """Read the diabetes table. Raises InputError where the file is missing or damaged."""
    header, *rows = read_checked("pima_diabetes.csv").decode().split()
    table = np.array([row.split(",") for row in rows], dtype=np.float64)  # (768, 9)
    return Diabetes(names=tuple(header.split(",")[:-1]), x=table[:, :-1], y=table[:, -1])


def read_checked(name: str, folder: Path | None = None) -> bytes:
    """Return the bytes of a file in data/ (or `folder`) whose SHA-256 is the one that SHA256SUMS there says.

    Raises InputError that names the file where it is missing, damaged or not listed.
    """
    folder = folder or DATA
    try:
        content = (folder / name).read_bytes()
        sums = (folder / "SHA256SUMS").read_text()
    except OSError as error:
        raise InputError(
            "The data file {path} cannot be read; copy it there again from the project.", path=error.filename
        ) from error
    expected = {path: digest for digest, path in (line.split(maxsplit=1) for line in sums.splitlines())}
    if sha256(content) != expected.get(name):
        raise InputError(
            "The data file {path} is damaged (its checksum differs); copy it there again from the project.",
            path=folder / name,
        )
    return content


def _read_idx(name: str, shape: tuple[int, ...]) -> NDArray[np.uint8]:
    """Read an idx file of bytes: two zeros, the type 8, the number of axes, each axis as 4 bytes, then the values."""
    content = gzip.decompress(read_checked(name))
    header = 4 + 4 * len(shape)
    if struct.unpack(f">HBB{len(shape)}I", content[:header]) != (0, 8, len(shape), *shape):
        raise InputError("The data file {path} does not hold images of the expected shape.", path=DATA / name)
    array: NDArray[Any] = np.frombuffer(content, dtype=np.uint8, offset=header)
    return array.reshape(shape)
