import numpy as np
import pytest
import safetensors.torch
import torch
from torch import nn
from torch.nn import functional as F

from core import inside
from core.datasets import MEAN, STD, mnist
from core.models import MODELS
from core.run import RunSpec
from core.train import build_network

IMAGE = 8


def plain(network, image=IMAGE):
    """Every module's output and the probabilities, by hooks and a plain forward pass."""
    outputs = {}

    def keep(name):
        return lambda _module, _inputs, output: outputs.__setitem__(name, output[0].clone())

    handles = [module.register_forward_hook(keep(name)) for name, module in network.named_modules()]
    pixels = torch.tensor(mnist().test_images[image])[None, None] / 255
    with torch.no_grad():
        probabilities = F.softmax(network((pixels - MEAN) / STD)[0], dim=0)
    for handle in handles:
        handle.remove()
    return outputs, probabilities


@pytest.mark.parametrize("name", MODELS)
def test_the_maps_are_those_of_a_plain_forward_pass(name):
    network = build_network(RunSpec(model=name, seed=3)).eval()
    outputs, probabilities = plain(network)
    seen = inside.forward(network, IMAGE)
    np.testing.assert_allclose(seen.probabilities, probabilities, rtol=1e-4)
    layers = {
        layer for layer, module in network.named_modules() if isinstance(module, nn.Conv2d | nn.Linear | nn.BatchNorm2d)
    }
    watched = [stage for stage in seen.stages if stage.name in outputs]
    assert {stage.name for stage in watched} >= layers or seen.left_out
    for stage in watched:
        np.testing.assert_allclose(stage.maps.ravel(), outputs[stage.name].ravel(), rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("name", MODELS)
def test_a_map_is_the_sum_that_it_is_taken_apart_into(name):
    seen = inside.forward(build_network(RunSpec(model=name)).eval(), IMAGE)
    for stage in seen.stages:
        for number in {0, len(stage.maps) - 1} if stage.kernels else ():
            origin = inside.origin(stage, number)
            total = torch.tensor(origin.rest + origin.bias)
            for x, kernel in zip(origin.inputs, origin.kernels, strict=True):
                given = F.conv2d(torch.tensor(x)[None, None], torch.tensor(kernel)[None, None], stride=origin.stride)
                total += given[0, 0]
            np.testing.assert_allclose(total, origin.output, rtol=1e-3, atol=1e-4)
            assert len(origin.channels) + origin.others == stage.kernels.weight.shape[1]


def test_the_strongest_channels_give_most():
    stage = next(s for s in inside.forward(build_network(RunSpec()).eval(), IMAGE).stages if s.name == "conv2")
    given = F.conv2d(torch.tensor(stage.inputs)[:, None], torch.tensor(stage.kernels.weight[5])[:, None], groups=1)
    strength = given.diagonal(dim1=0, dim2=1).abs().mean((0, 1))  # (10,), of each channel with its own kernel
    assert inside.origin(stage, 5).channels == tuple(strength.argsort(descending=True)[: inside.STRONGEST].tolist())


class Odd(nn.Module):
    """What the course's networks do not do: write in place, skip, use strides, padding and groups."""

    def __init__(self):
        super().__init__()
        self.down = nn.Conv2d(1, 4, 3, stride=2, padding=1, bias=False)
        self.norm = nn.BatchNorm2d(4)
        self.relu = nn.ReLU(inplace=True)
        self.grouped = nn.Conv2d(4, 4, 3, padding=1, groups=4)
        self.wide = nn.Conv2d(4, 4, 3, padding=2, dilation=2)
        self.fc = nn.Linear(4, 10)

    def forward(self, x):
        x = self.relu(self.norm(self.down(x)))
        y = self.grouped(x)
        y += self.wide(x)
        return self.fc(F.adaptive_avg_pool2d(y, 1).flatten(1))


def test_in_place_operations_do_not_change_what_was_seen():
    torch.manual_seed(0)
    network = Odd().eval()
    stages = inside.forward(network, IMAGE).stages
    assert [stage.name for stage in stages] == [
        "image", "down", "norm", "relu", "grouped", "wide", "add", "average pool", "fc",
    ]  # fmt: skip
    by_name = {stage.name: stage for stage in stages}
    np.testing.assert_array_equal(by_name["relu"].maps, by_name["norm"].maps.clip(min=0))
    assert (by_name["norm"].maps < 0).any()
    np.testing.assert_allclose(by_name["add"].maps, by_name["grouped"].maps + by_name["wide"].maps, rtol=1e-6)
    assert inside.origin(by_name["grouped"], 0) is None
    assert inside.origin(by_name["wide"], 0) is None
    origin = inside.origin(by_name["down"], 2)
    given = F.conv2d(torch.tensor(origin.inputs)[None], torch.tensor(origin.kernels)[None], stride=2)
    np.testing.assert_allclose(given[0, 0], origin.output, atol=1e-5)


def test_a_very_deep_network_is_shortened_to_what_says_most():
    blocks = [nn.Sequential(nn.Conv2d(2, 2, 3, padding=1), nn.BatchNorm2d(2), nn.ReLU()) for _ in range(60)]
    network = nn.Sequential(nn.Conv2d(1, 2, 3), *blocks, nn.Flatten(), nn.Linear(2 * 26 * 26, 10)).eval()
    seen = inside.forward(network, IMAGE)
    assert len(seen.stages) == inside.MOST_STAGES
    assert seen.left_out == 1 + 1 + 3 * 60 + 1 - inside.MOST_STAGES
    assert (seen.stages[0].name, seen.stages[-1].operation) == ("image", "linear")
    assert {stage.operation for stage in seen.stages[1:-1]} == {"conv"}


def test_the_weights_of_an_epoch_are_read_once_for_all_who_ask():
    spec, reads = RunSpec(model="mlp", seed=7), []
    weights = safetensors.torch.save(build_network(RunSpec(model="mlp", seed=8)).state_dict())

    def read():
        reads.append(1)
        return weights

    seen = [
        inside.look(inside.Question(key="once", epoch=1, image=IMAGE, spec=spec, weights=read)).probabilities
        for _ in range(3)
    ]
    assert len(reads) == 1
    np.testing.assert_allclose(seen[-1], plain(build_network(RunSpec(model="mlp", seed=8)))[1], rtol=1e-4)
    before = inside.look(inside.Question(key="once", epoch=0, image=IMAGE, spec=spec, weights=None))
    np.testing.assert_allclose(before.probabilities, plain(build_network(spec))[1], rtol=1e-4)
