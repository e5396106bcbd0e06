"""Show which sets of images are here to train on, or download one."""

import argparse
import json
import sys

from core.image_data import folder, is_here, read_part, was_damaged
from core.image_download import download
from core.image_sets import DATASETS

NAME = "data"
HELP = "which sets of images are here; with a name, download that one"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Take the name of a set, or none."""
    parser.add_argument("name", nargs="?", help=f"one of {', '.join(DATASETS)}; all are listed when left out")


def run(args: argparse.Namespace) -> int:
    """Print an object or a line for each set; with a name, for that one after it was downloaded."""
    if args.name is not None:
        _download(args.name, bar=not args.json)
    names = list(DATASETS) if args.name is None else [args.name]
    if args.json:
        for name in names:
            print(json.dumps(_fields(name) | (_measured(name) if args.name else {})))
        return 0
    from rich.console import Console
    from rich.table import Table

    table = Table()
    for column in ("name", "set", "images", "of", "state"):
        table.add_column(column, no_wrap=column != "state")
    for name in names:
        table.add_row(*_row(name))
    Console().print(table)
    return 0


def _download(name: str, *, bar: bool) -> None:
    """Download a set, with a bar where somebody watches; one that is here is read, and so checked."""
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn

    columns = (TextColumn("{task.description}"), BarColumn(), TaskProgressColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(file=sys.stderr), transient=True, disable=not bar) as progress:
        task = progress.add_task(name, total=1.0)
        download(name, lambda share: progress.update(task, completed=share))
    for part in ("train", "test"):
        read_part(name, part)


def _fields(name: str) -> dict[str, object]:
    entry = DATASETS[name]
    return {
        "name": name,
        "title": entry.title,
        "here": is_here(name),
        "shape": entry.shape,
        "train_images": entry.train_images,
        "megabytes": entry.megabytes,
        "classes": entry.classes,
        "mean": entry.mean,
        "std": entry.std,
        "folder": str(folder(name)) if entry.megabytes else None,
    }


def _measured(name: str) -> dict[str, object]:
    """Return mean and standard deviation of each channel of the training pixels, in 0..1, as they are here."""
    images = read_part(name, "train").images  # (N, C, H, W)
    channels = [images[:, channel] for channel in range(images.shape[1])]
    return {
        "measured_mean": [round(float(pixels.mean()) / 255, 4) for pixels in channels],
        "measured_std": [round(float(pixels.std()) / 255, 4) for pixels in channels],
    }


def _row(name: str) -> list[str]:
    entry = DATASETS[name]
    state = "here" if is_here(name) else f"not here: python -m core data {name} downloads {entry.megabytes} MB"
    if not entry.megabytes:
        state = "ships with the project"
    elif was_damaged(name):
        state = f"damaged, set aside: python -m core data {name} downloads it again, {entry.megabytes} MB"
    return [name, entry.title, f"{entry.train_images:,} + 10,000", "×".join(map(str, entry.shape)), state]
