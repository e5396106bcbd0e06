"""Reads the calls of a source that lead into torch: layers with their arguments, operations on tensors.

Nothing is called: the name decides what is recorded, and only the names of `LAYERS` count.
"""

from __future__ import annotations

import ast
from abc import abstractmethod
from collections.abc import Callable, Mapping
from difflib import get_close_matches
from typing import Any, ClassVar, NoReturn

from core.messages import N_
from core.shapes.chain import Arithmetic, Node, SizeOf
from core.shapes.errors import ShapeError
from core.shapes.expressions import LONGEST_LIST, NOT_READ, TOO_LONG, Expressions, fail, quote
from core.shapes.layers import LAYERS, bind
from core.shapes.values import Container, LayerModule, Method, Module, Opaque, Path, Sizes, SourceError, Tensor

MOST_NODES = 2_000  # operations of a net that can be shown
CONTAINERS = frozenset({"Sequential", "ModuleList"})
OPERATIONS = {  # by every name that F, torch or a tensor has for them
    name: kind for kind, layer in LAYERS.items() if layer.form != "module" for name in (kind, *layer.aliases)
}
UNCHANGED = frozenset(  # methods of a tensor or a module that leave its shape alone and calculate nothing
    {"to", "cuda", "cpu", "float", "double", "half", "bfloat16", "clone", "contiguous", "detach", "type", "type_as"}
    | {"requires_grad_", "eval", "train", "apply"}
)
ELSEWHERE = frozenset({"device", "dtype"})  # arguments that say where a layer lives, not what shape it has
NOT_A_LAYER = N_("{name} is not among the layers and functions that are read here.")
DID_YOU_MEAN = N_("{name} is not among the layers and functions that are read here; did you mean {similar}?")


class Calls(Expressions):
    """The part of the interpreter that turns calls of torch into layers and nodes."""

    CALLEES: ClassVar[Mapping[type, Callable[[Any, ast.Call, Any], object]]]
    OWNERS: ClassVar[Mapping[type, Callable[[Any, ast.Call, Method], object]]]

    def __init__(self) -> None:
        super().__init__()
        self.nodes: list[Node] = []
        self.prefix = ""  # of the object whose method is read: "incep1."

    @abstractmethod
    def container(self, node: ast.Call, kind: str) -> Container:
        """Make a container of modules."""

    @abstractmethod
    def call_super(self, node: ast.Call, callee: Method | None) -> object:
        """Read `super()`, or a method of it."""

    @abstractmethod
    def start(self, node: ast.Call) -> None:
        """Read `nn.Module.__init__(self)`."""

    def call(self, node: ast.Call) -> object:
        """Decide by what is called."""
        callee = self.evaluate(node.func)
        handler = next((handler for kind, handler in self.CALLEES.items() if isinstance(callee, kind)), None)
        return handler(self, node, callee) if handler else self.refuse(node)

    def refuse(self, node: ast.expr) -> NoReturn:
        """Say that an expression is not read."""
        fail(node, NOT_READ, text=quote(node))

    def refuse_name(self, line: int, name: str) -> NoReturn:
        """Say that a layer or a function is not known, and which known one is spelled like it."""
        space, _, last = name.rpartition(".")
        known = [kind for kind, layer in LAYERS.items() if (layer.form == "module") is (space == "torch.nn")]
        folded = {kind.lower(): kind for kind in known}
        similar = get_close_matches(last.lower(), folded, n=1, cutoff=0.75)
        if similar:
            raise SourceError(DID_YOU_MEAN, line=line, name=name, similar=folded[similar[0]])
        raise SourceError(NOT_A_LAYER, line=line, name=name)

    def arguments(self, node: ast.Call) -> tuple[list[object], dict[str, object]]:
        """Evaluate the arguments of a call, by place and by name."""
        positional: list[object] = []
        for item in node.args:
            positional.extend(self.listed(item.value) if isinstance(item, ast.Starred) else [self.evaluate(item)])
        named: dict[str, object] = {}
        for keyword in node.keywords:
            if keyword.arg in ELSEWHERE:
                continue
            value = self.evaluate(keyword.value)
            if keyword.arg is not None:
                named[keyword.arg] = value
            elif isinstance(value, dict):  # **kwargs of the method around
                named.update(value)
            else:
                self.refuse(node)
        return positional, named

    def bound(self, node: ast.expr, kind: str, values: list[object], named: dict[str, object]) -> Mapping[str, Any]:
        """Give the arguments of a layer or an operation their names; raises SourceError with PyTorch's complaint."""
        for value in (*values, *named.values()):
            self.check_argument(node, value)
        try:
            return bind(kind, *map(plain, values), **{name: plain(value) for name, value in named.items()})
        except ShapeError as error:
            raise SourceError(
                error.message, line=node.lineno, torch=error.torch, error_type=error.error_type, **error.values
            ) from error

    def check_argument(self, node: ast.expr, value: object) -> None:
        """Refuse what cannot be an argument of a layer."""
        self.count_step(node.lineno)
        if isinstance(value, Opaque):
            self.refuse_name(value.line, value.name)
        if isinstance(value, list):
            for part in value:
                self.check_argument(node, part)
        elif not (value is None or isinstance(value, bool | int | float | str | SizeOf | Arithmetic)):
            self.refuse(node)

    def record(
        self,
        line: int,
        kind: str,
        arguments: Mapping[str, Any],
        inputs: tuple[str, ...],
        module: LayerModule | None = None,
    ) -> Tensor:
        """Add a node to the chain and return its output."""
        if len(self.nodes) >= MOST_NODES:
            message = N_("This net has more than {most} operations; a net of that size cannot be shown.")
            raise SourceError(message, line=line, most=f"{MOST_NODES:,}")
        node = Node(
            id=f"n{len(self.nodes) + 1}",
            name=module.name if module else f"{self.prefix}{kind}",
            kind=kind,
            arguments=arguments,
            inputs=inputs,
            line=line,
            defined=module.line if module else None,
            module=module.name if module else "",
        )
        self.nodes.append(node)
        return Tensor(node.id)

    # Names that lead into torch, and the few built-in ones.

    def call_path(self, node: ast.Call, callee: Path) -> object:
        """`nn.Conv2d(…)`, `F.relu(x)`, `torch.cat(…)`, `len(…)`."""
        if callee.name in self.BUILT_IN:
            return self.BUILT_IN[callee.name](self, node)
        space, _, name = callee.name.rpartition(".")
        if space == "torch.nn" and name in CONTAINERS:
            return self.container(node, name)
        if space == "torch.nn" and name in LAYERS and LAYERS[name].form == "module":
            return LayerModule(node.lineno, name, self.bound(node, name, *self.arguments(node)))
        if space in {"torch.nn.init", "torch.nn.Module"}:  # how weights begin has no shape
            return self.start(node) if name == "__init__" else None
        kind = operation(name)
        if space in {"torch", "torch.nn.functional"} and kind:
            return self.operate(node, kind, *self.arguments(node))
        return self.foreign(node, callee)

    def foreign(self, node: ast.Call, callee: Path) -> Opaque:
        """Keep what torch has but no net is made of; refuse it where it meets a tensor, and what is not of torch."""
        if not callee.name.startswith("torch."):
            fail(node, NOT_A_LAYER, name=callee.name)
        tensors = (isinstance(item, ast.Name) and isinstance(self.names.get(item.id), Tensor) for item in node.args)
        if callee.name.startswith("torch.nn.functional.") or any(tensors):
            self.refuse_name(node.lineno, callee.name)
        return Opaque(callee.name, node.lineno)

    def single(self, node: ast.Call) -> object:
        """Return the only argument of a call."""
        values, named = self.arguments(node)
        return values[0] if len(values) == 1 and not named else self.refuse(node)

    def length(self, node: ast.Call) -> object:
        """`len(x)` is the first size of a tensor."""
        value = self.single(node)
        if isinstance(value, Tensor):
            return SizeOf(value.node, 0)
        if isinstance(value, Container):
            return len(value.members)
        return len(value) if isinstance(value, list) else self.refuse(node)

    def whole(self, node: ast.Call) -> object:
        """`int(…)`: numbers are cut off, sizes are whole already."""
        value = self.single(node)
        if isinstance(value, SizeOf | Arithmetic):
            return value
        return int(value) if isinstance(value, int | float) else self.refuse(node)

    def numbers(self, node: ast.Call) -> list[object]:
        """`range(3)`."""
        values, named = self.arguments(node)
        whole = [value for value in values if isinstance(value, int)]
        if named or len(whole) != len(values) or not 1 <= len(whole) <= 3 or whole[2:] == [0]:
            self.refuse(node)
        span = range(*whole)
        if len(span) > LONGEST_LIST:
            fail(node, TOO_LONG, most=f"{LONGEST_LIST:,}")
        return list(span)

    def as_list(self, node: ast.Call) -> list[object]:
        """`list(…)`, `tuple(…)`, `OrderedDict([…])`: as lists."""
        if len(node.args) > 1 or node.keywords:
            self.refuse(node)
        return self.listed(node.args[0]) if node.args else []

    BUILT_IN: ClassVar[Mapping[str, Callable[[Any, ast.Call], object]]] = {
        "len": length,
        "int": whole,
        "range": numbers,
        "list": as_list,
        "tuple": as_list,
        "OrderedDict": as_list,
        "super": lambda self, node: self.call_super(node, None),
        "print": lambda self, node: None,  # what is printed is not looked at
    }

    # Operations on tensors.

    def operate(self, node: ast.Call, kind: str, values: list[object], named: dict[str, object]) -> Tensor:
        """Record a function or a method: its tensors come first, the other arguments after them."""
        most = LAYERS[kind].inputs[1]
        values = [named.pop(name) for name in ("input", "tensors") if name in named] + values
        if values and isinstance(values[0], list) and most != 1:
            values = values[0] + values[1:]  # torch.cat([a, b], 1)
        if isinstance(named.get("other"), Tensor):
            values.insert(1, named.pop("other"))
        inputs = [value.node for value in values if isinstance(value, Tensor)]
        if not inputs:
            fail(node, N_("{text} does not use a tensor of this net."), text=quote(node))
        if most is not None and len(inputs) > most:
            self.refuse(node)
        rest = [value for value in values if not isinstance(value, Tensor)]
        return self.record(line_of(node), kind, self.bound(node, kind, rest, named), tuple(inputs))

    def combine(self, node: ast.BinOp, kind: str, left: object, right: object) -> Tensor:
        """`x + y`, `x * 0.5`, `1 - x`."""
        sides = [side.node for side in (left, right) if isinstance(side, Tensor)]
        rest = [side for side in (left, right) if not isinstance(side, Tensor)]
        if not kind or isinstance(rest[:1], Module):
            self.refuse(node)
        if isinstance(left, Tensor) or kind in {"add", "mul"}:
            return self.record(node.lineno, kind, self.bound(node, kind, rest, {}), tuple(sides))
        if kind != "sub":
            self.refuse(node)
        minus = self.record(node.lineno, "mul", self.bound(node, "mul", [-1], {}), tuple(sides))  # 1 - x = x·(−1) + 1
        return self.record(node.lineno, "add", self.bound(node, "add", rest, {}), (minus.node,))

    # Methods.

    def method(self, node: ast.Call, callee: Method) -> object:
        """Decide by whose method it is."""
        handler = next((handler for kind, handler in self.OWNERS.items() if isinstance(callee.owner, kind)), None)
        return handler(self, node, callee) if handler else self.refuse(node)

    def tensor_method(self, node: ast.Call, callee: Method) -> object:
        """`x.view(…)`, `x.size(0)`, `x.relu()`."""
        tensor = callee.owner
        kind = operation(callee.name)
        if kind:
            values, named = self.arguments(node)
            return self.operate(node, kind, [tensor, *values], named)
        if callee.name in UNCHANGED:
            return tensor
        if callee.name != "size" or not isinstance(tensor, Tensor):
            self.refuse_name(line_of(node), callee.name)
        values, named = self.arguments(node)
        axes = [*values, *named.values()]
        return self.size(node, tensor, axes[0]) if axes else Sizes(tensor.node)

    def list_method(self, node: ast.Call, callee: Method) -> None:
        """`layers.append(…)`, `layers.extend(…)`, `layers += […]`."""
        value = self.single(node)
        added = value if callee.name == "extend" else [value]
        if not isinstance(callee.owner, list) or callee.name not in {"append", "extend"} or not isinstance(added, list):
            self.refuse(node)
        callee.owner.extend(added)
        self.short(node, callee.owner)

    def opaque_method(self, node: ast.Call, callee: Method) -> Opaque:
        """`torch.device("cpu").type()`: kept like its owner."""
        assert isinstance(callee.owner, Opaque)  # noqa: S101 - by OWNERS
        return Opaque(f"{callee.owner.name}.{callee.name}", node.lineno)


def operation(name: str) -> str:
    """Return the kind of an operation by one of its names, "" if there is none; `relu_` works in place and is relu."""
    return OPERATIONS.get(name) or OPERATIONS.get(name.removesuffix("_"), "")


def line_of(node: ast.Call) -> int:
    """Return the line in which the called name ends: where `.view` stands in an expression of several lines."""
    return node.func.end_lineno or node.lineno


def plain(value: object) -> object:
    """Return a list as the tuple that layers take."""
    return tuple(plain(part) for part in value) if isinstance(value, list) else value
