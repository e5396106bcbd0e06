"""Changes a net layer by layer.

Every function here returns a new chain; `core.shapes.rewrite` turns it into source.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from core.errors import InputError
from core.messages import N_
from core.shapes.chain import INPUT, Arithmetic, Chain, Node, SizeOf
from core.shapes.layer import UNKNOWN, Value
from core.shapes.layers import LAYERS, NAMES, find_layer
from core.shapes.source import SourceError, read
from core.shapes.write import given, literal, sizes_in

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
    return with_layer(chain, node, new_kind, arguments)


def with_layer(chain: Chain, node: Node, kind: str, arguments: Mapping[str, Value]) -> Chain:
    """Put another layer in the place of one, wherever that one is used."""
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
