"""What PyTorch refuses about convolutions, in its order and its words (ATen's Convolution.cpp, torch.nn.Conv2d)."""

from __future__ import annotations

from core.messages import N_
from core.shapes.arguments import quoted
from core.shapes.errors import ShapeError
from core.shapes.layer import Arguments, Shape, listed
from core.shapes.windows import NAMES, Axis

ODD_GROUPS = N_("{name} = {channels} cannot be split into {groups} equal groups; choose a multiple of {groups}.")
PADDING_MODES = ("zeros", "reflect", "replicate", "circular")


def check(dims: int, arguments: Arguments) -> None:
    """Refuse what PyTorch refuses when a convolution is built."""
    check_channels(("in_channels", "out_channels"), arguments)
    padding = arguments["padding"]
    if isinstance(padding, str) and padding not in ("same", "valid"):
        raise ShapeError(
            N_("padding must be a number, 'same' or 'valid', not {padding}."),
            torch=f"Invalid padding string {padding!r}, should be one of {{'same', 'valid'}}",
            error_type="ValueError",
            at="definition",
            padding=repr(padding)[:40],
        )
    strides = arguments["stride"] if isinstance(arguments["stride"], tuple) else (arguments["stride"],)
    if padding == "same" and any(stride != 1 for stride in strides):
        raise ShapeError(
            N_("padding='same' keeps the size, so it needs stride 1; give the padding as a number instead."),
            torch="padding='same' is not supported for strided convolutions",
            error_type="ValueError",
            at="definition",
        )
    if arguments["padding_mode"] not in PADDING_MODES:
        raise ShapeError(
            N_("padding_mode must be one of {modes}, not {mode}."),
            torch=f"padding_mode must be one of {{'zeros', 'reflect', 'replicate', 'circular'}}, "
            f"but got padding_mode='{arguments['padding_mode']}'",
            error_type="ValueError",
            at="definition",
            modes=", ".join(PADDING_MODES),
            mode=repr(arguments["padding_mode"])[:40],
        )
    refuse_negative_weight(dims, arguments, transposed=False)


def check_transposed(dims: int, arguments: Arguments) -> None:
    """Refuse what PyTorch refuses when a transposed convolution is built."""
    if arguments["padding_mode"] != "zeros":
        raise ShapeError(
            N_("A transposed convolution pads with zeros only."),
            torch=f'Only "zeros" padding mode is supported for {lazy(arguments)}ConvTranspose{dims}d',
            error_type="ValueError",
            at="definition",
        )
    check_channels(("in_channels", "out_channels"), arguments)
    refuse_negative_weight(dims, arguments, transposed=True)


def lazy(arguments: Arguments) -> str:
    """Return the first part of the name of a layer that counts its channels itself."""
    return "" if "in_channels" in arguments else "Lazy"


def check_channels(names: tuple[str, ...], arguments: Arguments) -> None:
    """Refuse groups that do not divide the channels; of a lazy layer, PyTorch looks at in_channels only."""
    groups = arguments["groups"]
    if groups <= 0:
        raise ShapeError(
            N_("groups must be at least 1, not {groups}."),
            torch="groups must be a positive integer",
            error_type="ValueError",
            at="definition",
            groups=groups,
        )
    for name in names if "in_channels" in arguments else ():
        channels = arguments[name]
        if isinstance(channels, int) and channels % groups:
            raise ShapeError(
                ODD_GROUPS,
                torch=f"{name} must be divisible by groups",
                error_type="ValueError",
                at="definition",
                name=name,
                channels=channels,
                groups=groups,
            )


def refuse_negative_weight(dims: int, arguments: Arguments, *, transposed: bool) -> None:
    """Refuse sizes below zero, of which no tensor can be made."""
    first, second = arguments.get("in_channels", 0), arguments["out_channels"]
    first = first if isinstance(first, int) else 0
    groups, kernel = arguments["groups"], arguments["kernel_size"]
    sizes = kernel if isinstance(kernel, tuple) else (kernel,) * dims
    weight = (first, second // groups, *sizes) if transposed else (second, first // groups, *sizes)
    refuse_negative(weight)


def refuse_negative(weight: Shape) -> None:
    """Refuse a weight of a negative size."""
    bad = next((size for size in weight if size < 0), None)
    if bad is not None:
        raise ShapeError(
            N_("Sizes cannot be negative; the weight would be {weight}."),
            torch=f"Trying to create tensor with negative dimension {bad}: {listed(weight)}",
            at="definition",
            weight=listed(weight),
        )


def refuse_odd_lengths(dims: int, weight: Shape, *, same: bool = False, **per_axis: Shape) -> None:
    """Refuse tuples with more or fewer numbers than there are axes."""
    wanted = len(weight) - 2
    for name, values in per_axis.items():
        if len(values) != wanted:
            raise ShapeError(
                N_(
                    "Give one number for all axes or exactly {dims} of them: "
                    "kernel_size has {kernel}, {name} has {count}."
                ),
                torch=f"{name} cannot broadcast to {wanted} dimensions"
                if same
                else f"expected {name} to be a single integer value or a list of {wanted} values to match the "
                f"convolution dimensions, but got {name}={listed(values)}",
                dims=dims,
                kernel=wanted,
                name=name,
                count=len(values),
            )


def refuse_bad_windows(weight: Shape, stride: Shape, padding: Shape, dilation: Shape, extra: Shape = ()) -> None:
    """Refuse windows that cannot be moved or stretched."""
    if min(padding) < 0:
        raise ShapeError(N_("padding cannot be negative."), torch="negative padding is not supported")
    if min(extra, default=0) < 0:
        raise ShapeError(N_("output_padding cannot be negative."), torch="negative output_padding is not supported")
    if min(stride) <= 0:
        raise ShapeError(
            N_("stride must be at least 1, or the window would not move on."),
            torch="non-positive stride is not supported",
        )
    if min(dilation) <= 0:
        raise ShapeError(
            N_("dilation must be at least 1, the distance between neighbouring weights."),
            torch="non-positive dilation is not supported",
        )
    if min(weight[2:]) == 0:
        raise ShapeError(
            N_("kernel_size must be at least 1."),
            torch="could not create a primitive descriptor for the convolution forward propagation primitive. "
            "Run workload with environment variable ONEDNN_VERBOSE=all to get additional diagnostic information.",
        )


def refuse_few_weights(weight: Shape, groups: int) -> None:
    """Refuse layers without output."""
    if weight[0] < groups:
        raise ShapeError(
            N_("There must be at least one output channel."),
            torch=f"Given groups={groups}, expected weight to be at least {groups} at dimension 0, "
            f"but got weight of size {listed(weight)} instead",
        )
    if weight[0] % groups:
        raise ShapeError(
            ODD_GROUPS,
            torch=f"Given groups={groups}, expected weight to be divisible by {groups} at dimension 0, "
            f"but got weight of size [{listed(weight)}] instead",
            name="out_channels",
            channels=weight[0],
            groups=groups,
        )


def refuse_odd_bias(arguments: Arguments, weight: Shape, made: int) -> None:
    """Refuse a lazy transposed convolution whose groups do not divide its output channels."""
    if arguments["bias"] and made != arguments["out_channels"]:
        raise ShapeError(
            ODD_GROUPS,
            torch=f"Given transposed=1, weight of size {listed(weight)}, expected bias to be 1-dimensional with {made} "
            f"elements, but got bias of size [{arguments['out_channels']}] instead",
            name="out_channels",
            channels=arguments["out_channels"],
            groups=arguments["groups"],
        )


def wrong_channels(given: str, weight: Shape, wanted: int, shape: Shape) -> ShapeError:
    """Say that other channels arrive than the kernels were made for."""
    batched = shape if len(shape) == len(weight) else (1, *shape)
    channels = batched[1]
    return ShapeError(
        N_(
            "The layer was built for in_channels = {wanted}, but {channels} channels arrive; "
            "write in_channels={channels}."
        ),
        torch=f"Given {given}, weight of size {listed(weight)}, expected input{listed(batched)} "
        f"to have {wanted} channels, but got {channels} channels instead",
        wanted=wanted,
        channels=channels,
    )


def refuse_large_kernel(axes: tuple[Axis, ...]) -> None:
    """Refuse a window that is larger than the image with its padding."""
    padded = tuple(axis.size + axis.before + axis.after for axis in axes)
    spans = tuple(axis.span for axis in axes)
    if any(span > size for span, size in zip(spans, padded, strict=True)):
        raise ShapeError(
            N_("The kernel covers {kernel} pixels, but with padding there are only {size}; not one window fits."),
            torch=f"Calculated padded input size per channel: ({' x '.join(map(str, padded))}). "
            f"Kernel size: ({' x '.join(map(str, spans))}). Kernel size can't be greater than actual input size",
            kernel=quoted(spans),
            size=quoted(padded),
        )


def refuse_empty(pixels: Shape, shape: Shape) -> None:
    """Refuse an image without pixels."""
    if 0 in pixels:
        raise ShapeError(
            N_("The image has no pixels."),
            torch=f"Only zero batch or zero channel inputs are supported, but got input shape: {listed(shape)}",
        )


def refuse_large_extra(dims: int, extra: Shape, stride: Shape, dilation: Shape) -> None:
    """Refuse an output padding that no stride explains."""
    if all(more < max(step, gap) for more, step, gap in zip(extra, stride, dilation, strict=True)):
        return
    names = NAMES[3] if dims == 3 else NAMES[2]
    parts = []
    for word, values, neutral in (("output_padding", extra, 0), ("stride", stride, 1), ("dilation", dilation, 1)):
        padded = (neutral, *values) if dims == 1 else values
        parts += [f"{word}_{name}: {value}" for name, value in zip(names, padded, strict=True)]
    raise ShapeError(
        N_("output_padding picks one of the sizes that a stride leaves open, so it must be smaller than the stride."),
        torch=f"output padding must be smaller than either stride or dilation, but got {' '.join(parts)}",
    )


def refuse_small_output(dims: int, axes: tuple[Axis, ...]) -> None:
    """Refuse padding that cuts everything away."""
    if min(axis.out for axis in axes) >= 0 and any(axis.out > 0 for axis in axes):
        return
    pixels, out = tuple(axis.size for axis in axes), tuple(axis.out for axis in axes)
    flat = (1,) if dims == 1 else ()
    raise ShapeError(
        N_("Nothing would be left: the output would be {out} pixels; padding takes pixels away here."),
        torch=f"Given input size per channel: ({' x '.join(map(str, flat + pixels))}). "
        f"Calculated output size per channel: ({' x '.join(map(str, flat + out))}). Output size is too small",
        out=quoted(out),
    )
