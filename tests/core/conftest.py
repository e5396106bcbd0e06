"""What the tests share that need images: few of MNIST's, or stand-ins for sets that are published elsewhere."""

import shutil

import pytest

from core import image_data
from core.datasets import mnist_array
from tests.core.published_sets import FEW, made_up


@pytest.fixture
def few_tests(monkeypatch):
    """Test with few images only."""
    less = {field: mnist_array(field)[:FEW] for field in ("test_images", "test_labels")}
    monkeypatch.setattr(image_data, "mnist_array", lambda field: less.get(field, mnist_array(field)))


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
