"""Sizes that are known only once data flows: x.size(0), x.shape[1] * x.shape[2]."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from operator import add, floordiv, mul, sub
from typing import Any

from core.messages import N_
from core.shapes.errors import ShapeError

Shape = tuple[int, ...]
Value = Any  # of an argument: a number, a word, None, a size, or a tuple of these
OPERATORS: dict[str, Callable[[int, int], int]] = {"+": add, "-": sub, "*": mul, "//": floordiv}


@dataclass(frozen=True)
class SizeOf:
    """The size of one axis of a tensor: x.size(0)."""

    node: str  # the id of the node that made the tensor
    axis: int  # from 0, or backwards from −1


@dataclass(frozen=True)
class Arithmetic:
    """A sum, difference, product or quotient of sizes and whole numbers."""

    operator: str  # a key of OPERATORS
    left: Size
    right: Size


Size = int | SizeOf | Arithmetic
UNRESOLVED = (SizeOf, Arithmetic)


def resolve(value: Value, shapes: Mapping[str, Shape]) -> Value:
    """Replace every size inside a value of an argument by its number; raises ShapeError."""
    if isinstance(value, tuple):
        return tuple(resolve(part, shapes) for part in value)
    if isinstance(value, SizeOf):
        return _size(shapes[value.node], value.axis)
    if isinstance(value, Arithmetic):
        left, right = resolve(value.left, shapes), resolve(value.right, shapes)
        if value.operator == "//" and right == 0:
            raise ShapeError(
                N_("A size is divided by zero."),
                torch="integer division or modulo by zero",
                error_type="ZeroDivisionError",
            )
        return OPERATORS[value.operator](left, right)
    return value


def nodes_in(value: Value) -> set[str]:
    """Return the ids of the nodes whose sizes a value needs."""
    if isinstance(value, tuple):
        return set().union(*(nodes_in(part) for part in value))
    if isinstance(value, Arithmetic):
        return nodes_in(value.left) | nodes_in(value.right)
    return {value.node} if isinstance(value, SizeOf) else set()


def _size(shape: Shape, axis: int) -> int:
    if not -len(shape) <= axis < len(shape):
        raise ShapeError(
            N_("There is no dimension {dim}; this tensor has {rank}, counted from 0 or backwards from −1."),
            torch=f"Dimension out of range (expected to be in range of "
            f"[{-len(shape)}, {len(shape) - 1}], but got {axis})",
            error_type="IndexError",
            dim=axis,
            rank=len(shape),
        )
    return shape[axis]
