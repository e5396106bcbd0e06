"""Convolutions and transposed convolutions in one, two and three dimensions.

Source: torch.nn.Conv2d and torch.nn.ConvTranspose2d ("Shape", "Variables"). Course: "卷积神经网络".
"""

from __future__ import annotations

from functools import partial

from core.messages import N_
from core.shapes.arguments import spread
from core.shapes.convolution_refusals import (
    PADDING_MODES,
    check,
    check_channels,
    check_transposed,
    refuse_bad_windows,
    refuse_empty,
    refuse_few_weights,
    refuse_large_extra,
    refuse_large_kernel,
    refuse_odd_bias,
    refuse_odd_lengths,
    refuse_small_output,
    wrong_channels,
)
from core.shapes.errors import ShapeError
from core.shapes.layer import UNKNOWN, Argument, Arguments, Layer, Result, Shape, Step, Value, elements, listed
from core.shapes.resizing import pad
from core.shapes.windows import LETTERS, NAMES, Axis, TransposedAxis, number


def convolution(dims: int, arguments: Arguments, inputs: tuple[Shape, ...]) -> Result:
    """Slide out_channels kernels over the input: (N, C_in, …) -> (N, C_out, …), or the same without N."""
    a, filled = fill_channels("Conv", dims, arguments, inputs[0])
    kernel, stride, dilation = (spread(a[name], dims) for name in ("kernel_size", "stride", "dilation"))
    before, after = padding_of(a, kernel, dilation, dims)
    shape, padding = pad_first(a, inputs[0], before, after)
    channels, _ = channels_and_pixels(f"conv{dims}d", dims, shape)
    weight = (a["out_channels"], a["in_channels"] // a["groups"], *kernel)
    refuse_odd_lengths(
        dims,
        weight,
        same=(a["padding"], a["padding_mode"]) == ("same", "zeros"),
        stride=stride,
        padding=padding,
        dilation=dilation,
    )
    refuse_bad_windows(weight, stride, padding, dilation)
    refuse_few_weights(weight, a["groups"])
    if channels != weight[1] * a["groups"]:
        raise wrong_channels(f"groups={a['groups']}", weight, weight[1] * a["groups"], shape)
    axes = tuple(
        Axis(name=name, size=size, kernel=width, stride=step, before=front, after=back, dilation=gap)
        for name, size, width, step, front, back, gap in zip(
            NAMES[dims], inputs[0][-dims:], kernel, stride, before, after, dilation, strict=True
        )
    )
    refuse_large_kernel(axes)
    return windows_result(inputs[0], weight[0], axes, weight, bias=bool(a["bias"]), filled=filled)


def transposed_convolution(dims: int, arguments: Arguments, inputs: tuple[Shape, ...]) -> Result:
    """Paint out_channels kernels for every input pixel: (N, C_in, …) -> (N, C_out, …), or the same without N."""
    a, filled = fill_channels("ConvTranspose", dims, arguments, inputs[0])
    channels, pixels = channels_and_pixels(f"conv_transpose{dims}d", dims, inputs[0])
    weight = (a["in_channels"], a["out_channels"] // a["groups"], *spread(a["kernel_size"], dims))
    stride, padding, extra, dilation = (
        spread(a[name], dims) for name in ("stride", "padding", "output_padding", "dilation")
    )
    refuse_odd_lengths(dims, weight, stride=stride, padding=padding, dilation=dilation, output_padding=extra)
    refuse_bad_windows(weight, stride, padding, dilation, extra)
    refuse_few_weights(weight, a["groups"])
    if channels != weight[0]:
        raise wrong_channels("transposed=1", weight, weight[0], inputs[0])
    made = weight[1] * a["groups"]  # fewer than out_channels where a lazy layer was given odd groups
    refuse_odd_bias(a, weight, made)
    refuse_empty(pixels, inputs[0])
    refuse_large_extra(dims, extra, stride, dilation)
    axes = tuple(
        TransposedAxis(
            name=name, size=size, kernel=kernel, stride=step, before=pad, after=pad, dilation=gap, extra=more
        )
        for name, size, kernel, step, pad, gap, more in zip(
            NAMES[dims], pixels, weight[2:], stride, padding, dilation, extra, strict=True
        )
    )
    refuse_small_output(dims, axes)
    return windows_result(inputs[0], made, axes, weight, bias=bool(a["bias"]), filled=filled)


def windows_result(
    shape: Shape, channels: int, axes: tuple[Axis, ...], weight: Shape, *, bias: bool, filled: dict[str, int]
) -> Result:
    """Put the numbers of a convolution together.

    Multiply-adds as torchinfo counts them: every parameter, also the bias, once for each output pixel and image.
    """
    out_pixels = tuple(axis.out for axis in axes)
    batch = shape[: len(shape) - len(axes) - 1]
    params = elements(weight) + (channels if bias else 0)
    weights = "·".join(number(size) for size in weight)
    return Result(
        out_shape=(*batch, channels, *out_pixels),
        params=params,
        macs=params * elements(out_pixels) * elements(batch),
        axes=axes,
        steps=(
            *(Step(label=axis.name, text=axis.formula()) for axis in axes),
            Step(
                label=N_("parameters"), text=f"{weights} + {channels} = {params}" if bias else f"{weights} = {params}"
            ),
        ),
        filled=filled,
    )


def channels_and_pixels(name: str, dims: int, shape: Shape) -> tuple[int, Shape]:
    """Split (N, C, pixels…) or (C, pixels…) into C and pixels; raises ShapeError for any other rank."""
    if len(shape) not in (dims + 1, dims + 2):
        raise ShapeError(
            N_("This layer takes ({axes}) or a batch of them (N, {axes}), not {rank} dimensions."),
            torch=f"Expected {dims + 1}D (unbatched) or {dims + 2}D (batched) input to {name}, "
            f"but got input of size: {f'torch.Size({listed(shape)})' if name.startswith('Lazy') else listed(shape)}",
            axes=", ".join(LETTERS[dims]),
            rank=len(shape),
        )
    return shape[-dims - 1], shape[-dims:]


def fill_channels(name: str, dims: int, arguments: Arguments, shape: Shape) -> tuple[dict[str, Value], dict[str, int]]:
    """Work out in_channels where it is unknown: as many as arrive."""
    if arguments.get("in_channels", UNKNOWN) not in (UNKNOWN, None):
        return dict(arguments), {}
    channels, _ = channels_and_pixels(f"Lazy{name}{dims}d", dims, shape)
    filled = {"in_channels": channels}
    check_channels(("in_channels",), {**arguments, **filled})
    return {**arguments, **filled}, filled


def pad_first(a: Arguments, shape: Shape, before: Shape, after: Shape) -> tuple[Shape, Shape]:
    """Return the input and the padding that are left for the convolution itself.

    Zeros are part of it; with any other mode the image is padded by itself, before. So is the odd pixel of "same".
    """
    if a["padding_mode"] == "zeros":
        if before == after or len(shape) <= len(before):
            return shape, before
        first = len(shape) - len(before)
        odd = (size + back - front for size, front, back in zip(shape[first:], before, after, strict=True))
        return (*shape[:first], *odd), before
    sides = [side for pair in zip(reversed(before), reversed(after), strict=True) for side in pair]
    return pad({"pad": tuple(sides), "mode": a["padding_mode"]}, (shape,)).out_shape, (0,) * len(before)


def padding_of(a: dict[str, Value], kernel: Shape, dilation: Shape, dims: int) -> tuple[Shape, Shape]:
    """Return the padding before and behind, per axis; "same" puts the odd pixel behind."""
    if a["padding"] == "valid":
        return (0,) * dims, (0,) * dims
    if a["padding"] == "same":
        total = [gap * (size - 1) for gap, size in zip(dilation, kernel, strict=False)]
        return tuple(pixels // 2 for pixels in total), tuple(pixels - pixels // 2 for pixels in total)
    padding = spread(a["padding"], dims)
    return padding, padding


# The registry -------------------------------------------------------------------------------------------------------

TITLES = {1: N_("Convolution along a line"), 2: N_("Convolution"), 3: N_("Convolution in space")}
TRANSPOSED_TITLES = {
    1: N_("Transposed convolution along a line"),
    2: N_("Transposed convolution"),
    3: N_("Transposed convolution in space"),
}


def _arguments(*, transposed: bool, lazy: bool) -> tuple[Argument, ...]:
    padding = Argument("padding", 0, "sizes", low=0, choices=() if transposed else ("same", "valid"))
    common = {
        "stride": Argument("stride", 1, "sizes"),
        "padding": padding,
        "output_padding": Argument("output_padding", 0, "sizes", low=0),
        "dilation": Argument("dilation", 1, "sizes"),
        "groups": Argument("groups", 1),
        "bias": Argument("bias", True, "flag"),
        "padding_mode": Argument("padding_mode", "zeros", "choice", choices=PADDING_MODES),
    }
    order = (
        ("stride", "padding", "output_padding", "groups", "bias", "dilation", "padding_mode")
        if transposed
        else ("stride", "padding", "dilation", "groups", "bias", "padding_mode")
    )
    first = () if lazy else (Argument("in_channels", optional=True),)
    return (*first, Argument("out_channels"), Argument("kernel_size", form="sizes"), *(common[name] for name in order))


def _layers(dims: int) -> dict[str, Layer]:
    made = {}
    for transposed, lazy in ((False, False), (True, False), (False, True), (True, True)):
        kind = f"{'Lazy' if lazy else ''}Conv{'Transpose' if transposed else ''}{dims}d"
        made[kind] = Layer(
            kind=kind,
            title=(TRANSPOSED_TITLES if transposed else TITLES)[dims],
            rule=partial(transposed_convolution if transposed else convolution, dims),
            check=partial(check_transposed if transposed else check, dims),
            arguments=_arguments(transposed=transposed, lazy=lazy),
            keeps=frozenset({"input"}),
            effect="windows",
        )
    return made


CONVOLUTIONS: dict[str, Layer] = {**_layers(1), **_layers(2), **_layers(3)}
