"""What is said of several training runs: the lines of the legend, who leads, and what does not train."""

import math
import re
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import replace

from app.figures.class_names import class_names
from app.figures.numbers import numeral, percent
from app.figures.training_rows import Report, finding
from app.figures.training_words import joined
from app.i18n import N_, _, ngettext
from core.diagnosis import State
from core.job import Job
from core.lead import Lead, find_lead, harder_to_train
from core.run import RunSpec

ORIGINS = {"here": N_("trained here"), "shipped": N_("shipped"), "imported": N_("imported")}
# How the runs of a comparison that are not trained are counted, by the status of their jobs.
COUNTED = {
    "running": N_("{n} training"),
    "queued": N_("{n} waiting"),
    "cancelled": N_("{n} stopped"),
    "failed": N_("{n} failed"),
    "missing": N_("{n} not started"),
}
LOST = (State.NOT_FINITE, State.DIVERGED, State.COLLAPSED, State.GUESSING)  # what no longer or not yet trains
# What is said of runs that too long steps have thrown off, in the words in which each is judged alone.
GONE: dict[State, Callable[[int], str]] = {
    State.NOT_FINITE: lambda n: ngettext(
        "{names} has diverged: its loss is no longer a finite number, because each step overshoots further than the "
        "last.",
        "{names} have diverged: their losses are no longer finite numbers, because each step overshoots further than "
        "the last.",
        n,
    ),
    State.DIVERGED: lambda n: ngettext(
        "{names} has diverged: its loss is above ln 10 ≈ 2.30, that of pure guessing, because its steps are too long.",
        "{names} have diverged: their losses are above ln 10 ≈ 2.30, that of pure guessing, because their steps are "
        "too long.",
        n,
    ),
    State.COLLAPSED: lambda n: ngettext(
        "{names} has collapsed: too long steps threw its loss up, and since then it only guesses.",
        "{names} have collapsed: too long steps threw their losses up, and since then they only guess.",
        n,
    ),
}
VANISHED = 100  # a gradient so many times smaller than another run's has vanished
FIXED = "\N{NO-BREAK SPACE}"
CHINESE = "“”\u3000-\u303f\u4e00-\u9fff\uff00-\uffef"  # of a regular expression: quotes, letters and stops


def line(report: Report, epoch: int) -> dict[str, object]:
    """Write a run's numbers after an epoch, or after its last one before that."""
    epochs = report.epochs[: min(epoch, report.epoch_count)]
    if not epochs:
        return {"accuracy": "–", "best": "", "speed": "", "spent": ""}
    best = max(epochs, key=lambda epoch: epoch.test_accuracy)
    seconds = math.fsum(epoch.seconds for epoch in epochs)
    images = report.spec.train_images * len(epochs)
    return {
        "accuracy": percent(epochs[-1].test_accuracy),
        "best": f"{percent(best.test_accuracy)} ({best.epoch})",
        "speed": f"{images / seconds:,.0f}" if seconds else "–",  # over the same epochs as the seconds
        "spent": f"{seconds:,.0f}" if seconds >= 10 else f"{seconds:.1f}",
    }


def columns() -> str:
    """Say what the numbers of the legend are."""
    return _(
        "Seconds: spent on training up to the epoch shown, without the tests; images/s: the training images of these "
        "epochs, divided by the seconds."
    )


def state(job: Job | None) -> str:
    """Say in a few words how far a run is, or where it comes from."""
    if job is None:
        return _("not trained yet")
    if job.status == "queued":
        return _("queued: {position}").format(position=job.position)
    if job.status == "running":
        return f"{100 * job.progress:.0f} %"
    if job.status == "failed":
        return _("failed")
    if job.status == "cancelled":
        return _("stopped")
    return _(ORIGINS[job.origin])


def status(jobs: Sequence[Job | None], reports: Sequence[Report], called: Sequence[str]) -> str:
    """Say how far the comparison is, who leads, who comes next, and which runs do not train."""
    told = [re.sub(r"(?<=\d) | (?=\d)", FIXED, _quoted(name)) for name in called]
    sentences = [_progress(jobs), *_order(reports, told), *_lost(jobs, reports, told)]
    return _close(joined(sentences)).replace(" %", f"{FIXED}%")


def _progress(jobs: Sequence[Job | None]) -> str:
    """Count the runs by their states; nothing where all are trained."""
    count = Counter("missing" if job is None else job.status for job in jobs)
    if count["done"] == len(jobs):
        return ""
    parts = [_(template).format(n=count[state]) for state, template in COUNTED.items() if count[state]]
    sentence = ngettext(
        "{done} of {runs} run is trained: {others}.", "{done} of {runs} runs are trained: {others}.", len(jobs)
    )
    return sentence.format(done=count["done"], runs=len(jobs), others=_(", ").join(parts))


def _quoted(name: str) -> str:
    """Set a name off from the sentence around it, whose numbers and commas are not its own."""
    return f"“{name}”"


def _order(reports: Sequence[Report], called: Sequence[str]) -> list[str]:
    """Name the runs that train, from the best to the worst; one that does not is nothing to be better than."""
    lost = _states(reports)
    begun = [place for place, report in enumerate(reports) if report.epoch_count and place not in lost]
    runs = [reports[place].epochs[: reports[place].epoch_count] for place in begun]
    sets = list(dict.fromkeys(report.spec.images.title for report in reports if report.epoch_count))
    if len(sets) > 1:
        sentence = _(
            "The runs are tested on different images ({sets}): their accuracies say nothing about which of them is "
            "better."
        )
        return [sentence.format(sets=listed(sets))]
    if lost and len(begun) == 1:
        last = runs[0][-1]
        sentence = _("{name} trains: its test accuracy after epoch {epoch} is {accuracy}.")
        return [sentence.format(name=called[begun[0]], epoch=last.epoch, accuracy=percent(last.test_accuracy))]
    lead = find_lead(runs, reports[begun[0]].spec.data) if begun else None
    if lead is None:
        return []
    hard = harder_to_train(runs) if _alike([reports[place].spec for place in begun]) else []
    behind = [run for run in lead.order[2:] if run not in hard]
    ranked = [
        _("{name} ({accuracy})").format(
            name=called[begun[run]], accuracy=percent(runs[run][lead.epoch - 1].test_accuracy)
        )
        for run in behind
    ]
    sentences = [_lead(lead, called[begun[lead.leader]], called[begun[lead.second]])]
    if ranked:
        sentences.append(_("Behind them: {runs}.").format(runs=listed(ranked)))
    best = max(run[lead.epoch - 1].train_accuracy for run in runs)
    for run in hard:
        sentence = _("{name} is hard to train: on its own training images it reaches {own}, the best run {best}.")
        own = runs[run][lead.epoch - 1].train_accuracy
        sentences.append(sentence.format(name=called[begun[run]], own=percent(own), best=percent(best)))
    if all(reports[place].ended for place in begun) and any(len(run) > lead.epoch for run in runs):
        sentence = _("Epoch {epoch} is the last that all of them have; the legend ends with each run's own last epoch.")
        sentences.append(sentence.format(epoch=lead.epoch))
    return sentences


def _alike(specs: Sequence[RunSpec]) -> bool:
    """Say whether the runs differ in nothing but their networks and seeds."""
    return len({replace(spec, model="stack", options=(), seed=0) for spec in specs}) == 1


def _lead(lead: Lead, leader: str, second: str) -> str:
    if not lead.clear and lead.split is not None:
        sentence = _(
            "After epoch {epoch} {leader} and {second} are level (images that only one recognises: {first} against "
            "{other}; chance splits them so unevenly in {percent} of 100 cases)."
        )
    elif not lead.clear:
        sentence = _(
            "After epoch {epoch} {leader} and {second} are level: the {points} points between them may be chance."
        )
    elif lead.epoch == 1:
        sentence = _("After epoch {epoch} {leader} leads, {points} points before {second}.")
    elif lead.since == lead.epoch:
        sentence = _("After epoch {epoch} {leader} has taken the lead, {points} points before {second}.")
    else:
        sentence = _("{leader} leads since epoch {since}; after epoch {epoch} it is {points} points before {second}.")
    if lead.clear and lead.split is not None:
        split = _("Images that only one of them recognises: {first} against {other}, hardly ever by chance.")
        sentence = joined([sentence, split])
    values = {"points": f"{100 * lead.ahead:.2f}", "epoch": lead.epoch, "since": lead.since}
    if lead.split is not None:
        values |= {"first": f"{lead.split.first:,}", "other": f"{lead.split.second:,}"}
        values["percent"] = f"{100 * lead.split.chance:.0f}"
    return sentence.format(leader=leader, second=second, **values)


def listed(parts: Sequence[str]) -> str:
    """Write several things after each other, as the language does."""
    if len(parts) < 2:
        return "".join(parts)
    return _close(_("{most} and {last}").format(most=_(", ").join(parts[:-1]), last=parts[-1]))


def _close(text: str) -> str:
    """Take out the spaces between Chinese characters, which a sentence has for a name or a number in other letters."""
    return re.sub(rf"(?<=[{CHINESE}]) (?=[{CHINESE}])", "", text)


def _states(reports: Sequence[Report]) -> dict[int, State]:
    """Return the places of the runs that do not train, and what is wrong with each."""
    begun = {place: report for place, report in enumerate(reports) if report.batch_count and report.epoch_count}
    found = {place: finding(report).state for place, report in begun.items()}
    return {place: state for place, state in found.items() if state in LOST}


def _lost(jobs: Sequence[Job | None], reports: Sequence[Report], called: Sequence[str]) -> list[str]:
    """Name the runs that do not train, with the gradient that explains it where it is known."""
    lost = _states(reports)
    alike = {state: [place for place, found in lost.items() if found is state] for state in LOST}
    sentences = [
        say(len(alike[state])).format(names=listed([called[place] for place in alike[state]]))
        for state, say in GONE.items()
        if alike[state]
    ]
    if guessing := alike[State.GUESSING]:
        sentences.append(_guess([called[place] for place in guessing], _only_class([reports[p] for p in guessing])))
        trained = [place for place, report in enumerate(reports) if place not in lost and report.epoch_count]
        sentences.append(_vanished(jobs, guessing, trained, called))
    return sentences


def _guess(called: Sequence[str], only: str) -> str:
    """Say of runs that they guess, and which class they always name where they do."""
    text = ngettext(
        "{names} does not train: it still guesses.",
        "{names} do not train: they still guess.",
        len(called),
    )
    if only:
        text = ngettext(
            "{names} does not train: it takes every test image for class {only}.",
            "{names} do not train: they take every test image for class {only}.",
            len(called),
        )
    same = _("Their curves lie on each other.") if only and len(called) > 1 else ""
    return joined([text.format(names=listed(called), only=only), same])


def _vanished(
    jobs: Sequence[Job | None], guessing: Sequence[int], trained: Sequence[int], called: Sequence[str]
) -> str:
    """Explain runs that guess by the gradients of their first layers, where those are much smaller than another's."""
    others = [(norm, other) for other in trained if (norm := first_gradient(jobs[other])) is not None]
    norm, other = max(others, default=(0.0, 0))
    own = [one for place in guessing if (one := first_gradient(jobs[place])) is not None]
    if len(own) < len(guessing) or any(norm <= VANISHED * one for one in own):
        return ""
    sentence = ngettext(
        "The norm of the first gradient in the first layer is {own}, that of {other} {norm}: the signal is lost on the "
        "way back.",
        "The norms of the first gradients in the first layer are {own} in this order, that of {other} {norm}: the "
        "signal is lost on the way back.",
        len(own),
    )
    norms = listed([numeral(one, 2) for one in own])
    return sentence.format(own=norms, other=called[other], norm=numeral(norm, 2))


def _only_class(reports: Sequence[Report]) -> str:
    """Return the name of the class that all runs take all test images for; "" where there is none."""
    seen = {report.epochs[report.epoch_count - 1].predicted for report in reports}
    taken = set(seen.pop()) if len(seen) == 1 else set()
    return class_names(reports[0].spec.data)[int(taken.pop())] if len(taken) == 1 else ""


def first_gradient(job: Job | None) -> float | None:
    """Return the norm of the first layer's gradient before the first step; None where the run did not keep it."""
    if job is None or not job.insides or job.insides[0].epoch or not job.insides[0].layers:
        return None
    return job.insides[0].layers[0].gradient_norm


def captions(reports: Sequence[Report], called: Sequence[str]) -> list[str]:
    """Say after each epoch how good each run is, the best first."""
    steps = max((report.epoch_count for report in reports), default=0)
    said = []
    for epoch in range(1, steps + 1):
        there = [
            (report.epochs[epoch - 1].test_accuracy, name)
            for report, name in zip(reports, called, strict=True)
            if report.epoch_count >= epoch
        ]
        ranked = [
            f"{_quoted(name)} {percent(accuracy).replace(' ', FIXED)}" for accuracy, name in sorted(there, reverse=True)
        ]
        said.append(_("Test accuracy after epoch {epoch}: {runs}.").format(epoch=epoch, runs=_("; ").join(ranked)))
    return said


def alternative(reports: Sequence[Report], called: Sequence[str]) -> str:
    """Say what the picture shows, for a reader who cannot see it."""
    head = ngettext(
        "Loss and accuracy of {runs} training run, and a legend with its numbers.",
        "Loss and accuracy of {runs} training runs over each other, and a legend with their numbers.",
        len(reports),
    )
    sentences = [head.format(runs=len(reports))]
    for report, name in zip(reports, called, strict=True):
        epochs = report.epochs[: report.epoch_count]
        if not epochs:
            sentences.append(_("{name}: no epoch yet.").format(name=name))
            continue
        sentences.append(
            _(
                "{name}: test accuracy {first} after epoch 1, {last} after epoch {epoch}; train loss {before} and "
                "{after}."
            ).format(
                name=name, first=percent(epochs[0].test_accuracy), last=percent(epochs[-1].test_accuracy),
                epoch=epochs[-1].epoch, before=numeral(epochs[0].train_loss, 3),
                after=numeral(epochs[-1].train_loss, 3),
            )
        )  # fmt: skip
    return joined(sentences)
