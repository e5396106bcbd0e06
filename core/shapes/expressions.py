"""Reads the expressions of a source: names, whole-number arithmetic, sizes, lists. A whitelist; nothing is executed.

What is not listed in `Expressions.HANDLERS` is refused with its line. Arithmetic is bounded, so that no number and no
list can grow beyond what a net needs.
"""

from __future__ import annotations

import ast
import operator
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from typing import Any, ClassVar, NoReturn

from core.messages import N_
from core.shapes.chain import Arithmetic, SizeOf
from core.shapes.layer import UNKNOWN
from core.shapes.values import (
    Container,
    Instance,
    LayerModule,
    Method,
    Module,
    Opaque,
    Path,
    Sizes,
    SourceError,
    Tensor,
)

QUESTION = "UNKNOWN_"  # stands in the tree for the ? of Linear(?, 10)
MOST_STEPS = 20_000  # expressions that are looked at for one source
DEEPEST = 60  # expressions and calls inside one another
LARGEST_NUMBER = 10**12
LONGEST_LIST = 2_000
LONGEST_QUOTE = 40  # characters of the source in a sentence

OPERATORS: dict[type[ast.operator], tuple[str, Callable[[Any, Any], Any], str]] = {
    # the sign, what it does to numbers, the operation it is between tensors
    ast.Add: ("+", operator.add, "add"),
    ast.Sub: ("-", operator.sub, "sub"),
    ast.Mult: ("*", operator.mul, "mul"),
    ast.Div: ("/", operator.truediv, "div"),
    ast.FloorDiv: ("//", operator.floordiv, ""),
    ast.Mod: ("%", operator.mod, ""),
}
COMPARISONS: dict[type[ast.cmpop], Callable[[Any, Any], bool]] = {
    ast.Eq: operator.eq,
    ast.NotEq: operator.ne,
    ast.Lt: operator.lt,
    ast.LtE: operator.le,
    ast.Gt: operator.gt,
    ast.GtE: operator.ge,
    ast.Is: operator.is_,
    ast.IsNot: operator.is_not,
    ast.In: lambda left, right: left in right,
    ast.NotIn: lambda left, right: left not in right,
}

NOT_READ = N_("This cannot be read here: {text}. A net is made of layers, F.* and torch.* functions and whole numbers.")
TOO_LONG = N_("This list has more than {most} entries; a net of that size cannot be shown.")
TOO_DEEP = N_("This is nested too deeply or repeated too often to be a net.")
TOO_LARGE = N_("This number is too large: the largest that is read is {largest}.")


def fail(node: ast.AST, message: str, **values: object) -> NoReturn:
    """Refuse the line of a piece of the source."""
    line: int | None = getattr(node, "lineno", None)
    raise SourceError(message, line=line, torch="", error_type="", **values)


def quote(node: ast.AST) -> str:
    """Return the source of a small expression, shortened; its form where it is large."""
    if sum(1 for _ in zip(ast.walk(node), range(LONGEST_QUOTE), strict=False)) == LONGEST_QUOTE:
        return type(node).__name__  # unparsing a deep expression takes long
    text = " ".join(ast.unparse(node).replace(QUESTION, UNKNOWN).split())
    return text if len(text) <= LONGEST_QUOTE else f"{text[:LONGEST_QUOTE]}…"


def is_number(value: object) -> bool:
    """Tell whether a value is a number; True and False are none here."""
    return isinstance(value, int | float) and not isinstance(value, bool)


class Expressions(ABC):
    """The part of the interpreter that turns an expression into a value of `core.shapes.values`."""

    HANDLERS: ClassVar[Mapping[type[ast.expr], Callable[[Any, Any], object]]]

    def __init__(self) -> None:
        self.names: dict[str, object] = {}  # of the function that is read now
        self.steps = 0
        self.depth = 0

    @abstractmethod
    def call(self, node: ast.Call) -> object:
        """Evaluate a call."""

    @abstractmethod
    def find_name(self, node: ast.Name) -> object:
        """Return what a name means outside of functions."""

    @abstractmethod
    def combine(self, node: ast.BinOp, kind: str, left: object, right: object) -> Tensor:
        """Record an arithmetic operation of which at least one side is a tensor."""

    def evaluate(self, node: ast.expr) -> object:
        """Return the value of an expression; raises SourceError with its line."""
        self.count_step(node.lineno)
        handler = self.HANDLERS.get(type(node))
        if handler is None:
            fail(node, NOT_READ, text=quote(node))
        self.depth += 1
        try:
            return handler(self, node)
        finally:
            self.depth -= 1

    def count_step(self, line: int) -> None:
        """Refuse a source that goes on for too long."""
        self.steps += 1
        if self.steps > MOST_STEPS or self.depth >= DEEPEST:
            raise SourceError(TOO_DEEP, line=line)

    def constant(self, node: ast.Constant) -> object:
        """Numbers, words, True, False and None."""
        value = node.value
        if isinstance(value, bytes | complex) or value is ...:
            fail(node, NOT_READ, text=quote(node))
        return self.bounded(node, value)

    def bounded(self, node: ast.AST, value: object) -> object:
        """Refuse numbers that no net needs."""
        if isinstance(value, int | float) and not abs(value) <= LARGEST_NUMBER:  # NaN is not either
            fail(node, TOO_LARGE, largest=f"{LARGEST_NUMBER:,}")
        return value

    def name(self, node: ast.Name) -> object:
        """Look a name up in the function, then outside."""
        return self.names[node.id] if node.id in self.names else self.find_name(node)

    def attribute(self, node: ast.Attribute) -> object:
        """`nn.Conv2d`, `self.conv1`, `x.shape`, `self.conv1.out_channels`."""
        owner = self.evaluate(node.value)
        if isinstance(owner, Path):
            return Path(f"{owner.name}.{node.attr}")
        if isinstance(owner, Tensor) and node.attr in {"shape", "data"}:
            return Sizes(owner.node) if node.attr == "shape" else owner
        if isinstance(owner, LayerModule) and node.attr in owner.arguments:
            return owner.arguments[node.attr]
        if isinstance(owner, Instance | ast.ClassDef):
            return self.member(node, owner)
        if isinstance(owner, Container) and node.attr in owner.members:
            return owner.members[node.attr]
        return Method(owner, node.attr)

    def member(self, node: ast.Attribute, owner: Instance | ast.ClassDef) -> object:
        """Return an attribute or a method of an object of a class of the source, or a constant of the class."""
        if isinstance(owner, Instance) and node.attr in owner.attributes:
            return owner.attributes[node.attr]
        definition = owner.definition if isinstance(owner, Instance) else owner
        for item in definition.body:
            if isinstance(item, ast.Assign) and any(
                isinstance(t, ast.Name) and t.id == node.attr for t in item.targets
            ):
                return self.evaluate(item.value)
        return True if node.attr == "training" else Method(owner, node.attr)

    def several(self, node: ast.Tuple | ast.List) -> list[object]:
        """A list or a tuple; starred parts are spread out."""
        values: list[object] = []
        for item in node.elts:
            if isinstance(item, ast.Starred):
                values.extend(self.listed(item.value))
            else:
                values.append(self.evaluate(item))
        return self.short(node, values)

    def short(self, node: ast.AST, values: list[object]) -> list[object]:
        """Refuse a list that no net needs."""
        if len(values) > LONGEST_LIST:
            fail(node, TOO_LONG, most=f"{LONGEST_LIST:,}")
        return values

    def listed(self, node: ast.expr) -> list[object]:
        """Return what a loop over an expression would go through."""
        value = self.evaluate(node)
        if isinstance(value, Container):
            return list(value.members.values())
        if not isinstance(value, list):
            fail(node, NOT_READ, text=quote(node))
        return list(value)

    def subscript(self, node: ast.Subscript) -> object:
        """`x.shape[0]`, `self.blocks[1]`, `layers[:3]`."""
        owner = self.evaluate(node.value)
        if isinstance(owner, Tensor):
            fail(
                node,
                N_("Parts of a tensor, as in {text}, cannot be read here; a net of whole tensors can."),
                text=quote(node),
            )
        if isinstance(owner, Sizes) and not isinstance(node.slice, ast.Slice):
            return self.size(node, owner, self.evaluate(node.slice))
        if isinstance(owner, Container):
            values = self.entries(node, list(owner.members.values()))
            if not isinstance(values, list):
                return values
            kept = {name: member for name, member in owner.members.items() if member in values}
            return Container(node.lineno, owner.kind, kept)
        return self.entries(node, owner)

    def entries(self, node: ast.Subscript, values: object) -> object:
        """Return an entry or a slice of a list."""
        if not isinstance(values, list):
            fail(node, NOT_READ, text=quote(node))
        if isinstance(node.slice, ast.Slice):
            bounds = (node.slice.lower, node.slice.upper, node.slice.step)
            numbers = [self.evaluate(part) if part else None for part in bounds]
            if numbers[2] == 0 or not all(part is None or isinstance(part, int) for part in numbers):
                fail(node, NOT_READ, text=quote(node))
            return values[slice(*numbers)]  # type: ignore[arg-type]  # whole numbers or None
        index = self.evaluate(node.slice)
        if not isinstance(index, int) or not -len(values) <= index < len(values):
            fail(node, N_("There is no such entry: {text} has {count}."), text=quote(node.value), count=len(values))
        return values[index]

    def size(self, node: ast.AST, owner: Sizes | Tensor, axis: object) -> SizeOf:
        """One size of a tensor, known once the chain is run."""
        if not isinstance(axis, int) or isinstance(axis, bool) or abs(axis) > 10:
            fail(node, N_("A size needs the number of its axis, as in x.size(0)."))
        return SizeOf(owner.node, axis)

    def unary(self, node: ast.UnaryOp) -> object:
        """`-1`, `not bias`."""
        value = self.evaluate(node.operand)
        if isinstance(node.op, ast.Not):
            return not self.known(node.operand, value)
        if isinstance(node.op, ast.USub | ast.UAdd) and is_number(value):
            return -value if isinstance(node.op, ast.USub) else value  # type: ignore[operator]  # a number
        fail(node, NOT_READ, text=quote(node))

    def arithmetic(self, node: ast.BinOp) -> object:
        """`16 * 5 * 5`, `x.size(1) // 2`, `x + y`."""
        left, right = self.evaluate(node.left), self.evaluate(node.right)
        if isinstance(node.op, ast.Pow):
            return self.power(node, left, right)
        if type(node.op) not in OPERATORS:
            fail(node, NOT_READ, text=quote(node))
        sign, compute, kind = OPERATORS[type(node.op)]
        if isinstance(left, Tensor) or isinstance(right, Tensor):
            return self.combine(node, kind, left, right)
        if is_number(left) and is_number(right):
            if sign in {"/", "//", "%"} and right == 0:
                fail(node, N_("This divides by zero: {text}."), text=quote(node))
            return self.bounded(node, compute(left, right))
        if isinstance(left, list) or isinstance(right, list):
            return self.join(node, sign, left, right)
        if sign in {"+", "-", "*", "//"} and all(isinstance(side, int | SizeOf | Arithmetic) for side in (left, right)):
            return Arithmetic(sign, left, right)  # type: ignore[arg-type]  # checked in the line above
        fail(node, NOT_READ, text=quote(node))

    def power(self, node: ast.BinOp, left: object, right: object) -> object:
        """`2 ** 5`, refused before a huge number is computed."""
        if isinstance(left, int) and isinstance(right, int) and 0 <= right <= 40 and abs(left) <= LARGEST_NUMBER:
            return self.bounded(node, left**right)  # at most 480 digits
        fail(node, TOO_LARGE, largest=f"{LARGEST_NUMBER:,}")

    def join(self, node: ast.BinOp, sign: str, left: object, right: object) -> object:
        """`layers + [nn.ReLU()]`, `[64] * 3`."""
        if sign == "+" and isinstance(left, list) and isinstance(right, list):
            return self.short(node, left + right)
        values, times = (left, right) if isinstance(left, list) else (right, left)
        if sign != "*" or not isinstance(values, list) or not isinstance(times, int):
            fail(node, NOT_READ, text=quote(node))
        if len(values) * times > LONGEST_LIST:
            fail(node, TOO_LONG, most=f"{LONGEST_LIST:,}")
        return values * times

    def known(self, node: ast.expr, value: object) -> bool:
        """Return the truth of a condition; refuse one that only a run can tell."""
        if isinstance(value, Tensor | Sizes | SizeOf | Arithmetic | Opaque | Path | Method) or value == UNKNOWN:
            fail(
                node,
                N_("Only a run could tell whether {text} holds; a net is read without running it."),
                text=quote(node),
            )
        return True if isinstance(value, Module) else bool(value)

    def compare(self, node: ast.Compare) -> bool:
        """`stride != 1`, `self.downsample is not None`."""
        values = [self.evaluate(side) for side in (node.left, *node.comparators)]
        for value in values:
            self.known(node, value)
        pairs = zip(values, node.ops, values[1:], strict=False)
        try:
            return all(COMPARISONS[type(sign)](left, right) for left, sign, right in pairs)
        except TypeError:  # 3 < "same"
            fail(node, NOT_READ, text=quote(node))

    def logic(self, node: ast.BoolOp) -> object:
        """`a and b`, `a or b`: the last value that decides, as in Python."""
        wanted = isinstance(node.op, ast.Or)
        value: object = None
        for part in node.values:
            value = self.evaluate(part)
            if self.known(part, value) is wanted:
                break
        return value

    def choose(self, node: ast.IfExp) -> object:
        """`a if condition else b`."""
        return self.evaluate(node.body if self.known(node.test, self.evaluate(node.test)) else node.orelse)

    def repeat(self, node: ast.ListComp | ast.GeneratorExp) -> list[object]:
        """`[nn.ReLU() for _ in range(3)]`: one plain loop over a list."""
        loop = node.generators[0]
        if len(node.generators) > 1 or loop.ifs or loop.is_async or not isinstance(loop.target, ast.Name):
            fail(node, NOT_READ, text=quote(node))
        values, before = [], dict(self.names)
        for value in self.short(loop.iter, self.listed(loop.iter)):
            self.names[loop.target.id] = value
            values.append(self.evaluate(node.elt))
        self.names = before
        return values


Expressions.HANDLERS = {
    ast.Constant: Expressions.constant,
    ast.Name: Expressions.name,
    ast.Attribute: Expressions.attribute,
    ast.Call: lambda self, node: self.call(node),
    ast.Tuple: Expressions.several,
    ast.List: Expressions.several,
    ast.Subscript: Expressions.subscript,
    ast.UnaryOp: Expressions.unary,
    ast.BinOp: Expressions.arithmetic,
    ast.Compare: Expressions.compare,
    ast.BoolOp: Expressions.logic,
    ast.IfExp: Expressions.choose,
    ast.ListComp: Expressions.repeat,
    ast.GeneratorExp: Expressions.repeat,
}
