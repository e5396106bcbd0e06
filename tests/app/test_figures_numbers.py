"""How numbers are written."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.figures.mse_words import number
from app.figures.numbers import numeral, tidy
from tests.app.numerals import plain


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0, "0"), (0.026, "0.026"), (7.0e-11, "7·10⁻¹¹"), (68.5, "68"), (1e-3, "0.001"), (2.1e5, "2.1·10⁵"),
        (123.0, "120"), (-1e-5, "−10⁻⁵"), (99_999.0, "10⁵"), (0.0001, "0.0001"), (float("nan"), "nan"),
    ],
)  # fmt: skip
def test_a_small_number_is_written_with_its_power_of_ten(value, text):
    assert numeral(value, 2) == text


@given(value=st.floats(-1e300, 1e300), digits=st.integers(1, 5))
def test_a_written_number_is_the_number(value, digits):
    text = numeral(value, digits)
    assert plain(text) == pytest.approx(value, rel=10 ** (1 - digits) / 2 + 1e-9)
    assert "e" not in text


def test_all_numbers_of_a_text_are_tidied():
    assert tidy("(-1e-05, 2.5e+08) over 3e1x") == "(−10⁻⁵, 2.5·10⁸) over 3e1x"


def test_the_sentences_of_the_small_experiments_write_powers_too():
    assert number(1.9532e-4) == "0.0001953"
    assert number(1.9532e-5) == "1.953·10⁻⁵"
    assert number(1e-16) == "0"
