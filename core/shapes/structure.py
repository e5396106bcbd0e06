"""Operations that arrange the same values differently: view, flatten, permute, cat, means.

Source: torch.Tensor.view, torch.flatten, torch.permute, torch.cat.
Course: "卷积神经网络", where a comment says 此处自动算出的是320.
"""

from __future__ import annotations

from functools import partial

from core.messages import N_
from core.shapes.arguments import normal_dim
from core.shapes.errors import ShapeError
from core.shapes.layer import Argument, Arguments, Layer, Result, Shape, Step, Value, elements, listed, product

SIZE = N_("size")


def view(arguments: Arguments, inputs: tuple[Shape, ...]) -> Result:
    """Read the same values in another shape; one size may be −1, to be worked out."""
    shape, wanted = inputs[0], tuple(arguments["shape"])
    whole = elements(shape)
    known = refuse_bad_sizes(wanted)
    if whole != known and not (-1 in wanted and known > 0 and whole % known == 0):
        raise ShapeError(
            N_("{count} values ({product}) cannot be arranged as {shape}."),
            torch=f"shape '{listed(wanted)}' is invalid for input of size {whole}",
            count=whole,
            product=product(shape),
            shape=listed(wanted),
        )
    if -1 not in wanted:
        return Result(out_shape=wanted)
    if known == 0:
        raise ShapeError(
            N_("There are no values, so −1 could be any size."),
            torch=f"cannot reshape tensor of 0 elements into shape {listed(wanted)} because the unspecified "
            "dimension size -1 can be any value and is ambiguous",
        )
    step = Step(label=N_("worked out for −1"), text=inferred(shape, wanted, whole // known))
    return Result(out_shape=tuple(whole // known if size == -1 else size for size in wanted), steps=(step,))


def inferred(shape: Shape, wanted: Shape, size: int) -> str:
    """Write how −1 is worked out: 20·4·4 = 320, or 64·320/64 = 320 where the batch is not kept in front."""
    known = tuple(other for other in wanted if other != -1)
    if wanted == (*known, -1) and shape[: len(known)] == known:
        rest = shape[len(known) :]
        return f"{product(rest)} = {size}" if len(rest) > 1 else f"{size}"
    return (
        f"{product(shape)}/{product(known)} = {size}"
        if len(known) == 1
        else f"{product(shape)}/({product(known)}) = {size}"
    )


def refuse_bad_sizes(wanted: Shape) -> int:
    """Return the product of the known sizes; raises ShapeError for two −1 or other negative sizes."""
    known, inferred_one = 1, False
    for index, size in enumerate(wanted):
        if size == -1 and inferred_one:
            raise ShapeError(N_("Only one size can be −1."), torch="only one dimension can be inferred")
        if size < -1:
            raise ShapeError(
                N_("Sizes must be 0 or more; only −1 has a meaning of its own: work it out."),
                torch=f"invalid shape dimension {size} at index {index} of shape {listed(wanted)}",
            )
        inferred_one = inferred_one or size == -1
        known *= 1 if size == -1 else size
    return known


def flatten(arguments: Arguments, inputs: tuple[Shape, ...]) -> Result:
    """Join the dimensions from start_dim to end_dim into one: (N, C, H, W) -> (N, C·H·W)."""
    shape = inputs[0]
    start = normal_dim(arguments["start_dim"], len(shape))
    end = normal_dim(arguments["end_dim"], len(shape))
    if start > end:
        raise ShapeError(
            N_("start_dim comes after end_dim."),
            torch="flatten() has invalid args: start_dim cannot come after end_dim",
        )
    joined = shape[start : end + 1]
    out = (*shape[:start], elements(joined), *shape[end + 1 :])
    steps = (Step(label=SIZE, text=f"{product(joined)} = {elements(joined)}"),) if len(joined) > 1 else ()
    return Result(out_shape=out, steps=steps)


def unflatten(arguments: Arguments, inputs: tuple[Shape, ...]) -> Result:
    """Split one dimension into several whose product it is."""
    shape, wanted = inputs[0], tuple(arguments["unflattened_size"])
    dim = normal_dim(arguments["dim"], len(shape))
    if not wanted:
        raise ShapeError(N_("Give at least one size."), torch="unflatten: sizes must be non-empty")
    known = refuse_bad_sizes(wanted)
    fits = shape[dim] == known or (-1 in wanted and known > 0 and shape[dim] % known == 0)
    if not fits or (-1 in wanted and known == 0):
        raise ShapeError(
            N_("The product of {sizes} is not {size}, the size of dimension {dim}."),
            torch=f"unflatten: Provided sizes {listed(wanted)} don't multiply up to the size of dim {dim} "
            f"({shape[dim]}) in the input tensor",
            sizes=listed(wanted),
            size=shape[dim],
            dim=dim,
        )
    split = tuple(shape[dim] // known if size == -1 else size for size in wanted)
    return Result(out_shape=(*shape[:dim], *split, *shape[dim + 1 :]))


def check_unflatten(arguments: Arguments) -> None:
    """Refuse a size that is no tuple."""
    if not isinstance(arguments["unflattened_size"], tuple):
        raise ShapeError(
            N_("unflattened_size must be several numbers in brackets."),
            torch="unflattened_size must be a tuple of ints, but found type int",
            error_type="TypeError",
            at="definition",
        )


def squeeze(arguments: Arguments, inputs: tuple[Shape, ...]) -> Result:
    """Leave out dimensions of size 1: all of them, or those that are named."""
    shape, dim = inputs[0], arguments["dim"]
    dims = set(range(len(shape))) if dim is None else dims_of(dim, len(shape))
    return Result(out_shape=tuple(size for axis, size in enumerate(shape) if axis not in dims or size != 1))


def unsqueeze(arguments: Arguments, inputs: tuple[Shape, ...]) -> Result:
    """Put in a dimension of size 1."""
    shape = inputs[0]
    dim = normal_dim(arguments["dim"], len(shape) + 1)
    return Result(out_shape=(*shape[:dim], 1, *shape[dim:]))


def permute(arguments: Arguments, inputs: tuple[Shape, ...]) -> Result:
    """Put the dimensions in another order."""
    shape, dims = inputs[0], tuple(arguments["dims"])
    if len(dims) != len(shape):
        raise ShapeError(
            N_("permute needs all {rank} dimensions in their new order, not {count}."),
            torch="permute(sparse_coo): number of dimensions in the tensor input does not match the length of the "
            f"desired ordering of dimensions i.e. input.dim() = {len(shape)} is not equal to len(dims) = {len(dims)}",
            rank=len(shape),
            count=len(dims),
        )
    order = [normal_dim(dim, len(shape)) for dim in dims]
    if len(set(order)) != len(order):
        raise ShapeError(
            N_("permute needs every dimension exactly once."), torch="permute(): duplicate dims are not allowed."
        )
    return Result(out_shape=tuple(shape[dim] for dim in order))


def transpose(arguments: Arguments, inputs: tuple[Shape, ...]) -> Result:
    """Exchange two dimensions."""
    shape = list(inputs[0])
    first, second = (normal_dim(arguments[name], len(shape)) for name in ("dim0", "dim1"))
    if shape:
        shape[first], shape[second] = shape[second], shape[first]
    return Result(out_shape=tuple(shape))


def cat(arguments: Arguments, inputs: tuple[Shape, ...]) -> Result:
    """Put tensors one behind the other along one dimension; all other sizes must agree."""
    for position, shape in enumerate(inputs):
        if not shape:
            raise ShapeError(
                N_("A single number cannot be joined to anything; give it a dimension first."),
                torch=f"zero-dimensional tensor (at position {position}) cannot be concatenated",
            )
    joined = [(number, shape) for number, shape in enumerate(inputs) if shape != (0,)] or [(0, inputs[0])]
    first = joined[0][1]
    dim = normal_dim(arguments["dim"], len(first))
    for number, shape in joined[1:]:
        refuse_mismatch(first, shape, number, dim)
    sizes = [shape[dim] for _, shape in joined]
    step = Step(label=SIZE, text=f"{' + '.join(map(str, sizes))} = {sum(sizes)}")
    return Result(out_shape=(*first[:dim], sum(sizes), *first[dim + 1 :]), steps=(step,))


def refuse_mismatch(first: Shape, shape: Shape, number: int, dim: int) -> None:
    """Refuse a tensor that differs from the first one in a dimension that is not joined."""
    if len(shape) != len(first):
        raise ShapeError(
            N_("Tensors that are joined need the same number of dimensions, not {a} and {b}."),
            torch=f"Tensors must have same number of dimensions: got {len(first)} and {len(shape)}",
            a=len(first),
            b=len(shape),
        )
    for axis, (wanted, size) in enumerate(zip(first, shape, strict=True)):
        if axis != dim and wanted != size:
            raise ShapeError(
                N_(
                    "Tensors that are joined along dimension {dim} must agree in all others: "
                    "number {number} has {size} instead of {wanted} in dimension {axis}."
                ),
                torch=f"Sizes of tensors must match except in dimension {dim}. Expected size {wanted} but got size "
                f"{size} for tensor number {number} in the list.",
                dim=dim,
                number=number + 1,
                size=size,
                wanted=wanted,
                axis=axis,
            )


def stack(arguments: Arguments, inputs: tuple[Shape, ...]) -> Result:
    """Lay equal tensors upon each other in a new dimension."""
    dim = normal_dim(arguments["dim"], len(inputs[0]) + 1)
    for number, shape in enumerate(inputs):
        if shape != inputs[0]:
            raise ShapeError(
                N_("Only equal shapes can be stacked, not {a} and {b}."),
                torch=f"stack expects each tensor to be equal size, but got {listed(inputs[0])} at entry 0 "
                f"and {listed(shape)} at entry {number}",
                a=listed(inputs[0]),
                b=listed(shape),
            )
    return Result(out_shape=(*inputs[0][:dim], len(inputs), *inputs[0][dim:]))


def reduce(arguments: Arguments, inputs: tuple[Shape, ...]) -> Result:
    """Take the mean or the sum over dimensions; without dim, over all."""
    shape, dim = inputs[0], arguments["dim"]
    dims = set(range(len(shape))) if dim in (None, ()) else dims_of(dim, len(shape))
    if arguments["keepdim"]:
        return Result(out_shape=tuple(1 if axis in dims else size for axis, size in enumerate(shape)))
    return Result(out_shape=tuple(size for axis, size in enumerate(shape) if axis not in dims))


def dims_of(dim: Value, rank: int) -> set[int]:
    """Return the dimensions that are meant, counted from the front; raises ShapeError for doubles."""
    dims = [normal_dim(one, rank) for one in (dim if isinstance(dim, tuple) else (dim,))]
    for index, one in enumerate(dims):
        if one in dims[:index]:
            raise ShapeError(
                N_("Dimension {dim} is named twice."),
                torch=f"dim {one} appears multiple times in the list of dims",
                dim=one,
            )
    return set(dims)


# The registry -------------------------------------------------------------------------------------------------------

DIM = partial(Argument, low=-8)
OVER = (DIM("dim", None, "shape", optional=True), Argument("keepdim", False, "flag"))
SHAPE = (Argument("shape", form="shape", low=-1),)
SPLIT = Argument("unflattened_size", form="shape", low=-1)

METHODS = (  # kind, title, rule, arguments, fewest and most inputs, aliases
    ("view", N_("The same values in another shape"), view, SHAPE, (1, 1), ()),
    ("reshape", N_("The same values in another shape"), view, SHAPE, (1, 1), ()),
    ("flatten", N_("Dimensions joined into one"), flatten, (DIM("start_dim", 0), DIM("end_dim", -1)), (1, 1), ()),
    ("unflatten", N_("One dimension split"), unflatten, (DIM("dim"), SPLIT), (1, 1), ()),
    ("squeeze", N_("Dimensions of size 1 left out"), squeeze, (DIM("dim", None, "shape", optional=True),), (1, 1), ()),
    ("unsqueeze", N_("A dimension of size 1 put in"), unsqueeze, (DIM("dim"),), (1, 1), ()),
    ("permute", N_("Dimensions in another order"), permute, (DIM("dims", form="shape"),), (1, 1), ()),
    ("transpose", N_("Two dimensions exchanged"), transpose, (DIM("dim0"), DIM("dim1")), (1, 1), ("swapdims",)),
    ("cat", N_("Joined along one dimension"), cat, (DIM("dim", 0),), (1, None), ("concat", "concatenate")),
    ("stack", N_("Stacked in a new dimension"), stack, (DIM("dim", 0),), (1, None), ()),
    ("mean", N_("Mean"), reduce, OVER, (1, 1), ()),
    ("sum", N_("Sum of values"), reduce, OVER, (1, 1), ()),
    ("amax", N_("Largest value"), reduce, OVER, (1, 1), ()),
)  # fmt: skip

STRUCTURE: dict[str, Layer] = {
    **{
        kind: Layer(
            kind=kind, title=title, rule=rule, arguments=arguments, form="method", inputs=inputs, aliases=aliases,
            variadic=kind in ("view", "reshape", "permute"), effect="structure",
        )
        for kind, title, rule, arguments, inputs, aliases in METHODS
    },
    "Flatten": Layer(
        kind="Flatten",
        title=N_("Dimensions joined into one"),
        rule=flatten,
        arguments=(DIM("start_dim", 1), DIM("end_dim", -1)),
        effect="structure",
    ),
    "Unflatten": Layer(
        kind="Unflatten",
        title=N_("One dimension split"),
        rule=unflatten,
        check=check_unflatten,
        arguments=(DIM("dim"), SPLIT),
        effect="structure",
    ),
}  # fmt: skip
