"""Images made larger and smaller: padding, interpolation, pixel shuffle.

Source: torch.nn.functional.pad, interpolate and pixel_shuffle.
"""

from __future__ import annotations

from functools import partial

from core.messages import N_
from core.shapes.errors import ShapeError
from core.shapes.layer import Argument, Arguments, Layer, Result, Shape, Step, listed
from core.shapes.windows import NAMES, ScaledAxis


def pad(arguments: Arguments, inputs: tuple[Shape, ...]) -> Result:
    """Add pixels around the last dimensions, the last one first: (left, right, top, bottom, …)."""
    shape, sides, mode = inputs[0], tuple(arguments["pad"]), arguments["mode"]
    refuse_bad_padding(shape, sides, mode)
    out = list(shape)
    for pair in range(len(sides) // 2):
        axis, before, after = len(shape) - 1 - pair, sides[2 * pair], sides[2 * pair + 1]
        refuse_bad_sides(shape, axis, (before, after), mode)
        out[axis] += before + after
    return Result(out_shape=tuple(out))


def refuse_bad_padding(shape: Shape, sides: Shape, mode: str) -> None:
    """Refuse padding of an odd length, of more dimensions than there are, or of an unknown kind."""
    if len(sides) % 2:
        raise ShapeError(
            N_("Padding comes in pairs, before and behind; {count} numbers are no pairs."),
            torch="Padding length must be divisible by 2",
            count=len(sides),
        )
    if len(sides) > 2 * len(shape):
        raise ShapeError(
            N_("There are {count} numbers of padding, two per dimension, for {rank} dimensions only."),
            torch="Padding length should be less than or equal to two times the input dimension but got padding length "
            f"{len(sides)} and input of dimension {len(shape)}",
            count=len(sides),
            rank=len(shape),
        )
    if mode not in ("constant", "reflect", "replicate", "circular"):
        raise ShapeError(
            N_("The mode of padding must be constant, reflect, replicate or circular, not {mode}."),
            torch=f"Unrecognised padding mode {mode}",
            error_type="NotImplementedError",
            mode=mode[:40],
        )
    if mode != "constant" and len(shape) not in (len(sides) // 2 + 1, len(sides) // 2 + 2):
        raise ShapeError(
            N_(
                "With {mode}, all dimensions but channels (and batch) are padded: "
                "{count} numbers do not fit {rank} dimensions."
            ),
            torch=f"Padding size {len(sides)} is not supported for {len(shape)}D input tensor.\n"
            "Supported combinations for non-constant padding:\n"
            "  - 2D or 3D input: padding size = 2 (pads last dimension)\n"
            "  - 3D or 4D input: padding size = 4 (pads last 2 dimensions)\n"
            "  - 4D or 5D input: padding size = 6 (pads last 3 dimensions)",
            error_type="NotImplementedError",
            mode=mode,
            count=len(sides),
            rank=len(shape),
        )


def refuse_bad_sides(shape: Shape, axis: int, sides: Shape, mode: str) -> None:
    """Refuse padding that takes more away than there is, or mirrors more than there is."""
    size, (before, after) = shape[axis], sides
    if min(before, 0) + min(after, 0) + size < 0:
        raise ShapeError(
            N_("Negative padding takes pixels away, and there are only {size}."),
            torch="narrow(): length must be non-negative.",
            size=size,
        )
    if mode != "constant" and size + before + after < 1:
        raise ShapeError(
            N_("Negative padding takes pixels away, and there are only {size}."),
            torch=f"input (W: {size}) is too small. Calculated output W: {size + before + after}",
            size=size,
        )
    if mode == "reflect" and max(before, after) >= size:
        raise ShapeError(
            N_("Reflected padding must be smaller than the image: {padding} pixels do not fit into {size}."),
            torch=f"Argument #{2 + 2 * (len(shape) - axis)}: Padding size should be less than the corresponding input "
            f"dimension, but got: padding ({before}, {after}) at dimension {axis} of input {listed(shape)}",
            padding=max(before, after),
            size=size,
        )
    if mode == "circular" and max(before, after) > size:
        raise ShapeError(
            N_("Circular padding can go around once only: {padding} pixels are more than the {size} there are."),
            torch="Padding value causes wrapping around more than once.",
            padding=max(before, after),
            size=size,
        )


def zero_pad(dims: int, mode: str, arguments: Arguments, inputs: tuple[Shape, ...]) -> Result:
    """Do the same as a module: one number for all sides, or two for each dimension."""
    given, rank = arguments["padding"], len(inputs[0])
    if mode == "circular" and rank not in (dims + 1, dims + 2):
        raise ShapeError(
            N_("This layer takes {expected} inputs, not {rank}D."),
            torch=f"expected {dims + 1}D or {dims + 2}D input (got {rank}D input)",
            error_type="ValueError",
            expected=f"{dims + 1}D or {dims + 2}D",
            rank=rank,
        )
    sides = given if isinstance(given, tuple) else (given,) * (2 * dims)
    return pad({"pad": sides, "mode": mode}, inputs)


MODES = {  # and the numbers of dimensions that each is made for
    "nearest": (3, 4, 5),
    "nearest-exact": (3, 4, 5),
    "area": (3, 4, 5),
    "linear": (3,),
    "bilinear": (4,),
    "bicubic": (4,),
    "trilinear": (5,),
}
TAPS = {"linear": 2, "bilinear": 2, "trilinear": 2, "bicubic": 4}  # input pixels per output pixel and axis


def interpolate(arguments: Arguments, inputs: tuple[Shape, ...]) -> Result:
    """Resize an image to a given size, or by a factor: (N, C, …) -> (N, C, …)."""
    shape, mode = inputs[0], arguments["mode"]
    if arguments["align_corners"] is not None and mode in ("nearest", "area", "nearest-exact"):
        raise ShapeError(
            N_("align_corners has a meaning for linear, bilinear, bicubic and trilinear only."),
            torch="align_corners option can only be set with the interpolating modes: "
            "linear | bilinear | bicubic | trilinear",
            error_type="ValueError",
        )
    pixels = shape[2:]
    wanted = resized(arguments, pixels)
    refuse_mode(shape, mode)
    if pixels and min(*pixels, *wanted) <= 0:
        letters = ("D", "H", "W")[-len(pixels) :]
        sizes = [
            ", ".join(f"{name}: {size}" for name, size in zip(letters, each, strict=True)) for each in (pixels, wanted)
        ]
        raise ShapeError(
            N_("The new image would have no pixels."),
            torch=f"Input and output sizes should be greater than 0, but got input ({sizes[0]}) output ({sizes[1]})"
            if mode != "area"
            else "",
        )
    axes = tuple(
        ScaledAxis(name=name, size=size, wanted=want, kernel=min(TAPS.get(mode, 1), size))
        for name, size, want in zip(NAMES[len(pixels)], pixels, wanted, strict=True)
    )
    steps = tuple(Step(label=axis.name, text=axis.formula()) for axis in axes)
    return Result(out_shape=(*shape[:2], *wanted), axes=axes, steps=steps)


def upsample(arguments: Arguments, inputs: tuple[Shape, ...]) -> Result:
    """Do the same as a module, which turns factors into floating-point numbers."""
    factor = arguments["scale_factor"]
    return interpolate(
        {**arguments, "scale_factor": tuple(map(float, factor)) if isinstance(factor, tuple) else factor}, inputs
    )


def resized(arguments: Arguments, pixels: Shape) -> Shape:
    """Return the new size, ⌊size·factor⌋ per axis where a factor is given."""
    size, factor = arguments["size"], arguments["scale_factor"]
    if (size is None) == (factor is None):
        raise ShapeError(
            N_("Give either size or scale_factor."),
            torch="either size or scale_factor should be defined"
            if size is None
            else "only one of size or scale_factor should be defined",
            error_type="ValueError",
        )
    given, name, word = (
        (size, "output size of", "output size") if factor is None else (factor, "scale_factor of shape", "scale_factor")
    )
    if isinstance(given, tuple) and len(given) != len(pixels):
        letter, other = ("o", "Input and output") if factor is None else ("s", "Input and scale_factor")
        raise ShapeError(
            N_("{name} needs one number for all axes or exactly {dims} of them, not {count}."),
            torch=f"{other} must have the same number of spatial dimensions, but got input with spatial dimensions of "
            f"{list(pixels)} and {name} {given}. Please provide input tensor in (N, C, d1, d2, ...,dK) format and "
            f"{word} in ({letter}1, {letter}2, ...,{letter}K) format.",
            error_type="ValueError",
            name="size" if factor is None else "scale_factor",
            dims=len(pixels),
            count=len(given),
        )
    per_axis = given if isinstance(given, tuple) else (given,) * len(pixels)
    if factor is None:
        return tuple(per_axis)
    return tuple(int(pixel * float(times)) for pixel, times in zip(pixels, per_axis, strict=True))


def refuse_mode(shape: Shape, mode: str) -> None:
    """Refuse a way of resizing that is unknown or not made for inputs of this many dimensions."""
    ranks = MODES.get(mode, ())
    if len(shape) in ranks:
        return
    torch = (
        f"Input Error: Only 3D, 4D and 5D input Tensors supported (got {len(shape)}D) for the modes: nearest | "
        f"linear | bilinear | bicubic | trilinear | lanczos | area | nearest-exact (got {mode})"
    )
    if mode in ("linear", "bilinear", "trilinear") and len(shape) in (3, 4, 5):
        torch = f"Got {len(shape)}D input, but {mode} mode needs {ranks[0]}D input"
    raise ShapeError(
        N_("Resizing with mode {mode} does not work for {rank} dimensions; batch and channels count too."),
        torch=torch,
        error_type="NotImplementedError",
        mode=mode[:40],
        rank=len(shape),
    )


def pixel_shuffle(arguments: Arguments, inputs: tuple[Shape, ...]) -> Result:
    """Make r² channels into an image r times as large: (…, C·r², H, W) -> (…, C, H·r, W·r)."""
    shape, times = inputs[0], arguments["upscale_factor"]
    if len(shape) < 3:
        raise ShapeError(
            N_("This layer takes channels, height and width, so at least 3 dimensions, not {rank}."),
            torch="pixel_shuffle expects input to have at least 3 dimensions, but got input with "
            f"{len(shape)} dimension(s)",
            rank=len(shape),
        )
    if times <= 0:
        raise ShapeError(
            N_("upscale_factor must be at least 1."),
            torch=f"pixel_shuffle expects a positive upscale_factor, but got {times}",
        )
    if shape[-3] % times**2:
        raise ShapeError(
            N_("{channels} channels cannot be split into groups of {square}."),
            torch="pixel_shuffle expects its input's 'channel' dimension to be divisible by the square of "
            f"upscale_factor, but input.size(-3)={shape[-3]} is not divisible by {times**2}",
            channels=shape[-3],
            square=times**2,
        )
    return Result(out_shape=(*shape[:-3], shape[-3] // times**2, shape[-2] * times, shape[-1] * times))


# The registry -------------------------------------------------------------------------------------------------------

RESIZE = (
    Argument("size", None, "sizes", optional=True),
    Argument("scale_factor", None, "number", optional=True),
    Argument("mode", "nearest", "choice", choices=tuple(MODES)),
    Argument("align_corners", None, "flag", optional=True),
    Argument("recompute_scale_factor", None, "flag", optional=True),
)
PADDING = (Argument("padding", form="sizes", low=0),)

RESIZING: dict[str, Layer] = {
    "pad": Layer(
        kind="pad",
        title=N_("Padding"),
        rule=pad,
        arguments=(
            Argument("pad", form="shape", low=0),
            Argument("mode", "constant", "choice", choices=("constant", "reflect", "replicate", "circular")),
            Argument("value", None, "number", optional=True),
        ),
        form="function",
        effect="structure",
    ),
    **{
        f"{word}Pad{dims}d": Layer(
            kind=f"{word}Pad{dims}d",
            title=N_("Padding"),
            rule=partial(zero_pad, dims, mode),
            arguments=PADDING + ((Argument("value", form="number"),) if word == "Constant" else ()),
            effect="structure",
        )
        for word, mode in (
            ("Zero", "constant"), ("Constant", "constant"), ("Reflection", "reflect"), ("Replication", "replicate"),
            ("Circular", "circular"),
        )
        for dims in (1, 2, 3)
    },
    "Upsample": Layer(kind="Upsample", title=N_("Resizing"), rule=upsample, arguments=RESIZE, effect="windows"),
    "interpolate": Layer(
        kind="interpolate",
        title=N_("Resizing"),
        rule=interpolate,
        arguments=(*RESIZE, Argument("antialias", False, "flag")),
        form="function",
        effect="windows",
    ),
    "PixelShuffle": Layer(
        kind="PixelShuffle",
        title=N_("Channels turned into pixels"),
        rule=pixel_shuffle,
        arguments=(Argument("upscale_factor"),),
        effect="structure",
    ),
}  # fmt: skip
