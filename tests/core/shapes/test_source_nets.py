"""Which net of a program is read, and what is said of nets that PyTorch refuses or leaves without a result."""

import pytest
import torch

from core.shapes import edit
from core.shapes.chain import run
from core.shapes.rewrite import rewritten
from core.shapes.source import SourceError, read
from tests.core.shapes.test_source import LISTINGS, in_net
from tests.core.shapes.traced import net_of

TWO = in_net("self.a = nn.Linear(4, 3)", "return self.a(x)") + in_net("self.b = nn.Linear(4, 5)", "return self.b(x)")
TWO = "Other(nn.Module)".join(TWO.rsplit("Net(nn.Module)", 1))


def said(source):
    return " ".join(map(str, source.notes))


@pytest.mark.parametrize(
    ("program", "name", "doubt"),
    [
        ("model = Net()", "Net", False),
        ("model = Other()", "Other", False),
        ("model = Net().to('cpu')", "Net", False),
        ("model: nn.Module = Net()", "Net", False),
        ("print(Net())", "Net", False),
        ("model = Net()\nprint(Net())", "Net", False),
        ("a = Other()\nmodel = Net()", "Net", True),
        ("", "Other", True),
    ],
)
def test_the_net_is_the_class_of_which_the_program_makes_its_model(program, name, doubt):
    source = read(f"{TWO}\n{program}\n")
    assert source.name == name
    assert ("The net that is read" in said(source)) is doubt


def test_a_block_that_is_tried_alone_is_not_the_net():
    source = read(LISTINGS["resnet"] + "\nblock = ResidualBlock(16)\nprint(block)\n")
    assert source.name == "Net"
    assert source.notes == ()


def test_a_net_without_super_is_refused_as_pytorch_does():
    text = in_net("self.a = nn.Linear(4, 3)", "return self.a(x)").replace("super().__init__()", "self.n = 3")
    with pytest.raises(AttributeError) as error:
        net_of(text)
    with pytest.raises(SourceError, match=r"must begin with super\(\).__init__\(\)") as refused:
        read(text)
    assert (refused.value.torch, refused.value.error_type) == (str(error.value), "AttributeError")
    assert refused.value.line == 7


def test_a_net_of_functions_without_super_is_refused_as_pytorch_does():
    text = in_net("", "return F.relu(x)").replace("super().__init__()", "self.n = 3")
    with pytest.raises(AttributeError) as error:
        net_of(text)(torch.zeros(2, 4))
    with pytest.raises(SourceError) as refused:
        read(text)
    assert refused.value.torch == str(error.value)


@pytest.mark.parametrize(
    "start",
    ["super().__init__()", "super(Net, self).__init__()", "nn.Module.__init__(self)", "n = 3\nsuper().__init__()"],
)
def test_every_way_to_call_the_init_above(start):
    text = in_net("self.a = nn.Linear(4, 3)", "return self.a(x)")
    text = text.replace("super().__init__()", start.replace("\n", "\n        "))
    assert run(read(text).chain, (2, 4)).out_shape == net_of(text)(torch.zeros(2, 4)).shape


def test_a_forward_without_return_is_read_and_remarked():
    text = in_net("self.a = nn.Linear(4, 3)", "y = self.a(x)")
    assert net_of(text)(torch.zeros(2, 4)) is None
    assert "The forward of Net has no return, so PyTorch gives None" in said(read(text))
    assert "has no return" in said(read(LISTINGS["linear_a"]))
    assert read(in_net("self.a = nn.Linear(4, 3)", "return self.a(x)")).notes == ()


LOOPS = {
    "a list": (
        "layers, c = [], 1\nfor v in [4, 'M', 8]:\n    if v == 'M':\n        layers += [nn.MaxPool2d(2)]\n"
        "    else:\n        layers += [nn.Conv2d(c, v, 3, padding=1), nn.ReLU()]\n        c = v\n"
        "self.a = nn.Sequential(*layers)",
        "return self.a(x)",
    ),
    "a range": (
        "self.a = nn.Sequential()\nfor i in range(3):\n    self.a.append(nn.Conv2d(1, 1, 3))",
        "return self.a(x)",
    ),
    "repeated": ("self.a = nn.Conv2d(1, 1, 3)", "for i in range(3):\n    x = self.a(x)\nreturn x"),
    "pairs": (
        "self.a = nn.Sequential()\nfor a, b in [(1, 4), (4, 8)]:\n    self.a.append(nn.Conv2d(a, b, 3))",
        "return self.a(x)",
    ),
}


@pytest.mark.parametrize("name", LOOPS)
def test_loops_over_known_lists_are_followed(name):
    text = in_net(*LOOPS[name])
    report = run(read(text).chain, (2, 1, 28, 28))
    assert report.out_shape == net_of(text)(torch.zeros(2, 1, 28, 28)).shape
    assert report.totals.params == sum(one.numel() for one in net_of(text).parameters())


@pytest.mark.parametrize("decorator", ["torch.no_grad()", "torch.inference_mode()", "torch.no_grad"])
def test_decorators_that_only_switch_gradients_are_passed_over(decorator):
    text = in_net("self.a = nn.Linear(4, 3)", "return self.a(x)")
    text = text.replace("    def forward", f"    @{decorator}\n    def forward")
    assert run(read(text).chain, (2, 4)).out_shape == (2, 3)


def test_prompts_are_stripped():
    text = ">>> model = nn.Sequential(\n...     nn.Linear(4, 3),\n...     nn.ReLU(),\n... )\n>>> model\n"
    assert [node.kind for node in read(text).chain.nodes] == ["Linear", "ReLU"]
    assert [node.line for node in read(text).chain.nodes] == [2, 3]
    changed = rewritten(text, read(text), edit.changed(read(text).chain, "n1", "Linear", "4, 8"))
    assert "nn.Linear(4, 8)" in changed
    assert read(changed).chain.nodes[0].arguments["out_features"] == 8
