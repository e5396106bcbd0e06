"""The receptive field: which part of the input one value of the output sees.

Per axis of the input: size r, jump j (input pixels from one output pixel to the next) and start s (the first pixel
seen by the first output pixel, negative in the padding). A window of k pixels, stride t, padding p makes
r + (k − 1)·j, j·t and s − p·j of them. Statistics of normalisation layers and softmax are not counted, as usual.
Source: Araujo, Norris, Sim, "Computing Receptive Fields of Convolutional Neural Networks", Distill 2019.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction

from core.shapes.layer import Arguments, Layer, Result, Shape, Value


@dataclass(frozen=True, kw_only=True)
class Field:
    """What one output value sees along one axis of the input."""

    size: int | Fraction = 1  # pixels; at most, where windows differ
    jump: Fraction = Fraction(1)  # input pixels from one output pixel to the next
    start: Fraction = Fraction(0)  # the first pixel that the first output pixel sees
    whole: bool = False  # the whole axis


@dataclass(frozen=True)
class Fields:
    """The fields of a tensor, and which of its dimensions runs along which axis of the input."""

    seen: tuple[Field | None, ...]  # per spatial axis of the input
    along: tuple[int | None, ...]  # per dimension of the tensor: the axis of the input that it runs along


def seen_from_input(shape: Shape, spatial: int) -> Fields:
    """Return the fields of the input itself, whose last dimensions are the image: every pixel sees itself."""
    along = (None,) * (len(shape) - spatial) + tuple(range(spatial))
    return Fields((Field(),) * spatial, along)


def follow(
    layer: Layer, arguments: Arguments, result: Result, in_shapes: Sequence[Shape], inputs: Sequence[Fields]
) -> Fields:
    """Return the fields after one operation."""
    fields = _union(inputs)
    if layer.effect == "windows":
        return _through_windows(fields, result)
    if layer.effect == "mix":
        return _mixed(fields, len(in_shapes[0]) - 1)
    if layer.effect == "structure":
        return _rearranged(layer.kind, arguments, fields, in_shapes[0], result.out_shape)
    if len(result.out_shape) != len(fields.along):
        missing = len(result.out_shape) - len(fields.along)
        return Fields(fields.seen, (None,) * missing + fields.along)
    return fields


def _union(inputs: Sequence[Fields]) -> Fields:
    """Join branches: what any of them sees, from the first pixel to the last (the longest path decides)."""
    fields = max(inputs, key=lambda one: len(one.along))
    seen = list(fields.seen)
    for other in inputs:
        seen = [_hull(a, b) for a, b in zip(seen, other.seen, strict=True)]
    return replace(fields, seen=tuple(seen))


def _hull(a: Field | None, b: Field | None) -> Field | None:
    if a is None or b is None:
        return a or b
    start = min(a.start, b.start)
    end = max(a.start + a.size, b.start + b.size)
    return Field(size=_tidy(end - start), jump=max(a.jump, b.jump), start=start, whole=a.whole or b.whole)


def _through_windows(fields: Fields, result: Result) -> Fields:
    """Widen the field along the dimensions over which the windows slide, the last ones."""
    seen = list(fields.seen)
    for axis, position in zip(result.axes, fields.along[len(fields.along) - len(result.axes) :], strict=True):
        old = None if position is None else seen[position]
        if position is None or old is None:
            continue
        seen[position] = Field(
            size=_tidy(old.size + (axis.reach - 1) * old.jump),
            jump=old.jump * axis.jump,
            start=old.start + axis.offset * old.jump,
            whole=old.whole or (axis.out == 1 and axis.reach >= axis.size),
        )
    return replace(fields, seen=tuple(seen))


def _mixed(fields: Fields, dim: int) -> Fields:
    """Mix everything along one dimension: the axis it runs along, or all of them once the image was flattened."""
    axis = fields.along[dim] if fields.along else None
    flat = all(position is None for position in fields.along)
    mixed = set(range(len(fields.seen))) if flat else {axis}
    seen = tuple(_whole(one) if number in mixed else one for number, one in enumerate(fields.seen))
    return Fields(seen, (*fields.along[:-1], None))


def _whole(field: Field | None) -> Field | None:
    return None if field is None else replace(field, whole=True)


def _rearranged(kind: str, arguments: Arguments, fields: Fields, before: Shape, after: Shape) -> Fields:
    """Keep track of the dimensions while they are moved, joined or averaged."""
    if kind in REARRANGED:
        return REARRANGED[kind](arguments, fields, before)
    return replace(fields, along=_still_there(fields.along, before, after))


def _still_there(along: tuple[int | None, ...], before: Shape, after: Shape) -> tuple[int | None, ...]:
    """Match the dimensions at the end that kept their sizes; all others run along no axis any more."""
    kept = 0
    while kept < min(len(before), len(after)) - 1 and before[-1 - kept] == after[-1 - kept]:
        kept += 1
    return (None,) * (len(after) - kept) + along[len(along) - kept :]


def _permuted(arguments: Arguments, fields: Fields, before: Shape) -> Fields:
    return replace(fields, along=tuple(fields.along[dim % len(before)] for dim in arguments["dims"]))


def _transposed(arguments: Arguments, fields: Fields, before: Shape) -> Fields:
    moved = list(fields.along)
    if moved:
        a, b = arguments["dim0"] % len(before), arguments["dim1"] % len(before)
        moved[a], moved[b] = moved[b], moved[a]
    return replace(fields, along=tuple(moved))


def _unsqueezed(arguments: Arguments, fields: Fields, before: Shape) -> Fields:
    dim = arguments["dim"] % (len(before) + 1)
    return replace(fields, along=(*fields.along[:dim], None, *fields.along[dim:]))


def _squeezed(arguments: Arguments, fields: Fields, before: Shape) -> Fields:
    gone = {dim for dim in _named(arguments["dim"], len(before)) if before[dim] == 1}
    return replace(fields, along=tuple(axis for dim, axis in enumerate(fields.along) if dim not in gone))


def _averaged(arguments: Arguments, fields: Fields, before: Shape) -> Fields:
    """See the whole axis over which the mean is taken."""
    dims = _named(arguments["dim"], len(before))
    gone = {fields.along[dim] for dim in dims}
    seen = tuple(_whole(one) if axis in gone else one for axis, one in enumerate(fields.seen))
    return Fields(seen, tuple(axis for dim, axis in enumerate(fields.along) if arguments["keepdim"] or dim not in dims))


def _named(dim: Value, rank: int) -> set[int]:
    """Return the dimensions that an argument names, all where it names none."""
    if dim in (None, ()):
        return set(range(rank))
    return {one % max(rank, 1) for one in (dim if isinstance(dim, tuple) else (dim,))}


def _padded(arguments: Arguments, fields: Fields, before: Shape) -> Fields:
    """Move the start into the padding."""
    del before
    given = arguments.get("pad", arguments.get("padding"))
    sides = given if isinstance(given, tuple) else (given,) * (2 * len(fields.seen))
    seen = list(fields.seen)
    for pair in range(min(len(sides) // 2, len(fields.along))):
        axis = fields.along[-1 - pair]
        old = None if axis is None else seen[axis]
        if axis is not None and old is not None:
            seen[axis] = replace(old, start=old.start - sides[2 * pair] * old.jump)
    return replace(fields, seen=tuple(seen))


def _joined(arguments: Arguments, fields: Fields, before: Shape) -> Fields:
    """Leave the dimensions where they are."""
    del arguments, before
    return fields


REARRANGED: dict[str, Callable[[Arguments, Fields, Shape], Fields]] = {
    "permute": _permuted,
    "transpose": _transposed,
    "unsqueeze": _unsqueezed,
    "squeeze": _squeezed,
    "cat": _joined,
    "PixelShuffle": _joined,
    **dict.fromkeys(("mean", "sum", "amax"), _averaged),
    "pad": _padded,
    **{
        f"{word}Pad{dims}d": _padded
        for word in ("Zero", "Constant", "Reflection", "Replication", "Circular")
        for dims in (1, 2, 3)
    },
}


def _tidy(size: int | Fraction) -> int | Fraction:
    fraction = Fraction(size)
    return fraction.numerator if fraction.denominator == 1 else fraction
