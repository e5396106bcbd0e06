"""Images and labels on the device that computes: all of them as bytes, normalised when they are needed."""

from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import Tensor

from core.image_data import Part, read_part
from core.run import RunSpec


@dataclass(frozen=True, kw_only=True)
class Images:
    """Images and labels on the device that computes."""

    pixels: Tensor  # (N, C, H, W) uint8
    labels: Tensor  # (N,) int64
    mean: float | Tensor  # of the training pixels in 0..1; (C, 1, 1) where there are several channels
    std: float | Tensor  # their standard deviation

    def batch(self, index: Tensor, layout: torch.memory_format) -> tuple[Tensor, Tensor]:
        """Return the images of `index` (B,) as values 0 to 255 in float32 (B, C, H, W), and their labels (B,).

        index_select copies whole images, which is five times as fast as what `pixels[index]` does.
        """
        pixels, labels = self.pixels.index_select(0, index), self.labels.index_select(0, index)
        return pixels.to(torch.float32, memory_format=layout), labels

    def split(self, size: int, layout: torch.memory_format) -> Iterator[tuple[Tensor, Tensor]]:
        """Go through all images in their order, `size` at a time."""
        for pixels, labels in zip(self.pixels.split(size), self.labels.split(size), strict=True):  # type: ignore[no-untyped-call]  # torch leaves it untyped
            yield pixels.to(torch.float32, memory_format=layout), labels

    def normalise(self, x: Tensor) -> Tensor:
        """Map values 0 to 255, in place, to about mean 0 and deviation 1 over the training set, channel by channel."""
        return x.div_(255).sub_(self.mean).div_(self.std)


def load_images(spec: RunSpec, device: torch.device) -> tuple[Images, Images]:
    """Return the first `train_images` training images and all test images, on the device.

    Raises InputError where the run's data are not here.
    """
    parts = read_part(spec.data, "train").first(spec.train_images), read_part(spec.data, "test")
    train, test = (_to_device(part, spec, device) for part in parts)
    return train, test


def _to_device(part: Part, spec: RunSpec, device: torch.device) -> Images:
    mean, std = (_per_channel(values, device) for values in (spec.images.mean, spec.images.std))
    return Images(
        pixels=torch.tensor(part.images, device=device),
        labels=torch.tensor(part.labels, dtype=torch.int64, device=device),
        mean=mean,
        std=std,
    )


def _per_channel(values: tuple[float, ...], device: torch.device) -> float | Tensor:
    """Return several numbers as (C, 1, 1); a single one stays a float of Python, which no device has to fetch."""
    return values[0] if len(values) == 1 else torch.tensor(values, device=device).view(-1, 1, 1)
