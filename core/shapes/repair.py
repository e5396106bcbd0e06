"""Changes that let the first failing operation of a net work: each is tried before it is offered."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from core.shapes.chain import Chain, Node, Report, Row, SizeOf, run
from core.shapes.edit import arguments_text, inserted, with_layer
from core.shapes.layer import Shape, Value, elements
from core.shapes.layers import LAYERS
from core.shapes.linear import needs_flatten
from core.shapes.remarks import about_input
from core.shapes.solve import padding_that_keeps

KERNELS = (7, 5, 3, 2)  # what nets use, the largest first


@dataclass(frozen=True)
class Repair:
    """A change that lets the first failing operation work."""

    new: str  # the text of that operation afterwards; "" where a Flatten is put before it
    chain: Chain
    also: str = ""  # beside a Flatten: the text of the operation behind it, where that changes too


def repairs(chain: Chain, report: Report) -> list[Repair]:
    """Return the changes that let the first failing operation work, the likeliest mistake first."""
    if report.error is None or about_input(report):
        return []
    row = report.rows[-1]
    found: dict[tuple[bool, frozenset[str]], Repair] = {}  # by what is changed: one kernel is enough
    for candidate in _candidates(chain, row):
        again = run(candidate, report.input_shape)
        new = next((one for one in again.rows if one.node.id == row.node.id), None)
        if new is not None and new.error is None and not _leaves_too_little(again, row):
            flattened = len(candidate.nodes) > len(chain.nodes)
            before = row.node.arguments
            names = frozenset(name for name, value in new.node.arguments.items() if value != before[name])
            texts = ("", _call(new.node) if names else "") if flattened else (_call(new.node), "")
            found.setdefault((flattened, names), Repair(texts[0], candidate, texts[1]))
    return list(found.values())


def _leaves_too_little(again: Report, row: Row) -> bool:
    """Tell whether the image that a changed kernel leaves is too small for a later window."""
    last = again.rows[-1]
    changed_window = "kernel_size" in row.node.arguments
    return changed_window and last.error is not None and "kernel_size" in last.node.arguments


def _call(node: Node) -> str:
    form = LAYERS[node.kind].form
    return f"{'nn' if form == 'module' else 'F' if form == 'function' else 'x'}.{node.kind}({arguments_text(node)})"


def _candidates(chain: Chain, row: Row) -> Iterator[Chain]:
    node, shape = row.node, row.in_shapes[0]
    if node.kind == "Linear" and needs_flatten(shape, node.arguments["in_features"]):
        yield from _flattened(chain, row)
        return
    given = dict(node.arguments)
    for change in (*_counts(node, shape), *_windows(node, shape)):
        if any(given[name] != value for name, value in change.items()):
            yield with_layer(chain, node, node.kind, given | change)
    if node.kind == "Linear" and len(shape) > 2:
        yield from _flattened(chain, row)
    if node.kind in {"view", "reshape"} and len(shape) > 1:
        yield with_layer(chain, node, node.kind, {"shape": (SizeOf(node.inputs[0], 0), -1)})


def _flattened(chain: Chain, row: Row) -> Iterator[Chain]:
    """Put a Flatten before a linear layer, as it is and with the features that arrive then."""
    flat = inserted(chain, row.node.inputs[0], "Flatten", "")
    yield flat
    behind = next(one for one in flat.nodes if one.id == row.node.id)
    features = {"in_features": elements(row.in_shapes[0][1:])}
    yield with_layer(flat, behind, behind.kind, dict(behind.arguments) | features)


def _dims(node: Node) -> int:
    return int(node.kind[-2]) if node.kind[-2:-1].isdigit() else 0


def _counts(node: Node, shape: Shape) -> Iterator[dict[str, Value]]:
    """Take as many features or channels as arrive."""
    dims = _dims(node)
    channels = shape[1] if len(shape) > max(1, dims) else shape[0] if shape else 0
    wanted: dict[str, Value] = {"in_features": shape[-1] if shape else 0, "in_channels": channels}
    wanted |= {"num_features": channels, "num_channels": channels, "normalized_shape": shape[-1:]}
    yield from ({name: value} for name, value in wanted.items() if name in node.arguments)


def _windows(node: Node, shape: Shape) -> Iterator[dict[str, Value]]:
    """Take less padding, a kernel that fits, or the padding with which the kernel keeps the size."""
    dims, arguments = _dims(node), node.arguments
    kernel = arguments.get("kernel_size")
    if not dims or len(shape) <= dims or not isinstance(kernel, int):
        return
    pooling = "pool" in node.kind.lower()
    if pooling and kernel > 1 and isinstance(arguments["padding"], int) and arguments["padding"] > kernel // 2:
        yield {"padding": kernel // 2}
        return
    if pooling and kernel >= 1:
        return  # a window of 1 pixel pools nothing; the layer is one too many
    smaller = [size for size in KERNELS if size <= min(shape[-dims:]) and (size < kernel or kernel < 1)]
    if kernel < 1:
        smaller = smaller[-1:] if pooling else [size for size in smaller if size == 3]
    yield from ({"kernel_size": size} for size in smaller)
    if kernel >= 1 and arguments.get("padding") == 0:
        padding = padding_that_keeps(kernel, 1)
        yield from ({"padding": one} for one in (padding,) if isinstance(one, int))
