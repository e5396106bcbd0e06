import hashlib
import re
import shutil

import numpy as np
import pytest

from core import datasets
from core.datasets import DATA, diabetes, mnist, read_checked
from core.errors import InputError


def test_mnist_is_what_torchvision_reads(tmp_path):
    import gzip

    from core.torchvision_ops import prepare_torchvision

    prepare_torchvision()
    from torchvision.datasets import MNIST

    raw = tmp_path / "MNIST" / "raw"
    raw.mkdir(parents=True)
    for path in (DATA / "mnist").glob("*.gz"):
        (raw / path.stem).write_bytes(gzip.decompress(path.read_bytes()))
    data = mnist()
    for train, images, labels in (
        (True, data.train_images, data.train_labels),
        (False, data.test_images, data.test_labels),
    ):
        reference = MNIST(tmp_path, train=train)
        assert np.array_equal(images, reference.data.numpy())
        assert np.array_equal(labels, reference.targets.numpy())
        assert images.dtype == np.uint8


def test_mean_and_deviation_are_those_of_the_training_pixels():
    pixels = mnist().train_images / 255
    assert pixels.mean() == pytest.approx(datasets.MEAN, abs=5e-5)
    assert pixels.std() == pytest.approx(datasets.STD, abs=5e-5)


def test_diabetes_table_has_the_published_counts():
    table = diabetes()
    assert table.x.shape == (768, 8)
    assert len(table.names) == 8
    assert (table.y == 1).sum() == 268  # as published: 268 of 768
    assert np.isfinite(table.x).all()


def test_every_shipped_file_is_listed_with_its_checksum():
    listed = {}
    for sums in (DATA / "SHA256SUMS", DATA / "runs" / "SHA256SUMS"):  # the runs are made by a command, which lists them
        lines = (line.split(maxsplit=1) for line in sums.read_text().splitlines())
        listed |= {sums.parent / name: digest for digest, name in lines}
    shipped = [path for path in DATA.rglob("*") if path.is_file() and path.name not in ("SHA256SUMS", "README.md")]
    assert {path: hashlib.sha256(path.read_bytes()).hexdigest() for path in shipped} == listed


def test_a_missing_file_is_named(tmp_path):
    shutil.copy(DATA / "SHA256SUMS", tmp_path)
    with pytest.raises(InputError, match=re.escape(f"{tmp_path / 'pima_diabetes.csv'} cannot be read")):
        read_checked("pima_diabetes.csv", tmp_path)


def test_a_damaged_file_is_named(tmp_path):
    shutil.copy(DATA / "SHA256SUMS", tmp_path)
    content = bytearray((DATA / "pima_diabetes.csv").read_bytes())
    content[1000] ^= 1
    (tmp_path / "pima_diabetes.csv").write_bytes(content)
    with pytest.raises(InputError, match=r"pima_diabetes\.csv is damaged"):
        read_checked("pima_diabetes.csv", tmp_path)
