"""The first-layer kernels of a network that was trained here: what a convolution looks like once it has learned."""

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np

from core.matrices import Matrix
from core.store import DamagedEntryError, Store

LAYER = "conv1.weight"  # of core.networks.CNN, (10, 1, 5, 5)


@dataclass(frozen=True, kw_only=True)
class TrainedKernels:
    """The kernels of one kept run."""

    key: str  # of the run
    epochs: int  # that it was trained for
    accuracy: float  # best on the test set, 0 to 1
    kernels: tuple[Matrix, ...]  # one per output channel, each (5, 5)


def trained_kernels(store: Store) -> TrainedKernels | None:
    """Return the kernels of the best finished run of the course's CNN, or None where none is kept.

    Reads safetensors with NumPy, so that torch is not loaded.
    """
    finished = [run for run in store.runs() if run.spec and run.spec.model == "cnn" and run.state == "done"]
    for run in sorted(finished, key=lambda run: run.best_accuracy or 0.0, reverse=True):
        stamp = store.stamp(run.key)
        if stamp and (kernels := _read(store.root, run.key, stamp)):
            return TrainedKernels(key=run.key, epochs=run.epochs, accuracy=run.best_accuracy or 0.0, kernels=kernels)
    return None


@lru_cache(maxsize=8)
def _read(root: Path, key: str, _stamp: tuple[int, int]) -> tuple[Matrix, ...]:
    """Read the kernels of an entry once for each state of it; none where it is damaged."""
    from safetensors.numpy import load

    try:
        entry = Store(root).load(key)
    except DamagedEntryError:
        return ()
    if entry is None or entry.checkpoint is None:
        return ()
    weights = load(entry.checkpoint.weights).get(LAYER)
    if weights is None:
        return ()
    rounded = np.round(weights[:, 0].astype(np.float64), 4)
    return tuple(Matrix(rows=tuple(map(tuple, kernel.tolist()))) for kernel in rounded)
