"""How far our losses are from those of torch.nn, on the same points and values of w. Loads torch when asked."""

import numpy as np

from core import mse
from core.losses import LOSSES, REDUCTIONS
from core.mse import Sweep
from core.points import Points


def differences(points: Points, sweep: Sweep, *, delta: float = 1.0) -> dict[tuple[str, str], float]:
    """Return the largest relative difference over the sweep for each (class of torch.nn, reduction), all in float64."""
    import torch

    x, y = (torch.tensor(values, dtype=torch.float64) for values in (points.x, points.y))
    found = {}
    for name, loss in LOSSES.items():
        options = {"delta": delta} if name == "huber" else {}
        for reduction in REDUCTIONS:
            criterion = getattr(torch.nn, loss.torch_class)(reduction=reduction, **options)
            theirs = np.array([criterion(w * x, y).item() for w in sweep.values.tolist()])
            ours = mse.sweep(points, sweep.values, loss=name, reduction=reduction, delta=delta)
            found[loss.torch_class, reduction] = float(
                np.max(np.abs(ours - theirs) / np.maximum(np.abs(theirs), 1e-300))
            )
    return found
