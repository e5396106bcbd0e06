"""Handwritten digits drawn again: an image of the test set becomes strokes of a pen; and a net that reads them."""

from functools import lru_cache

import numpy as np
from PIL import Image

from core.device import find_placement
from core.digits import SIDE, Drawing
from core.predict import Net
from core.records import Checkpoint, Epoch
from core.run import RunSpec
from core.train import train

FINE = 3  # pixels along an edge of one of the image, so that the thinned line is smooth
# The neighbours of a pixel, clockwise from the one above it.
AROUND = ((-1, 0), (-1, 1), (0, 1), (1, 1), (1, 0), (1, -1), (0, -1), (-1, -1))


def drawn_again(image):
    """Return strokes along the middle of the lines of an image (28, 28) of bytes, as large as it is on the pad."""
    size = FINE * image.shape[0]
    fine = np.asarray(Image.fromarray(image).resize((size, size), Image.Resampling.BICUBIC))
    unit = SIDE / size
    lines = traced(thinned(fine > 127))
    strokes = tuple(tuple((round((x + 0.5) * unit), round((y + 0.5) * unit)) for y, x in line) for line in lines)
    return Drawing(strokes=strokes)


def thinned(ink):
    """Peel a shape until its lines are one pixel wide (Zhang and Suen 1984)."""
    ink = np.pad(ink, 1).astype(np.int64)
    while True:
        before = ink.sum()
        for first, second in (((0, 2, 4), (2, 4, 6)), ((0, 2, 6), (0, 4, 6))):
            p = [np.roll(ink, (-row, -column), (0, 1)) for row, column in AROUND]
            neighbours = sum(p)
            turns = sum((p[i] == 0) & (p[(i + 1) % 8] == 1) for i in range(8))
            open_sides = (np.prod([p[i] for i in first], 0) == 0) & (np.prod([p[i] for i in second], 0) == 0)
            ink = ink * ~((ink == 1) & (neighbours >= 2) & (neighbours <= 6) & (turns == 1) & open_sides)
        if ink.sum() == before:
            return ink[1:-1, 1:-1]


def traced(skeleton):
    """Walk along the lines: from an end as far as it goes, then from what is left, until every pixel was visited."""
    left = {(int(y), int(x)) for y, x in np.argwhere(skeleton)}
    every = set(left)

    def near(place, among):
        return [(place[0] + y, place[1] + x) for y, x in AROUND if (place[0] + y, place[1] + x) in among]

    lines = []
    while left:
        start = min(left, key=lambda place: (len(near(place, left)), place))
        joint = [place for place in near(start, every) if place not in left][:1]  # so that no gap is left
        line = [*joint, start]
        left.discard(start)
        while ahead := near(line[-1], left):
            line.append(ahead[0])
            left.discard(ahead[0])
        line += [place for place in near(line[-1], every) if place not in line][:1]
        lines.append(line)
    return lines


@lru_cache(maxsize=1)
def small_net():
    """A network that was trained for a moment."""
    spec = RunSpec(model="cnn", epochs=2, train_images=20_000, batch_size=64, schedule="onecycle", lr=0.1, momentum=0.9)
    records = list(train(spec, find_placement("cpu", threads=1)))
    accuracy = [record.test_accuracy for record in records if isinstance(record, Epoch)][-1]
    weights = [record.weights for record in records if isinstance(record, Checkpoint)][-1]
    return Net(key="small", epoch=2, spec=spec, accuracy=accuracy, origin="here", weights=lambda: weights)
