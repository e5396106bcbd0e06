"""The complete PyTorch script of a training run, to read, copy and run anywhere.

It takes the same steps as core.train on the same images, so its numbers are the ones on the page; a test runs it. What
a run does not use (a schedule, augmentation, patience) is not in its script.
"""

import ast
from collections.abc import Mapping
from pathlib import Path
from string import Template
from typing import Any

from core.device import Placement, find_placement
from core.models import MODELS
from core.optimizers import find_optimizer, find_schedule
from core.run import RunSpec

_SCRIPT = Template('''\
"""Train a network on $title and test it after each epoch.

Needs torch and torchvision. $where
python $name.py --root FOLDER
"""

import argparse
$imports
import torch
from torch import nn
from torch.nn import functional as F

try:
    from torchvision import datasets
except RuntimeError:  # torchvision's compiled operators do not fit a CPU build of torch; data need none of them
    for name in ("nms", "qnms"):
        torch.library.define(f"torchvision::{name}", "(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")
    from torchvision import datasets

DEVICE = "$device"
EPOCHS = $epochs
BATCH_SIZE = $batch_size
LR = $lr
TRAIN_IMAGES = $train_images
SEED = $seed
$constants$channels
torch.set_num_threads($threads)


$network


${read_files}def load(root, train):
    """Return all images as bytes (N, $shape) and their labels (N,), on the device."""
$files_first    data = datasets.$class_name(root, train=train, download=True)
    return $loaded


${augmentation}def normalise(images):
    """Values 0..255 -> about mean 0 and deviation 1 over the training set."""
    x = images.to(torch.float32$memory_format)
    return (x / 255 - $mean) / $std


def scores(model, images):
    """Images (B, $shape) -> one score per class (B, 10)."""
$forward


def test(model, images, labels):
    """Return the mean loss and the share of images that are recognised."""
    model.eval()
    with torch.no_grad():
        output = torch.cat([scores(model, part) for part in images.split(1000)])  # (N, 10)
        return F.cross_entropy(output, labels).item(), (output.argmax(1) == labels).sum().item() / len(labels)


def main(root):
    """Train; return (train loss, test loss, test accuracy) for each epoch."""
    images, labels = load(root, train=True)
    images, labels = images[:TRAIN_IMAGES], labels[:TRAIN_IMAGES]
    test_images, test_labels = load(root, train=False)
    torch.manual_seed(SEED)
    model = $call.to(DEVICE$memory_format)
    optimizer = torch.optim.$optimizer
$make_schedule    generator = torch.Generator().manual_seed(SEED)
    history = []
    for epoch in range(1, EPOCHS + 1):
        model.train()
        total = 0.0
        order = torch.randperm(len(images), generator=generator).to(DEVICE)
        for index in order.split(BATCH_SIZE):
$make_batch            loss = F.cross_entropy(scores(model, $batch), labels[index])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
$step_schedule            total += loss.item() * len(index)
        history.append((total / len(images), *test(model, test_images, test_labels)))
        print("epoch %d: train loss %.6f, test loss %.6f, test accuracy %.4f" % (epoch, *history[-1]))
$stop_early    return history


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--root", default="data", help="folder for the data (%(default)s)")
    main(parser.parse_known_args()[0].root)  # a notebook's kernel has arguments of its own
''')

_FORWARD = {
    "float32": "    return model(normalise(images))",
    "bfloat16": "    with torch.autocast(DEVICE, torch.bfloat16):  # weights and updates stay in float32\n"
    "        return model(normalise(images)).float()",
}
_MEMORY_FORMAT = {"contiguous": "", "channels_last": ", memory_format=torch.channels_last"}
_LOADED = {  # by the number of channels: torchvision has grey images as (N, H, W), those in colour as (N, H, W, C)
    1: "data.data.unsqueeze(1).to(DEVICE), data.targets.to(DEVICE)",
    3: "torch.tensor(data.data).permute(0, 3, 1, 2).contiguous().to(DEVICE), torch.tensor(data.targets).to(DEVICE)",
}
_MNIST_MEGABYTES = 11  # of torchvision's download; here it ships with the project
_WHERE = "Downloads $title ($megabytes MB) where FOLDER does not have it as torchvision keeps it."
_WHERE_OF_FILES = """\
Reads $title from FOLDER: the four .gz files that it is
published as, or $class_name/raw as torchvision keeps it, which downloads it ($megabytes MB) where neither is there."""
_READ_FILES = '''\
def read(path, header):
    """Return the bytes of an idx file after its header."""
    return torch.frombuffer(bytearray(gzip.decompress(path.read_bytes())), dtype=torch.uint8)[header:]


'''
_FILES_FIRST = """\
    part = "train" if train else "t10k"
    images, labels = (Path(root) / f"{part}-{kind}-ubyte.gz" for kind in ("images-idx3", "labels-idx1"))
    if images.exists():
        return read(images, 16).view(-1, $shape).to(DEVICE), read(labels, 8).long().to(DEVICE)
"""
_STOP_EARLY = """\
        accuracies = [accuracy for *_, accuracy in history]
        if epoch - 1 - accuracies.index(max(accuracies)) >= PATIENCE:
            break
"""


def training_script(spec: RunSpec, placement: Placement | None = None, name: str = "training") -> str:
    """Return the script of a run, for a file `name`.py.

    It is for a computation at `placement`, by default where the server computes.
    """
    placement = placement or find_placement(shared=True)
    model = MODELS[spec.model]
    return _SCRIPT.substitute(
        spec.as_dict(),
        name=name,
        imports=_imports(spec),
        device=placement.device,
        threads=placement.threads,
        constants="".join(f"{name} = {value}\n" for name, value in _constants(spec).items()),
        network=model.source(spec.options),
        call=model.call(spec.arguments),
        **_images(spec),
        memory_format=_MEMORY_FORMAT[placement.layout],
        forward=_FORWARD[placement.dtype],
        optimizer=_optimizer(spec),
        **_schedule(spec),
        **_augmentation(spec),
        stop_early=_STOP_EARLY if spec.patience else "",
    )


def _imports(spec: RunSpec) -> str:
    """Return what only some scripts import from the standard library, in alphabetical order."""
    grey = spec.images.shape[0] == 1
    lines = {"import gzip\n": grey, "import math\n": spec.augments, "from pathlib import Path\n": grey}
    return "".join(line for line, needed in lines.items() if needed)


def _images(spec: RunSpec) -> dict[str, Any]:
    """Return how the images are read and normalised; grey sets are published as files that are simple to read."""
    images = spec.images
    grey = images.shape[0] == 1
    values = {
        "title": images.title,
        "megabytes": images.megabytes or _MNIST_MEGABYTES,
        "shape": ", ".join(map(str, images.shape)),
        "class_name": images.class_name,
    }
    several = len(images.mean) > 1
    channels = [
        f"{name} = torch.tensor({list(values)}, device=DEVICE).view(-1, 1, 1)  # of each channel\n"
        for name, values in (("MEAN", images.mean), ("STD", images.std))
    ]
    return {
        **values,
        "where": Template(_WHERE_OF_FILES if grey else _WHERE).substitute(values),
        "read_files": _READ_FILES if grey else "",
        "files_first": Template(_FILES_FIRST).substitute(values) if grey else "",
        "loaded": _LOADED[images.shape[0]],
        "mean": "MEAN" if several else images.mean[0],
        "std": "STD" if several else images.std[0],
        "channels": "".join(channels) if several else "",
    }


def _constants(spec: RunSpec) -> dict[str, Any]:
    """Return what only some runs have, by its name in the script."""
    constants: dict[str, Any] = {}
    if spec.augments:
        constants |= {"SHIFT": spec.shift, "ROTATE": spec.rotate}
    if spec.patience:
        constants["PATIENCE"] = spec.patience
    return constants


def _optimizer(spec: RunSpec) -> str:
    entry = find_optimizer(spec.optimizer)
    return f"{entry.class_name}(model.parameters(), {_arguments({'lr': 'LR'} | _shown(entry.arguments(spec)))})"


def _schedule(spec: RunSpec) -> dict[str, str]:
    entry, steps = find_schedule(spec.schedule), spec.epochs * spec.steps_per_epoch
    if not entry.class_name:
        return {"make_schedule": "", "step_schedule": ""}
    call = f"{entry.class_name}(optimizer, {_arguments(_shown(entry.arguments(spec.lr, steps)))})"
    return {
        "make_schedule": f"    # The schedule's numbers are for {steps} steps: EPOCHS times the batches of an epoch.\n"
        f"    schedule = torch.optim.lr_scheduler.{call}\n",
        "step_schedule": " " * 12 + "schedule.step()\n",
    }


def _augmentation(spec: RunSpec) -> dict[str, str]:
    if not spec.augments:
        return {"augmentation": "", "make_batch": "", "batch": "images[index]"}
    text = Path(__file__).with_name("augmentation.py").read_text(encoding="utf-8")
    functions = {node.name: node for node in ast.parse(text).body if isinstance(node, ast.FunctionDef)}
    sources = [ast.get_source_segment(text, functions[name]) for name in ("augment", "draw", "turn_and_move")]
    return {
        "augmentation": "".join(f"{source}\n\n\n" for source in sources),
        "make_batch": " " * 12 + "batch = augment(images[index].float(), generator, SHIFT, ROTATE)\n",
        "batch": "batch",
    }


def _shown(values: Mapping[str, Any]) -> dict[str, str]:
    return {name: repr(value) for name, value in values.items()}


def _arguments(values: Mapping[str, str]) -> str:
    return ", ".join(f"{name}={value}" for name, value in values.items())
