"""What PyTorch refuses about pooling, in its order and its words (ATen's Pool.h, Pooling.cpp, AdaptivePooling.h)."""

from __future__ import annotations

from core.messages import N_
from core.shapes.arguments import quoted
from core.shapes.errors import ShapeError
from core.shapes.layer import Arguments, Shape, listed
from core.shapes.windows import LETTERS, Axis

AXES = {2: ("H", "W"), 3: ("T", "H", "W")}  # in these messages
COUNTS = {1: "one int", 2: "two ints", 3: "three ints"}


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
        N_("This layer takes ({axes}) or a batch of them (N, {axes}), not {rank} dimensions."),
        torch=torch,
        error_type=error_type,
        axes=", ".join(LETTERS[dims]),
        rank=len(shape),
    )


def refuse_bad_windows(dims: int, kind: str, windows: tuple[Shape, Shape, Shape, Shape], shape: Shape) -> None:
    """Refuse windows that are empty, stand still or lie in the padding."""
    for width, step, pad, gap in zip(*windows, strict=True):
        refuse_bad_window(width, step, pad, gap)
    for words, values in zip(WORDS, windows, strict=True):
        refuse_nothing(dims, words, values)
    refuse_empty(dims, kind, shape)
    refuse_much_padding(windows[0], windows[2])


def refuse_much_padding(kernel: Shape, padding: Shape) -> None:
    """Refuse padding of more than half of the kernel, as dilation alone would allow."""
    if all(2 * pad <= width for width, pad in zip(kernel, padding, strict=True)):
        return
    if len(kernel) == 2:
        parts = f"padW = {padding[1]}, padH = {padding[0]}, kW = {kernel[1]}, kH = {kernel[0]}"
    else:
        sizes, pads = (
            " ".join(f"{word}{name}: {values[axis]}" for axis, name in ((0, "T"), (2, "W"), (1, "H")))
            for word, values in (("k", kernel), ("pad", padding))
        )
        parts = f"{sizes} {pads}"
    raise ShapeError(
        HALF,
        torch=f"pad should be smaller than or equal to half of kernel size, but got {parts}",
        padding=max(padding),
        kernel=min(kernel),
    )


def refuse_bad_window(width: int, step: int, pad: int, gap: int) -> None:
    """Refuse a window that stands still, or that may lie in the padding, on one axis."""
    if step == 0:
        sentence = STRIDE if width else KERNEL  # the stride is the kernel_size where it is not given
        raise ShapeError(sentence, torch="stride should not be zero")
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


def refuse_nothing(dims: int, words: tuple[str, str, str], values: Shape) -> None:
    """Refuse zero and negative numbers; a line is an image of one row to PyTorch."""
    name, short, sentence = words
    flat = (1, *values) if dims == 1 else values
    if sentence and min(flat) <= 0:
        parts = " ".join(f"{short}{letter}: {value}" for letter, value in zip(AXES[len(flat)], flat, strict=True))
        raise ShapeError(sentence, torch=f"{name} should be greater than zero, but got {parts}")


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
        pairs = tuple(zip(AXES[3], axes, strict=True))
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


def refuse_empty_images(dims: int, kind: str, shape: Shape) -> None:
    """Refuse images without pixels, and for the largest value also those without channels."""
    first = len(shape) - dims
    checked = range(first if "avg" in kind else min(1, first), len(shape))
    empty = next((axis for axis in checked if shape[axis] == 0), None)
    if empty is None:
        return
    if kind == "adaptive_avg_pool1d":
        kind, shape = "adaptive_avg_pool2d", (*shape[:-1], 1, shape[-1])
        empty += 1
    raise ShapeError(
        N_("The image has no pixels."),
        torch=f"{kind}(): Expected input to have non-zero size for non-batch dimensions, but input has sizes "
        f"{listed(shape)} with dimension {empty} being empty",
    )
