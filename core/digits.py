"""A drawn digit, and how MNIST makes a digit small: cut out, scaled to 20 pixels, put in the middle of 28 × 28.

The steps are those that LeCun, Cortes and Burges describe on the page of MNIST: the digit is scaled, with its
proportions, to fit a box of 20 × 20 pixels, which gives grey levels, and moved so that its centre of mass comes to the
middle of the image. A network that learned such images needs a drawing to be treated alike.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.caching import cached
from core.datasets import MEAN, STD, mnist_array
from core.errors import InputError
from core.messages import N_

SIDE = 280  # units of the pad along an edge, and pixels of its picture; ten for one of MNIST's
PEN = 24  # units; the width of a line: drawn again with it, MNIST's digits have as much ink as before
BOX = 20  # pixels along the longest side of a digit in MNIST
FIELD = 28  # pixels along an edge of an image in MNIST
MIDDLE = 14.0  # where MNIST puts the centre of mass; pixels from the centre of the first one
MAX_STROKES = 60
MAX_POINTS = 2_000  # of all strokes together
SMOOTH = 2  # pixels drawn along an edge of one that is kept, for soft edges
RARE = 0.001  # of the training images have less ink than what is called usual, and as many have more
SMALL = 100  # units; a drawing whose longest side is below has lines thicker than MNIST's

Point = tuple[int, int]  # x from the left edge and y from the upper one, units
Stroke = tuple[Point, ...]
Pixels = NDArray[np.uint8]  # 0 (paper) to 255 (ink)
Ink = NDArray[np.float64]  # 0 (paper) to 1 (ink)


@dataclass(frozen=True, kw_only=True)
class Drawing:
    """What is on a pad: strokes, and one of MNIST's test images beneath them or none."""

    strokes: tuple[Stroke, ...] = ()  # up to MAX_STROKES with MAX_POINTS points together, all on the pad
    example: int | None = None  # index in the test set

    def __post_init__(self) -> None:
        points = sum(map(len, self.strokes))
        if len(self.strokes) > MAX_STROKES or points > MAX_POINTS:
            raise InputError(
                "A drawing may have {strokes} strokes and {points:,} points; clear the pad and draw with fewer.",
                strokes=MAX_STROKES, points=MAX_POINTS,
            )  # fmt: skip
        if not all(0 <= value <= SIDE for stroke in self.strokes for point in stroke for value in point):
            raise InputError("The points of a drawing must lie on the pad, from 0 to {side}.", side=SIDE)
        if self.example is not None and not 0 <= self.example < 10_000:
            raise InputError(
                "The image must be from 0 to {most:,}, not {value}.", most=9_999, value=str(self.example)[:40]
            )


def read_drawing(sent: object) -> Drawing:
    """Read what a browser sent: `strokes`, each a flat list x, y, x, y … of whole numbers, and `example`.

    Raises InputError where it is anything else.
    """
    try:
        if not isinstance(sent, Mapping):
            raise TypeError
        flat = sent.get("strokes") or ()
        if sum(map(len, flat)) > 2 * MAX_POINTS:
            flat = [[0, 0]] * (MAX_STROKES + 1)  # refused below, unread
        strokes = tuple(_points(stroke) for stroke in flat)
        example = sent.get("example")
        return Drawing(strokes=strokes, example=None if example is None else _whole(example))
    except (TypeError, AttributeError, OverflowError) as error:
        raise InputError("The pad sent something that is no drawing; reload the page.") from error


def _points(flat: Sequence[object]) -> Stroke:
    if not isinstance(flat, list | tuple) or not flat or len(flat) % 2:
        raise TypeError
    numbers = [_whole(value) for value in flat]
    return tuple(zip(numbers[::2], numbers[1::2], strict=True))


def _whole(value: Any) -> int:  # noqa: ANN401 - it is what is found out here
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise TypeError
    return round(value)


@lru_cache(maxsize=128)
def pixels(drawing: Drawing) -> Pixels:
    """Return the picture on the pad, (SIDE, SIDE) with soft edges; it is shared, so treat it as read-only."""
    from PIL import Image, ImageDraw

    picture = Image.new("L", (SMOOTH * SIDE, SMOOTH * SIDE))
    pen, radius = ImageDraw.Draw(picture), SMOOTH * PEN / 2
    for stroke in drawing.strokes:
        points = [(SMOOTH * x, SMOOTH * y) for x, y in stroke]
        pen.line(points, fill=255, width=SMOOTH * PEN)
        for x, y in points:  # round ends and corners
            pen.ellipse((x - radius, y - radius, x + radius - 1, y + radius - 1), fill=255)
    drawn = np.asarray(picture.reduce(SMOOTH))
    if drawing.example is not None:
        image = Image.fromarray(mnist_array("test_images")[drawing.example])
        drawn = np.maximum(drawn, np.asarray(image.resize((SIDE, SIDE), Image.Resampling.BOX)))
    return drawn


@dataclass(frozen=True, kw_only=True, eq=False)
class Centred:
    """A digit on its way from the pad to the network, step by step."""

    drawn: Ink  # (H, W), as it was drawn
    box: tuple[int, int, int, int]  # top, left, bottom and right of the ink in it; the last two lie outside
    cropped: Ink  # (bottom - top, right - left)
    scaled: Ink  # (up to 20, up to 20), the longest side 20
    mass: tuple[float, float]  # row and column of the centre of mass in `scaled`, from the centre of its first pixel
    corner: tuple[int, int]  # row and column of the field that the upper left pixel of `scaled` comes to; may be < 0
    field: Ink  # (28, 28)

    @property
    def factor(self) -> float:
        """How many pixels of the small image one of the drawing becomes, along an edge."""
        return float(BOX / max(self.cropped.shape))

    @property
    def normalised(self) -> NDArray[np.float32]:
        """Return what the network gets, (28, 28): mean 0 and deviation 1 over MNIST's training pixels."""
        return ((self.field - MEAN) / STD).astype(np.float32)


STEPS = {
    "drawn": N_("Drawn"),
    "cropped": N_("Cut out"),
    "scaled": N_("Scaled"),
    "field": N_("Centred"),
    "normalised": N_("Normalised"),
}  # the arrays of Centred, in order, and how a page calls them


def centre(picture: Pixels) -> Centred:
    """Treat a picture (H, W) of a digit as MNIST's were.

    Raises InputError where there is nothing on it, or no more than a dot.
    """
    drawn = picture / 255
    rows, columns = np.flatnonzero(picture.any(axis=1)), np.flatnonzero(picture.any(axis=0))
    if not rows.size:
        raise InputError("Nothing is drawn yet.")
    top, left, bottom, right = int(rows[0]), int(columns[0]), int(rows[-1]) + 1, int(columns[-1]) + 1
    if max(bottom - top, right - left) * SIDE < 2 * PEN * max(picture.shape):
        raise InputError("This is no more than a dot; draw a digit that fills most of the pad.")
    cropped = drawn[top:bottom, left:right]
    scaled = shrink(cropped)
    mass = centre_of_mass(scaled)
    corner = (math.floor(MIDDLE - mass[0] + 0.5), math.floor(MIDDLE - mass[1] + 0.5))
    return Centred(
        drawn=drawn,
        box=(top, left, bottom, right),
        cropped=cropped,
        scaled=scaled,
        mass=mass,
        corner=corner,
        field=place(scaled, corner),
    )


def shrink(ink: Ink) -> Ink:
    """Scale a picture (H, W) so that its longest side has 20 pixels.

    Each pixel gets the share of ink in the area that it stands for, which turns edges grey: anti-aliasing.
    """
    from PIL import Image

    height, width = ink.shape
    factor = BOX / max(height, width)
    size = (max(1, round(width * factor)), max(1, round(height * factor)))
    small: Ink = np.asarray(Image.fromarray(ink.astype(np.float32)).resize(size, Image.Resampling.BOX), np.float64)
    return small.clip(0, 1)


def centre_of_mass(ink: Ink) -> tuple[float, float]:
    """Return the mean row and the mean column of the ink, each pixel weighted by how dark it is."""
    rows, columns = np.arange(ink.shape[0]), np.arange(ink.shape[1])
    total = ink.sum()
    return float(ink.sum(axis=1) @ rows / total), float(ink.sum(axis=0) @ columns / total)


def place(ink: Ink, corner: tuple[int, int]) -> Ink:
    """Put a small picture on an empty field of 28 × 28; what lies beyond its edges is lost."""
    field = np.zeros((FIELD, FIELD))
    top, left = corner
    rows = slice(max(0, top), max(0, min(FIELD, top + ink.shape[0])))
    columns = slice(max(0, left), max(0, min(FIELD, left + ink.shape[1])))
    field[rows, columns] = ink[rows.start - top : rows.stop - top, columns.start - left : columns.stop - left]
    return field


def ink_share(ink: Ink) -> float:
    """Return how much of a picture is ink, 0 to 1: the mean of its pixels."""
    return float(ink.mean())


@cached(maxsize=1)
def usual_ink() -> tuple[float, float]:
    """Return the least and the largest share of ink among MNIST's training images but for the RARE ones at both ends.

    A drawing outside is hardly a digit, whatever a network calls it. Raises InputError for missing data.
    """
    shares = mnist_array("train_images").mean(axis=(1, 2)) / 255  # (60000,)
    low, high = np.quantile(shares, (RARE, 1 - RARE))
    return float(low), float(high)


@lru_cache(maxsize=1)
def examples() -> tuple[int, ...]:
    """Return the first test image of each digit, 0 to 9, by its index. Raises InputError for missing data."""
    labels = mnist_array("test_labels")
    return tuple(int(np.argmax(labels == digit)) for digit in range(10))
