import json
import re
import shutil
import tarfile

import numpy as np
import pytest
import torch

from core import published
from core.errors import InputError
from core.image_data import MANIFEST, PARTS, Part, folder, is_here, keep, read_part, truth, was_damaged
from core.image_sets import CLASSES, DATASETS, TEST_IMAGES, find_image_set
from core.models import DIGIT, MODELS
from core.run import RunSpec
from tests.core.published_sets import cifar_files, idx_files, md5


def test_each_set_is_described_wholly():
    for name, entry in DATASETS.items():
        assert len(entry.classes) == len(set(entry.classes)) == CLASSES
        assert len(entry.mean) == len(entry.std) == entry.shape[0]
        assert find_image_set(name) is entry
    with pytest.raises(InputError, match="must be one of mnist, fashion, kmnist, cifar10, not imagenet"):
        find_image_set("imagenet")


def test_torchvision_names_the_same_classes():
    from core.torchvision_ops import prepare_torchvision

    prepare_torchvision()
    from torchvision import datasets

    assert list(DATASETS["fashion"].classes) == datasets.FashionMNIST.classes
    romanised = dict(
        zip("おきすつなはまやれを", ("o", "ki", "su", "tsu", "na", "ha", "ma", "ya", "re", "wo"), strict=True)
    )
    assert [romanised[letter] for letter in DATASETS["kmnist"].classes] == datasets.KMNIST.classes


def test_mnist_is_here_at_once():
    assert is_here("mnist")
    part = read_part("mnist", "train")
    assert part.images.shape == (60_000, 1, 28, 28)
    assert part.first(3).images.shape == (3, 1, 28, 28)
    assert truth("mnist")[:5].tolist() == [7, 2, 1, 0, 4]


def test_a_set_that_is_not_here_says_how_to_get_it(home):
    assert not is_here("fashion")
    with pytest.raises(InputError, match=r"FashionMNIST is not on this computer.*python -m core data fashion"):
        read_part("fashion", "test")


def test_what_is_kept_is_read_again(home, cifar):
    keep("cifar10", cifar)
    assert is_here("cifar10")
    for kind in PARTS:
        assert np.array_equal(read_part("cifar10", kind).images, cifar[kind].images)
        assert np.array_equal(read_part("cifar10", kind).labels, cifar[kind].labels)
    assert truth("cifar10").dtype == np.int64


@pytest.mark.parametrize("file", ["test.safetensors", MANIFEST])
def test_a_damaged_set_is_noticed_set_aside_and_got_again(home, fashion, file):
    keep("fashion", fashion)
    path = folder("fashion") / file
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 4
    path.write_bytes(content)
    with pytest.raises(InputError, match=r"FashionMNIST.*damaged.*python -m core data fashion"):
        read_part("fashion", "test")
    assert not is_here("fashion")
    assert was_damaged("fashion")
    with pytest.raises(InputError, match="is not on this computer"):
        read_part("fashion", "test")
    keep("fashion", fashion)
    assert is_here("fashion")
    assert not was_damaged("fashion")
    assert read_part("fashion", "test").labels[1] == 7


def test_a_damaged_file_is_noticed_although_its_other_part_was_read(home, fashion):
    keep("fashion", fashion)
    assert len(read_part("fashion", "test").labels) == TEST_IMAGES
    path = folder("fashion") / "train.safetensors"
    path.write_bytes(path.read_bytes()[:-1])
    with pytest.raises(InputError, match="damaged"):
        read_part("fashion", "train")


def test_what_is_not_the_set_is_not_kept(home, fashion):
    with pytest.raises(InputError, match="does not hold the expected images"):
        keep("kmnist", fashion | {"test": Part(images=fashion["test"].images[:9], labels=fashion["test"].labels[:9])})
    assert not is_here("kmnist")


# --- As they are published


def test_idx_files_are_read_as_torchvision_reads_them(tmp_path, fashion):
    import gzip

    from core.torchvision_ops import prepare_torchvision

    prepare_torchvision()
    from torchvision.datasets import FashionMNIST

    raw = tmp_path / "FashionMNIST" / "raw"
    raw.mkdir(parents=True)
    for name, content in idx_files(fashion).items():
        (tmp_path / name).write_bytes(content)
        (raw / name.removesuffix(".gz")).write_bytes(gzip.decompress(content))
    ours = published.read_idx_set(tmp_path)
    for kind in PARTS:
        theirs = FashionMNIST(tmp_path, train=kind == "train")
        assert np.array_equal(ours[kind].images[:, 0], theirs.data.numpy())
        assert np.array_equal(ours[kind].labels, theirs.targets.numpy())


def test_cifar_is_read_as_torchvision_reads_it(tmp_path, monkeypatch, cifar):
    from core.torchvision_ops import prepare_torchvision

    prepare_torchvision()
    from torchvision.datasets import CIFAR10

    (archive,) = cifar_files(cifar).values()
    (tmp_path / "cifar-10-python.tar.gz").write_bytes(archive)
    with tarfile.open(tmp_path / "cifar-10-python.tar.gz") as tar:
        tar.extractall(tmp_path, filter="data")
    batches = tmp_path / "cifar-10-batches-py"
    for listed in ("train_list", "test_list"):
        sums = [[name, md5((batches / name).read_bytes())] for name, _ in getattr(CIFAR10, listed)]
        monkeypatch.setattr(CIFAR10, listed, sums)
    monkeypatch.setattr(CIFAR10, "_load_meta", lambda self: None)
    ours = published.read_cifar(tmp_path)
    for kind in PARTS:
        theirs = CIFAR10(tmp_path, train=kind == "train")
        assert np.array_equal(ours[kind].images, theirs.data.transpose(0, 3, 1, 2))
        assert ours[kind].labels.tolist() == theirs.targets
    shutil.rmtree(batches)  # large


def test_a_pickle_cannot_call_anything(tmp_path, cifar):
    few = {kind: Part(images=part.images[:10_000], labels=part.labels[:10_000]) for kind, part in cifar.items()}
    opened = tmp_path / "opened"
    harm = b"cpathlib\nPath.touch\ncpathlib\nPath\nX" + len(str(opened)).to_bytes(4, "little")
    harm += str(opened).encode() + b"\x85R\x85R0"
    (archive,) = cifar_files({"train": cifar["train"], "test": few["test"]}, harm).values()
    (tmp_path / "cifar-10-python.tar.gz").write_bytes(archive)
    with pytest.raises(published.BROKEN, match="does not belong in a set of images"):
        published.read_cifar(tmp_path)
    assert not opened.exists()


@pytest.mark.parametrize("content", [b"", b"no archive at all", b"\x1f\x8b\x08\x00" + bytes(50)])
def test_what_is_no_published_file_is_refused(tmp_path, content):
    (tmp_path / "cifar-10-python.tar.gz").write_bytes(content)
    (tmp_path / "train-images-idx3-ubyte.gz").write_bytes(content)
    for read in (published.read_cifar, published.read_idx_set):
        with pytest.raises(published.BROKEN):
            read(tmp_path)


# --- Which networks take which images


@pytest.mark.parametrize("name", MODELS)
def test_what_reaches_the_linear_layer_is_what_torch_says(name):
    model = MODELS[name]
    if model.flattened is None:
        network = model.network()(**dict(model.arguments((), (3, 32, 32))))
        assert network(torch.zeros(2, 3, 32, 32)).shape == (2, CLASSES)
        assert RunSpec(model=name, data="cifar10").arguments == (("in_channels", 3),)
        return
    network = model.network()()
    reached = []
    for layer in network.modules():
        if isinstance(layer, torch.nn.Conv2d) and layer.in_channels == 1:
            layer.in_channels, layer.weight = 3, torch.nn.Parameter(layer.weight.expand(-1, 3, -1, -1))
    linear = next(layer for layer in network.modules() if isinstance(layer, torch.nn.Linear))
    assert linear.in_features == model.flattened.numbers(DIGIT)
    linear.register_forward_pre_hook(lambda _layer, inputs: reached.append(inputs[0].shape[1]))
    with pytest.raises(RuntimeError, match="shapes cannot be multiplied"):
        network(torch.zeros(2, 3, 32, 32))
    sentence = f"arrive at its first linear layer as {model.flattened.numbers(DIGIT)} numbers.*as {reached[0]}[.] "
    with pytest.raises(InputError, match=sentence + "Choose one of Stack, DenseNet"):
        RunSpec(model=name, data="cifar10")


def test_a_run_of_mnist_is_the_run_that_it_was():
    assert RunSpec().changed() == {}
    assert RunSpec(data="mnist") == RunSpec()
    assert RunSpec(data="fashion").changed() == {"data": "fashion"}


def test_all_images_are_all_that_a_set_has():
    whole = RunSpec(model="stack", data="cifar10")
    assert whole.train_images == 50_000
    assert RunSpec(**json.loads(json.dumps(whole.as_dict()))) == whole
    with pytest.raises(InputError, match=re.escape("train_images must be a whole number from 100 to 50,000")):
        RunSpec(model="stack", data="cifar10", train_images=55_000)
