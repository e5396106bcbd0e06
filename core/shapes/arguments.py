"""Arguments of layers: bound to their names as Python would, and spread over the axes as PyTorch does."""

from __future__ import annotations

from collections.abc import Sequence

from core.messages import N_
from core.shapes.errors import Place, ShapeError
from core.shapes.layer import LARGEST, REQUIRED, UNKNOWN, Argument, Layer, Shape, Value, listed
from core.shapes.sizes import UNRESOLVED

KNOWABLE = frozenset({"in_features", "in_channels", "num_features"})  # what the tensor that arrives tells
SHOWN = 40  # characters of a wrong value that a sentence quotes


def bind_to(layer: Layer, values: Sequence[Value], named: dict[str, Value]) -> dict[str, Value]:
    """Give every argument of a layer its value, as a call of it would; raises ShapeError (TypeError)."""
    known = layer.arguments
    if layer.variadic and values and not isinstance(values[0], tuple):
        values = (tuple(values),)
    if len(values) > len(known):
        raise ShapeError(
            N_("{kind} takes at most {most} arguments, not {count}."),
            kind=layer.kind,
            most=len(known),
            count=len(values),
            at=_place(layer),
        )
    bound = dict(zip((argument.name for argument in known), values, strict=False))
    for name, value in named.items():
        if name in bound:
            raise _type_error(layer, N_("{kind} got two values for {name}."), "multiple values for argument", name)
        if name not in {argument.name for argument in known}:
            raise _type_error(layer, N_("{kind} has no argument {name}."), "an unexpected keyword argument", name)
        bound[name] = value
    missing = [argument.name for argument in known if argument.default == REQUIRED and argument.name not in bound]
    if missing:
        words = "argument" if len(missing) == 1 else "arguments"
        raise ShapeError(
            N_("{kind} needs a value for {name}."),
            torch=f"{_callee(layer)} missing {len(missing)} required positional {words}: {_enumerated(missing)}",
            error_type="TypeError",
            at=_place(layer),
            kind=layer.kind,
            name=missing[0],
        )
    for argument in known:
        bound.setdefault(argument.name, argument.default)
        _refuse_wrong_type(layer, argument, bound[argument.name])
    return bound


def spread(value: Value, count: int) -> tuple[int, ...]:
    """Give every axis its number: 2 becomes (2, 2), and so does (2,); other lengths stay as they are."""
    if isinstance(value, int):
        return (value,) * count
    return tuple(value) * count if len(value) == 1 else tuple(value)


def normal_dim(dim: int, rank: int) -> int:
    """Count a dimension from the front; raises ShapeError (IndexError) where the tensor has none of that number."""
    reach = max(rank, 1)  # a number without dimensions answers to 0 and −1
    if not -reach <= dim < reach:
        raise ShapeError(
            N_("There is no dimension {dim}; this tensor has {rank}, counted from 0 or backwards from −1."),
            torch=f"Dimension out of range (expected to be in range of [{-reach}, {reach - 1}], but got {dim})",
            error_type="IndexError",
            dim=dim,
            rank=rank,
        )
    return dim % reach


def _place(layer: Layer) -> Place:
    return "definition" if layer.form == "module" else "call"


def _callee(layer: Layer) -> str:
    return f"{layer.kind}.__init__()" if layer.form == "module" else f"{layer.kind}()"


def _enumerated(names: Sequence[str]) -> str:
    """Write names as Python's messages do: 'a', 'b', and 'c'."""
    quotes = [f"'{name}'" for name in names]
    if len(quotes) < 3:
        return " and ".join(quotes)
    return f"{', '.join(quotes[:-1])}, and {quotes[-1]}"


def _type_error(layer: Layer, sentence: str, words: str, name: str) -> ShapeError:
    return ShapeError(
        sentence,
        torch=f"{_callee(layer)} got {words} '{name}'",
        error_type="TypeError",
        at=_place(layer),
        kind=layer.kind,
        name=name[:SHOWN],
    )


def _refuse_wrong_type(layer: Layer, argument: Argument, value: Value) -> None:
    """Refuse 2.5 channels, unknowns that nothing tells, and numbers that no computer has room for."""
    if holds_unknown(value):
        if argument.name in KNOWABLE and value == UNKNOWN:
            return
        raise ShapeError(
            N_(
                "{kind}: {name} cannot be ?. A ? may stand for in_features, in_channels or num_features: these follow "
                "from what arrives. In view and reshape, write -1 for the size to be worked out."
            ),
            at=_place(layer),
            kind=layer.kind,
            name=argument.name,
        )
    if (value is None and argument.optional) or argument.form == "any":
        return
    if not _fits(argument, value):
        raise ShapeError(
            _WANTED[argument.form],
            at=_place(layer),
            kind=layer.kind,
            name=argument.name,
            value=repr(value)[:SHOWN],
            choices=", ".join(argument.choices),
        )
    for part in value if isinstance(value, tuple) else (value,):
        if isinstance(part, int) and abs(part) > LARGEST:
            raise ShapeError(
                N_("{kind}: {name} is {value}; the largest number here is {limit}."),
                at=_place(layer),
                kind=layer.kind,
                name=argument.name,
                value=f"{part:,}" if abs(part) < 10**18 else f"{str(part)[:6]}…",
                limit=f"{LARGEST:,}",
            )


def holds_unknown(value: Value) -> bool:
    """Tell whether a value is, or has in it, a size that is to be worked out."""
    if isinstance(value, tuple):
        return any(holds_unknown(part) for part in value)
    return isinstance(value, str) and value == UNKNOWN


_WANTED = {
    "size": N_("{kind}: {name} must be a whole number, not {value}."),
    "sizes": N_("{kind}: {name} must be a whole number, or one for each axis, not {value}."),
    "shape": N_("{kind}: {name} must be whole numbers, not {value}."),
    "flag": N_("{kind}: {name} must be True or False, not {value}."),
    "number": N_("{kind}: {name} must be a number, not {value}."),
    "choice": N_("{kind}: {name} must be one of {choices}, not {value}."),
}


def _fits(argument: Argument, value: Value) -> bool:
    if argument.form == "size":
        return isinstance(value, (int, *UNRESOLVED))
    if argument.form in {"sizes", "shape"}:
        if isinstance(value, str):
            return bool(argument.choices)  # which words are known is the layer's own matter
        parts = value if isinstance(value, tuple) else (value,)
        return all(isinstance(part, (int, *UNRESOLVED)) or (part is None and argument.optional) for part in parts)
    if argument.form == "number":
        parts = value if isinstance(value, tuple) else (value,)
        return all(isinstance(part, (int, float)) and -1e18 < part < 1e18 for part in parts)
    if argument.form == "choice":
        return isinstance(value, str)  # which ones are known is the layer's own matter
    return isinstance(value, (bool, int))


def quoted(shape: Shape) -> str:
    """Write a shape as a sentence does: 64 × 1 × 28 × 28."""
    return " × ".join(str(size) for size in shape) if shape else listed(shape)
