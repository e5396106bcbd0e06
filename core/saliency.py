"""Which pixels a network's decision hangs on: the gradient of a score by the image.

Simonyan, Vedaldi and Zisserman 2013, "Deep Inside Convolutional Networks: Visualising Image Classification Models and
Saliency Maps"; here with its sign, from PyTorch's own autograd.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from core.datasets import MEAN, STD

if TYPE_CHECKING:
    from torch import nn


@dataclass(frozen=True, kw_only=True, eq=False)
class Saliency:
    """How much the score of a digit changes with each pixel."""

    digit: int  # whose score it is, 0 to 9
    gradient: NDArray[np.float32]  # (28, 28); change of the score per change of the ink, which goes from 0 to 1


def saliency(network: nn.Module, ink: NDArray[np.float64], digit: int) -> Saliency:
    """Return d score[digit] / d ink of one image (28, 28) from 0 (paper) to 1 (ink).

    The score is what goes into the softmax. No gradient is kept in the network's parameters.
    """
    import torch

    weight = next(network.parameters())
    pixels = torch.tensor(ink, dtype=weight.dtype)[None, None].requires_grad_()  # (1, 1, 28, 28)
    scores = network((pixels - MEAN) / STD)  # (1, 10)
    (gradient,) = torch.autograd.grad(scores[0, digit], pixels)
    return Saliency(digit=digit, gradient=gradient[0, 0].float().numpy())
