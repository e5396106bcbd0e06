"""torch.optim's optimizers and the schedules of their learning rate, by name.

Only names and titles live here, so that listing them does not load torch.
"""

from __future__ import annotations

from dataclasses import dataclass

from core.errors import InputError
from core.messages import N_


@dataclass(frozen=True, kw_only=True)
class Optimizer:
    """One class of torch.optim."""

    title: str  # as a page shows it
    class_name: str  # in torch.optim
    uses: tuple[str, ...] = ("weight_decay",)  # fields of a run besides the learning rate that it takes
    lr: float  # a learning rate that suits it, to begin with


OPTIMIZERS: dict[str, Optimizer] = {
    "sgd": Optimizer(title="SGD", class_name="SGD", uses=("momentum", "nesterov", "weight_decay"), lr=0.01),
    "adam": Optimizer(title="Adam", class_name="Adam", lr=0.001),
    "adamw": Optimizer(title="AdamW", class_name="AdamW", lr=0.001),
    "rmsprop": Optimizer(title="RMSprop", class_name="RMSprop", uses=("momentum", "weight_decay"), lr=0.001),
    "adagrad": Optimizer(title="Adagrad", class_name="Adagrad", lr=0.01),
}


@dataclass(frozen=True, kw_only=True)
class Schedule:
    """How the learning rate changes from step to step of a run."""

    title: str  # as a page shows it
    about: str  # one sentence


SCHEDULES: dict[str, Schedule] = {
    "constant": Schedule(title=N_("constant"), about=N_("The learning rate stays as it is.")),
    "step": Schedule(
        title=N_("steps"),
        about=N_("A tenth of the learning rate after half of the run, and again after three quarters."),
    ),
    "exponential": Schedule(
        title=N_("exponential"),
        about=N_("The learning rate shrinks by the same factor in each step, to a hundredth at the end."),
    ),
    "cosine": Schedule(title=N_("cosine"), about=N_("The learning rate follows half a cosine from its value to zero.")),
    "onecycle": Schedule(
        title=N_("one cycle"),
        about=N_("The learning rate climbs from a small value to its own, then falls to almost zero."),
    ),
}


def find_optimizer(name: str) -> Optimizer:
    """Return the optimizer of that name; raises InputError that lists the known ones."""
    if name not in OPTIMIZERS:
        raise InputError(
            "The optimizer must be one of {known}, not {name}.", known=", ".join(OPTIMIZERS), name=str(name)[:40]
        )
    return OPTIMIZERS[name]


def find_schedule(name: str) -> Schedule:
    """Return the schedule of that name; raises InputError that lists the known ones."""
    if name not in SCHEDULES:
        raise InputError(
            "The schedule must be one of {known}, not {name}.", known=", ".join(SCHEDULES), name=str(name)[:40]
        )
    return SCHEDULES[name]
