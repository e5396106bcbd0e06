"""The course's own listing and core.train in turn, on the same cores: images a second and accuracy.

`python -m benchmarks.train_speed [--rounds 2] [--threads N]` trains one epoch of the full MNIST with each in every
round, batch 64, SGD with lr 0.01 and momentum 0.5, 67 steps of one and 67 of the other in turn, so that whatever else
the machine does slows both. The listing (course: "把之前全连接网络改成CNN") is torchvision's MNIST with ToTensor and
Normalize in a shuffled DataLoader. Only training is timed, neither the test nor reading the files nor the first step;
the medians over all turns are compared. Exit code 1 below 3 times or with accuracies over 0.5 points apart.
"""

import argparse
import gzip
import statistics
import tempfile
import time
from pathlib import Path
from typing import Protocol

from benchmarks.conditions import conditions
from core.datasets import DATA
from core.device import Placement, find_placement, spin_briefly
from core.run import RunSpec

TARGET_RATIO = 3.0
TARGET_POINTS = 0.5
TURN = 67  # steps that one trains before it is the other's turn, about a quarter of a second


class Epoch(Protocol):
    """One epoch of one of the two, taken step by step."""

    def step(self) -> None:
        """Train one step."""

    def accuracy(self) -> float:
        """Test after the last step; return the share recognised, 0 to 1."""


class Listing:
    """The course's listing, its loop opened up so that it can pause after a step."""

    def __init__(self, root: Path) -> None:
        """Set up as the listing does; MNIST is unpacked below `root`."""
        import torch
        from torch.utils.data import DataLoader
        from torchvision import datasets, transforms

        from core.networks import CNN

        transform = transforms.Compose([transforms.ToTensor(), transforms.Normalize((0.1307,), (0.3081,))])
        train_set, test_set = (
            datasets.MNIST(root=root, train=train, download=False, transform=transform) for train in (True, False)
        )
        self.test_loader = DataLoader(test_set, shuffle=False, batch_size=64)
        torch.manual_seed(0)
        self.device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
        self.model = CNN().to(self.device)
        self.criterion = torch.nn.CrossEntropyLoss()
        self.optimizer = torch.optim.SGD(self.model.parameters(), lr=0.01, momentum=0.5)
        self.batches = iter(DataLoader(train_set, shuffle=True, batch_size=64))
        self.running_loss = 0.0

    def step(self) -> None:
        """Train one step."""
        inputs, target = next(self.batches)
        inputs, target = inputs.to(self.device), target.to(self.device)
        self.optimizer.zero_grad()
        outputs = self.model(inputs)
        loss = self.criterion(outputs, target)
        loss.backward()
        self.optimizer.step()
        self.running_loss += loss.item()

    def accuracy(self) -> float:
        """Test after the last step."""
        import torch

        correct = total = 0
        with torch.no_grad():
            for images, labels in self.test_loader:
                predicted = self.model(images.to(self.device)).argmax(dim=1)
                correct += (predicted == labels.to(self.device)).sum().item()
                total += len(labels)
        return correct / total


class Ours:
    """core.train, which reports after every step on a CPU and after a few on an accelerator."""

    def __init__(self, placement: Placement) -> None:
        """Begin the run of one epoch."""
        from core.train import train

        self.records = train(RunSpec(epochs=1), placement)

    def step(self) -> None:
        """Train one step."""
        next(self.records)

    def accuracy(self) -> float:
        """Test after the last step."""
        return next(self.records).test_accuracy


def race(runs: tuple[Epoch, Epoch]) -> tuple[list[float], list[float]]:
    """Train both to the end of the epoch, a few steps of each in turn; return the images a second of each turn."""
    speeds: tuple[list[float], list[float]] = ([], [])
    for run in runs:
        run.step()  # sets up what is set up once
    left = RunSpec().steps_per_epoch - 1
    while left:
        steps = min(TURN, left)
        left -= steps
        for run, own in zip(runs, speeds, strict=True):
            started = time.perf_counter()
            for _ in range(steps):
                run.step()
            own.append(steps * 64 / (time.perf_counter() - started))
    return speeds


def unpack(root: Path) -> None:
    """Put MNIST where torchvision looks for it."""
    raw = root / "MNIST" / "raw"
    raw.mkdir(parents=True)
    for path in (DATA / "mnist").glob("*.gz"):
        (raw / path.stem).write_bytes(gzip.decompress(path.read_bytes()))


def measure(rounds: int, placement: Placement) -> tuple[list[float], list[float]]:
    """Return the medians over all turns of `rounds` epochs: images a second of both, and their accuracies."""
    import torch

    from core.torchvision_ops import prepare_torchvision

    prepare_torchvision()
    torch.set_num_threads(placement.threads)
    speeds: tuple[list[float], list[float]] = ([], [])
    accuracies: tuple[list[float], list[float]] = ([], [])
    with tempfile.TemporaryDirectory() as folder:
        unpack(Path(folder))
        for _ in range(rounds):
            runs = (Listing(Path(folder)), Ours(placement))
            for all_speeds, new in zip(speeds, race(runs), strict=True):
                all_speeds.extend(new)
            for all_accuracies, run in zip(accuracies, runs, strict=True):
                all_accuracies.append(run.accuracy())
    return [statistics.median(each) for each in speeds], [statistics.median(each) for each in accuracies]


def main() -> int:
    """Measure, print, judge."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=2)
    parser.add_argument("--threads", type=int, help="for both; all cores, up to 4, when left out")
    args = parser.parse_args()
    spin_briefly()  # for both, as in the terminal
    placement = find_placement("auto", args.threads)
    facts = ", ".join(f"{name} {value}" for name, value in placement.facts().items() if name != "torch")
    print(f"Training the CNN, one epoch of MNIST ({conditions()}; ours on {facts}; the listing on as many threads)")
    speeds, accuracies = measure(args.rounds, placement)
    ratio, apart = speeds[1] / speeds[0], abs(accuracies[1] - accuracies[0]) * 100
    print(f"  the course's listing: {speeds[0]:,.0f} images/s, test accuracy {accuracies[0]:.2%}")
    print(f"  core.train:           {speeds[1]:,.0f} images/s, test accuracy {accuracies[1]:.2%}")
    good = ratio >= TARGET_RATIO and apart <= TARGET_POINTS
    verdict = "" if good else f" (should be {TARGET_RATIO:g} times or more, within {TARGET_POINTS} points)"
    print(f"  {ratio:.2f} times as fast, accuracies {apart:.2f} points apart{verdict} ({args.rounds} epochs each)")
    return 0 if good else 1


if __name__ == "__main__":
    raise SystemExit(main())
