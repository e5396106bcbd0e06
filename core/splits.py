"""Training, validation and test part of a data set, and what it costs to let the test part into the training.

Each leak is measured: the same model is trained and tested twice on the same rows, once with the mistake and once
without it, for several seeds. https://scikit-learn.org/stable/common_pitfalls.html describes the same mistakes.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from core.datasets import diabetes
from core.errors import InputError
from core.messages import N_

Rows = NDArray[np.int64]
Array = NDArray[np.float64]

LEAST = 5  # percent of the rows in each part
PARTS = {
    "train": (
        N_("Training"),
        N_("Gradients, and every number computed from data: mean, standard deviation, chosen columns."),
    ),
    "validation": (N_("Validation"), N_("Comparing: learning rate, epochs, model. Look as often as you like.")),
    "test": (N_("Test"), N_("Once, at the very end, to say how good the chosen model is.")),
}


@dataclass(frozen=True, kw_only=True)
class Split:
    """How many rows go where; what is left is the test part.

    Raises InputError where a part gets less than 5 % of the rows or the seed is none.
    """

    train: float = 60  # percent of the rows, 5 to 90
    validation: float = 20  # percent of the rows, 5 to 90
    seed: int = 0  # of the order that is cut, 0 to 2**32 - 1

    def __post_init__(self) -> None:
        for error in refusals(self.train, self.validation, self.seed):
            raise error

    def sizes(self, count: int) -> dict[str, int]:
        """Return the rows of each part; they add up to `count`."""
        train, validation = round(count * self.train / 100), round(count * self.validation / 100)
        return {"train": train, "validation": validation, "test": count - train - validation}

    def parts(self, count: int) -> dict[str, Rows]:
        """Cut one random order into the three parts, exactly as torch.utils.data.random_split does."""
        order = permutation(count, self.seed)
        sizes = self.sizes(count)
        ends = np.cumsum(list(sizes.values()))
        return dict(zip(sizes, np.split(order, ends[:-1]), strict=True))


def refusals(train: float, validation: float, seed: float) -> list[InputError]:
    """Return what is wrong with these numbers, a sentence for the parts and one for the seed."""
    found = []
    most, together = 100 - 2 * LEAST, train + validation
    if not (LEAST <= train <= most and LEAST <= validation <= most):
        found.append(
            InputError(
                "Training and validation each get {low} to {high} % of the rows, not {train:g} % and {validation:g} %.",
                low=LEAST,
                high=most,
                train=train,
                validation=validation,
            )
        )
    elif together > 100 - LEAST:
        found.append(
            InputError(
                "Training and validation get at most {high} % of the rows together, so that {low} % remain for the "
                "test: {train:g} % and {validation:g} % are {together:g} %.",
                high=100 - LEAST,
                low=LEAST,
                train=train,
                validation=validation,
                together=together,
            )
        )
    if not 0 <= seed <= 2**32 - 1 or seed != int(seed):
        found.append(
            InputError(
                "The seed must be a whole number from 0 to {high:,}, not {value}.",
                high=2**32 - 1,
                value=f"{seed:,.15g}",
            )
        )
    return found


def permutation(count: int, seed: int) -> Rows:
    """Return torch.randperm(count, generator=torch.Generator().manual_seed(seed)), (count,), without torch.

    Fisher and Yates's shuffle with the Mersenne Twister's numbers, of which `core.shuffle` says more.
    """
    numbers = np.random.RandomState(seed).randint(0, 2**32, size=max(0, count - 1), dtype=np.uint32)
    order = list(range(count))
    for place, number in enumerate(numbers.tolist()):
        partner = place + number % (count - place)
        order[place], order[partner] = order[partner], order[place]
    return np.array(order, dtype=np.int64)


def standardised(x: Array, by: Rows) -> Array:
    """Subtract the mean and divide by the standard deviation of the rows `by`; (n, k) -> (n, k)."""
    mean, deviation = x[by].mean(axis=0), x[by].std(axis=0)
    scaled: Array = (x - mean) / np.where(deviation > 0, deviation, 1.0)
    return scaled


def logistic_regression(x: Array, y: Array, x_new: Array, *, steps: int = 300, lr: float = 0.5) -> Array:
    """Train by gradient descent from zero on (n, k), and return the predicted labels of (m, k). Course: "逻辑回归"."""
    x, x_new = (np.column_stack([values, np.ones(len(values))]) for values in (x, x_new))
    w = np.zeros(x.shape[1])
    for _step in range(steps):
        predicted = 1 / (1 + np.exp(-np.clip(x @ w, -500, 500)))
        w -= lr * x.T @ (predicted - y) / len(y)
    labels: Array = (x_new @ w > 0).astype(np.float64)
    return labels


def nearest_neighbour(x: Array, y: Array, x_new: Array) -> Array:
    """Give each new row the label of the nearest training row."""
    squares = (x_new**2).sum(axis=1)[:, None] - 2 * x_new @ x.T + (x**2).sum(axis=1)
    labels: Array = y[squares.argmin(axis=1)]
    return labels


# --- Three mistakes, each with a way to do without it


@dataclass(frozen=True, kw_only=True)
class Leak:
    """A way in which the test part gets into the training."""

    title: str  # what is done
    right: str  # what should be done instead
    test: Callable[[Split, bool], float]  # the accuracy on the test part, 0 to 1, with and without the mistake


def normalise(split: Split, leaky: bool) -> float:
    """Standardise by the mean and deviation of all rows, or of the training rows only."""
    x, y = diabetes().x, diabetes().y
    parts = split.parts(len(y))
    x = standardised(x, np.arange(len(y)) if leaky else parts["train"])
    return _accuracy(logistic_regression, x, y, parts["train"], parts["test"])


NOISE, CHOSEN = 1_000, 50  # columns of random numbers, and how many of them are kept


def select(split: Split, leaky: bool) -> float:
    """Keep the columns that go best with the label, on all rows or on the training rows; all columns are noise."""
    y = diabetes().y
    parts = split.parts(len(y))
    x = np.random.default_rng(split.seed).standard_normal((len(y), NOISE))
    by = np.arange(len(y)) if leaky else parts["train"]
    together = np.abs((x[by] - x[by].mean(axis=0)).T @ (y[by] - y[by].mean()))
    return _accuracy(logistic_regression, x[:, np.argsort(together)[-CHOSEN:]], y, parts["train"], parts["test"])


def copy(split: Split, leaky: bool) -> float:
    """Copy rows with label 1 until both labels are equally frequent, before the split or in the training part only."""
    x, y = diabetes().x, diabetes().y
    rng = np.random.default_rng(split.seed)
    if leaky:
        rows = balanced(np.arange(len(y)), y, rng)
        train, test = (rows[part] for name, part in split.parts(len(rows)).items() if name != "validation")
    else:
        parts = split.parts(len(y))
        train, test = balanced(parts["train"], y, rng), parts["test"]
    return _accuracy(nearest_neighbour, standardised(x, train), y, train, test)


def balanced(rows: Rows, y: Array, rng: np.random.Generator) -> Rows:
    """Add copies of rows of the rarer label until both are equally frequent."""
    ones, zeros = rows[y[rows] == 1], rows[y[rows] == 0]
    rare, common = sorted((ones, zeros), key=len)
    return np.concatenate([rows, rng.choice(rare, len(common) - len(rare))]) if len(rare) else rows


def _accuracy(model: Callable[[Array, Array, Array], Array], x: Array, y: Array, train: Rows, test: Rows) -> float:
    return float((model(x[train], y[train], x[test]) == y[test]).mean())


LEAKS = {
    "normalise": Leak(
        title=N_("Mean and standard deviation of all rows"),
        right=N_("right: of the training rows"),
        test=normalise,
    ),
    "select": Leak(
        title=N_("Of 1,000 columns of noise, keep the 50 that go best with the label in all rows"),
        right=N_("right: in the training rows"),
        test=select,
    ),
    "copy": Leak(
        title=N_("Copy rows with label 1 to balance the labels, then split"),
        right=N_("right: split first, then copy in the training part"),
        test=copy,
    ),
}
SEEDS = 20  # splits that each leak is measured on


@lru_cache(maxsize=64)
def leaked(name: str, split: Split) -> tuple[Array, Array]:
    """Measure a leak on `SEEDS` splits from the seed on: accuracies on the test part with and without it, (SEEDS,)."""
    splits = [
        Split(train=split.train, validation=split.validation, seed=(split.seed + i) % 2**32) for i in range(SEEDS)
    ]
    found = np.array([[LEAKS[name].test(one, leaky) for one in splits] for leaky in (True, False)])
    return found[0], found[1]


def shift(split: Split) -> tuple[float, int]:
    """Return by how much the wrong statistics move a standardised test value at most, and in which column."""
    x = diabetes().x
    parts = split.parts(len(x))
    test = parts["test"]
    moved = np.abs(standardised(x, np.arange(len(x)))[test] - standardised(x, parts["train"])[test])
    return float(moved.max()), int(moved.max(axis=0).argmax())
