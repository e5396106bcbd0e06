"""The trained networks that can be asked about an image: those on screen, and the best of the course's other kinds."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from functools import partial

from core.entries import RunSummary
from core.job import Job
from core.jobs import Jobs
from core.predict import Net
from core.run import RunSpec
from core.shipped import shipped_runs

MOST = 5  # networks at once: what a reader can take in, and what answers within a frame or two
ENOUGH = 3  # with so many on screen nothing is added to them
DRAWN = "mnist"  # the set of images that a drawing is made like; other networks know no digits
COURSE = ("mlp", "cnn", "inception", "resnet")  # the course's kinds of networks


def trained_nets(jobs: Jobs, specs: Sequence[RunSpec]) -> tuple[Net, ...]:
    """Return the runs of these specs, then the best run of each kind of the course's that is not there yet.

    Each is the network after its best epoch of which weights are kept; a run without any is left out. Runs that were
    trained here, imported ones and shipped ones count alike.
    """
    nets: list[Net] = []
    for spec in specs:
        if len(nets) < MOST and spec.data == DRAWN and (net := _net(jobs, jobs.get(spec))):
            nets.append(net)
    known = {net.spec.model for net in nets}
    for run in _best_of_each(_kept(jobs)) if len(nets) < ENOUGH else ():
        if len(nets) >= len(COURSE):
            break
        if run.spec and run.spec.model not in known and (net := _net(jobs, jobs.get(run.key))):
            nets.append(net)
    return tuple(nets)


def _net(jobs: Jobs, job: Job | None) -> Net | None:
    """Return a job's network after the best of the epochs whose weights are kept; None where none are."""
    summary = jobs.store.summary(job.key) if job else None
    if job is None or summary is None:
        return None
    kept = [epoch for epoch in list(job.epochs) if epoch.epoch in summary.weight_epochs]
    if not kept:
        return None
    best = max(kept, key=lambda epoch: epoch.test_accuracy)
    return Net(
        key=job.key,
        epoch=best.epoch,
        spec=job.spec,
        accuracy=best.test_accuracy,
        origin=job.origin,
        weights=partial(jobs.store.weights, job.key, best.epoch),
    )


def _kept(jobs: Jobs) -> Iterator[RunSummary]:
    yield from jobs.store.runs()
    yield from jobs.store.imported()
    yield from (run.summary for run in shipped_runs())


def _best_of_each(runs: Iterable[RunSummary]) -> list[RunSummary]:
    """Return the finished run with the highest accuracy and with weights for each of the course's kinds, in order."""
    best: dict[str, RunSummary] = {}
    for run in runs:
        if run.spec is None or run.state != "done" or run.best_accuracy is None or not run.weight_epochs:
            continue
        if run.spec.data != DRAWN:
            continue
        there = best.get(run.spec.model)
        if there is None or (there.best_accuracy or 0) < run.best_accuracy:
            best[run.spec.model] = run
    return [best[model] for model in COURSE if model in best]
