"""The networks against the course's own listings: same seed, same weights, same scores, same gradients."""

import inspect
from pathlib import Path

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from core.models import MODELS

LISTINGS = Path(__file__).parent / "shapes" / "listings"
PARAMETERS = {"mlp": 575_050, "cnn": 8_490, "inception": 97_298, "resnet": 41_514}


def listed(name):
    """Run the classes of a listing, and nothing else of it."""
    text = (LISTINGS / f"{name}.txt").read_text(encoding="utf-8")
    classes = text[text.index("class ") : text.index("model = Net()")]
    space = {"torch": torch, "nn": nn, "F": F}
    exec(classes, space)  # noqa: S102 - the course's text, kept beside the tests
    return space["Net"]


def seeded(network):
    with torch.random.fork_rng():
        torch.manual_seed(3)
        return network()


@pytest.mark.parametrize("name", MODELS)
def test_a_network_is_the_course_s(name):
    images = torch.randn(4, 1, 28, 28, generator=torch.Generator().manual_seed(0))
    ours, theirs = seeded(MODELS[name].network()), seeded(listed(name))
    assert torch.equal(ours(images), theirs(images))
    for network in (ours, theirs):
        F.cross_entropy(network(images), torch.arange(4)).backward()
    for mine, listing in zip(ours.parameters(), theirs.parameters(), strict=True):
        assert torch.equal(mine.grad, listing.grad)
    assert sum(parameter.numel() for parameter in ours.parameters()) == PARAMETERS[name]


@pytest.mark.parametrize("name", MODELS)
def test_the_source_holds_all_that_the_network_needs(name):
    model = MODELS[name]
    space = {"torch": torch, "nn": nn, "F": F}
    exec(model.source(), space)  # noqa: S102 - our own text
    assert inspect.getsource(model.network()).rstrip() in model.source()
    assert space[model.class_name]()(torch.zeros(2, 1, 28, 28)).shape == (2, 10)
