"""What the picture of a training run draws: its reports as rows, few enough to be sent twice a second to a whole class.

Equal reports share their rows, so that many readers of one run cost one computation.
"""

from __future__ import annotations

import base64
import io
import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from itertools import accumulate
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from app.figures.class_names import class_names
from app.figures.training_axes import BETAS, SMOOTHED
from app.i18n import _
from app.rows import Encoded, encoded
from core.caching import cached
from core.curve import decimate
from core.diagnosis import GUESSING, Diagnosis, diagnose, not_finite_since, overfitting_since
from core.ema import ema
from core.errors import InputError
from core.history import Columns, History
from core.image_data import is_here, read_part
from core.image_sets import DATASETS
from core.job import Job
from core.records import Batch, Epoch
from core.run import RunSpec

if TYPE_CHECKING:
    from PIL.Image import Image as Picture

BUCKETS = 240  # parts of the loss curve; the lowest and the highest batch of each are drawn
FLOORS = (0.98, 0.95, 0.9, 0.8, 0.5, 0.0)  # where the axis of the accuracy may begin

Rows = dict[str, pd.DataFrame]


@dataclass(frozen=True, kw_only=True)
class Report:
    """What a run has reported up to now; equal reports make equal pictures, whoever looks at them."""

    key: str
    batch_count: int
    epoch_count: int
    ended: bool  # then all epochs can be scrubbed; before, the picture shows the last one
    language: str  # of the words in the rows
    axis: str  # what the curves are drawn over, one of training_axes.AXES
    spec: RunSpec
    batches: Sequence[Batch] = field(compare=False, repr=False)
    epochs: Sequence[Epoch] = field(compare=False, repr=False)


def report(job: Job | None, spec: RunSpec, language: str, axis: str = "epoch") -> Report:
    """Take what a job has reported at this moment; an empty report where there is none."""
    batches: Sequence[Batch] = job.batches if job else ()
    epochs: Sequence[Epoch] = job.epochs if job else ()
    batch_count, epoch_count = job.counts() if job else (0, 0)
    return Report(
        key=job.key if job else "",
        batch_count=batch_count,
        epoch_count=epoch_count,
        ended=job is not None and not job.active,
        language=language,
        axis=axis,
        spec=spec,
        batches=batches,
        epochs=epochs,
    )


def rows(report: Report) -> Rows:
    """Return the rows of each of the picture's data sources; treat them as read-only."""
    return _rows(report, is_here(report.spec.data))


@cached(maxsize=64)
def _rows(report: Report, with_images: bool) -> Rows:
    """Return the rows, with the test images that are most wrong where the set of images is here."""
    epochs = report.epochs[: report.epoch_count]
    mistakes = _mistakes(report) if with_images else []
    hints = _hints(report, epochs) if with_images else _why_without(report, epochs)
    indices = sorted({row["index"] for row in mistakes})
    try:
        urls = [image_url(report.spec.data, index) for index in indices]
    except InputError:  # they are damaged, which the page says where it offers the set again
        return _rows(report, False)
    return {
        "limits": limit_rows([report]),
        "curve": curve_rows(report, BUCKETS),
        "epochs": epoch_rows(report),
        "mistakes": pd.DataFrame(
            mistakes,
            columns=["position", "rank", "index", "label", "what", "taken", "confidence", "probability"],
        ),
        "hint": pd.DataFrame(hints, columns=["position", "text"]),
        "event": pd.DataFrame(events(report), columns=["x", "text"]),
        "images": pd.DataFrame({"index": indices, "url": urls}),
    }


def encoded_rows(report: Report) -> dict[str, Encoded]:
    """Encode the rows once for all readers of the same moment."""
    return _encoded_rows(report, is_here(report.spec.data))


@cached(maxsize=64)
def _encoded_rows(report: Report, with_images: bool) -> dict[str, Encoded]:
    return {name: encoded(frame) for name, frame in _rows(report, with_images).items()}


@cached(maxsize=64)
def finding(report: Report) -> Diagnosis:
    """Judge the run once for all readers of the same moment."""
    return diagnose(
        losses(report),
        report.epochs[: report.epoch_count],
        steps_per_epoch=report.spec.steps_per_epoch,
    )


def position(report: Report, epoch: Epoch) -> int:
    """Return the playhead's step at which an epoch is shown; -1 is never."""
    if report.ended:
        return epoch.epoch - 1
    return 0 if epoch.epoch == report.epoch_count else -1  # without a timeline the playhead stands at 0


@cached(maxsize=128)
def columns(report: Report) -> Columns:
    """Return the batches as arrays, which is much quicker than a look at each."""
    batches = report.batches if isinstance(report.batches, History) else History(report.batches)
    step, epoch, loss, seconds = batches.columns()
    end = report.batch_count
    return Columns(step=step[:end], epoch=epoch[:end], loss=loss[:end], seconds=seconds[:end])


def losses(report: Report) -> list[float]:
    """Return the loss of each batch."""
    each: list[float] = columns(report).loss.tolist()
    return each


def places(report: Report) -> NDArray[np.float64]:
    """Return where each batch stands on the axis: in epochs, in images or in seconds of training."""
    if report.axis == "seconds":
        return columns(report).seconds
    unit = report.spec.train_images if report.axis == "samples" else 1
    return columns(report).step / report.spec.steps_per_epoch * unit


def ends_of_epochs(report: Report) -> list[float]:
    """Return where each epoch ends on the axis."""
    epochs = report.epochs[: report.epoch_count]
    if report.axis == "seconds":
        return list(accumulate(epoch.seconds for epoch in epochs))
    unit = report.spec.train_images if report.axis == "samples" else 1
    return [float(epoch.epoch * unit) for epoch in epochs]


def curve_rows(report: Report, buckets: int) -> pd.DataFrame:
    """Return the loss at a few batches, the peaks among them, and its averages with each β there.

    The averages are core.ema.ema over all batches, also over those that are not drawn.
    """
    each = losses(report)
    kept = [round(place) for place, _ in decimate(list(enumerate(each)), buckets)]
    averages = {name: each if not beta else ema(each, beta) for name, beta in zip(SMOOTHED, BETAS, strict=True)}
    drawn = {name: [average[place] for place in kept] for name, average in averages.items()}
    return pd.DataFrame({"x": places(report)[kept]} | drawn, dtype="float64")


def limit_rows(reports: Sequence[Report]) -> pd.DataFrame:
    """Return both ends of each axis, wide enough for what is still to come."""
    epochs = [epoch for report in reports for epoch in report.epochs[: report.epoch_count]]
    every = np.concatenate([columns(report).loss for report in reports] + [[epoch.test_loss for epoch in epochs]])
    highest = float(every.max(initial=0.0, where=np.isfinite(every)))
    lowest = min((min(epoch.test_accuracy, epoch.train_accuracy) for epoch in epochs), default=0.0)
    floor = next(floor for floor in FLOORS if floor <= lowest)
    most = max((_end(report) for report in reports), default=1.0)
    ends = [(0.0, 0.0, floor), (most, max(highest, 1.05 * GUESSING), 1.0)]
    return pd.DataFrame(ends, columns=["x", "loss", "accuracy"])


def _end(report: Report) -> float:
    """Return where the run will end on the axis; in seconds that is an estimate, with one digit."""
    spec = report.spec
    epochs = report.epoch_count if report.ended and spec.patience and report.epoch_count else spec.epochs
    if report.axis != "seconds":
        return float(epochs * (spec.train_images if report.axis == "samples" else 1))
    if not report.batch_count:
        return 1.0
    step, _, _, seconds = (float(column[-1]) for column in columns(report))
    if report.ended:
        return seconds
    whole = seconds * spec.steps_per_epoch * epochs / step
    unit = 10.0 ** math.floor(math.log10(whole)) if whole > 0 else 1.0
    return math.ceil(whole / unit) * unit


def epoch_rows(report: Report) -> pd.DataFrame:
    """List what is drawn of each epoch; its number stands above the curve where the curve goes on below it.

    `gap` marks the epochs from which on the run overfits, with the one before.
    """
    every = report.epochs[: report.epoch_count]
    listed = [(x, epoch) for x, epoch in zip(ends_of_epochs(report), every, strict=True) if _is_finite(epoch)]
    accuracies = [epoch.test_accuracy for _, epoch in listed]
    neighbours = accuracies[1:] + accuracies[-2:-1] or accuracies  # the next one; the last one's is the one before
    since = overfitting_since(every)
    return pd.DataFrame(
        [
            (
                x,
                epoch.epoch,
                position(report, epoch),
                epoch.test_loss,
                epoch.test_accuracy,
                epoch.train_accuracy,
                neighbour < epoch.test_accuracy,
                since is not None and epoch.epoch >= since - 1,
            )
            for (x, epoch), neighbour in zip(listed, neighbours, strict=True)
        ],
        columns=["x", "epoch", "position", "test_loss", "accuracy", "train", "above", "gap"],
    )


def _is_finite(epoch: Epoch) -> bool:
    return math.isfinite(epoch.test_loss)


def _hints(report: Report, epochs: Sequence[Epoch]) -> list[tuple[int, str]]:
    """Say why there are no images where there are none."""
    if not epochs:
        return [(0, _("They appear after the first epoch."))]
    none = _("None: what it computes is no longer a finite number.")
    all_right = _("None: it recognises every test image.")
    return [
        (position(report, epoch), all_right if epoch.test_accuracy == 1 else none)
        for epoch in epochs
        if not epoch.worst
    ]


def _why_without(report: Report, epochs: Sequence[Epoch]) -> list[tuple[int, str]]:
    """Say that the images cannot be shown, in each epoch."""
    text = _("The images of {title} are not on this computer.").format(title=report.spec.images.title)
    return [(position(report, epoch), text) for epoch in epochs]


@cached(maxsize=128)
def events(report: Report) -> list[tuple[float, str]]:
    """Find where the run turned: the first epoch of overfitting, or the step whose loss is not finite."""
    epochs = report.epochs[: report.epoch_count]
    finite = np.isfinite(columns(report).loss).all() and all(map(_is_finite, epochs))  # quicker than a look at each
    steps_per_epoch = report.spec.steps_per_epoch
    if not finite and (step := not_finite_since(losses(report), epochs, steps_per_epoch=steps_per_epoch)):
        place = int(np.searchsorted(columns(report).step, step))
        return [(float(places(report)[place]), _("not finite from here"))]
    since = overfitting_since(epochs)
    return [(ends_of_epochs(report)[since - 1], _("overfitting"))] if since else []


def _mistakes(report: Report) -> list[dict[str, Any]]:
    names = class_names(report.spec.data)
    return [
        {
            "position": position(report, epoch),
            "rank": rank,
            "index": mistake.index,
            "label": mistake.label,
            "what": names[mistake.label],
            "taken": names[mistake.predicted],
            "confidence": mistake.confidence,
            "probability": mistake.true_probability,
        }
        for epoch in report.epochs[: report.epoch_count]
        if position(report, epoch) >= 0
        for rank, mistake in enumerate(epoch.worst)
    ]


def epoch_table(epochs: Sequence[Epoch]) -> pd.DataFrame:
    """List the epochs with their numbers in full precision."""
    columns = [
        "epoch",
        "train_loss",
        "train_accuracy",
        "test_loss",
        "test_accuracy",
        "seconds",
        "images_per_second",
        "device",
    ]
    return pd.DataFrame([[getattr(epoch, column) for column in columns] for epoch in epochs], columns=columns)


def batch_table(batches: Sequence[Batch]) -> pd.DataFrame:
    """List the batches with their loss."""
    columns = ["step", "epoch", "loss", "seconds"]
    return pd.DataFrame([[getattr(batch, column) for column in columns] for batch in batches], columns=columns)


def mistake_table(epochs: Sequence[Epoch], data: str = "mnist") -> pd.DataFrame:
    """List the mistakes of each epoch, least probable truth first; classes that are no digits by their names."""
    columns = ["index", "label", "predicted", "confidence", "true_probability"]
    listed = [
        [epoch.epoch, *(getattr(mistake, column) for column in columns)] for epoch in epochs for mistake in epoch.worst
    ]
    table = pd.DataFrame(listed, columns=["epoch", *columns])
    if not DATASETS[data].has_digits:
        names = dict(enumerate(class_names(data)))
        table = table.assign(label=table["label"].map(names), predicted=table["predicted"].map(names))
    return table


@lru_cache(maxsize=10_000)
def image_url(data: str, index: int) -> str:
    """Return a test image as the data URL of a PNG (of MNIST about 500 characters).

    What has one channel is drawn as dark ink on white paper. Raises InputError where the set is not here.
    """
    content = io.BytesIO()
    picture(read_part(data, "test").images[index]).save(content, "PNG", optimize=True)
    return "data:image/png;base64," + base64.b64encode(content.getvalue()).decode()


def picture(pixels: NDArray[np.uint8]) -> Picture:
    """Return an image (C, H, W) as it is shown: in its colours, or as dark ink on white paper."""
    from PIL import Image

    return Image.fromarray(255 - pixels[0] if len(pixels) == 1 else np.ascontiguousarray(pixels.transpose(1, 2, 0)))
