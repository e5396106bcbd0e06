"""The picture of a training run: loss, test accuracy, and the test images that the network gets most wrong.

One constant spec for every run; what a run reports travels as data (`rows`), few enough points to be sent twice a
second to a whole class. A row is shown when its `position` is the playhead's `step`.
"""

import base64
import io
import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

import altair as alt
import pandas as pd

from app.charts import parameter, source
from app.i18n import _
from app.player import Encoded, encoded
from core.curve import decimate, sample
from core.diagnosis import GUESSING, Diagnosis, diagnose, not_finite_since, overfitting_since, smoothing
from core.ema import ema
from core.jobs import Job
from core.records import Batch, Epoch
from core.run import RunSpec

BUCKETS = 240  # parts of the loss curve; the lowest and the highest batch of each are drawn
COLUMNS = 8  # images in a row
PLOT_HEIGHT, IMAGES_HEIGHT = 230, 220  # px
LINEAR_BELOW = 0.05  # loss; above it the scale is logarithmic
TICKS = [0, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 50, 100, 1e3, 1e4, 1e6, 1e9, 1e12, 1e18, 1e24, 1e30, 1e36]
FLOORS = (0.98, 0.95, 0.9, 0.8, 0.5, 0.0)  # where the axis of the accuracy may begin

OWN_SCALES: dict[str, Any] = {"color": "independent", "strokeWidth": "independent", "opacity": "independent"}
# The worst mistake at the playhead, for the formula.
WORST = {
    "worst": {
        "source": "mistakes",
        "transform": [{"type": "filter", "expr": "datum.position == step && datum.rank == 0"}],
    }
}

View = alt.LayerChart | alt.FacetChart  # what Altair's chain of methods says it returns
Rows = dict[str, pd.DataFrame]


def picture() -> alt.VConcatChart:
    """Draw the curves over the images; the playhead `step` is the epoch's position."""
    curves = alt.hconcat(_losses(), _accuracy()).resolve_scale(**OWN_SCALES)
    both: alt.VConcatChart = alt.vconcat(curves, _images()).resolve_scale(**OWN_SCALES)
    return both.add_params(parameter("step"))


def _losses() -> View:
    x = _epochs()
    scale = alt.Scale(type="symlog", constant=LINEAR_BELOW, domain=_ends("loss"))
    axis = alt.Axis(values=TICKS, format="~g", labelOverlap="greedy")
    y = alt.Y("loss:Q", title=_("cross-entropy loss (nats)"), scale=scale, axis=axis)
    names = [_("each batch"), _("average"), _("test")]
    legend = alt.Legend(orient="top", symbolType="stroke", offset=4, labelLimit=0)
    look: dict[str, Any] = {"title": None, "legend": legend}  # the same for all three, so that they share one legend
    base = alt.Chart().encode(
        x=x,
        y=y,
        color=alt.Color(
            "curve:O", scale=alt.Scale(type="ordinal", domain=names, range=["@train", "@train", "@test"]), **look
        ),
        strokeWidth=alt.StrokeWidth(
            "curve:O", scale=alt.Scale(type="ordinal", domain=names, range=[0.7, 2.5, 2]), **look
        ),
        opacity=alt.Opacity("curve:O", scale=alt.Scale(type="ordinal", domain=names, range=[0.5, 1, 1]), **look),
    )
    each, average, test = (f"'{name}'" for name in names)
    guessing = alt.Chart(alt.InlineData(values=[{"loss": GUESSING, "text": _("guessing: ln 10")}]))
    layers = [
        _limits(x, y),
        guessing.mark_rule(strokeDash=[2, 4], color="@muted").encode(y=y),
        guessing.mark_text(align="right", baseline="top", dy=4, color="@muted", x="width").encode(y=y, text="text:N"),
        base.properties(data=source("batches")).transform_calculate(curve=each).mark_line(),
        base.properties(data=source("average")).transform_calculate(curve=average).mark_line(),
        base.properties(data=source("epochs"))
        .transform_calculate(curve=test, loss="datum.test_loss")
        .mark_line(point=alt.OverlayMarkDef(size=40, color="@test")),
        *_playhead(x),
        *_event(x),
    ]
    return alt.layer(*layers).properties(name="loss", width=520, height=PLOT_HEIGHT)


def _accuracy() -> View:
    x = _epochs()
    y = alt.Y(
        "accuracy:Q",
        title=_("test accuracy"),
        scale=alt.Scale(domain=_ends("accuracy")),
        axis=alt.Axis(format="~%", tickCount=5),
    )
    epochs = alt.Chart(source("epochs")).encode(x=x, y=y)
    here = epochs.transform_filter("datum.position == step")
    at_end = "scale('accuracy_x', datum.epoch) > range('accuracy_x')[1] - 60"  # no room for text to the right of it
    at_bottom = f"scale('accuracy_y', datum.accuracy) > {PLOT_HEIGHT - 30}"
    layers = [
        _limits(x, y),
        epochs.mark_line(strokeWidth=2, color="@accuracy", point=alt.OverlayMarkDef(size=40, color="@accuracy")),
        *_playhead(x),
        here.mark_point(filled=True, size=110, color="@accuracy"),
        here.mark_text(
            dy={"expr": f"datum.above || {at_bottom} ? -14 : 18"},
            dx={"expr": f"{at_end} ? 0 : 6"},
            align={"expr": f"{at_end} ? 'right' : 'left'"},
            fontSize=13,
            fontWeight=600,
            color="@accuracy",
        ).encode(text=alt.Text("accuracy:Q", format=".1%")),
    ]
    return alt.layer(*layers).properties(name="accuracy", width=300, height=PLOT_HEIGHT)


def _epochs() -> alt.X:
    most = alt.ExprRef("min(10, data('limits')[1].epoch)")  # a tick an epoch, and none between two
    axis = alt.Axis(tickCount=most, format="d", grid=False)
    return alt.X("epoch:Q", title=_("epoch"), axis=axis, scale=alt.Scale(domain=_ends("epoch"), nice=False))


def _ends(name: str) -> list[alt.ExprRef]:
    """Take an axis's ends from the source "limits": they hold still while the run grows; the spec is constant."""
    return [alt.ExprRef(f"data('limits')[{row}].{name}") for row in (0, 1)]


def _limits(x: alt.X, y: alt.Y) -> alt.Chart:
    """Name the source "limits", invisibly: only what a mark names is part of a chart."""
    limits: alt.Chart = alt.Chart(source("limits")).mark_point(opacity=0).encode(x=x, y=y)
    return limits


def _playhead(x: alt.X) -> list[alt.Chart]:
    here = alt.Chart(source("epochs")).transform_filter("datum.position == step")
    return [here.mark_rule(color="@text", strokeWidth=1, opacity=0.6).encode(x=x)]


def _event(x: alt.X) -> list[alt.Chart]:
    """Mark where the run turned: the first epoch of overfitting, or the step in which the loss ceased to be finite."""
    event = alt.Chart(source("event")).encode(x=x)
    return [
        event.mark_rule(color="@residual", strokeDash=[6, 3]),
        event.mark_text(align="right", baseline="top", dx=-4, y=4, color="@residual").encode(text="text:N"),
    ]


def _images() -> View:
    tile = f"(range('mistakes_x')[1] / {COLUMNS})"  # px
    side = f"min({2 * 28}, {tile} - 2)"  # twice the image's pixels, where there is room
    words = f"datum.label + ' → ' + datum.predicted + ({tile} > 84 ? '  ' : '\\n') + format(datum.confidence, '.0%')"
    shown = (
        alt.Chart(source("mistakes"))
        .transform_filter("datum.position == step")
        .transform_calculate(column=f"datum.rank % {COLUMNS} + 0.5", row=f"floor(datum.rank / {COLUMNS})")
        .transform_lookup("index", from_=alt.LookupData(data=source("images"), key="index", fields=["url"]))
        .encode(
            x=alt.X("column:Q", axis=None, scale=alt.Scale(domain=[0, COLUMNS])),
            y=alt.Y("row:Q", axis=None, scale=alt.Scale(domain=[0, 3], reverse=True)),
            tooltip=[
                alt.Tooltip("index:Q", title=_("test image")),
                alt.Tooltip("label:Q", title=_("label")),
                alt.Tooltip("predicted:Q", title=_("predicted")),
                alt.Tooltip("confidence:Q", title=_("probability of the prediction"), format=".1%"),
                alt.Tooltip("probability:Q", title=_("probability of the label"), format=".2~g"),
            ],
        )
    )
    empty = (
        alt.Chart(source("hint"))
        .transform_filter("datum.position == step")
        .mark_text(align="left", x=0, y=16, color="@muted")
        .encode(text="text:N")
    )
    return alt.layer(
        empty,
        shown.mark_image(
            width={"expr": side}, height={"expr": side}, align="center", baseline="top", smooth=False
        ).encode(url="url:N"),
        shown.mark_text(
            text={"expr": words},
            lineBreak="\n",
            baseline="top",
            dy={"expr": f"{side} + 3"},
            fontSize={"expr": f"{tile} > 84 ? 12 : 10"},
            color="@prediction",
        ),
    ).properties(
        name="mistakes",
        width=860,
        height=IMAGES_HEIGHT,
        title=alt.Title(
            _("Most wrong after this epoch"),
            subtitle=_("label → prediction, and its probability"),
        ),
    )


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
    lowest = min((epoch.test_accuracy for epoch in epochs), default=FLOORS[0])
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
