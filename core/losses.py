"""Three ways to charge a residual r = prediction - y, and two ways to add the charges up.

The definitions are those of torch.nn.MSELoss, L1Loss and HuberLoss
(https://pytorch.org/docs/stable/nn.html#loss-functions); Huber's is from P. J. Huber, "Robust estimation of a
location parameter", 1964. The course uses MSELoss with both reductions (course: "线性模型", "MSE").
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from core.errors import InputError
from core.messages import N_

Array = NDArray[np.float64]
DELTA_RANGE = (0.01, 1e6)


@dataclass(frozen=True, kw_only=True)
class Loss:
    """One loss: what a residual costs and how fast that grows.

    Both functions work elementwise on residuals of any shape and take Huber's delta, which the others ignore.
    """

    title: str  # English, translated by the page
    torch_class: str  # name in torch.nn
    latex: str  # of one term, as a function of the residual r
    term: Callable[[Array, float], Array]  # cost of each residual, same shape
    slope: Callable[[Array, float], Array]  # its derivative by the residual, same shape; 0 at a kink


def _huber(residual: Array, delta: float) -> Array:
    size = np.abs(residual)
    return np.where(size < delta, 0.5 * residual * residual, delta * (size - 0.5 * delta))


LOSSES: dict[str, Loss] = {
    "mse": Loss(
        title=N_("squared error (MSE)"),
        torch_class="MSELoss",
        latex=r"r^2",
        term=lambda residual, _: residual * residual,
        slope=lambda residual, _: 2 * residual,
    ),
    "mae": Loss(
        title=N_("absolute error (MAE)"),
        torch_class="L1Loss",
        latex=r"|r|",
        term=lambda residual, _: np.abs(residual),
        slope=lambda residual, _: np.sign(residual),
    ),
    "huber": Loss(
        title=N_("Huber"),
        torch_class="HuberLoss",
        latex=r"\tfrac12 r^2 \text{ if } |r| < \delta, \text{ else } \delta\,(|r| - \tfrac12\delta)",
        term=_huber,
        slope=lambda residual, delta: np.clip(residual, -delta, delta),
    ),
}

REDUCTIONS = ("mean", "sum")  # as torch.nn names them


def check(loss: str, reduction: str, delta: float) -> None:
    """Refuse a loss, reduction or delta that does not exist."""
    if loss not in LOSSES:
        raise InputError("loss must be one of {names}, not {loss}.", names=", ".join(LOSSES), loss=loss)
    if reduction not in REDUCTIONS:
        raise InputError(
            "reduction must be one of {names}, not {reduction}.", names=", ".join(REDUCTIONS), reduction=reduction
        )
    low, high = DELTA_RANGE
    if not low <= delta <= high:  # also true of NaN
        raise InputError("delta must be from {low} to {high:,.0f}, not {delta}.", low=low, high=high, delta=delta)


def divisor(reduction: str, count: int) -> int:
    """Return what the sum over the samples is divided by."""
    return count if reduction == "mean" else 1
