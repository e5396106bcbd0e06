"""The networks against the course's own listings, formulas and the papers' equations, and their source as shown."""

import inspect
from itertools import product
from pathlib import Path

import pytest
import torch
from torch import nn
from torch.nn import functional as F

import core.networks
from core.errors import InputError
from core.models import BLOCK_CLASSES, MODELS
from core.options import check_options
from core.run import RunSpec
from core.shapes.chain import run as run_chain
from core.shapes.source import read

LISTINGS = Path(__file__).parent / "shapes" / "listings"
COURSE = {"mlp": 575_050, "cnn": 8_490, "inception": 97_298, "resnet": 41_514}  # parameters
BRANCHES = ("branch1x1", "branch5x5", "branch3x3", "branch_pool")
CHOICES = {
    "mlp": [{}, {"dropout": 0.5}],
    "cnn": [{}, {"dropout": 0.9}],
    "inception": [dict(zip(BRANCHES, flags, strict=True)) for flags in product((True, False), repeat=4) if any(flags)]
    + [{"dropout": 0.5, "branch1x1": False}],
    "resnet": [{"block": block} for block in BLOCK_CLASSES] + [{"dropout": 0.5}],
    "stack": [
        {"depth": depth, "residual": residual, "norm": norm, "channels": channels}
        for depth, channels in ((8, 4), (20, 8), (56, 8), (110, 4), (8, 32))
        for residual, norm in product((True, False), repeat=2)
    ],
    "densenet": [{"growth": growth, "layers": layers} for growth, layers in ((8, 4), (4, 1), (5, 2), (32, 1), (4, 12))],
}
EVERY = [
    pytest.param(name, check_options(MODELS[name].options, given, name), id=f"{name} {given}")
    for name, choices in CHOICES.items()
    for given in choices
]


def listed(name):
    """Run the classes of a listing, and nothing else of it."""
    text = (LISTINGS / f"{name}.txt").read_text(encoding="utf-8")
    classes = text[text.index("class ") : text.index("model = Net()")]
    space = {"torch": torch, "nn": nn, "F": F}
    exec(classes, space)  # noqa: S102 - the course's text, kept beside the tests
    return space["Net"]


def seeded(network, **options):
    with torch.random.fork_rng():
        torch.manual_seed(3)
        return network(**options)


def images(count=4):
    return torch.randn(count, 1, 28, 28, generator=torch.Generator().manual_seed(0))


def parameters(network):
    return sum(parameter.numel() for parameter in network.parameters())


def bare(model, options):
    """Build the network from its source alone, as a script does."""
    space = {"torch": torch, "nn": nn, "F": F}
    exec(model.source(options), space)  # noqa: S102 - our own text
    return lambda: eval(model.call(options), space)  # noqa: S307 - the same


@pytest.mark.parametrize("name", COURSE)
def test_a_network_is_the_course_s(name):
    ours, theirs = seeded(MODELS[name].network()), seeded(listed(name))
    assert list(ours.state_dict()) == list(theirs.state_dict())
    after = torch.get_rng_state()
    assert torch.equal(ours(images()), theirs(images()))
    for network in (ours, theirs):
        F.cross_entropy(network(images()), torch.arange(4)).backward()
    for mine, listing in zip(ours.parameters(), theirs.parameters(), strict=True):
        assert torch.equal(mine.grad, listing.grad)
    assert torch.equal(torch.get_rng_state(), after), "no dropout, no random numbers"
    assert parameters(ours) == COURSE[name]


@pytest.mark.parametrize("name", COURSE)
def test_dropout_zeroes_the_inputs_of_the_last_layer(name):
    network = seeded(MODELS[name].network(), dropout=0.5)
    seen = []
    last = list(network.children())[-1]
    last.register_forward_pre_hook(lambda _module, inputs: seen.append(inputs[0].detach()))
    network(images(64))
    network.eval()(images(64))
    in_training, in_test = seen
    there = in_test != 0  # what ReLU switched off says nothing
    kept = in_training[there] != 0
    assert abs(kept.float().mean().item() - 0.5) < 0.05
    torch.testing.assert_close(in_training[there][kept], 2 * in_test[there][kept])


@pytest.mark.parametrize(("name", "options"), EVERY)
def test_every_choice_gives_scores_and_its_source_the_same(name, options):
    model = MODELS[name]
    ours, theirs = seeded(model.network(), **dict(options)), seeded(bare(model, options))
    for network in (ours, theirs):
        torch.manual_seed(5)  # of the dropout
        network.scores = network(images())
        F.cross_entropy(network.scores, torch.arange(4)).backward()
    assert ours.scores.shape == (4, 10)
    assert ours.scores.isfinite().all()
    assert torch.equal(ours.scores, theirs.scores)
    assert all(mine.grad.isfinite().all() for mine in ours.parameters())
    for mine, other in zip(ours.state_dict().items(), theirs.state_dict().items(), strict=True):
        assert mine[0] == other[0]
        assert torch.equal(mine[1], other[1])


@pytest.mark.parametrize(("name", "options"), EVERY)
def test_every_choice_takes_channels_last_and_bfloat16(name, options):
    network = seeded(MODELS[name].network(), **dict(options)).eval()
    exact = network(images())
    network = network.to(memory_format=torch.channels_last)
    x = images().to(memory_format=torch.channels_last)
    torch.testing.assert_close(network(x), exact, rtol=1e-3, atol=1e-3)
    with torch.autocast("cpu", torch.bfloat16):
        rough = network(x)
    assert rough.dtype == torch.bfloat16
    torch.testing.assert_close(rough.float(), exact, rtol=0.1, atol=0.1 * exact.abs().max().item())


@pytest.mark.parametrize(("name", "options"), EVERY)
def test_the_source_holds_the_classes_that_are_needed_and_no_others(name, options):
    model = MODELS[name]
    text = model.source(options)
    network = model.network()(**dict(options))
    used = {
        base
        for module in network.modules()
        for base in type(module).__mro__
        if base.__module__.startswith("core.networks")
    }
    for one in used:
        assert inspect.getsource(one).rstrip() in text
    spare = {core.networks.ResidualBlock} if name == "resnet" else set()  # the default in the signature
    assert {one.__name__ for one in used | spare} == set(bare_classes(text))


def bare_classes(text):
    return [line.split("(")[0].removeprefix("class ") for line in text.splitlines() if line.startswith("class ")]


@pytest.mark.parametrize("depth", [8, 20, 56])
@pytest.mark.parametrize("norm", [False, True])
@pytest.mark.parametrize("channels", [4, 8])
def test_a_stack_has_its_depth_and_the_same_parameters_either_way(depth, norm, channels):
    plain, residual = (
        seeded(core.networks.Stack, depth=depth, residual=residual, norm=norm, channels=channels)
        for residual in (False, True)
    )
    weights = [module for module in plain.modules() if isinstance(module, nn.Conv2d | nn.Linear)]
    assert len(weights) == depth
    for mine, other in zip(plain.parameters(), residual.parameters(), strict=True):
        assert torch.equal(mine, other)
    n, c = (depth - 2) // 6, channels
    first = 9 * c + c  # 9 weights and a bias for each
    widths = [c] * 2 * n + [2 * c] * 2 * n + [4 * c] * 2 * n
    each = [9 * before * after + after for before, after in zip([c, *widths], widths, strict=False)]
    norms = 2 * (c + sum(widths)) if norm else 0
    assert parameters(plain) == first + sum(each) + norms + 10 * (4 * c + 1)


def test_the_shortcut_of_a_stack_is_the_only_difference():
    plain, residual = (core.networks.StackBlock(3, 5, 2, residual, False) for residual in (False, True))
    residual.load_state_dict(plain.state_dict())
    for block in (plain, residual):
        nn.init.zeros_(block.conv2.weight)
        nn.init.zeros_(block.conv2.bias)
    x = images(2).expand(2, 3, 28, 28)
    assert not plain(x).any()
    assert torch.equal(residual(x)[:, :3], F.relu(x[:, :, ::2, ::2]))
    assert not residual(x)[:, 3:].any()


@pytest.mark.parametrize(("growth", "layers"), [(8, 4), (4, 1), (12, 3)])
def test_a_dense_net_has_the_parameters_of_its_formula(growth, layers):
    total, channels = 9 * 2 * growth, 2 * growth
    for block in range(3):
        for _ in range(layers):
            total += 2 * channels + channels * 4 * growth + 2 * 4 * growth + 9 * 4 * growth * growth
            channels += growth
        if block < 2:
            total += 2 * channels + channels * (channels // 2)
            channels //= 2
    total += 2 * channels + 10 * (channels + 1)
    assert parameters(core.networks.DenseNet(growth, layers)) == total


def test_a_dense_layer_keeps_what_went_in():
    x = torch.randn(2, 6, 5, 5, generator=torch.Generator().manual_seed(0))
    out = core.networks.DenseLayer(6, 4)(x)
    assert out.shape == (2, 10, 5, 5)
    assert torch.equal(out[:, :6], x)


def gate(block, x):
    return 1 / (1 + torch.exp(6 - block.gate(x)))


# The equations of He et al. 2016, where x >= 0 as it is after a ReLU and y stands for the two convolutions.
EQUATIONS = {
    "identity": lambda _block, x, y: F.relu(x + y),
    "constant_scaling": lambda _block, x, y: F.relu((x + y) / 2),
    "exclusive_gating": lambda block, x, y: F.relu(torch.lerp(x, y, gate(block, x))),
    "shortcut_gating": lambda block, x, y: F.relu(x + y - gate(block, x) * x),
    "conv_shortcut": lambda block, x, y: F.relu(torch.einsum("bchw,dc->bdhw", x, block.shortcut.weight[:, :, 0, 0]) +
                                                block.shortcut.bias[:, None, None] + y),
    "dropout_shortcut": lambda _block, x, y: F.relu(x + y),
}  # fmt: skip


@pytest.mark.parametrize("name", EQUATIONS)
def test_a_block_follows_its_equation(name):
    block = seeded(getattr(core.networks, BLOCK_CLASSES[name]), channels=3).eval()
    x = images(6).view(2, 3, 28, 28).relu()
    y = block.conv2(F.relu(block.conv1(x)))
    torch.testing.assert_close(block(x), EQUATIONS[name](block, x, y), rtol=1e-5, atol=1e-6)


def test_pre_activation_leaves_the_way_from_block_to_block_free():
    block = seeded(core.networks.PreActivation, channels=3)
    x = images(6).view(2, 3, 28, 28)
    order = nn.Sequential(block.norm1, nn.ReLU(), block.conv1, block.norm2, nn.ReLU(), block.conv2)
    torch.testing.assert_close(block(x), x + order(x))
    assert (block(x) < 0).any(), "no ReLU after the addition"


def test_the_dropped_shortcut_drops_half():
    block = seeded(core.networks.DropoutShortcut, channels=3)
    nn.init.zeros_(block.conv2.weight)
    nn.init.zeros_(block.conv2.bias)
    out = block(torch.ones(8, 3, 28, 28))
    assert set(out.unique().tolist()) == {0.0, 2.0}
    assert abs((out > 0).float().mean().item() - 0.5) < 0.05


@pytest.mark.parametrize("flags", list(product((True, False), repeat=4))[:-1])
def test_a_branch_that_is_off_takes_its_channels_with_it(flags):
    on = dict(zip(BRANCHES, flags, strict=True))
    channels = 16 * flags[0] + 24 * sum(flags[1:])
    network = MODELS["inception"].network()(**on)
    assert network.conv2.in_channels == channels
    assert network.fc.in_features == 16 * channels
    names = {name.split(".")[1] for name in network.state_dict() if name.startswith("incep1")}
    assert {branch for branch in BRANCHES if any(name.startswith(branch) for name in names)} == {
        branch for branch in BRANCHES if on[branch]
    }


@pytest.mark.parametrize(
    ("model", "options", "words"),
    [
        ("inception", dict.fromkeys(BRANCHES, False), "At least one of branch1x1, branch5x5, branch3x3, branch_pool"),
        ("inception", {"branch1x1": 0}, "true or false"),
        ("mlp", {"dropout": 0.95}, "from 0 to 0.9"),
        ("mlp", {"dropout": float("nan")}, "from 0 to 0.9"),
        ("resnet", {"block": "highway"}, "one of identity"),
        ("stack", {"depth": 21}, "such as 20"),
        ("stack", {"depth": 116}, "from 8 to 110"),
        ("stack", {"channels": 64}, "from 4 to 32"),
        ("densenet", {"layers": 0}, "from 1 to 12"),
        ("cnn", {"depth": 20}, "it has dropout"),
    ],
)
def test_an_impossible_option_gets_a_sentence(model, options, words):
    with pytest.raises(InputError, match=words):
        RunSpec(model=model, options=options)


def test_a_call_names_the_class_of_a_choice():
    assert MODELS["resnet"].call(()) == "ResNet()"
    assert MODELS["resnet"].call((("block", "conv_shortcut"), ("dropout", 0.5))) == (
        "ResNet(block=ConvShortcut, dropout=0.5)"
    )
    assert MODELS["stack"].call((("depth", 56), ("residual", False))) == "Stack(depth=56, residual=False)"


@pytest.mark.parametrize(("name", "options"), [(name, ()) for name in COURSE]
    + [("resnet", (("block", block),)) for block in BLOCK_CLASSES])  # fmt: skip
def test_the_page_of_shapes_reads_the_source(name, options):
    model = MODELS[name]
    source = read(f"{model.source(options)}\n\n\nmodel = {model.call(options)}\n")
    report = run_chain(source.chain, (2, 1, 28, 28))
    assert report.ok
    assert report.out_shape == (2, 10)
    assert report.totals.params == parameters(model.network()(**dict(options)))
