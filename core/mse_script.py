"""The complete PyTorch script of what "The MSE landscape" shows: the code panel's source, for any points and sweep."""

from core.mse import Sweep
from core.points import Points

_SCRIPT = '''\
"""The exhaustive search over w for y = w·x, and the minimum of y = w·x + b. Needs PyTorch only."""

import torch

x = torch.tensor({x}, dtype=torch.float64)
y = torch.tensor({y}, dtype=torch.float64)
criterion = torch.nn.MSELoss(reduction="{reduction}")

# Try each w from {start} to {stop} in steps of {step}, as the course's listing does.
for i in range({count}):
    w = {start} + i * {step}
    loss = criterion(w * x, y)
    print(f"w={{w:.6g}} loss={{loss.item():.12g}}")


def written(value):
    return f"{{round(value, 12) + 0.0:.12g}}"  # what is left of rounding is 0


# The minimum in closed form (least squares), without and with a bias.
w_best = torch.linalg.lstsq(x[:, None], y[:, None]).solution.item()
print(f"minimum w={{written(w_best)}} loss={{written(criterion(w_best * x, y).item())}}")
columns = torch.stack([x, torch.ones_like(x)], dim=1)
w_best, b_best = torch.linalg.lstsq(columns, y[:, None], driver="gelsd").solution[:, 0].tolist()
loss = criterion(w_best * x + b_best, y).item()
print(f"minimum w={{written(w_best)}} b={{written(b_best)}} loss={{written(loss)}}")

# The curvature: its largest value sets the largest learning rate at which gradient descent still shrinks the loss.
place = torch.zeros(2, dtype=torch.float64)
hessian = torch.autograd.functional.hessian(lambda p: criterion(p[0] * x + p[1], y), place)
print(f"curvature w={{hessian[0, 0].item():.12g}} wb={{torch.linalg.eigvalsh(hessian)[-1].item():.12g}}")
'''


def script(points: Points, sweep: Sweep, *, reduction: str = "mean") -> str:
    """Write the script; it prints a line for each w, the two minima and the two largest curvatures."""
    return _SCRIPT.format(
        x=list(points.x),
        y=list(points.y),
        reduction=reduction,
        start=float(sweep.start),
        stop=float(sweep.stop),
        step=float(sweep.step),
        count=len(sweep.values),
    )
