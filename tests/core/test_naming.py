from hypothesis import given
from hypothesis import strategies as st

from core.models import MODELS
from core.naming import OPTION, differences
from core.preset_runs import COMPARISONS
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


def value_of(spec, name):
    """Return the value of a field or an option, None where the network has no such option."""
    if not name.startswith(OPTION):
        return getattr(spec, name)
    options = {option.name: option.default for option in MODELS[spec.model].options} | dict(spec.options)
    return options.get(name.removeprefix(OPTION))


def test_what_most_runs_share_goes_without_saying():
    nets = [RunSpec(model=model) for model in ("mlp", "cnn", "inception")]
    assert differences([*nets, RunSpec(model="resnet", epochs=4)]) == [
        (("model", "mlp"),),
        (("model", "cnn"),),
        (("model", "inception"),),
        (("model", "resnet"), ("epochs", 4)),
    ]
    seeds = [RunSpec(seed=0), RunSpec(lr=0.1), RunSpec(seed=2)]
    assert differences(seeds) == [(("model", "cnn"),), (("lr", 0.1),), (("seed", 2),)]


def test_the_momentum_is_told_of_the_optimizers_that_have_one():
    named = differences(COMPARISONS["optimizers"].runs)
    told = {dict(parts).get("optimizer"): dict(parts).get("momentum") for parts in named[1:]}
    assert told == {"sgd": 0.9, "adam": None, "rmsprop": 0.5, "adagrad": None}


@given(st.lists(specs(), min_size=2, max_size=5, unique=True))
def test_different_runs_have_different_names_and_equal_fields_are_never_named(runs):
    named = differences(runs)
    assert len(set(named)) == len(runs)
    for name in {name for parts in named for name, _ in parts}:
        values = [value_of(run, name) for run in runs]
        assert len({repr(value) for value in values if value is not None}) > 1
