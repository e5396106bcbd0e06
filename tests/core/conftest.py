"""What the tests of published sets of images share."""

import shutil

import pytest

from core import image_data
from tests.core.published_sets import made_up


@pytest.fixture
def home(tmp_path, monkeypatch):
    """A store of its own, without any set of images but MNIST."""
    monkeypatch.setenv("TORCHSCAPE_HOME", str(tmp_path))
    image_data._read_kept.cache_clear()
    yield tmp_path
    image_data._read_kept.cache_clear()
    shutil.rmtree(tmp_path / "data", ignore_errors=True)  # large


@pytest.fixture(scope="module")
def fashion():
    """A stand-in for FashionMNIST."""
    return made_up("fashion")


@pytest.fixture(scope="module")
def cifar():
    """A stand-in for CIFAR-10."""
    return made_up("cifar10")
