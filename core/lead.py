"""Who leads in a comparison of training runs: by how much, since when, and what of it chance would explain."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from core.confusion import CLEAR, compare, read_digits, sign_test
from core.errors import InputError
from core.image_data import truth
from core.image_sets import TEST_IMAGES
from core.records import Epoch

HARDER = 0.05  # a train accuracy so far behind the best run's is no matter of a few steps


@dataclass(frozen=True, kw_only=True)
class Split:
    """The test images that only one of two runs recognises."""

    first: int  # images that only the first recognises
    second: int  # images that only the second recognises

    @property
    def chance(self) -> float:
        """How probable a split this uneven or more is where both are equally good, 0 to 1."""
        return sign_test(self.first, self.second)


@dataclass(frozen=True, kw_only=True)
class Lead:
    """The state of a comparison after the last epoch that all of its runs have finished."""

    order: tuple[int, ...]  # places of the runs, from 0, the best first
    epoch: int  # which is compared
    ahead: float  # test accuracy of the leader less that of the second, 0 to 1
    since: int  # from this epoch on the leader was never behind another run
    clear: bool  # whether chance would hardly explain it
    split: Split | None  # between the leader and the second, where what they saw was kept

    @property
    def leader(self) -> int:
        """Return the place of the best run."""
        return self.order[0]

    @property
    def second(self) -> int:
        """Return the place of the run behind it."""
        return self.order[1]


def find_lead(runs: Sequence[Sequence[Epoch]], data: str = "mnist") -> Lead | None:
    """Compare the test accuracies after the last epoch that all runs have; None for less than two runs or none there.

    All runs were tested on the images of the set `data`. A lead is clear where McNemar's test on the images on which
    the two differ says so (core.confusion). Where it was not kept what they saw, or the set is not here, from twice
    the standard error of the difference on, √(p(1−p)/n + q(1−q)/n).
    """
    shared = min((len(epochs) for epochs in runs), default=0)
    if len(runs) < 2 or not shared:
        return None
    tables = [[epoch.test_accuracy for epoch in epochs[:shared]] for epochs in runs]
    order = sorted(range(len(runs)), key=lambda run: (-tables[run][-1], run))
    leader, second = order[0], order[1]
    since = shared
    while since > 1 and all(tables[leader][since - 2] >= table[since - 2] for table in tables):
        since -= 1
    p, q = tables[leader][-1], tables[second][-1]
    split = _split(runs[leader][shared - 1], runs[second][shared - 1], data)
    clear = p - q > 2 * math.sqrt((p * (1 - p) + q * (1 - q)) / TEST_IMAGES)
    if split is not None:
        clear = split.chance < CLEAR
    return Lead(order=tuple(order), epoch=shared, ahead=p - q, since=since, clear=clear, split=split)


def _split(first: Epoch, second: Epoch, data: str) -> Split | None:
    """Count the test images that only one of two runs recognises; None where that cannot be said."""
    if not first.predicted or not second.predicted:
        return None
    try:
        labels = truth(data)
    except InputError:
        return None
    found = compare(labels, read_digits(first.predicted), read_digits(second.predicted))
    return Split(first=len(found.only_first), second=len(found.only_second))


def harder_to_train(runs: Sequence[Sequence[Epoch]]) -> list[int]:
    """Return the places of the runs that fall behind on the training images too, so that it is no overfitting.

    That is how He et al. tell a plain network that is too deep ("Deep Residual Learning for Image Recognition", 2015,
    section 1: degradation). The accuracies are those of the last epoch that all runs have. The first epoch shows
    nothing of the kind: its mean is that of networks that have only begun to learn.
    """
    shared = min((len(epochs) for epochs in runs), default=0)
    if shared < 2:
        return []
    accuracies = [epochs[shared - 1].train_accuracy for epochs in runs]
    return [run for run, accuracy in enumerate(accuracies) if max(accuracies) - accuracy > HARDER]
