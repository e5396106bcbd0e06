"""List the training runs that are kept here, imported, and shipped with the project; of each the latest first."""

import argparse
import json

from core import run_text
from core.entries import RunSummary
from core.shipped import shipped_runs
from core.store import Store

NAME = "runs"
HELP = "the runs that are kept, imported and shipped"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Take no arguments of its own."""


def run(args: argparse.Namespace) -> int:
    """Print an object or a table row for each run."""
    store = Store()
    runs = [*store.runs(), *store.imported(), *(run.summary for run in shipped_runs())]
    if args.json:
        for kept in runs:
            print(json.dumps(_fields(kept)))
        return 0
    from rich.console import Console
    from rich.table import Table

    table = Table()
    for name in ("key", "run", "origin", "state", "best", "when"):
        table.add_column(name, no_wrap=name != "run")
    for kept in runs:
        table.add_row(*_row(kept))
    Console().print(table if runs else f"No runs are kept in {store.root} yet.")
    return 0


def _fields(kept: RunSummary) -> dict[str, object]:
    return {
        "key": kept.key,
        "origin": kept.origin,
        "state": kept.state,
        "spec": kept.spec.as_dict() if kept.spec else None,
        "device": kept.device,
        "epochs": kept.epochs,
        "best_accuracy": kept.best_accuracy,
        "bytes": kept.bytes,
        "when": kept.when.isoformat(),
    }


def _row(kept: RunSummary) -> list[str]:
    spec = kept.spec
    about, state = "cannot be read", kept.state
    if spec:
        about = f"{run_text.write(spec).replace('~', ' ')} {kept.device}"
        state = f"{state} {kept.epochs}/{spec.epochs}"
    best = f"{kept.best_accuracy:.2%}" if kept.best_accuracy is not None else ""
    return [
        kept.key,
        about,
        kept.origin,
        state,
        best,
        f"{kept.when.astimezone():%m-%d %H:%M}",
    ]
