"""Optimizers and schedules as torch makes them from the registries, and what they remember from step to step."""

import math
from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor, nn
from torch.optim import Optimizer, lr_scheduler

from core.optimizers import find_optimizer, find_schedule
from core.run import RunSpec


class Optimizing:
    """The optimizer of a run and the schedule of its learning rate, if it has one."""

    def __init__(self, spec: RunSpec, network: nn.Module) -> None:
        """Begin as `spec` says, over all parameters of the network."""
        entry = find_optimizer(spec.optimizer)
        arguments = entry.arguments(spec)
        self.network = network
        fused = {"fused": True} if is_fused(spec.optimizer, next(network.parameters()).device, **arguments) else {}
        self.optimizer: Optimizer = getattr(torch.optim, entry.class_name)(
            network.parameters(), lr=spec.lr, **arguments, **fused
        )
        self.schedule = _schedule(spec, self.optimizer)

    def step(self) -> None:
        """Update the weights by their gradients, then set the learning rate of the next step."""
        self.optimizer.step()
        if self.schedule:
            self.schedule.step()

    def state(self) -> dict[str, Tensor]:
        """Return what is remembered, such as ``conv1.weight.exp_avg``, with the learning rate as ``lr``."""
        state = {
            f"{name}.{part}": value
            for name, parameter in self.network.named_parameters()
            for part, value in self.optimizer.state[parameter].items()
            if value is not None
        }
        return state | {"lr": torch.tensor(self.optimizer.param_groups[0]["lr"], dtype=torch.float64)}

    def restore(self, state: Mapping[str, Tensor], steps: int) -> None:
        """Go on as after `steps` steps, from what `state` returned then."""
        for name, parameter in self.network.named_parameters():
            for key in (key for key in state if key.rpartition(".")[0] == name):
                value = state[key]
                if value.shape == parameter.shape:  # in the parameter's own layout; a count of steps stays on the CPU
                    value = torch.empty_like(parameter, requires_grad=False).copy_(value)
                self.optimizer.state[parameter][key.rpartition(".")[2]] = value
        lr = state["lr"].item()
        self.optimizer.param_groups[0]["lr"] = lr
        if self.schedule:
            self.schedule.load_state_dict({"last_epoch": steps, "_step_count": steps + 1, "_last_lr": [lr]})


def is_fused(optimizer: str, device: torch.device, momentum: float = 0, **_others: Any) -> bool:  # noqa: ANN401 - the optimizer's
    """Say whether the weights are updated in one pass over them: with SGD on a CPU, where the numbers stay the same.

    The fused update rounds momentum·v + gradient once, torch's usual one the product and then the sum. With a momentum
    of 0 or of a power of two, such as the course's 0.5, the product needs no rounding.
    """
    return optimizer == "sgd" and device.type == "cpu" and math.frexp(momentum)[0] in (0, 0.5)


def _schedule(spec: RunSpec, optimizer: Optimizer) -> lr_scheduler.LRScheduler | None:
    """Return the schedule over all steps of the run; torch calls each of them an epoch."""
    entry = find_schedule(spec.schedule)
    if not entry.class_name:
        return None
    arguments = entry.arguments(spec.lr, spec.epochs * spec.steps_per_epoch)
    schedule: lr_scheduler.LRScheduler = getattr(lr_scheduler, entry.class_name)(optimizer, **arguments)
    return schedule
