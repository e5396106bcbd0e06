"""Changes a net layer by layer, and writes the change back into its source text.

Every function here returns a new chain; `rewritten` turns it into source. Where only arguments of layers changed, the
reader's own text keeps its form and only the parentheses of those layers are written anew; any other change gives an
nn.Sequential, or a class without inner classes.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from textwrap import dedent

from core.errors import InputError
from core.messages import N_
from core.shapes.chain import INPUT, Arithmetic, Chain, Node, Report, Row, SizeOf, run
from core.shapes.layer import UNKNOWN, Value
from core.shapes.layers import LAYERS, NAMES, find_layer
from core.shapes.memory import sum_up
from core.shapes.source import FENCE, QUESTION_MARK, Source, SourceError, read
from core.shapes.write import Forward, attributes, given, literal, sizes_in

FORWARD = "class Net(nn.Module):\n    def forward(self, x):\n        return {call}\n"
ONE_CALL = N_("Write the arguments of one {kind}, as in a call of it, without the parentheses around them.")
LONGEST_CELL = 300  # characters of the arguments of one layer


# A layer as a cell of a table.


def arguments_text(node: Node) -> str:
    """Write the arguments of an operation as a call would: 1, 10, kernel_size=5."""
    sizes = {f"{size.node}.{size.axis}": f"x.size({size.axis})" for size in sizes_in(tuple(node.arguments.values()))}
    if LAYERS[node.kind].variadic:
        text = literal(next(iter(node.arguments.values())), sizes)[1:-1].rstrip(",")
    elif len(node.inputs) > 1 and "other" in node.arguments:
        text = ""
    else:
        text = given(node.kind, node.arguments, sizes)
    return text.replace(repr(UNKNOWN), UNKNOWN)


def parsed_arguments(kind: str, text: str, node: Node) -> Mapping[str, Value]:
    """Read such a text for an operation in the place of `node`; raises InputError."""
    layer = find_layer(kind)
    text = " ".join(text.split())
    if len(text) > LONGEST_CELL:
        raise InputError(ONE_CALL, kind=layer.kind)
    count = len(node.inputs)
    if layer.form == "module":
        source = f"nn.{layer.kind}({text})"
    elif layer.inputs[1] is None:
        source = FORWARD.format(call=f"torch.{layer.kind}([{', '.join('x' * count)}], {text})")
    else:
        tensors = ", ".join("x" * count)
        source = FORWARD.format(call=f"torch.{layer.kind}({', '.join(filter(None, (tensors, text)))})")
    try:
        found = read(source).chain
    except SourceError as error:
        raise InputError(error.message, **error.values) from error
    if len(found.nodes) != 1 or found.nodes[0].kind != layer.kind:
        raise InputError(ONE_CALL, kind=layer.kind)
    return {name: _renamed(value, {INPUT: node.inputs[0]}) for name, value in found.nodes[0].arguments.items()}


# Changes of a chain.


def changed(chain: Chain, node_id: str, kind: str, text: str) -> Chain:
    """Give a layer another kind or other arguments, wherever it is used; raises InputError."""
    node = find(chain, node_id)
    if kind not in NAMES:
        raise InputError("“{name}” is not a layer or an operation that is known here.", name=kind[:40])
    new_kind = NAMES[kind]
    arguments = parsed_arguments(new_kind, text, node)
    return _with(chain, node, new_kind, arguments)


def _with(chain: Chain, node: Node, kind: str, arguments: Mapping[str, Value]) -> Chain:
    shared = {one.id for one in chain.nodes if node.module and one.module == node.module} | {node.id}
    form = LAYERS[kind].form
    nodes = (
        replace(
            one,
            kind=kind,
            arguments=arguments,
            name=one.name if kind == one.kind or form == "module" else "",
            module=one.module or one.id if form == "module" else "",
        )
        if one.id in shared
        else one
        for one in chain.nodes
    )
    return replace(chain, nodes=tuple(nodes))


def removed(chain: Chain, node_id: str) -> Chain:
    """Leave out an operation: those that read it read its first input instead. Raises InputError for the only one."""
    node = find(chain, node_id)
    if len(chain.nodes) == 1:
        raise InputError("A net needs at least one layer.")
    rest = [one for one in chain.nodes if one.id != node_id]
    names = {node_id: node.inputs[0]}
    output = "" if chain.last == node_id and node.inputs[0] == INPUT else names.get(chain.output, chain.output)
    return Chain(nodes=tuple(_reading(one, names) for one in rest), output=output)


def inserted(chain: Chain, after: str, kind: str, text: str) -> Chain:
    """Put a new layer behind a node, or behind INPUT: what read that node reads the new one. Raises InputError."""
    if kind not in NAMES:
        raise InputError("“{name}” is not a layer or an operation that is known here.", name=kind[:40])
    place = 0 if after == INPUT else chain.nodes.index(find(chain, after)) + 1
    name = _free_id(chain)
    draft = Node(id=name, kind=NAMES[kind], arguments={}, inputs=(after,), module=name)
    new = replace(draft, arguments=parsed_arguments(draft.kind, text, draft))
    if LAYERS[new.kind].form != "module":
        new = replace(new, module="")
    following = (_reading(one, {after: name}, sizes=False) for one in chain.nodes[place:])
    output = name if chain.last == after else chain.output
    return Chain(nodes=(*chain.nodes[:place], new, *following), output=output)


def duplicated(chain: Chain, node_id: str) -> Chain:
    """Put a second layer of the same kind, with weights of its own, behind a layer."""
    node = find(chain, node_id)
    place = chain.nodes.index(node) + 1
    name = _free_id(chain)
    copy = replace(node, id=name, inputs=(node_id, *node.inputs[1:]), module=name if node.module else "", line=None)
    copy = replace(copy, defined=None, name=node.name if node.module else "")
    following = (_reading(one, {node_id: name}, sizes=False) for one in chain.nodes[place:])
    output = name if chain.last == node_id else chain.output
    return Chain(nodes=(*chain.nodes[:place], copy, *following), output=output)


def moved(chain: Chain, node_id: str, by: int) -> Chain:
    """Swap a layer with the one before (by = -1) or behind it (1); raises InputError where lines fork or join."""
    node = find(chain, node_id)
    if by < 0:
        first = next((one for one in chain.nodes if one.id == node.inputs[0]), None)
        second: Node | None = node
    else:
        first, second = node, next((one for one in chain.nodes if node_id in one.inputs), None)
    if first is None or second is None:
        raise InputError("This layer is already at the end of the net.")
    readers = [one for one in chain.nodes if first.id in one.inputs]
    if len(readers) > 1 or second.inputs != (first.id,) or len(first.inputs) > 1 or chain.last == first.id:
        raise InputError("Layers change places only where no lines fork or join; edit the source instead.")
    upper = replace(_reading(second, {first.id: first.inputs[0]}), inputs=first.inputs)
    lower = replace(first, inputs=(second.id,))
    behind = {second.id: first.id}
    nodes: list[Node] = []
    for one in chain.nodes:
        if one.id == first.id:
            nodes += [upper, lower]
        elif one.id != second.id:
            nodes.append(_reading(one, behind) if second.id in one.inputs else one)
    output = first.id if chain.last == second.id else chain.output
    return Chain(nodes=tuple(nodes), output=output)


def find(chain: Chain, node_id: str) -> Node:
    """Return a node by its id; raises InputError where it is gone."""
    for node in chain.nodes:
        if node.id == node_id:
            return node
    raise InputError("This layer is no longer there.")


def _free_id(chain: Chain) -> str:
    known = {node.id for node in chain.nodes}
    return next(
        name for number in range(1, len(known) + 2) if (name := f"0new{number}") not in known
    )  # no attribute's name


def _reading(node: Node, names: Mapping[str, str], *, sizes: bool = True) -> Node:
    """Let a node read other nodes; with `sizes`, take sizes from them too."""
    inputs = tuple(names.get(name, name) for name in node.inputs)
    arguments = {name: _renamed(value, names if sizes else {}) for name, value in node.arguments.items()}
    return replace(node, inputs=inputs, arguments=arguments)


def _renamed(value: Value, names: Mapping[str, str]) -> Value:
    if isinstance(value, tuple):
        return tuple(_renamed(part, names) for part in value)
    if isinstance(value, SizeOf):
        return SizeOf(names.get(value.node, value.node), value.axis)
    if isinstance(value, Arithmetic):
        return Arithmetic(value.operator, _renamed(value.left, names), _renamed(value.right, names))
    return value


# Back into source.


def rewritten(text: str, source: Source, chain: Chain) -> str:
    """Return the source of a changed chain, in the reader's own words where only arguments of layers changed."""
    return _patched(text, source.chain, chain) or text_of(chain, name=source.name)


def text_of(chain: Chain, *, name: str = "Net") -> str:
    """Write a chain, right or wrong, as an nn.Sequential where it is a straight line of layers, else as a class."""
    lines = [_definition(node) for node in chain.nodes]
    if _is_line(chain):
        return "\n".join(
            ["from torch import nn", "", "model = nn.Sequential(", *(f"    {line}," for line in lines), ")\n"]
        )
    names = attributes(chain)
    defined: dict[str, str] = {}
    for node, line in zip(chain.nodes, lines, strict=True):
        if LAYERS[node.kind].form == "module":
            defined.setdefault(names[node.id], line)
    rows = tuple(Row(node=node, in_shapes=((),) * len(node.inputs)) for node in chain.nodes)
    totals = sum_up((1,), (), {}, "")
    forward = Forward(chain, Report(input_shape=(), rows=rows, totals=totals, out_shape=None), names).lines()
    name = name if name.isidentifier() and name != "Sequential" else "Net"
    statements = [statement.replace(repr(UNKNOWN), UNKNOWN) for statement, _shape in forward]
    uses = "\n".join(statements)
    imports = ["import torch"] * ("torch." in uses) + ["from torch import nn"]
    imports += ["from torch.nn import functional as F"] * ("F." in uses)
    return "\n".join(
        [
            *imports,
            "",
            "",
            f"class {name}(nn.Module):",
            "    def __init__(self):",
            "        super().__init__()",
            *(f"        self.{attribute} = {line}" for attribute, line in defined.items()),
            "",
            "    def forward(self, x):",
            *(f"        {statement}" for statement in statements),
            "",
        ]
    )


def _definition(node: Node) -> str:
    return f"nn.{node.kind}({arguments_text(node)})"


def _is_line(chain: Chain) -> bool:
    before = (INPUT, *(node.id for node in chain.nodes))
    modules = [node.module or node.id for node in chain.nodes]
    return (
        all(LAYERS[node.kind].form == "module" for node in chain.nodes)
        and all(node.inputs == (name,) for node, name in zip(chain.nodes, before, strict=False))
        and len(set(modules)) == len(modules)
        and chain.last == before[-1]
    )


def _patched(text: str, before: Chain, after: Chain) -> str | None:
    """Write new arguments into the calls that define the changed layers; None where that would not give `after`."""
    if [_wiring(node) for node in before.nodes] != [_wiring(node) for node in after.nodes]:
        return None
    lines = FENCE.sub("", dedent(text.removeprefix("\ufeff"))).split("\n")
    changes = {
        (old.defined, old.kind): new
        for old, new in zip(before.nodes, after.nodes, strict=True)
        if (old.kind, old.arguments) != (new.kind, new.arguments)
    }
    for (line, kind), node in sorted(changes.items(), key=lambda item: -(item[0][0] or 0)):
        calls = list(_calls(lines, line, kind))
        if len(calls) != 1 or LAYERS[node.kind].form != "module":
            return None
        _replace(lines, calls[0], f"nn.{node.kind}" if node.kind != kind else "", f"({arguments_text(node)})")
    patched = "\n".join(lines)
    try:
        found = read(patched).chain
    except SourceError:
        return None
    wanted = [(node.kind, node.arguments, node.inputs) for node in after.nodes]
    return patched if [(node.kind, node.arguments, node.inputs) for node in found.nodes] == wanted else None


def _wiring(node: Node) -> tuple[str, tuple[str, ...]]:
    return node.id, node.inputs


def _calls(lines: list[str], line: int | None, kind: str) -> Iterator[ast.Call]:
    """Yield the calls of a name that begin in a line; question marks stand for numbers."""
    plain = QUESTION_MARK.sub(lambda found: "0" if found[0] == "?" else found[0], "\n".join(lines))
    for node in ast.walk(ast.parse(plain)):
        if isinstance(node, ast.Call) and node.lineno == line:
            name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
            if name == kind:
                yield node


def _replace(lines: list[str], call: ast.Call, name: str, arguments: str) -> None:
    """Replace what a call calls, if a name is given, and its arguments; columns count bytes."""
    first, last = (call.func.end_lineno or 1) - 1, (call.end_lineno or 1) - 1
    head = lines[first].encode()[: call.func.end_col_offset].decode()
    tail = lines[last].encode()[call.end_col_offset :].decode()
    if name:
        head = head.encode()[: call.func.col_offset].decode() + name
    lines[first : last + 1] = [head + arguments + tail, *[""] * (last - first)]


# One-click repairs.


@dataclass(frozen=True)
class Repair:
    """A change that lets the first failing operation work."""

    new: str  # the text of that operation afterwards; "" where a Flatten is put before it
    chain: Chain


def repairs(chain: Chain, report: Report) -> list[Repair]:
    """Return the changes that let the first failing operation work."""
    if report.error is None:
        return []
    row = report.rows[-1]
    found: dict[str, Repair] = {}
    for candidate in _candidates(chain, row):
        again = {one.node.id: one for one in run(candidate, report.input_shape).rows}
        new = again.get(row.node.id)
        if new is not None and new.error is None:
            flattened = len(candidate.nodes) > len(chain.nodes)
            text = "" if flattened else _call(new.node)
            found.setdefault(text, Repair(text, candidate))
    return list(found.values())


def _call(node: Node) -> str:
    form = LAYERS[node.kind].form
    return f"{'nn' if form == 'module' else 'F' if form == 'function' else 'x'}.{node.kind}({arguments_text(node)})"


def _candidates(chain: Chain, row: Row) -> Iterator[Chain]:
    node, shape = row.node, row.in_shapes[0]
    given_arguments = dict(node.arguments)
    dims = int(node.kind[-2]) if node.kind[-2:-1].isdigit() else 0
    channels = shape[1] if len(shape) > max(1, dims) else shape[0] if shape else 0
    wanted: dict[str, Value] = {"in_features": shape[-1] if shape else 0, "in_channels": channels}
    wanted |= {"num_features": channels, "num_channels": channels, "normalized_shape": shape[-1:]}
    for name, value in wanted.items():
        if name in given_arguments and given_arguments[name] != value:
            yield _with(chain, node, node.kind, given_arguments | {name: value})
    if node.kind == "Linear" and len(shape) > 2:
        flat = inserted(chain, node.inputs[0], "Flatten", "")
        yield flat
        count = 1
        for size in shape[1:]:
            count *= size
        behind = next(one for one in flat.nodes if one.id == node.id)
        yield _with(flat, behind, node.kind, given_arguments | {"in_features": count})
    if node.kind in {"view", "reshape"} and len(shape) > 1:
        yield _with(chain, node, node.kind, {"shape": (SizeOf(node.inputs[0], 0), -1)})
    if "kernel_size" in given_arguments and dims and len(shape) > dims:
        yield _with(chain, node, node.kind, given_arguments | {"kernel_size": min(shape[-dims:])})
