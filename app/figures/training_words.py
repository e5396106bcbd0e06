"""The sentences that stand beside the picture of a training run, each computed from its records."""

import math
from collections.abc import Sequence

from app.figures.numbers import numeral, percent
from app.figures.training_rows import Report, finding, losses
from app.i18n import N_, _, error_sentence, language, ngettext
from app.page import Kind
from core.caching import cached
from core.device import Placement
from core.diagnosis import JUMP, Diagnosis, State
from core.image_data import is_here
from core.job import Job
from core.models import MODELS
from core.records import Epoch
from core.run import RunSpec

NEARLY_GUESSED = 0.15  # test accuracy; always the same answer gets up to 0.1135
LOST = (State.NOT_FINITE, State.DIVERGED, State.COLLAPSED)  # that comes before how good the run became
AVERAGED = 50  # batches that the text alternative takes the mean of before there is an epoch

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
            "Diverged: the last batches have a loss of about {loss}, above ln 10 ≈ 2.30, that of pure "
            "guessing. The learning rate {lr} is too large; try {smaller}."
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
            "Overfitting since epoch {since}: the test loss rose from {low} to {high} while the train loss "
            "fell from {before} to {after}."
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


def status(job: Job | None, report: Report, ahead: int = 0) -> tuple[str, Kind]:
    """Say what the run is doing now, and how good that is; of one that is not there, `ahead` epochs may be kept."""
    if job is None:
        return _not_trained(report.spec, ahead), "neutral"
    if job.status == "failed" and job.error is not None:
        return error_sentence(job.error), "bad"
    if job.status == "queued" and job.waiting_for is not None:
        return error_sentence(job.waiting_for), "warning"
    if job.status == "queued":
        return _("Waiting for a free place to train; number {position} in the queue.").format(
            position=job.position
        ), "neutral"
    epochs = report.epochs[: report.epoch_count]
    found = finding(report)
    verdict, kind = _verdict(found, job, epochs)
    if not report.ended:
        return joined([_head(report, epochs, found), verdict, _pace(job)]), kind
    lost = found.state in LOST and job.status == "done"
    return joined([verdict, _best(epochs)] if lost else [_end(job, epochs), verdict]), kind


def _not_trained(spec: RunSpec, ahead: int) -> str:
    if not is_here(spec.data):
        return _("Not trained yet: its images have to be downloaded first.")
    steps = spec.steps_per_epoch * (spec.epochs - ahead)
    if ahead:
        return ngettext(
            "A run with the same settings is kept up to epoch {done} of {epochs}. Press **Continue**: from there it "
            "takes {steps} more step of gradient descent.",
            "A run with the same settings is kept up to epoch {done} of {epochs}. Press **Continue**: from there it "
            "takes {steps} more steps of gradient descent.",
            steps,
        ).format(done=ahead, epochs=spec.epochs, steps=f"{steps:,}")
    return ngettext(
        "Not trained yet. Press **Start**: it takes {steps} step of gradient descent, {epochs} × {batches} batches.",
        "Not trained yet. Press **Start**: it takes {steps} steps of gradient descent, {epochs} × {batches} batches.",
        steps,
    ).format(steps=f"{steps:,}", epochs=spec.epochs, batches=f"{spec.steps_per_epoch:,}")


def _head(report: Report, epochs: Sequence[Epoch], found: Diagnosis) -> str:
    if not report.batch_count:
        return _("Starting …")
    epoch, of = report.batches[report.batch_count - 1].epoch, report.spec.epochs
    if found.state is State.NOT_FINITE:  # said in the sentence after this one
        return _("Epoch {epoch} of {epochs}.").format(epoch=epoch, epochs=of)
    loss = numeral(found.loss, 2)
    if not epochs:
        return _("Epoch {epoch} of {epochs}: loss {loss}.").format(epoch=epoch, epochs=of, loss=loss)
    return _("Epoch {epoch} of {epochs}: loss {loss}, test accuracy {accuracy} after epoch {tested}.").format(
        epoch=epoch,
        epochs=of,
        loss=loss,
        accuracy=percent(epochs[-1].test_accuracy),
        tested=epochs[-1].epoch,
    )


def _end(job: Job, epochs: Sequence[Epoch]) -> str:
    if job.status == "cancelled" and not epochs:
        return _("Stopped before its first epoch was finished; Start begins it again.")
    if job.status == "cancelled":
        sentence = _("Stopped after {done} of {epochs} epochs; Continue goes on from there.")
        if job.batches and job.batches[len(job.batches) - 1].epoch > len(epochs):
            sentence = _(
                "Stopped after {done} of {epochs} epochs; Continue goes on from there and repeats the unfinished epoch."
            )
        return sentence.format(done=len(epochs), epochs=job.spec.epochs)
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


def _best(epochs: Sequence[Epoch]) -> str:
    """Say how good a run was before it was lost; nothing where it never was better than guessing."""
    best = max(epochs, key=lambda epoch: epoch.test_accuracy)
    if best.test_accuracy <= NEARLY_GUESSED or not math.isfinite(best.test_loss):
        return ""
    return _("Its best test accuracy was {best} after epoch {epoch}.").format(
        best=percent(best.test_accuracy), epoch=best.epoch
    )


def _pace(job: Job) -> str:
    rate, left = job.images_per_second, job.seconds_left
    if rate is None or left is None:
        return ""
    return _("{rate} images a second on the {device} ({dtype}), {left} s left.").format(
        rate=f"{rate:,.0f}", device=device(job.placement), dtype=job.placement.dtype, left=max(1, round(left))
    )


def _verdict(found: Diagnosis, job: Job, epochs: Sequence[Epoch]) -> tuple[str, Kind]:
    if job.status == "cancelled" and not epochs:  # too short to be judged
        return "", "neutral"
    if found.state not in VERDICTS:
        return _trend(found, job, epochs)
    if found.state is State.GUESSING and job.active and job.spec.schedule == "onecycle":
        return _(
            "It still guesses: the loss is about ln 10 ≈ 2.30; the learning rate begins small and climbs."
        ), "neutral"
    template, kind = VERDICTS[found.state]
    values: dict[str, object] = {
        "lr": f"{job.spec.lr:g}",
        "smaller": f"{job.spec.lr / 10:g}",
        "since": f"{found.since:,}",
        "loss": numeral(found.loss, 3),
    }
    if found.state is State.OVERFITTING:
        lowest, last = min(epochs, key=lambda epoch: epoch.test_loss), epochs[-1]
        values |= {
            "low": numeral(lowest.test_loss, 3),
            "high": numeral(last.test_loss, 3),
            "before": numeral(lowest.train_loss, 2),
            "after": numeral(last.train_loss, 2),
        }
    return _(template).format(**values), kind


def _trend(found: Diagnosis, job: Job, epochs: Sequence[Epoch]) -> tuple[str, Kind]:
    if job.active:
        if found.state is State.WAITING:
            return "", "neutral"
        falling = found.state is State.FALLING
        return _("The loss is falling.") if falling else _("The loss is level at the moment."), "neutral"
    if (
        len(epochs) > 1
        and epochs[-1].train_loss < epochs[-2].train_loss
        and epochs[-1].test_loss < epochs[-2].test_loss
    ):
        return _("Both losses were still falling."), "good"
    return "", "good" if job.status == "done" else "neutral"


def called(spec: RunSpec) -> str:
    """Name a run by what tells it from others: its network with the options that are set, and the main numbers."""
    network = MODELS[spec.model].call(spec.options).removesuffix("()")
    named = ngettext(
        "{network}, {epochs} epoch, {images} images, learning rate {lr}, seed {seed}",
        "{network}, {epochs} epochs, {images} images, learning rate {lr}, seed {seed}",
        spec.epochs,
    )
    return named.format(
        network=network, epochs=spec.epochs, images=f"{spec.train_images:,}", lr=f"{spec.lr:g}", seed=spec.seed
    )


def captions(epochs: Sequence[Epoch], spec: RunSpec) -> list[str]:
    """Say what each epoch brought."""
    sentence = _(
        "Epoch {epoch} of {epochs}: train loss {train}, test loss {test}, test accuracy {accuracy}, "
        "{seconds:.1f} s to train this epoch, {rate} images a second."
    )
    lost = _(
        "Epoch {epoch} of {epochs}: the loss is not a finite number, because too long steps made the weights overflow; "
        "what the network answers means nothing."
    )
    return [
        (sentence if math.isfinite(epoch.train_loss + epoch.test_loss) else lost).format(
            epoch=epoch.epoch,
            epochs=spec.epochs,
            train=numeral(epoch.train_loss, 3),
            test=numeral(epoch.test_loss, 3),
            accuracy=percent(epoch.test_accuracy),
            seconds=epoch.seconds,
            rate=f"{epoch.images_per_second:,.0f}",
        )
        for epoch in epochs
    ]


@cached(maxsize=64)
def alternative(report: Report) -> str:
    """Say what the picture shows at every position of its playhead, for a reader who cannot see it."""
    if not report.batch_count:
        return _("Empty axes: loss and test accuracy over the epochs. They fill when the training starts.")
    epochs = report.epochs[: report.epoch_count]
    each = losses(report)
    sentences = [_averages(each, epochs), _peak(each)]
    if epochs and math.isfinite(epochs[-1].test_loss):
        best = max(epochs, key=lambda epoch: epoch.test_accuracy)
        sentences.append(
            _(
                "Test accuracy: {first} after epoch 1, {last} after epoch {epoch}, at best {best} after epoch {at}."
            ).format(
                first=percent(epochs[0].test_accuracy),
                last=percent(epochs[-1].test_accuracy),
                epoch=epochs[-1].epoch,
                best=percent(best.test_accuracy),
                at=best.epoch,
            )
        )
    if any(epoch.worst for epoch in epochs):
        sentences.append(_("Below, the test images with the highest loss; they change with the epoch."))
    return joined(sentences)


def _averages(losses: Sequence[float], epochs: Sequence[Epoch]) -> str:
    """Say how the loss went, by averages and not by single batches, which are noise."""
    if not math.isfinite(sum(losses)) or not all(math.isfinite(epoch.test_loss) for epoch in epochs):
        return _("Loss over the epochs.")  # where it ceased to be a number is said beside it
    if not epochs:
        count = min(len(losses), AVERAGED)
        return _("Loss of each batch over the epochs; the last {count} average {loss}.").format(
            count=count, loss=numeral(sum(losses[-count:]) / count, 3)
        )
    return _(
        "Loss over the epochs: the train loss averages {before} in epoch 1 and {after} in epoch {epoch}; the "
        "test loss is {low} and {high}."
    ).format(
        before=numeral(epochs[0].train_loss, 3),
        after=numeral(epochs[-1].train_loss, 3),
        epoch=epochs[-1].epoch,
        low=numeral(epochs[0].test_loss, 3),
        high=numeral(epochs[-1].test_loss, 3),
    )


def _peak(losses: Sequence[float]) -> str:
    """Name the batch that threw the run off, where one did."""
    for step, loss in enumerate(losses, start=1):
        if not math.isfinite(loss):
            return _("From step {step} on it is no finite number.").format(step=f"{step:,}")
    highest = max(losses)
    if highest <= JUMP:
        return ""
    return _("It jumps to {loss} in step {step}.").format(
        loss=numeral(highest, 3), step=f"{losses.index(highest) + 1:,}"
    )


def device(placement: Placement) -> str:
    """Name a device as people do."""
    return {"cpu": _("CPU"), "cuda": _("NVIDIA GPU"), "mps": _("Apple GPU")}.get(placement.device, placement.device)


def conditions(job: Job) -> str:
    """Say where and how the run was or is computed, and where it comes from."""
    placement = job.placement
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
    return joined([_whence(job), facts])


def _whence(job: Job) -> str:
    if job.origin == "shipped":
        return _("This run ships with the project: it was trained on another machine.")
    if job.origin == "imported":
        return _("This run was imported from a file.")
    if job.status == "done":
        return _("This run is kept; change a number, or the seed under More, to train another one.")
    return ""


def reasons(job: Job) -> str:
    """Say why it is computed so; unknown of what was trained elsewhere."""
    return joined([_(reason) for reason in job.placement.reasons.values()])


def cross_entropy() -> str:
    """Write the loss of the first image with its numbers, for the player to fill in at each epoch."""
    worst = "data('worst')[0]"
    there = f"{worst}.probability > 0"
    shown = f"format({worst}.probability, '.3~g')"  # its logarithm is taken as it stands there, as a calculator does
    loss = f"format(-log(toNumber({shown})), '.2f')"
    vanished = _(
        "This probability is below 10⁻⁴⁵, where the numbers of float32 end: it was kept as 0, and of the loss is known "
        "only that it is above 103."
    )
    minus_ln = "<mo form='prefix' lspace='0' rspace='0'>−</mo><mi>ln</mi>"
    text = _("The most wrong test image, the first of those shown, has the label {label}. Its loss is").format(
        label=f"{{{{{worst}.what}}}}"
    )
    return (
        f"<span>{text}</span> <span style='display:inline-block'>"  # two parts, below each other where it is narrow
        f"<math><mi class='q-loss'>ℓ</mi><mo>=</mo>{minus_ln}<mspace width='.17em'/>"
        f"<msub><mi class='q-prediction'>p</mi><mn>{{{{{worst}.what}}}}</mn></msub></math> "
        f"<math><mo form='infix' lspace='0'>=</mo>{minus_ln}"
        f"<mo>(</mo><mn class='q-prediction'>{{{{{there} ? {shown} : '≈ 0'}}}}</mn><mo>)</mo>"
        f"<mo>{{{{{there} ? '=' : '>'}}}}</mo><mn class='q-loss'>{{{{{there} ? {loss} : '103'}}}}</mn></math></span>"
        f"<span style='margin-inline-start:.6em'>{{{{{there} ? '' : '{vanished}'}}}}</span>"
    )
