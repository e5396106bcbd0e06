"""The rows that the pictures of a drawn digit are made of."""

import base64
import io
from collections.abc import Iterator, Sequence

import numpy as np
import pandas as pd

from app.figures import digit_words as words
from app.figures.comparison import colours
from app.figures.digit_words import Answer
from app.i18n import _
from core.caching import cached
from core.digits import BOX, FIELD, STEPS, Centred, Drawing, Ink, centre, pixels
from core.predict import Net, Prediction
from core.saliency import Saliency

SPOT = 0.07  # of an image; the side of the square around a centre of mass

Data = dict[str, pd.DataFrame]


def bar_rows(nets: tuple[Net, ...], names: tuple[str, ...], answers: Sequence[Answer], language: str) -> Data:
    """Return ten bars for each network, whose first carries what it says; without a finite answer they are empty.

    Only the bars change while a line grows; the rest is made once for a language.
    """
    bars = []
    tones = colours(tuple(net.spec for net in nets))
    for place, (answer, name, colour) in enumerate(zip(answers, names, tones, strict=True)):
        seen = answer.digit if isinstance(answer, Prediction) else None
        chances = answer.probabilities if isinstance(answer, Prediction) and seen is not None else (0.0,) * 10
        said = [words.verdict(answer), *[""] * 9]
        bars += [(place, digit, p, digit == seen, name, colour, said[digit]) for digit, p in enumerate(chances)]
    columns = ["net", "digit", "probability", "seen", "name", "colour", "verdict"]
    return {"bars": pd.DataFrame(bars, columns=columns), **_title_rows(nets, names, language)}


@cached(maxsize=64)
def _title_rows(nets: tuple[Net, ...], names: tuple[str, ...], _language: str) -> Data:
    titles = [
        (place, title, words.details(net))
        for place, (title, net) in enumerate(zip(words.titles(names, nets), nets, strict=True))
    ]
    return {
        "nets": pd.DataFrame(titles, columns=["net", "title", "details"]),
        "frame": pd.DataFrame({"nets": [len(nets)]}),
    }


@cached(maxsize=64)
def step_rows(drawing: Drawing, language: str) -> Data:
    """Return the images of the steps in a language, and what is marked in them.

    Raises InputError where there is nothing on the pad, or no more than a dot.
    """
    small = centre(pixels(drawing))
    images = [
        {"place": place, "name": _(title), "size": size, "url": _url(ink)}
        for place, (title, size, ink) in enumerate(zip(STEPS.values(), words.sizes(small), _inks(small), strict=True))
    ]
    marks = [mark for step in range(len(STEPS)) for mark in _marks(small, step)]
    columns = ["step", "place", "left", "top", "wide", "high"]
    return {"images": pd.DataFrame(images), "marks": pd.DataFrame(marks, columns=columns)}


def _inks(small: Centred) -> list[Ink]:
    """Return what each image shows; the numbers that the network gets look as the field does."""
    return [small.drawn, small.cropped, small.scaled, small.field, small.field]


def _marks(small: Centred, step: int) -> Iterator[tuple[float, ...]]:
    """Yield frames that belong to a step: the image that it stands in, and where, in shares of that image."""
    high, wide = small.drawn.shape
    top, left, bottom, right = small.box
    if step == 1:
        yield step, 0, left / wide, top / high, (right - left) / wide, (bottom - top) / high
    if step == 3:
        row, column = small.mass
        yield step, 2, (column + 0.5) / BOX - SPOT / 2, (row + 0.5) / BOX - SPOT / 2, SPOT, SPOT
        row, column = row + small.corner[0], column + small.corner[1]
        yield step, 3, (column + 0.5) / FIELD - SPOT / 2, (row + 0.5) / FIELD - SPOT / 2, SPOT, SPOT


def _url(ink: Ink) -> str:
    """Return an image as the data URL of a PNG: dark ink on white paper, in the corner of a square."""
    from PIL import Image

    side = max(ink.shape)
    square = np.zeros((side, side, 2), np.uint8)  # how light, and whether there is paper
    square[: ink.shape[0], : ink.shape[1], 0] = np.round(255 * (1 - ink))
    square[: ink.shape[0], : ink.shape[1], 1] = 255
    content = io.BytesIO()
    Image.fromarray(square).save(content, "PNG")
    return "data:image/png;base64," + base64.b64encode(content.getvalue()).decode()


def saliency_rows(small: Centred, found: Saliency) -> Data:
    """Return a row for each pixel of what the network gets."""
    rows, columns = np.mgrid[: small.field.shape[0], : small.field.shape[1]]
    gradient = found.gradient.astype(np.float64)
    largest = np.abs(gradient).max() or 1.0
    cells = {
        "row": rows.ravel(),
        "col": columns.ravel(),
        "ink": small.field.ravel(),
        "gradient": gradient.ravel(),
        "sign": np.where(gradient < 0, "-", "+").ravel(),
        "shade": (np.abs(gradient) / largest).ravel(),
    }
    return {"cells": pd.DataFrame(cells), "frame": pd.DataFrame({"side": [len(rows)]})}
