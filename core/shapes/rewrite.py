"""Writes a changed net back into its source text.

Where only arguments of layers changed, the reader's own text keeps its form and only the parentheses of those layers
are written anew; any other change gives an nn.Sequential, or a class without inner classes.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator

from core.shapes.chain import INPUT, Chain, Node, Report, Row
from core.shapes.edit import arguments_text
from core.shapes.layer import UNKNOWN
from core.shapes.layers import LAYERS
from core.shapes.memory import sum_up
from core.shapes.source import QUESTION_MARK, Source, SourceError, read, unwrapped_text
from core.shapes.write import Forward, attributes


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
    lines = unwrapped_text(text).split("\n")
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
