"""Whether records that came from elsewhere can be those of a run: types, ranges, order. Raises ValueError."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence

from core.checks import is_number
from core.device import DEVICES
from core.entries import Entry
from core.records import Batch, Epoch, Inside, LayerState, Mistake

MOST_BATCHES = 60_000  # records; a run of one go has at most 20,000, each continuation may add some
MOST_LAYERS = 1_000
MOST_MISTAKES = 24  # of an epoch
TEST_IMAGES = 10_000
LONGEST = 1e8  # seconds of a run: three years
FASTEST = 1e9  # images a second
LAYER_NAME = re.compile(r"[A-Za-z0-9_.]{1,80}")
PREDICTED = re.compile(rf"[0-9]{{{TEST_IMAGES}}}")


def check_records(entry: Entry) -> None:
    """Check all records of an entry against each other and against its spec."""
    finished = len(entry.epochs)
    _claim(1 <= finished <= entry.spec.epochs, "the number of epochs")
    _claim(entry.state == "cancelled" or finished == entry.spec.epochs or entry.spec.patience > 0, "the state")
    _claim([epoch.epoch for epoch in entry.epochs] == [*range(1, finished + 1)], "the epochs")
    for epoch in entry.epochs:
        _check_epoch(epoch)
    _check_batches(entry.batches, finished, entry.spec.steps_per_epoch)
    _check_insides(entry.insides, finished)


def _claim(holds: bool, what: str) -> None:
    if not holds:
        raise ValueError(f"{what} cannot be those of a run")


def _whole(value: object, low: int, high: int) -> bool:
    return type(value) is int and low <= value <= high


def _number(value: object, low: float = -math.inf, high: float = math.inf) -> bool:
    """Say whether a value is a finite number in a range."""
    return is_number(value) and math.isfinite(value) and low <= value <= high  # type: ignore[arg-type, operator]  # a number


def _check_epoch(epoch: Epoch) -> None:
    _claim(_is_loss(epoch.train_loss) and _is_loss(epoch.test_loss), "the losses")
    _claim(_number(epoch.test_accuracy, 0, 1) and _number(epoch.train_accuracy, 0, 1), "the accuracies")
    _claim(_number(epoch.seconds, 0, LONGEST) and _number(epoch.images_per_second, 0, FASTEST), "the seconds")
    _claim(epoch.device in DEVICES, "the device")
    _claim(isinstance(epoch.predicted, str) and PREDICTED.fullmatch(epoch.predicted) is not None, "the predictions")
    _claim(len(epoch.worst) <= MOST_MISTAKES and all(map(_is_mistake, epoch.worst)), "the mistakes")


def _is_loss(value: object) -> bool:
    """Say whether a value can be a cross entropy: never negative, and not finite where the run has diverged."""
    return is_number(value) and not value < 0  # type: ignore[operator]  # a number


def _is_mistake(mistake: Mistake) -> bool:
    return (
        _whole(mistake.index, 0, TEST_IMAGES - 1)
        and _whole(mistake.label, 0, 9)
        and _whole(mistake.predicted, 0, 9)
        and _number(mistake.confidence, 0, 1)
        and _number(mistake.true_probability, 0, 1)
    )


def _check_batches(batches: Sequence[Batch], finished: int, steps_per_epoch: int) -> None:
    _claim(
        len(batches) <= MOST_BATCHES and {batch.epoch for batch in batches} == {*range(1, finished + 1)}, "the batches"
    )
    before, spent = 0, 0.0
    for batch in batches:
        first = max(before, (batch.epoch - 1) * steps_per_epoch) + 1
        _claim(_whole(batch.step, first, batch.epoch * steps_per_epoch), "the steps")
        _claim(_is_loss(batch.loss), "the losses")
        _claim(_number(batch.seconds, spent, LONGEST), "the seconds")
        before, spent = batch.step, batch.seconds


def _check_insides(insides: Sequence[Inside], finished: int) -> None:
    epochs = [inside.epoch for inside in insides]
    _claim(all(_whole(epoch, 0, finished) for epoch in epochs) and epochs == sorted(set(epochs)), "the insides")
    for inside in insides:
        _claim(len(inside.layers) <= MOST_LAYERS and all(map(_is_layer, inside.layers)), "the layers")
        _claim(len(inside.dead) <= MOST_LAYERS and all(_number(share, 0, 1) for share in inside.dead), "the dead units")


def _is_layer(layer: LayerState) -> bool:
    named = isinstance(layer.name, str) and LAYER_NAME.fullmatch(layer.name) is not None
    return named and all(is_number(value) for value in (layer.weight_norm, layer.change, layer.gradient_norm))
