"""Every layer against torch: random ones by the thousand, and the mistakes that everybody makes."""

import inspect
import math
import pickle
import subprocess
import sys
from contextlib import suppress
from random import Random

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from core.shapes.errors import ShapeError
from core.shapes.layers import LAYERS, NAMES, REQUIRED, UNKNOWN, apply, bind
from tests.core.shapes.cases import FAMILIES
from tests.core.shapes.oracle import agree, torchs

FAMILY = pytest.mark.parametrize("family", FAMILIES, ids=lambda family: family.__name__)


def numbers(seed):
    return Random(seed)  # noqa: S311  # test cases, no secrets


def refusal(kind, named, *shapes):
    with pytest.raises(ShapeError) as caught:
        apply(kind, bind(kind, **named), *shapes)
    return caught.value


@FAMILY
def test_thousands_of_random_layers_agree_with_torch(family):
    good = sum(agree(*family(numbers(seed))).shape is not None for seed in range(FAMILIES[family]))
    assert 0.2 < good / FAMILIES[family] < 0.98  # both good and bad ones were tried


def test_twenty_thousand_are_tried():
    assert sum(FAMILIES.values()) >= 20_000


@FAMILY
@settings(max_examples=60, deadline=None)
@given(random=st.randoms(use_true_random=False))
def test_whatever_hypothesis_finds_agrees_with_torch(family, random):
    agree(*family(random))


@pytest.mark.parametrize(
    ("kind", "named", "shape", "words"),
    [
        (
            "Linear",
            {"in_features": 1280, "out_features": 10},
            (64, 320),
            "mat1 and mat2 shapes cannot be multiplied (64x320 and 1280x10)",
        ),
        (
            "Conv2d",
            {"in_channels": 10, "out_channels": 20, "kernel_size": 5},
            (64, 88, 12, 12),
            "expected input[64, 88, 12, 12] to have 10 channels, but got 88 channels instead",
        ),
        (
            "Conv2d",
            {"in_channels": 1, "out_channels": 20, "kernel_size": 5},
            (64, 1, 4, 4),
            "Kernel size can't be greater than actual input size",
        ),
        ("MaxPool2d", {"kernel_size": 2}, (64, 20, 1, 1), "Output size is too small"),
        ("view", {"shape": (64, 320)}, (64, 20, 5, 5), "shape '[64, 320]' is invalid for input of size 32000"),
    ],
)
def test_the_mistakes_of_every_class_get_torchs_own_words(kind, named, shape, words):
    error = refusal(kind, named, shape)
    real = torchs(kind, bind(kind, **named), [shape], device="cpu")
    assert (error.error_type, error.torch) == (real.error, real.text)
    assert words in error.torch
    assert str(error).endswith(".")
    assert "{" not in str(error)


def test_the_sentence_says_what_would_be_right():
    assert "in_features=320" in str(refusal("Linear", {"in_features": 1280, "out_features": 10}, (64, 320)))
    wrong = refusal("Conv2d", {"in_channels": 10, "out_channels": 20, "kernel_size": 5}, (64, 88, 12, 12))
    assert "in_channels=88" in str(wrong)


def test_an_error_survives_a_process_boundary():
    error = refusal("Conv2d", {"in_channels": 3, "out_channels": 4, "kernel_size": 1, "groups": 2}, (1, 3, 8, 8))
    again = pickle.loads(pickle.dumps(error))  # noqa: S301  # pickled on the line itself
    assert (str(again), again.torch, again.error_type, again.at) == (
        str(error),
        error.torch,
        error.error_type,
        "definition",
    )


@pytest.mark.parametrize(
    ("kind", "named"),
    [
        ("Conv2d", {"in_channels": 10**9, "out_channels": 10**9, "kernel_size": 3}),
        ("Conv2d", {"in_channels": 10**8, "out_channels": 10**8, "kernel_size": 3}),
        ("Conv2d", {"in_channels": 3, "out_channels": 3, "kernel_size": 10**30}),
        ("Linear", {"in_features": 28, "out_features": 10**12}),
        ("Linear", {"in_features": 28, "out_features": -(10**12)}),
        ("Upsample", {"scale_factor": 1e17}),
        ("Upsample", {"scale_factor": float("nan")}),
        ("ZeroPad2d", {"padding": 10**8}),
        ("Dropout", {"p": float("nan")}),
        ("view", {"shape": (10**100, -1)}),
        ("Conv2d", {"in_channels": 3, "out_channels": 2.5, "kernel_size": 3}),
        ("Conv2d", {"in_channels": 3, "out_channels": "many", "kernel_size": 3}),
        ("MaxPool2d", {"kernel_size": 2, "return_indices": True}),
    ],
)
def test_the_hopeless_gets_a_sentence_and_is_not_tried(kind, named):
    sentence = str(refusal(kind, named, (64, 3, 28, 28)))
    assert sentence.endswith(".")
    assert len(sentence) < 250


def test_names_that_do_not_exist_are_refused():
    with pytest.raises(ShapeError, match="Conv9d"):
        bind("Conv9d", 1, 2)
    with pytest.raises(ShapeError, match="needs a value for kernel_size"):
        bind("Conv2d", 1, 10)
    with pytest.raises(ShapeError, match="has no argument kernel"):
        bind("Conv2d", 1, 10, kernel=5)
    with pytest.raises(ShapeError, match="two values for in_channels"):
        bind("Conv2d", 1, 10, 5, in_channels=3)
    with pytest.raises(ShapeError, match="at most"):
        bind("ReLU", True, 2)


@pytest.mark.parametrize(
    ("kind", "values", "named"),
    [("Conv2d", (1, 10), {}), ("Conv2d", (1, 10), {"kernel": 5}), ("Linear", (3,), {}), ("Linear", (3, 4), {"foo": 2})],
)
def test_a_call_with_wrong_arguments_gets_pythons_own_words(kind, values, named):
    with pytest.raises(ShapeError) as mine:
        bind(kind, *values, **named)
    with pytest.raises(TypeError) as theirs:
        getattr(nn, kind)(*values, **named)
    assert (mine.value.error_type, mine.value.torch) == ("TypeError", str(theirs.value))


def own_arguments(module):
    """Return the arguments of the first class of a module that names them and does not hand everything on."""
    for made in module.__mro__[: module.__mro__.index(nn.Module)]:
        known = dict(inspect.signature(made.__init__).parameters)
        if "args" not in known:
            return {name: argument for name, argument in known.items() if name != "self"}
    return {}


@pytest.mark.parametrize("kind", [kind for kind, layer in LAYERS.items() if layer.form == "module"])
def test_arguments_are_in_torchs_order_with_its_defaults(kind):
    known = own_arguments(getattr(nn, kind))
    ours = LAYERS[kind].arguments
    assert [argument.name for argument in ours] == list(known)[: len(ours)]
    for argument in ours:
        default = known[argument.name].default
        assert argument.default == (REQUIRED if default is inspect.Parameter.empty else default)


@pytest.mark.parametrize("kind", LAYERS)
def test_every_layer_has_a_title_and_is_found_by_its_names(kind):
    layer = LAYERS[kind]
    assert layer.kind == kind
    assert layer.title
    assert all(NAMES[name] == kind for name in (kind, *layer.aliases))


LAZY = {
    "LazyConv2d": ({"out_channels": 4, "kernel_size": 3}, {"in_channels": 6}),
    "LazyConvTranspose2d": ({"out_channels": 4, "kernel_size": 3}, {"in_channels": 6}),
    "LazyLinear": ({"out_features": 3}, {"in_features": 5}),
    "LazyBatchNorm2d": ({}, {"num_features": 6}),
}


@pytest.mark.parametrize("kind", LAZY)
def test_a_lazy_layer_counts_what_arrives(kind):
    named, filled = LAZY[kind]
    result = apply(kind, bind(kind, **named), (2, 6, 8, 5))
    real = torchs(kind, bind(kind, **named), [(2, 6, 8, 5)])
    assert (result.out_shape, result.params) == (real.shape, real.params)
    assert result.filled == filled


def test_a_question_mark_is_worked_out():
    assert apply("Linear", bind("Linear", UNKNOWN, 10), (64, 320)).filled == {"in_features": 320}
    assert apply("Conv2d", bind("Conv2d", UNKNOWN, 10, 5), (64, 3, 28, 28)).filled == {"in_channels": 3}


PLAIN = {"size": 1, "sizes": 1, "shape": (1,), "flag": True, "number": 0.5, "any": 1}  # by the form of an argument


@pytest.mark.parametrize("kind", LAYERS)
def test_a_question_mark_is_filled_in_or_refused_wherever_it_stands(kind):
    layer = LAYERS[kind]
    plain = {
        one.name: one.choices[0] if one.form == "choice" else PLAIN[one.form]
        for one in layer.arguments
        if one.default == REQUIRED
    }
    for argument in layer.arguments:
        for value in (UNKNOWN, (1, UNKNOWN)):
            if value == UNKNOWN and argument.name in {"in_features", "in_channels", "num_features"}:
                bound = bind(kind, **{**plain, argument.name: value})
                for rank in range(7):
                    with suppress(ShapeError):  # tensors of another rank
                        filled = apply(kind, bound, (4,) * rank).filled
                        assert filled == {argument.name: 4} or kind.startswith("Instance")
            else:
                with pytest.raises(ShapeError, match=r"cannot be \?"):
                    bind(kind, **{**plain, argument.name: value})


def steps(kind, *values, shape, **named):
    return [step.text for step in apply(kind, bind(kind, *values, **named), shape).steps]


def test_the_formula_has_this_layers_numbers():
    assert steps("Conv2d", 1, 10, 5, shape=(64, 1, 28, 28))[0] == "⌊(28 + 2·0 − 1·(5 − 1) − 1)/1⌋ + 1 = 24"
    assert steps("Conv2d", 3, 64, 7, 2, 3, shape=(1, 3, 224, 224))[0] == (
        "⌊(224 + 2·3 − 1·(7 − 1) − 1)/2⌋ + 1 = ⌊111.5⌋ + 1 = 112"
    )
    assert steps("MaxPool2d", 3, 2, ceil_mode=True, shape=(1, 64, 112, 112))[0] == (
        "⌈(112 + 2·0 − 1·(3 − 1) − 1)/2⌉ + 1 = ⌈54.5⌉ + 1 = 56"
    )
    assert steps("Conv2d", 1, 10, 4, padding="same", shape=(1, 1, 9, 9))[0] == (
        "⌊(9 + 1 + 2 − 1·(4 − 1) − 1)/1⌋ + 1 = 9"
    )
    assert (
        steps("ConvTranspose2d", 4, 2, 4, 2, 1, shape=(1, 4, 12, 12))[0] == "(12 − 1)·2 − 2·1 + 1·(4 − 1) + 0 + 1 = 24"
    )
    assert steps("view", 64, -1, shape=(64, 20, 4, 4)) == ["20·4·4 = 320"]
    assert steps("Flatten", shape=(64, 88, 4, 4)) == ["88·4·4 = 1408"]
    assert steps("Conv2d", 1, 10, 5, shape=(64, 1, 28, 28))[-1] == "10·1·5·5 + 10 = 260"


WORDS = {"⌊": "math.floor(", "⌋": ")", "⌈": "math.ceil(", "⌉": ")", "·": "*", "−": "-", " 1": " 1"}


@pytest.mark.parametrize("seed", range(300))
def test_what_the_formula_says_is_what_it_computes(seed):
    family = list(FAMILIES)[seed % 3]
    kind, named, shapes = family(numbers(seed))
    try:
        result = apply(kind, bind(kind, **named), *shapes)
    except ShapeError:
        return
    for axis in result.axes:
        text = axis.formula().split("]")[0]
        for sign, python in WORDS.items():
            text = text.replace(sign, python)
        values = [eval(part, {"math": math}) for part in text.split("=")]  # noqa: S307  # arithmetic of our own
        assert set(values) == {axis.out}


@pytest.mark.parametrize("seed", range(60))
def test_the_pixels_that_a_window_meets_are_those_with_a_gradient(seed):
    """One output pixel at a time: its gradient with respect to the input is not zero just where it looks."""
    random = numbers(seed)
    kind = random.choice(("Conv1d", "ConvTranspose1d", "AvgPool1d", "AdaptiveAvgPool1d"))
    named = {
        "Conv1d": {"in_channels": 1, "out_channels": 1, "dilation": random.randint(1, 3), "bias": False},
        "ConvTranspose1d": {"in_channels": 1, "out_channels": 1, "dilation": random.randint(1, 3), "bias": False},
        "AvgPool1d": {"ceil_mode": random.random() < 0.5},
        "AdaptiveAvgPool1d": {"output_size": random.randint(1, 9)},
    }[kind]
    if kind != "AdaptiveAvgPool1d":
        named |= {"kernel_size": random.randint(2, 4), "stride": random.randint(1, 5), "padding": random.randint(0, 1)}
    arguments = bind(kind, **named)
    x = torch.zeros(1, 1, 17, requires_grad=True)
    module = getattr(nn, kind)(**arguments)
    for parameter in module.parameters():
        nn.init.ones_(parameter)
    axis = apply(kind, arguments, (1, 1, 17)).axes[0]
    seen = set()
    for index, value in enumerate(module(x)[0, 0]):
        (gradient,) = torch.autograd.grad(value, x, retain_graph=True)
        met = tuple(gradient[0, 0].nonzero().flatten().tolist())
        assert axis.positions(index) == met
        assert len(met) <= axis.reach
        seen.update(met)
    assert set(axis.unreached()) == set(range(17)) - seen
    assert not seen & set(range(17 - axis.discarded, 17))
    assert axis.skipped == 17 - len(seen) - axis.discarded
    assert axis.discarded == 16 - max(seen) or axis.dilation > 1  # the gap of a dilated window lies inside it


def test_no_torch_is_loaded():
    code = "import sys, core.shapes.chain, core.shapes.solve; print('torch' in sys.modules, 'numpy' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60)
    assert done.stdout.split() == ["False", "False"]
