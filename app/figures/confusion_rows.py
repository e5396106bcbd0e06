"""What the pictures of confusions draw, computed once for all readers of the same moment of a run."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd

from app.figures import confusion_words as words
from app.figures.class_names import class_names
from app.figures.confusion import MOST, SIDE
from app.figures.training_rows import image_url
from core.caching import cached
from core.confusion import (
    CLASSES,
    Comparison,
    Counts,
    Digits,
    class_accuracies,
    compare,
    count_confusions,
    images_of,
    read_digits,
)
from core.image_data import truth
from core.image_sets import DIGITS
from core.records import Epoch

FLOORS = (0.98, 0.95, 0.9, 0.8, 0.5, 0.0)  # where the axis of the accuracies may begin

Rows = dict[str, pd.DataFrame]


@dataclass(frozen=True, kw_only=True)
class Seen:
    """What a run has seen in the test images up to now; equal ones make equal pictures."""

    key: str  # of the run
    count: int  # epochs
    data: str  # the set of images
    names: tuple[str, ...]  # of its classes, in the reader's language
    epochs: Sequence[Epoch] = field(compare=False, repr=False)

    def digits(self, position: int) -> Digits:
        """Return what was seen after the epoch at a position, counted from 0; after the last one where it has fewer."""
        return read_digits(self.epochs[min(position, self.count - 1)].predicted)

    @property
    def names_are_digits(self) -> bool:
        """Say whether the names of the classes are the labels themselves."""
        return self.names == DIGITS

    def labels(self) -> Digits:
        """Return the labels of the test images. Raises InputError where these are not here."""
        return truth(self.data)


def seen_by(key: str, epochs: Sequence[Epoch], data: str = "mnist") -> Seen:
    """Take what a run has seen at this moment."""
    return Seen(key=key, count=len(epochs), data=data, names=class_names(data), epochs=epochs)


@cached(maxsize=64)
def counts(seen: Seen) -> tuple[Counts, ...]:
    """Return the confusion matrix of each epoch."""
    return tuple(count_confusions(seen.labels(), seen.digits(position)) for position in range(seen.count))


@cached(maxsize=64)
def matrix_rows(seen: Seen) -> Rows:
    """Return the cells and the accuracies of all epochs; treat them as read-only."""
    matrices = np.stack(counts(seen))  # (E, 10, 10)
    totals = matrices[0].sum(axis=1)  # (10,)
    accuracies = np.stack([class_accuracies(matrix) for matrix in matrices])  # (E, 10)
    cells = [
        {
            "label": label,
            "seen": other,
            "what": seen.names[label],
            "taken": seen.names[other],
            "right": int(label == other),
            "total": int(totals[label]),
            "counts": matrices[:, label, other].tolist(),
        }
        for label, other in np.ndindex(CLASSES, CLASSES)
    ]
    classes = [
        {"label": label, "name": seen.names[label], "accuracies": _listed(accuracies[:, label])}
        for label in range(CLASSES)
    ]
    return {"cells": pd.DataFrame(cells), "classes": pd.DataFrame(classes)}


@cached(maxsize=128)
def limits(seen: Seen, shares: bool) -> pd.DataFrame:
    """Return where the scales end, over all epochs, and whether the cells show shares."""
    matrices = np.stack(counts(seen)).astype(float)  # (E, 10, 10)
    share = matrices / np.maximum(matrices.sum(axis=2, keepdims=True), 1)
    lowest = float(share.diagonal(axis1=1, axis2=2).min())
    wrong = share * (1 - np.eye(CLASSES))
    means = matrices.trace(axis1=1, axis2=2) / matrices[0].sum()
    floor = next(floor for floor in FLOORS if floor <= lowest)
    row = {"most": float(wrong.max()), "floor": floor, "means": _listed(means), "shares": int(shares)}
    return pd.DataFrame([row])


@cached(maxsize=256)
def cell_rows(seen: Seen, label: int, other: int, _language: str) -> Rows:
    """Return the images of a cell, the first ones of many, after each epoch. The language is there for the cache."""
    shown: list[dict[str, Any]] = []
    headings = []
    for position in range(seen.count):
        found = images_of(seen.labels(), seen.digits(position), label=label, seen=other)
        heading = words.cell_heading(seen.names[label], seen.names[other], len(found), min(MOST, len(found)))
        headings.append({"view": "images", "position": position, "text": heading})
        shown += [
            {"position": position, "rank": rank, "index": index, "what": seen.names[label], "taken": seen.names[other]}
            for rank, index in enumerate(found[:MOST])
        ]
    columns = ["position", "rank", "index", "what", "taken"]
    return {
        "shown": pd.DataFrame(shown, columns=columns),
        "heading": pd.DataFrame(headings),
        **_pictures(shown, seen.data),
    }


# --- Two runs


@cached(maxsize=64)
def comparisons(first: Seen, second: Seen) -> tuple[Comparison, ...]:
    """Compare two runs after each epoch of the first; the second stays at its last one where it has fewer."""
    return tuple(
        compare(first.labels(), first.digits(position), second.digits(position)) for position in range(first.count)
    )


@cached(maxsize=64)
def comparison_rows(first: Seen, second: Seen, _language: str) -> Rows:
    """Return the difference for each digit and the images that only one recognises, after each epoch."""
    found = comparisons(first, second)
    differences = np.stack([comparison.difference for comparison in found])  # (E, 10)
    largest = float(np.nanmax(np.abs(differences), initial=0.001))
    shown: list[dict[str, Any]] = []
    headings = []
    for position, comparison in enumerate(found):
        for side, images, other in (
            ("first", comparison.only_first, second),
            ("second", comparison.only_second, first),
        ):
            heading = words.side_heading(side == "first", len(images), min(SIDE, len(images)))
            headings.append({"view": side, "position": position, "text": heading})
            shown += _of_side(position, side, images[:SIDE], other)
    columns = ["position", "side", "rank", "index", "what", "predicted", "taken", "below"]
    return {
        "classes": pd.DataFrame(
            [
                {"label": label, "name": first.names[label], "differences": _listed(differences[:, label])}
                for label in range(CLASSES)
            ]
        ),
        "limits": pd.DataFrame([{"most": 130 * largest}]),
        "shown": pd.DataFrame(shown, columns=columns),
        "heading": pd.DataFrame(headings),
        **_pictures(shown, first.data),
    }


def _of_side(position: int, side: str, images: Sequence[int], other: Seen) -> list[dict[str, Any]]:
    """List images that one run recognises, with what the other one takes each for."""
    labels, wrong, names = other.labels(), other.digits(position), other.names
    return [
        {
            "position": position,
            "side": side,
            "rank": rank,
            "index": index,
            "what": names[labels[index]],
            "predicted": int(wrong[index]),
            "taken": names[wrong[index]],
            "below": f"{names[labels[index]]} → {names[wrong[index]]}",
        }
        for rank, index in enumerate(images)
    ]


def _pictures(shown: Sequence[dict[str, Any]], data: str) -> Rows:
    """Return each image once, however many epochs show it."""
    indices = sorted({row["index"] for row in shown})
    return {"pictures": pd.DataFrame({"index": indices, "url": [image_url(data, index) for index in indices]})}


def _listed(values: np.ndarray[Any, Any]) -> list[float | None]:
    """Return numbers as JSON has them: none where a share of nothing is no number."""
    return [None if math.isnan(value) else round(float(value), 6) for value in values]
