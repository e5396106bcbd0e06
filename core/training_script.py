"""The complete PyTorch script of a training run, to read, copy and run anywhere.

It takes the same steps as core.train on the same images, so its numbers are the ones on the page; a test runs it.
"""

from string import Template

from core.device import Placement, find_placement
from core.models import MODELS
from core.run import RunSpec

_SCRIPT = Template('''\
"""Train a network on MNIST and test it after each epoch.

Needs torch and torchvision. Downloads MNIST (11 MB) where the folder does not have it:
python train.py --root FOLDER
"""

import argparse

import torch
from torch import nn
from torch.nn import functional as F

try:
    from torchvision import datasets
except RuntimeError:  # torchvision's compiled operators do not fit a CPU build of torch; MNIST needs none of them
    for name in ("nms", "qnms"):
        torch.library.define(f"torchvision::{name}", "(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")
    from torchvision import datasets

DEVICE = "$device"
EPOCHS = $epochs
BATCH_SIZE = $batch_size
LR = $lr
MOMENTUM = $momentum
TRAIN_IMAGES = $train_images
SEED = $seed

torch.set_num_threads($threads)


$network


def load(root, train):
    """Return all images as bytes (N, 1, 28, 28) and their labels (N,), on the device."""
    data = datasets.MNIST(root, train=train, download=True)
    return data.data.unsqueeze(1).to(DEVICE), data.targets.to(DEVICE)


def normalise(images):
    """Bytes 0..255 -> about mean 0 and deviation 1 over the training set."""
    x = images.to(torch.float32$memory_format)
    return (x / 255 - 0.1307) / 0.3081


def scores(model, images):
    """Images (B, 1, 28, 28) -> one score per digit (B, 10)."""
$forward


def test(model, images, labels):
    """Return the mean loss and the share of images that are recognised."""
    with torch.no_grad():
        output = torch.cat([scores(model, part) for part in images.split(1000)])  # (N, 10)
        return F.cross_entropy(output, labels).item(), (output.argmax(1) == labels).sum().item() / len(labels)


def main(root):
    """Train; return (train loss, test loss, test accuracy) for each epoch."""
    images, labels = load(root, train=True)
    images, labels = images[:TRAIN_IMAGES], labels[:TRAIN_IMAGES]
    test_images, test_labels = load(root, train=False)
    torch.manual_seed(SEED)
    model = $class_name().to(DEVICE$memory_format)
    optimizer = torch.optim.SGD(model.parameters(), lr=LR, momentum=MOMENTUM)
    shuffle = torch.Generator().manual_seed(SEED)
    history = []
    for epoch in range(1, EPOCHS + 1):
        total = 0.0
        order = torch.randperm(len(images), generator=shuffle).to(DEVICE)
        for index in order.split(BATCH_SIZE):
            loss = F.cross_entropy(scores(model, images[index]), labels[index])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            total += loss.item() * len(index)
        history.append((total / len(images), *test(model, test_images, test_labels)))
        print("epoch %d: train loss %.6f, test loss %.6f, test accuracy %.4f" % (epoch, *history[-1]))
    return history


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--root", default="data", help="folder for MNIST (%(default)s)")
    main(parser.parse_known_args()[0].root)  # a notebook's kernel has arguments of its own
''')

_FORWARD = {
    "float32": "    return model(normalise(images))",
    "bfloat16": "    with torch.autocast(DEVICE, torch.bfloat16):  # weights and updates stay in float32\n"
    "        return model(normalise(images)).float()",
}
_MEMORY_FORMAT = {"contiguous": "", "channels_last": ", memory_format=torch.channels_last"}


def training_script(spec: RunSpec, placement: Placement | None = None) -> str:
    """Return the script of a run as it is computed at `placement`, by default where the server computes it."""
    placement = placement or find_placement(shared=True)
    model = MODELS[spec.model]
    return _SCRIPT.substitute(
        spec.as_dict(),
        device=placement.device,
        threads=placement.threads,
        network=model.source(),
        class_name=model.class_name,
        memory_format=_MEMORY_FORMAT[placement.layout],
        forward=_FORWARD[placement.dtype],
    )
