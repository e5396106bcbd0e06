"""What the picture of a convolution is drawn from: a row for each cell of its matrices."""

from functools import lru_cache

import numpy as np
import pandas as pd

from app.figures.line import Data
from app.figures.numbers import numeral
from app.i18n import _
from core import convolution
from core.convolution import Convolution
from core.matrices import Matrix
from core.padding import Array, pad

READABLE = 14  # cells; a wider matrix has no numbers in it
ROOMY = 3  # cells; the numbers of a wider kernel have two decimals only


@lru_cache(maxsize=64)
def sliding_data(layer: Convolution, x: Matrix, kernel: Matrix, bias: float, _language: str) -> Data:
    """Compute what `convolution.sliding` draws; treat it as read-only. The language is there for the cache.

    Raises InputError where the layer does not fit the input.
    """
    out = convolution.forward(layer, x.array[None], kernel.array[None, None], np.array([bias]))[0]
    (top, bottom), (left, right) = layer.margins
    padded = pad(x.array, layer.margins, layer.mode)
    uses = convolution.uses(layer, x.size)
    (rows, cols), (krows, kcols), (orows, ocols) = padded.shape, kernel.size, out.shape
    legible = max(*padded.shape, *out.shape) <= READABLE
    inputs = _cells(padded, "data", legible=legible)
    is_padding = np.ones(padded.shape, dtype=bool)
    is_padding[top : rows - bottom, left : cols - right] = False
    inputs = inputs.assign(pad=is_padding.ravel().astype(int), uses=uses.ravel())
    weights = _cells(kernel.array, "weight", legible=True)
    if max(kernel.size) > ROOMY:
        weights["number"] = [shorter(value) for value in weights["value"]]
    weights = weights.rename(columns={"index": "windex", "value": "weight"})
    weights["padding"] = [
        int(is_padding[convolution.met(layer, x.size, cell)].sum()) for cell in convolution.cells(kernel.size)
    ]
    outputs = _cells(out, "prediction", legible=legible)
    largest = float(np.abs(padded).max() * np.abs(kernel.array).max()) or 1.0
    frame = {"rows": rows, "cols": cols, "krows": krows, "kcols": kcols, "orows": orows, "ocols": ocols}
    frame |= {"sh": layer.stride[0], "sw": layer.stride[1], "dh": layer.dilation[0], "dw": layer.dilation[1]}
    frame |= {"top": top, "left": left, "bias": bias, "largest": largest, "legible": legible}
    return {
        "input": inputs,
        "kernel": weights,
        "output": outputs,
        "right": pd.concat([weights, outputs]),
        "frame": pd.DataFrame([frame]),
        "names": pd.DataFrame(_titles(x.size, padded.shape, kernel.size, out.shape), columns=["panel", "text"]),
        "signs": pd.DataFrame({"sign": ["∗", "="], "place": [0, 1]}),
    }


def _titles(
    size: tuple[int, ...], padded: tuple[int, ...], kernel: tuple[int, ...], out: tuple[int, ...]
) -> list[tuple[str, str]]:
    name = _("input {rows} × {cols}").format(rows=size[0], cols=size[1])
    if padded != size:
        name = _("input {rows} × {cols}, padded to {high} × {wide}").format(
            rows=size[0], cols=size[1], high=padded[0], wide=padded[1]
        )
    return [
        ("input", name),
        ("kernel", _("kernel {rows} × {cols}").format(rows=kernel[0], cols=kernel[1])),
        ("products", _("products")),
        ("output", _("output {rows} × {cols}").format(rows=out[0], cols=out[1])),
    ]


def _cells(values: Array, quantity: str, *, legible: bool) -> pd.DataFrame:
    """Return a row for each cell of a matrix: its place, its number, its colour and how strong that is."""
    row, col = np.indices(values.shape)
    largest = float(np.abs(values).max()) or 1.0
    return pd.DataFrame(
        {
            "index": np.arange(values.size),
            "row": row.ravel(),
            "col": col.ravel(),
            "value": values.ravel(),
            "quantity": np.where(values.ravel() < 0, "residual", quantity),
            "shade": (0.45 if legible else 1.0) * np.abs(values.ravel()) / largest,
            "number": [number(value) if legible else "" for value in values.ravel().tolist()],
        }
    )


def shorter(value: float) -> str:
    """Write a number for a small cell: two decimals at most."""
    return f"{value:.2f}".rstrip("0").rstrip(".").replace("-", "−")


def number(value: float) -> str:
    """Write a number with three digits at most, whole ones up to 99,999 in full."""
    if value == int(value) and abs(value) < 1e5:
        return str(int(value)).replace("-", "−")
    return numeral(value, 3)
