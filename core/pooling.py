"""Max and average pooling by hand. Course: "下采样" in "卷积神经网络".

The window moves as in a convolution, but each channel is pooled alone and there are no weights
(https://docs.pytorch.org/docs/stable/generated/torch.nn.MaxPool2d.html and AvgPool2d). A cell is (row, column), or
(position,) for one axis.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.convolution import (
    KERNEL_BOUNDS,
    MAX_KERNEL,
    MAX_STRIDE,
    PADDING_BOUNDS,
    STRIDE_BOUNDS,
    Cell,
    cells,
    check_axes,
    check_size,
    in_every_channel,
)
from core.errors import InputError
from core.messages import N_
from core.padding import Array

KINDS = {"max": N_("maximum"), "avg": N_("mean")}


@dataclass(frozen=True, kw_only=True)
class Pooling:
    """What nn.MaxPool2d or nn.AvgPool2d is told. Raises InputError for what no layer can be."""

    kind: str = "max"  # "max" or "avg"
    kernel: Cell = (2, 2)  # cells per axis, 1 to 11
    stride: Cell = (2, 2)  # 1 to 11 cells; torch takes the kernel's size where none is given
    padding: Cell = (0, 0)  # cells on each side, at most half the kernel
    ceil_mode: bool = False  # True: a last window may reach beyond the end
    count_include_pad: bool = True  # average only: False divides by the cells of the input alone

    def __post_init__(self) -> None:
        axes = len(self.kernel)
        if self.kind not in KINDS:
            raise InputError("The pooling must be max or avg, not {value}.", value=self.kind[:40])
        check_axes(self.kernel, KERNEL_BOUNDS, 1, MAX_KERNEL, axes)
        check_axes(self.stride, STRIDE_BOUNDS, 1, MAX_STRIDE, axes)
        check_axes(self.padding, PADDING_BOUNDS, 0, max(self.kernel), axes)
        if any(2 * cells_ > kernel for cells_, kernel in zip(self.padding, self.kernel, strict=True)):
            raise InputError(
                "Pooling pads by at most half the kernel, here {most}, not {value}.",
                most=min(self.kernel) // 2,
                value=max(self.padding),
            )


def starts(layer: Pooling, size: Cell) -> tuple[range, ...]:
    """Return where the window stands, per axis. Raises InputError where it does not fit once.

    With ceil_mode a last window may hang over the end, if it starts inside the input or the padding before it.
    """
    check_size(size, len(layer.kernel))
    found = []
    for n, kernel, stride, padding in zip(size, layer.kernel, layer.stride, layer.padding, strict=True):
        end = n + padding - kernel + 1
        places = range(-padding, min(end + stride - 1, n) if layer.ceil_mode else end, stride)
        if not places:
            raise InputError(
                "The window spans {extent} cells, but the padded input has only {size}; take a smaller kernel.",
                extent=kernel,
                size=n + 2 * padding,
            )
        found.append(places)
    return tuple(found)


def output_size(layer: Pooling, size: Cell) -> Cell:
    """Return how often the window fits, per axis."""
    return tuple(len(places) for places in starts(layer, size))


def window(layer: Pooling, size: Cell, out: Cell) -> list[Cell]:
    """Return the places under the window, those in the padding and beyond the end included."""
    corner = [axis[index] for axis, index in zip(starts(layer, size), out, strict=True)]
    return [tuple(c + k for c, k in zip(corner, cell, strict=True)) for cell in cells(layer.kernel)]


def divisor(layer: Pooling, size: Cell, out: Cell) -> int:
    """Return by what the average divides: all cells of the window up to the end of the padding, or those inside."""
    low, extra = (layer.padding, layer.padding) if layer.count_include_pad else ((0,) * len(size),) * 2
    places = window(layer, size, out)
    return sum(all(-a <= p < n + e for p, n, a, e in zip(place, size, low, extra, strict=True)) for place in places)


def forward(layer: Pooling, x: Array) -> Array:
    """Pool each channel: (C, H, W) -> (C, H', W')."""
    size = x.shape[1:]
    out = np.zeros((len(x), *output_size(layer, size)))
    for cell in cells(out.shape[1:]):
        values = _inside(layer, x, cell).reshape(len(x), -1)  # (C, cells)
        if layer.kind == "max":
            out[in_every_channel(cell)] = values.max(axis=1)
        else:
            out[in_every_channel(cell)] = values.sum(axis=1) / divisor(layer, size, cell)
    return out


def argmax(layer: Pooling, x: Array) -> NDArray[np.int64]:
    """Return the place of each maximum in its flattened channel, (C, H', W'): of equal ones the first, as in torch."""
    size = x.shape[1:]
    places = np.arange(np.prod(size)).reshape(1, *size)  # each cell holds its own place
    out = np.zeros((len(x), *output_size(layer, size)), dtype=np.int64)
    for cell in cells(out.shape[1:]):
        first = _inside(layer, x, cell).reshape(len(x), -1).argmax(axis=1)
        out[in_every_channel(cell)] = _inside(layer, places, cell).ravel()[first]
    return out


def _inside(layer: Pooling, x: NDArray[Any], out: Cell) -> NDArray[Any]:
    """Return the part of the input that lies under the window, (C, up to kH, up to kW)."""
    corner = [axis[index] for axis, index in zip(starts(layer, x.shape[1:]), out, strict=True)]
    part = tuple(slice(max(0, c), c + k) for c, k in zip(corner, layer.kernel, strict=True))
    return x[(slice(None), *part)]
