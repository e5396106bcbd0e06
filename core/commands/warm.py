"""Train the runs that the pages show first, so that a class finds them ready; skip those that are kept."""

import argparse
import json

from core.commands.progress import watch
from core.device import find_placement
from core.kept import kept_run
from core.run import FIRST_RUNS
from core.store import Store

NAME = "warm"
HELP = "train what the pages show first"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Take no arguments of its own."""


def run(args: argparse.Namespace) -> int:
    """Print an object or a line for each run. It is computed as the server would, so that the pages find it."""
    store, placement = Store(), find_placement(shared=True)
    for spec in FIRST_RUNS:
        events = kept_run(spec, placement, store, owner="terminal")
        epochs, cached = watch(spec, events, lambda _: None, bar=not args.json)
        key, best = spec.key(placement), max(epoch.test_accuracy for epoch in epochs)
        if args.json:
            fields = {"key": key, "model": spec.model, "epochs": spec.epochs, "test_accuracy": best, "cached": cached}
            print(json.dumps(fields), flush=True)
        else:
            how = "kept from before" if cached else "trained now"
            print(f"{spec.model}, {spec.epochs} epochs: best test accuracy {best:.2%}, run {key}, {how}", flush=True)
    return 0
