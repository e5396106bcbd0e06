"""What a schedule makes of the learning rate, in its own numbers: how it begins, where it is highest, how it ends."""

from functools import lru_cache

from app.figures.numbers import numeral
from app.i18n import _
from core.optimizers import find_schedule
from core.torch_thread import in_torch_thread

STEPS = 1_000  # of the run that is looked at; a schedule has the same shape for every number of them


@lru_cache(maxsize=64)
def rates(schedule: str, lr: float) -> tuple[float, ...]:
    """Return the learning rate of each of STEPS steps, as torch's own class of the schedule sets it."""
    entry = find_schedule(schedule)
    if not entry.class_name:
        return (lr,) * STEPS
    return in_torch_thread(lambda: _rates(entry.class_name, entry.arguments(lr, STEPS), lr))


def _rates(class_name: str, arguments: dict[str, object], lr: float) -> tuple[float, ...]:
    import torch
    from torch.optim import lr_scheduler

    optimizer = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=lr)
    changing = getattr(lr_scheduler, class_name)(optimizer, **arguments)
    found = []
    for step in range(STEPS):
        if step:
            optimizer.step()
            changing.step()
        found.append(float(optimizer.param_groups[0]["lr"]))
    return tuple(found)


def in_numbers(schedule: str, lr: float) -> str:
    """Say where the learning rate begins, where it is highest and where it ends; nothing of one that stays."""
    found = rates(schedule, lr)
    first, highest, last = found[0], max(found), found[-1]
    if first == highest == last:
        return ""
    if highest == first:
        return _("Here: {first} at first, {last} at the end.").format(first=numeral(first, 2), last=numeral(last, 2))
    return _("Here: {first} at first, {highest} after {share} of the steps, {last} at the end.").format(
        first=numeral(first, 2),
        highest=numeral(highest, 2),
        share=f"{100 * found.index(highest) / STEPS:.0f} %",
        last=numeral(last, 2),
    )
