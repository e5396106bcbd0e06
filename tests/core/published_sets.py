"""Small stand-ins for the published sets of images: as many images as the real ones have, but easily compressed."""

import gzip
import hashlib
import io
import shutil
import struct
import tarfile
from contextlib import contextmanager

import numpy as np

from core.image_data import Part, folder, keep
from core.image_sets import DATASETS, TEST_IMAGES

IDX_FILES = (
    ("train-images-idx3-ubyte.gz", "train", "images"),
    ("train-labels-idx1-ubyte.gz", "train", "labels"),
    ("t10k-images-idx3-ubyte.gz", "test", "images"),
    ("t10k-labels-idx1-ubyte.gz", "test", "labels"),
)
FEW = 200  # test images, where the numbers of training are the point


def made_up(name):
    """Return a set whose images tell their label by a bright square, so that a network can learn it."""
    entry = DATASETS[name]
    return {kind: _part(entry.shape, count) for kind, count in (("train", entry.train_images), ("test", TEST_IMAGES))}


@contextmanager
def kept(name):
    """Keep a made-up set as if it had been downloaded, and remove it in the end: CIFAR-10 takes 184 MB."""
    parts = made_up(name)
    keep(name, parts)
    try:
        yield parts
    finally:
        shutil.rmtree(folder(name))


def _part(shape, count):
    labels = (np.arange(count) * 7 % 10).astype(np.uint8)
    patterns = np.zeros((10, *shape), np.uint8)
    for label in range(10):
        top, left = divmod(label, 4)
        patterns[label, label % shape[0], 8 * top : 8 * top + 7, 7 * left : 7 * left + 6] = 200 + label
    return Part(images=patterns[labels], labels=labels)


def idx_files(parts):
    """Return the four files of a set like MNIST, by name."""
    files = {}
    for name, kind, field in IDX_FILES:
        array = getattr(parts[kind], field)
        array = array[:, 0] if field == "images" else array
        header = struct.pack(f">HBB{array.ndim}I", 0, 8, array.ndim, *array.shape)
        files[name] = gzip.compress(header + array.tobytes(), compresslevel=1)
    return files


def cifar_files(parts, extra=b""):
    """Return CIFAR-10's archive, by name: pickles as Python 2 wrote them. `extra` goes into each pickle first."""
    groups = {f"data_batch_{number + 1}": (parts["train"], 10_000 * number) for number in range(5)}
    groups["test_batch"] = parts["test"], 0
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz", compresslevel=1) as archive:
        for name, (part, start) in groups.items():
            rows = part.images[start : start + 10_000].reshape(10_000, -1)
            content = python2_pickle(rows, part.labels[start : start + 10_000], extra)
            member = tarfile.TarInfo(f"cifar-10-batches-py/{name}")
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    return {"cifar-10-python.tar.gz": buffer.getvalue()}


def python2_pickle(rows, labels, extra=b""):
    """Write {"data": rows, "labels": [...]} as Python 2's pickle does with protocol 2: texts are bytes."""

    def text(content):
        return b"U" + bytes([len(content)]) + content

    def number(value):
        return b"J" + struct.pack("<i", value)

    array = (
        b"cnumpy.core.multiarray\n_reconstruct\ncnumpy\nndarray\nK\x00\x85" + text(b"b") + b"\x87R"
        b"(K\x01" + number(rows.shape[0]) + number(rows.shape[1]) + b"\x86"
        b"cnumpy\ndtype\n" + text(b"u1") + b"K\x00K\x01\x87R(K\x03" + text(b"|") + b"NNN" + 2 * number(-1) + b"K\x00tb"
        b"\x89T" + struct.pack("<i", rows.nbytes) + rows.tobytes() + b"tb"
    )
    listed = b"](" + b"".join(b"K" + bytes([label]) for label in labels) + b"e"
    return b"\x80\x02" + extra + b"}(" + text(b"data") + array + text(b"labels") + listed + b"u."


def md5(content):
    return hashlib.md5(content, usedforsecurity=False).hexdigest()
