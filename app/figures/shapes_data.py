"""What the drawing of a net shows, as data: places of boxes and lines, texts and the two squares of each step."""

from functools import lru_cache
from itertools import pairwise

import pandas as pd

from app.figures import shapes_words as words
from app.figures.line import Data
from app.figures.shapes_layout import BOX, BUS, Layout, lay_out
from app.i18n import _
from core.shapes.chain import INPUT, Chain, Report, Row
from core.shapes.inspection import inspect
from core.shapes.layer import Shape
from core.shapes.layers import LAYERS
from core.shapes.windows import Axis

MOST_GRID = 32  # pixels along an input whose grid is drawn
PARTS = (  # what is drawn in the two squares: the net's input and the layer's own input
    ("input", 0, "input", 0.0),
    ("field", 0, "learned", 0.25),
    ("layer", 1, "input", 0.0),
    ("right", 1, "error", 0.3),
    ("bottom", 1, "error", 0.3),
    ("window", 1, "learned", 0.25),
)


@lru_cache(maxsize=64)
def detective_data(text: str, shape: Shape, _language: str) -> Data:
    """Compute what `detective` draws of a source text; treat it as read-only. The language is there for the cache.

    Raises InputError where the text or the input shape is refused.
    """
    inspection = inspect(text, shape)
    chain, report = inspection.source.chain, inspection.report
    layout = lay_out(chain.nodes)
    places = {INPUT: -1} | {node.id: index for index, node in enumerate(chain.nodes)}
    kinds = _kinds(chain, report)
    boxes = [
        {"index": places[name], "kind": kinds[name]}
        | {"row": box.row, "middle": box.strip.middle, "wide": box.strip.right - box.strip.left}
        | {"joins": len(box.ports) > 1, "first": min(box.ports, default=0), "last": max(box.ports, default=0)}
        for name, box in layout.boxes.items()
    ]
    # what was worked out stands in the place of its question mark
    nodes = [*map(words.filled, report.rows), *chain.nodes[len(report.rows) :]]
    named = [_("input"), *map(words.long_label, nodes)]
    brief = [_("input"), *map(words.brief_label, nodes)]
    short = [_("input"), *map(words.short_label, nodes)]
    tiny = [_("input"), *map(words.tiny_label, nodes)]
    labelled = pd.DataFrame(boxes).assign(long=named, brief=brief, short=short, tiny=tiny)
    geometry = [_geometry(row, report) for row in report.rows]
    narrowest = min(box.strip.right - box.strip.left for box in layout.boxes.values())
    return {
        "boxes": labelled,
        "lines": pd.DataFrame(_lines(layout, chain.last)),
        "shapes": pd.DataFrame(_shapes(layout, chain, report), columns=["row", "middle", "wide", "long", "short"]),
        "steps": pd.DataFrame(
            [_step(row, report, layout) | one for row, one in zip(report.rows, geometry, strict=True)]
        ),
        "frame": pd.DataFrame([{"rows": layout.rows, "narrowest": narrowest}]),
        "ticks": _TICKS,
        "parts": _PARTS,
        "titles": _TITLES,
    }


def captions(report: Report) -> tuple[str, ...]:
    """Write a sentence for each step."""
    return tuple(" ".join(filter(None, (words.said(row), words.numbers(row)))) for row in report.rows)


_TICKS = pd.DataFrame(
    [
        {"half": half, "across": across, "tick": tick}
        for half in (0, 1)
        for across in (False, True)
        for tick in range(MOST_GRID + 1)
    ]
)
_PARTS = pd.DataFrame(PARTS, columns=["part", "half", "kind", "shade"])
_TITLES = pd.DataFrame({"half": [0, 1]})


def _kinds(chain: Chain, report: Report) -> dict[str, str]:
    kinds = {INPUT: "input", **dict.fromkeys((node.id for node in chain.nodes), "unknown")}
    for row in report.rows:
        kinds[row.node.id] = "error" if row.error else "learned" if row.params else "plain"
    return kinds


def _lines(layout: Layout, last: str) -> list[dict[str, object]]:
    """Return the pieces of all lines, each from one place to another, in rows and parts of the width."""
    pieces: list[dict[str, object]] = []
    for line in layout.lines:
        start, end = layout.boxes[line.start], layout.boxes[line.end]
        below = start.row + BOX
        if start.fork:
            bus = start.row + BUS
            corners = [
                (start.strip.middle, below),
                (start.strip.middle, bus),
                (line.column, bus),
                (line.column, end.row),
            ]
        else:
            corners = [(line.column, below), (line.column, end.row)]
        pieces += [
            {"c0": a[0], "r0": a[1], "c1": b[0], "r1": b[1], "head": b == corners[-1]} for a, b in pairwise(corners)
        ]
    final = layout.boxes[last]
    middle = final.strip.middle
    pieces.append({"c0": middle, "r0": final.row + BOX, "c1": middle, "r1": final.row + 1, "head": True})
    return pieces


def _shapes(layout: Layout, chain: Chain, report: Report) -> list[tuple[float, float, float, str, str]]:
    """Return the shape of each tensor, where its line begins."""
    shapes = {INPUT: report.input_shape} | {
        row.node.id: row.out_shape for row in report.rows if row.out_shape is not None
    }
    read = {name for node in chain.nodes for name in node.inputs} | {chain.last}
    labels = []
    for name, shape in shapes.items():
        box = layout.boxes[name]
        if name in read:
            short = "×".join(map(str, shape[1:] if len(shape) > 2 else shape))
            strip = box.strip
            labels.append((box.row, strip.middle, strip.right - strip.left, words.written(shape), short))
    return labels


def _step(row: Row, report: Report, layout: Layout) -> dict[str, object]:
    """Return the texts of one step and the row of its box."""
    lines = words.calculation(row)
    if row.error:
        lines = [f"PyTorch: {row.error.error_type}: {row.error.torch}"] if row.error.torch else []
    return {
        "row": layout.boxes[row.node.id].row,
        "title": words.title(row),
        "lines": "\n".join(lines),
        "title0": words.sees(row, report.input_shape),
        "title1": _window_title(row),
    }


def _window_title(row: Row) -> str:
    if not row.axes or row.error or LAYERS[row.node.kind].effect != "windows":
        return ""
    kernel, sizes = tuple(axis.reach for axis in row.axes), row.in_shapes[0][-len(row.axes) :]
    return _("a window of {window} on {pixels}").format(window=words.times(kernel), pixels=words.times(sizes))


def _geometry(row: Row, report: Report) -> dict[str, float]:
    """Return where the input, the receptive field and the window lie, as parts of a square's side."""
    numbers = {f"{part}_{end}": float("nan") for part, *_rest in PARTS for end in "lrtb"}
    numbers |= {f"{name}{half}": float("nan") for half in (0, 1) for name in ("unit", "x", "y")}
    numbers |= {f"grid{half}{side}": float("nan") for half in (0, 1) for side in "hw"}
    if row.field:
        sizes = report.input_shape[len(report.input_shape) - len(row.field) :]
        spans = [_seen_span(row, axis, size) for axis, size in enumerate(sizes)]
        numbers |= _laid(0, ("input", "field"), sizes, spans)
    if row.axes and not row.error and LAYERS[row.node.kind].effect == "windows":
        sizes = row.in_shapes[0][-len(row.axes) :]
        spans = [_window_span(axis) for axis in row.axes]
        numbers |= _laid(1, ("layer", "window"), sizes, spans)
        _mark_discarded(numbers, row)
    return numbers


def _seen_span(row: Row, axis: int, size: int) -> tuple[float, float]:
    """Return the first pixel that the middle output value sees, and the one behind the last."""
    field = row.field[axis]
    if field is None or field.whole:
        return 0, size
    out = row.out_shape or ()
    is_image = len(out) == len(row.in_shapes[0]) and len(out) > len(row.field)
    middle = (out[axis - len(row.field)] - 1) // 2 if is_image else 0
    start = float(field.start + middle * field.jump)
    return start, start + float(field.size)


def _window_span(axis: Axis) -> tuple[float, float]:
    middle = (axis.out - 1) // 2
    if type(axis) is Axis:
        start = middle * axis.stride - axis.before
        return start, start + axis.span
    seen = axis.positions(middle)
    return (min(seen), max(seen) + 1) if seen else (0, 0)


def _laid(half: int, names: tuple[str, str], sizes: Shape, spans: list[tuple[float, float]]) -> dict[str, float]:
    """Put a picture and a part of it into a square; what lies in the padding is cut off a little outside."""
    high, wide = (sizes[-2], sizes[-1]) if len(sizes) > 1 else (max(1, sizes[-1] // 8), sizes[-1])
    (top, bottom), (left, right) = (spans[-2], spans[-1]) if len(sizes) > 1 else ((0, high), spans[-1])
    largest = max(high, wide)
    edge = min(0.12 * largest, max(0, -top, -left, bottom - high, right - wide))
    unit = 1 / (largest + 2 * edge)
    numbers = {f"unit{half}": unit, f"x{half}": edge, f"y{half}": edge}
    if largest <= MOST_GRID:
        numbers |= {f"grid{half}h": high, f"grid{half}w": wide}
    inside = (max(left, -edge), min(right, wide + edge), max(top, -edge), min(bottom, high + edge))
    ends = dict(zip(names, ((0, wide, 0, high), inside), strict=True))
    for name, values in ends.items():
        numbers |= {f"{name}_{end}": (edge + value) * unit for end, value in zip("lrtb", values, strict=True)}
    return numbers


def _mark_discarded(numbers: dict[str, float], row: Row) -> None:
    """Mark the columns at the right and the rows at the bottom that no window reaches."""
    unit, edge = numbers["unit1"], numbers["x1"]
    whole = {end: numbers[f"layer_{end}"] for end in "lrtb"}
    wide, across = row.axes[-1].size, row.axes[-1].discarded
    if across:
        numbers |= {f"right_{end}": value for end, value in whole.items()} | {"right_l": (edge + wide - across) * unit}
    if len(row.axes) > 1 and row.axes[-2].discarded:
        first = (edge + row.axes[-2].size - row.axes[-2].discarded) * unit
        numbers |= {f"bottom_{end}": value for end, value in whole.items()} | {"bottom_t": first}
