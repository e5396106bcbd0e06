"""A look inside a network while it is trained: one batch forward and back through a copy, which leaves no trace."""

import copy
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.overrides import TorchFunctionMode

from core.records import Inside, LayerState

PROBE_IMAGES = 256  # the first images of the training set, as they are
_RELUS = {F.relu, F.relu_, torch.relu, torch.relu_, Tensor.relu, Tensor.relu_}


class Probe:
    """A fixed batch and the initial weights, against which every later state of the network is held."""

    def __init__(self, network: nn.Module, x: Tensor, labels: Tensor) -> None:
        """Remember the initial weights of `network`; `x` (B, 1, 28, 28) are normalised images, `labels` (B,) digits."""
        self.x, self.labels = x, labels
        self.initial = {name: weight.detach().clone() for name, weight in _weights(network).items()}

    def look(self, network: nn.Module, epoch: int) -> Inside:
        """Measure the network as it is after `epoch` epochs: as in training (batch norm by the batch), in float32.

        Works on a copy. The caller keeps torch's generators, which dropout draws from.
        """
        probed = copy.deepcopy(network).train()
        probed.zero_grad()
        with torch.enable_grad(), _DeadChannels() as dead:
            loss = F.cross_entropy(probed(self.x), self.labels)
        loss.backward()  # type: ignore[no-untyped-call]  # torch leaves it untyped
        weights = _weights(probed)
        layers = [
            LayerState(
                name=name,
                weight_norm=_norm(weight),
                change=_norm(weight - self.initial[name]) / (_norm(self.initial[name]) or 1.0),
                gradient_norm=0.0 if weight.grad is None else _norm(weight.grad),
            )
            for name, weight in weights.items()
        ]
        return Inside(epoch=epoch, layers=tuple(layers), dead=tuple(dead.shares))


class _DeadChannels(TorchFunctionMode):
    """Sees every ReLU that is called, be it a function or a module, and counts what no image switches on."""

    def __init__(self) -> None:
        super().__init__()
        self.shares: list[float] = []  # of the channels, or of the units where there are no maps

    def __torch_function__(
        self, func: Callable[..., Any], types: object, args: tuple[Any, ...] = (), kwargs: dict[str, Any] | None = None
    ) -> Any:  # noqa: ANN401 - whatever the function returns
        result = func(*args, **(kwargs or {}))
        if func in _RELUS:
            alive = (result > 0).transpose(0, 1).flatten(1).any(1)  # (B, C, …) -> (C, B, …) -> (C, B·…) -> (C,)
            self.shares.append(1 - alive.float().mean().item())
        return result


def _weights(network: nn.Module) -> dict[str, nn.Parameter]:
    """Return the weight of each linear and convolutional layer by the layer's name; batch norm's factors are none."""
    return {
        name: module.weight
        for name, module in network.named_modules()
        if isinstance(getattr(module, "weight", None), nn.Parameter) and module.weight.dim() > 1
    }


def _norm(tensor: Tensor) -> float:
    return float(tensor.detach().norm().item())
