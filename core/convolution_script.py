"""Complete PyTorch scripts of what "Convolution by hand" shows: the window, the channels, the pooling and the rest."""

from core.convolution import Convolution
from core.matrices import Matrix
from core.padding import Array
from core.pooling import Pooling
from core.transposed import TransposedConvolution

_SCRIPT = '''\
"""A convolution layer with given weights, and the same through torch.nn.functional. Needs PyTorch only."""

import torch
from torch.nn import functional as F

x = torch.tensor({x}, dtype=torch.float64)
kernel = torch.tensor({kernel}, dtype=torch.float64)
x = x.view(1, 1, *x.shape)  # (batch, channels, height, width)
weight = kernel.view(1, 1, *kernel.shape)  # (kernels, channels of each, height, width)

layer = torch.nn.Conv2d(
    1,
    1,
    kernel_size={size},
    stride={stride},
    padding={padding},
    dilation={dilation},
    padding_mode="{mode}",
    bias={with_bias},
    dtype=torch.float64,
)
with torch.no_grad():
    layer.weight.copy_(weight)
{set_bias}    output = layer(x)

print("shape", tuple(output.shape))
for row in output[0, 0]:
    print(" ".join(f"{{value + 0.0:.12g}}" for value in row.tolist()))

# One output cell by hand: the patch under the window, times the kernel, added up.
padded = F.pad(x, {flat}, mode="{pad_mode}")
patch = padded[0, 0, 0 : {high} : {dilation_h}, 0 : {wide} : {dilation_w}]
print("first cell", f"{{((patch * kernel).sum() + {bias!r}).item() + 0.0:.12g}}")
'''


def script(layer: Convolution, x: Matrix, kernel: Matrix, bias: float) -> str:
    """Write the script; it prints the shape, the rows of the output and its first cell computed from the patch."""
    set_bias = f"    layer.bias.fill_({bias!r})\n" if bias else ""
    (top, bottom), (left, right) = layer.margins
    high, wide = layer.extent
    return _SCRIPT.format(
        x=[list(row) for row in x.rows],
        kernel=[list(row) for row in kernel.rows],
        size=layer.kernel,
        stride=layer.stride,
        padding=repr(layer.padding).replace("'", '"'),
        dilation=layer.dilation,
        mode=layer.mode,
        with_bias=bool(bias),
        set_bias=set_bias,
        flat=[left, right, top, bottom],
        pad_mode="constant" if layer.mode == "zeros" else layer.mode,
        high=high,
        wide=wide,
        dilation_h=layer.dilation[0],
        dilation_w=layer.dilation[1],
        bias=float(bias),
    )


_GIVEN = '''\
"""{title} Needs PyTorch only."""

import torch

x = torch.tensor({x}, dtype=torch.float64){x_shape}
{weight}
layer = {layer}
with torch.no_grad():
{set_weight}    output = layer(x)

print("shape", tuple(output.shape))
for row in output.reshape(-1, output.shape[-1]):  # channel by channel
    print(" ".join(f"{{value + 0.0:.12g}}" for value in row.tolist()))
'''
_WEIGHT = "weight = torch.tensor({weight}, dtype=torch.float64){shape}\n"
_SET = "    layer.weight.copy_(weight)\n"


def channels_script(layer: Convolution, x: Array, weight: Array) -> str:
    """Write the script of several channels, x (C, H, W) and weight (O, C/groups, k, k); it prints each output row."""
    call = (
        f"torch.nn.Conv2d({layer.in_channels}, {layer.out_channels}, kernel_size={layer.kernel},"
        f" groups={layer.groups}, bias=False, dtype=torch.float64)"
    )
    return _given(
        "Several channels: a kernel per output channel, with a channel for each input channel of its group.",
        x.tolist(),
        "[None]  # (batch, channels, height, width)",
        weight=weight.tolist(),
        shape="  # (kernels, channels of each, height, width)",
        layer=call,
    )


def sequence_script(layer: Convolution, x: Matrix, kernel: Matrix) -> str:
    """Write the script of Conv1d on the one row of x."""
    padding = 0 if isinstance(layer.padding, str) else layer.padding[1]
    call = (
        f"torch.nn.Conv1d(1, 1, kernel_size={layer.kernel[1]}, stride={layer.stride[1]}, padding={padding},"
        f" dilation={layer.dilation[1]}, bias=False, dtype=torch.float64)"
    )
    return _given(
        "A convolution along one axis with given weights.",
        [list(row) for row in x.rows],
        "[None]  # (batch, channels, length)",
        weight=[list(row) for row in kernel.rows],
        shape="[None]  # (kernels, channels of each, length)",
        layer=call,
    )


def transposed_script(layer: TransposedConvolution, x: Matrix, kernel: Matrix) -> str:
    """Write the script of a transposed convolution of one channel."""
    call = (
        f"torch.nn.ConvTranspose2d(1, 1, kernel_size={layer.kernel}, stride={layer.stride}, padding={layer.padding},"
        f" output_padding={layer.output_padding}, bias=False, dtype=torch.float64)"
    )
    return _given(
        "A transposed convolution with given weights.",
        [list(row) for row in x.rows],
        "[None, None]  # (batch, channels, height, width)",
        weight=[list(row) for row in kernel.rows],
        shape="[None, None]  # (input channels, output channels, height, width)",
        layer=call,
    )


def pooling_script(layer: Pooling, x: Matrix) -> str:
    """Write the script of a pooling of one channel."""
    call = f"kernel_size={layer.kernel}, stride={layer.stride}, padding={layer.padding}, ceil_mode={layer.ceil_mode}"
    if layer.kind == "max":
        name = "torch.nn.MaxPool2d"
    else:
        name = "torch.nn.AvgPool2d"
        call += f", count_include_pad={layer.count_include_pad}"
    return _given(
        "Pooling of one channel: no weights.",
        [list(row) for row in x.rows],
        "[None, None]  # (batch, channels, height, width)",
        layer=f"{name}({call})",
    )


def _given(title: str, x: object, x_shape: str, *, layer: str, weight: object = None, shape: str = "") -> str:
    """Write a script that runs one layer on x; it prints the shape and the rows of the output, channel by channel."""
    return _GIVEN.format(
        title=title,
        x=x,
        x_shape=x_shape,
        layer=layer,
        weight=_WEIGHT.format(weight=weight, shape=shape) if weight else "",
        set_weight=_SET if weight else "",
    )
