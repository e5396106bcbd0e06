"""What is written runs in PyTorch and makes the same shapes with the same weights."""

import re
import warnings

import pytest
import torch
from torch import nn

from core.shapes.chain import Chain, run
from core.shapes.errors import ShapeError
from core.shapes.presets import PRESETS
from core.shapes.source import read
from core.shapes.write import is_straight, module_text, sequential_text
from tests.core.shapes.test_source import LISTINGS, NETS, SOURCES, in_net, input_of
from tests.core.shapes.traced import traced

STRAIGHT = {"mlp", "cnn", "lenet", "alexnet", "vgg11"}
OTHERS = {
    "functions": in_net(
        "self.conv = nn.Conv2d(1, 4, (3, 5), padding=(1, 2), bias=False)\nself.norm = nn.GroupNorm(2, 4)",
        "x = F.leaky_relu(self.norm(self.conv(x)), 0.2)\nx = F.dropout(x, 0.3, training=self.training)\n"
        "x = F.interpolate(x, scale_factor=0.5)\nx = F.pad(x, (1, 1, 2, 0))\nx = x.permute(0, 2, 3, 1)\n"
        "x = torch.sigmoid(x).mean(dim=(1, 2))\nreturn F.log_softmax(x.unsqueeze(1), dim=-1)",
    ),
    "sizes of the middle": in_net(
        "self.conv = nn.Conv2d(1, 4, 3)\nself.fc = nn.Linear(26, 3)",
        "x = self.conv(x)\nb, c, h, w = x.shape\nx = self.fc(x)\nx = x.reshape(b * c, h // 2, -1)\nreturn x.sum(1)",
    ),
    "names that are taken": in_net(
        "self.train1 = nn.Linear(28, 28)\nself.add_module('forward', nn.ReLU())\nself.add_module('a-b', nn.Tanh())\n"
        "self.add_module('class', nn.Sigmoid())\nself.net = nn.Sequential(nn.Linear(28, 2), nn.Linear(2, 2))",
        "y = self.train1(x)\nx = x - y\nz = x * y + 3\nx = torch.cat([x, y, z], -1)\nx = torch.stack([x, x], dim=1)\n"
        "return self.net(z)",
    ),
}  # fmt: skip
SHAPES = {
    **{name: (PRESETS[name].text(), (2, *PRESETS[name].input_shape)) for name in PRESETS},
    **{f"listing {name}": (text, input_of(name)) for name, text in LISTINGS.items()},
    **{f"net {name}": (text, (3, 1, 28, 28)) for name, text in {**NETS, **OTHERS}.items()},
    **{f"source {name}": (text, (2, 1, 28, 28)) for name, text in SOURCES.items()},
}


def executed(text):
    names = {}
    exec(text, names)  # noqa: S102 - what was written is what is tested
    return names.get("model") or names["Net"]()


def weights(net):
    return sorted(tuple(parameter.shape) for parameter in net.parameters())


@pytest.mark.parametrize("name", SHAPES)
def test_a_class_makes_every_shape_again(name):
    text, shape = SHAPES[name]
    chain = read(text).chain
    report = run(chain, shape, training=False)
    again = module_text(chain, shape)
    with torch.device("meta"):
        net = executed(again)
        seen = traced(net, *shape, device="meta")
    assert [(kind, out) for kind, out, _ in seen] == [(row.node.kind.rstrip("_"), row.out_shape) for row in report.rows]
    assert sum(parameter.numel() for parameter in net.parameters()) == report.totals.params
    comments = re.findall(r"# (\(.*\))$", again, re.MULTILINE)
    assert comments == [str(shape), *(str(row.out_shape) for row in report.rows)]
    assert run(read(again).chain, shape, training=False).totals == report.totals  # and it can be pasted back


@pytest.mark.parametrize("name", SHAPES)
def test_lazy_layers_find_the_same_sizes(name):
    text, shape = SHAPES[name]
    chain = read(text).chain
    plain, again = module_text(chain, shape), module_text(chain, shape, lazy=True)
    assert not re.search(r"nn\.(Linear|Conv\dd|BatchNorm\dd)\(", again)
    if name in {"vgg11", "alexnet"}:  # lazy layers are made for real, and these are large
        return
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # lazy modules are "under development"
        net = executed(again)
    with torch.no_grad():
        out = net(torch.zeros(shape))
    with torch.device("meta"):
        assert weights(net) == weights(executed(plain))
    assert tuple(out.shape) == run(chain, shape).out_shape


@pytest.mark.parametrize("name", [*PRESETS, *(f"source {name}" for name in SOURCES)])
def test_a_straight_net_is_a_sequential(name):
    text, shape = SHAPES[name]
    chain = read(text).chain
    straight = name in STRAIGHT or name.startswith("source")
    assert is_straight(chain, shape) is straight
    if not straight:
        with pytest.raises(ShapeError, match="straight line"):
            sequential_text(chain, shape)
        return
    report = run(chain, shape)
    with torch.device("meta"):
        net = executed(sequential_text(chain, shape))
        shapes = []
        for layer in net:
            layer.register_forward_hook(lambda _layer, _inputs, out: shapes.append(tuple(out.shape)))
        net(torch.empty(shape))
    assert shapes == [row.out_shape for row in report.rows]
    assert weights(net) == sorted(
        size for row in report.rows if row.node.kind in ("Conv2d", "Linear") for size in of_layer(row.node)
    )


def of_layer(node):
    with torch.device("meta"):
        known = {name: value for name, value in node.arguments.items() if value != "?"}
        if len(known) < len(node.arguments):
            known["in_features"] = 1440  # the one question mark among the sources
        return weights(getattr(nn, node.kind)(**known))


def test_what_has_no_module_is_named():
    chain = read(in_net("self.fc = nn.Linear(28, 2)", "return self.fc(x).transpose(1, 2)")).chain
    with pytest.raises(ShapeError, match="There is no module for transpose"):
        sequential_text(chain, (1, 1, 28, 28))


def test_shared_weights_do_not_fit_into_a_sequential():
    chain = read(in_net("self.fc = nn.Linear(4, 4)", "return self.fc(self.fc(x))")).chain
    assert not is_straight(chain, (1, 4))
    with torch.device("meta"):
        assert len(list(executed(module_text(chain, (1, 4))).parameters())) == 2


def test_an_output_in_the_middle():
    chain = read(
        in_net("self.a = nn.Linear(4, 2)\nself.b = nn.Linear(2, 3)", "y = self.a(x)\nreturn y, self.b(y)")
    ).chain
    with torch.device("meta"):
        assert executed(module_text(chain, (1, 4)))(torch.empty(1, 4)).shape == (1, 2)
    assert not is_straight(chain, (1, 4))


def test_a_chain_without_names():
    chain = Chain.of(
        ("Conv2d", {"in_channels": 1, "out_channels": 2, "kernel_size": 3}),
        ("ReLU", {}),
        ("Conv2d", {"in_channels": 2, "out_channels": 2, "kernel_size": 3}),
    )
    text = module_text(chain, (1, 1, 9, 9), name="Two")
    assert "class Two(nn.Module)" in text
    assert re.findall(r"self\.(\w+) =", text) == ["conv1", "relu", "conv2"]


def test_a_net_that_fails_is_not_written():
    chain = read("nn.Flatten()\nnn.Linear(1280, 10)").chain
    for write in (module_text, sequential_text):
        with pytest.raises(ShapeError, match="1280"):
            write(chain, (1, 320))
