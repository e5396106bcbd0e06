"""The exponentially weighted average that smooths a noisy curve, and what it remembers.

Course: "指数加权均值". Momentum and Adam keep the same average of gradients and of their squares.
"""

import math
from collections.abc import Iterable

import numpy as np

from core.errors import InputError
from core.losses import Array


def ema(values: Iterable[float], beta: float = 0.9, *, corrected: bool = True) -> list[float]:
    """Average each value with all before it; each counts `beta` times as much as the one after it.

    v_t = β·v_(t-1) + (1 - β)·x_t with v_0 = 0; corrected, v_t / (1 - β^t), so that the first values do not start
    near zero (Kingma & Ba 2015, section 3). `beta` from 0 up to but not including 1; about 1 / (1 - β) values count.
    Raises InputError for another beta.
    """
    _check(beta)
    average, weight = 0.0, 0.0  # weight is 1 - β^t
    averages = []
    for value in values:
        average = beta * average + (1 - beta) * value
        weight = beta * weight + (1 - beta)
        averages.append(average / weight if corrected else average)
    return averages


def weights(beta: float, count: int, *, corrected: bool = True) -> Array:
    """Return how much each of `count` values counts in the last average, the newest first: (1 - β)·βᵏ, (count,).

    Uncorrected they add up to 1 - β^count, the rest is the weight of v_0 = 0; corrected they are divided by that.
    """
    _check(beta)
    own: Array = (1 - beta) * beta ** np.arange(count, dtype=np.float64)
    return own / startup(beta, count) if corrected else own


def startup(beta: float, count: int) -> float:
    """Return 1 - β^count: the share of the true level that an uncorrected average shows after `count` values."""
    _check(beta)
    return -math.expm1(count * math.log(beta)) if beta > 0 else float(count > 0)


def half_life(beta: float) -> float:
    """Return after how many more values a value counts half as much: ln ½ / ln β; 0 for β = 0."""
    _check(beta)
    return math.log(0.5) / math.log(beta) if beta > 0 else 0.0


def lag(beta: float) -> float:
    """Return the mean age of what is averaged, β / (1 - β): on a steady slope the average is so many values late."""
    _check(beta)
    return beta / (1 - beta)


def _check(beta: float) -> None:
    if not 0 <= beta < 1:
        raise InputError("beta must be a number from 0 to below 1, not {value}.", value=beta)
