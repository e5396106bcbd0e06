"""A data set that is read from disk sample by sample: MNIST, each image compressed by itself, in one file.

It stands for sets of photographs that no memory holds: as the float32 inputs of a network for images of 128 × 128
pixels its 60,000 images are 11.8 GB.
"""

import io
import zlib
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from core.datasets import mnist_array
from core.files import write_file

SIDE = 28  # px of an image on disk
INPUT = (3, 128, 128)  # channels, height, width of what the network is fed
ITEM_BYTES = 4 * INPUT[0] * INPUT[1] * INPUT[2]  # of a sample as float32
_PIXELS, _OFFSETS = "digits.pack", "digits.offsets.npy"


def pack(folder: Path) -> Path:
    """Write the file into a folder where it is missing, 3 s, and return the folder. Raises OSError and InputError."""
    if not (folder / _OFFSETS).exists():
        folder.mkdir(parents=True, exist_ok=True)
        items = [zlib.compress(image.tobytes()) for image in mnist_array("train_images")]
        write_file(folder / _PIXELS, b"".join(items))
        offsets = io.BytesIO()
        np.save(offsets, np.cumsum([0, *(len(item) for item in items)]))
        write_file(folder / _OFFSETS, offsets.getvalue())  # last: where it is, the pixels are whole
    return folder


def packed_bytes(folder: Path) -> int:
    """Return the size of the file."""
    return (folder / _PIXELS).stat().st_size


class OnDemand:
    """Reads an image when it is asked for; in memory is only where each one starts."""

    def __init__(self, folder: Path) -> None:
        """Read where the images start. Raises OSError."""
        self.path = folder / _PIXELS
        self.offsets: NDArray[np.int64] = np.load(folder / _OFFSETS)  # (n + 1,)

    def __getitem__(self, index: int) -> NDArray[np.uint8]:
        start, end = self.offsets[index : index + 2].tolist()
        with self.path.open("rb") as file:
            file.seek(start)
            pixels = zlib.decompress(file.read(end - start))
        return np.frombuffer(pixels, np.uint8).reshape(SIDE, SIDE)

    def __len__(self) -> int:
        return len(self.offsets) - 1

    @property
    def memory(self) -> int:
        """Return the bytes that it keeps in memory."""
        return self.offsets.nbytes


class AllAtOnce:
    """Reads every image in the beginning and keeps all of them."""

    def __init__(self, folder: Path) -> None:
        """Read the file. Raises OSError."""
        images = OnDemand(folder)
        self.images = np.stack([images[index] for index in range(len(images))])  # (n, 28, 28)

    def __getitem__(self, index: int) -> NDArray[np.uint8]:
        image: NDArray[np.uint8] = self.images[index]
        return image

    def __len__(self) -> int:
        return len(self.images)

    @property
    def memory(self) -> int:
        """Return the bytes that it keeps in memory."""
        return self.images.nbytes


WAYS: dict[str, type[OnDemand] | type[AllAtOnce]] = {"demand": OnDemand, "once": AllAtOnce}
