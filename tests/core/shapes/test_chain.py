"""Whole nets against torch: shapes, parameters, multiply-adds, memory and receptive fields."""

from dataclasses import replace
from math import prod
from random import Random

import pytest
import torch
import torchinfo
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from core.shapes.chain import INPUT, Arithmetic, Chain, Node, SizeOf, run
from core.shapes.errors import ShapeError
from core.shapes.layers import LAYERS, UNKNOWN, bind
from core.shapes.solve import inputs_for, padding_that_keeps, windows_for
from tests.core.shapes import cases
from tests.core.shapes.oracle import Verdict, build, plain


def numbers(seed):
    return Random(seed)  # noqa: S311  # test cases, no secrets


def node(number, kind, *values, inputs, module="", **named):
    return Node(id=number, kind=kind, arguments=bind(kind, *values, **named), inputs=inputs, module=module)


class Net(nn.Module):
    """The same chain, made of torch's own modules and functions; notes down every shape on the way."""

    def __init__(self, chain, device):
        super().__init__()
        self.chain, self.shapes, self.made = chain, {}, {}
        for one in chain.nodes:
            key = one.module or one.id
            if LAYERS[one.kind].form == "module" and key not in self.made:
                self.made[key] = build(one.kind, one.arguments, device)
                self.add_module(key, self.made[key])

    def forward(self, x):
        tensors = {INPUT: x}
        for one in self.chain.nodes:
            known = {name: tuple(tensor.shape) for name, tensor in tensors.items()}
            operation = self.made.get(one.module or one.id) or build(one.kind, resolved(one.arguments, known))
            tensors[one.id] = operation(*(tensors[name] for name in one.inputs))
            self.shapes[one.id] = tuple(tensors[one.id].shape)
        return tensors[self.chain.last]


def resolved(arguments, shapes):
    def value(one):
        if isinstance(one, tuple):
            return tuple(value(part) for part in one)
        if isinstance(one, SizeOf):
            return shapes[one.node][one.axis]
        if isinstance(one, Arithmetic):
            return {"*": int.__mul__, "//": int.__floordiv__}[one.operator](value(one.left), value(one.right))
        return one

    return {name: value(one) for name, one in arguments.items()}


def torchs(chain, shape, device):
    """Return the shapes that torch makes and its parameters, or the node that it refuses and why."""
    done = []
    try:
        net = Net(chain, device)
        done = net.shapes
        net(torch.empty(shape, device=device))
    except Exception as error:  # whatever it is, it is the answer
        return len(done), Verdict(error=type(error).__name__, text=str(error))
    return net.shapes, sum(p.numel() for p in net.parameters())


def worked_out(chain, report):
    """Return the same chain with the numbers that were found; what comes after a mistake is left out."""
    found = {row.node.id: {**row.node.arguments, **row.filled} for row in report.rows}
    return Chain(nodes=tuple(replace(one, arguments=found[one.id]) for one in chain.nodes if one.id in found))


def agree(chain, shape):
    """Compare with the meta device; where it differs or refuses, the CPU decides, as for single layers."""
    report = run(chain, shape)
    chain = worked_out(chain, report)
    if report.ok:
        mine = ({row.node.id: row.out_shape for row in report.rows}, report.totals.params)
    else:
        mine = (len(report.rows) - 1, Verdict(error=report.error.error_type, text=report.error.torch))
    if report.ok and mine == torchs(chain, shape, "meta"):
        return report
    real = torchs(chain, shape, "cpu")
    if report.ok or isinstance(real[0], dict):
        assert mine == real, chain
    elif report.error.at == "call":
        assert (mine[0], plain(mine[1])) == (real[0], plain(real[1])), chain
    else:
        assert plain(mine[1]) == plain(real[1]), chain
    return report


def random_chain(random):
    """Return a net as students write it: convolutions, pooling, branches, a shortcut, flatten, linear layers."""
    channels = random.randint(1, 3)
    side = random.choice((6, 8, 12, 16))
    nodes, last, tensors = [], INPUT, [(INPUT, channels)]
    for number in range(random.randint(1, 6)):
        name = f"n{number}"
        wrong = random.random() < 0.04
        last, count = tensors[-1]
        kind = random.choice(("conv", "conv", "pool", "relu", "branch", "shortcut", "drop", "shared"))
        kind = "norm" if random.random() < 0.04 else kind  # slow on the meta device
        if kind == "conv":
            out = random.randint(1, 4)
            named = {"kernel_size": random.choice((1, 3, 5)), "padding": random.choice((0, 1, 2, "same"))}
            named["stride"] = 1 if named["padding"] == "same" else random.choice((1, 1, 2))
            given = random.choice((count + wrong, UNKNOWN)) if not wrong else count + 1
            nodes.append(node(name, "Conv2d", given, out, inputs=(last,), **named))
            tensors.append((name, out))
        elif kind == "branch":
            sizes = [random.randint(1, 3) for _ in range(random.randint(2, 3))]
            for branch, out in enumerate(sizes):
                kernel = random.choice((1, 3, 5))
                padding = kernel // 2 - (1 if wrong and kernel > 1 and branch else 0)
                nodes.append(node(f"{name}b{branch}", "Conv2d", count, out, kernel, padding=padding, inputs=(last,)))
            joined = tuple(f"{name}b{branch}" for branch in range(len(sizes)))
            nodes.append(node(name, "cat", dim=random.choice((1, -3)), inputs=joined))
            tensors.append((name, sum(sizes)))
        elif kind == "shortcut":
            other, _ = random.choice(tensors)
            nodes.append(node(name, random.choice(("add", "mul")), inputs=(last, other)))
            tensors.append((name, count))
        elif kind == "shared":
            for again in ("a", "b"):
                before = (last,) if again == "a" else (f"{name}a",)
                nodes.append(node(name + again, "Conv2d", count, count, 3, padding=1, inputs=before, module=name))
            tensors.append((f"{name}b", count))
        else:
            one = {
                "pool": lambda: random.choice((("MaxPool2d", 2), ("avg_pool2d", 3, 2), ("MaxPool2d", 3, 2, 1))),
                "relu": lambda: (random.choice(("ReLU", "relu", "sigmoid")),),
                "norm": lambda: ("BatchNorm2d", count + wrong),  # noqa: B023  # called at once
                "drop": lambda: ("Dropout2d", 0.5),
            }[kind]()
            nodes.append(node(name, *one, inputs=(last,)))
            tensors.append((name, count))
    last, count = tensors[-1]
    way = random.choice(("flatten", "view", "product", "mean", "adaptive", "none"))
    batch, pixels = SizeOf(INPUT, 0), Arithmetic("*", SizeOf(last, 2), SizeOf(last, 3))
    size = random.choice((UNKNOWN, UNKNOWN, 16 * count, count))
    ends = {
        "flatten": [("flatten", 1)],
        "view": [("view", batch, -1)],
        "product": [("reshape", batch, Arithmetic("*", SizeOf(last, 1), pixels))],
        "mean": [("mean", (2, 3))],
        "adaptive": [("AdaptiveAvgPool2d", 1), ("Flatten",)],
        "none": [],
    }[way]
    for number, end in enumerate([*ends, ("Linear", size, 10)]):
        nodes.append(node(f"end{number}", *end, inputs=(nodes[-1].id,)))
    return Chain(nodes=tuple(nodes)), (random.randint(2, 4), channels, side, side)


def test_a_thousand_random_chains_agree_with_torch():
    good = sum(agree(*random_chain(numbers(seed))).ok for seed in range(1000))
    assert 200 < good < 800  # both good and bad ones were tried


@settings(max_examples=60, deadline=None)
@given(random=st.randoms(use_true_random=False))
def test_whatever_hypothesis_finds_agrees_with_torch(random):
    agree(*random_chain(random))


@pytest.mark.parametrize("seed", range(150))
def test_parameters_and_multiply_adds_are_torchinfos(seed):
    chain, shape = random_chain(numbers(seed))
    report = run(chain, shape)
    if not report.ok:
        return
    summary = torchinfo.summary(
        Net(worked_out(chain, report), "cpu"),
        input_size=shape,
        verbose=0,
        mode="eval",
        device="cpu",
        cache_forward_pass=False,
    )
    totals = report.totals
    assert totals.params == summary.total_params
    assert totals.macs == summary.total_mult_adds
    assert totals.torchinfo_bytes == summary.total_output_bytes
    assert totals.parameter_bytes == summary.total_param_bytes


def course_cnn(features=320):
    """The course's net: 28×28 -> 24 -> 12 -> 8 -> 4, 320 features."""
    return Chain.of(
        ("Conv2d", {"in_channels": 1, "out_channels": 10, "kernel_size": 5}),
        ("MaxPool2d", {"kernel_size": 2}),
        ("relu", {}),
        ("Conv2d", {"in_channels": 10, "out_channels": 20, "kernel_size": 5}),
        ("MaxPool2d", {"kernel_size": 2}),
        ("relu", {}),
        ("view", {"shape": (SizeOf(INPUT, 0), -1)}),
        ("Linear", {"in_features": features, "out_features": 10}),
    )


def test_320_is_found_and_explained():
    report = run(course_cnn(UNKNOWN), (64, 1, 28, 28))
    last = report.rows[-1]
    assert last.filled == {"in_features": 320}
    assert last.factors == (20, 4, 4)
    assert last.steps[-1].text == "in_features = 20·4·4 = 320"
    assert report.out_shape == (64, 10)
    assert report.rows[6].steps[0].text == "20·4·4 = 320"


def test_a_wrong_number_is_found_at_its_line_and_ends_the_walk():
    report = run(course_cnn(1280), (64, 1, 28, 28))
    assert not report.ok
    assert (len(report.rows), report.rows[-1].line, report.out_shape) == (8, 8, None)
    assert report.error.torch == "mat1 and mat2 shapes cannot be multiplied (64x320 and 1280x10)"
    early = run(course_cnn(), (64, 3, 28, 28))
    assert (len(early.rows), early.rows[-1].line) == (1, 1)


def test_what_is_wrong_with_a_layer_itself_is_found_where_it_was_defined():
    arguments = bind("Conv2d", 3, 4, 1, groups=2)
    chain = Chain(nodes=(Node(id="a", kind="Conv2d", arguments=arguments, line=9, defined=3),))
    assert run(chain, (1, 3, 8, 8)).rows[-1].line == 3
    chain = Chain(nodes=(Node(id="a", kind="Conv2d", arguments=bind("Conv2d", 3, 4, 1), line=9, defined=3),))
    assert run(chain, (1, 2, 8, 8)).rows[-1].line == 9


def test_a_shared_layer_is_counted_once():
    twice = tuple(
        node(f"n{number}", "Linear", 8, 8, inputs=(INPUT if number == 0 else "n0",), module="fc") for number in range(2)
    )
    report = run(Chain(nodes=twice), (4, 8))
    assert [row.counted for row in report.rows] == [True, False]
    assert report.totals.params == 72
    assert report.totals.macs == 2 * 4 * 72


def test_single_values_are_normalised_only_when_not_training():
    chain = Chain.of(("BatchNorm1d", {"num_features": 8}))
    assert "variance" in str(run(chain, (1, 8)).error)
    assert run(chain, (1, 8), training=False).ok


@pytest.mark.parametrize("shape", [(), (0, 1, 28, 28), (1, -1, 28, 28), (1, 10**9, 28, 28), (10**7, 10**7, 10**7)])
def test_hopeless_inputs_get_a_sentence(shape):
    with pytest.raises(ShapeError, match=r"input"):
        run(course_cnn(), shape)


@pytest.mark.parametrize(
    "nodes",
    [
        (node("a", "relu", inputs=("b",)),),
        (node("a", "relu", inputs=(INPUT,)), node("a", "relu", inputs=(INPUT,))),
        (node(INPUT, "relu", inputs=(INPUT,)),),
        (node("a", "relu", inputs=()),),
        (node("a", "view", SizeOf("z", 0), -1, inputs=(INPUT,)),),
        tuple(node(str(number), "relu", inputs=(INPUT,)) for number in range(2001)),
    ],
)
def test_graphs_that_are_none_are_refused(nodes):
    with pytest.raises(ShapeError):
        Chain(nodes=nodes)


def test_an_output_that_is_not_there_is_refused():
    with pytest.raises(ShapeError, match="called z"):
        Chain(nodes=(), output="z")


def test_an_empty_chain_hands_its_input_on():
    report = run(Chain(nodes=()), (2, 3))
    assert (report.ok, report.out_shape, report.totals.forward_bytes) == (True, (2, 3), 0)


def test_a_size_that_is_not_there_is_torchs_index_error():
    report = run(Chain(nodes=(node("a", "view", SizeOf(INPUT, 5), -1, inputs=(INPUT,)),)), (2, 3))
    with pytest.raises(IndexError) as theirs:
        torch.empty(2, 3).size(5)
    assert (report.error.error_type, report.error.torch) == ("IndexError", str(theirs.value))


# Memory --------------------------------------------------------------------------------------------------------------


def kept_by_autograd(chain, shape):
    """Run the net and return the bytes of the distinct storages that autograd keeps, parameters left out."""
    net = Net(chain, "cpu")
    own = {p.untyped_storage().data_ptr() for p in (*net.parameters(), *net.buffers())}
    kept = {}

    def note(tensor):
        storage = tensor.untyped_storage()
        if storage.data_ptr() not in own:
            kept[storage.data_ptr()] = (storage.nbytes(), tensor)
        return tensor

    with torch.autograd.graph.saved_tensors_hooks(note, lambda tensor: tensor):
        out = net(torch.randn(shape))
    del out
    return sum(size for size, _ in kept.values())


@pytest.mark.parametrize("seed", range(120))
def test_the_bytes_kept_for_backward_are_autograds(seed):
    random = numbers(seed)
    layers = [("Conv2d", {"in_channels": 2, "out_channels": 3, "kernel_size": 3, "padding": 1})]
    one = {"in_channels": 3, "out_channels": 3, "kernel_size": 3, "padding": 1}
    makers = (
        ("ReLU", {}), ("relu", {}), ("MaxPool2d", {"kernel_size": 2}), ("AvgPool2d", {"kernel_size": 2}),
        ("Conv2d", one), ("sigmoid", {}), ("GELU", {}), ("tanh", {}), ("LeakyReLU", {}), ("Identity", {}), ("SiLU", {}),
        ("adaptive_avg_pool2d", {"output_size": 2}), ("transpose", {"dim0": 2, "dim1": 3}), ("mul", {"other": 2}),
        ("add", {"other": 1}), ("ELU", {}), ("Hardtanh", {}), ("softmax", {"dim": 1}), ("ZeroPad2d", {"padding": 1}),
        ("Softplus", {}), ("ReLU6", {}), ("BatchNorm2d", {"num_features": 3}),
        ("GroupNorm", {"num_groups": 3, "num_channels": 3}),
    )  # fmt: skip
    layers += [random.choice(makers) for _ in range(random.randint(1, 4))]
    layers += [
        ("flatten", {"start_dim": 1}),
        ("Linear", {"in_features": UNKNOWN, "out_features": 5}),
        ("LogSoftmax", {"dim": 1}),
    ]
    chain = Chain.of(*layers)
    report = run(chain, (2, 2, 17, 16))
    if not report.ok:  # pooled once too often
        return
    assert report.totals.training_bytes == kept_by_autograd(worked_out(chain, report), (2, 2, 17, 16))


def test_the_most_that_is_alive_without_gradients():
    chain = Chain.of(
        ("Linear", {"in_features": 10, "out_features": 100}),
        ("ReLU", {}),
        ("Linear", {"in_features": 100, "out_features": 1}),
    )
    assert run(chain, (8, 10)).totals.forward_bytes == 8 * (100 + 100) * 4
    in_place = Chain.of(("Linear", {"in_features": 10, "out_features": 100}), ("ReLU", {"inplace": True}))
    assert run(in_place, (8, 10)).totals.forward_bytes == 8 * (10 + 100) * 4


@pytest.mark.parametrize("seed", range(400))
def test_views_of_moved_dimensions_are_refused_where_torch_refuses_them(seed):
    random = numbers(seed)
    shape = tuple(random.choice((1, 2, 3, 4)) for _ in range(random.randint(2, 4)))
    rank = len(shape)
    layers = []
    for _ in range(random.randint(1, 2)):
        layers.append(("permute", {"dims": tuple(random.sample(range(rank), rank))}))
        layers += random.sample([("relu", {}), ("mul", {"other": 2}), ("contiguous", {})], random.randint(0, 1))
    whole = prod(shape)
    sizes = [size for size in range(1, whole + 1) if whole % size == 0]
    first = random.choice(sizes)
    moved = run(Chain.of(*layers), shape).out_shape
    targets = [(first, -1), (-1,), (moved[0], -1), (*moved[:-2], -1), moved, (*moved, 1)]
    layers.append((random.choice(("view", "view", "reshape")), {"shape": random.choice(targets)}))
    layers.append(("view", {"shape": (-1, 1)}))
    agree(Chain.of(*layers), shape)


# Receptive fields ----------------------------------------------------------------------------------------------------


def seen_by(net, pixels, index):
    """Return the input pixels whose change reaches one output value, per axis: the first and the last."""
    x = torch.zeros(1, 1, *pixels, requires_grad=True)
    y = net(x)[0]
    (gradient,) = torch.autograd.grad(y[(slice(None), *index)].sum(), x)
    met = gradient[0, 0].nonzero()
    return [(int(met[:, axis].min()), int(met[:, axis].max())) for axis in range(len(pixels))]


@pytest.mark.parametrize("seed", range(60))
def test_receptive_fields_are_where_the_gradient_is(seed):
    random = numbers(seed)
    layers = []
    for _ in range(random.randint(1, 4)):
        kind = random.choice(("Conv2d", "Conv2d", "AvgPool2d", "Identity"))
        named = {"kernel_size": random.randint(1, 3), "stride": random.randint(1, 2), "padding": random.randint(0, 1)}
        if kind == "AvgPool2d":
            named["padding"] = min(named["padding"], named["kernel_size"] // 2)
        if kind == "Conv2d":
            named |= {"in_channels": 1, "out_channels": 1, "dilation": random.randint(1, 2), "bias": False}
            named["kernel_size"] = (named["kernel_size"], random.randint(1, 3))
        layers.append((kind, named if kind != "Identity" else {}))
    pixels = (61, 53)
    chain = Chain.of(*layers)
    report = run(chain, (1, 1, *pixels))
    net = Net(chain, "cpu")
    for parameter in net.parameters():
        nn.init.ones_(parameter)
    index = tuple(size // 2 for size in report.out_shape[2:])
    for field, position, (first, last) in zip(report.rows[-1].field, index, seen_by(net, pixels, index), strict=True):
        assert first == field.start + position * field.jump
        assert last == first + field.size - 1


def test_the_receptive_field_of_a_shortcut_is_that_of_the_longest_path():
    nodes = (
        node("a", "Conv2d", 1, 1, 3, padding=1, inputs=(INPUT,)),
        node("b", "Conv2d", 1, 1, 3, padding=1, inputs=("a",)),
        node("c", "add", inputs=("b", INPUT)),
        node("d", "flatten", 1, inputs=("c",)),
        node("e", "Linear", UNKNOWN, 10, inputs=("d",)),
    )
    rows = run(Chain(nodes=nodes), (1, 1, 28, 28)).rows
    assert [(field.size, field.start) for field in rows[2].field] == [(5, -2), (5, -2)]
    assert not any(field.whole for field in rows[3].field)
    assert all(field.whole for field in rows[4].field)


# Turned round --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("size", "out"), [(28, 24), (28, 28), (224, 112), (7, 3), (5, 9), (32, 1)])
def test_every_window_that_is_offered_works_and_none_is_missing(size, out):
    offered = windows_for(size, out)
    assert offered == sorted(offered, key=lambda one: (one.discarded > 0, one.stride, one.kernel, one.padding))
    found = {(one.kernel, one.stride, one.padding) for one in offered}
    x = torch.empty(1, 1, size, device="meta")
    for kernel in range(1, 12):
        for stride in range(1, 9):
            for padding in range(kernel // 2 + 1):
                fits = (
                    kernel <= size + 2 * padding
                    and nn.functional.max_pool1d(x, kernel, stride, padding).shape[2] == out
                )
                assert fits == ((kernel, stride, padding) in found)


def test_a_given_stride_is_kept():
    assert {one.stride for one in windows_for(28, 14, stride=2)} == {2}
    assert windows_for(28, 40) == []
    with pytest.raises(ShapeError):
        windows_for(0, 3)


def test_padding_that_keeps_the_size():
    assert [padding_that_keeps(kernel) for kernel in (1, 3, 5, 4)] == [0, 1, 2, None]
    assert padding_that_keeps(3, dilation=2) == 2


def test_input_sizes_for_which_a_net_works():
    assert inputs_for(course_cnn(), (64, 1, 28, 28)) == [28, 29, 30, 31]
    assert inputs_for(course_cnn(UNKNOWN), (64, 1, 28, 28), range(1, 40)) == list(range(16, 40))


def test_no_case_is_left_out():
    assert set(cases.FAMILIES) >= {cases.convolution, cases.transposed_convolution, cases.pooling}
