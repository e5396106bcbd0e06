"""The sentences that stand beside the picture of a training run, each computed from its records."""

from collections.abc import Sequence

from app.figures.training_rows import Report, finding
from app.i18n import N_, _, error_sentence, language, ngettext
from app.page import Kind
from core.device import Placement
from core.diagnosis import Diagnosis, State
from core.jobs import Job
from core.records import Batch, Epoch
from core.run import RunSpec

# What there is to say beside "the loss is falling", with the sign that it gets.
VERDICTS: dict[State, tuple[str, Kind]] = {
    State.NOT_FINITE: (
        N_(
            "Diverged in step {since}: the loss is no longer a finite number, because with the learning rate {lr} "
            "each step overshoots further than the last. Try {smaller}."
        ),
        "bad",
    ),
    State.DIVERGED: (
        N_(
            "Diverged: the loss is {loss:.3g}, above ln 10 ≈ 2.30, that of pure guessing. The learning rate {lr} is "
            "too large; try {smaller}."
        ),
        "bad",
    ),
    State.COLLAPSED: (
        N_(
            "Collapsed: too long steps threw the loss up, and since then the network only guesses (loss about "
            "ln 10 ≈ 2.30). The learning rate {lr} is too large; try {smaller}."
        ),
        "bad",
    ),
    State.GUESSING: (
        N_("It still guesses: the loss is about ln 10 ≈ 2.30. It needs more steps or a larger learning rate."),
        "neutral",
    ),
    State.OVERFITTING: (
        N_(
            "Overfitting since epoch {since}: the test loss rose from {low:.3g} to {high:.3g} while the train loss "
            "fell from {before:.2g} to {after:.2g}."
        ),
        "warning",
    ),
    State.PLATEAU: (
        N_("On a plateau since epoch {since}: the train loss changes by less than 1 % an epoch."),
        "neutral",
    ),
}


def joined(sentences: Sequence[str]) -> str:
    """Write sentences after each other, as the language does."""
    return ("" if language() == "zh" else " ").join(sentence for sentence in sentences if sentence)


def percent(share: float) -> str:
    """Write a share of 1 with the digits that ten thousand test images give it."""
    return f"{100 * share:.2f} %"


def status(job: Job | None, report: Report) -> tuple[str, Kind]:
    """Say what the run is doing now, and how good that is."""
    if job is None:
        return _not_trained(report.spec), "neutral"
    if job.status == "failed" and job.error is not None:
        return error_sentence(job.error), "bad"
    if job.status == "queued":
        return _("Waiting for a free place to train; number {position} in the queue.").format(
            position=job.position
        ), "neutral"
    epochs = report.epochs[: report.epoch_count]
    found = finding(report)
    verdict, kind = _verdict(found, job, epochs)
    if not report.ended:
        return joined([_head(report, epochs, found), verdict, _pace(job)]), kind
    return joined([_end(job, epochs), verdict]), kind


def _not_trained(spec: RunSpec) -> str:
    steps = spec.steps_per_epoch * spec.epochs
    return ngettext(
        "Not trained yet. Start takes {steps} step of gradient descent: {epochs} × {batches} batches.",
        "Not trained yet. Start takes {steps} steps of gradient descent: {epochs} × {batches} batches.",
        steps,
    ).format(steps=f"{steps:,}", epochs=spec.epochs, batches=f"{spec.steps_per_epoch:,}")


def _head(report: Report, epochs: Sequence[Epoch], found: Diagnosis) -> str:
    if not report.batch_count:
        return _("The training process is starting.")
    epoch, of = report.batches[report.batch_count - 1].epoch, report.spec.epochs
    if not epochs:
        return _("Epoch {epoch} of {epochs}: loss {loss:.2g}.").format(epoch=epoch, epochs=of, loss=found.loss)
    return _("Epoch {epoch} of {epochs}: loss {loss:.2g}, test accuracy {accuracy}.").format(
        epoch=epoch, epochs=of, loss=found.loss, accuracy=percent(epochs[-1].test_accuracy)
    )


def _end(job: Job, epochs: Sequence[Epoch]) -> str:
    if job.status == "cancelled":
        return _("Stopped after {done} of {epochs} epochs; Continue goes on from there.").format(
            done=len(epochs), epochs=job.spec.epochs
        )
    best = max(epochs, key=lambda epoch: epoch.test_accuracy)
    if len(epochs) == 1:
        return _("Trained: test accuracy {accuracy}.").format(accuracy=percent(best.test_accuracy))
    if best is epochs[-1]:
        return _("Trained: test accuracy {accuracy}, the best of all epochs.").format(
            accuracy=percent(best.test_accuracy)
        )
    return _("Trained: test accuracy {accuracy}; the best was {best} after epoch {epoch}.").format(
        accuracy=percent(epochs[-1].test_accuracy), best=percent(best.test_accuracy), epoch=best.epoch
    )


def _pace(job: Job) -> str:
    rate, left = job.images_per_second, job.seconds_left
    if rate is None or left is None:
        return ""
    return _("{rate} images a second on the {device} ({dtype}), {left} s left.").format(
        rate=f"{rate:,.0f}", device=device(job.placement), dtype=job.placement.dtype, left=f"{left:.0f}"
    )


def _verdict(found: Diagnosis, job: Job, epochs: Sequence[Epoch]) -> tuple[str, Kind]:
    if found.state not in VERDICTS:
        return _trend(found, job, epochs)
    template, kind = VERDICTS[found.state]
    values: dict[str, object] = {
        "lr": f"{job.spec.lr:g}",
        "smaller": f"{job.spec.lr / 10:g}",
        "since": f"{found.since:,}",
        "loss": found.loss,
    }
    if found.state is State.OVERFITTING:
        lowest, last = min(epochs, key=lambda epoch: epoch.test_loss), epochs[-1]
        values |= {
            "low": lowest.test_loss,
            "high": last.test_loss,
            "before": lowest.train_loss,
            "after": last.train_loss,
        }
    return _(template).format(**values), kind


def _trend(found: Diagnosis, job: Job, epochs: Sequence[Epoch]) -> tuple[str, Kind]:
    if found.state is State.WAITING:
        return "", "neutral"
    if job.active:
        falling = found.state is State.FALLING
        return _("The loss is falling.") if falling else _("The loss is level at the moment."), "neutral"
    if (
        len(epochs) > 1
        and epochs[-1].train_loss < epochs[-2].train_loss
        and epochs[-1].test_loss < epochs[-2].test_loss
    ):
        return _("Both losses were still falling."), "good"
    return "", "good" if job.status == "done" else "neutral"


def captions(epochs: Sequence[Epoch], spec: RunSpec) -> list[str]:
    """Say what each epoch brought."""
    sentence = _(
        "Epoch {epoch} of {epochs}: train loss {train:.3g}, test loss {test:.3g}, test accuracy {accuracy}, "
        "{seconds:.1f} s of training at {rate} images a second."
    )
    return [
        sentence.format(
            epoch=epoch.epoch,
            epochs=spec.epochs,
            train=epoch.train_loss,
            test=epoch.test_loss,
            accuracy=percent(epoch.test_accuracy),
            seconds=epoch.seconds,
            rate=f"{epoch.images_per_second:,.0f}",
        )
        for epoch in epochs
    ]


def alternative(batches: Sequence[Batch], epochs: Sequence[Epoch]) -> str:
    """Say what the picture shows, for a reader who cannot see it."""
    if not batches:
        return _("Empty axes: loss and test accuracy over the epochs. They fill when the training starts.")
    sentences = [
        _("Loss of each batch over the epochs, from {first:.3g} to {last:.3g}.").format(
            first=batches[0].loss, last=batches[-1].loss
        )
    ]
    if epochs:
        sentences.append(
            _("Test accuracy from {first} after epoch 1 to {last} after epoch {epoch}.").format(
                first=percent(epochs[0].test_accuracy),
                last=percent(epochs[-1].test_accuracy),
                epoch=epochs[-1].epoch,
            )
        )
    if epochs and epochs[-1].worst:
        worst = epochs[-1].worst[0]
        sentences.append(
            _("Below, the worst mistakes; the first is a {label} that it takes for a {predicted} with {sure}.").format(
                label=worst.label, predicted=worst.predicted, sure=percent(worst.confidence)
            )
        )
    return joined(sentences)


def device(placement: Placement) -> str:
    """Name a device as people do."""
    return {"cpu": _("CPU"), "cuda": _("NVIDIA GPU"), "mps": _("Apple GPU")}.get(placement.device, placement.device)


def conditions(job: Job, placement: Placement) -> str:
    """Say where and how the run is computed, and why."""
    facts = ngettext(
        "Computed on the {device} with {threads} thread, in {dtype}, layout {layout}, by PyTorch {torch}.",
        "Computed on the {device} with {threads} threads, in {dtype}, layout {layout}, by PyTorch {torch}.",
        placement.threads,
    ).format(
        device=device(placement),
        threads=placement.threads,
        dtype=placement.dtype,
        layout=placement.layout,
        torch=placement.torch,
    )
    kept = _("This run is kept and opened at once; change a number to train another one.") if job.cached else ""
    return joined([kept, facts, *(_(reason) for reason in placement.reasons.values())])


def cross_entropy() -> str:
    """Write the loss of the first image with its numbers, for the player to fill in at each epoch."""
    worst = "data('worst')[0]"
    text = _("The first image below is a {label}. Its loss is").format(label=f"{{{{{worst}.label|d}}}}")
    return (
        f"<span>{text}</span> <math><mi class='q-loss'>ℓ</mi><mo>=</mo><mo>−</mo><mi>ln</mi>"
        f"<msub><mi class='q-prediction'>p</mi><mn>{{{{{worst}.label|d}}}}</mn></msub><mo>=</mo><mo>−</mo><mi>ln</mi>"
        f"<mn class='q-prediction'>{{{{{worst}.probability|.2~g}}}}</mn><mo>=</mo>"
        f"<mn class='q-loss'>{{{{-log({worst}.probability)|.2f}}}}</mn></math>"
    )
