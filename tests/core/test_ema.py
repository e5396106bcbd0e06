import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.ema import ema
from core.errors import InputError

losses = st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=200)


@given(losses, st.floats(0, 0.999))
def test_corrected_average_is_that_of_pandas(values, beta):
    assert np.allclose(
        ema(values, beta), pd.Series(values).ewm(alpha=1 - beta, adjust=True).mean(), rtol=1e-9, atol=1e-6
    )


@given(losses, st.floats(0, 0.999))
def test_plain_average_is_that_of_pandas_started_at_zero(values, beta):
    reference = pd.Series([0.0, *values]).ewm(alpha=1 - beta, adjust=False).mean()[1:]
    assert np.allclose(ema(values, beta, corrected=False), reference, rtol=1e-9, atol=1e-6)


def test_no_values_give_no_averages():
    assert ema([]) == []


@pytest.mark.parametrize("beta", [-0.1, 1, 1.5, float("nan")])
def test_beta_outside_its_range_is_refused(beta):
    with pytest.raises(InputError, match="beta must be"):
        ema([1.0], beta)
