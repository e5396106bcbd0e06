"""The sentences beside the pictures of confusions, computed from the counts."""

from collections.abc import Sequence

import numpy as np

from app.figures.numbers import percent
from app.figures.run_names import names as run_names
from app.figures.training_words import joined
from app.i18n import _, enumerated, ngettext
from core.confusion import CLEAR, Comparison, Counts, class_accuracies, most_confused
from core.image_sets import DIGITS
from core.models import MODELS
from core.records import Epoch
from core.run import RunSpec

Names = Sequence[str]  # of the labels 0 to 9


def cell_heading(label: str, seen: str, count: int, shown: int) -> str:
    """Say which images of a cell are shown."""
    if label == seen:
        text = ngettext("{label} recognised: {n} image", "{label} recognised: {n} images", count)
    else:
        text = ngettext("{label} seen as {seen}: {n} image", "{label} seen as {seen}: {n} images", count)
    text = text.format(n=f"{count:,}", label=label, seen=seen)
    return text + _first_of(shown, count)


def side_heading(first: bool, count: int, shown: int) -> str:
    """Say which images only one of two runs recognises, over what the other one takes them for."""
    if first:
        text = ngettext("Only this run: {n} image", "Only this run: {n} images", count)
    else:
        text = ngettext("Only the other run: {n} image", "Only the other run: {n} images", count)
    return text.format(n=f"{count:,}") + _first_of(shown, count)


def _first_of(shown: int, count: int) -> str:
    return _(", the first {shown}").format(shown=shown) if shown < count else ""


def captions(epochs: Sequence[Epoch], counts: Sequence[Counts], names: Names = DIGITS) -> list[str]:
    """Say what stands out after each epoch; `names` are those of the classes."""
    return [
        joined([_total(epoch, matrix), _pair(matrix, names), _extremes(matrix, names)])
        for epoch, matrix in zip(epochs, counts, strict=True)
    ]


def _total(epoch: Epoch, counts: Counts) -> str:
    wrong = int(counts.sum() - counts.trace())
    text = ngettext(
        "After epoch {epoch}, {n} of {total} images is wrong.",
        "After epoch {epoch}, {n} of {total} images are wrong.",
        wrong,
    )
    return text.format(epoch=epoch.epoch, n=f"{wrong:,}", total=f"{counts.sum():,}")


def _pair(counts: Counts, names: Names) -> str:
    pair = most_confused(counts)
    if pair is None:
        return ""
    text = ngettext(
        "The most frequent mistake is {label} taken for {seen}: {n} time.",
        "The most frequent mistake is {label} taken for {seen}: {n} times.",
        pair.count,
    )
    return text.format(label=names[pair.label], seen=names[pair.seen], n=f"{pair.count:,}")


def _extremes(counts: Counts, names: Names) -> str:
    accuracies = class_accuracies(counts)
    low, high = np.nanmin(accuracies), np.nanmax(accuracies)
    if low == high:
        return ""
    worst, best = (
        enumerated(name for name, share in zip(names, accuracies, strict=True) if share == extreme)
        for extreme in (low, high)
    )
    return _("Hardest: {worst} ({low}); easiest: {best} ({high}).").format(
        worst=worst, low=percent(low), best=best, high=percent(high)
    )


def matrix_alternative(counts: Sequence[Counts], names: Names = DIGITS) -> str:
    """Say what the matrix shows after the last epoch, for a reader who cannot see it."""
    last = counts[-1]
    accuracies = class_accuracies(last)
    each = enumerated(f"{name}: {percent(share)}" for name, share in zip(names, accuracies, strict=True))
    wrong = last - np.diag(last.diagonal())
    pairs = [divmod(int(place), 10) for place in np.argsort(-wrong, axis=None, kind="stable")[:5]]
    listed = enumerated(
        _("{label} as {seen}: {n}").format(label=names[label], seen=names[seen], n=int(wrong[label, seen]))
        for label, seen in pairs
        if wrong[label, seen]
    )
    return joined(
        [
            _("A matrix: a row for each class, a column for what the network sees in it, with the number of images."),
            _("Recognised after the last epoch: {each}.").format(each=each),
            _("The most frequent mistakes: {listed}.").format(listed=listed) if listed else "",
        ]
    )


# --- Two runs


def other_names(spec: RunSpec, others: Sequence[RunSpec]) -> list[str]:
    """Name other runs by their network, and by what differs among the runs of that network, this one included."""
    named: dict[RunSpec, str] = {}
    for model in {other.model for other in others}:
        alike = [run for run in dict.fromkeys((spec, *others)) if run.model == model]
        network = MODELS[model].class_name
        named |= {
            run: network if told == network else f"{network}, {told}"
            for run, told in zip(alike, run_names(alike), strict=True)
        }
    return [named[other] for other in others]


def comparison_captions(first: Sequence[Epoch], second: Sequence[Epoch], found: Sequence[Comparison]) -> list[str]:
    """Say how the two runs differ after each epoch of the first."""
    captions = []
    for position, comparison in enumerate(found):
        other = second[min(position, len(second) - 1)]
        head = _(
            "This run after epoch {epoch}, the other one after epoch {other}: both recognise {both} images, only this "
            "one {first}, only the other one {second}, neither {neither}."
        ).format(
            epoch=first[position].epoch,
            other=other.epoch,
            both=f"{comparison.both:,}",
            first=f"{len(comparison.only_first):,}",
            second=f"{len(comparison.only_second):,}",
            neither=f"{comparison.neither:,}",
        )
        captions.append(joined([head, verdict(comparison)]))
    return captions


def verdict(comparison: Comparison) -> str:
    """Say in plain words what McNemar's test makes of the images on which two runs differ."""
    first, second = len(comparison.only_first), len(comparison.only_second)
    if not first + second:
        return _("They recognise the same images.")
    if comparison.chance >= CLEAR:
        return _(
            "Were both equally good, {n} such images would split at least so unevenly in {percent} of 100 cases: no "
            "proof that one is better."
        ).format(n=f"{first + second:,}", percent=f"{100 * comparison.chance:.0f}")
    sentence = _(
        "Were both equally good, {n} such images would hardly ever split so unevenly (in fewer than 1 of 100 cases): "
        "on images like these, this run is better."
    )
    if second > first:
        sentence = _(
            "Were both equally good, {n} such images would hardly ever split so unevenly (in fewer than 1 of 100 "
            "cases): on images like these, the other run is better."
        )
    return sentence.format(n=f"{first + second:,}")


def comparison_alternative(found: Sequence[Comparison], names: Names = DIGITS) -> str:
    """Say what the comparison shows after the last epoch, for a reader who cannot see it."""
    each = enumerated(
        f"{name}: {difference:+.2f}".replace("-", "−")
        for name, difference in zip(names, 100 * found[-1].difference, strict=True)
    )
    return joined(
        [
            _("Bars: for each class the share that this run recognises less the other run's, in percentage points."),
            _("After the last epoch: {each}.").format(each=each),
            _("Below, test images that only one of them recognises, with what the other one takes them for."),
        ]
    )
