import doctest

import pytest

from core import __main__ as terminal
from core.checks import check_whole
from core.errors import InputError


def test_examples():
    assert doctest.testmod(terminal).failed == 0


@pytest.mark.parametrize("number", ["-2", "-.5", "-1e-3", "-1E+2"])
def test_a_negative_number_is_a_value(number):
    words = ["descend", "--method", "gd", "--epochs", "1", "--lr", "0.1", "--w", number]
    assert terminal.parser().parse_args(terminal.with_negatives(words)).w == float(number)


@pytest.mark.parametrize("value", [0, 4, 1.0, True, "2", float("nan"), None])
def test_what_is_no_whole_number_in_the_range_is_refused(value):
    check_whole("epochs", 3, 1, 3)
    with pytest.raises(InputError, match="epochs must be a whole number from 1 to 3"):
        check_whole("epochs", value, 1, 3)
