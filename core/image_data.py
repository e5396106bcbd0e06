"""The images and labels of a set: MNIST from the project, others from where core.image_download has put them.

data/<name>/train.safetensors   images (N, C, H, W) and labels (N,), both uint8
data/<name>/test.safetensors    the same of the 10,000 test images
data/<name>/manifest.json       sizes and SHA-256 of the two; it is written last, so that a set is whole or not there

in the folder of core.home. A file that fails its checksum is set aside as <file>.damaged, and its set is not here then.
"""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.caching import cached
from core.datasets import mnist_array
from core.errors import InputError
from core.files import write_file
from core.home import home
from core.image_sets import CLASSES, DATASETS, TEST_IMAGES, find_image_set

PARTS = ("train", "test")
MANIFEST = "manifest.json"
ASIDE = ".damaged"  # after the name of a file that failed its checksum
Bytes = NDArray[np.uint8]


@dataclass(frozen=True, kw_only=True)
class Part:
    """The training images or the test images of a set; the arrays are shared, so treat them as read-only."""

    images: Bytes  # (N, C, H, W), 0 to 255
    labels: Bytes  # (N,), 0 to 9

    def first(self, count: int) -> Part:
        """Return the first so many images."""
        return Part(images=self.images[:count], labels=self.labels[:count])


def folder(name: str) -> Path:
    """Return where a set is kept that did not ship with the project."""
    return home() / "data" / find_image_set(name).class_name


def is_here(name: str) -> bool:
    """Say whether a set can be trained on at once, as far as a look at the names of its files tells."""
    ships = not find_image_set(name).megabytes
    return ships or all((folder(name) / file).exists() for file in (MANIFEST, *map(_file, PARTS)))


def was_damaged(name: str) -> bool:
    """Say whether a set was here and has been set aside since."""
    return not is_here(name) and any(folder(name).glob(f"*{ASIDE}"))


def read_part(name: str, part: str) -> Part:
    """Return the "train" or "test" part of a set, from memory where it was read before; CIFAR-10's train part: 154 MB.

    Raises InputError where the set is not here, and for a damaged file, once, which is set aside.
    """
    if find_image_set(name).megabytes:
        return _read_kept(name, part, folder(name))
    images, labels = (mnist_array(f"{part}_{kind}") for kind in ("images", "labels"))
    return Part(images=images[:, None], labels=labels)


def truth(name: str) -> NDArray[np.int64]:
    """Return the labels of the test images. Raises InputError as `read_part` does."""
    return read_part(name, "test").labels.astype(np.int64)


@lru_cache(maxsize=64)
def training_image(name: str, index: int) -> Bytes:
    """Return one training image (C, H, W), without keeping the others. Raises InputError as `read_part` does."""
    read = read_part if not find_image_set(name).megabytes else _read_alone
    image: Bytes = read(name, "train").images[index].copy()
    return image


def _read_alone(name: str, part: str) -> Part:
    """Read a part that nobody will need again soon."""
    found: Part = _read_kept.__wrapped__(name, part, folder(name))
    return found


@cached(maxsize=3)
def _read_kept(name: str, part: str, place: Path) -> Part:
    import safetensors.numpy

    path = place / _file(part)
    try:
        sealed = json.loads((place / MANIFEST).read_bytes())[part]
        content = path.read_bytes()
        if hashlib.sha256(content).hexdigest() == sealed["sha256"]:
            arrays = safetensors.numpy.load(content)
            return Part(images=arrays["images"], labels=arrays["labels"])
    except FileNotFoundError as error:
        raise missing(name) from error
    except (OSError, ValueError, LookupError, TypeError):  # a damaged manifest, a disk that cannot be read
        pass
    _set_aside(place, part)
    raise InputError(
        "The images of {title} in {folder} are damaged (a checksum differs) and were set aside. Get them again on the "
        "training page under More, or with: python -m core data {name}",
        title=DATASETS[name].title, folder=place, name=name,
    )  # fmt: skip


def missing(name: str) -> InputError:
    """Return the sentence that says how to get a set that is not here."""
    return InputError(
        "{title} is not on this computer. Get it on the training page under More, or with: python -m core data {name}",
        title=DATASETS[name].title,
        name=name,
    )


def check_here(name: str) -> None:
    """Raise InputError where a set is not here."""
    if not is_here(name):
        raise missing(name)


def keep(name: str, parts: dict[str, Part]) -> None:
    """Keep a set. Raises InputError where it is not what the registry says of it, and where the disk is full."""
    import safetensors.numpy

    entry, place = DATASETS[name], folder(name)
    counts = {"train": entry.train_images, "test": TEST_IMAGES}
    manifest: dict[str, Any] = {}
    with room_for(name):
        place.mkdir(parents=True, exist_ok=True)
        for kind, part in parts.items():
            _check(part, (counts[kind], *entry.shape), entry.title)
            content = safetensors.numpy.save({"images": part.images, "labels": part.labels})
            write_file(place / _file(kind), content)
            manifest[kind] = {"bytes": len(content), "sha256": hashlib.sha256(content).hexdigest()}
        write_file(place / MANIFEST, json.dumps(manifest, indent=1).encode())
    for aside in place.glob(f"*{ASIDE}"):
        aside.unlink(missing_ok=True)


@contextmanager
def room_for(name: str) -> Iterator[None]:
    """Turn the system's complaint about a disk into a sentence that says what a set needs."""
    entry = DATASETS[name]
    pixels = (entry.train_images + TEST_IMAGES) * math.prod(entry.shape)
    try:
        yield
    except OSError as error:
        raise InputError(
            "{title} cannot be kept in {folder} ({reason}); it needs about {needed} MB there until it is unpacked. "
            "Free some space, make the folder writable, or set TORCHSCAPE_HOME to another one.",
            title=entry.title,
            folder=folder(name),
            reason=error.strerror or type(error).__name__,
            needed=round(pixels / 1e6) + entry.megabytes,
        ) from error


def _check(part: Part, shape: tuple[int, ...], title: str) -> None:
    labelled = part.labels.shape == shape[:1] and part.labels.max(initial=0) < CLASSES
    if part.images.shape != shape or not labelled or {part.images.dtype, part.labels.dtype} != {np.dtype(np.uint8)}:
        raise InputError("What was published as {title} does not hold the expected images.", title=title)


def _set_aside(place: Path, part: str) -> None:
    """Rename a damaged file, over one that was set aside before; the rest of the set is of no use without it."""
    with suppress(OSError):
        (place / _file(part)).replace(place / (_file(part) + ASIDE))
    with suppress(OSError):
        (place / MANIFEST).unlink()


def _file(part: str) -> str:
    return f"{part}.safetensors"
