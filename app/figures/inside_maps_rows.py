"""What the picture of a layer's maps draws, computed from forward passes, once for all who look at the same."""

import base64
import io
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from app.figures.inside_maps import MOST
from app.i18n import _
from app.palette import QUANTITIES
from core.caching import cached
from core.inside import Look, Origin, Question, Stage, look, origin
from core.run import RunSpec

MOST_EPOCHS = 11  # among which the player moves: the course's ten, and before the first step
LEVELS = 15  # of a colour, besides none
STRONGEST = 0.85  # opacity of the largest value

Rows = dict[str, pd.DataFrame]
Theme = Literal["light", "dark"]
Array = NDArray[np.float32]


@dataclass(frozen=True, kw_only=True)
class Asked:
    """One test image, and the network after the epochs that are shown."""

    key: str  # of the run
    image: int  # place in the test set
    epochs: tuple[int, ...]  # in order; 0 is before the first step
    spec: RunSpec = field(compare=False)
    weights: Callable[[int], bytes] = field(compare=False, repr=False)  # after an epoch

    def looks(self) -> list[Look]:
        """Return what the network computes after each of the epochs. Raises InputError for missing weights."""
        return [self._look(epoch) for epoch in self.epochs]

    def _look(self, epoch: int) -> Look:
        read = (lambda: self.weights(epoch)) if epoch else None
        return look(Question(key=self.key, epoch=epoch, image=self.image, spec=self.spec, weights=read))


def shown_epochs(kept: Sequence[int]) -> tuple[int, ...]:
    """Choose the epochs that the player shows: before the first step, the last, and even distances between them."""
    epochs = [0, *kept]
    if len(epochs) <= MOST_EPOCHS:
        return tuple(epochs)
    last = len(epochs) - 1
    return tuple(epochs[round(place * last / (MOST_EPOCHS - 1))] for place in range(MOST_EPOCHS))


# --- Small images


@cached(maxsize=4)
def _palette(quantity: str, theme: Theme) -> tuple[bytes, bytes]:
    """Return the colours and the opacities of a palette: negative values, zero, positive values."""
    hues = [getattr(QUANTITIES[name], theme) for name in ("residual", quantity)]
    negative, positive = (bytes.fromhex(hue[1:]) for hue in hues)
    opacity = [round(255 * STRONGEST * level / LEVELS) for level in range(1, LEVELS + 1)]
    return negative * LEVELS + positive * (LEVELS + 1), bytes([*opacity[::-1], 0, *opacity])


def picture(values: Array, largest: float, quantity: str, theme: Theme) -> str:
    """Return values (H, W) as the data URL of a PNG, the stronger the larger; 0 is transparent."""
    from PIL import Image

    scaled = np.nan_to_num(values / largest if largest else values, nan=0.0, posinf=1.0, neginf=-1.0)
    levels = (np.rint(scaled.clip(-1, 1) * LEVELS) + LEVELS).astype(np.uint8)
    colours, opacities = _palette(quantity, theme)
    image = Image.frombytes("P", (levels.shape[1], levels.shape[0]), levels.tobytes())
    image.putpalette(colours)
    content = io.BytesIO()
    image.save(content, "PNG", transparency=opacities)
    return "data:image/png;base64," + base64.b64encode(content.getvalue()).decode()


def _largest(values: Array) -> float:
    """Return the largest magnitude among what is finite; 1 where there is none."""
    finite = np.abs(values[np.isfinite(values)])
    return float(finite.max(initial=0.0)) or 1.0


# --- The maps of a layer


@cached(maxsize=32)
def grid(asked: Asked, layer: int, theme: Theme) -> pd.DataFrame:
    """Return the first maps of a layer, an image for each epoch; treat it as read-only."""
    stages = [seen.stages[layer] for seen in asked.looks()]
    rows = []
    largest = [_largest(stage.maps[:MOST]) for stage in stages]
    for rank in range(min(MOST, len(stages[0].maps))):
        maps = [stage.maps[rank] for stage in stages]
        row: dict[str, Any] = {
            "rank": rank,
            "urls": [picture(each, most, "prediction", theme) for each, most in zip(maps, largest, strict=True)],
            "numbers": _numbers(np.ravel(maps)) if maps[0].size == 1 else None,
        }
        rows.append(row)
    return pd.DataFrame(rows)


@cached(maxsize=8)
def kernel_grid(asked: Asked, theme: Theme) -> pd.DataFrame:
    """Return the first layer's kernels, an image for each epoch; treat it as read-only."""
    weights = [kernels[:, 0] for kernels in first_kernels(asked)]
    if len(first_kernels(asked)[0][0]) == 3:
        return _coloured(first_kernels(asked))
    largest = max(_largest(each[:MOST]) for each in weights)
    rows = [
        {"rank": rank, "urls": [picture(each[rank], largest, "weight", theme) for each in weights]}
        for rank in range(min(MOST, len(weights[0])))
    ]
    return pd.DataFrame(rows)


def _coloured(weights: Sequence[Array]) -> pd.DataFrame:
    """Return kernels (n, 3, height, width) of images in colour as they are: grey is 0, red is a weight of the reds."""
    largest = max(_largest(each[:MOST]) for each in weights)
    rows = [
        {"rank": rank, "urls": [_in_colour(each[rank] / largest) for each in weights]}
        for rank in range(min(MOST, len(weights[0])))
    ]
    return pd.DataFrame(rows)


def _in_colour(values: Array) -> str:
    """Return values (3, H, W) from -1 to 1 as the data URL of a PNG in colour."""
    from PIL import Image

    levels = np.rint(127.5 * (1 + np.nan_to_num(values).clip(-1, 1))).astype(np.uint8)
    content = io.BytesIO()
    Image.fromarray(np.ascontiguousarray(levels.transpose(1, 2, 0))).save(content, "PNG")
    return "data:image/png;base64," + base64.b64encode(content.getvalue()).decode()


def first_kernels(asked: Asked) -> list[Array]:
    """Return the first layer's kernels (n, channels, height, width) after each epoch."""
    stages = [next(stage for stage in seen.stages if stage.kernels is not None) for seen in asked.looks()]
    return [stage.kernels.weight for stage in stages if stage.kernels is not None]


# --- One map taken apart


@cached(maxsize=32)
def apart(asked: Asked, layer: int, number: int, theme: Theme, _language: str) -> Rows:
    """Return one map, and what it was made from, after each epoch; treat it as read-only.

    The input channels are those that give most after the last epoch. The language is there for the cache.
    """
    stages = [seen.stages[layer] for seen in asked.looks()]
    last = origin(stages[-1], number)
    channels = last.channels if last else ()
    origins = [origin(stage, number, channels) for stage in stages]
    found = [each for each in origins if each is not None]
    outputs = np.stack([stage.maps[number] for stage in stages])  # (E, H', W')
    inputs = [each.inputs for each in found] if found else _same_channel(stages, number)
    if inputs and all(np.array_equal(each, inputs[0]) for each in inputs):
        inputs = inputs[:1]  # the image itself is the same in every epoch
    names = [_("input {number}").format(number=channel + 1) for channel in channels] or [_("before")]
    if len(channels) == 1 and stages[0].inputs.shape[0] == 1:
        names = [_("image")]
    elif stages[0].inputs is asked.looks()[0].stages[0].maps and len(stages[0].inputs) == 3:
        names = [(_("red"), _("green"), _("blue"))[channel] for channel in channels]
    output = pd.DataFrame(
        {
            "index": range(outputs[0].size),
            "row": np.repeat(range(outputs.shape[1]), outputs.shape[2]),
            "col": np.tile(range(outputs.shape[2]), outputs.shape[1]),
            "values": _numbers(outputs.reshape(len(outputs), -1).T),
        }
    )
    if found:
        output["rest"] = _numbers(np.stack([each.rest for each in found]).reshape(len(found), -1).T)
    return {
        "inputs": _inputs(inputs, names, theme, with_values=bool(found)),
        "weights": _weights(found),
        "output": output,
        "frame": _frame(stages[0], found, inputs, outputs, number),
    }


def _same_channel(stages: Sequence[Stage], number: int) -> list[Array]:
    """Return what an operation on each channel by itself was given; nothing where it mixes channels."""
    if stages[0].operation in ("image", "add", "concatenate", "multiply") or number >= len(stages[0].inputs):
        return []
    return [stage.inputs[number][None] for stage in stages]


def _inputs(inputs: Sequence[Array], names: Sequence[str], theme: Theme, *, with_values: bool) -> pd.DataFrame:
    rows = []
    for rank in range(len(inputs[0]) if inputs else 0):
        channels = [each[rank] for each in inputs]
        rows.append(
            {
                "rank": rank,
                "name": names[rank],
                "urls": [picture(each[rank], _largest(each), "data", theme) for each in inputs],
                "values": _numbers(np.stack(channels).reshape(len(channels), -1)) if with_values else [],
            }
        )
    return pd.DataFrame(rows, columns=["rank", "name", "urls", "values"])


def _weights(found: Sequence[Origin]) -> pd.DataFrame:
    columns = ["rank", "i", "j", "weights"]
    if not found:
        return pd.DataFrame(columns=columns)
    kernels = np.stack([each.kernels for each in found])  # (E, n, kernel height, kernel width)
    places = list(np.ndindex(*kernels.shape[1:]))
    values = _numbers(kernels.reshape(len(found), -1).T)
    return pd.DataFrame(
        [(rank, i, j, listed) for (rank, i, j), listed in zip(places, values, strict=True)], columns=columns
    )


def _frame(stage: Stage, found: Sequence[Origin], inputs: Sequence[Array], outputs: Array, number: int) -> pd.DataFrame:
    rows, cols = inputs[0].shape[1:] if inputs else (1, 1)
    krows, kcols = found[0].kernels.shape[1:] if found else (0, 0)
    down, right = found[0].stride if found else (1, 1)
    row: dict[str, Any] = {
        "channels": len(inputs[0]) if inputs else 1, "alone": int(not inputs),
        "rows": rows, "cols": cols, "krows": krows, "kcols": kcols, "down": down, "right": right,
        "orows": outputs.shape[1], "ocols": outputs.shape[2],
        "largest": np.nan_to_num(outputs, nan=-np.inf).reshape(len(outputs), -1).argmax(axis=1).tolist(),
        "unit": [10.0 ** (math.floor(math.log10(_largest(each) / 2)) - 3) for each in outputs],
        "output": [_largest(each) for each in outputs],
        "input": [_largest(each) for each in inputs],
        "weight": [_largest(each.kernels) for each in found],
        "bias": _numbers(np.array([each.bias for each in found])),
        "others": found[0].others if found else 0,
        "title": _("map {number}").format(number=number + 1),
    }  # fmt: skip
    return pd.DataFrame([row])


def _numbers(values: NDArray[Any]) -> list[Any]:
    """Return nested lists of numbers with five digits; JSON has no NaN."""
    if values.ndim > 1:
        return [_numbers(each) for each in values]
    return [float(f"{value:.5g}") if np.isfinite(value) else None for value in values.tolist()]
