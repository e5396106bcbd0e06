"""Turning the question round: which layer gives this output, and which input sizes does a net take?"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from core.messages import N_
from core.shapes.chain import Chain, image_axes, run
from core.shapes.errors import ShapeError
from core.shapes.layer import LARGEST, Shape
from core.shapes.windows import Axis

KERNELS = range(1, 12)  # pixels
STRIDES = range(1, 9)


@dataclass(frozen=True, kw_only=True, order=True)
class Window:
    """A kernel, stride and padding for one axis, and what it leaves over."""

    kernel: int
    stride: int
    padding: int
    discarded: int  # pixels at the end that no window reaches


def windows_for(
    size: int, out: int, *, kernel: int | None = None, stride: int | None = None, padding: int | None = None
) -> list[Window]:
    """Return all small windows that make `out` pixels of `size`, those that discard nothing and are simple first.

    Kernels up to 11, strides up to 8, padding up to half of the kernel (more would add windows of padding alone);
    those that are given are kept. Raises ShapeError for sizes below 1.
    """
    if not (1 <= size <= LARGEST and 1 <= out <= LARGEST):
        raise ShapeError(N_("Sizes must be from 1 to {limit}."), limit=f"{LARGEST:,}")
    found = []
    for width in KERNELS if kernel is None else (kernel,):
        for step in STRIDES if stride is None else (stride,):
            for pad in range(width // 2 + 1) if padding is None else (padding,):
                axis = Axis(name="", size=size, kernel=width, stride=step, before=pad, after=pad)
                if axis.quotient >= 0 and axis.out == out:
                    found.append(Window(kernel=width, stride=step, padding=pad, discarded=axis.discarded))
    return sorted(found, key=lambda one: (one.discarded > 0, one.stride, one.kernel, one.padding))


def padding_that_keeps(kernel: int, dilation: int = 1) -> int | None:
    """Return the padding with which stride 1 keeps the size, (d·(k − 1))/2; None where that is no whole number."""
    total = dilation * (kernel - 1)
    return None if total % 2 else total // 2


def inputs_for(chain: Chain, input_shape: Shape, sizes: Iterable[int] = range(1, 513)) -> list[int]:
    """Return the sizes of square images for which a net works; batch and channels are those of `input_shape`.

    (64, 1, 28, 28) has the image (28, 28), and so has (1, 28, 28); a vector is varied in its last axis.
    """
    spatial = max(1, image_axes(chain, input_shape))
    kept = input_shape[: len(input_shape) - spatial]
    return [size for size in sizes if run(chain, (*kept, *(size,) * spatial)).ok]
