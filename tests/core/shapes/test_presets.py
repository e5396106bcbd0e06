"""Every preset is the net that it is named after: the course's listing, or torchvision's own module."""

import warnings

import pytest
import torch

from core.errors import InputError
from core.shapes.chain import run
from core.shapes.presets import PRESETS, find_preset
from tests.core.shapes.test_source import LISTINGS
from tests.core.shapes.traced import net_of, traced

FEATURES = {"mlp": 784, "cnn": 320, "inception": 1408, "resnet": 512, "lenet": 400, "alexnet": 9216}
LAST = {"googlenet": 1024, "resnet18": 512}  # features that the only linear layer takes
OPTIONS = {"googlenet": {"aux_logits": False, "init_weights": False, "transform_input": False}}


def report_of(name, batch=2):
    preset = PRESETS[name]
    report = run(preset.source().chain, (batch, *preset.input_shape))
    assert report.error is None, str(report.error)
    return report


def real_net(name):
    """Build the net on the meta device, torchvision's where it has one."""
    preset = PRESETS[name]
    with torch.device("meta"):
        if not preset.torchvision:
            return sequential(preset.text()) if "class " not in preset.text() else net_of(preset.text())
        from core.torchvision_ops import prepare_torchvision

        prepare_torchvision()
        from torchvision import models

        return getattr(models, preset.torchvision)(weights=None, **OPTIONS.get(name, {}))


def sequential(text):
    names = {}
    exec(text, names)  # noqa: S102 - our own preset
    return names["model"]


@pytest.mark.parametrize("name", PRESETS)
def test_each_operation_is_that_of_the_real_net(name):
    net = real_net(name)
    rows = report_of(name).rows
    expected = traced(net, 2, *PRESETS[name].input_shape, device="meta")
    assert [(row.node.kind.rstrip("_"), row.out_shape) for row in rows] == [(kind, out) for kind, out, _ in expected]
    for row, (_, _, module) in zip(rows, expected, strict=True):
        for argument, value in row.node.arguments.items() if module is not None else ():
            theirs = getattr(module, argument, value)
            if argument == "bias":
                theirs = theirs is not None
            if isinstance(theirs, tuple) and not isinstance(value, tuple):
                theirs = theirs[0] if len(set(theirs)) == 1 else theirs
            assert value == theirs or (argument == "stride" and value is None), (row.node.name, argument)


@pytest.mark.parametrize("name", PRESETS)
def test_parameters_and_multiply_adds_are_those_of_torchinfo(name):
    from torchinfo import summary

    shape = (2, *PRESETS[name].input_shape)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # torchinfo asks the meta device for its storage in an old way
        theirs = summary(real_net(name), input_data=torch.empty(shape, device="meta"), device="meta", verbose=0)
    totals = report_of(name).totals
    assert (totals.params, totals.macs) == (theirs.total_params, theirs.total_mult_adds)


@pytest.mark.parametrize("name", ["mlp", "cnn", "inception", "resnet"])
def test_the_courses_presets_are_its_listings(name):
    from core.shapes.source import read

    listed = run(read(LISTINGS[name]).chain, (2, 1, 28, 28)).rows
    ours = report_of(name).rows
    assert [(r.node.kind, r.node.arguments, r.out_shape) for r in ours] == [
        (r.node.kind, r.node.arguments, r.out_shape) for r in listed
    ]


@pytest.mark.parametrize(("name", "features"), [*FEATURES.items(), *LAST.items()])
def test_the_number_everybody_asks_for(name, features):
    first = next(row for row in report_of(name, batch=3).rows if row.node.kind == "Linear")
    assert first.in_shapes == ((3, features),)


def test_an_unknown_name_lists_the_known_ones():
    with pytest.raises(InputError, match="mlp, cnn, inception, resnet"):
        find_preset("transformer")
