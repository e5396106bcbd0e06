"""What a training run is doing, read from its records: learning, diverged, stuck, overfitting, on a plateau."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum
from itertools import pairwise
from statistics import median

from core.ema import ema
from core.records import Epoch

GUESSING = math.log(10)  # cross entropy in nats of giving each of ten digits the same probability
LEARNT = 0.97 * GUESSING  # a loss above it is no better than guessing
OVERFIT_RISE = 1.02  # test loss above its best by this factor is more than noise
OVERFIT_MOVES = 1.5  # and by so many times what it usually moves from one epoch to the next
FLAT = 0.01  # relative change of the train loss in an epoch that counts as none
FLAT_EPOCHS = 3  # so many flat epochs in a row are a plateau
JUMP = 2 * GUESSING  # a loss above it was thrown there by a step that was too long
LEAST_LOOK_BACK = 10  # batches
LOOKS = 4  # so often an epoch the trend is judged, so that the verdict does not change from one second to the next


class State(Enum):
    """The one word for a run."""

    WAITING = "too few batches are reported"
    NOT_FINITE = "the loss became infinite or no number"
    DIVERGED = "the loss is above that of guessing"
    COLLAPSED = "the loss jumped and the network has been guessing since"
    GUESSING = "the network has not begun to learn"
    OVERFITTING = "the test loss rises while the train loss falls"
    PLATEAU = "the train loss hardly changes"
    FALLING = "the train loss falls"
    LEVEL = "the train loss does not fall at the moment"


@dataclass(frozen=True, kw_only=True)
class Diagnosis:
    """A state and the numbers that show it; which are set depends on the state."""

    state: State
    loss: float = math.nan  # the present average of the batches' loss
    since: int = 0  # the step (NOT_FINITE) or the epoch (OVERFITTING, PLATEAU) in which it began, from 1


def smoothing(steps_per_epoch: int) -> float:
    """Return the β of a run's average loss: it looks back a twentieth of an epoch, at least ten batches."""
    return 1 - 1 / max(LEAST_LOOK_BACK, steps_per_epoch / 20)


def diagnose(losses: Sequence[float], epochs: Sequence[Epoch], *, steps_per_epoch: int) -> Diagnosis:
    """Judge a run by the loss of each batch and by its epochs so far; the gravest finding wins."""
    if not losses:
        return Diagnosis(state=State.WAITING)
    if since := not_finite_since(losses, epochs, steps_per_epoch=steps_per_epoch):
        return Diagnosis(state=State.NOT_FINITE, since=since)
    loss = ema(losses, smoothing(steps_per_epoch))[-1]
    usual = median(losses[-LEAST_LOOK_BACK:])  # a single jump keeps the average up long after it
    if state := _guessing(losses, epochs, min(loss, usual)):
        return Diagnosis(state=state, loss=min(loss, usual))
    for state, begin in ((State.OVERFITTING, overfitting_since(epochs)), (State.PLATEAU, plateau_since(epochs))):
        if begin is not None:
            return Diagnosis(state=state, loss=loss, since=begin)
    return Diagnosis(state=_trend(losses, steps_per_epoch), loss=loss)


def _trend(losses: Sequence[float], steps_per_epoch: int) -> State:
    """Compare the median loss of the last epoch's worth of batches, or of the later half, with as many before them."""
    stride = max(LEAST_LOOK_BACK, steps_per_epoch // LOOKS)
    end = len(losses) - len(losses) % stride if len(losses) > stride else len(losses)
    window = min(end // 2, steps_per_epoch)
    if window < LEAST_LOOK_BACK:
        return State.WAITING
    before, after = losses[end - 2 * window : end - window], losses[end - window : end]
    falls = median(after) < median(before)  # a jump tells nothing
    return State.FALLING if falls else State.LEVEL


def _guessing(losses: Sequence[float], epochs: Sequence[Epoch], loss: float) -> State | None:
    """Say in which way a run is no better than guessing, if it is."""
    if loss > 1.05 * GUESSING and (epochs or len(losses) > 2 * LEAST_LOOK_BACK):
        return State.DIVERGED
    if loss <= LEARNT or (epochs and epochs[-1].test_loss <= LEARNT):
        return None
    return State.COLLAPSED if max(losses) > JUMP else State.GUESSING


def not_finite_since(losses: Sequence[float], epochs: Sequence[Epoch], *, steps_per_epoch: int) -> int | None:
    """Return the first step whose loss is infinite or no number; a test that is so counts for its epoch's last step."""
    for step, loss in enumerate(losses, start=1):
        if not math.isfinite(loss):
            return step
    for epoch in epochs:
        if not math.isfinite(epoch.test_loss):
            return min(epoch.epoch * steps_per_epoch, len(losses))
    return None


def overfitting_since(epochs: Sequence[Epoch]) -> int | None:
    """Return the first epoch of the overfitting: after it the test loss never was as low as just before.

    At least two epochs, in which the test loss rose by more than it usually moves, while the train loss fell, to less
    than that of guessing: a network that only guesses has learned nothing by heart.
    """
    if not epochs:
        return None
    best = min(epochs, key=lambda epoch: epoch.test_loss)
    last = epochs[-1]
    since = epochs[epochs.index(best) :]
    if len(since) <= 2 or last.train_loss >= min(best.train_loss, LEARNT):
        return None
    moves = median(abs(after.test_loss - before.test_loss) for before, after in pairwise(since))
    rise = last.test_loss - best.test_loss
    return best.epoch + 1 if rise > max((OVERFIT_RISE - 1) * best.test_loss, OVERFIT_MOVES * moves) else None


def plateau_since(epochs: Sequence[Epoch]) -> int | None:
    """Return the epoch after which the train loss changed by less than 1 % in each epoch, if it did so three times."""
    since, flat = None, 0
    for before, after in zip(reversed(epochs[:-1]), reversed(epochs[1:]), strict=True):
        if abs(after.train_loss - before.train_loss) >= FLAT * before.train_loss:
            break
        since, flat = before.epoch, flat + 1
    return since if flat >= FLAT_EPOCHS else None
