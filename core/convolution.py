"""A convolution layer by hand: which numbers meet, and their sums. Course: "卷积" and "多通道卷积" in "卷积神经网络".

What torch calls a convolution multiplies each patch of the input by the kernel, cell by cell, and adds up; the kernel
is not flipped (https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.conv2d.html). One axis (Conv1d) or
two (Conv2d): a cell is (position,) or (row, column). Places in the input are counted from its own first cell, so
those in the padding are negative or beyond the end. Everything is float64.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import product
from math import prod
from types import EllipsisType
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from core.errors import InputError
from core.messages import N_
from core.padding import MODES, Array, Margins, check, pad

Cell = tuple[int, ...]  # a place, or a size: a number per axis

MAX_SIDE = 64  # cells of an input along an axis
MAX_KERNEL = 11  # cells of a kernel along an axis
MAX_STRIDE = 11  # cells
MAX_DILATION = 8  # cells
MAX_PADDING = 32  # cells on each side
MAX_CHANNELS = 1024

KERNEL_BOUNDS = N_("The kernel must have {low} to {high} cells per axis, not {value}.")
STRIDE_BOUNDS = N_("The stride must be a whole number from {low} to {high}, not {value}.")
DILATION_BOUNDS = N_("The dilation must be a whole number from {low} to {high}, not {value}.")
PADDING_BOUNDS = N_("The padding must be a whole number from {low} to {high}, not {value}.")


@dataclass(frozen=True, kw_only=True)
class Convolution:
    """What nn.Conv1d or nn.Conv2d is told. Raises InputError for what no layer can be."""

    in_channels: int = 1  # 1 to 1024, a multiple of groups
    out_channels: int = 1  # the same: as many as there are kernels
    kernel: Cell = (3, 3)  # cells per axis, 1 to 11
    stride: Cell = (1, 1)  # how far the window moves, 1 to 11 cells
    padding: Cell | str = (0, 0)  # cells on each side, 0 to 32; "valid": none; "same": as many as keep the size
    mode: str = "zeros"  # what the padding holds: a name in core.padding.MODES
    dilation: Cell = (1, 1)  # from one cell under the kernel to the next, 1 to 8 cells
    groups: int = 1  # parts that the channels are split into; each kernel sees its own part only

    def __post_init__(self) -> None:
        check_axes(self.kernel, KERNEL_BOUNDS, 1, MAX_KERNEL, len(self.kernel))
        check_axes(self.stride, STRIDE_BOUNDS, 1, MAX_STRIDE, self.axes)
        check_axes(self.dilation, DILATION_BOUNDS, 1, MAX_DILATION, self.axes)
        check_channels(self.in_channels, self.out_channels, self.groups)
        if self.mode not in MODES:
            raise InputError(
                "The padding mode must be one of {known}, not {value}.", known=", ".join(MODES), value=self.mode
            )
        if not isinstance(self.padding, str):
            check_axes(self.padding, PADDING_BOUNDS, 0, MAX_PADDING, self.axes)
        elif self.padding not in ("same", "valid"):
            raise InputError(
                "The padding must be a whole number, “same” or “valid”, not {value}.", value=self.padding[:40]
            )
        elif self.padding == "same" and max(self.stride) > 1:
            raise InputError("“same” keeps the size, so it needs the stride 1, not {value}.", value=max(self.stride))

    @property
    def axes(self) -> int:
        """1 for a sequence, 2 for an image."""
        return len(self.kernel)

    @property
    def weight_shape(self) -> tuple[int, ...]:
        """Number of kernels, channels of each, and its cells: kernel channels = input channels (of its group)."""
        return (self.out_channels, self.in_channels // self.groups, *self.kernel)

    @property
    def extent(self) -> Cell:
        """Cells that the window spans, the gaps of its dilation included."""
        return tuple(d * (k - 1) + 1 for k, d in zip(self.kernel, self.dilation, strict=True))

    @property
    def margins(self) -> Margins:
        """Cells that the padding adds before and after, per axis."""
        if self.padding == "same":  # of an odd number the larger half comes after, as in torch
            return tuple(((extent - 1) // 2, extent // 2) for extent in self.extent)
        if isinstance(self.padding, str):
            return ((0, 0),) * self.axes
        return tuple((cells, cells) for cells in self.padding)


class Pair(NamedTuple):
    """One product of a sum: this cell of the input times that cell of the kernel."""

    place: Cell  # in the input; negative or beyond its end: in the padding
    weight: Cell  # in the kernel


def starts(layer: Convolution, size: Cell) -> tuple[range, ...]:
    """Return where the window stands, per axis, for an input of this size: range(-1, 5, 2) for -1, 1, 3.

    There is one output cell for each start. Raises InputError where the window does not fit once.
    """
    check_size(size, layer.axes)
    check(size, layer.margins, layer.mode)
    found = []
    for cells, extent, stride, (before, after) in zip(size, layer.extent, layer.stride, layer.margins, strict=True):
        if extent > before + cells + after:
            raise InputError(
                "The kernel spans {extent} cells, but the padded input has only {size}. Take a kernel that spans at "
                "most {size}, or a padding of at least {padding}.",
                extent=extent,
                size=before + cells + after,
                padding=-(-(extent - cells) // 2),
            )
        found.append(range(-before, cells + after - extent + 1, stride))
    return tuple(found)


def output_size(layer: Convolution, size: Cell) -> Cell:
    """Return how often the window fits, per axis."""
    return tuple(len(places) for places in starts(layer, size))


def forward(layer: Convolution, x: Array, weight: Array, bias: Array | None = None) -> Array:
    """Compute the layer: x (C, H, W), weight (O, C/groups, kH, kW), bias (O,) -> (O, H', W').

    For each cell of the kernel, all the inputs that it meets are a strided slice of the padded input.
    """
    size = x.shape[1:]
    _check_shapes(layer, x, weight, bias)
    places = starts(layer, size)
    padded = pad(x, layer.margins, layer.mode)  # (C, H + before + after, W + before + after)
    out = np.zeros((layer.out_channels, *(len(axis) for axis in places)))
    for kernel, channels in enumerate(seen_channels(layer)):
        for channel, source in enumerate(channels):
            for cell in cells(layer.kernel):
                out[kernel] += weight[kernel, channel][cell] * padded[source][_met(layer, places, cell)]
        if bias is not None:
            out[kernel] += bias[kernel]
    return out


def seen_channels(layer: Convolution) -> list[range]:
    """Return, for each kernel, the input channels that it sees: those of its group."""
    inputs, outputs = layer.in_channels // layer.groups, layer.out_channels // layer.groups
    return [range(kernel // outputs * inputs, (kernel // outputs + 1) * inputs) for kernel in range(layer.out_channels)]


def pairs(layer: Convolution, size: Cell, out: Cell) -> list[Pair]:
    """Return what one output cell adds up, in each channel: the products in the order of the kernel."""
    corner = tuple(axis[index] for axis, index in zip(starts(layer, size), out, strict=True))
    return [Pair(place=_under(layer, corner, weight), weight=weight) for weight in cells(layer.kernel)]


def inputs_of(layer: Convolution, size: Cell, weight: Cell) -> list[tuple[Cell, Cell]]:
    """Return every (output cell, place in the input) in which one weight takes part."""
    places = starts(layer, size)
    indices = cells(tuple(len(axis) for axis in places))
    return [
        (out, _under(layer, tuple(axis[i] for axis, i in zip(places, out, strict=True)), weight)) for out in indices
    ]


def met(layer: Convolution, size: Cell, weight: Cell) -> tuple[slice, ...]:
    """Return the part of the padded input that one weight meets while the window takes all its places."""
    return _met(layer, starts(layer, size), weight)


def outputs_of(layer: Convolution, size: Cell, place: Cell) -> list[tuple[Cell, Cell]]:
    """Return every (output cell, weight) by which one place of the padded input counts."""
    found = []
    for weight in cells(layer.kernel):
        corner = tuple(p - w * d for p, w, d in zip(place, weight, layer.dilation, strict=True))
        if all(c in axis for c, axis in zip(corner, starts(layer, size), strict=True)):
            found.append((tuple(axis.index(c) for c, axis in zip(corner, starts(layer, size), strict=True)), weight))
    return found


def uses(layer: Convolution, size: Cell) -> NDArray[np.int64]:
    """Count, for each place of the padded input, the products it takes part in for one kernel, (H + …, W + …)."""
    places = starts(layer, size)
    count = np.zeros([before + n + after for n, (before, after) in zip(size, layer.margins, strict=True)], np.int64)
    for cell in cells(layer.kernel):
        count[_met(layer, places, cell)] += 1
    return count


def reached(layer: Convolution, size: Cell) -> NDArray[np.bool_]:
    """Return which cells of the input meet any weight, (H, W); the stride or the dilation passes the others over."""
    inside = tuple(slice(before, before + n) for n, (before, _after) in zip(size, layer.margins, strict=True))
    return uses(layer, size)[inside] > 0


def same_padding(layer: Convolution) -> Cell | None:
    """Return the padding that keeps the size at stride 1: half of what the window spans beyond one cell.

    None for a window that spans an even number of cells: it would need more on one side.
    """
    if any(extent % 2 == 0 for extent in layer.extent):
        return None
    return tuple((extent - 1) // 2 for extent in layer.extent)


def cells(size: Cell) -> Iterator[Cell]:
    """Yield the cells of a grid, row by row."""
    return product(*map(range, size))


def in_every_channel(cell: Cell) -> tuple[EllipsisType | int, ...]:
    """Return the index of a cell in arrays (C, H, W)."""
    return (..., *cell)


def multiplications(layer: Convolution, size: Cell) -> int:
    """Count the products of the layer: every output cell of every kernel adds up one per weight of that kernel."""
    return prod(output_size(layer, size)) * prod(layer.weight_shape)


def parameters(layer: Convolution, *, bias: bool) -> int:
    """Count what the layer learns."""
    return prod(layer.weight_shape) + (layer.out_channels if bias else 0)


def _under(layer: Convolution, corner: Cell, weight: Cell) -> Cell:
    """Return the place that lies under a weight when the window stands at a corner."""
    return tuple(c + w * d for c, w, d in zip(corner, weight, layer.dilation, strict=True))


def _met(layer: Convolution, places: Sequence[range], weight: Cell) -> tuple[slice, ...]:
    """Return the slice of the padded input that one weight meets while the window takes all its places."""
    slices = []
    for axis, (before, _after), w, d in zip(places, layer.margins, weight, layer.dilation, strict=True):
        first = axis[0] + before + w * d
        slices.append(slice(first, first + axis.step * (len(axis) - 1) + 1, axis.step))
    return tuple(slices)


def check_channels(in_channels: int, out_channels: int, groups: int) -> None:
    """Raise InputError where the channels are none, too many, or cannot be split into the groups."""
    for value in (in_channels, out_channels, groups):
        if not 1 <= value <= MAX_CHANNELS:
            raise InputError(
                "Channels and groups must be from 1 to {most}, not {value}.", most=MAX_CHANNELS, value=value
            )
    if in_channels % groups or out_channels % groups:
        raise InputError(
            "{groups} groups cannot share {inputs} input and {outputs} output channels evenly; take a number that "
            "divides both.",
            groups=groups,
            inputs=in_channels,
            outputs=out_channels,
        )


def check_size(size: Cell, axes: int) -> None:
    """Raise InputError where an input has too few or too many cells, or another number of axes than the kernel."""
    if len(size) != axes:
        raise InputError(
            "The input has {value} axes and the kernel {axes}; give both as many.", value=len(size), axes=axes
        )
    for cells_ in size:
        if not 1 <= cells_ <= MAX_SIDE:
            raise InputError(
                "The input must have 1 to {most} cells per axis, not {value}.", most=MAX_SIDE, value=cells_
            )


def check_axes(values: Cell, template: str, low: int, high: int, axes: int) -> None:
    """Raise InputError where a number is not a whole one within its bounds on each axis."""
    if not 1 <= axes <= 2 or len(values) != axes:
        raise InputError("A layer has one or two axes, and a number for each; this has {count}.", count=len(values))
    for value in values:
        if not isinstance(value, int) or not low <= value <= high:
            raise InputError(template, low=low, high=high, value=value)


def _check_shapes(layer: Convolution, x: Array, weight: Array, bias: Array | None) -> None:
    if x.shape[0] != layer.in_channels:
        raise InputError(
            "The layer expects {wanted} input channels; the input has {value}.",
            wanted=layer.in_channels,
            value=x.shape[0],
        )
    if weight.shape != layer.weight_shape or (bias is not None and bias.shape != (layer.out_channels,)):
        raise InputError(
            "The weights must have the shape {wanted}, not {value}.", wanted=layer.weight_shape, value=weight.shape
        )
