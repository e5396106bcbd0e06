"""Who leads in a comparison of training runs: by how much, and since when."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from core.records import Epoch

TEST_IMAGES = 10_000  # behind each test accuracy


@dataclass(frozen=True, kw_only=True)
class Lead:
    """The state of a comparison after the last epoch that all of its runs have finished."""

    leader: int  # place of the run, from 0
    second: int  # place of the run behind it
    epoch: int  # which is compared
    ahead: float  # test accuracy of the leader less that of the second, 0 to 1
    since: int  # from this epoch on the leader was never behind another run
    clear: bool  # whether it is more than two different sets of test images would explain


def find_lead(runs: Sequence[Sequence[Epoch]]) -> Lead | None:
    """Compare the test accuracies after the last epoch that all runs have; None for less than two runs or none there.

    A lead is clear from twice the standard error of the difference on, √(p(1−p)/n + q(1−q)/n).
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
    error = math.sqrt((p * (1 - p) + q * (1 - q)) / TEST_IMAGES)
    return Lead(leader=leader, second=second, epoch=shared, ahead=p - q, since=since, clear=p - q > 2 * error)
