"""Pooling: the largest value or the average of each window; adaptive pooling to a wanted size.

Source: torch.nn.MaxPool2d, AvgPool2d, AdaptiveAvgPool2d ("Shape"). Course: "卷积神经网络".
"""

from __future__ import annotations

from functools import partial

from core.messages import N_
from core.shapes.arguments import quoted, spread
from core.shapes.errors import ShapeError
from core.shapes.layer import Argument, Arguments, Layer, Result, Shape, Step, listed
from core.shapes.windows import NAMES, AdaptiveAxis, Axis

LETTERS = {2: ("H", "W"), 3: ("T", "H", "W")}
COUNTS = {1: "one int", 2: "two ints", 3: "three ints"}


def pooling(dims: int, kind: str, arguments: Arguments, inputs: tuple[Shape, ...]) -> Result:
    """Slide windows over each channel by itself: (N, C, …) -> (N, C, …), or the same without N."""
    shape = inputs[0]
    refuse_indices(arguments)
    if dims == 1:
        refuse_rank(dims, kind, shape)
    kernel, stride, padding, dilation = windows = windows_of(dims, kind, arguments)
    if dims > 1:
        refuse_rank(dims, kind, shape)
    if kind == "max_pool1d":
        refuse_empty(dims, kind, shape)
        refuse_bad_line(kernel[0], stride[0], padding[0], dilation[0])
    else:
        refuse_bad_windows(dims, kind, windows, shape)
    axes = tuple(
        Axis(
            name=name, size=size, kernel=width, stride=step, before=pad, after=pad, dilation=gap,
            ceil=bool(arguments["ceil_mode"]),
        )
        for name, size, width, step, pad, gap in zip(
            NAMES[dims], shape[-dims:], kernel, stride, padding, dilation, strict=True
        )
    )  # fmt: skip
    refuse_small_output(dims, kind, shape, axes)
    return Result(
        out_shape=(*shape[:-dims], *(axis.out for axis in axes)),
        axes=axes,
        steps=tuple(Step(label=axis.name, text=axis.formula()) for axis in axes),
    )


def adaptive_pooling(dims: int, kind: str, arguments: Arguments, inputs: tuple[Shape, ...]) -> Result:
    """Lay out_size windows over each channel, whatever its size: (N, C, …) -> (N, C, *output_size)."""
    shape = inputs[0]
    refuse_indices(arguments)
    wanted = wanted_sizes(dims, kind, arguments["output_size"], shape)
    if kind in ("adaptive_avg_pool2d", "adaptive_avg_pool3d") and set(wanted) == {1} and len(wanted) == dims:
        return mean_of_all(dims, shape)
    refuse_adaptive_rank(dims, kind, shape, wanted)
    if "max" in kind or dims == 1:
        refuse_negative_size(dims, kind, shape, wanted)
    first = len(shape) - dims
    empty = next(
        (axis for axis in range(first if "avg" in kind else min(1, first), len(shape)) if shape[axis] == 0), None
    )
    if empty is not None:
        name = "adaptive_avg_pool2d" if kind == "adaptive_avg_pool1d" else kind
        view = (*shape[:-1], 1, shape[-1]) if kind == "adaptive_avg_pool1d" else shape
        raise ShapeError(
            N_("The image has no pixels."),
            torch=f"{name}(): Expected input to have non-zero size for non-batch dimensions, but input has sizes "
            f"{listed(view)} with dimension {view.index(0, 1)} being empty",
        )
    axes = tuple(
        AdaptiveAxis(name=name, size=size, wanted=want)
        for name, size, want in zip(NAMES[dims], shape[-dims:], wanted, strict=True)
    )
    return Result(
        out_shape=(*shape[:-dims], *wanted),
        axes=axes,
        steps=tuple(Step(label=axis.name, text=axis.formula()) for axis in axes),
    )


def mean_of_all(dims: int, shape: Shape) -> Result:
    """Take the mean of every channel: what PyTorch does for a wanted size of 1, and then for inputs of any rank."""
    if len(shape) < dims:
        reach = max(len(shape), 1)
        raise wrong_rank(
            dims,
            shape,
            f"Dimension out of range (expected to be in range of [{-reach}, {reach - 1}], but got {-dims})",
            "IndexError",
        )
    axes = tuple(
        AdaptiveAxis(name=name, size=size, wanted=1) for name, size in zip(NAMES[dims], shape[-dims:], strict=True)
    )
    steps = tuple(Step(label=axis.name, text=axis.formula()) for axis in axes)
    return Result(out_shape=(*shape[:-dims], *(1,) * dims), axes=axes, steps=steps)


def windows_of(dims: int, kind: str, arguments: Arguments) -> tuple[Shape, Shape, Shape, Shape]:
    """Return kernel, stride, padding and dilation per axis; the stride is the kernel unless it is given."""
    given = {name: arguments[name] for name in ("kernel_size", "stride", "padding")}
    given["stride"] = given["kernel_size"] if given["stride"] in (None, ()) else given["stride"]
    given["dilation"] = arguments.get("dilation", 1)
    per_axis = {name: spread(value, dims) for name, value in given.items()}
    for name, values in per_axis.items():
        if len(values) != dims:
            raise ShapeError(
                N_("{name} needs one number for all axes or exactly {dims} of them, not {count}."),
                torch=wrong_count(dims, kind, name, len(values)),
                name=name,
                dims=dims,
                count=len(values),
            )
    return per_axis["kernel_size"], per_axis["stride"], per_axis["padding"], per_axis["dilation"]


def wanted_sizes(dims: int, kind: str, given: object, shape: Shape) -> Shape:
    """Return output_size per axis; None keeps the size of an axis."""
    if given is None or (dims == 1 and given == (None,)):
        raise ShapeError(
            N_("output_size must be a number, or one for each axis; only there may None stand for “as it is”."),
            torch=f"{kind}(): argument 'output_size' (position 2) must be tuple of ints, not NoneType"
            if dims == 1
            else "object of type 'NoneType' has no len()",
            error_type="TypeError",
        )
    if not isinstance(given, tuple):
        return (int(str(given)),) * dims
    if dims == 1:
        return given
    if len(shape) <= len(given):
        raise ShapeError(
            N_("This layer takes (channels, {axes}) or the same with a batch in front, not {rank} dimensions."),
            torch=f"Input dimension should be at least {len(given) + 1}",
            error_type="ValueError",
            axes=", ".join(NAMES[dims]),
            rank=len(shape),
        )
    kept = shape[-len(given) :]
    return tuple(size if want is None else want for want, size in zip(given, kept, strict=False))


def refuse_count(dims: int, kind: str, wanted: Shape) -> None:
    """Refuse an output_size of more or fewer numbers than there are axes."""
    if len(wanted) == dims:
        return
    words = f"{kind}(): internal error: output_size.size() must be {dims}"
    if dims == 1:
        words = f"{kind}() argument 'output_size' should contain one int (got {len(wanted)})"
    elif "avg" in kind:
        words = f"{kind}: output_size must be {dims}"
    raise ShapeError(
        N_("{name} needs one number for all axes or exactly {dims} of them, not {count}."),
        torch=words,
        name="output_size",
        dims=dims,
        count=len(wanted),
    )


# What PyTorch refuses -----------------------------------------------------------------------------------------------


def refuse_indices(arguments: Arguments) -> None:
    """Refuse a layer that returns two tensors."""
    if arguments.get("return_indices"):
        raise ShapeError(N_("return_indices makes two tensors of one; it is not followed here, leave it out."))


def wrong_count(dims: int, kind: str, name: str, count: int) -> str:
    """Return PyTorch's words for a tuple of the wrong length."""
    if kind == "avg_pool1d":
        return f"avg_pool1d() argument '{name}' should contain one int (got {count})"
    if kind == "max_pool1d":
        lists = {
            "stride": "None, an int, list of ints, or tuple",
            "padding": "an int, list of ints, or tuple",
        }.get(name, "an int, list of ints or tuple")
        return f"max_pool1d() {name} must be {lists} of ints of size 1 but got size {count}"
    either = {"avg_pool3d": "be "}.get(kind, "either be " if name != "dilation" else "be either ")
    omitted = "omitted, " if name == "stride" else ""
    return f"{kind}: {name} must {either}{omitted}a single int, or a tuple of {COUNTS[dims]}"


def refuse_rank(dims: int, kind: str, shape: Shape) -> None:
    """Refuse inputs that are no (batches of) images."""
    if len(shape) in (dims + 1, dims + 2) or (kind == "avg_pool2d" and len(shape) > 4):
        return  # which refuses the latter after everything else
    torch = f"non-empty {dims + 1}D or {dims + 2}D (batch mode) tensor expected for input"
    if kind == "max_pool1d":
        torch = optional_batch("max_pool1d: Expected 2D or 3D", shape)
    elif kind == "avg_pool1d":
        torch = (
            f"Expected 2 to 3 dimensions, but got {len(shape)}-dimensional tensor for argument #1 'self' "
            "(while checking arguments for avg_pool1d)"
        )
    elif kind == "avg_pool2d" and not shape:
        torch = "Dimension specified as -3 but tensor has no dimensions"
    elif kind == "avg_pool2d":
        torch = f"Dimension out of range (expected to be in range of [-{len(shape)}, {len(shape) - 1}], but got -3)"
    raise wrong_rank(dims, shape, torch, "IndexError" if torch.startswith("Dimension") else "RuntimeError")


def optional_batch(start: str, shape: Shape) -> str:
    """Return PyTorch's words for an input that is no image or has no pixels."""
    return f"{start} (batch mode) tensor with optional 0 dim batch size for input, but got:{listed(shape)}"


def refuse_adaptive_rank(dims: int, kind: str, shape: Shape, wanted: Shape) -> None:
    """Refuse inputs that are no (batches of) images, and wanted sizes that are none."""
    if "avg" in kind and dims > 1:
        refuse_count(dims, kind, wanted)
        refuse_negative_size(dims, kind, shape, wanted)
    if len(shape) not in (dims + 1, dims + 2):
        colon = ":" if "max" in kind else ""
        torch = f"{kind}(): Expected {dims + 1}D or {dims + 2}D tensor, but got{colon} {listed(shape)}"
        if dims == 1:
            torch = (
                f"Expected 2 to 3 dimensions, but got {len(shape)}-dimensional tensor for argument #1 'self' "
                f"(while checking arguments for {kind})"
            )
        raise wrong_rank(dims, shape, torch)
    refuse_count(dims, kind, wanted)


def wrong_rank(dims: int, shape: Shape, torch: str, error_type: str = "RuntimeError") -> ShapeError:
    """Say how many dimensions there should be."""
    return ShapeError(
        N_("This layer takes (channels, {axes}) or the same with a batch in front, not {rank} dimensions."),
        torch=torch,
        error_type=error_type,
        axes=", ".join(NAMES[dims]),
        rank=len(shape),
    )


def refuse_bad_windows(dims: int, kind: str, windows: tuple[Shape, Shape, Shape, Shape], shape: Shape) -> None:
    """Refuse windows that are empty, stand still or lie in the padding."""
    for width, step, pad, gap in zip(*windows, strict=True):
        refuse_bad_window(width, step, pad, gap)
    kernel, stride, padding, dilation = (refuse_nothing(dims, *each) for each in zip(WORDS, windows, strict=True))
    refuse_empty(dims, kind, shape)
    if any(2 * pad > width for width, pad in zip(kernel, padding, strict=True)):
        names = LETTERS[len(kernel)]
        pads = [f"pad{name}{sign}{pad}" for name, pad in zip(names, padding, strict=True) for sign in (" = ", ": ")]
        sizes = [f"k{name}{sign}{width}" for name, width in zip(names, kernel, strict=True) for sign in (" = ", ": ")]
        del stride, dilation
        raise ShapeError(
            HALF,
            torch="pad should be smaller than or equal to half of kernel size, but got "
            + (
                ", ".join((pads[2], pads[0], sizes[2], sizes[0]))
                if len(kernel) == 2
                else " ".join((sizes[1], sizes[5], sizes[3], pads[1], pads[5], pads[3]))
            ),
            padding=max(padding),
            kernel=min(kernel),
        )


def refuse_bad_window(width: int, step: int, pad: int, gap: int) -> None:
    """Refuse a window that stands still, or that may lie in the padding, on one axis."""
    if step == 0:
        raise ShapeError(STRIDE, torch="stride should not be zero")
    if pad < 0:
        raise ShapeError(N_("padding cannot be negative."), torch=f"pad must be non-negative, but got pad: {pad}")
    if pad > int((gap * (width - 1) + 1) / 2):
        raise ShapeError(
            HALF,
            torch="pad should be at most half of effective kernel size, but got "
            f"pad={pad}, kernel_size={width} and dilation={gap}",
            padding=pad,
            kernel=width,
        )


def refuse_nothing(dims: int, words: tuple[str, str, str], values: Shape) -> Shape:
    """Refuse zero and negative numbers; returns the values, with an axis of one pixel in front of a single one."""
    name, short, sentence = words
    neutral = 0 if name == "padding" else 1
    flat = (neutral, *values) if dims == 1 else values
    if sentence and min(flat) <= 0:
        parts = " ".join(f"{short}{letter}: {value}" for letter, value in zip(LETTERS[len(flat)], flat, strict=True))
        raise ShapeError(sentence, torch=f"{name} should be greater than zero, but got {parts}")
    return flat


STRIDE = N_("stride must be at least 1, or the window would not move on.")
KERNEL = N_("kernel_size must be at least 1.")
DILATION = N_("dilation must be at least 1, the distance between neighbouring weights.")
WORDS = (  # PyTorch's names for kernel, stride, padding and dilation, and what is wrong with numbers below one
    ("kernel size", "k", KERNEL),
    ("stride", "d", STRIDE),
    ("padding", "pad", ""),
    ("dilation", "dilation", DILATION),
)
HALF = N_(
    "padding = {padding} is more than half of kernel_size = {kernel}; some windows would see nothing but padding."
)


def refuse_bad_line(kernel: int, stride: int, padding: int, dilation: int) -> None:
    """Do the same for max_pool1d, which has its own words."""
    for name, value, sentence in (("kernel_size", kernel, KERNEL), ("stride", stride, STRIDE)):
        if value <= 0:
            raise ShapeError(sentence, torch=f"max_pool1d() {name} must be greater than zero, but got {value}")
    if padding < 0:
        raise ShapeError(
            N_("padding cannot be negative."), torch=f"max_pool1d() padding must be non-negative, but got {padding}"
        )
    if padding > kernel // 2:
        raise ShapeError(
            HALF,
            torch="max_pool1d() padding should be at most half of kernel size, but got "
            f"padding={padding} and kernel_size={kernel}",
            padding=padding,
            kernel=kernel,
        )
    if dilation <= 0:
        raise ShapeError(DILATION, torch=f"max_pool1d() dilation must be greater than zero, but got {dilation}")


def refuse_empty(dims: int, kind: str, shape: Shape) -> None:
    """Refuse images without channels or pixels; a batch may be empty."""
    inner = shape[-dims - 1 :]
    if len(shape) > dims + 2:
        raise wrong_rank(dims, shape, optional_batch("Expected 3D or 4D", shape))
    if 0 not in inner:
        return
    if dims == 3:
        name = "max_pool3d_with_indices_out_cpu_template" if kind == "max_pool3d" else "avg_pool3d"
        torch = (
            f"{name}(): Expected input's non-batch dimensions to have positive length, but input has a shape of "
            f"{listed(shape)} and non-batch dimension {inner.index(0)} has length zero!"
        )
    else:
        start = "max_pool1d: Expected 2D or 3D" if kind == "max_pool1d" else "Expected 3D or 4D"
        view = (*shape[:-1], 1, shape[-1]) if kind == "avg_pool1d" else shape
        torch = optional_batch(start, view)
    raise ShapeError(N_("The image has no pixels."), torch=torch)


def refuse_small_output(dims: int, kind: str, shape: Shape, axes: tuple[Axis, ...]) -> None:
    """Refuse windows that do not fit once."""
    too_large = kind == "avg_pool3d" and any(axis.kernel > axis.size for axis in axes)  # padding does not count there
    if all(axis.out >= 1 for axis in axes) and not too_large:
        return
    out = tuple(axis.out for axis in axes)
    flat = (1,) if kind == "avg_pool1d" else ()
    before = (shape[-dims - 1], *flat, *shape[-dims:])
    after = (shape[-dims - 1], *flat, *out)
    torch = (
        f"Given input size: ({'x'.join(map(str, before))}). "
        f"Calculated output size: ({'x'.join(map(str, after))}). Output size is too small"
    )
    if kind == "max_pool1d":
        torch = f"max_pool1d() Invalid computed output size: {out[0]}"
    elif kind == "avg_pool3d":
        pairs = tuple(zip(LETTERS[3], axes, strict=True))
        torch = (
            f"input image ({' '.join(f'{letter}: {axis.size}' for letter, axis in pairs)}) smaller than "
            f"kernel size ({' '.join(f'k{letter}: {axis.kernel}' for letter, axis in pairs)})"
        )
    raise ShapeError(
        N_("The window covers {kernel} pixels, but the image has only {size}; not one window fits."),
        torch=torch,
        kernel=quoted(tuple(axis.span for axis in axes)),
        size=quoted(tuple(axis.size for axis in axes)),
    )


def refuse_negative_size(dims: int, kind: str, shape: Shape, wanted: Shape) -> None:
    """Refuse a negative output_size."""
    if min(wanted) >= 0:
        return
    if "avg" in kind:
        padded = (1, *wanted) if dims == 1 else wanted
        name = "adaptive_avg_pool2d" if dims == 1 else kind
        joined = f"{padded[0]}, {padded[1]}" + (f",{padded[2]}" if len(padded) == 3 else "")
        torch = f"{name}: elements of output_size must be greater than or equal to 0 but received {{{joined}}}"
    else:
        made = (*shape[:-1], 1, *wanted) if dims == 1 else (*shape[:-dims], *wanted)
        bad = next(size for size in made if size < 0)
        torch = f"Trying to create tensor with negative dimension {bad}: {listed(made)}"
    raise ShapeError(N_("output_size cannot be negative: {size}."), torch=torch, size=quoted(wanted))


# The registry -------------------------------------------------------------------------------------------------------

KERNEL_AND_STRIDE = (
    Argument("kernel_size", form="sizes"),
    Argument("stride", None, "sizes", optional=True),
    Argument("padding", 0, "sizes", low=0),
)
CEIL = Argument("ceil_mode", False, "flag")
INDICES = Argument("return_indices", False, "flag")
COUNTED = Argument("count_include_pad", True, "flag")
DILATED = Argument("dilation", 1, "sizes")
DIVISOR = Argument("divisor_override", None, "size", optional=True)
MAX_TITLES = {1: N_("Max pooling along a line"), 2: N_("Max pooling"), 3: N_("Max pooling in space")}
AVG_TITLES = {1: N_("Average pooling along a line"), 2: N_("Average pooling"), 3: N_("Average pooling in space")}
ADAPTIVE_TITLES = {"avg": N_("Average pooling to a given size"), "max": N_("Max pooling to a given size")}
MAX_MODULE = (*KERNEL_AND_STRIDE, DILATED, INDICES, CEIL)
MAX_FUNCTION = (*KERNEL_AND_STRIDE, DILATED, CEIL, INDICES)  # torch.nn.functional has the last two the other way round


def refuse_zero_divisor(arguments: Arguments, inputs: tuple[Shape, ...], rule: partial[Result]) -> Result:
    """Average over windows, unless they are divided by zero."""
    result: Result = rule(arguments, inputs)
    if arguments.get("divisor_override") == 0:
        raise ShapeError(N_("divisor_override cannot be 0."), torch="divisor must be not zero")
    return result


def _average(dims: int, arguments: Arguments, inputs: tuple[Shape, ...]) -> Result:
    return refuse_zero_divisor(arguments, inputs, partial(pooling, dims, f"avg_pool{dims}d"))


def _layers(dims: int) -> dict[str, Layer]:
    average = (*KERNEL_AND_STRIDE, CEIL, COUNTED) + (() if dims == 1 else (DIVISOR,))
    made = []
    for kind, form in ((f"MaxPool{dims}d", "module"), (f"max_pool{dims}d", "function")):
        made.append(
            Layer(
                kind=kind,
                title=MAX_TITLES[dims],
                rule=partial(pooling, dims, f"max_pool{dims}d"),
                arguments=MAX_MODULE if form == "module" else MAX_FUNCTION,
                form="module" if form == "module" else "function",
                keeps=frozenset({"input", "indices"}),
                effect="windows",
            )
        )
        made.append(
            Layer(
                kind=kind.replace("Max", "Avg").replace("max", "avg"),
                title=AVG_TITLES[dims],
                rule=partial(_average, dims),
                arguments=average,
                form="module" if form == "module" else "function",
                keeps=frozenset({"input"}),
                effect="windows",
            )
        )
    for way in ("avg", "max"):
        for kind in (f"Adaptive{way.title()}Pool{dims}d", f"adaptive_{way}_pool{dims}d"):
            made.append(
                Layer(
                    kind=kind,
                    title=ADAPTIVE_TITLES[way],
                    rule=partial(adaptive_pooling, dims, f"adaptive_{way}_pool{dims}d"),
                    arguments=(Argument("output_size", form="sizes", low=0, optional=True),)
                    + ((INDICES,) if way == "max" else ()),
                    form="module" if kind[0] == "A" else "function",
                    keeps=frozenset({"input", "indices"} if way == "max" else {"input"}),
                    effect="windows",
                )
            )
    return {layer.kind: layer for layer in made}


POOLINGS: dict[str, Layer] = {**_layers(1), **_layers(2), **_layers(3)}
