"""How a training run looks in a terminal: a bar that moves, a line for each epoch."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable
from contextlib import nullcontext
from typing import TYPE_CHECKING

from core.kept import Event, Notice, Opened
from core.records import Batch, Epoch
from core.run import RunSpec

if TYPE_CHECKING:
    from rich.progress import Progress


def watch(
    spec: RunSpec, events: Iterable[Event], on_epoch: Callable[[Epoch], None], *, bar: bool
) -> tuple[list[Epoch], bool]:
    """Follow a run to its end, calling `on_epoch` once for each epoch, kept or new.

    Returns the epochs and whether all of them were kept already. Notices go to stderr, the bar to stdout.
    """
    epochs: list[Epoch] = []
    cached = False
    with _progress() if bar else nullcontext() as progress:
        task = progress.add_task(spec.model, total=spec.epochs * spec.steps_per_epoch) if progress else None
        for event in events:
            new: list[Epoch] = []
            match event:
                case Opened():
                    new, cached = list(event.epochs[len(epochs) :]), event.done
                case Epoch():
                    new = [event]
                case Notice():
                    print(event.error, file=sys.stderr)
                case Batch():
                    if progress and task is not None:
                        progress.update(task, completed=event.step)
            for epoch in new:
                epochs.append(epoch)
                on_epoch(epoch)
    return epochs, cached


def _progress() -> Progress:
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TextColumn("steps"))
    return Progress(*columns, TimeRemainingColumn(), transient=True, disable=not sys.stdout.isatty())
