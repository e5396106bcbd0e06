"""Augmentation: each training image is moved and turned a little, differently in each epoch; the digit stays itself.

A network that never sees the same image twice has less to learn by heart; course: "过拟合".
"""

import math

import numpy as np
import torch
from numpy.typing import NDArray
from torch.nn import functional as F

from core.image_data import training_image
from core.run import RunSpec


def augment(pixels: torch.Tensor, generator: torch.Generator, shift: int, rotate: float) -> torch.Tensor:
    """Turn each image about its centre, then move it; what comes in from outside is 0.

    `pixels` (B, C, S, S) are values in float32. The angle is uniform within ± `rotate` degrees, positive
    clockwise; the way in x and in y is a whole number of pixels within ± `shift`. Both are drawn from `generator`,
    which lives on the CPU, so that every device sees the same images.
    """
    angles, moves = draw(len(pixels), generator, shift, rotate)
    return turn_and_move(pixels, angles.to(pixels.device), moves.to(pixels.device))


def draw(count: int, generator: torch.Generator, shift: int, rotate: float) -> tuple[torch.Tensor, torch.Tensor]:
    """Return how far `count` images are turned, (B,) in degrees, and moved, (B, 2) pixels in x and y."""
    angles = (2 * torch.rand(count, generator=generator) - 1) * rotate
    moves = torch.randint(-shift, shift + 1, (count, 2), generator=generator)
    return angles, moves


def turn_and_move(pixels: torch.Tensor, angles: torch.Tensor, moves: torch.Tensor) -> torch.Tensor:
    """Turn square images (B, C, S, S) by `angles` (B,) in degrees, clockwise, then move them by `moves` (B, 2) pixels.

    Each place of the result is looked up in the image, between its four neighbours by bilinear interpolation: that
    is the affine map backwards, in coordinates from -1 to 1 (see torch.nn.functional.affine_grid).
    """
    cos, sin = torch.cos(angles * (math.pi / 180)), torch.sin(angles * (math.pi / 180))  # (B,)
    x, y = (moves * (2 / pixels.shape[-1])).unbind(1)  # (B,) each: the image is 2 wide
    theta = torch.stack([cos, sin, -x * cos - y * sin, -sin, cos, x * sin - y * cos], dim=1).view(-1, 2, 3)  # (B, 2, 3)
    grid = F.affine_grid(theta, list(pixels.shape), align_corners=False)  # (B, S, S, 2)
    return F.grid_sample(pixels, grid, mode="bilinear", padding_mode="zeros", align_corners=False)


def examples(index: int, spec: RunSpec, count: int) -> NDArray[np.uint8]:
    """Return one training image as `count` epochs might see it: (count, C, H, W) uint8, from the spec's seed.

    Raises InputError where the spec's set of images is not here.
    """
    image = torch.tensor(training_image(spec.data, index), dtype=torch.float32)  # (C, H, W)
    generator = torch.Generator().manual_seed(spec.seed)
    pixels = augment(image.expand(count, -1, -1, -1), generator, spec.shift, spec.rotate)
    shown: NDArray[np.uint8] = pixels.round().to(torch.uint8).numpy()
    return shown
