import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from core.caching import cached

MANY = 8


def test_what_many_ask_for_at_once_is_computed_once():
    calls, together = [], threading.Barrier(MANY)
    computing = threading.Event()

    @cached(maxsize=2)
    def square(number):
        calls.append(number)
        computing.wait(0.2)  # nobody sets it: the others arrive meanwhile
        return number * number

    def ask(_):
        together.wait(5)
        return square(3)

    with ThreadPoolExecutor(MANY) as pool:
        assert list(pool.map(ask, range(MANY))) == [9] * MANY
    assert calls == [3]


def test_only_the_last_ones_are_kept():
    calls = []
    square = cached(maxsize=1)(lambda number: calls.append(number) or number * number)
    assert [square(2), square(2), square(3), square(2)] == [4, 4, 9, 4]
    assert calls == [2, 3, 2]


def test_an_error_is_not_kept():
    answers = iter([ValueError("not yet"), None])

    @cached(maxsize=1)
    def once_wrong():
        if error := next(answers):
            raise error
        return "right"

    with pytest.raises(ValueError, match="not yet"):
        once_wrong()
    assert once_wrong() == "right"
