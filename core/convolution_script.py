"""The complete PyTorch script of what "Convolution by hand" shows: the code panel's source."""

from core.convolution import Convolution
from core.matrices import Matrix

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
