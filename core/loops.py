"""The training loop of every textbook and the same steps as core.train takes them, to read and to measure.

The first word of a line's comment names the step that the line belongs to: core.loop_costs adds up their times.
"""

from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from core.datasets import MEAN, STD


def textbook(
    loader: Iterable[tuple[Tensor, Tensor]], model: nn.Module, optimizer: torch.optim.Optimizer, device: str
) -> list[float]:
    """Train on the batches of a DataLoader; return their losses. Course: "MINIST dataset", "使用显卡训练"."""
    criterion = nn.CrossEntropyLoss()
    losses = []
    model.train()
    for images, labels in loader:  # data: reads 64 images one by one
        inputs = images.to(device)  # device: (64, 1, 28, 28)
        target = labels.to(device)  # device: (64,)
        optimizer.zero_grad()  # clear: gradients add up otherwise
        outputs = model(inputs)  # forward: -> (64, 10)
        loss = criterion(outputs, target)  # loss: -> ()
        loss.backward()  # backward: a gradient for each weight
        optimizer.step()  # update: each weight moves
        losses.append(loss.item())  # read: waits for a GPU
    return losses


def ours(
    pixels: Tensor,
    digits: Tensor,
    order: Tensor,
    *,
    model: nn.Module,
    optimizer: torch.optim.Optimizer,
    layout: torch.memory_format,
    precision: AbstractContextManager[object],
    mean: float | Tensor = MEAN,
    std: float | Tensor = STD,
) -> list[float]:
    """Train on the images of `order` (N,) from all `pixels` (60000, 1, 28, 28), which lie on the device as bytes.

    `mean` and `std` are those of the training pixels in 0..1, of several channels as (C, 1, 1).
    """
    losses = []
    model.train()
    for several in torch.split(order, 512):  # data: numbers for eight steps
        x = pixels.index_select(0, several)  # data: (512, 1, 28, 28) at once
        x = x.to(torch.float32, memory_format=layout)  # data: 0 … 255
        x = x.div_(255).sub_(mean).div_(std)  # data: in place
        y = digits.index_select(0, several)  # data: (512,)
        parts = torch.split(x, 64), torch.split(y, 64)  # data: eight batches
        for batch, target in zip(*parts, strict=True):  # data: (64, 1, 28, 28), (64,)
            with precision:  # forward: bfloat16 where it helps
                outputs = model(batch)  # forward: -> (64, 10)
            outputs = outputs.float()  # forward: the loss in float32
            loss = F.cross_entropy(outputs, target)  # loss: -> ()
            optimizer.zero_grad()  # clear: gradients add up otherwise
            torch.autograd.backward(loss)  # backward: a gradient for each weight
            optimizer.step()  # update: each weight moves
            losses.append(loss.item())  # read: waits for a GPU
    return losses


def test(model: nn.Module, images: Tensor, mode: Callable[[], AbstractContextManager[object]]) -> Tensor:
    """Return scores (N, 10) of images (N, 1, 28, 28); `mode` is torch.no_grad, or torch.enable_grad to compare."""
    model.eval()  # dropout and batch norm behave differently from training
    with mode():  # without it, all that a backward pass would need is kept
        scores: Tensor = model(images)
    return scores
