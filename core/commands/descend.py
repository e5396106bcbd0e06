"""Walk downhill on x = [1, 2, 3], y = [2, 4, 6] (course: "梯度下降算法", "随机梯度下降算法")."""

import argparse
import json
import sys
from dataclasses import replace

from core import mse
from core.descent import LIMIT, METHODS, Descent, Trajectory, descend
from core.points import PRESETS

NAME = "descend"
HELP = "gradient descent, SGD or mini-batches on the squared error of y = w·x"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the run; its defaults are the course's."""
    defaults = Descent()
    parser.add_argument("--method", default=defaults.method, help=f"{', '.join(METHODS)} (%(default)s)")
    parser.add_argument(
        "--batch-size", type=int, default=defaults.batch_size, help="samples of an update of minibatch (%(default)s)"
    )
    parser.add_argument("--epochs", type=int, default=defaults.epochs, help="passes over the samples (%(default)s)")
    parser.add_argument("--lr", type=float, default=defaults.lr, help="learning rate (%(default)s)")
    parser.add_argument("--w", type=float, default=defaults.w, help="w at the start (%(default)s)")
    parser.add_argument("--seed", type=int, default=defaults.seed, help="of the shuffling (%(default)s)")
    parser.add_argument("--shuffle", action="store_true", help="a new order of the samples each epoch")


def run(args: argparse.Namespace) -> int:
    """Print the gradient, w and cost of each update: one object of three lists, or a table."""
    spec = Descent(
        method=args.method,
        shuffle=args.shuffle,
        batch_size=args.batch_size,
        epochs=args.epochs,
        lr=args.lr,
        w=args.w,
        seed=args.seed,
    )
    points = PRESETS["course"].points
    replace(spec, method="minibatch").size(len(points))  # refuses a batch that cannot be, whatever the method
    found = descend(points, spec)
    if args.json:
        lists = {"gradient": found.gradient_w, "w": found.w, "cost": found.cost}
        print(json.dumps({name: values.tolist() for name, values in lists.items()}, allow_nan=False))
    else:
        _print_table(found)
    if found.diverged_at is not None:
        print(f"python -m core descend: {_why(found)}", file=sys.stderr)
    return 0


def _why(found: Trajectory) -> str:
    """Say in one sentence where a run diverged, and what its learning rate has to do with it."""
    edge = mse.largest_stable_lr(mse.curvature(found.points))
    where = f"|w| passed {LIMIT:,.0f} at update {len(found)}, where the run ends"
    if found.spec.lr > edge:
        return f"{where}: the learning rate {found.spec.lr:g} is above 2/λmax = {edge:.6g}."
    return (
        f"{where}: the learning rate {found.spec.lr:g} is below 2/λmax = {edge:.6g} of all samples,"
        " but too large for single samples and small batches."
    )


def _print_table(found: Trajectory) -> None:
    """Print a row an update; the epoch counts from 0, as the course's listings do."""
    from rich.console import Console
    from rich.table import Table

    table = Table("epoch", "update", "gradient", "w", "cost")
    columns = zip(found.epoch, found.gradient_w, found.w, found.cost, strict=True)
    for update, (epoch, gradient, w, cost) in enumerate(columns, start=1):
        table.add_row(str(epoch), str(update), f"{gradient:.6g}", f"{w:.10g}", f"{cost:.6g}")
    Console().print(table)
