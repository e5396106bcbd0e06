"""How far our gradient descent is from torch.optim.SGD on the same data. Loads torch when asked."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice

import numpy as np

from core.descent import Descent, Trajectory
from core.points import Points

MAX_UPDATES = 2_000  # compared at most, about 0.1 s
MAX_SAMPLES = 20_000  # seen at most; collating them takes the DataLoader longer than the updates


@dataclass(frozen=True, kw_only=True)
class Comparison:
    """The largest difference in w or b, and how many updates were compared."""

    difference: float  # |ours - theirs|, divided by |theirs| where that is above 1
    updates: int  # the first so many of the run, at least 1


def compare(run: Trajectory) -> Comparison:
    """Train torch.nn.Linear with DataLoader, MSELoss and torch.optim.SGD beside our run, update by update."""
    updates = max(1, min(MAX_UPDATES, int(np.searchsorted(run.samples_seen, MAX_SAMPLES, side="right"))))
    theirs = np.array(list(islice(torch_path(run.points, run.spec), min(updates, len(run)))))  # (k, 2)
    ours = np.column_stack([run.w, run.b])[: len(theirs)]
    apart = np.abs(ours - theirs) / np.maximum(np.abs(theirs), 1.0)
    return Comparison(difference=float(np.max(apart)), updates=len(theirs))


def torch_path(points: Points, spec: Descent) -> Iterator[tuple[float, float]]:
    """Yield (w, b) after each update of PyTorch's own classes, in float64; b is 0 without a bias."""
    import torch
    from torch.utils.data import DataLoader, TensorDataset

    x, y = (torch.tensor(values, dtype=torch.float64)[:, None] for values in (points.x, points.y))  # (n, 1)
    model = torch.nn.Linear(1, 1, bias=spec.with_bias, dtype=torch.float64)
    for parameter, start in zip(model.parameters(), (spec.w, spec.b or 0.0), strict=False):
        torch.nn.init.constant_(parameter, start)
    criterion = torch.nn.MSELoss()
    optimizer = torch.optim.SGD(model.parameters(), lr=spec.lr)
    generator = torch.Generator().manual_seed(spec.seed)
    size = spec.size(len(points))
    loader = DataLoader(TensorDataset(x, y), batch_size=size, shuffle=spec.shuffles, generator=generator)
    for epoch in range(spec.epochs):
        optimizer.param_groups[0]["lr"] = spec.lr_in(epoch)
        for inputs, targets in loader:
            optimizer.zero_grad()
            criterion(model(inputs), targets).backward()
            optimizer.step()
            yield model.weight.item(), model.bias.item() if spec.with_bias else 0.0
