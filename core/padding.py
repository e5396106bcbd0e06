"""Padding: the cells that a layer puts around its input so that the window can reach beyond the edge.

The modes are those of torch.nn.Conv2d (https://docs.pytorch.org/docs/stable/generated/torch.nn.Conv2d.html);
course: "padding" in "卷积神经网络" (zeros, by default).
"""

from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from core.errors import InputError
from core.messages import N_

Array = NDArray[np.float64]
Margins = tuple[tuple[int, int], ...]  # cells before and after, an entry per axis

# torch's name -> numpy's, and what it puts there.
_NUMPY: dict[str, Literal["constant", "reflect", "edge", "wrap"]] = {
    "zeros": "constant",
    "reflect": "reflect",
    "replicate": "edge",
    "circular": "wrap",
}
MODES: dict[str, str] = {
    "zeros": N_("zeros"),
    "reflect": N_("reflect: mirrored at the edge cell"),
    "replicate": N_("replicate: the edge cell again"),
    "circular": N_("circular: the opposite side"),
}


def pad(x: Array, margins: Margins, mode: str = "zeros", value: float = 0.0) -> Array:
    """Put the margins around the last axes of x: (…, H, W) -> (…, before + H + after, before + W + after).

    `value` is what the mode "zeros" puts there: 0, or minus infinity for max pooling. Raises InputError where a mirror
    has less to show than it is asked for.
    """
    sizes = x.shape[x.ndim - len(margins) :]
    check(sizes, margins, mode)
    widths = [(0, 0)] * (x.ndim - len(margins)) + list(margins)
    options: dict[str, Any] = {"constant_values": value} if mode == "zeros" else {}
    padded: Array = np.pad(x, widths, mode=_NUMPY[mode], **options)
    return padded


def check(sizes: tuple[int, ...], margins: Margins, mode: str) -> None:
    """Raise InputError where the input is too small for its padding, as torch does."""
    for size, margin in zip(sizes, margins, strict=True):
        if mode == "reflect" and max(margin) >= size:
            raise InputError(
                "Reflect padding mirrors the cells behind the edge cell: of {size} cells at most {most}, not {value}.",
                size=size,
                most=size - 1,
                value=max(margin),
            )
        if mode == "circular" and max(margin) > size:
            raise InputError(
                "Circular padding goes around once at most: {most} cells of {size}, not {value}.",
                size=size,
                most=size,
                value=max(margin),
            )
