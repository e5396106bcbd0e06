from hypothesis import given
from hypothesis import strategies as st

from core.naming import differences
from core.run import RunSpec
from tests.core.test_run_text import specs


def test_only_what_differs_is_named():
    assert differences([RunSpec(lr=0.1), RunSpec(lr=0.2)]) == [(("lr", 0.1),), (("lr", 0.2),)]
    assert differences([RunSpec(epochs=3, model="mlp"), RunSpec(epochs=3)]) == [
        (("model", "mlp"),),
        (("model", "cnn"),),
    ]


def test_a_single_run_is_named_by_its_network():
    assert differences([RunSpec(lr=0.3)]) == [(("model", "cnn"),)]
    assert differences([]) == []


def test_numbers_that_are_equal_in_value_but_not_in_kind_do_not_tell_runs_apart():
    assert differences([RunSpec(lr=1), RunSpec(lr=1.0, seed=1)]) == [(("seed", 0),), (("seed", 1),)]


@given(st.lists(specs(), min_size=2, max_size=5, unique=True))
def test_different_runs_have_different_names_and_equal_fields_are_never_named(runs):
    named = differences(runs)
    assert len(set(named)) == len(runs)
    for name in {name for parts in named for name, _ in parts}:
        assert len({repr(dict(parts)[name]) for parts in named if name in dict(parts)}) > 1
