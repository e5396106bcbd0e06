"""Train a network of the course on MNIST, or show the run where it is kept already."""

import argparse
import json
import math

from core.commands.progress import watch
from core.device import DEVICES, Placement, find_placement, spin_briefly
from core.kept import kept_run
from core.models import MODELS
from core.records import Epoch
from core.run import RunSpec
from core.store import Store

NAME = "train"
HELP = "train a network on MNIST; a run that was trained before comes from the store"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the run and where it is computed."""
    default = RunSpec()
    parser.add_argument("--model", default=default.model, help=f"one of {', '.join(MODELS)} (%(default)s)")
    parser.add_argument("--epochs", type=int, default=default.epochs, help="passes over the images (%(default)s)")
    parser.add_argument("--batch-size", type=int, default=default.batch_size, help="images a step (%(default)s)")
    parser.add_argument("--lr", type=float, default=default.lr, help="learning rate of SGD (%(default)s)")
    parser.add_argument("--momentum", type=float, default=default.momentum, help="momentum of SGD (%(default)s)")
    parser.add_argument("--train-images", type=int, default=default.train_images, help="the first N (%(default)s)")
    parser.add_argument("--seed", type=int, default=default.seed, help="of weights and order (%(default)s)")
    parser.add_argument("--device", default="auto", help=f"one of {', '.join(DEVICES)} (%(default)s)")
    parser.add_argument("--threads", type=int, help="of torch; all cores, up to 4, when left out")
    parser.add_argument("--fresh", action="store_true", help="train again even where the run is kept")


def run(args: argparse.Namespace) -> int:
    """Print an object or a line for each epoch; a second call with the same values takes them from the store."""
    spec = RunSpec(
        model=args.model,
        epochs=args.epochs,
        batch_size=args.batch_size,
        lr=args.lr,
        momentum=args.momentum,
        train_images=args.train_images,
        seed=args.seed,
    )
    spin_briefly()
    placement = find_placement(args.device, args.threads)
    if not args.json:
        _print_placement(placement)
    events = kept_run(spec, placement, Store(), owner="terminal", fresh=args.fresh)
    _, cached = watch(spec, events, _print_json if args.json else _print_line, bar=not args.json)
    key = spec.key(placement)
    if args.json:
        print(json.dumps({"done": True, "key": key, "cached": cached}))
    else:
        print(f"run {key}, {'kept from before' if cached else 'trained now'}")
    return 0


def _print_json(epoch: Epoch) -> None:
    loss = epoch.train_loss if math.isfinite(epoch.train_loss) else None  # JSON has no NaN
    fields = {
        "epoch": epoch.epoch,
        "train_loss": loss,
        "test_accuracy": epoch.test_accuracy,
        "seconds": epoch.seconds,
        "images_per_second": epoch.images_per_second,
        "device": epoch.device,
    }
    print(json.dumps(fields), flush=True)


def _print_line(epoch: Epoch) -> None:
    print(
        f"epoch {epoch.epoch:3d}   train loss {epoch.train_loss:.4f}   test accuracy {epoch.test_accuracy:.2%}"
        f"   {epoch.seconds:.2f} s   {epoch.images_per_second:,.0f} images/s",
        flush=True,
    )


def _print_placement(placement: Placement) -> None:
    for name, value in placement.facts().items():
        print(f"{name:8} {value!s:14} {placement.reasons.get(name, '')}".rstrip())
