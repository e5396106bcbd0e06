"""The sentences that stand beside the belt of the DataLoader, each computed from what is shown."""

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from app.figures.batches import drawn_epochs
from app.figures.numbers import percent
from app.figures.written import live
from app.i18n import _, ngettext
from app.page import Kind
from core.loading import Loading
from core.samples import FEW, Samples

MOST_ROWS = 10  # that a sentence names
FRAME = "data('frame')[0]"


def captions(spec: Loading) -> list[str]:
    """Say what happens at each iteration."""
    said = []
    place = _("Epoch {epoch}, iteration {iteration} of {iterations}:")
    for epoch in range(drawn_epochs(spec)):
        for number, rows in enumerate(spec.batches(epoch), start=1):
            where = place.format(epoch=epoch + 1, iteration=number, iterations=spec.iterations)
            said.append(f"{where} {_batch(spec, rows, epoch, last=number == spec.iterations)}")
    return said


def _batch(spec: Loading, rows: NDArray[np.int64], epoch: int, *, last: bool) -> str:
    sentence = ngettext("a batch of {count} sample, {rows}.", "a batch of {count} samples: {rows}.", len(rows))
    if len(rows) < spec.batch_size:
        sentence = ngettext(
            "the last batch is short, {count} sample: {rows}.",
            "the last batch is short, {count} samples: {rows}.",
            len(rows),
        )
    said = sentence.format(count=len(rows), rows=listed(rows))
    if last and spec.handed_out < spec.count:
        left_out = spec.dropped(epoch)
        said += " " + _("Left out: {rows}.").format(rows=listed(left_out))
    return said


def listed(rows: NDArray[np.int64]) -> str:
    """Name the first rows."""
    named = ", ".join(str(row) for row in rows[:MOST_ROWS])
    more = len(rows) - MOST_ROWS
    return _("{rows} and {more} more").format(rows=named, more=more) if more > 0 else named


def written(spec: Loading) -> str:
    """Write the iterations of an epoch with this page's numbers, and the counters of this moment."""
    kind = ("⌊", "⌋") if spec.drop_last else ("⌈", "⌉")
    rounding = _("⌊ ⌋: rounded down") if spec.drop_last else _("⌈ ⌉: rounded up")
    fraction = "<mfrac displaystyle='true'>{top}{bottom}</mfrac>"
    symbols = fraction.format(top="<mi>N</mi>", bottom="<mi class='q-batch'>B</mi>")
    numbers = fraction.format(top=f"<mn>{spec.count}</mn>", bottom=f"<mn class='q-batch'>{spec.batch_size}</mn>")
    terms = [f"<mo>{kind[0]}</mo>{inner}<mo>{kind[1]}</mo>" for inner in (symbols, numbers)]
    equal = "<mo>=</mo>"
    name = _("iterations per epoch")
    formula = (
        f"<math><mtext>{name}</mtext>{equal}{terms[0]}{equal}{terms[1]}{equal}<mn><b>{spec.iterations}</b></mn></math>"
    )
    hint = f"<span style='margin-left:.6em;opacity:.75;font-size:.85em;white-space:nowrap'>{rounding}</span>"
    step_in_epoch = f"(step % {FRAME}.iterations + 1)"
    in_epoch = f"min({step_in_epoch} * {spec.batch_size}, {spec.handed_out})"
    counters = (
        (_("epoch"), f"floor(step / {FRAME}.iterations) + 1", spec.epochs),
        (_("iteration"), step_in_epoch, spec.iterations),
        (
            _("samples seen"),
            f"floor(step / {FRAME}.iterations) * {spec.handed_out} + {in_epoch}",
            spec.epochs * spec.handed_out,
        ),
    )
    style = "style='margin-right:1.5em;white-space:nowrap;display:inline-block'"
    counted = "".join(
        f"<span {style}>{name} <b class='q-batch'>{live(_grouped(now))}</b> / {most:,}</span>"
        for name, now, most in counters
    )
    return (
        f"<div style='padding-top:.2em'>{formula} {hint}</div>"
        f"<div style='font-variant-numeric:tabular-nums'>{counted}</div>"
    )


def _grouped(value: str) -> str:
    return f"format({value}, ',')"


def verdict(spec: Loading, samples: Samples) -> list[tuple[str, Kind]]:
    """Say what these settings do: first the size of the batches, then their order."""
    return [_size(spec), _order(spec, samples)]


def what_an_iteration_does() -> str:
    """Say what the training does with a batch; the belt shows only how it gets there."""
    return _(
        "An iteration trains on one batch: forward (predict), loss (how wrong), backward (the gradient, averaged over "
        "the batch), and one update of the weights. An epoch is over when every sample had its turn."
    )


def arrangement(samples: Samples, *, is_sorted: bool) -> str:
    """Say in which order the labels of these samples come, before any shuffling."""
    if is_sorted:
        return _("Here they are sorted by label, first all with 0, then all with 1: only shuffling mixes them.")
    if len(samples) == FEW:
        return _("Here are {count} of the rows, evenly spread over the table.").format(count=FEW)
    starts = np.flatnonzero(np.diff(samples.y)) + 1
    longest = int(np.diff([0, *starts, len(samples)]).max())
    return _(
        "In the file, rows with the same label stand together, up to {longest} in a row: only shuffling mixes them."
    ).format(longest=longest)


def _size(spec: Loading) -> tuple[str, Kind]:
    numbers = {"count": spec.count, "size": spec.batch_size, "rest": spec.rest, "iterations": spec.iterations}
    kind: Kind = "neutral"
    if spec.batch_size == spec.count:
        sentence = _("One batch holds all {count} samples: this is gradient descent, with one update an epoch.")
    elif spec.batch_size == 1:
        sentence = _(
            "Each batch is one sample: this is stochastic gradient descent, with {iterations} updates an epoch."
        )
    elif not spec.rest:
        sentence = _("{count} is a multiple of {size}: all {iterations} batches of an epoch are full.")
    elif not spec.drop_last:
        sentence = _(
            "{count} is no multiple of {size}: the last batch of each epoch has {rest}. An update follows the mean of "
            "its batch's gradients, so each sample of the short batch counts {times} times as much as one of a full "
            "batch."
        )
        numbers["times"] = f"{spec.batch_size / spec.rest:.3g}"  # type: ignore[assignment]
    else:
        return _dropped(spec)
    return sentence.format(**numbers), kind


def _dropped(spec: Loading) -> tuple[str, Kind]:
    never = spec.never_seen
    if not spec.shuffle:
        sentence = _("drop_last leaves the same rows out of every epoch, since the order stays: {rows} are never seen.")
        return sentence.format(rows=listed(spec.dropped(0))), "warning"
    sentence = _("drop_last leaves the last {rest} of the {count} samples in the order of each epoch out.")
    if spec.epochs > 1 and len(never):
        sentence += " " + _("In these {epochs} epochs {never} are never seen.")
    elif spec.epochs > 1:
        sentence += " " + _("The next order leaves out others: after {epochs} epochs every row was seen.")
    said = sentence.format(rest=spec.rest, count=spec.count, epochs=spec.epochs, never=listed(never))
    return said, "neutral"


def _order(spec: Loading, samples: Samples) -> tuple[str, Kind]:
    plain = {  # nothing can be said about what is mixed in a batch of all samples, or of one
        (spec.count, True): _("Shuffling changes only the order inside that batch, not its gradient."),
        (spec.count, False): _("Every epoch has the same batch."),
        (1, True): _("Each epoch visits the samples in a new order."),
        (1, False): _("Without shuffle every epoch visits the samples in the same order."),
    }
    if spec.batch_size in (1, spec.count):
        return plain[spec.batch_size, spec.shuffle], "neutral"
    low, high, pure = shares(spec, samples)
    numbers = {
        "low": percent(low, 0),
        "high": percent(high, 0),
        "all": percent(samples.y.mean(), 0),
        "pure": pure,
        "iterations": spec.iterations,
    }
    if spec.shuffle:
        sentence = _(
            "Each epoch has a new order, drawn from the seed: the same seed gives the same orders again. In these "
            "epochs the share of label 1 in a batch goes from {low} to {high}; in all samples it is {all}."
        )
        return sentence.format(**numbers), "neutral"
    if pure:
        sentence = _(
            "Without shuffle every epoch has the same batches, and {pure} of {iterations} hold one label only: "
            "such a gradient pulls towards that label alone."
        )
        return sentence.format(**numbers), "warning"
    sentence = _(
        "Without shuffle every epoch has the same batches. The share of label 1 goes from {low} to {high}; in "
        "all samples it "
        "is {all}."
    )
    return sentence.format(**numbers), "neutral"


@lru_cache(maxsize=64)
def shares(spec: Loading, samples: Samples) -> tuple[float, float, int]:
    """Return the least and the largest share of label 1 in any batch, and how many of epoch 1 hold one label only."""
    found = np.array([[samples.y[rows].mean() for rows in spec.batches(epoch)] for epoch in range(spec.epochs)])
    return float(found.min()), float(found.max()), int(((found[0] == 0) | (found[0] == 1)).sum())


def belt_in_words(spec: Loading, samples: Samples) -> str:
    """Write the text alternative of the belt."""
    first = spec.batches(0)[0]
    sentence = _(
        "{count} samples, {ones} of them with label 1, in the order of each epoch, handed out in {iterations} "
        "batches of "
        "{size}. The first batch of epoch 1 holds the rows {rows}. Below, the share of label 1 in each batch."
    )
    return sentence.format(
        count=spec.count,
        ones=int(samples.y.sum()),
        iterations=spec.iterations,
        size=spec.batch_size,
        rows=listed(first),
    )
