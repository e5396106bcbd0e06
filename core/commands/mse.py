"""Try every w of a range on x = [1, 2, 3], y = [2, 4, 6]: the course's exhaustive search (course: "线性模型")."""

import argparse
import json

from core.mse import Sweep, sweep
from core.points import PRESETS

NAME = "mse"
HELP = "mean squared error of y = w·x for each w of a range"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the range; its defaults are the course's."""
    defaults = Sweep()
    parser.add_argument("--from", dest="start", type=float, default=defaults.start, help="first w (%(default)s)")
    parser.add_argument("--to", dest="stop", type=float, default=defaults.stop, help="last w (%(default)s)")
    parser.add_argument("--step", type=float, default=defaults.step, help="from one w to the next (%(default)s)")


def run(args: argparse.Namespace) -> int:
    """Print w and the mean squared error: one object of two lists, or a table."""
    values = Sweep(start=args.start, stop=args.stop, step=args.step).values
    errors = sweep(PRESETS["course"].points, values)
    if args.json:
        print(json.dumps({"w": values.tolist(), "mse": errors.tolist()}))
        return 0
    from rich.console import Console
    from rich.table import Table

    table = Table("w", "MSE")
    for w, error in zip(values, errors, strict=True):
        table.add_row(f"{w:.6g}", f"{error:.6g}")
    Console().print(table)
    return 0
