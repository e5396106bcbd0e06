"""The exponentially weighted average that smooths a noisy curve."""

from collections.abc import Iterable

from core.errors import InputError


def ema(values: Iterable[float], beta: float = 0.9, *, corrected: bool = True) -> list[float]:
    """Average each value with all before it; each counts `beta` times as much as the one after it.

    v_t = β·v_(t-1) + (1 - β)·x_t with v_0 = 0; corrected, v_t / (1 - β^t), so that the first values do not start
    near zero (Kingma & Ba 2015, section 3). `beta` from 0 up to but not including 1; about 1 / (1 - β) values count.
    Raises InputError for another beta.
    """
    if not 0 <= beta < 1:
        raise InputError("beta must be a number from 0 to below 1, not {value}.", value=beta)
    average, weight = 0.0, 0.0  # weight is 1 - β^t
    averages = []
    for value in values:
        average = beta * average + (1 - beta) * value
        weight = beta * weight + (1 - beta)
        averages.append(average / weight if corrected else average)
    return averages
