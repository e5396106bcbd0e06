"""Changes that let the first failing operation of a net work: each is tried before it is offered."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from core.shapes.chain import Chain, Node, Report, Row, SizeOf, run
from core.shapes.edit import arguments_text, inserted, with_layer
from core.shapes.layer import Value, elements
from core.shapes.layers import LAYERS


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
            yield with_layer(chain, node, node.kind, given_arguments | {name: value})
    if node.kind == "Linear" and len(shape) > 2:
        flat = inserted(chain, node.inputs[0], "Flatten", "")
        yield flat
        behind = next(one for one in flat.nodes if one.id == node.id)
        yield with_layer(flat, behind, node.kind, given_arguments | {"in_features": elements(shape[1:])})
    if node.kind in {"view", "reshape"} and len(shape) > 1:
        yield with_layer(chain, node, node.kind, {"shape": (SizeOf(node.inputs[0], 0), -1)})
    if "kernel_size" in given_arguments and dims and len(shape) > dims:
        yield with_layer(chain, node, node.kind, given_arguments | {"kernel_size": min(shape[-dims:])})
