"""What the picture of a training run draws: its reports as rows, few enough to be sent twice a second to a whole class.

Equal reports share their rows, so that many readers of one run cost one computation.
"""

import base64
import io
import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

import pandas as pd

from app.i18n import _
from app.player import Encoded, encoded
from core.curve import decimate, sample
from core.diagnosis import GUESSING, Diagnosis, diagnose, not_finite_since, overfitting_since, smoothing
from core.ema import ema
from core.jobs import Job
from core.records import Batch, Epoch
from core.run import RunSpec

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
    spec: RunSpec
    batches: Sequence[Batch] = field(compare=False, repr=False)
    epochs: Sequence[Epoch] = field(compare=False, repr=False)


def report(job: Job | None, spec: RunSpec, language: str) -> Report:
    """Take what a job has reported at this moment; an empty report where there is none."""
    batches: Sequence[Batch] = job.batches if job else ()
    epochs: Sequence[Epoch] = job.epochs if job else ()
    return Report(
        key=job.key if job else "",
        batch_count=len(batches),
        epoch_count=len(epochs),
        ended=job is not None and not job.active,
        language=language,
        spec=spec,
        batches=batches,
        epochs=epochs,
    )


@lru_cache(maxsize=64)
def rows(report: Report) -> Rows:
    """Return the rows of each of the picture's data sources; treat them as read-only."""
    epochs = report.epochs[: report.epoch_count]
    points = _points(report)
    mistakes = _mistakes(report)
    indices = sorted({row["index"] for row in mistakes})
    return {
        "limits": _limit_rows(report, points, epochs),
        "batches": pd.DataFrame(decimate(points, BUCKETS), columns=["epoch", "loss"]),
        "average": pd.DataFrame(sample(_average(points, report.spec), BUCKETS), columns=["epoch", "loss"]),
        "epochs": _epoch_rows(report, [epoch for epoch in epochs if math.isfinite(epoch.test_loss)]),
        "mistakes": pd.DataFrame(
            mistakes, columns=["position", "rank", "index", "label", "predicted", "confidence", "probability"]
        ),
        "hint": pd.DataFrame(_hints(report, epochs), columns=["position", "text"]),
        "event": pd.DataFrame(_events(report, epochs), columns=["epoch", "text"]),
        "images": pd.DataFrame({"index": indices, "url": [image_url(index) for index in indices]}),
    }


@lru_cache(maxsize=64)
def encoded_rows(report: Report) -> dict[str, Encoded]:
    """Encode the rows once for all readers of the same moment."""
    return {name: encoded(frame) for name, frame in rows(report).items()}


@lru_cache(maxsize=64)
def finding(report: Report) -> Diagnosis:
    """Judge the run once for all readers of the same moment."""
    return diagnose(
        report.batches[: report.batch_count],
        report.epochs[: report.epoch_count],
        steps_per_epoch=report.spec.steps_per_epoch,
    )


def position(report: Report, epoch: Epoch) -> int:
    """Return the playhead's step at which an epoch is shown; -1 is never."""
    if report.ended:
        return epoch.epoch - 1
    return 0 if epoch.epoch == report.epoch_count else -1  # without a timeline the playhead stands at 0


def _points(report: Report) -> list[tuple[float, float]]:
    """Place each batch's loss on the axis of epochs."""
    each = report.spec.steps_per_epoch
    return [(batch.step / each, batch.loss) for batch in report.batches[: report.batch_count]]


def _average(points: Sequence[tuple[float, float]], spec: RunSpec) -> list[tuple[float, float]]:
    averages = ema([loss for _, loss in points], smoothing(spec.steps_per_epoch))
    return [(epoch, loss) for (epoch, _), loss in zip(points, averages, strict=True)]


def _limit_rows(report: Report, points: Sequence[tuple[float, float]], epochs: Sequence[Epoch]) -> pd.DataFrame:
    losses = [loss for _, loss in points] + [epoch.test_loss for epoch in epochs]
    highest = max((loss for loss in losses if math.isfinite(loss)), default=0.0)
    lowest = min((epoch.test_accuracy for epoch in epochs), default=0.0)
    floor = next(floor for floor in FLOORS if floor <= lowest)
    ends = [(0, 0.0, floor), (report.spec.epochs, max(highest, 1.05 * GUESSING), 1.0)]
    return pd.DataFrame(ends, columns=["epoch", "loss", "accuracy"])


def _epoch_rows(report: Report, epochs: Sequence[Epoch]) -> pd.DataFrame:
    """List what is drawn of each epoch; its number stands above the curve where the curve goes on below it."""
    accuracies = [epoch.test_accuracy for epoch in epochs]
    neighbours = accuracies[1:] + accuracies[-2:-1] or accuracies  # the next one; the last one's is the one before
    return pd.DataFrame(
        [
            (
                epoch.epoch,
                position(report, epoch),
                epoch.test_loss,
                epoch.test_accuracy,
                neighbour < epoch.test_accuracy,
            )
            for epoch, neighbour in zip(epochs, neighbours, strict=True)
        ],
        columns=["epoch", "position", "test_loss", "accuracy", "above"],
    )


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


def _events(report: Report, epochs: Sequence[Epoch]) -> list[tuple[float, str]]:
    """Find where the run turned: the first epoch of overfitting, or the step whose loss is not finite."""
    batches = report.batches[: report.batch_count]
    if step := not_finite_since(batches, epochs):
        return [(step / report.spec.steps_per_epoch, _("not finite from here"))]
    since = overfitting_since(epochs)
    return [(since, _("overfitting"))] if since else []


def _mistakes(report: Report) -> list[dict[str, Any]]:
    return [
        {
            "position": position(report, epoch),
            "rank": rank,
            "index": mistake.index,
            "label": mistake.label,
            "predicted": mistake.predicted,
            "confidence": mistake.confidence,
            "probability": mistake.true_probability,
        }
        for epoch in report.epochs[: report.epoch_count]
        if position(report, epoch) >= 0
        for rank, mistake in enumerate(epoch.worst)
    ]


def epoch_table(epochs: Sequence[Epoch]) -> pd.DataFrame:
    """List the epochs with their numbers in full precision."""
    columns = ["epoch", "train_loss", "test_loss", "test_accuracy", "seconds", "images_per_second", "device"]
    return pd.DataFrame([[getattr(epoch, column) for column in columns] for epoch in epochs], columns=columns)


def batch_table(batches: Sequence[Batch]) -> pd.DataFrame:
    """List the batches with their loss."""
    columns = ["step", "epoch", "loss", "seconds"]
    return pd.DataFrame([[getattr(batch, column) for column in columns] for batch in batches], columns=columns)


def mistake_table(epochs: Sequence[Epoch]) -> pd.DataFrame:
    """List the mistakes of each epoch, least probable truth first."""
    columns = ["index", "label", "predicted", "confidence", "true_probability"]
    listed = [
        [epoch.epoch, *(getattr(mistake, column) for column in columns)] for epoch in epochs for mistake in epoch.worst
    ]
    return pd.DataFrame(listed, columns=["epoch", *columns])


@lru_cache(maxsize=10_000)
def image_url(index: int) -> str:
    """Return a test image as the data URL of a PNG, dark ink on white paper (about 500 characters)."""
    from PIL import Image

    from core.datasets import mnist

    content = io.BytesIO()
    Image.fromarray(255 - mnist().test_images[index]).save(content, "PNG", optimize=True)
    return "data:image/png;base64," + base64.b64encode(content.getvalue()).decode()
