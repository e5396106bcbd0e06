"""The trained networks that can be asked about an image: those on screen, and the best of each other kind."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from functools import partial

from core.entries import RunSummary, best_epoch
from core.jobs import Job, Jobs
from core.options import Options
from core.predict import Net
from core.run import RunSpec
from core.shipped import shipped_runs

MOST = 8  # networks at once; so many are asked in some ten milliseconds


def trained_nets(jobs: Jobs, specs: Sequence[RunSpec]) -> tuple[Net, ...]:
    """Return the runs of these specs after their best epoch, then the best run of each network that is not there yet.

    Runs that were trained here, imported ones and shipped ones count alike; what has no finished epoch is left out.
    """
    nets = [net for spec in specs if (net := _net(jobs, jobs.get(spec)))]
    known = {_kind(net.spec) for net in nets}
    for run in _best_of_each(_kept(jobs)):
        if len(nets) >= MOST:
            break
        if run.spec and _kind(run.spec) not in known and (net := _net(jobs, jobs.get(run.key))):
            nets.append(net)
    return tuple(nets[:MOST])


def _net(jobs: Jobs, job: Job | None) -> Net | None:
    """Return a job's network after its best epoch, the weights of which are always kept."""
    epochs = list(job.epochs) if job else []
    if job is None or not epochs:
        return None
    epoch = best_epoch(epochs)
    return Net(
        key=job.key,
        epoch=epoch,
        spec=job.spec,
        accuracy=epochs[epoch - 1].test_accuracy,
        origin=job.origin,
        weights=partial(jobs.store.weights, job.key, epoch),
    )


def _kept(jobs: Jobs) -> Iterator[RunSummary]:
    yield from jobs.store.runs()
    yield from jobs.store.imported()
    yield from (run.summary for run in shipped_runs())


def _best_of_each(runs: Iterable[RunSummary]) -> list[RunSummary]:
    """Return the finished run with the highest accuracy for each network and its options."""
    best: dict[tuple[str, Options], RunSummary] = {}
    for run in runs:
        if run.spec is None or run.state != "done" or run.best_accuracy is None:
            continue
        there = best.get(_kind(run.spec))
        if there is None or (there.best_accuracy or 0) < run.best_accuracy:
            best[_kind(run.spec)] = run
    return list(best.values())


def _kind(spec: RunSpec) -> tuple[str, Options]:
    return spec.model, spec.options
