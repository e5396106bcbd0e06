"""The three parts against torch's random_split, and the leaks measured on them."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from core import splits
from core.datasets import diabetes
from core.errors import InputError
from core.splits import LEAKS, SEEDS, Split, leaked


@given(count=st.integers(1, 300), seed=st.integers(0, 2**32 - 1))
@settings(deadline=None)
def test_torch_draws_the_same_permutation(count, seed):
    theirs = torch.randperm(count, generator=torch.Generator().manual_seed(seed))
    assert splits.permutation(count, seed).tolist() == theirs.tolist()


@pytest.mark.parametrize("split", [Split(), Split(train=33, validation=33, seed=5), Split(train=90, validation=5)])
def test_torch_splits_alike(split):
    theirs = torch.utils.data.random_split(
        range(768), list(split.sizes(768).values()), generator=torch.Generator().manual_seed(split.seed)
    )
    assert [rows.tolist() for rows in split.parts(768).values()] == [part.indices for part in theirs]


def test_the_parts_share_no_row():
    rows = np.concatenate(list(Split().parts(768).values()))
    assert sorted(rows.tolist()) == list(range(768))


@pytest.mark.parametrize(
    "values",
    [
        {"train": 91},
        {"train": 4},
        {"train": 60, "validation": 36},
        {"train": float("nan")},
        {"validation": float("inf")},
        {"seed": -1},
        {"seed": 0.5},
        {"seed": float("nan")},
    ],
)
def test_a_bad_split_gets_one_sentence(values):
    with pytest.raises(InputError):
        Split(**values)


@pytest.mark.parametrize(
    ("values", "right"),
    [
        ((60, 50, 0), ["at most 95 % of the rows together, so that 5 % remain for the test: 60 % and 50 % are 110 %"]),
        ((99, 20, 0), ["each get 5 to 90 % of the rows, not 99 % and 20 %"]),
        ((60, 50, -1), ["110 %", "The seed must be a whole number from 0"]),
    ],
)
def test_the_sentence_says_what_would_be_right(values, right):
    found = [str(error) for error in splits.refusals(*values)]
    assert len(found) == len(right)
    assert all(part in sentence for part, sentence in zip(right, found, strict=True))


def test_standardised_training_rows_have_mean_0_and_deviation_1():
    x, train = diabetes().x, Split().parts(768)["train"]
    scaled = splits.standardised(x, train)[train]
    np.testing.assert_allclose(scaled.mean(axis=0), 0, atol=1e-12)
    np.testing.assert_allclose(scaled.std(axis=0), 1, rtol=1e-12)


def test_the_classifiers_are_those_of_torch():
    rng = np.random.default_rng(0)
    x, x_new = rng.standard_normal((60, 4)), rng.standard_normal((40, 4))
    y = (x[:, 0] + 0.3 * rng.standard_normal(60) > 0).astype(float)
    distances = torch.cdist(torch.tensor(x_new), torch.tensor(x))
    np.testing.assert_array_equal(splits.nearest_neighbour(x, y, x_new), y[distances.argmin(dim=1).numpy()])

    layer = torch.nn.Linear(4, 1, dtype=torch.float64)
    torch.nn.init.zeros_(layer.weight), torch.nn.init.zeros_(layer.bias)
    optimizer = torch.optim.SGD(layer.parameters(), lr=0.5)
    for _ in range(300):
        optimizer.zero_grad()
        torch.nn.BCELoss()(torch.sigmoid(layer(torch.tensor(x))[:, 0]), torch.tensor(y)).backward()
        optimizer.step()
    theirs = (layer(torch.tensor(x_new))[:, 0] > 0).numpy()
    np.testing.assert_array_equal(splits.logistic_regression(x, y, x_new), theirs)


def test_choosing_and_copying_leak_and_normalising_hardly_does():
    gains = {}
    for name in LEAKS:
        leaky, clean = leaked(name, Split())
        assert len(leaky) == len(clean) == SEEDS
        gains[name] = leaky.mean() - clean.mean()
    assert abs(gains["normalise"]) < 0.01
    assert gains["select"] > 0.08
    assert gains["copy"] > 0.05
    _leaky, clean = leaked("select", Split())
    assert clean.mean() < 1 - diabetes().y.mean()  # noise tells nothing: always guessing 0 is better


def test_copies_stay_on_one_side_when_the_split_comes_first():
    y = diabetes().y
    parts = Split().parts(len(y))
    train = splits.balanced(parts["train"], y, np.random.default_rng(0))
    assert not set(train) & set(parts["test"])
    assert y[train].mean() == 0.5
