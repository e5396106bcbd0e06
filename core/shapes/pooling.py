"""Pooling: the largest value or the average of each window; adaptive pooling to a wanted size.

Source: torch.nn.MaxPool2d, AvgPool2d, AdaptiveAvgPool2d ("Shape"). Course: "卷积神经网络".
"""

from __future__ import annotations

from functools import partial

from core.messages import N_
from core.shapes.arguments import spread
from core.shapes.errors import ShapeError
from core.shapes.layer import Argument, Arguments, Layer, Result, Shape, Step, Value
from core.shapes.pooling_refusals import (
    refuse_adaptive_rank,
    refuse_bad_line,
    refuse_bad_windows,
    refuse_empty,
    refuse_empty_images,
    refuse_indices,
    refuse_negative_size,
    refuse_rank,
    refuse_small_output,
    wrong_count,
    wrong_rank,
)
from core.shapes.windows import LETTERS, NAMES, AdaptiveAxis, Axis


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
    refuse_empty_images(dims, kind, shape)
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


def wanted_sizes(dims: int, kind: str, given: Value, shape: Shape) -> Shape:
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
        return (given,) * dims
    if dims == 1:
        return given
    if len(shape) <= len(given):
        raise ShapeError(
            N_("This layer takes ({axes}) or a batch of them (N, {axes}), not {rank} dimensions."),
            torch=f"Input dimension should be at least {len(given) + 1}",
            error_type="ValueError",
            axes=", ".join(LETTERS[dims]),
            rank=len(shape),
        )
    kept = shape[-len(given) :]
    return tuple(size if want is None else want for want, size in zip(given, kept, strict=False))


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
