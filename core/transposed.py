"""A transposed convolution by hand: every input cell stamps the kernel, times its value, onto the output.

It has the pairs of the convolution with the roles of input and output exchanged, which is where its name comes from
(https://docs.pytorch.org/docs/stable/generated/torch.nn.ConvTranspose2d.html). The padding is cut off the edges.
"""

from dataclasses import dataclass

import numpy as np

from core.convolution import (
    DILATION_BOUNDS,
    KERNEL_BOUNDS,
    MAX_DILATION,
    MAX_KERNEL,
    MAX_PADDING,
    MAX_STRIDE,
    PADDING_BOUNDS,
    STRIDE_BOUNDS,
    Cell,
    Pair,
    cells,
    check_axes,
    check_channels,
    check_size,
)
from core.errors import InputError
from core.messages import N_
from core.padding import Array

OUTPUT_PADDING_BOUNDS = N_(
    "The output padding must be below the stride or the dilation: from {low} to {high}, not {value}."
)


@dataclass(frozen=True, kw_only=True)
class TransposedConvolution:
    """What nn.ConvTranspose1d or nn.ConvTranspose2d is told. Raises InputError for what no layer can be."""

    in_channels: int = 1  # 1 to 1024, a multiple of groups
    out_channels: int = 1  # the same
    kernel: Cell = (3, 3)  # cells per axis, 1 to 11
    stride: Cell = (1, 1)  # from one stamp to the next, 1 to 11 cells
    padding: Cell = (0, 0)  # cells cut off each side of the output, 0 to 32
    output_padding: Cell = (0, 0)  # cells added at the end, below the stride or below the dilation
    dilation: Cell = (1, 1)  # from one cell of the stamp to the next, 1 to 8 cells
    groups: int = 1  # parts that the channels are split into

    def __post_init__(self) -> None:
        axes = len(self.kernel)
        check_axes(self.kernel, KERNEL_BOUNDS, 1, MAX_KERNEL, axes)
        check_axes(self.stride, STRIDE_BOUNDS, 1, MAX_STRIDE, axes)
        check_axes(self.dilation, DILATION_BOUNDS, 1, MAX_DILATION, axes)
        check_axes(self.padding, PADDING_BOUNDS, 0, MAX_PADDING, axes)
        check_channels(self.in_channels, self.out_channels, self.groups)
        most = min(max(s, d) for s, d in zip(self.stride, self.dilation, strict=True)) - 1
        check_axes(self.output_padding, OUTPUT_PADDING_BOUNDS, 0, most, axes)

    @property
    def weight_shape(self) -> tuple[int, ...]:
        """Input channels first, other than in a convolution: one kernel per pair of channels."""
        return (self.in_channels, self.out_channels // self.groups, *self.kernel)


def uncut_size(layer: TransposedConvolution, size: Cell) -> Cell:
    """Return how far the stamps reach, per axis, before the padding is cut off."""
    check_size(size, len(layer.kernel))
    axes = zip(size, layer.stride, layer.kernel, layer.dilation, strict=True)
    return tuple((n - 1) * s + d * (k - 1) + 1 for n, s, k, d in axes)


def output_size(layer: TransposedConvolution, size: Cell) -> Cell:
    """Return the size of the output. Raises InputError where the padding cuts everything off."""
    axes = zip(uncut_size(layer, size), layer.padding, layer.output_padding, strict=True)
    found = tuple(n - 2 * cut + extra for n, cut, extra in axes)
    if min(found) < 1:
        raise InputError(
            "The padding cuts {padding} cells off each side of {size}, which leaves nothing; take a smaller one.",
            padding=max(layer.padding),
            size=min(uncut_size(layer, size)),
        )
    return found


def forward(layer: TransposedConvolution, x: Array, weight: Array, bias: Array | None = None) -> Array:
    """Compute the layer: x (C, H, W), weight (C, O/groups, kH, kW), bias (O,) -> (O, H', W')."""
    if x.shape[0] != layer.in_channels or weight.shape != layer.weight_shape:
        raise InputError(
            "The weights must have the shape {wanted}, not {value}.", wanted=layer.weight_shape, value=weight.shape
        )
    size = x.shape[1:]
    wanted = output_size(layer, size)
    uncut = tuple(n + extra for n, extra in zip(uncut_size(layer, size), layer.output_padding, strict=True))
    out = np.zeros((layer.out_channels, *uncut))
    per_group = layer.in_channels // layer.groups
    for channel in range(layer.in_channels):
        first = channel // per_group * (layer.out_channels // layer.groups)  # output channel of its group
        for other in range(layer.out_channels // layer.groups):
            for place in cells(size):
                for cell in cells(layer.kernel):
                    out[first + other][_stamped(layer, place, cell)] += x[channel][place] * weight[channel, other][cell]
    kept = tuple(slice(cut, cut + n) for cut, n in zip(layer.padding, wanted, strict=True))
    out = out[(slice(None), *kept)]
    return out if bias is None else out + bias.reshape(-1, *[1] * len(size))


def pairs(layer: TransposedConvolution, size: Cell, out: Cell) -> list[Pair]:
    """Return what one output cell adds up, in each channel: every stamp that covers it."""
    found = []
    for cell in cells(layer.kernel):
        axes = zip(out, layer.padding, cell, layer.dilation, layer.stride, size, strict=True)
        steps = [(divmod(o + p - c * d, s), n) for o, p, c, d, s, n in axes]
        if all(rest == 0 and 0 <= place < n for (place, rest), n in steps):
            found.append(Pair(place=tuple(place for (place, _rest), _n in steps), weight=cell))
    return found


def _stamped(layer: TransposedConvolution, place: Cell, cell: Cell) -> Cell:
    """Return where, before the cut, one cell of the kernel lands when an input cell stamps it."""
    return tuple(p * s + c * d for p, s, c, d in zip(place, layer.stride, cell, layer.dilation, strict=True))
