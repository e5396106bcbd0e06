"""The convolution by hand against torch, for random layers, and every sum that can be pointed at."""

from collections import Counter
from dataclasses import replace
from itertools import product

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.nn import functional as F

from core import convolution, pooling, transposed
from core.convolution import Convolution
from core.errors import InputError
from core.padding import MODES, pad
from core.pooling import Pooling
from core.transposed import TransposedConvolution

EXACT = {"rtol": 1e-12, "atol": 1e-12}


@st.composite
def sizes(draw, axes, low=1, high=9):
    return tuple(draw(st.integers(low, high)) for _ in range(axes))


def numbers(shape, seed):
    return np.random.default_rng(seed).normal(size=shape)


def tensor(array):
    return torch.from_numpy(array)[None]


@st.composite
def layers(draw):
    axes = draw(st.integers(1, 2))
    groups = draw(st.integers(1, 3))
    padding = draw(st.one_of(st.sampled_from(["same", "valid"]), sizes(axes, 0, 3)))
    return Convolution(
        in_channels=groups * draw(st.integers(1, 2)),
        out_channels=groups * draw(st.integers(1, 2)),
        kernel=draw(sizes(axes, 1, 4)),
        stride=(1,) * axes if padding == "same" else draw(sizes(axes, 1, 3)),
        padding=padding,
        mode=draw(st.sampled_from(sorted(MODES))),
        dilation=draw(sizes(axes, 1, 3)),
        groups=groups,
    )


def theirs(layer, x, weight, bias):
    """Run the layer as torch.nn's own class."""
    kind = torch.nn.Conv1d if layer.axes == 1 else torch.nn.Conv2d
    module = kind(
        layer.in_channels,
        layer.out_channels,
        layer.kernel,
        stride=layer.stride,
        padding=layer.padding,
        dilation=layer.dilation,
        groups=layer.groups,
        padding_mode=layer.mode,
        dtype=torch.float64,
    )
    with torch.no_grad():
        module.weight.copy_(torch.from_numpy(weight))
        module.bias.copy_(torch.from_numpy(bias))
        return module(tensor(x))[0].numpy()


@settings(max_examples=150, deadline=None)
@given(layer=layers(), data=st.data(), seed=st.integers(0, 2**32 - 1))
@pytest.mark.filterwarnings("ignore:Using padding='same' with even kernel lengths")
def test_every_cell_is_torch_s(layer, data, seed):
    size = data.draw(sizes(layer.axes))
    x = numbers((layer.in_channels, *size), seed)
    weight, bias = numbers(layer.weight_shape, seed + 1), numbers(layer.out_channels, seed + 2)
    try:
        ours = convolution.forward(layer, x, weight, bias)
    except InputError:
        with pytest.raises((RuntimeError, ValueError)):
            theirs(layer, x, weight, bias)
        return
    wanted = theirs(layer, x, weight, bias)
    assert ours.shape == wanted.shape == (layer.out_channels, *convolution.output_size(layer, size))
    np.testing.assert_allclose(ours, wanted, **EXACT)
    check_pointing(layer, x, weight, bias, ours)


def check_pointing(layer, x, weight, bias, out):
    """The sum under the pointer is the cell, and what feeds what is the same from all three sides."""
    size = x.shape[1:]
    padded = pad(x, layer.margins, layer.mode)
    before = [margin[0] for margin in layer.margins]
    met = set()
    for cell in convolution.cells(out.shape[1:]):
        found = convolution.pairs(layer, size, cell)
        met |= {(cell, place, at) for place, at in found}
        for kernel, channels in enumerate(convolution.seen_channels(layer)):
            total = bias[kernel]
            for channel, source in enumerate(channels):
                for place, at in found:
                    inside = tuple(p + b for p, b in zip(place, before, strict=True))
                    total += padded[source][inside] * weight[kernel, channel][at]
            assert total == pytest.approx(out[kernel][cell], rel=1e-12, abs=1e-12)
    from_weights = {
        (cell, place, at)
        for at in convolution.cells(layer.kernel)
        for cell, place in convolution.inputs_of(layer, size, at)
    }
    ranges = [range(-margin[0], n + margin[1]) for n, margin in zip(size, layer.margins, strict=True)]
    from_inputs = {
        (cell, place, at) for place in product(*ranges) for cell, at in convolution.outputs_of(layer, size, place)
    }
    assert from_weights == met == from_inputs
    times = Counter(place for _cell, place, _at in met)
    for inside, count in np.ndenumerate(convolution.uses(layer, size)):
        assert count == times[tuple(p - b for p, b in zip(inside, before, strict=True))]
    for place, is_met in np.ndenumerate(convolution.reached(layer, size)):
        assert is_met == (times[place] > 0)


@settings(max_examples=100, deadline=None)
@given(layer=layers(), data=st.data(), seed=st.integers(0, 2**32 - 1))
def test_what_is_never_reached_has_no_gradient(layer, data, seed):
    layer = replace(layer, mode="zeros")
    size = data.draw(sizes(layer.axes, 10, 12))  # room for the largest window
    mask = convolution.reached(layer, size)
    x = torch.from_numpy(numbers((layer.in_channels, *size), seed)).requires_grad_()
    call = F.conv1d if layer.axes == 1 else F.conv2d
    padded = F.pad(x, [cells for margin in reversed(layer.margins) for cells in margin])
    weight = torch.from_numpy(numbers(layer.weight_shape, seed + 1))
    call(padded[None], weight, stride=layer.stride, dilation=layer.dilation, groups=layer.groups).sum().backward()
    np.testing.assert_array_equal((x.grad != 0).any(0).numpy(), mask)


@settings(max_examples=100, deadline=None)
@given(data=st.data(), seed=st.integers(0, 2**32 - 1))
def test_every_cell_of_a_transposed_convolution_is_torch_s(data, seed):
    axes, groups = data.draw(st.integers(1, 2)), data.draw(st.integers(1, 2))
    stride, dilation = data.draw(sizes(axes, 1, 3)), data.draw(sizes(axes, 1, 2))
    most = min(max(s, d) for s, d in zip(stride, dilation, strict=True)) - 1
    layer = TransposedConvolution(
        in_channels=groups * data.draw(st.integers(1, 2)),
        out_channels=groups * data.draw(st.integers(1, 2)),
        kernel=data.draw(sizes(axes, 1, 4)),
        stride=stride,
        padding=data.draw(sizes(axes, 0, 2)),
        output_padding=data.draw(sizes(axes, 0, most)),
        dilation=dilation,
        groups=groups,
    )
    size = data.draw(sizes(axes, 1, 5))
    x = numbers((layer.in_channels, *size), seed)
    weight, bias = numbers(layer.weight_shape, seed + 1), numbers(layer.out_channels, seed + 2)
    call = F.conv_transpose1d if axes == 1 else F.conv_transpose2d
    options = {"stride": stride, "padding": layer.padding, "output_padding": layer.output_padding, "groups": groups}

    def run():
        return call(tensor(x), torch.from_numpy(weight), torch.from_numpy(bias), dilation=dilation, **options)[0]

    try:
        ours = transposed.forward(layer, x, weight, bias)
    except InputError:
        with pytest.raises(RuntimeError):
            run()
        return
    np.testing.assert_allclose(ours, run().numpy(), **EXACT)
    for cell in convolution.cells(ours.shape[1:]):
        pairs = transposed.pairs(layer, size, cell)
        for out in range(layer.out_channels):
            inputs = layer.in_channels // groups
            group, other = divmod(out, layer.out_channels // groups)
            total = bias[out] + sum(
                x[channel][place] * weight[channel, other][at]
                for channel in range(group * inputs, (group + 1) * inputs)
                for place, at in pairs
            )
            assert total == pytest.approx(ours[out][cell], rel=1e-12, abs=1e-12)


@settings(max_examples=150, deadline=None)
@given(data=st.data(), seed=st.integers(0, 2**32 - 1), kind=st.sampled_from(sorted(pooling.KINDS)))
def test_every_pooled_cell_is_torch_s(data, seed, kind):
    axes = data.draw(st.integers(1, 2))
    kernel = data.draw(sizes(axes, 1, 4))
    layer = Pooling(
        kind=kind,
        kernel=kernel,
        stride=data.draw(sizes(axes, 1, 4)),
        padding=tuple(data.draw(st.integers(0, n // 2)) for n in kernel),
        ceil_mode=data.draw(st.booleans()),
        count_include_pad=data.draw(st.booleans()) if kind == "avg" else True,
    )
    size = data.draw(sizes(axes))
    x = np.random.default_rng(seed).integers(0, 5, size=(2, *size)).astype(np.float64)  # with equal values, too

    def run():
        options = {"padding": layer.padding, "ceil_mode": layer.ceil_mode}
        if kind == "avg":
            call = F.avg_pool1d if axes == 1 else F.avg_pool2d
            return call(tensor(x), kernel, layer.stride, count_include_pad=layer.count_include_pad, **options)[0], None
        call = F.max_pool1d if axes == 1 else F.max_pool2d
        options["return_indices"] = True
        found, indices = call(tensor(x), kernel, layer.stride, **options)
        return found[0], indices[0]

    try:
        ours = pooling.forward(layer, x)
    except InputError:
        with pytest.raises(RuntimeError):
            run()
        return
    wanted, indices = run()
    np.testing.assert_allclose(ours, wanted.numpy(), **EXACT)
    if kind == "max":
        np.testing.assert_array_equal(pooling.argmax(layer, x), indices.numpy())


@pytest.mark.parametrize("mode", MODES)
@given(data=st.data(), seed=st.integers(0, 2**32 - 1))
@settings(max_examples=30, deadline=None)
def test_padding_is_torch_s(mode, data, seed):
    size, margins = data.draw(sizes(2)), tuple(data.draw(sizes(2, 0, 4)) for _ in range(2))
    x = numbers((1, *size), seed)
    flat = [cells for margin in reversed(margins) for cells in margin]

    def run():
        return F.pad(tensor(x), flat, mode="constant" if mode == "zeros" else mode)[0].numpy()

    try:
        ours = pad(x, margins, mode)
    except InputError:
        with pytest.raises(RuntimeError):
            run()
        return
    np.testing.assert_array_equal(ours, run())


def test_the_course_s_1x1_convolution_saves_nine_of_ten_multiplications():
    wide = Convolution(in_channels=192, out_channels=32, kernel=(5, 5), padding="same")
    narrow = Convolution(in_channels=192, out_channels=16, kernel=(1, 1))
    after = Convolution(in_channels=16, out_channels=32, kernel=(5, 5), padding="same")
    assert convolution.multiplications(wide, (28, 28)) == 120_422_400
    assert sum(convolution.multiplications(layer, (28, 28)) for layer in (narrow, after)) == 12_443_648


@pytest.mark.parametrize("kernel", range(1, 12))
@pytest.mark.parametrize("dilation", [1, 2])
def test_the_padding_that_keeps_the_size_keeps_it(kernel, dilation):
    layer = Convolution(kernel=(kernel, kernel), dilation=(dilation, dilation))
    padding = convolution.same_padding(layer)
    if padding is None:
        assert (dilation * (kernel - 1)) % 2 == 1
        return
    kept = Convolution(kernel=(kernel, kernel), dilation=(dilation, dilation), padding=padding)
    assert convolution.output_size(kept, (30, 30)) == (30, 30)


@pytest.mark.parametrize(
    ("spec", "said"),
    [
        ({"kernel": (12, 3)}, "1 to 11 cells"),
        ({"kernel": (0, 3)}, "1 to 11 cells"),
        ({"kernel": (3, 3, 3)}, "one or two axes"),
        ({"stride": (0, 1)}, "from 1 to 11"),
        ({"stride": (1.5, 1)}, "whole number"),
        ({"padding": (-1, 0)}, "from 0 to 32"),
        ({"padding": "some"}, "“same” or “valid”"),
        ({"padding": "same", "stride": (2, 2)}, "needs the stride 1"),
        ({"mode": "mirror"}, "one of zeros"),
        ({"in_channels": 3, "out_channels": 4, "groups": 2}, "divides both"),
        ({"in_channels": 10**9}, "from 1 to 1024"),
    ],
)
def test_what_no_layer_can_be_is_refused(spec, said):
    with pytest.raises(InputError, match=said):
        Convolution(**spec)


def test_a_kernel_that_does_not_fit_is_told_what_would():
    with pytest.raises(InputError, match=r"at most 4, or a padding of at least 2\b"):
        convolution.output_size(Convolution(kernel=(7, 7)), (4, 4))
    assert convolution.output_size(Convolution(kernel=(7, 7), padding=(2, 2)), (4, 4)) == (2, 2)
    with pytest.raises(InputError, match="leaves nothing"):
        transposed.output_size(TransposedConvolution(kernel=(3, 3), padding=(2, 2)), (2, 2))
    with pytest.raises(InputError, match="at most half the kernel"):
        Pooling(padding=(2, 2))
