"""What a network takes for what: counts over the test images, and two networks compared image by image.

All of it comes from the digit that a network saw in each test image (`core.records.Epoch.predicted`), without torch.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from core.errors import InputError

CLASSES = 10  # digits
CLEAR = 0.01  # a split that chance makes in fewer cases than this tells which of two networks is better
Digits = NDArray[np.int64]  # (N,), each 0 to 9
Counts = NDArray[np.int64]  # (10, 10), a row for each label, a column for each digit that is seen


@dataclass(frozen=True, kw_only=True)
class Confusion:
    """A pair of digits and how often the first was taken for the second."""

    label: int  # what it is, 0 to 9
    seen: int  # what the network sees
    count: int  # images


def read_digits(predicted: str) -> Digits:
    """Return one digit for each character. Raises InputError for anything but the characters 0 to 9."""
    digits = np.frombuffer(predicted.encode(), dtype=np.uint8).astype(np.int64) - ord("0")
    if ((digits < 0) | (digits >= CLASSES)).any():
        raise InputError("What a network saw must be written as the digits 0 to 9.")
    return digits


def count_confusions(labels: Digits, predicted: Digits) -> Counts:
    """Return how many images of each label (row) were seen as each digit (column); the diagonal is right."""
    pairs = CLASSES * labels.astype(np.int64) + predicted  # (N,), one number for each pair
    return np.bincount(pairs, minlength=CLASSES**2).reshape(CLASSES, CLASSES)


def class_accuracies(counts: Counts) -> NDArray[np.float64]:
    """Return the share of each label's images that was recognised (10,), NaN for a label without images."""
    totals = counts.sum(axis=1)  # (10,)
    shares: NDArray[np.float64] = np.full(len(totals), math.nan)
    np.divide(counts.diagonal(), totals, out=shares, where=totals > 0)
    return shares


def most_confused(counts: Counts) -> Confusion | None:
    """Return the wrong pair with the most images, the first of equals; None where nothing is wrong."""
    wrong = counts - np.diag(counts.diagonal())
    label, seen = divmod(int(wrong.argmax()), CLASSES)
    return Confusion(label=label, seen=seen, count=int(wrong[label, seen])) if wrong[label, seen] else None


def images_of(labels: Digits, predicted: Digits, *, label: int, seen: int) -> list[int]:
    """Return the places in the test set of the images of a cell."""
    found: list[int] = np.flatnonzero((labels == label) & (predicted == seen)).tolist()
    return found


@dataclass(frozen=True, kw_only=True)
class Comparison:
    """Two networks on the same images."""

    both: int  # images that both recognise
    only_first: tuple[int, ...]  # places of the images that only the first one recognises
    only_second: tuple[int, ...]
    neither: int  # images that neither recognises
    difference: NDArray[np.float64]  # (10,), accuracy of the first less that of the second for each label, -1 to 1

    @property
    def chance(self) -> float:
        """How probable a difference this large or larger is where neither network is better, 0 to 1."""
        return sign_test(len(self.only_first), len(self.only_second))


def compare(labels: Digits, first: Digits, second: Digits) -> Comparison:
    """Compare what two networks saw in the images of these labels, each (N,)."""
    first_right, second_right = first == labels, second == labels  # (N,)
    return Comparison(
        both=int((first_right & second_right).sum()),
        only_first=tuple(np.flatnonzero(first_right & ~second_right).tolist()),
        only_second=tuple(np.flatnonzero(second_right & ~first_right).tolist()),
        neither=int((~first_right & ~second_right).sum()),
        difference=class_accuracies(count_confusions(labels, first))
        - class_accuracies(count_confusions(labels, second)),
    )


def sign_test(first: int, second: int) -> float:
    """Return McNemar's exact two-sided probability.

    Only the images on which the two differ tell which one is better. Were both equally good, each such image would
    fall to either side like a fair coin; this is the probability of a split at least as uneven as `first` to `second`
    (McNemar 1947, "Note on the sampling error of the difference between correlated proportions or percentages").
    """
    total, fewer = first + second, min(first, second)
    log_half = total * math.log(0.5)
    tail = math.fsum(
        math.exp(math.lgamma(total + 1) - math.lgamma(k + 1) - math.lgamma(total - k + 1) + log_half)
        for k in range(fewer + 1)
    )
    return min(1.0, 2 * tail)
