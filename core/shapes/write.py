"""Writes a chain as PyTorch: an nn.Module with the shape beside every line, an nn.Sequential, or with lazy layers."""

from __future__ import annotations

import keyword
import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

from core.messages import N_
from core.shapes.chain import INPUT, Arithmetic, Chain, Node, Report, Row, SizeOf, run
from core.shapes.errors import ShapeError
from core.shapes.layer import REQUIRED, UNKNOWN, Shape, Value
from core.shapes.layers import LAYERS, bind
from core.shapes.sizes import resolve

SHORT = {  # what attributes without a name are called, by the beginning of their kind
    "ConvTranspose": "deconv",
    "Conv": "conv",
    "Linear": "fc",
    "BatchNorm": "bn",
    "Dropout": "dropout",
    "MaxPool": "pool",
    "AvgPool": "pool",
}
RESERVED = frozenset(  # methods of nn.Module that a layer must not hide
    {"forward", "train", "eval", "to", "type", "float", "half", "double", "apply", "modules", "children", "training"}
)
NOT_VARIABLES = frozenset({"x", "self", "nn", "F", "torch"})
SIGNS = {"add": "+", "sub": "-", "mul": "*", "div": "/"}
IN_TORCH = frozenset({"sigmoid", "tanh"})  # torch.relu is F.relu, but these two are at home in torch
MODULES = {  # functions that have a module of the same name: max_pool2d -> MaxPool2d
    kind: module
    for kind, layer in LAYERS.items()
    for module in LAYERS
    if layer.form != "module" and LAYERS[module].form == "module" and module.lower() == kind.replace("_", "").lower()
}


def module_text(chain: Chain, input_shape: Shape, *, name: str = "Net", lazy: bool = False) -> str:
    """Return a class with its imports; `lazy` leaves the incoming sizes to PyTorch.

    Raises the ShapeError of a net that fails.
    """
    report = checked(chain, input_shape)
    names = attributes(chain)
    defined: dict[str, str] = {}
    for row in report.rows:
        if LAYERS[row.node.kind].form == "module":
            defined.setdefault(names[row.node.id], built(row, report, lazy=lazy))
    forward = Forward(chain, report, names).lines()
    uses = "\n".join(text for text, _ in forward)
    imports = ["import torch"] * ("torch." in uses) + ["from torch import nn"]
    imports += ["from torch.nn import functional as F"] * ("F." in uses)
    head = [
        *imports,
        "",
        "",
        f"class {name}(nn.Module):",
        "    def __init__(self):",
        "        super().__init__()",
        *(f"        self.{attribute} = {text}" for attribute, text in defined.items()),
        "",
        f"    def forward(self, x):  # {written(input_shape)}",
    ]
    return "\n".join((*head, *commented(forward, 8))) + "\n"


def sequential_text(chain: Chain, input_shape: Shape, *, lazy: bool = False) -> str:
    """Return a net without branches as an nn.Sequential; raises ShapeError where it has branches or fails."""
    report = checked(chain, input_shape)
    lines: list[tuple[str, str]] = []
    before, seen = INPUT, set[str]()
    for row in report.rows:
        node = row.node
        if node.inputs != (before,) or (node.module in seen and row.params):
            raise ShapeError(
                N_("An nn.Sequential is a straight line; {name} is not in one."), name=node.name or node.kind
            )
        before = node.id
        if row.params:
            seen.add(node.module)
        text = as_module(row, report, lazy=lazy)
        if text:
            lines.append((f"{text},", written(row.out_shape or ())))
    if chain.last != before:
        raise ShapeError(N_("An nn.Sequential returns what its last layer makes; this net returns something else."))
    return (
        "\n".join(
            ["from torch import nn", "", f"model = nn.Sequential(  # {written(input_shape)}", *commented(lines, 4), ")"]
        )
        + "\n"
    )


def is_straight(chain: Chain, input_shape: Shape) -> bool:
    """Tell whether a net can be written as an nn.Sequential."""
    try:
        sequential_text(chain, input_shape)
    except ShapeError:
        return False
    return True


def checked(chain: Chain, input_shape: Shape) -> Report:
    """Run the chain; raises its ShapeError."""
    report = run(chain, input_shape, training=False)
    if report.error:
        raise report.error
    return report


def commented(lines: Sequence[tuple[str, str]], indent: int) -> list[str]:
    """Return lines with their comments below one another."""
    width = max((len(text) for text, comment in lines if comment and len(text) <= 60), default=0)
    return [
        f"{' ' * indent}{text:{width}}  # {comment}" if comment else f"{' ' * indent}{text}" for text, comment in lines
    ]


def written(shape: Shape) -> str:
    """Write a shape: (64, 10), (64,)."""
    return str(tuple(shape))


# Layers.


def attributes(chain: Chain) -> dict[str, str]:
    """Return the attribute that holds each layer, by node: incep1.branch1x1 becomes incep1_branch1x1.

    Layers without a name of their own are numbered: conv1, conv2.
    """
    layers = [node for node in chain.nodes if LAYERS[node.kind].form == "module"]
    shared = {node.module or node.id: node for node in reversed(layers)}  # a layer that is used twice is there once
    alike = Counter(short_name(node.kind) for node in shared.values() if not own_name(node))
    names: dict[str, str] = {}
    for key in dict.fromkeys(node.module or node.id for node in layers):
        node = shared[key]
        short = short_name(node.kind)
        name = own_name(node) or (f"{short}1" if alike[short] > 1 else short)
        names[key] = unique(name, names.values())
    return {node.id: names[node.module or node.id] for node in layers}


def own_name(node: Node) -> str:
    """Return the name of a layer as an attribute, "" where it has none that an nn.Module leaves to its user."""
    name = identifier(node.module or (node.name if node.name != node.kind else ""))
    return "" if name[:1].isdigit() or name in RESERVED else name


def short_name(kind: str) -> str:
    """Return what layers of a kind are called: conv, pool, fc."""
    return next((short for start, short in SHORT.items() if kind.startswith(start)), kind.lower())


def identifier(text: str) -> str:
    """Return a text as a Python name, "" where nothing is left of it."""
    name = re.sub(r"\W+", "_", text, flags=re.ASCII).strip("_")
    return f"{name}_" if keyword.iskeyword(name) else name


def unique(name: str, taken: Iterable[str]) -> str:
    """Return the name, or the first with another number that is free: conv1, conv2, …."""
    used = set(taken)
    base = name.rstrip("0123456789") or name
    numbered = (f"{base}{number}" for number in range(2, len(used) + 3))
    return name if name not in used else next(free for free in numbered if free not in used)


def built(row: Row, report: Report, *, lazy: bool = False) -> str:
    """Write the layer that `__init__` makes: nn.Conv2d(1, 10, kernel_size=5)."""
    kind, arguments = row.node.kind, solved(row, report)
    if lazy and f"Lazy{kind}" in LAYERS:
        first = LAYERS[kind].arguments[0].name
        kind, arguments = f"Lazy{kind}", {name: value for name, value in arguments.items() if name != first}
    elif not lazy and kind.startswith("Lazy") and row.filled:
        kind = kind.removeprefix("Lazy")
        arguments = {**row.filled, **arguments}
    return f"nn.{kind}({given(kind, arguments)})"


def solved(row: Row, report: Report) -> dict[str, Value]:
    """Return the arguments of a row as numbers: sizes are looked up, unknowns are those that were worked out."""
    shapes = {INPUT: report.input_shape, **{other.node.id: other.out_shape or () for other in report.rows}}
    arguments = {name: resolve(value, shapes) for name, value in row.node.arguments.items()}
    return {name: row.filled.get(name, value) if value == UNKNOWN else value for name, value in arguments.items()}


def as_module(row: Row, report: Report, *, lazy: bool) -> str:
    """Write any operation as a module, "" where it does nothing; raises ShapeError where there is no such module."""
    node = row.node
    if LAYERS[node.kind].form == "module":
        return built(row, report, lazy=lazy)
    if node.kind in {"contiguous", "clone", "detach"}:
        return ""
    in_shape, out_shape = row.in_shapes[0], row.out_shape or ()
    if node.kind in {"view", "reshape", "flatten"} and flattens(in_shape, out_shape):
        return "nn.Flatten()"
    if node.kind not in MODULES:
        raise ShapeError(
            N_("There is no module for {name}, so an nn.Sequential cannot hold it."), name=node.name or node.kind
        )
    kind = MODULES[node.kind]
    known = {argument.name for argument in LAYERS[kind].arguments}
    arguments = {name: value for name, value in solved(row, report).items() if name in known}
    return f"nn.{kind}({given(kind, bind(kind, **arguments))})"


def flattens(before: Shape, after: Shape) -> bool:
    """Tell whether all but the batch became one dimension."""
    return len(after) == 2 and len(before) >= 2 and before[0] == after[0]


def given(kind: str, arguments: Mapping[str, Value], names: Mapping[str, str] | None = None) -> str:
    """Write the arguments that differ from their defaults: the first sizes by place, the others by name."""
    declared = LAYERS[kind].arguments
    wanted = [one for one in declared if one.name in arguments and arguments[one.name] != one.default]
    parts: list[str] = []
    by_place = True
    for number, one in enumerate(wanted):
        text = literal(arguments[one.name], names or {})
        first = one is declared[number] and one.default == REQUIRED and one.name != "kernel_size"
        alone = len(wanted) == 1 and one is declared[0] and one.form != "flag" and one.name != "dim"
        by_place = by_place and (first or alone)
        parts.append(text if by_place else f"{one.name}={text}")
    return ", ".join(parts)


def literal(value: Value, names: Mapping[str, str]) -> str:
    """Write a value; sizes have names of their own."""
    if isinstance(value, SizeOf):
        return names[f"{value.node}.{value.axis}"]
    if isinstance(value, Arithmetic):
        return f"({literal(value.left, names)} {value.operator} {literal(value.right, names)})"
    if isinstance(value, tuple):
        inside = ", ".join(literal(part, names) for part in value)
        return f"({inside},)" if len(value) == 1 else f"({inside})"
    return repr(value)


# The forward.


class Forward:
    """Writes the operations of a chain line by line, with as few variables as its branches need."""

    def __init__(self, chain: Chain, report: Report, names: Mapping[str, str]) -> None:
        self.chain = chain
        self.report = report
        self.names = names  # attributes, by node
        self.variables = {INPUT: "x"}  # by the node whose tensor they hold
        self.sizes: dict[str, str] = {}  # x.size(0) that is needed later: "n3.0" -> its variable
        self.readers = Counter(name for node in chain.nodes for name in node.inputs)
        self.last_use = {name: number for number, node in enumerate(chain.nodes) for name in node.inputs}
        self.last_use[chain.last] = len(chain.nodes)
        operations = (
            node for node in chain.nodes if LAYERS[node.kind].form != "module"
        )  # in __init__ sizes are numbers
        self.wanted = dict.fromkeys(size for node in operations for size in sizes_in(tuple(node.arguments.values())))

    def lines(self) -> list[tuple[str, str]]:
        """Return (statement, the shape that it makes) for every line."""
        lines = [*self.kept_sizes(INPUT)]
        for number, row in enumerate(self.report.rows):
            text = self.expression(row.node)
            inputs = [self.variables[name] for name in row.node.inputs]
            self.variables = {name: held for name, held in self.variables.items() if self.last_use[name] > number}
            target = self.target(row.node, inputs)
            if self.last_use.get(row.node.id, -1) > number:
                self.variables[row.node.id] = target
            lines.append((f"{target} = {text}", written(row.out_shape or ())))
            lines += self.kept_sizes(row.node.id)
        return [*lines, (f"return {self.variables[self.chain.last]}", "")]

    def target(self, node: Node, inputs: Sequence[str]) -> str:
        """Return the variable for an output: x where it is free, that of an input that is used up, or a new one."""
        taken = set(self.variables.values())
        free = [held for held in ("x", *inputs) if held not in taken]
        if free:
            return free[0]
        name = identifier(node.name.rpartition(".")[2])
        branch = self.readers[node.inputs[0]] > 2 and name and not name[0].isdigit() and name not in NOT_VARIABLES
        return unique(name if branch else "y", {*taken, *self.sizes.values()})

    def kept_sizes(self, name: str) -> list[tuple[str, str]]:
        """Keep the sizes of a tensor that later lines need, before its variable is used again."""
        lines = []
        for size in self.wanted:
            if size.node == name:
                base = "batch_size" if size.axis == 0 else f"size{size.axis}".replace("-", "_")
                variable = unique(base, self.sizes.values())
                self.sizes[f"{size.node}.{size.axis}"] = variable
                lines.append((f"{variable} = {self.variables[name]}.size({size.axis})", ""))
        return lines

    def expression(self, node: Node) -> str:
        """Write one operation."""
        layer = LAYERS[node.kind]
        inputs = [self.variables[name] for name in node.inputs]
        if layer.form == "module":
            return f"self.{self.names[node.id]}({inputs[0]})"
        arguments = dict(node.arguments)
        if node.kind.rstrip("_") in SIGNS:
            other = inputs[1] if len(inputs) > 1 else literal(arguments["other"], self.sizes)
            return f"{inputs[0]} {SIGNS[node.kind.rstrip('_')]} {other}"
        if layer.variadic:
            values = next(iter(arguments.values()))
            return f"{inputs[0]}.{node.kind}({literal(values, self.sizes)[1:-1].rstrip(',')})"
        rest = given(node.kind, arguments, self.sizes)
        if layer.inputs[1] is None:
            return f"torch.{node.kind}([{', '.join(inputs)}]{', ' if rest else ''}{rest})"
        if layer.form == "function":
            training = ["training=self.training"] * (arguments.get("training") is True)
            space = "torch" if node.kind in IN_TORCH else "F"
            return f"{space}.{node.kind}({', '.join([inputs[0], *([rest] * bool(rest)), *training])})"
        return f"{inputs[0]}.{node.kind}({rest})"


def sizes_in(value: Value) -> list[SizeOf]:
    """Return the sizes inside a value of an argument, in order."""
    if isinstance(value, tuple):
        return [size for part in value for size in sizes_in(part)]
    if isinstance(value, Arithmetic):
        return sizes_in((value.left, value.right))
    return [value] if isinstance(value, SizeOf) else []
