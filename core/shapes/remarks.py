"""What PyTorch does without a word although it is hardly meant: rows that are samples no more, an input misread.

PyTorch checks numbers of values, not what they stand for. `x.view(-1, 320)` cuts a batch into rows of 320 values,
whatever a sample has (course: "卷积神经网络"), and a Conv2d takes three sizes for one image without a batch.
"""

from __future__ import annotations

from core.messages import N_
from core.shapes.chain import INPUT, Report, Row
from core.shapes.layer import Shape
from core.shapes.source import Note

IMAGES = {1: "C, L", 2: "C, H, W", 3: "C, D, H, W"}  # the sizes of one sample, by the dimensions of its layers
VIEWS = frozenset({"view", "reshape"})


def remarks(report: Report) -> tuple[Note, ...]:
    """Return warnings about a net that runs, or about its operations up to the mistake; () where all is well."""
    input_note = about_input(report)
    if input_note:
        return (input_note,) if report.ok else ()  # otherwise it is part of the diagnosis
    batch_note = about_batch(report)
    return (batch_note,) if batch_note else ()


def about_batch(report: Report) -> Note | None:
    """Say which operation put something else in the place of the batch; None where each row is still a sample."""
    row = batch_breaker(report)
    if row is None or not row.out_shape:
        return None
    batch, out = report.input_shape[0], row.out_shape
    values: dict[str, object] = {"name": shown_name(row), "batch": batch, "rows": out[0]}
    if row.node.kind not in VIEWS:
        message = N_("{name} puts {rows} in the place of the batch of {batch}: the rows are not the samples any more.")
    elif out[0] % batch:
        message = N_(
            "{name} turns the batch of {batch} into {rows} rows, so a row mixes values of different samples. PyTorch "
            "runs this; only the loss may find that predictions and labels differ in number. "
            "Write x.view(x.size(0), -1), which keeps every sample in its row."
        )
    else:
        message = N_(
            "{name} turns the batch of {batch} into {rows} rows, so a sample has several rows. PyTorch "
            "runs this; only the loss may find that predictions and labels differ in number. "
            "Write x.view(x.size(0), -1), which keeps every sample in its row."
        )
    return Note(message=message, values=values)


def batch_breaker(report: Report) -> Row | None:
    """Return the operation after which the first size is not the batch any more, if it stays so to the end."""
    batch = report.input_shape[:1]
    arrived = report.out_shape if report.ok else report.rows[-1].in_shapes[0]
    if arrived is None or arrived[:1] == batch:
        return None
    return next((row for row in report.rows if row.in_shapes[0][:1] == batch != (row.out_shape or batch)[:1]), None)


def about_input(report: Report) -> Note | None:
    """Say that the input has too few or too many sizes for the first layer of images; None where it fits."""
    row = next((row for row in report.rows if row.node.inputs == (INPUT,) and dims_of(row)), None)
    if row is None:
        return None
    dims, sample = dims_of(row), report.input_shape[1:]
    if len(sample) == dims:
        message = N_(
            "{name} takes {axes} of each sample, but the input has only ({sample}) beside the batch, so PyTorch takes "
            "the batch of {batch} for the channels. Type the input as {right}."
        )
        right = completed(row, sample)
    elif len(sample) == dims + 2:
        message = N_(
            "{name} takes {axes} of each sample, but the input has ({sample}) beside the batch. The batch has a field "
            "of its own: type the input as {right}."
        )
        right = sample[1:]
    else:
        return None
    values = {
        "name": shown_name(row),
        "axes": IMAGES[dims],
        "sample": ", ".join(map(str, sample)),
        "batch": report.input_shape[0],
        "right": ", ".join(map(str, right)),
    }
    return Note(message=message, values=values)


def completed(row: Row, sample: Shape) -> Shape:
    """Return a sample with the channels that a layer takes in front; 1, 28 was meant as 1, 28, 28."""
    channels = row.node.arguments.get("in_channels", 1)
    channels = channels if isinstance(channels, int) else 1
    return (*sample, sample[-1]) if sample[:-1] == (channels,) else (channels, *sample)


def shown_name(row: Row) -> str:
    """Return the name of an operation; its kind where the name is only a number, as in an nn.Sequential."""
    return row.node.kind if row.node.name.isdigit() else row.node.name or row.node.kind


def dims_of(row: Row) -> int:
    """Return how many axes the windows of a layer have, as its name says: 2 of Conv2d; 0 of other layers."""
    kind = row.node.kind
    windows = ("Conv", "LazyConv", "MaxPool", "AvgPool", "max_pool", "avg_pool")
    return int(kind[-2]) if kind.startswith(windows) and kind[-2:-1].isdigit() else 0
