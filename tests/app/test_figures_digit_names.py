"""How the networks that look at a drawn digit are called."""

from app.figures.digit_names import settings, short_names
from core.preset_runs import DEPTH, DEPTH_NORM
from core.run import DIVERGING, QUICK, RunSpec


def test_a_network_alone_is_told_by_its_kind():
    assert short_names([RunSpec(), RunSpec(model="mlp", epochs=3)]) == ("CNN", "MLP")


def test_two_of_a_kind_are_told_by_the_first_setting_that_differs():
    assert short_names([RunSpec(), RunSpec(model="mlp"), RunSpec(lr=0.1, seed=3)]) == (
        "CNN, lr 0.01",
        "MLP",
        "CNN, lr 0.1",
    )
    names = short_names([RunSpec(), QUICK, DIVERGING])
    assert len(set(names)) == 3


def test_a_stack_is_told_by_its_depth_and_whether_it_has_shortcuts():
    names = short_names(DEPTH[:4])
    assert names == ("Stack 20, plain", "Stack 56, plain", "Stack 20, residual", "Stack 56, residual")
    assert short_names(DEPTH[:1]) == ("Stack 20, plain",)
    assert len(set(short_names((*DEPTH, *DEPTH_NORM)))) == len(DEPTH + DEPTH_NORM)


def test_equal_runs_have_equal_names():
    assert short_names([RunSpec(), RunSpec()]) == ("CNN", "CNN")


def test_the_settings_say_what_matters_and_every_option():
    said = settings(RunSpec(model="resnet", options=(("block", "pre_activation"),)))
    for part in ("ResNet", "full pre-activation", "10 epochs", "60,000 images", "SGD", "lr 0.01"):
        assert part in said
