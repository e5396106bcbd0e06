"""How tensors lie in memory, which of them autograd keeps, and what all of it adds up to.

A tensor is a storage and strides: views share the storage of what they were made from. For backward, autograd keeps
the inputs or outputs of most operations; a storage that is kept twice is there only once. Everything is float32.
Source: PyTorch's "Tensor Views" and "Autograd mechanics" (saved tensors).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from core.messages import N_
from core.shapes.errors import ShapeError
from core.shapes.layer import Arguments, Layer, Shape, elements

if TYPE_CHECKING:
    from core.shapes.chain import Node, Row

FLOAT = 4  # bytes of a number
INDEX = 8  # bytes of an index, as max pooling keeps them

VIEWS = {"squeeze", "unsqueeze", "permute", "transpose", "Identity", "detach", "unflatten", "Unflatten"}
READ_ANEW = {"view", "reshape", "flatten", "Flatten"}  # views where the strides allow it
IN_PLACE = {"add_", "sub_", "mul_", "div_"}


@dataclass(frozen=True)
class Layout:
    """Where the values of a tensor lie."""

    storage: str  # the id of the node that made it
    shape: Shape
    strides: Shape  # numbers from one value to the next, per dimension

    @classmethod
    def contiguous(cls, storage: str, shape: Shape) -> Layout:
        """Lay the values one after the other, the last dimension fastest."""
        strides: list[int] = []
        step = 1
        for size in reversed(shape):
            strides.insert(0, step)
            step *= max(size, 1)
        return cls(storage, shape, tuple(strides))

    @property
    def in_order(self) -> bool:
        """Whether the values lie one after the other."""
        wanted = Layout.contiguous("", self.shape).strides
        return 0 in self.shape or all(
            size == 1 or step == other for size, step, other in zip(self.shape, self.strides, wanted, strict=True)
        )

    def viewed(self, shape: Shape) -> Layout | None:
        """Return the same storage read in another shape, or None where its strides do not allow that.

        Each run of dimensions that lie one after the other is a block; new dimensions must not cross blocks.
        """
        if self.in_order:
            return Layout(self.storage, shape, Layout.contiguous("", shape).strides)
        strides = _strides_of_view(self, shape)
        return None if strides is None else Layout(self.storage, shape, strides)


def _strides_of_view(old: Layout, shape: Shape) -> Shape | None:
    strides = [0] * len(shape)
    dim = len(shape) - 1
    count, below, step = 1, 1, old.strides[-1] if old.strides else 1
    for axis in reversed(range(len(old.shape))):
        count *= old.shape[axis]
        ends = axis == 0 or (old.shape[axis - 1] != 1 and old.strides[axis - 1] != count * step)
        if not ends:
            continue
        while dim >= 0 and (below < count or shape[dim] == 1):
            strides[dim] = below * step
            below *= shape[dim]
            dim -= 1
        if below != count:
            return None
        count, below, step = 1, 1, old.strides[axis - 1] if axis else 1
    return tuple(strides) if dim == -1 else None


def lay_out(node: str, kind: str, arguments: Arguments, inputs: Sequence[Layout], out: Shape) -> Layout:
    """Say how the output lies in memory; raises ShapeError for a view of values that are not in order."""
    first = inputs[0]
    if kind in READ_ANEW:
        layout = first.viewed(out)
        if layout is None and kind == "view":
            raise ShapeError(
                N_("The values do not lie in this order in memory any more; use reshape instead of view."),
                torch="view size is not compatible with input tensor's size and stride (at least one dimension spans "
                "across two contiguous subspaces). Use .reshape(...) instead.",
            )
        return layout or Layout.contiguous(node, out)
    if kind in IN_PLACE or (arguments.get("inplace") and first.shape == out):
        return first
    if kind in VIEWS:
        return Layout(first.storage, out, _strides(kind, arguments, first, out))
    if first.shape == out and kind != "contiguous" and not first.in_order:
        return Layout(node, out, _dense(first))
    return first if kind == "contiguous" and first.in_order else Layout.contiguous(node, out)


def _strides(kind: str, arguments: Arguments, old: Layout, out: Shape) -> Shape:
    """Return the strides of a view that moves, adds or removes dimensions."""
    rank = len(old.shape)
    if kind == "permute":
        return tuple(old.strides[dim % rank] for dim in arguments["dims"])
    if kind == "transpose" and rank:
        strides = list(old.strides)
        a, b = arguments["dim0"] % rank, arguments["dim1"] % rank
        strides[a], strides[b] = strides[b], strides[a]
        return tuple(strides)
    if out == old.shape:
        return old.strides
    viewed = old.viewed(out)  # sizes of 1, and parts of one dimension, lie in order in any case
    return viewed.strides if viewed else Layout.contiguous("", out).strides


def _dense(old: Layout) -> Shape:
    """Return strides in the same order of dimensions, without gaps: what a value-by-value operation makes."""
    strides = [0] * len(old.shape)
    step = 1
    for dim in sorted(range(len(old.shape)), key=lambda dim: (old.strides[dim], old.shape[dim], -dim)):
        strides[dim] = step
        step *= max(old.shape[dim], 1)
    return tuple(strides)


def kept_for_backward(
    layer: Layer,
    node: Node,
    arguments: Arguments,
    *,
    statistics: int,
    shapes: Mapping[str, Shape],
    layouts: Mapping[str, Layout],
    storages: set[str],
) -> int:
    """Return the bytes that autograd keeps because of this operation, and add the storages to those kept."""
    wanted: list[str] = []
    if "input" in layer.keeps and _needs_input(layer, node):
        wanted += node.inputs
    if "output" in layer.keeps:
        wanted.append(node.id)
    total = 0
    for name in wanted:
        storage = layouts[name].storage
        if storage not in storages:
            storages.add(storage)
            total += elements(shapes[name]) * FLOAT
    count = elements(shapes[node.id])
    total += count * INDEX if "indices" in layer.keeps else 0
    total += statistics * FLOAT
    return total + (count if _drops(layer, arguments) else 0)  # a mask has one byte for each value


def _needs_input(layer: Layer, node: Node) -> bool:
    """Say whether the input itself is kept: a product with a number needs none."""
    return not (layer.form == "method" and layer.inputs == (1, 2) and len(node.inputs) == 1)


def _drops(layer: Layer, arguments: Arguments) -> bool:
    return "mask" in layer.keeps and bool(arguments.get("training", True)) and 0 < arguments["p"] <= 1


@dataclass(frozen=True, kw_only=True)
class Totals:
    """Sums over a net."""

    params: int  # shared layers once
    macs: int  # multiply-adds for the whole batch, as torchinfo counts them
    parameter_bytes: int
    input_bytes: int
    forward_bytes: int  # most bytes of activations alive at once without gradients
    training_bytes: int  # bytes of activations kept for backward
    torchinfo_bytes: int  # "Forward/backward pass size" of torchinfo: outputs of layers with weights, twice


def sum_up(input_shape: Shape, rows: Sequence[Row], layouts: Mapping[str, Layout], last: str) -> Totals:
    """Add up the rows of a net."""
    good = [row for row in rows if row.error is None]
    params = sum(row.params for row in good if row.counted)
    return Totals(
        params=params,
        macs=sum(row.macs for row in good),
        parameter_bytes=params * FLOAT,
        input_bytes=elements(input_shape) * FLOAT,
        forward_bytes=_most_alive(good, layouts, last),
        training_bytes=sum(row.kept_bytes for row in good),
        torchinfo_bytes=2 * sum(row.out_bytes for row in good if row.params),
    )


def _most_alive(rows: Sequence[Row], layouts: Mapping[str, Layout], last: str) -> int:
    """Return the most bytes that are needed at once when every tensor goes after its last use."""
    final: dict[str, int] = {}  # storage -> the last step that reads it
    for step, row in enumerate(rows):
        for name in (*row.node.inputs, row.node.id):
            final[layouts[name].storage] = step
    if last in layouts:
        final[layouts[last].storage] = len(rows)
    alive: dict[str, int] = {}
    most = 0
    for step, row in enumerate(rows):
        for name, shape in (*zip(row.node.inputs, row.in_shapes, strict=True), (row.node.id, row.out_shape or ())):
            alive.setdefault(layouts[name].storage, elements(shape) * FLOAT)
        most = max(most, sum(alive.values()))
        alive = {storage: size for storage, size in alive.items() if final[storage] > step}
    return most
