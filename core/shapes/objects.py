"""Reads the source's own classes: objects, their methods with arguments filled in, and the classes above them."""

from __future__ import annotations

import ast
from abc import abstractmethod
from collections.abc import Sequence
from typing import NoReturn

from core.messages import N_
from core.shapes.chain import INPUT, SizeOf
from core.shapes.expressions import TOO_DEEP, fail, quote
from core.shapes.modules import Modules
from core.shapes.values import Container, Instance, Method, Opaque, Returned, SourceError, Super, Tensor

WEIGHTS = frozenset(  # methods of a module that go through its weights or keep some: they have no shape
    {"modules", "children", "named_modules", "parameters", "named_parameters", "register_buffer", "register_parameter"}
)


HARMLESS = frozenset({"torch.no_grad", "torch.inference_mode", "torch.enable_grad", "no_grad", "override"})


class Objects(Modules):
    """The part of the interpreter that builds objects and calls their methods."""

    def __init__(self, classes: dict[str, ast.ClassDef]) -> None:
        super().__init__()
        self.classes = classes  # of the source, by name
        self.last: Tensor | None = None  # what a forward without return ends in
        self.guessed: list[str] = []  # arguments of the net that were not given
        self.without_return: list[str] = []  # classes whose forward has no return
        self.building: list[ast.ClassDef] = []  # whose __init__ is read now, against nets inside themselves

    @abstractmethod
    def follow(self, body: Sequence[ast.stmt]) -> Returned | None:
        """Follow statements until one returns."""

    def build(
        self, node: ast.AST, definition: ast.ClassDef, values: list[object], named: dict[str, object]
    ) -> Instance:
        """Read `__init__` of a class with the values that it is given."""
        if definition.decorator_list:
            fail(definition.decorator_list[0], N_("Decorators change what a class does; it cannot be read with them."))
        instance = Instance(node.lineno, definition)  # type: ignore[attr-defined]  # a call or a class
        again = definition in self.building
        self.building.append(definition)
        try:
            self.initialise(node, Super(instance, self.lineage(definition)), values, named)
        except SourceError as error:
            if not again or error.message != TOO_DEEP:
                raise
            fail(node, N_("{name} contains itself, so it would be built for ever."), name=definition.name)
        finally:
            self.building.pop()
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
            start.instance.ready = True
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
        if not instance.ready:
            self.refuse_early(
                definition.lineno, definition, f"'{definition.name}' object has no attribute '_backward_hooks'"
            )
        before, self.prefix, self.last = self.prefix, f"{instance.name}." if instance.name else "", None
        result = self.run(function, function, Super(instance, above), [value], {})
        self.prefix = before
        if result is None and self.last is not None:
            result = self.last
            if definition.name not in self.without_return:
                self.without_return.append(definition.name)
        if result is None:
            message = N_("The forward of {class_name} does nothing with its input.")
            fail(function, message, class_name=definition.name)
        return result

    def start(self, node: ast.Call) -> None:
        """Read `nn.Module.__init__(self)`, an old way to write `super().__init__()`."""
        for value in self.arguments(node)[0]:
            if isinstance(value, Instance):
                value.ready = True

    def refuse_early(self, line: int, definition: ast.ClassDef, torch: str) -> NoReturn:
        """Refuse an object of a class that does not call the `__init__` of nn.Module, as PyTorch does."""
        message = N_("The __init__ of {name} must begin with super().__init__(), before the first layer is made.")
        raise SourceError(message, line=line, torch=torch, error_type="AttributeError", name=definition.name)

    # Functions.

    def run(
        self, node: ast.AST, function: ast.FunctionDef, start: Super, values: list[object], named: dict[str, object]
    ) -> object:
        """Follow the body of a method with its arguments filled in."""
        strange = [one for one in function.decorator_list if quote(one).rstrip("()") not in HARMLESS]
        if strange:
            fail(strange[0], N_("Decorators change what a function does; it cannot be read with them."))
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
