"""The orders of the rows against the real DataLoader."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.utils.data import DataLoader

from core.shuffle import orders

SEEDS = [0, 1, 42, 2**31, 2**32 - 1]


def loaded(count, epochs, seed, *, batch_size=7, drop_last=False):
    """Read a shuffled DataLoader to its end, epoch after epoch with one generator."""
    generator = torch.Generator().manual_seed(seed)
    loader = DataLoader(range(count), batch_size=batch_size, shuffle=True, drop_last=drop_last, generator=generator)
    return [[row for batch in loader for row in batch.tolist()] for _ in range(epochs)]


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("count", [1, 2, 3, 4, 5, 31, 32, 33, 100, 311, 312, 313, 624, 625, 999, 1000])
def test_orders_are_the_dataloader_s(count, seed):
    assert orders(count, 5, seed).tolist() == loaded(count, 5, seed)


@settings(deadline=None, max_examples=60)
@given(
    count=st.integers(1, 1000),
    epochs=st.integers(1, 4),
    seed=st.integers(0, 2**32 - 1),
    batch_size=st.integers(1, 1000),
)
def test_any_orders_are_the_dataloader_s_whatever_the_batch_size(count, epochs, seed, batch_size):
    assert orders(count, epochs, seed).tolist() == loaded(count, epochs, seed, batch_size=batch_size)


def test_dropping_the_short_batch_changes_no_order():
    ours = orders(10, 3, 5)[:, :8]
    assert ours.tolist() == loaded(10, 3, 5, batch_size=4, drop_last=True)


def test_more_epochs_begin_with_the_same_orders():
    np.testing.assert_array_equal(orders(50, 9, 3)[:4], orders(50, 4, 3))


def test_the_cached_orders_cannot_be_changed():
    found = orders(5, 2, 0)
    assert orders(5, 2, 0) is found
    with pytest.raises(ValueError, match="read-only"):
        found[0, 0] = 1
