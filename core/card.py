"""The model card of a run: all that somebody needs to know to believe its numbers, or to get them again."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache, partial

from core.device import Placement
from core.entries import RunSummary, best_epoch
from core.image_sets import DATASETS, Shape
from core.models import MODELS
from core.options import Options
from core.records import Epoch
from core.run import RunSpec
from core.torch_thread import in_torch_thread


@dataclass(frozen=True, kw_only=True)
class Card:
    """What is told of a run."""

    key: str
    origin: str  # "here", "shipped" or "imported"
    spec: RunSpec
    placement: Placement
    hardware: Mapping[str, str]  # see core.hardware
    when: datetime  # of its last epoch
    seconds: float  # spent training, without the tests
    epochs: int  # finished
    best_epoch: int
    best_accuracy: float  # on the test images, 0 to 1
    last_accuracy: float  # the same, after the last epoch
    last_loss: float  # the mean over the test images, after the last epoch; no finite number where the run has diverged
    parameters: int  # numbers that are learned
    multiply_adds: int  # for one image, in its convolutions and linear layers
    weight_epochs: tuple[int, ...]  # the epochs whose weights are kept


@dataclass(frozen=True, kw_only=True)
class NetworkSize:
    """What a network costs."""

    parameters: int  # numbers that are learned
    multiply_adds: int  # for one image, in its convolutions and linear layers


def model_card(summary: RunSummary, epochs: Sequence[Epoch]) -> Card | None:
    """Return the card of a run with these finished epochs; None before there is one. Loads torch."""
    if summary.spec is None or summary.placement is None or not epochs:
        return None
    best, size = best_epoch(epochs), network_size(summary.spec.model, summary.spec.options, summary.spec.data)
    return Card(
        key=summary.key,
        origin=summary.origin,
        spec=summary.spec,
        placement=summary.placement,
        hardware=summary.hardware or {},
        when=summary.when,
        seconds=sum(epoch.seconds for epoch in epochs),
        epochs=len(epochs),
        best_epoch=best,
        best_accuracy=epochs[best - 1].test_accuracy,
        last_accuracy=epochs[-1].test_accuracy,
        last_loss=epochs[-1].test_loss,
        parameters=size.parameters,
        multiply_adds=size.multiply_adds,
        weight_epochs=summary.weight_epochs,
    )


@lru_cache(maxsize=64)
def network_size(model: str, options: Options, data: str = "mnist") -> NetworkSize:
    """Count a network's parameters and multiply-adds for an image of a set; an added bias counts as one.

    The same count as on the page of shapes, for any network: it sends an image without content through and asks each
    layer.
    """
    return in_torch_thread(partial(_count, model, options, DATASETS[data].shape))


def _count(model: str, options: Options, shape: Shape) -> NetworkSize:
    import torch
    from torch import Tensor, nn

    counts: list[int] = []

    def count(layer: nn.Conv2d | nn.Linear, _inputs: tuple[Tensor, ...], output: Tensor) -> None:
        each = layer.weight[0].numel() + (layer.bias is not None)  # multiply-adds behind one number of the output
        counts.append(output.numel() * each)

    with torch.device("meta"), torch.no_grad():
        network = MODELS[model].network()(**dict(MODELS[model].arguments(options, shape))).eval()
        for layer in network.modules():
            if isinstance(layer, nn.Conv2d | nn.Linear):
                layer.register_forward_hook(count)
        network(torch.empty(1, *shape))
    parameters = sum(parameter.numel() for parameter in network.parameters())
    return NetworkSize(parameters=parameters, multiply_adds=sum(counts))
