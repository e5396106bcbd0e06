"""What the expressions of a pasted source stand for while it is read. No tensor and no module is ever made."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from core.errors import InputError
from core.shapes.layer import Arguments


class SourceError(InputError):
    """A source that cannot be read as a net: one sentence, and the line that it is about.

    `line` counts from 1; None where the text as a whole is meant. `torch` and `error_type` are what PyTorch says to
    the same line, "" where it would not complain.
    """

    def __init__(
        self, message: str, *, line: int | None = None, torch: str = "", error_type: str = "", **values: object
    ) -> None:
        self.line = line
        self.torch = torch
        self.error_type = error_type
        super().__init__(message, **values)

    def __reduce__(self) -> tuple[object, ...]:
        """Keep everything when the error crosses a process boundary."""
        return (_rebuild, (self.message, self.line, self.torch, self.error_type, self.values))


def _rebuild(message: str, line: int | None, torch: str, error_type: str, values: dict[str, Any]) -> SourceError:
    return SourceError(message, line=line, torch=torch, error_type=error_type, **values)


@dataclass(frozen=True)
class Tensor:
    """The output of a node of the chain."""

    node: str  # its id


@dataclass(frozen=True)
class Sizes:
    """`x.shape` or `x.size()`."""

    node: str


@dataclass(frozen=True)
class Path:
    """A name that leads into torch: torch.nn.Conv2d, or the name of something built in."""

    name: str


@dataclass(frozen=True)
class Method:
    """`owner.name` where the owner is a tensor, sizes, a module or a list: something to be called."""

    owner: object
    name: str


@dataclass(frozen=True)
class Opaque:
    """Something of torch that is not read here: a loss function, a device. It may be kept but not used."""

    name: str  # torch.nn.CrossEntropyLoss
    line: int


@dataclass(eq=False)
class Module:
    """What `__init__` keeps: told apart by identity, since two equal layers have weights of their own."""

    line: int
    name: str = field(default="", kw_only=True)  # where it hangs: "incep1.branch1x1"; "" until it has a place

    def children(self) -> Iterator[tuple[str, Module]]:
        """Yield the modules inside, by name."""
        yield from ()


@dataclass(eq=False)
class LayerModule(Module):
    """One layer with its arguments."""

    kind: str
    arguments: Arguments


@dataclass(eq=False)
class Container(Module):
    """nn.Sequential or nn.ModuleList."""

    kind: str
    members: dict[str, Module]

    def children(self) -> Iterator[tuple[str, Module]]:
        """Yield the members by their names, or by their numbers."""
        yield from self.members.items()


@dataclass(eq=False)
class Instance(Module):
    """An object of a class of the source."""

    definition: ast.ClassDef
    attributes: dict[str, object] = field(default_factory=dict)
    ready: bool = False  # whether nn.Module.__init__ was called: before that, PyTorch keeps no layers

    def children(self) -> Iterator[tuple[str, Module]]:
        """Yield the modules among the attributes; a plain list hides its modules, as in PyTorch."""
        yield from ((name, value) for name, value in self.attributes.items() if isinstance(value, Module))


@dataclass(frozen=True)
class Super:
    """`super()` in a method of a class of the source."""

    instance: Instance
    bases: tuple[ast.ClassDef, ...]  # the classes above, the nearest first


@dataclass(frozen=True)
class Returned:
    """The value of a `return`."""

    value: object


def name_modules(module: Module, prefix: str = "") -> None:
    """Give each module the first path that leads to it; a module that is kept twice has one name."""
    for name, child in module.children():
        if not child.name:
            child.name = f"{prefix}{name}"
            name_modules(child, f"{child.name}.")
