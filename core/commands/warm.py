"""Train the runs that the pages show first and the prepared comparisons, so that a class finds them ready.

Skips those that are kept, and those that ship with the project, since the pages show these at once.
"""

import argparse
import json

from core.commands.progress import watch
from core.device import find_placement
from core.kept import kept_run
from core.preset_runs import COMPARISONS
from core.run import FIRST_RUNS, RunSpec
from core.run_text import write
from core.shipped import shipped_runs
from core.store import Store

NAME = "warm"
HELP = "train what the pages show first"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare what is trained besides."""
    parser.add_argument("--here", action="store_true", help="train the shipped runs on this machine too")


def run(args: argparse.Namespace) -> int:
    """Print an object or a line for each run. It is computed as the server would, so that the pages find it."""
    store, placement = Store(), find_placement(shared=True)
    shipped = {run.spec: run.summary for run in shipped_runs()}
    for spec in first_runs():
        if spec in shipped and not args.here:
            _tell(args, spec, shipped[spec].key, shipped[spec].best_accuracy or 0.0, "shipped")
            continue
        events = kept_run(spec, placement, store, owner="terminal")
        epochs, cached = watch(spec, events, lambda _: None, bar=not args.json)
        best = max(epoch.test_accuracy for epoch in epochs)
        _tell(args, spec, spec.key(placement), best, "kept from before" if cached else "trained now")
    return 0


def first_runs() -> tuple[RunSpec, ...]:
    """Return what the pages show first and then offer, each once."""
    return tuple(dict.fromkeys([*FIRST_RUNS, *(spec for each in COMPARISONS.values() for spec in each.runs)]))


def _tell(args: argparse.Namespace, spec: RunSpec, key: str, best: float, how: str) -> None:
    if args.json:
        fields = {"key": key, "model": spec.model, "epochs": spec.epochs, "test_accuracy": best}
        print(json.dumps(fields | {"cached": how != "trained now", "shipped": how == "shipped"}), flush=True)
    else:
        about = write(spec).replace("~", " ")
        print(f"{about}: best test accuracy {best:.2%}, run {key}, {how}", flush=True)
