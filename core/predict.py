"""What trained networks see in one image; they are loaded once and kept while they are used."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from core.datasets import MEAN, STD
from core.errors import InputError
from core.run import RunSpec
from core.saliency import Saliency, saliency
from core.torch_thread import in_torch_thread

if TYPE_CHECKING:
    from torch import nn

MOST_LOADED = 24  # networks in memory; the largest of the course's has 575,050 parameters, 2.3 MB

Ink = NDArray[np.float64]  # (28, 28), 0 (paper) to 1 (ink)


@dataclass(frozen=True, kw_only=True)
class Net:
    """The weights of one run after one epoch."""

    key: str  # of the run
    epoch: int  # from 1
    spec: RunSpec = field(compare=False)
    accuracy: float = field(compare=False)  # on the test images after that epoch, 0 to 1
    origin: str = field(compare=False)  # "here", "shipped" or "imported"
    weights: Callable[[], bytes] = field(compare=False, repr=False)  # reads them, as a safetensors file


@dataclass(frozen=True, kw_only=True)
class Prediction:
    """What a network sees in an image."""

    probabilities: tuple[float, ...]  # of the digits 0 to 9; NaN where the network has diverged

    @property
    def digit(self) -> int | None:
        """Return the most probable digit, None where not everything is finite."""
        return int(np.argmax(self.probabilities)) if np.isfinite(self.probabilities).all() else None

    @property
    def confidence(self) -> float:
        """Return the largest probability."""
        return max(self.probabilities)


def predict(nets: Sequence[Net], ink: Ink) -> list[Prediction | InputError]:
    """Ask networks about one image: for each its answer, or why its weights cannot be had.

    A forward pass takes a millisecond or two; loading a network that is asked for the first time some ten. May be
    called from any thread; see `core.torch_thread.torch_ready` for the time before torch itself is loaded.
    """

    def ask(net: Net) -> Prediction | InputError:
        try:
            return forward(network(net), ink)
        except InputError as error:
            return error

    return in_torch_thread(lambda: [ask(net) for net in nets])


def gradient(net: Net, ink: Ink, digit: int) -> Saliency:
    """Return the gradient of a digit's score by the image. Raises InputError where the weights cannot be had."""
    return in_torch_thread(lambda: saliency(network(net), ink, digit))


@lru_cache(maxsize=MOST_LOADED)
def network(net: Net) -> nn.Module:
    """Return the network as it is when it is tested, on the CPU in float32.

    Raises InputError where its weights are missing or do not fit; the next call tries again.
    """
    import safetensors.torch
    from safetensors import SafetensorError

    from core.train import build_network

    built = build_network(net.spec)
    try:
        built.load_state_dict(safetensors.torch.load(net.weights()))
    except (SafetensorError, RuntimeError, OSError) as error:
        raise InputError("The weights of the run {key} cannot be read; train it again.", key=net.key) from error
    return built.float().eval().requires_grad_(False)


def forward(network: nn.Module, ink: Ink) -> Prediction:
    """Return the softmax of the network's scores."""
    import torch

    image = torch.tensor((ink - MEAN) / STD, dtype=torch.float32)[None, None]  # (1, 1, 28, 28)
    with torch.inference_mode():
        probabilities = network(image)[0].softmax(0)  # (10,)
    return Prediction(probabilities=tuple(probabilities.tolist()))
