"""Reads the statements of `__init__`, `forward` and helper methods: a straight line, with conditions that are known."""

from __future__ import annotations

import ast
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from core.messages import N_
from core.shapes.calls import CONTAINERS
from core.shapes.chain import INPUT, SizeOf
from core.shapes.expressions import NOT_READ, OPERATORS, fail, quote
from core.shapes.layer import UNKNOWN
from core.shapes.layers import LAYERS
from core.shapes.modules import Modules
from core.shapes.values import Container, Instance, Method, Opaque, Path, Sizes, SourceError, Super, Tensor

QUESTION = "UNKNOWN_"  # stands in the tree for the ? of Linear(?, 10)
TORCH = {"torch": "torch", "nn": "torch.nn", "F": "torch.nn.functional"}  # what everybody calls them
STRAIGHT = N_("A net is read as a straight line: {keyword} cannot be read here.")
WEIGHTS = frozenset(  # methods of a module that go through its weights or keep some: they have no shape
    {"modules", "children", "named_modules", "parameters", "named_parameters", "register_buffer", "register_parameter"}
)
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


@dataclass(frozen=True)
class Returned:
    """The value of a `return`."""

    value: object


class Interpreter(Modules):
    """Follows one source from the class or the list that is the net to the nodes of its chain."""

    STATEMENTS: ClassVar[Mapping[type[ast.stmt], Callable[[Any, Any], Returned | None]]]

    def __init__(self, tree: ast.Module) -> None:
        super().__init__()
        self.imports = {**TORCH, **imports(tree)}
        self.classes = {item.name: item for item in tree.body if isinstance(item, ast.ClassDef)}
        self.outside = {name: value for item in tree.body for name, value in assigned(item)}
        self.looked_up: set[str] = set()  # names outside that are being evaluated, against circles
        self.last: Tensor | None = None  # what a forward without return ends in
        self.guessed: list[str] = []  # arguments of the net that were not given

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

    # Objects of the source's own classes.

    def build(
        self, node: ast.AST, definition: ast.ClassDef, values: list[object], named: dict[str, object]
    ) -> Instance:
        """Read `__init__` of a class with the values that it is given."""
        if definition.decorator_list:
            fail(definition.decorator_list[0], N_("Decorators change what a class does; it cannot be read with them."))
        instance = Instance(node.lineno, definition)  # type: ignore[attr-defined]  # a call or a class
        self.initialise(node, Super(instance, self.lineage(definition)), values, named)
        return instance

    def lineage(self, definition: ast.ClassDef) -> tuple[ast.ClassDef, ...]:
        """Return a class of the source and those it inherits from, the nearest first."""
        found = [definition]
        while True:
            bases = [base.id for base in found[-1].bases if isinstance(base, ast.Name) and base.id in self.classes]
            if not bases or self.classes[bases[0]] in found:
                return tuple(found)
            found.append(self.classes[bases[0]])

    def initialise(self, node: ast.AST, start: Super, values: list[object], named: dict[str, object]) -> None:
        """Run the first `__init__` of a line of classes; that of nn.Sequential takes its members."""
        function, above = method_of(start.bases, "__init__")
        if function is not None:
            self.run(node, function, Super(start.instance, above), values, named)
        else:
            start.instance.attributes.update(self.members(node, values))

    def call_super(self, node: ast.Call, callee: Method | None) -> object:
        """`super()`, then `.__init__(…)` or another method of a class above."""
        above = callee.owner if callee else self.names.get("super()")
        if not isinstance(above, Super):
            self.refuse(node)
        if callee is None:
            return above
        values, named = self.arguments(node)
        if callee.name == "__init__":
            self.initialise(node, above, values, named)
            return None
        function, bases = method_of(above.bases, callee.name)
        if function is None:
            self.refuse(node)
        return self.run(node, function, Super(above.instance, bases), values, named)

    def call_method(self, node: ast.Call, instance: Instance, name: str) -> object:
        """`self.helper(x)`; what walks through a net's weights has no shape."""
        function, above = method_of(self.lineage(instance.definition), name)
        if function is not None:
            values, named = self.arguments(node)
            return self.run(node, function, Super(instance, above), values, named)
        if name in WEIGHTS:
            return Opaque(name, node.lineno)
        message = N_("{class_name} has no {name}.")
        raise SourceError(message, line=node.lineno, class_name=instance.definition.name, name=name)

    def forward(self, line: int, instance: Instance, value: object) -> object:
        """Send a tensor through `forward`, or through the members of a class that inherits from nn.Sequential."""
        definition = instance.definition
        lineage = self.lineage(definition)
        function, above = method_of(lineage, "forward")
        if function is None and any(is_sequential(base) for base in lineage[-1].bases):
            return self.send(Container(line, "Sequential", dict(instance.children())), value, line)
        if function is None:
            raise SourceError(N_("{class_name} has no forward."), line=line, class_name=definition.name)
        before, self.prefix, self.last = self.prefix, f"{instance.name}." if instance.name else "", None
        result = self.run(function, function, Super(instance, above), [value], {}) or self.last
        self.prefix = before
        if result is None:
            message = N_("The forward of {class_name} does nothing with its input.")
            fail(function, message, class_name=definition.name)
        return result

    # Functions.

    def run(
        self, node: ast.AST, function: ast.FunctionDef, start: Super, values: list[object], named: dict[str, object]
    ) -> object:
        """Follow the body of a method with its arguments filled in."""
        if function.decorator_list:
            fail(function.decorator_list[0], N_("Decorators change what a function does; it cannot be read with them."))
        names = self.parameters(node, function, start, values, named)
        outer, self.names = self.names, names
        self.depth += 1
        try:
            returned = self.follow(function.body)
        finally:
            self.names = outer
            self.depth -= 1
        return returned.value if returned else None

    def parameters(
        self, node: ast.AST, function: ast.FunctionDef, start: Super, values: list[object], named: dict[str, object]
    ) -> dict[str, object]:
        """Give each parameter of a method its value."""
        wanted = function.args
        places = [*wanted.posonlyargs, *wanted.args]
        if not places:
            fail(function, N_("A method needs self as its first argument."))
        names: dict[str, object] = {"super()": start, places[0].arg: start.instance}
        names.update(zip((place.arg for place in places[1:]), values, strict=False))
        extra = values[len(places) - 1 :]
        known = {place.arg for place in (*places[1:], *wanted.kwonlyargs)}
        unknown = {name: value for name, value in named.items() if name not in known}
        if (extra and not wanted.vararg) or (unknown and not wanted.kwarg):
            text = quote(node) if isinstance(node, ast.expr) else function.name
            fail(node, N_("{text} gives more arguments than {name} takes."), text=text, name=function.name)
        names.update((name, value) for name, value in named.items() if name in known)
        if wanted.vararg:
            names[wanted.vararg.arg] = extra
        if wanted.kwarg:
            names[wanted.kwarg.arg] = unknown
        defaults = dict(zip((place.arg for place in reversed(places)), reversed(wanted.defaults), strict=False))
        defaults.update(
            (place.arg, value) for place, value in zip(wanted.kwonlyargs, wanted.kw_defaults, strict=True) if value
        )
        for name in sorted(known - names.keys()):
            names[name] = self.missing(node, function, name, defaults.get(name))
        return names

    def missing(self, node: ast.AST, function: ast.FunctionDef, name: str, default: ast.expr | None) -> object:
        """Return the default of a parameter; the net itself takes the number of channels where it has none."""
        if default is not None:
            inside, self.names = self.names, {}
            value = self.evaluate(default)
            self.names = inside
            return value
        if isinstance(node, ast.ClassDef):
            self.guessed.append(name)
            return SizeOf(INPUT, 1)
        line: int = getattr(node, "lineno", function.lineno)
        if node is function:
            raise SourceError(
                N_("Only nets with one input can be read; this one also takes {name}."), line=line, name=name
            )
        raise SourceError(N_("{name} needs a value for {missing}."), line=line, name=function.name, missing=name)

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
        """`for block in self.blocks:` over an nn.ModuleList; loops that only set weights are passed over."""
        target, source = statement.target, statement.iter
        if isinstance(source, ast.Call) and isinstance(source.func, ast.Attribute) and source.func.attr in WEIGHTS:
            return None
        blocks = self.evaluate(source) if isinstance(source, ast.Name | ast.Attribute) else None
        if not isinstance(blocks, Container) or statement.orelse:
            fail(statement, STRAIGHT, keyword="for")
        for block in blocks.members.values():
            self.store(target, block)
            returned = self.follow(statement.body)
            if returned:
                return returned
        return None

    def give_back(self, statement: ast.Return) -> Returned:
        """`return x`."""
        return Returned(None if statement.value is None else self.keep(self.evaluate(statement.value)))


def method_of(classes: tuple[ast.ClassDef, ...], name: str) -> tuple[ast.FunctionDef | None, tuple[ast.ClassDef, ...]]:
    """Return the first method of that name in a line of classes, and the classes above it."""
    for number, definition in enumerate(classes):
        found = [item for item in definition.body if isinstance(item, ast.FunctionDef) and item.name == name]
        if found:
            return found[-1], classes[number + 1 :]
    return None, ()


def is_sequential(base: ast.expr) -> bool:
    """Tell whether a base class is nn.Sequential, however it is written."""
    return quote(base).endswith("Sequential")


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
