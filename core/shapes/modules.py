"""Reads containers, and sends tensors through what `__init__` has kept."""

from __future__ import annotations

import ast
from abc import abstractmethod
from typing import TypeGuard

from core.messages import N_
from core.shapes.calls import UNCHANGED, Calls, line_of
from core.shapes.expressions import fail, quote
from core.shapes.values import (
    Container,
    Instance,
    LayerModule,
    Method,
    Module,
    Opaque,
    Path,
    SourceError,
    Super,
    Tensor,
)

ONE_TENSOR = N_("A layer takes one tensor; {text} gives it something else.")


class Modules(Calls):
    """The part of the interpreter that builds containers and calls layers."""

    @abstractmethod
    def build(
        self, node: ast.AST, definition: ast.ClassDef, values: list[object], named: dict[str, object]
    ) -> Instance:
        """Make an object of a class of the source."""

    @abstractmethod
    def call_method(self, node: ast.Call, instance: Instance, name: str) -> object:
        """Read a method of a class of the source with the arguments of a call."""

    @abstractmethod
    def forward(self, line: int, instance: Instance, value: object) -> object:
        """Send a tensor through an object of a class of the source."""

    def container(self, node: ast.Call, kind: str) -> Container:
        """`nn.Sequential(a, b)`, `nn.Sequential(OrderedDict([("a", a)]))`, `nn.ModuleList([a, b])`."""
        values, named = self.arguments(node)
        if named:
            self.refuse(node)
        if len(values) == 1 and isinstance(values[0], list):
            if kind == "Sequential" and not all(is_pair(value) for value in values[0]):
                fail(node, N_("nn.Sequential takes layers, not a list of them: put a star before the list."))
            values = values[0]
        return Container(node.lineno, kind, self.members(node, values))

    def members(self, node: ast.AST, values: list[object]) -> dict[str, Module]:
        """Name the members of a container: by their numbers, or as an OrderedDict does."""
        named: dict[str, Module] = {}
        for number, value in enumerate(values):
            name, member = (str(value[0]), value[1]) if is_pair(value) else (str(number), value)
            if isinstance(member, Opaque):
                self.refuse_name(member.line, member.name)
            if not isinstance(member, Module):
                fail(node, N_("Only layers can stand in a container."))
            named[name] = member
        return named

    # Calls.

    def call_class(self, node: ast.Call, definition: ast.ClassDef) -> Instance:
        """`InceptionA(in_channels=10)`."""
        return self.build(node, definition, *self.arguments(node))

    def call_module(self, node: ast.Call, module: Module) -> object:
        """`self.conv1(x)`."""
        values, named = self.arguments(node)
        tensors = [*values, *named.values()]
        if len(tensors) != 1 or not isinstance(tensors[0], Tensor):
            fail(node, ONE_TENSOR, text=quote(node))
        return self.send(module, tensors[0], line_of(node))

    def call_opaque(self, node: ast.Call, callee: Opaque) -> object:
        """A layer that is not known was kept, and is called now."""
        self.refuse_name(callee.line, callee.name)

    def send(self, module: Module, value: object, line: int | None) -> object:
        """Send a tensor through a module; without a line, each layer stands in the line that defines it."""
        here = line or module.line
        self.count_step(here)
        if isinstance(module, Instance):
            return self.forward(here, module, value)
        if isinstance(module, Container):
            if module.kind != "Sequential":
                raise SourceError(N_("nn.ModuleList only holds layers: call them one by one."), line=here)
            for member in module.members.values():
                value = self.send(member, value, line)
            return value
        if not isinstance(value, Tensor) or not isinstance(module, LayerModule):
            raise SourceError(ONE_TENSOR, line=here, text=module.name)
        if not module.name:  # made on the way, as in nn.ReLU()(x)
            module.name = f"{self.prefix}{module.kind}_{len(self.nodes) + 1}"
        return self.record(here, module.kind, module.arguments, (value.node,), module)

    # Methods.

    def module_method(self, node: ast.Call, callee: Method) -> object:
        """`self.conv.forward(x)`, `net.to(device)`, `blocks.append(…)`, or a method of a class of the source."""
        owner = callee.owner
        if not isinstance(owner, Module):
            self.refuse(node)
        if callee.name == "forward":
            return self.call_module(node, owner)
        if callee.name in UNCHANGED:
            return owner
        if callee.name == "add_module":
            self.add_module(node, owner)
            return None
        if isinstance(owner, Instance):
            return self.call_method(node, owner, callee.name)
        if not isinstance(owner, Container) or callee.name not in {"append", "extend"}:
            self.refuse(node)
        return self.extend(node, owner, callee.name)

    def extend(self, node: ast.Call, owner: Container, name: str) -> Container:
        """`blocks.append(layer)`, `blocks.extend([layer, layer])`."""
        value = self.single(node)
        members = [*owner.members.values(), *(value if name == "extend" and isinstance(value, list) else [value])]
        owner.members = self.members(node, self.short(node, members))
        return owner

    def add_module(self, node: ast.Call, owner: Module) -> None:
        """`self.add_module("conv1", layer)`."""
        values, named = self.arguments(node)
        pair = [*values, *named.values()]
        if not is_pair(pair) or not isinstance(owner, Instance | Container):
            self.refuse(node)
        kept = owner.members if isinstance(owner, Container) else owner.attributes
        kept.update(self.members(node, [pair]))


def is_pair(value: object) -> TypeGuard[list[object]]:
    """Tell whether a value is a name with something, an entry of an OrderedDict."""
    return isinstance(value, list) and len(value) == 2 and isinstance(value[0], str)


Modules.CALLEES = {
    Path: Modules.call_path,
    Method: Modules.method,
    ast.ClassDef: Modules.call_class,
    Module: Modules.call_module,
    Opaque: Modules.call_opaque,
}
Modules.OWNERS = {
    Tensor: Modules.tensor_method,
    Module: Modules.module_method,
    list: Modules.list_method,
    Super: lambda self, node, callee: self.call_super(node, callee),
    Opaque: Modules.opaque_method,
}
