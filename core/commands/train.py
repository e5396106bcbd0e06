"""Train a network on MNIST or another set of images, or show the run where it is kept already."""

import argparse
import json
import math
from collections.abc import Iterable

from core.commands.progress import watch
from core.device import DEVICES, Placement, find_placement, spin_briefly
from core.entries import best_epoch
from core.errors import InputError
from core.image_data import is_here
from core.image_sets import DATASETS
from core.kept import kept_run
from core.models import MODELS, find_model
from core.optimizers import OPTIMIZERS, SCHEDULES
from core.options import Value
from core.records import Epoch
from core.run import RunSpec
from core.store import Store

NAME = "train"
HELP = "train a network; a run that was trained before comes from the store"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the run and where it is computed."""
    default = RunSpec()
    parser.add_argument("--model", default=default.model, help=f"one of {', '.join(MODELS)} (%(default)s)")
    parser.add_argument(
        "--option", action="append", default=[], metavar="NAME=VALUE", help="of the model, such as depth=56; repeatable"
    )
    parser.add_argument("--data", default=default.data, help=f"one of {', '.join(DATASETS)} (%(default)s)")
    parser.add_argument("--epochs", type=int, default=default.epochs, help="passes over the images (%(default)s)")
    parser.add_argument("--batch-size", type=int, default=default.batch_size, help="images a step (%(default)s)")
    parser.add_argument("--optimizer", default=default.optimizer, help=f"one of {', '.join(OPTIMIZERS)} (%(default)s)")
    parser.add_argument("--lr", type=float, default=default.lr, help="learning rate (%(default)s)")
    parser.add_argument("--momentum", type=float, default=default.momentum, help="of sgd and rmsprop (%(default)s)")
    parser.add_argument("--nesterov", action="store_true", help="Nesterov's momentum, of sgd")
    parser.add_argument("--weight-decay", type=float, default=default.weight_decay, help="(%(default)s)")
    parser.add_argument("--schedule", default=default.schedule, help=f"one of {', '.join(SCHEDULES)} (%(default)s)")
    parser.add_argument("--shift", type=int, default=default.shift, help="move images by up to N pixels (%(default)s)")
    parser.add_argument(
        "--rotate", type=float, default=default.rotate, help="turn them by up to N degrees (%(default)s)"
    )
    parser.add_argument(
        "--patience", type=int, default=default.patience, help="end after N epochs without a better test"
    )
    parser.add_argument("--train-images", type=int, default=default.train_images, help="the first N (%(default)s)")
    parser.add_argument("--seed", type=int, default=default.seed, help="of weights and order (%(default)s)")
    parser.add_argument("--device", default="auto", help=f"one of {', '.join(DEVICES)} (%(default)s)")
    parser.add_argument("--threads", type=int, help="of torch; all cores, up to 4, when left out")
    parser.add_argument("--fresh", action="store_true", help="train again even where the run is kept")


def run(args: argparse.Namespace) -> int:
    """Print an object or a line for each epoch; a second call with the same values takes them from the store."""
    spec = RunSpec(
        model=args.model,
        options=tuple(_options(args.model, args.option).items()),
        data=args.data,
        epochs=args.epochs,
        batch_size=args.batch_size,
        optimizer=args.optimizer,
        lr=args.lr,
        momentum=args.momentum,
        nesterov=args.nesterov,
        weight_decay=args.weight_decay,
        schedule=args.schedule,
        shift=args.shift,
        rotate=args.rotate,
        patience=args.patience,
        train_images=args.train_images,
        seed=args.seed,
    )
    if not is_here(spec.data):
        raise InputError(
            "{title} is not on this computer yet; get it with: python -m core data {name}",
            title=spec.images.title, name=spec.data,
        )  # fmt: skip
    spin_briefly()
    placement = find_placement(args.device, args.threads)
    if not args.json:
        _print_placement(placement)
    events = kept_run(spec, placement, Store(), owner="terminal", fresh=args.fresh)
    epochs, cached = watch(spec, events, _print_json if args.json else _print_line, bar=not args.json)
    key = spec.key(placement)
    if args.json:
        print(json.dumps({"done": True, "key": key, "cached": cached}))
    else:
        best = max(epoch.test_accuracy for epoch in epochs)
        print(f"best test accuracy {best:.2%}, after epoch {best_epoch(epochs)}")
        print(f"run {key}, {'kept from before' if cached else 'trained now'}")
    return 0


def _options(model: str, words: Iterable[str]) -> dict[str, Value]:
    """Read ``name=value`` as the model's option of that name has it. Raises InputError for what cannot be read."""
    known = {option.name: option for option in find_model(model).options}
    options: dict[str, Value] = {}
    for word in words:
        name, equals, text = word.partition("=")
        if not equals:
            raise InputError("An option is written name=value, such as depth=56, not {word}.", word=word[:40])
        options[name] = _value(text, known[name].default) if name in known else text  # the spec refuses the unknown
    return options


def _value(text: str, like: Value) -> Value:
    """Read a text as the type of `like`, or leave it as it is for the spec to refuse."""
    if isinstance(like, bool):
        return {"true": True, "false": False}.get(text.lower(), text)
    try:
        return type(like)(text)
    except ValueError:
        return text


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
