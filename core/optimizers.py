"""torch.optim's optimizers and the schedules of their learning rate, by name.

Only names and titles live here, so that listing them does not load torch.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from core.errors import InputError, Names
from core.messages import N_

Number = bool | float


@dataclass(frozen=True, kw_only=True)
class Optimizer:
    """One class of torch.optim."""

    title: str  # as a page shows it
    class_name: str  # in torch.optim
    uses: Mapping[str, Number]  # fields of a run that it takes besides the learning rate, and what torch puts for them
    lr: float  # a learning rate that suits it, to begin with

    def arguments(self, spec: Any) -> dict[str, Number]:  # noqa: ANN401 - whatever has the fields: a run, a page's spec
        """Return the arguments besides the learning rate in which `spec` differs from what torch puts."""
        given = {name: getattr(spec, name) for name in self.uses}
        return {name: value for name, value in given.items() if value != self.uses[name]}


OPTIMIZERS: dict[str, Optimizer] = {
    "sgd": Optimizer(
        title="SGD", class_name="SGD", uses={"momentum": 0.0, "nesterov": False, "weight_decay": 0.0}, lr=0.01
    ),
    "adam": Optimizer(title="Adam", class_name="Adam", uses={"weight_decay": 0.0}, lr=0.001),
    "adamw": Optimizer(title="AdamW", class_name="AdamW", uses={"weight_decay": 0.01}, lr=0.001),
    "rmsprop": Optimizer(title="RMSprop", class_name="RMSprop", uses={"momentum": 0.0, "weight_decay": 0.0}, lr=0.001),
    "adagrad": Optimizer(title="Adagrad", class_name="Adagrad", uses={"weight_decay": 0.0}, lr=0.01),
}


@dataclass(frozen=True, kw_only=True)
class Schedule:
    """How the learning rate changes from step to step of a run."""

    title: str  # as a page shows it
    about: str  # one sentence
    class_name: str = ""  # in torch.optim.lr_scheduler; none where the learning rate stays as it is
    # Of the class, from the learning rate and the steps of the whole run.
    arguments: Callable[[float, int], dict[str, Any]] = lambda _lr, _steps: {}


SCHEDULES: dict[str, Schedule] = {
    "constant": Schedule(title=N_("constant"), about=N_("The learning rate stays as it is.")),
    "step": Schedule(
        title=N_("steps"),
        about=N_("A tenth of the learning rate after half of the run, and again after three quarters."),
        class_name="MultiStepLR",
        arguments=lambda _lr, steps: {"milestones": [steps // 2, steps * 3 // 4], "gamma": 0.1},
    ),
    "exponential": Schedule(
        title=N_("exponential"),
        about=N_("The learning rate shrinks by the same factor in each step, to a hundredth at the end."),
        class_name="ExponentialLR",
        arguments=lambda _lr, steps: {"gamma": 0.01 ** (1 / steps)},
    ),
    "cosine": Schedule(
        title=N_("cosine"),
        about=N_("The learning rate follows half a cosine from its value to zero."),
        class_name="CosineAnnealingLR",
        arguments=lambda _lr, steps: {"T_max": steps},
    ),
    "onecycle": Schedule(
        title=N_("one cycle"),
        about=N_(
            "The learning rate climbs from a small value to its own, then falls to almost zero: the long steps in "
            "between let few epochs suffice ([Smith and Topin 2017](https://arxiv.org/abs/1708.07120))."
        ),
        class_name="OneCycleLR",
        arguments=lambda lr, steps: {"max_lr": lr, "total_steps": steps, "cycle_momentum": False},
    ),
}


def find_optimizer(name: str) -> Optimizer:
    """Return the optimizer of that name; raises InputError that lists the known ones."""
    if name not in OPTIMIZERS:
        raise InputError(
            "The optimizer must be one of {known}, not {name}.", known=Names(OPTIMIZERS), name=str(name)[:40]
        )
    return OPTIMIZERS[name]


def find_schedule(name: str) -> Schedule:
    """Return the schedule of that name; raises InputError that lists the known ones."""
    if name not in SCHEDULES:
        raise InputError(
            "The schedule must be one of {known}, not {name}.", known=Names(SCHEDULES), name=str(name)[:40]
        )
    return SCHEDULES[name]
