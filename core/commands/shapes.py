"""The shape after every layer of a net, from PyTorch source text, a file or a preset; nothing of it is executed.

Sizes, parameters and multiply-adds are computed for a batch, as torchinfo counts them, without building the net.
(course: "把之前全连接网络改成CNN", where 320 is the question.)
"""

import argparse
import json
import sys
from pathlib import Path

from core.errors import InputError
from core.shapes.chain import Report, Row
from core.shapes.chain import run as run_chain
from core.shapes.errors import ShapeError
from core.shapes.layer import Shape
from core.shapes.presets import PRESETS, find_preset
from core.shapes.remarks import remarks
from core.shapes.source import LONGEST, Source, SourceError, read

HELP = "the shape after every layer of a net, with parameters and multiply-adds"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare where the net comes from and what goes in."""
    parser.add_argument(
        "source", nargs="?", metavar="SOURCE", help='PyTorch source: "nn.Sequential(…)", layers one a line, or classes'
    )
    parser.add_argument("--file", help="a file with such source; a whole program may stand around the classes")
    parser.add_argument("--model", help=f"one of {', '.join(PRESETS)}")
    parser.add_argument("--input", dest="shape", metavar="C,H,W", help="size of one input; a preset brings its own")
    parser.add_argument(
        "--batch",
        type=int,
        default=1,
        metavar="B",
        help="inputs at a time (%(default)s); one alone as in model.eval(), for batch normalisation",
    )


def run(args: argparse.Namespace) -> int:
    """Print an object or a table row a layer; where a layer fails, the rows before it and then the reason."""
    if sum(value is not None for value in (args.source, args.file, args.model)) != 1:
        raise InputError("Give one of SOURCE, --file and --model.")
    shape = input_shape(args)
    source = find_source(args)
    report = run_chain(source.chain, shape, training=args.batch > 1)
    rows = [row for row in report.rows if row.error is None]
    if args.json:
        for row in rows:
            print(json.dumps(as_object(row, report)))
    else:
        print_table(rows, report)
    for note in (*source.notes, *remarks(report)):
        print(f"note: {note}", file=sys.stderr)
    if report.error:
        raise InputError("{place}{sentence}", place=place_of(report.rows[-1]), sentence=with_torch(report.error))
    return 0


def find_source(args: argparse.Namespace) -> Source:
    """Read the net that was asked for; raises InputError that names the line."""
    if args.model is not None:
        return find_preset(args.model).source()
    try:
        return read(args.source if args.file is None else file_text(args.file))
    except SourceError as error:
        raise InputError("{place}{sentence}", place=place(error.line), sentence=with_torch(error)) from error


def file_text(name: str) -> str:
    """Return the text of a file, as much of it as could be read as source."""
    try:
        with Path(name).open(encoding="utf-8-sig") as file:
            return file.read(LONGEST + 1)
    except (OSError, ValueError) as error:  # not there, a folder, not text
        reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8 text"
        raise InputError("{name} cannot be read: {reason}.", name=name[:200], reason=reason) from error


def input_shape(args: argparse.Namespace) -> Shape:
    """Return the shape of a batch (B, C, H, W), or with as many sizes as were given."""
    if not 1 <= args.batch <= 1_000_000:
        raise InputError("--batch must be a whole number from 1 to 1,000,000, not {batch}.", batch=args.batch)
    if args.shape is None:
        if args.model is None:
            raise InputError("Give the size of the input, as in --input 1,28,28.")
        return (args.batch, *find_preset(args.model).input_shape)
    parts = args.shape.strip(" ()[]").split(",")
    if len(parts) > 4 or not all(
        part.strip().isascii() and part.strip().isdigit() and len(part) < 12 for part in parts
    ):
        raise InputError("--input must be up to four whole numbers, as in 1,28,28, not {shape}.", shape=args.shape[:40])
    return (args.batch, *(int(part) for part in parts))


def place(line: int | None) -> str:
    """Return the beginning of a sentence about a line."""
    return "" if line is None else f"line {line}: "


def place_of(row: Row) -> str:
    """Return where a layer fails and, where that is another line, where it is made."""
    made = row.node.defined
    if made is None or made == row.line or row.line is None:
        return place(row.line)
    return f"line {row.line} ({row.node.name} of line {made}): "


def with_torch(error: ShapeError | SourceError) -> str:
    """Return what is wrong and what PyTorch would say, on one line."""
    said = " ".join(error.torch.split())
    return f"{error} (PyTorch: {error.error_type}: {said})" if said else str(error)


def as_object(row: Row, report: Report) -> dict[str, object]:
    """Return one line of the contract; several inputs make `in_shape` a list of shapes."""
    shapes = [list(shape) for shape in row.in_shapes]
    return {
        "name": row.node.name,
        "kind": row.node.kind,
        "in_shape": shapes[0] if len(shapes) == 1 else shapes,
        "out_shape": row.out_shape,
        "params": row.params if row.counted else 0,
        "macs": row.macs,
        "receptive_field": seen(row, report),
    }


def seen(row: Row, report: Report) -> list[int | None] | None:
    """Return how many input pixels one output value sees along each axis; None where that has no answer."""
    sizes: list[int | None] = []
    for one, size in zip(row.field, report.input_shape[len(report.input_shape) - len(row.field) :], strict=True):
        reach = None if one is None else int(one.size)
        sizes.append(max(size, reach) if reach is not None and one is not None and one.whole else reach)
    return sizes or None


def print_table(rows: list[Row], report: Report) -> None:
    """Print a row a layer and the totals."""
    from rich.console import Console
    from rich.table import Table

    table = Table("name", "kind", "in", "out")
    for title in ("params", "mult-adds", "sees"):
        table.add_column(title, justify="right")
    for row in rows:
        table.add_row(
            row.node.name,
            row.node.kind,
            " ".join(map(written, row.in_shapes)),
            written(row.out_shape or ()),
            f"{row.params:,}" if row.counted else "shared",
            f"{row.macs:,}",
            "×".join(map(str, seen(row, report) or ())),
        )
    console = Console(width=None if sys.stdout.isatty() else 160)
    console.print(table)
    if report.ok:
        totals = report.totals
        console.print(
            f"{totals.params:,} parameters, {totals.macs:,} multiply-adds, output {written(report.out_shape or ())}"
        )


def written(shape: Shape) -> str:
    """Write a shape: (64, 1, 28, 28)."""
    return f"({', '.join(map(str, shape))})"
