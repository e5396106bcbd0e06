"""Pasted sources become the chains that torch.fx sees of the real nets."""

import pickle
from pathlib import Path

import pytest
import torch
from torch import nn

from core.shapes.chain import INPUT, SizeOf, run
from core.shapes.source import SourceError, read
from tests.core.shapes.traced import net_of, traced

LISTINGS = {path.stem: path.read_text(encoding="utf-8") for path in (Path(__file__).parent / "listings").glob("*.txt")}
INPUTS = {"linear": (3, 1), "logistic": (3, 1), "diabetes": (5, 8), "residual": (2, 6, 9, 9)}  # others: images


def input_of(name):
    return INPUTS.get(name.split("_")[0], (64, 1, 28, 28))


def rows_of(text, shape):
    report = run(read(text).chain, shape)
    assert report.error is None, str(report.error)
    return report.rows


def seen(rows):
    return [(row.node.kind.rstrip("_"), row.out_shape) for row in rows]  # torch.fx sees x += y as x + y


def in_net(init, forward):
    """Return a class with these lines in its two methods."""
    indent = "\n        "
    return (
        "import torch\nfrom torch import nn\nimport torch.nn.functional as F\n"
        "class Net(nn.Module):\n    def __init__(self):\n        super().__init__()"
        f"{indent}{init.replace(chr(10), indent)}"
        f"\n    def forward(self, x):{indent}{forward.replace(chr(10), indent)}\n"
    )


@pytest.mark.parametrize("name", sorted(LISTINGS))
def test_the_listings_of_the_course_are_read_without_an_edit(name):
    text, shape = LISTINGS[name], input_of(name)
    if name == "linear_a":  # its forward has no return
        text = text.replace("y_pred = self.linear(x)", "y_pred = self.linear(x)\n        return y_pred")
    if name == "residual_block_a":  # its Net is left empty
        text = text[: text.index("class Net")]
    net = net_of(text, *([6] if name == "residual_block_a" else []))
    expected = [(kind, out) for kind, out, _ in traced(net, *shape)]
    rows = rows_of(LISTINGS[name], shape)
    assert seen(rows) == expected
    assert sum(row.params for row in rows if row.counted) == sum(p.numel() for p in net.parameters())


@pytest.mark.parametrize(("name", "features"), [("cnn", 320), ("inception", 1408), ("resnet", 512), ("mlp", 784)])
def test_the_question_of_the_course(name, features):
    rows = rows_of(LISTINGS[name], (64, 1, 28, 28))
    view = next(row for row in rows if row.node.kind == "view")
    assert view.out_shape == (64, features)
    assert "view(" in LISTINGS[name].splitlines()[view.line - 1]


def test_every_row_knows_the_lines_of_its_call_and_its_definition():
    lines = LISTINGS["inception"].splitlines()
    for row in rows_of(LISTINGS["inception"], (1, 1, 28, 28)):
        called = lines[row.node.line - 1]
        last = row.node.name.rpartition(".")[2]
        assert (f"self.{last}(" if row.node.module else row.node.kind) in called
        if row.node.module:
            assert f"self.{last} = nn.{row.node.kind}(" in lines[row.node.defined - 1]
        else:
            assert row.node.defined is None


def test_a_layer_that_is_used_twice_is_one_module():
    rows = rows_of(LISTINGS["cnn"], (1, 1, 28, 28))
    assert [row.counted for row in rows if row.node.module == "pooling"] == [True, False]


SOURCES = {
    "sequential": "nn.Sequential(nn.Conv2d(1, 10, 5), nn.MaxPool2d(2), nn.Flatten(), nn.Linear(1440, 10))",
    "torch.nn": "torch.nn.Sequential(torch.nn.Conv2d(1, 10, 5), torch.nn.MaxPool2d(2), torch.nn.Flatten(),\n"
    " torch.nn.Linear(1440, 10))",
    "assigned": "import torch\nfrom torch import nn\nnet = nn.Sequential(\n  nn.Conv2d(1, 10, 5), nn.MaxPool2d(2),\n"
    "  nn.Flatten(), nn.Linear(1440, 10)).to('cpu')\nprint(net)\nfor i in range(3):\n    net.train()",
    "lines": "nn.Conv2d(1, 10, 5)\nnn.MaxPool2d(2),\n\nFlatten()  # and then?\nLinear(1440, 10)",
    "list": "[nn.Conv2d(1, 10, 5), nn.MaxPool2d(2),\n nn.Flatten(), nn.Linear(1440, 10)]",
    "names": "conv1 = nn.Conv2d(1, 10, 5)\npool = nn.MaxPool2d(2)\nflat = nn.Flatten()\nfc = nn.Linear(1440, 10)",
    "lines of __init__": "    self.conv1 = nn.Conv2d(1, 10, 5)\n    self.pool = nn.MaxPool2d(2)\n"
    "    self.f = nn.Flatten()\n    self.fc = nn.Linear(10 * 12 * 12, 10)",
    "Markdown": "```python\nnn.Conv2d(1, 10, 5)\nnn.MaxPool2d(2)\nnn.Flatten()\nnn.Linear(1440, 10)\n```",
    "star": "layers = [nn.Conv2d(1, 10, 5), nn.MaxPool2d(2)]\nlayers += [nn.Flatten()]\n"
    "nn.Sequential(*[nn.Conv2d(1, 10, 5), nn.MaxPool2d(2)], nn.Flatten(), nn.Linear(1440, 10))",
    "OrderedDict": "from collections import OrderedDict\nnn.Sequential(OrderedDict([('conv', nn.Conv2d(1, 10, 5)),\n"
    "  ('pool', nn.MaxPool2d(2)), ('flat', nn.Flatten()), ('fc', nn.Linear(1440, 10))]))",
    "question mark": "nn.Conv2d(1, 10, 5)\nnn.MaxPool2d(2)\nnn.Flatten()  # how many?\nnn.Linear(?, 10)",
}


@pytest.mark.parametrize("name", SOURCES)
def test_the_forms_of_a_straight_net(name):
    rows = rows_of(SOURCES[name], (2, 1, 28, 28))
    expected = [
        ("Conv2d", (2, 10, 24, 24)),
        ("MaxPool2d", (2, 10, 12, 12)),
        ("Flatten", (2, 1440)),
        ("Linear", (2, 10)),
    ]
    assert seen(rows) == expected
    assert [row.params for row in rows] == [260, 0, 0, 14410]
    lines = SOURCES[name].splitlines()
    assert all(row.node.kind in lines[row.line - 1] for row in rows)


NETS = {
    "shortcut": in_net(
        "self.conv = nn.Conv2d(1, 4, 3, padding=1, stride=2)\nself.down = None\nstride = 2\n"
        "if stride != 1 or self.down:\n    self.down = nn.Conv2d(1, 4, kernel_size=1, stride=stride)\nelse:\n    pass",
        "identity = x\nif self.down is not None:\n    identity = self.down(x)\nx = self.conv(x)\nx += identity\n"
        "x = F.relu(x)\nreturn torch.flatten(x, 1)",
    ),
    "sizes": in_net(
        "self.fc = nn.Linear(28 * 7 * 2 ** 2, 10)",
        "b, c, h, w = x.shape\nx = x.view(b * c, h, w)\nx = x.reshape(x.shape[0], -1)\nreturn self.fc(x).view(b, -1)",
    ),
    "chained": in_net(
        "self.conv = nn.Conv2d(1, 2, 3)",
        "return (self.conv(x)\n    .relu()\n    .flatten(1)\n    .mean(dim=1))",
    ),
    "arithmetic": in_net("self.conv = nn.Conv2d(1, 2, 3, padding=1)", "y = self.conv(x) * 0.5\nreturn x + 2 * y - 1"),
    "ModuleList": in_net(
        "self.blocks = nn.ModuleList([nn.Conv2d(1, 1, 3) for _ in range(3)])\nself.blocks.append(nn.ReLU())",
        "for block in self.blocks:\n    x = block(x)\nreturn self.blocks[0](x)",
    ),
    "branches": in_net(
        "self.a = nn.Sequential(nn.Conv2d(1, 3, 3, padding='same'), nn.BatchNorm2d(3))\nself.b = nn.Conv2d(1, 5, 1)",
        "parts = [self.a(x), self.b(x)]\nparts.append(x)\nreturn F.avg_pool2d(torch.cat(parts, 1), 2)",
    ),
    "helper": in_net("self.fc = nn.Linear(784, 10)", "return self.head(x)")
    + """
    def head(self, x, start=1):
        x = x.flatten(start)
        return F.log_softmax(self.fc(x), dim=-1)
""",
    "blocks with arguments": """
class Unit(nn.Module):
    width = 2

    def __init__(self, inner, outer, *sizes, act=None, **kw):
        super(Unit, self).__init__()
        self.conv = nn.Conv2d(inner, outer * self.width, *sizes, bias=False, **kw)
        self.act = nn.ReLU() if act is None else act

    def forward(self, x):
        return self.act(self.conv(x))


class Net(nn.Module):
    def __init__(self, classes=10, block=Unit):
        super().__init__()
        self.a = block(1, 4, 3, padding=1)
        self.b = Unit(4 * Unit.width, 8, 3, act=nn.Tanh(), stride=2)
        self.head = nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(16, classes))

    def forward(self, x):
        return self.head(self.b(self.a(x)))
""",
}


@pytest.mark.parametrize("name", NETS)
def test_nets_are_what_torch_fx_sees(name):
    torch.manual_seed(0)
    net = net_of(NETS[name])
    expected = [(kind, shape) for kind, shape, _ in traced(net, 3, 1, 28, 28)]
    rows = rows_of(NETS[name], (3, 1, 28, 28))
    assert seen(rows) == expected
    assert sum(row.params for row in rows if row.counted) == sum(p.numel() for p in net.parameters())


def test_a_class_inherits_from_sequential():
    text = """
class ConvRelu(nn.Sequential):
    def __init__(self, a, b):
        super().__init__(nn.Conv2d(a, b, 3), nn.ReLU())

nn.Sequential(ConvRelu(1, 2), ConvRelu(2, 3))
"""
    rows = rows_of(text, (1, 1, 28, 28))
    assert [(row.node.name, row.out_shape) for row in rows][::2] == [("0.0", (1, 2, 26, 26)), ("1.0", (1, 3, 24, 24))]


def test_the_arguments_of_the_net_come_from_where_it_is_built():
    text = in_net("self.fc = nn.Linear(4, classes)", "return self.fc(x)").replace("(self):", "(self, classes):")
    assert rows_of(text + "\nCLASSES = 7\nmodel = Net(classes=CLASSES)\n", (1, 4))[0].out_shape == (1, 7)
    source = read(text)
    assert source.chain.nodes[0].arguments["out_features"] == SizeOf(INPUT, 1)
    assert [str(note) for note in source.notes] == [
        "classes was not given; it is taken as the number of channels of the input."
    ]


def test_several_outputs_and_no_return_are_said():
    text = in_net("self.a = nn.Linear(4, 2)\nself.b = nn.Linear(2, 1)", "y = self.a(x)\nreturn y, self.b(y)")
    source = read(text)
    assert (source.chain.last, len(source.chain.nodes)) == ("n1", 2)
    assert len(source.notes) == 1
    assert read(text.replace("return y, self.b(y)", "self.b(y)")).chain.last == "n2"


def test_what_is_not_of_the_net_is_passed_over():
    text = in_net(
        "self.fc = nn.Linear(4, 2)\nself.loss = nn.CrossEntropyLoss()\nself.device = torch.device('cpu')\n"
        "for m in self.modules():\n    nn.init.zeros_(m.weight)\nnn.init.zeros_(self.fc.weight)",
        "assert x.dim() == 2\nprint(x.shape, x[:, 0])\n'a text'\nreturn self.fc(x.to(self.device))",
    )
    assert seen(rows_of(text, (1, 4))) == [("Linear", (1, 2))]


def test_a_condition_that_only_a_run_can_tell_is_refused():
    text = in_net("self.fc = nn.Linear(4, 2)", "if x.shape[0] == 1:\n    x = self.fc(x)\nreturn x")
    with pytest.raises(SourceError, match=r"whether x.shape\[0\] == 1 holds") as caught:
        read(text)
    assert "if x.shape" in text.splitlines()[caught.value.line - 1]


def test_errors_cross_process_boundaries():
    with pytest.raises(SourceError) as caught:
        read("nn.Conv2d(1, 10)")
    again = pickle.loads(pickle.dumps(caught.value))  # noqa: S301 - our own bytes
    assert (str(again), again.line, again.torch, again.error_type) == (
        str(caught.value), 1, caught.value.torch, "TypeError",
    )  # fmt: skip
    with pytest.raises(TypeError) as theirs:
        nn.Conv2d(1, 10)
    assert caught.value.torch == str(theirs.value)


@pytest.mark.parametrize(
    "call", ["nn.Conv2d()", "nn.Conv2d(1)", "nn.Conv2d(1, 10)", "nn.Linear(5)", "nn.Linear(5, out=2)"]
)
def test_what_python_says_to_a_layer_without_its_arguments(call):
    with pytest.raises(SourceError) as caught:
        read(call)
    with pytest.raises(TypeError) as theirs:
        eval(call, {"nn": nn})  # noqa: S307 - one of the five above
    assert caught.value.torch == str(theirs.value)
