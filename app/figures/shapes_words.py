"""The words of the shape detective: labels of boxes, the calculation of each step, sentences about the whole net."""

from dataclasses import replace
from itertools import groupby

from app.i18n import _, ngettext
from app.page import Kind
from core.shapes.chain import Node, Report, Row
from core.shapes.layer import Shape
from core.shapes.layers import LAYERS
from core.shapes.remarks import about_input, remarks

SIGNS = {"add": "+", "add_": "+", "sub": "−", "sub_": "−", "mul": "×", "mul_": "×", "div": "÷", "div_": "÷"}
MOST_WORKED_OUT = 4  # question marks whose values the verdict names
UNITS = ("B", "kB", "MB", "GB", "TB")
SAME_AXES = {"height", "width", "depth", "length"}


def written(shape: Shape) -> str:
    """Write a shape as torch prints it: (64, 10, 24, 24)."""
    return f"({', '.join(map(str, shape))})"


def times(sizes: Shape) -> str:
    """Write sizes as people do: 5 × 5."""
    return " × ".join(map(str, sizes))


def size(count: int) -> str:
    """Write bytes with a decimal unit: 3.35 MB."""
    value = float(count)
    for unit in UNITS:
        if value < 1000 or unit == UNITS[-1]:
            return f"{value:.3g} {unit}" if value < 1000 else f"{value:,.0f} {unit}"
        value /= 1000
    raise AssertionError


def short_label(node: Node) -> str:
    """Write an operation for a narrow box: Conv2d 5×5."""
    return SIGNS.get(node.kind) or f"{node.kind} {_kernel(node)}".strip()


def tiny_label(node: Node) -> str:
    """Write an operation for the narrowest box: 5×5."""
    return _kernel(node) or SIGNS.get(node.kind, node.kind)


def brief_label(node: Node) -> str:
    """Write an operation for a box of middling width: branch5x5_1: Conv2d 1×1."""
    last = node.name.rpartition(".")[2]
    return f"{last}: {short_label(node)}" if last not in {"", node.kind} else short_label(node)


def long_label(node: Node) -> str:
    """Write an operation for a wide box: conv1: Conv2d 1→10, 5×5."""
    details = ", ".join(filter(None, (_channels(node), _kernel(node), _extras(node))))
    what = f"{SIGNS.get(node.kind, node.kind)} {details}".strip()
    place, _dot, last = node.name.rpartition(".")
    named = node.name if last != node.kind else place
    return f"{named}: {what}" if named else what


def _channels(node: Node) -> str:
    given = node.arguments
    for first, second in (("in_channels", "out_channels"), ("in_features", "out_features")):
        if second in given:
            return f"{given.get(first, '?')}→{given[second]}"
    return str(given.get("num_features", ""))


def _kernel(node: Node) -> str:
    for name in ("kernel_size", "output_size"):
        value = node.arguments.get(name)
        if isinstance(value, int):
            dims = int(node.kind[-2]) if node.kind[-2:-1].isdigit() else 1
            return "×".join([str(value)] * dims)
        if isinstance(value, tuple):
            return "×".join("·" if part is None else str(part) for part in value)
    return ""


def _extras(node: Node) -> str:
    """Write stride and padding where they are not the usual ones."""
    usual = {"stride": (1, None, node.arguments.get("kernel_size")), "padding": (0,)}
    names = {"stride": _("stride {value}"), "padding": _("padding {value}")}
    parts = [
        names[name].format(value="×".join(map(str, value)) if isinstance(value, tuple) else value)
        for name, ordinary in usual.items()
        if isinstance(value := node.arguments.get(name), int | str | tuple)
        and node.kind in LAYERS
        and LAYERS[node.kind].effect == "windows"
        and value not in ordinary
    ]
    return ", ".join(parts)


def filled(row: Row) -> Node:
    """Return a row's operation with what was worked out in the place of the question marks."""
    return replace(row.node, arguments={**row.node.arguments, **row.filled}) if row.filled else row.node


def worked_out(row: Row) -> list[str]:
    """Write what the question marks of a layer became: fc: ? = 320 = 20·4·4."""
    name, factors = row.node.name or row.node.kind, "·".join(map(str, row.factors))
    return [
        f"{name}: ? = {value}" + (f" = {factors}" if key == "in_features" and len(row.factors) > 1 else "")
        for key, value in row.filled.items()
    ]


def title(row: Row) -> str:
    """Write what goes in and what comes out: conv1 (64, 1, 28, 28) → (64, 10, 24, 24)."""
    runs = [(written(shape), len(list(same))) for shape, same in groupby(row.in_shapes)]
    shapes = " + ".join(shape if count == 1 else f"{count} × {shape}" for shape, count in runs)
    return (
        f"{row.node.name or row.node.kind}: {shapes} → {written(row.out_shape) if row.out_shape is not None else '?'}"
    )


def calculation(row: Row) -> list[str]:
    """Write the formulas of a step, a line each; axes with the same numbers share one."""
    merged: dict[str, list[str]] = {}
    for step in row.steps:
        key = step.text if step.label in SAME_AXES else f"{step.label}\n{step.text}"
        merged.setdefault(key, []).append(_(step.label))
    return [
        _("{label}: {formula}").format(label=_(", ").join(labels), formula=key.rpartition("\n")[2])
        for key, labels in merged.items()
    ]


def numbers(row: Row) -> str:
    """Write what a step costs: parameters, multiply-adds, memory."""
    if row.error:
        return ""
    parameters = ngettext("{count} parameter", "{count} parameters", row.params).format(count=f"{row.params:,}")
    if not row.counted and row.params:
        parameters = _("its {count} parameters were counted before").format(count=f"{row.params:,}")
    parts = [
        parameters,
        _("{count} multiply-adds").format(count=f"{row.macs:,}"),
        _("output {size}").format(size=size(row.out_bytes)),
        _("kept for backward {size}").format(size=size(row.kept_bytes)),
    ]
    return " · ".join(parts)


def reach(row: Row, input_shape: Shape) -> str:
    """Write the receptive field: 14 × 14; the size of the input where all of it is seen."""
    if row.error or not row.field:
        return ""
    sizes = input_shape[len(input_shape) - len(row.field) :]
    seen = (
        1 if one is None else max(size, int(one.size)) if one.whole else int(one.size)
        for one, size in zip(row.field, sizes, strict=True)
    )
    return times(tuple(seen))


def sees(row: Row, input_shape: Shape) -> str:
    """Write how much of the input one output value sees."""
    text = reach(row, input_shape)
    if not text:
        return ""
    if all(one is None or one.whole for one in row.field):
        return _("one value sees the whole input")
    return _("one value sees {reach} pixels").format(reach=text)


def said(row: Row) -> str:
    """Write what is wrong with a step, or what it does."""
    return _(row.error.message).format(**row.error.values) if row.error else happens(row)


def happens(row: Row) -> str:
    """Write a sentence about what a step does to the shape."""
    if row.factors and len(row.factors) > 1:
        sentence = _("Its {count} inputs are {factors}: {channels} channels of {pixels} pixels, flattened.")
        return sentence.format(
            count=row.in_shapes[0][-1],
            factors="·".join(map(str, row.factors)),
            channels=row.factors[0],
            pixels=times(row.factors[1:]),
        )
    if len(row.node.inputs) > 1:
        return _("Joins {count} tensors.").format(count=len(row.node.inputs))
    effect = LAYERS[row.node.kind].effect
    if effect == "windows" and row.axes:
        return _windows(row)
    if effect == "structure" and row.out_shape != row.in_shapes[0]:
        return _("Only the shape changes; the values stay as they are.")
    if effect == "mix":
        return _("Every output value is a weighted sum of all {count} inputs.").format(count=row.in_shapes[0][-1])
    return _("Changes values, not the shape.")


def _windows(row: Row) -> str:
    lost = [(axis, axis.discarded) for axis in row.axes if axis.discarded]
    skipped = max(axis.skipped for axis in row.axes)
    if lost and skipped < max(count for _axis, count in lost):
        places = _(", ").join(f"{_(axis.name)} {count}" for axis, count in lost)
        return _("At the end, pixels that no window reaches are discarded ({places}).").format(places=places)
    if skipped:
        return _("Some pixels between the windows are never looked at.")
    before, after = row.in_shapes[0], row.out_shape or ()
    if before[-len(row.axes) :] == after[-len(row.axes) :]:
        return _("Every pixel is used, and the picture keeps its size.")
    return _("Every pixel is used.")


def verdict(report: Report, *, lines: bool = True) -> tuple[str, Kind]:
    """Say whether data flow through, and what the net costs; name lines only where the reader sees them."""
    if report.error is None:
        sentence = _("Data flow through: {start} becomes {end}, with {params} parameters and {macs} multiply-adds.")
        sentence = sentence.format(
            start=written(report.input_shape),
            end=written(report.out_shape or ()),
            params=f"{report.totals.params:,}",
            macs=f"{report.totals.macs:,}",
        )
        found = [text for row in report.rows for text in worked_out(row)]
        kind: Kind = "warning" if remarks(report) else "good"
        return " ".join([sentence, *(f"**{text}**" for text in found[:MOST_WORKED_OUT])]), kind
    note = about_input(report)
    return _("{place} cannot work: {reason}").format(
        place=f"**{place(report.rows[-1], lines=lines)}**",
        reason=_(note.message).format(**note.values) if note else said(report.rows[-1]),
    ), "bad"


def place(row: Row, *, lines: bool = True) -> str:
    """Write where an operation stands: fc, line 19, made in line 13."""
    name, call, made = row.node.name or row.node.kind, row.node.line, row.node.defined
    if name.rpartition(".")[2].isdigit():  # in an nn.Sequential
        name = f"{name} ({row.node.kind})"
    if call is None or not lines:
        return name
    if made in {None, call}:
        return _("{name}, line {line},").format(name=name, line=call)
    return _("{name}, line {line}, made in line {made},").format(name=name, line=call, made=made)


def alternative(report: Report) -> str:
    """Describe the drawing for a reader who does not see it."""
    start = _("A chain of {count} operations; the input is {shape}.").format(
        count=len(report.rows), shape=written(report.input_shape)
    )
    steps = [
        f"{long_label(filled(row))} → {written(row.out_shape)}"
        if row.out_shape is not None
        else _("{name}: error").format(name=long_label(row.node))
        for row in report.rows
    ]
    return " ".join([start, "; ".join(steps)]) + "."
