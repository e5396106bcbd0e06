"""The course's own listing, core.train and the bare steps by turns, on the same cores: images a second.

`python -m benchmarks.train_speed [--model NAME …] [--turns 20] [--threads N] [--device cuda]` trains each network with
the course's settings, batch 64, SGD with lr 0.01 and momentum 0.5: some steps of one, as many of the next, and so on,
so that whatever else the machine does slows all of them. The listing (course: "MINIST dataset" and the sections after
it) is torchvision's MNIST with ToTensor and Normalize in a shuffled DataLoader. The bare steps are forward, loss,
backward and update alone, on images that lie in memory as normalised batches, computed where and how core.train
computes, but for the update, which is torch's usual one (core.train fuses it: core.optimizing). Only training is
timed. What is compared is the median over all turns, of the ratio of turns that follow each other. Exit code 1 where a
ratio is below its target; the targets are for a CPU.

On CUDA core.train takes part twice, with its steps recorded as a graph (core.graphed) and without, and each clock is
read when the GPU is through. No figure of a GPU has been measured yet: `--device cuda` is the one command that does.
"""

import argparse
import gzip
import os
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from unittest.mock import patch

from benchmarks.conditions import computed_on, conditions, synchronise
from core.datasets import DATA
from core.device import DEVICES, Placement, find_placement, spin_briefly
from core.errors import InputError
from core.run import RunSpec

TARGETS = {"mlp": 4.0, "cnn": 3.0, "resnet": 2.2, "inception": 2.0}  # times as fast as the listing, at least
OVERHEAD = 0.10  # of core.train over the bare steps, at most
STEPS = 938  # in one epoch, which is what each may train
TURN = 33  # steps that one trains before it is the next one's turn
TURN_ELSEWHERE = 96  # the same on an accelerator, whose losses core.train reads 32 steps at a time

Steps = Iterator[object]  # trains a step at each `next`


def listing(model: str, root: Path, device: str) -> Steps:
    """Train as the course's listing does, its loop opened up so that it can pause after a step."""
    import torch
    from torch.utils.data import DataLoader
    from torchvision import datasets, transforms

    from core.models import MODELS

    transform = transforms.Compose([transforms.ToTensor(), transforms.Normalize((0.1307,), (0.3081,))])
    train_set = datasets.MNIST(root=root, train=True, download=False, transform=transform)
    torch.manual_seed(0)
    network = MODELS[model].network()().to(device)
    criterion = torch.nn.CrossEntropyLoss()
    optimizer = torch.optim.SGD(network.parameters(), lr=0.01, momentum=0.5)
    running_loss = 0.0
    for images, labels in DataLoader(train_set, shuffle=True, batch_size=64):
        inputs, target = images.to(device), labels.to(device)
        optimizer.zero_grad()
        outputs = network(inputs)
        loss = criterion(outputs, target)
        loss.backward()
        optimizer.step()
        running_loss += loss.item()
        yield running_loss


def ours(model: str, placement: Placement) -> Steps:
    """Train as the app does."""
    from core.records import Batch
    from core.train import train

    return (record for record in train(RunSpec(model=model, epochs=1), placement) if isinstance(record, Batch))


def without_graph(model: str, placement: Placement) -> Steps:
    """Train as the app does where no step is recorded."""
    from core.graphed import SWITCH

    steps = ours(model, placement)
    with patch.dict(os.environ, {SWITCH: "0"}):
        first = next(steps)  # by now it is decided
    yield first
    yield from steps


def bare(model: str, placement: Placement) -> Steps:
    """Take the four steps on the first hundred batches, over and over."""
    import torch
    from torch.nn import functional as F

    from core.datasets import MEAN, STD, mnist
    from core.models import MODELS

    layout: Any = torch.channels_last if placement.layout == "channels_last" else torch.contiguous_format
    pixels = torch.tensor(mnist().train_images[:6_400]).unsqueeze(1).to(placement.device, torch.float32)
    batches = [part.contiguous(memory_format=layout) for part in pixels.div(255).sub(MEAN).div(STD).split(64)]
    labels = torch.tensor(mnist().train_labels[:6_400], dtype=torch.int64, device=placement.device).split(64)
    torch.manual_seed(0)
    network: Any = MODELS[model].network()().to(placement.device, memory_format=layout)
    optimizer = torch.optim.SGD(network.parameters(), lr=0.01, momentum=0.5)
    while True:
        for x, target in zip(batches, labels, strict=True):
            with torch.autocast(placement.device, torch.bfloat16, enabled=placement.dtype == "bfloat16"):
                outputs = network(x).float()
            loss = F.cross_entropy(outputs, target)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            yield loss


def race(runs: list[Steps], turns: int, turn: int, wait: Callable[[], None]) -> list[list[float]]:
    """Let each train `turn` steps by turns; return the images a second of each run in each of its turns."""
    for run in runs:
        next(run)  # sets up what is set up once
    speeds: list[list[float]] = [[] for _ in runs]
    for _ in range(turns):
        for run, own in zip(runs, speeds, strict=True):
            wait()
            started = time.perf_counter()
            for _step in range(turn):
                next(run)
            wait()
            own.append(turn * 64 / (time.perf_counter() - started))
    return speeds


def unpack(root: Path) -> None:
    """Put MNIST where torchvision looks for it."""
    raw = root / "MNIST" / "raw"
    raw.mkdir(parents=True)
    for path in (DATA / "mnist").glob("*.gz"):
        (raw / path.stem).write_bytes(gzip.decompress(path.read_bytes()))


def ratio_of(above: list[float], below: list[float]) -> float:
    """Return the median of the ratios of turns that followed each other, which a machine's moods leave alone."""
    return statistics.median(a / b for a, b in zip(above, below, strict=True))


def judge(model: str, speeds: dict[str, list[float]], device: str) -> bool:
    """Print the figures of one network; return whether they reach the targets."""
    ratio = ratio_of(speeds["core.train"], speeds["listing"])
    overhead = ratio_of(speeds["bare steps"], speeds["core.train"]) - 1
    good = device != "cpu" or (ratio >= TARGETS[model] and overhead <= OVERHEAD)
    verdict = "" if good else f"   (should be {TARGETS[model]:g} times or more, and at most {OVERHEAD:.0%} over)"
    print(
        f"  {model:9} {', '.join(f'{name} {statistics.median(own):7,.0f}' for name, own in speeds.items())} images/s: "
        f"{ratio:.2f} times as fast, {overhead:+.1%} over the bare steps{verdict}",
        flush=True,
    )
    return good


def main() -> int:
    """Measure, print, judge."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", nargs="+", choices=list(TARGETS), default=list(TARGETS))
    parser.add_argument("--turns", type=int, default=20)
    parser.add_argument("--threads", type=int, help="for all; all cores, up to 4, when left out")
    parser.add_argument("--device", default="auto", help=f"one of {', '.join(DEVICES)} (%(default)s)")
    args = parser.parse_args()
    spin_briefly()  # for all, as in the terminal
    try:
        placement = find_placement(args.device, args.threads)
    except InputError as error:
        parser.error(str(error))
    turn = TURN if placement.device == "cpu" else TURN_ELSEWHERE
    if not 1 <= args.turns <= (STEPS - 1) // turn:
        parser.error(f"--turns must be from 1 to {(STEPS - 1) // turn}: each trains one epoch.")
    print(
        f"Training on MNIST ({conditions()}; ours and the bare steps on {computed_on(placement)}; the listing on as "
        f"many threads; n = {args.turns} turns of {turn} steps)"
    )
    import torch

    from core.torchvision_ops import prepare_torchvision

    prepare_torchvision()
    torch.set_num_threads(placement.threads)
    with tempfile.TemporaryDirectory() as folder:
        unpack(Path(folder))
        contenders: dict[str, Callable[[str], Steps]] = {
            "listing": lambda model: listing(model, Path(folder), placement.device),
            "core.train": lambda model: ours(model, placement),
            "bare steps": lambda model: bare(model, placement),
        }
        if placement.device == "cuda":
            contenders["without a graph"] = lambda model: without_graph(model, placement)
        good = True
        for model in args.model:
            runs = [make(model) for make in contenders.values()]
            speeds = race(runs, args.turns, turn, synchronise(placement))
            good &= judge(model, dict(zip(contenders, speeds, strict=True)), placement.device)
    return 0 if good else 1


if __name__ == "__main__":
    raise SystemExit(main())
