"""Boards of what a layer does step by step: several channels, pooling, and the stamps of a transposed convolution."""

from functools import lru_cache

import numpy as np

from app.figures.boards import Board, Drawn
from app.figures.convolution_data import number
from app.figures.convolution_words import listed, times
from app.i18n import _
from core import convolution, pooling, transposed
from core.convolution import Convolution
from core.matrices import Matrix
from core.padding import Array
from core.pooling import Pooling
from core.transposed import TransposedConvolution

SMALL = 23  # px; the side of a cell where there are many matrices, still with its number in it
SIDE = 4  # cells of an input channel in the picture of several channels


def example(layer: Convolution) -> tuple[Array, Array]:
    """Return small whole numbers as input (C, 4, 4) and weights (O, C/groups, k, k): always the same."""
    random = np.random.default_rng(4)
    x = random.integers(0, 5, size=(layer.in_channels, SIDE, SIDE)).astype(np.float64)
    return x, random.integers(-2, 3, size=layer.weight_shape).astype(np.float64)


@lru_cache(maxsize=64)
def channels_data(layer: Convolution, _language: str) -> Drawn:
    """Draw what each kernel does, a step per kernel: a product per channel, and their sum."""
    x, weight = example(layer)
    out = convolution.forward(layer, x, weight)
    board, captions = Board(), []
    pitch, side = SIDE + 1.4, layer.kernel[0]
    for channel, values in enumerate(x):
        name = _("input {channel}").format(channel=channel)
        board.matrix("left", values, "data", row=1 + channel * pitch, name=name, largest=4)
    for kernel, seen in enumerate(convolution.seen_channels(layer)):
        for depth, channel in enumerate(seen):
            row = 1 + channel * pitch
            name = _("kernel {kernel}").format(kernel=kernel)
            board.text("left", "∗", row=row + 0.5 * SIDE - 0.7, col=SIDE + 0.4, step=kernel)
            board.matrix(
                "left", weight[kernel, depth], "weight", row=row, col=SIDE + 1.4, name=name, largest=2, step=kernel
            )
            alone = Convolution(kernel=layer.kernel)
            part = convolution.forward(alone, x[[channel]], weight[kernel, depth][None, None])[0]
            board.text("left", "=", row=row + 0.5 * SIDE - 0.7, col=SIDE + max(side, 2) + 1.8, step=kernel)
            board.matrix("right", part, "prediction", row=row, largest=20, step=kernel)
        middle = 1 + (seen[0] + seen[-1]) / 2 * pitch
        name = _("output {kernel}, the sum").format(kernel=kernel)
        board.matrix(
            "right", out[kernel], "prediction", row=middle, col=len(part) + 1.5, name=name, largest=20, step=kernel
        )
        first = [float((x[channel, :side, :side] * weight[kernel, depth]).sum()) for depth, channel in enumerate(seen)]
        sentence = _("Kernel {kernel} makes output channel {kernel}. Its first cell: {parts} = {total}.")
        captions.append(
            sentence.format(kernel=kernel, parts=listed(first, " + "), total=number(float(out[kernel, 0, 0])))
        )
    board.text("right", " ", row=1, col=len(part) + 6.5)  # room for the last name
    return board.drawn(captions, cell=SMALL, most=440)


@lru_cache(maxsize=64)
def weights_data(layer: Convolution, _language: str) -> Drawn:
    """Draw the whole weight tensor: a row per kernel, a column per channel that it sees; beside it the output."""
    x, weight = example(layer)
    out = convolution.forward(layer, x, weight)
    board, side = Board(), layer.kernel[0]
    for kernel in range(layer.out_channels):
        row = 1 + kernel * (max(side, out.shape[1]) + 1.3)
        for depth in range(layer.weight_shape[1]):
            name = _("kernel {kernel}").format(kernel=kernel) if depth == 0 else ""
            board.matrix(
                "left", weight[kernel, depth], "weight", row=row, col=depth * (max(side, 2) + 0.5), name=name, largest=2
            )
        name = _("output channel {kernel}").format(kernel=kernel)
        board.matrix("right", out[kernel], "prediction", row=row, name=name, largest=20)
    board.text("right", " ", row=1, col=6)  # room for the last name
    return board.drawn([], cell=SMALL, most=440)


@lru_cache(maxsize=64)
def pooling_data(layer: Pooling, x: Matrix, _language: str) -> Drawn:
    """Draw the window step by step; a caption says what it takes. Raises InputError where it does not fit."""
    values = x.array
    out = pooling.forward(layer, values[None])[0]
    taken = pooling.argmax(layer, values[None])[0]
    board, captions = Board(), []
    top, left = 1 + layer.padding[0], layer.padding[1]
    name = _("input {rows} × {cols}").format(rows=x.size[0], cols=x.size[1])
    board.matrix("left", values, "data", row=top, col=left)
    board.text("left", name, row=0, col=0)
    if any(layer.padding):
        whole = tuple(n + 2 * cut for n, cut in zip(x.size, layer.padding, strict=True))
        board.outline("left", "grid", row=1, col=0, size=whole)
    name = _("output {rows} × {cols}").format(rows=out.shape[0], cols=out.shape[1])
    board.matrix("right", out, "prediction", name=name)
    for step, cell in enumerate(convolution.cells(out.shape)):
        places = pooling.window(layer, x.size, cell)
        row, col = places[0]
        board.outline("left", "weight", row=top + row, col=left + col, size=layer.kernel, step=step, shade=0.12)
        board.outline("right", "prediction", row=1 + cell[0], col=cell[1], step=step)
        inside = [place for place in places if all(0 <= p < n for p, n in zip(place, x.size, strict=True))]
        seen = [float(values[place]) for place in inside]
        result = number(float(out[cell]))
        if layer.kind == "max":
            at = np.unravel_index(taken[cell], x.size)
            board.outline("left", "prediction", row=top + int(at[0]), col=left + int(at[1]), step=step, shade=0.3)
            captions.append(f"max({listed(seen, ', ')}) = {result}")
        else:
            captions.append(f"({listed(seen, ' + ')}) / {pooling.divisor(layer, x.size, cell)} = {result}")
    return board.drawn(captions)


@lru_cache(maxsize=64)
def stamps_data(layer: TransposedConvolution, x: Matrix, kernel: Matrix, _language: str) -> Drawn:
    """Draw how each input cell stamps the kernel, times its value, onto the output, and what the padding cuts off.

    Raises InputError where the padding leaves nothing.
    """
    size = transposed.output_size(layer, x.size)
    board, captions = Board(), []
    board.matrix("left", x.array, "data", name=_("input {rows} × {cols}").format(rows=x.size[0], cols=x.size[1]))
    name = _("kernel {rows} × {cols}").format(rows=kernel.size[0], cols=kernel.size[1])
    board.matrix("left", kernel.array, "weight", row=1, col=x.size[1] + 1.5, name=name)
    if any(layer.padding):
        name = _("output {rows} × {cols}, inside the frame").format(rows=size[0], cols=size[1])
    else:
        name = _("output {rows} × {cols}").format(rows=size[0], cols=size[1])
    board.text("right", name, row=0, col=0)
    row, col = layer.padding
    board.outline("right", "muted", row=1 + row, col=col, size=size)
    whole = transposed.TransposedConvolution(
        kernel=layer.kernel, stride=layer.stride, dilation=layer.dilation, output_padding=layer.output_padding
    )
    largest = float(np.abs(transposed.forward(whole, x.array[None], kernel.array[None, None])).max())
    extent = tuple(d * (k - 1) + 1 for k, d in zip(layer.kernel, layer.dilation, strict=True))
    so_far = np.zeros(x.size)
    for step, place in enumerate(convolution.cells(x.size)):
        so_far[place] = x.array[place]
        board.matrix(
            "right",
            transposed.forward(whole, so_far[None], kernel.array[None, None])[0],
            "prediction",
            largest=largest,
            step=step,
        )
        corner = tuple(p * s for p, s in zip(place, layer.stride, strict=True))
        board.outline("left", "weight", row=1 + place[0], col=place[1], step=step)
        board.outline("right", "weight", row=1 + corner[0], col=corner[1], size=extent, step=step, shade=0.1)
        sentence = _("Input [{row}, {col}] stamps {stamp} onto the output.")
        captions.append(sentence.format(row=place[0], col=place[1], stamp=times(float(x.array[place]), kernel.array)))
    return board.drawn(captions)
