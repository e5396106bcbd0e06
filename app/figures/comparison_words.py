"""What is said of several training runs: their names, the lines of the legend, who leads, and what does not train."""

import math
from collections.abc import Sequence

from app.figures.training_rows import Report, finding
from app.figures.training_words import joined, percent
from app.i18n import N_, _
from core.diagnosis import State
from core.jobs import Job
from core.lead import find_lead
from core.models import MODELS
from core.naming import OPTION, Part, differences
from core.optimizers import OPTIMIZERS, SCHEDULES
from core.run import RunSpec

# How the value of a field is said where it tells runs apart.
SAID = {
    "epochs": N_("{value} epochs"),
    "batch_size": N_("batch {value}"),
    "lr": N_("lr {value}"),
    "momentum": N_("momentum {value}"),
    "weight_decay": N_("weight decay {value}"),
    "shift": N_("shift ±{value} px"),
    "rotate": N_("rotation ±{value}°"),
    "patience": N_("patience {value}"),
    "train_images": N_("{value} images"),
    "seed": N_("seed {value}"),
}
ORIGINS = {"here": N_("trained here"), "shipped": N_("shipped"), "imported": N_("imported")}
LOST = (State.NOT_FINITE, State.DIVERGED, State.COLLAPSED, State.GUESSING)  # what no longer or not yet trains
VANISHED = 100  # a gradient so many times smaller than another run's has vanished


def names(specs: Sequence[RunSpec]) -> tuple[str, ...]:
    """Name each run by what differs between them."""
    return tuple(", ".join(_part(part) for part in parts) for parts in differences(specs))


def _part(part: Part) -> str:
    field, value = part
    if field == "model":
        return MODELS[str(value)].class_name
    if field == "optimizer":
        return OPTIMIZERS[str(value)].title
    if field == "schedule":
        return _("{schedule} schedule").format(schedule=_(SCHEDULES[str(value)].title))
    if field == "nesterov":
        return _("Nesterov") if value else _("no Nesterov")
    if field.startswith(OPTION):
        return _option(field.removeprefix(OPTION), value)
    shown = f"{value:,}" if isinstance(value, int) and field != "seed" else f"{value:g}"
    return _(SAID[field]).format(value=shown)


def _option(name: str, value: object) -> str:
    option = next(option for model in MODELS.values() for option in model.options if option.name == name)
    if isinstance(value, bool):
        said = _("with {option}") if value else _("without {option}")
        return said.format(option=_(option.title))
    if isinstance(value, str):
        return _(option.choices[value])
    return f"{_(option.title)} {value:g}"


def line(report: Report, epoch: int) -> dict[str, object]:
    """Write a run's numbers after an epoch, or after its last one before that."""
    epochs = report.epochs[: min(epoch, report.epoch_count)]
    if not epochs:
        return {"accuracy": "–", "best": "", "speed": "", "spent": ""}
    best = max(epochs, key=lambda epoch: epoch.test_accuracy)
    seconds = math.fsum(epoch.seconds for epoch in epochs)
    return {
        "accuracy": percent(epochs[-1].test_accuracy),
        "best": f"{percent(best.test_accuracy)} ({best.epoch})",
        "speed": f"{epochs[-1].images_per_second:,.0f}",
        "spent": f"{seconds:,.0f}" if seconds >= 10 else f"{seconds:.1f}",
    }


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
    """Say how far the comparison is, who leads, by how much and since when, and which runs do not train."""
    missing = sum(job is None for job in jobs)
    active = sum(job is not None and job.active for job in jobs)
    done = len(jobs) - missing - active
    there = _("{done} of {runs} runs are there.")
    if active:
        there = _("{done} of {runs} runs are there, {active} under way.")
    there = there.format(done=done, runs=len(jobs), active=active)
    return joined([there if missing or active else "", _lead(reports, called), *_lost(jobs, reports, called)])


def _lead(reports: Sequence[Report], called: Sequence[str]) -> str:
    begun = [place for place, report in enumerate(reports) if report.epoch_count]
    lead = find_lead([reports[place].epochs[: reports[place].epoch_count] for place in begun])
    if lead is None:
        return ""
    leader, second = called[begun[lead.leader]], called[begun[lead.second]]
    points = f"{100 * lead.ahead:.2f}"
    if not lead.clear:
        sentence = _(
            "After epoch {epoch} {leader} and {second} are level: the {points} points between them may be chance."
        )
    elif lead.epoch == 1:
        sentence = _("After epoch {epoch} {leader} leads, {points} points before {second}.")
    elif lead.since == lead.epoch:
        sentence = _("After epoch {epoch} {leader} has taken the lead, {points} points before {second}.")
    else:
        sentence = _("{leader} leads since epoch {since}; after epoch {epoch} it is {points} points before {second}.")
    return sentence.format(leader=leader, second=second, points=points, epoch=lead.epoch, since=lead.since)


def _lost(jobs: Sequence[Job | None], reports: Sequence[Report], called: Sequence[str]) -> list[str]:
    """Name the runs that do not train, with the gradient that explains it where it is known."""
    found = [finding(report).state if report.batch_count else State.WAITING for report in reports]
    lost = [place for place, state in enumerate(found) if state in LOST and reports[place].epoch_count]
    trained = [place for place in range(len(reports)) if place not in lost and reports[place].epoch_count]
    sentences = []
    for place in lost:
        if found[place] is not State.GUESSING:
            sentences.append(_("{name} has diverged: its steps are too long.").format(name=called[place]))
            continue
        sentences.append(_("{name} does not train: it still guesses.").format(name=called[place]))
        own = first_gradient(jobs[place])
        others = [(norm, other) for other in trained if (norm := first_gradient(jobs[other])) is not None]
        if own is not None and others and max(others)[0] > VANISHED * own:
            norm, other = max(others)
            sentences.append(
                _(
                    "Before its first step the gradient of its first layer has the norm {own:.2g}, that of {other} "
                    "{norm:.2g}: the signal is lost on the way back."
                ).format(own=own, other=called[other], norm=norm)
            )
    return sentences


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
        ranked = [f"{name} {percent(accuracy)}" for accuracy, name in sorted(there, reverse=True)]
        said.append(_("Test accuracy after epoch {epoch}: {runs}.").format(epoch=epoch, runs=_("; ").join(ranked)))
    return said


def alternative(reports: Sequence[Report], called: Sequence[str]) -> str:
    """Say what the picture shows, for a reader who cannot see it."""
    sentences = [
        _("Loss and accuracy of {runs} training runs over each other, and a legend with their numbers.").format(
            runs=len(reports)
        )
    ]
    for report, name in zip(reports, called, strict=True):
        epochs = report.epochs[: report.epoch_count]
        if not epochs:
            sentences.append(_("{name}: no epoch yet.").format(name=name))
            continue
        sentences.append(
            _(
                "{name}: test accuracy {first} after epoch 1, {last} after epoch {epoch}; train loss {before:.3g} and "
                "{after:.3g}."
            ).format(
                name=name, first=percent(epochs[0].test_accuracy), last=percent(epochs[-1].test_accuracy),
                epoch=epochs[-1].epoch, before=epochs[0].train_loss, after=epochs[-1].train_loss,
            )
        )  # fmt: skip
    return joined(sentences)
