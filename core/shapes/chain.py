"""A net as a chain of operations, and what becomes of a shape on its way through it.

A chain is a graph without loops, in the order of computation: every node names the nodes whose tensors it takes.
Branches and shortcuts are nodes with several readers and nodes with several inputs.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from core.messages import N_
from core.shapes.errors import ShapeError
from core.shapes.field import Field, Fields, follow, seen_from_input
from core.shapes.layer import LARGEST, MOST, Result, Shape, Step, Value, elements, listed
from core.shapes.layers import LAYERS, apply, bind, find_layer
from core.shapes.memory import FLOAT, Layout, Totals, kept_for_backward, lay_out, sum_up
from core.shapes.sizes import Arithmetic, SizeOf, nodes_in, resolve
from core.shapes.windows import Axis

__all__ = ["INPUT", "Arithmetic", "Chain", "Node", "Report", "Row", "SizeOf", "Totals", "run"]

INPUT = "input"  # the id of the tensor that goes in
LONGEST = 2_000  # nodes of a chain


@dataclass(frozen=True, kw_only=True)
class Node:
    """One operation of a net."""

    id: str  # unique in its chain, not INPUT
    name: str = ""  # as to be shown: conv1, F.relu
    kind: str  # a key of LAYERS
    arguments: Mapping[str, Value]  # all of them, as `bind` returns them
    inputs: tuple[str, ...] = (INPUT,)  # ids of the nodes whose tensors it takes
    line: int | None = None  # of the call in the source, from 1
    defined: int | None = None  # of the layer's definition
    module: str = ""  # which layer object this is: nodes of one module share its weights; "" has weights of its own

    def line_of(self, error: ShapeError) -> int | None:
        """Return the line that an error is about."""
        return self.defined if error.at == "definition" and self.defined is not None else self.line


@dataclass(frozen=True, kw_only=True)
class Chain:
    """A net: operations in the order in which they are computed."""

    nodes: tuple[Node, ...]
    output: str = ""  # the node whose tensor comes out; "" for the last

    def __post_init__(self) -> None:
        if len(self.nodes) > LONGEST:
            raise ShapeError(
                N_("The net has {count} operations; the most are {limit}."), count=len(self.nodes), limit=LONGEST
            )
        known = {INPUT}
        for node in self.nodes:
            needed = {*node.inputs, *(name for value in node.arguments.values() for name in nodes_in(value))}
            missing = sorted(needed - known)
            if missing or node.id in known or not node.inputs:
                raise ShapeError(
                    N_("The operation {name} must have an id of its own and come after those that it reads."),
                    name=node.name or node.id,
                )
            find_layer(node.kind)
            known.add(node.id)
        if self.output and self.output not in known:
            raise ShapeError(N_("No operation is called {name}."), name=self.output)

    @classmethod
    def of(cls, *layers: tuple[str, Mapping[str, Value]]) -> Chain:
        """Put layers one after the other: Chain.of(("Conv2d", {"in_channels": 1, …}), ("ReLU", {}))."""
        nodes: list[Node] = []
        for number, (kind, arguments) in enumerate(layers, start=1):
            before = (nodes[-1].id,) if nodes else (INPUT,)
            bound = bind(kind, **arguments)
            nodes.append(Node(id=f"n{number}", name=kind, kind=kind, arguments=bound, inputs=before, line=number))
        return cls(nodes=tuple(nodes))

    @property
    def last(self) -> str:
        """The id of the node whose tensor comes out."""
        return self.output or (self.nodes[-1].id if self.nodes else INPUT)


@dataclass(frozen=True, kw_only=True)
class Row:
    """What one operation does to a shape."""

    node: Node
    in_shapes: tuple[Shape, ...]
    out_shape: Shape | None = None  # None where it failed
    params: int = 0  # weights and biases of this layer
    counted: bool = True  # False where the layer was used before: its weights are there only once
    macs: int = 0  # multiply-adds for the whole batch, as torchinfo counts them
    axes: tuple[Axis, ...] = ()  # windows, one per spatial axis
    steps: tuple[Step, ...] = ()  # formulas with numbers
    filled: Mapping[str, int] = field(default_factory=dict)  # arguments that were worked out
    factors: Shape = ()  # (20, 4, 4) for a linear layer whose 320 features were flattened from that
    out_bytes: int = 0  # of the output, as float32
    kept_bytes: int = 0  # what autograd keeps for backward because of this operation and no earlier one
    field: tuple[Field | None, ...] = ()  # what one output value sees, per spatial axis of the input
    error: ShapeError | None = None

    @property
    def line(self) -> int | None:
        """The line of the source that this row is about; of an error, the one to blame."""
        return self.node.line_of(self.error) if self.error else self.node.line

    @property
    def discarded(self) -> tuple[int, ...]:
        """Pixels at the end of each axis that no window reaches."""
        return tuple(axis.discarded for axis in self.axes)


@dataclass(frozen=True, kw_only=True)
class Report:
    """A net from its input to its output, or to its first mistake."""

    input_shape: Shape
    rows: tuple[Row, ...]
    totals: Totals
    out_shape: Shape | None  # of the whole net, None where it failed

    @property
    def error(self) -> ShapeError | None:
        """The first mistake; the last row is its row."""
        return self.rows[-1].error if self.rows else None

    @property
    def ok(self) -> bool:
        """Whether data would flow through to the end."""
        return self.error is None


@dataclass
class _Walk:
    """What is known after some of the operations."""

    shapes: dict[str, Shape]  # by node id, as are all of these
    layouts: dict[str, Layout]
    fields: dict[str, Fields]
    factors: dict[str, Shape]
    modules: set[str] = field(default_factory=set)
    storages: set[str] = field(default_factory=set)


def run(chain: Chain, input_shape: Shape, *, training: bool = True) -> Report:
    """Send a shape through a net; stops at the first operation that PyTorch would refuse.

    `training` is the mode of the net, model.train() or model.eval().

    Raises ShapeError for an input shape that no net takes.
    """
    refuse_bad_input(input_shape)
    walk = _Walk(
        shapes={INPUT: input_shape},
        layouts={INPUT: Layout.contiguous(INPUT, input_shape)},
        fields={INPUT: seen_from_input(input_shape, image_axes(chain, input_shape))},
        factors={INPUT: input_shape[1:]},
    )
    rows: list[Row] = []
    for node in chain.nodes:
        rows.append(_row(node, walk, training=training))
        if rows[-1].error:
            break
    failed = bool(rows) and rows[-1].error is not None
    return Report(
        input_shape=input_shape,
        rows=tuple(rows),
        totals=sum_up(input_shape, rows, walk.layouts, chain.last),
        out_shape=None if failed else walk.shapes[chain.last],
    )


def image_axes(chain: Chain, shape: Shape) -> int:
    """Return how many of the last axes of the input are those of an image.

    The first layer that has them says so (Conv1d: 1, MaxPool2d: 2); without one, (N, C, H, W) and (C, H, W) have 2 and
    a batch of vectors none.
    """
    dims = next((int(node.kind[-2]) for node in chain.nodes if node.kind[-2:] in ("1d", "2d", "3d")), None)
    if dims is None:
        dims = len(shape) - 2 if len(shape) > 3 else 2 if len(shape) == 3 else 0
    return min(dims, max(0, len(shape) - 1))


def refuse_bad_input(shape: Shape) -> None:
    """Refuse an input without values, or with more than any computer holds."""
    if not shape or any(size < 1 for size in shape):
        raise ShapeError(N_("Every size of the input must be at least 1, not {shape}."), shape=listed(shape))
    if max(shape) > LARGEST or elements(shape) > MOST:
        raise ShapeError(N_("The input {shape} is larger than any computer holds."), shape=listed(shape))


def _row(node: Node, walk: _Walk, *, training: bool) -> Row:
    """Apply one operation and note down what follows from it."""
    in_shapes = tuple(walk.shapes[name] for name in node.inputs)
    try:
        given = {name: resolve(value, walk.shapes) for name, value in node.arguments.items()}
        arguments = {"training": training, **given}
        result = apply(node.kind, given, *in_shapes, training=training)
        layout = lay_out(node.id, node.kind, arguments, [walk.layouts[name] for name in node.inputs], result.out_shape)
    except ShapeError as error:
        return Row(node=node, in_shapes=in_shapes, error=error)
    walk.shapes[node.id] = result.out_shape
    walk.layouts[node.id] = layout
    inputs = [walk.fields[name] for name in node.inputs]
    walk.fields[node.id] = follow(LAYERS[node.kind], arguments, result, in_shapes, inputs)
    counted = not node.module or node.module not in walk.modules
    walk.modules.add(node.module)
    return Row(
        node=node,
        in_shapes=in_shapes,
        out_shape=result.out_shape,
        params=result.params,
        counted=counted,
        macs=result.macs,
        axes=result.axes,
        steps=(*result.steps, *_worked_out(node, result, walk)),
        filled=result.filled,
        factors=_factors(node, result, in_shapes, walk),
        out_bytes=elements(result.out_shape) * FLOAT,
        kept_bytes=kept_for_backward(
            LAYERS[node.kind],
            node,
            arguments,
            statistics=result.statistics,
            shapes=walk.shapes,
            layouts=walk.layouts,
            storages=walk.storages,
        ),
        field=walk.fields[node.id].seen,
    )


def _factors(node: Node, result: Result, in_shapes: tuple[Shape, ...], walk: _Walk) -> Shape:
    """Remember which product a flattened axis is, and hand it to the linear layer that reads it."""
    before, out = in_shapes[0], result.out_shape
    effect = LAYERS[node.kind].effect
    if effect == "mix":
        return walk.factors.get(node.inputs[0], ())
    if len(out) < len(before) and len(out) == 2 and effect == "structure" and out[:1] == before[:1]:
        walk.factors[node.id] = before[1:] if elements(before[1:]) == out[1] else ()
    elif out == before:
        walk.factors[node.id] = walk.factors.get(node.inputs[0], ())
    return ()


def _worked_out(node: Node, result: Result, walk: _Walk) -> tuple[Step, ...]:
    """Explain the arguments that were unknown: in_features = 20·4·4 = 320."""
    steps = []
    for name, value in result.filled.items():
        factors = walk.factors.get(node.inputs[0], ())
        product = "·".join(map(str, factors)) + " = " if name == "in_features" and len(factors) > 1 else ""
        steps.append(Step(label=N_("worked out"), text=f"{name} = {product}{value}"))
    return tuple(steps)
