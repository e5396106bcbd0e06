import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.ema import ema, half_life, lag, startup, weights
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


@given(losses, st.floats(0, 0.999), st.booleans())
def test_the_last_average_is_the_weighted_sum(values, beta, corrected):
    own = weights(beta, len(values), corrected=corrected)
    expected = float(np.dot(own, values[::-1]))
    assert ema(values, beta, corrected=corrected)[-1] == pytest.approx(expected, rel=1e-9, abs=1e-6)


@given(st.floats(0, 0.999), st.integers(1, 500))
def test_corrected_weights_add_up_to_one_and_the_others_to_the_startup_factor(beta, count):
    assert weights(beta, count).sum() == pytest.approx(1, rel=1e-9)
    assert weights(beta, count, corrected=False).sum() == pytest.approx(startup(beta, count), rel=1e-9)
    assert startup(beta, count) == pytest.approx(1 - beta**count, rel=1e-6, abs=1e-12)


@given(st.floats(0.01, 0.999), st.integers(1, 300))
def test_an_uncorrected_average_of_equal_values_shows_the_startup_factor(beta, count):
    assert ema([3.0] * count, beta, corrected=False)[-1] == pytest.approx(3 * startup(beta, count), rel=1e-9)


@given(st.floats(0.01, 0.999))
def test_after_the_half_life_a_value_counts_half(beta):
    assert beta ** half_life(beta) == pytest.approx(0.5, rel=1e-9)


@given(st.floats(0, 0.98))
def test_the_lag_is_the_mean_age_and_how_late_a_slope_is_followed(beta):
    own = weights(beta, 4000)
    assert float(np.dot(own, np.arange(4000))) == pytest.approx(lag(beta), rel=1e-6, abs=1e-9)
    assert 3999 - ema(range(4000), beta)[-1] == pytest.approx(lag(beta), rel=1e-6, abs=1e-6)


def test_without_memory_only_the_newest_value_counts():
    assert weights(0.0, 3).tolist() == [1.0, 0.0, 0.0]
    assert (half_life(0.0), lag(0.0), startup(0.0, 1)) == (0.0, 0.0, 1.0)


@pytest.mark.parametrize("function", [half_life, lag, lambda beta: weights(beta, 3), lambda beta: startup(beta, 3)])
def test_every_function_refuses_a_beta_outside_its_range(function):
    for beta in (-0.1, 1.0, float("nan")):
        with pytest.raises(InputError, match="beta must be"):
            function(beta)
