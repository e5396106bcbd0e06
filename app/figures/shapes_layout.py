"""Where the boxes of a net stand: from top to bottom in the order of computation, branches side by side.

Every tensor owns a strip of the width. A tensor with several readers divides its strip among them, and an operation
that joins several tensors gets their strips back, so that no line runs through a box. A shortcut, which holds no
layer, gets a narrow strip.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from core.shapes.chain import INPUT, Node

BOX = 0.54  # of a row; the rest is the arrow
FORK = 1.45  # rows below a tensor with several readers: its line divides there
BUS = FORK - 0.2  # rows below such a tensor: where its line divides
SHORTCUT = 0.3  # width of a strip without layers, relative to one with layers


@dataclass(frozen=True)
class Strip:
    """A part of the width, from 0 to 1."""

    left: float
    right: float

    @property
    def middle(self) -> float:
        """Where lines run."""
        return (self.left + self.right) / 2


@dataclass(frozen=True)
class Box:
    """One operation: its row, counted from 0 for the input, and its strip."""

    row: float
    strip: Strip
    ports: tuple[float, ...]  # where its inputs arrive, from 0 to 1
    fork: bool  # several operations read its output


@dataclass(frozen=True)
class Line:
    """The way of a tensor from one box to another: down, across just above the fork's end, and down again."""

    start: str  # ids of boxes
    end: str
    column: float  # of the way down, from 0 to 1


@dataclass(frozen=True)
class Layout:
    """Boxes by id, INPUT among them, the lines between them, and how many rows there are."""

    boxes: dict[str, Box]
    lines: tuple[Line, ...]
    rows: float


def lay_out(nodes: Sequence[Node]) -> Layout:
    """Place the boxes of a chain."""
    readers: dict[str, list[Node]] = {INPUT: [], **{node.id: [] for node in nodes}}
    for node in nodes:
        for name in dict.fromkeys(node.inputs):
            readers[name].append(node)
    boxes = {INPUT: Box(0, Strip(0, 1), (), len(readers[INPUT]) > 1)}
    strips = _divided(INPUT, boxes[INPUT].strip, readers[INPUT])
    lines = []
    for node in nodes:
        names = tuple(dict.fromkeys(node.inputs))
        given = [strips[name, node.id] for name in names]
        strip = Strip(min(one.left for one in given), max(one.right for one in given))
        row = max(boxes[name].row + (FORK if boxes[name].fork else 1) for name in names)
        ports = tuple(one.middle for one in given)
        boxes[node.id] = Box(row, strip, ports, len(readers[node.id]) > 1)
        lines += [Line(name, node.id, port) for name, port in zip(names, ports, strict=True)]
        strips |= _divided(node.id, strip, readers[node.id])
    return Layout(boxes, tuple(lines), max(box.row for box in boxes.values()) + 1)


def _divided(name: str, strip: Strip, readers: list[Node]) -> dict[tuple[str, str], Strip]:
    """Divide the strip of a tensor among its readers, in their order; a shortcut goes to the right."""
    if not readers:
        return {}
    weights = {reader.id: SHORTCUT if len(set(reader.inputs)) > 1 else 1.0 for reader in readers}
    if len(readers) == 1:
        weights = {readers[0].id: 1.0}
    total, left = sum(weights.values()), strip.left
    parts = {}
    for reader in sorted(readers, key=lambda one: weights[one.id] < 1):
        right = left + (strip.right - strip.left) * weights[reader.id] / total
        parts[name, reader.id] = Strip(left, right)
        left = right
    return parts
