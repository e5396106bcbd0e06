"""Reads the statements of `__init__`, `forward` and helper methods: a straight line, with conditions that are known."""

from __future__ import annotations

import ast
from collections.abc import Callable, Mapping, Sequence
from typing import Any, ClassVar

from core.messages import N_
from core.shapes.calls import CONTAINERS
from core.shapes.chain import SizeOf
from core.shapes.expressions import NOT_READ, OPERATORS, QUESTION, fail, quote
from core.shapes.layer import UNKNOWN
from core.shapes.layers import LAYERS
from core.shapes.objects import WEIGHTS, Objects
from core.shapes.values import Container, Instance, Module, Path, Returned, Sizes, SourceError, Tensor

TORCH = {"torch": "torch", "nn": "torch.nn", "F": "torch.nn.functional"}  # what everybody calls them
STRAIGHT = N_("A net is read as a straight line: {keyword} cannot be read here.")
KEYWORDS: dict[type[ast.stmt], str] = {
    ast.AsyncFor: "async for",
    ast.While: "while",
    ast.Try: "try",
    ast.With: "with",
    ast.AsyncWith: "async with",
    ast.FunctionDef: "def",
    ast.AsyncFunctionDef: "async def",
    ast.ClassDef: "class",
    ast.Import: "import",
    ast.ImportFrom: "import",
    ast.Global: "global",
    ast.Nonlocal: "nonlocal",
    ast.Delete: "del",
    ast.Raise: "raise",
    ast.Match: "match",
}


class Interpreter(Objects):
    """Follows one source from the class or the list that is the net to the nodes of its chain."""

    STATEMENTS: ClassVar[Mapping[type[ast.stmt], Callable[[Any, Any], Returned | None]]]

    def __init__(self, tree: ast.Module) -> None:
        super().__init__({item.name: item for item in tree.body if isinstance(item, ast.ClassDef)})
        self.imports = {**TORCH, **imports(tree)}
        self.outside = {name: value for item in tree.body for name, value in assigned(item)}
        self.looked_up: set[str] = set()  # names outside that are being evaluated, against circles

    # Names.

    def find_name(self, node: ast.Name) -> object:
        """A class, an import, a number or a layer of the source outside of classes."""
        name = node.id
        if name == QUESTION:
            return UNKNOWN
        if name in self.classes:
            return self.classes[name]
        if name in self.outside and name not in self.looked_up:
            self.looked_up.add(name)
            inside, self.names = self.names, {}
            try:
                self.names[name] = value = self.evaluate(self.outside[name])
            finally:
                self.names = inside
                self.looked_up.discard(name)
            return value
        if name in self.imports or name in self.BUILT_IN:
            return Path(self.imports.get(name, name))
        if name in CONTAINERS or (name in LAYERS and LAYERS[name].form == "module"):  # Conv2d(1, 10, 5)
            return Path(f"torch.nn.{name}")
        message = N_("{name} is not known here: only torch, the classes of this text and whole numbers are.")
        raise SourceError(message, line=node.lineno, name=name)

    # Statements.

    def follow(self, body: Sequence[ast.stmt]) -> Returned | None:
        """Follow statements until one returns."""
        for statement in body:
            handler = self.STATEMENTS.get(type(statement))
            if handler is None:
                keyword = KEYWORDS.get(type(statement), type(statement).__name__)
                fail(statement, STRAIGHT, keyword=keyword)
            returned = handler(self, statement)
            if returned is not None:
                return returned
        return None

    def nothing(self, statement: ast.stmt) -> None:
        """`pass`, `assert`: no shape changes."""

    def expression(self, statement: ast.Expr) -> None:
        """A call for its effect, or a text that explains."""
        if isinstance(statement.value, ast.Constant):
            return
        if is_print(statement.value):
            return
        self.keep(self.evaluate(statement.value))

    def assign(self, statement: ast.Assign) -> None:
        """`x = …`, `self.conv1 = …`, `b, c = …`."""
        value = self.keep(self.evaluate(statement.value))
        for target in statement.targets:
            self.store(target, value)

    def annotated(self, statement: ast.AnnAssign) -> None:
        """`x: Tensor = …`."""
        if statement.value is not None:
            self.store(statement.target, self.keep(self.evaluate(statement.value)))

    def augmented(self, statement: ast.AugAssign) -> None:
        """`x += y` writes into x where that is a tensor, so its shape has to stay."""
        place = statement.target
        if type(statement.op) not in OPERATORS or not isinstance(place, ast.Name | ast.Attribute):
            fail(statement, NOT_READ, text=type(statement.op).__name__)
        sides = ast.copy_location(ast.BinOp(left=place, op=statement.op, right=statement.value), statement)
        before = self.evaluate(place)
        if isinstance(before, Tensor):
            kind = OPERATORS[type(statement.op)][2]
            value: object = self.combine(sides, kind and f"{kind}_", before, self.evaluate(statement.value))
        else:
            value = self.evaluate(sides)
        self.store(place, self.keep(value))

    def keep(self, value: object) -> object:
        """Remember the last tensor, for a forward without return."""
        if isinstance(value, Tensor):
            self.last = value
        return value

    def store(self, target: ast.expr, value: object) -> None:
        """Give a value its name."""
        if isinstance(target, ast.Name):
            self.names[target.id] = value
        elif isinstance(target, ast.Tuple | ast.List):
            self.unpack(target, value)
        elif isinstance(target, ast.Attribute) and isinstance(owner := self.evaluate(target.value), Instance):
            if isinstance(value, Module) and not owner.ready:
                torch = "cannot assign module before Module.__init__() call"
                self.refuse_early(target.lineno, owner.definition, torch)
            owner.attributes[target.attr] = value
        else:
            fail(target, NOT_READ, text=quote(target))

    def unpack(self, target: ast.Tuple | ast.List, value: object) -> None:
        """`b, c, h, w = x.shape`, `a, b = f(x), g(x)`."""
        if isinstance(value, Sizes):
            value = [SizeOf(value.node, axis) for axis in range(len(target.elts))]
        if not isinstance(value, list) or len(value) != len(target.elts):
            fail(target, NOT_READ, text=quote(target))
        for part, entry in zip(target.elts, value, strict=True):
            self.store(part, entry)

    def condition(self, statement: ast.If) -> Returned | None:
        """`if stride != 1:` is followed where it is known; otherwise it is refused."""
        holds = self.known(statement.test, self.evaluate(statement.test))
        return self.follow(statement.body if holds else statement.orelse)

    def loop(self, statement: ast.For) -> Returned | None:
        """`for block in self.blocks:`, `for width in (8, 16):`; loops that only set weights are passed over."""
        target, source = statement.target, statement.iter
        if isinstance(source, ast.Call) and isinstance(source.func, ast.Attribute) and source.func.attr in WEIGHTS:
            return None
        values = self.evaluate(source)
        if not isinstance(values, Container | list) or statement.orelse:
            fail(statement, STRAIGHT, keyword="for")
        for value in values.members.values() if isinstance(values, Container) else tuple(values):
            self.count_step(statement.lineno)
            self.store(target, value)
            returned = self.follow(statement.body)
            if returned:
                return returned
        return None

    def give_back(self, statement: ast.Return) -> Returned:
        """`return x`."""
        return Returned(None if statement.value is None else self.keep(self.evaluate(statement.value)))


def is_print(node: ast.expr) -> bool:
    """Tell whether an expression only prints."""
    return isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "print"


def imports(tree: ast.Module) -> dict[str, str]:
    """Return what the imports of a source call the parts of torch; other imports are left out."""
    found: dict[str, str] = {}
    for item in tree.body:
        if isinstance(item, ast.Import):
            for name in item.names:
                if name.name.split(".")[0] == "torch":
                    found[name.asname or "torch"] = name.name if name.asname else "torch"
        elif isinstance(item, ast.ImportFrom) and (item.module or "").split(".")[0] == "torch" and not item.level:
            for name in item.names:
                found[name.asname or name.name] = f"{item.module}.{name.name}"
    return found


def assigned(statement: ast.stmt) -> list[tuple[str, ast.expr]]:
    """Return the names that a statement outside of classes gives to expressions; they are only read when used."""
    if isinstance(statement, ast.Assign):
        return [(target.id, statement.value) for target in statement.targets if isinstance(target, ast.Name)]
    if isinstance(statement, ast.AnnAssign) and isinstance(statement.target, ast.Name) and statement.value is not None:
        return [(statement.target.id, statement.value)]
    return []


Interpreter.STATEMENTS = {
    ast.Pass: Interpreter.nothing,
    ast.Assert: Interpreter.nothing,
    ast.Expr: Interpreter.expression,
    ast.Assign: Interpreter.assign,
    ast.AnnAssign: Interpreter.annotated,
    ast.AugAssign: Interpreter.augmented,
    ast.If: Interpreter.condition,
    ast.For: Interpreter.loop,
    ast.Return: Interpreter.give_back,
}
