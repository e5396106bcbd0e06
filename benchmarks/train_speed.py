"""The course's own listing and core.train in turn, on the same cores: images a second and accuracy.

`python -m benchmarks.train_speed [--rounds 3] [--threads N]` trains one epoch of the full MNIST with each in every
round, batch 64, SGD with lr 0.01 and momentum 0.5. The listing (course: "把之前全连接网络改成CNN") is torchvision's
MNIST with ToTensor and Normalize in a shuffled DataLoader. Only training is timed, neither the test nor reading the
files; the medians are compared. Exit code 1 where the ratio is below 3 or the accuracies are over 0.5 points apart.
"""

import argparse
import gzip
import statistics
import tempfile
import time
from pathlib import Path
from typing import NamedTuple

from benchmarks.conditions import conditions
from core.datasets import DATA
from core.device import Placement, find_placement, spin_briefly
from core.records import Epoch
from core.run import RunSpec

TARGET_RATIO = 3.0
TARGET_POINTS = 0.5


class Result(NamedTuple):
    """What one epoch reached."""

    speed: float  # images a second
    accuracy: float  # on the test images, 0 to 1


def listing(root: Path) -> Result:
    """Train one epoch as the course's listing does."""
    import torch
    from torch import nn
    from torch.utils.data import DataLoader
    from torchvision import datasets, transforms

    from core.networks import CNN

    transform = transforms.Compose([transforms.ToTensor(), transforms.Normalize((0.1307,), (0.3081,))])
    train_set = datasets.MNIST(root=root, train=True, download=False, transform=transform)
    test_set = datasets.MNIST(root=root, train=False, download=False, transform=transform)
    train_loader = DataLoader(train_set, shuffle=True, batch_size=64)
    test_loader = DataLoader(test_set, shuffle=False, batch_size=64)
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    torch.manual_seed(0)
    model = CNN().to(device)
    criterion = nn.CrossEntropyLoss()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.01, momentum=0.5)
    running_loss = 0.0
    started = time.perf_counter()
    for images, labels in train_loader:
        inputs, target = images.to(device), labels.to(device)
        optimizer.zero_grad()
        outputs = model(inputs)
        loss = criterion(outputs, target)
        loss.backward()
        optimizer.step()
        running_loss += loss.item()
    seconds = time.perf_counter() - started
    correct = 0
    with torch.no_grad():
        for images, labels in test_loader:
            predicted = model(images.to(device)).argmax(dim=1)
            correct += (predicted == labels.to(device)).sum().item()
    return Result(len(train_set) / seconds, correct / len(test_set))


def ours(placement: Placement) -> Result:
    """Train one epoch with core.train."""
    from core.train import train

    epoch = next(record for record in train(RunSpec(epochs=1), placement) if isinstance(record, Epoch))
    return Result(epoch.images_per_second, epoch.test_accuracy)


def unpack(root: Path) -> None:
    """Put MNIST where torchvision looks for it."""
    raw = root / "MNIST" / "raw"
    raw.mkdir(parents=True)
    for path in (DATA / "mnist").glob("*.gz"):
        (raw / path.stem).write_bytes(gzip.decompress(path.read_bytes()))


def measure(rounds: int, placement: Placement) -> tuple[list[Result], list[Result]]:
    """Run both in turn, `rounds` times; return what the listing and what core.train reached."""
    import torch

    from core.torchvision_ops import prepare_torchvision

    prepare_torchvision()
    torch.set_num_threads(placement.threads)
    theirs, own = [], []
    with tempfile.TemporaryDirectory() as folder:
        unpack(Path(folder))
        for number in range(1, rounds + 1):
            theirs.append(listing(Path(folder)))
            own.append(ours(placement))
            ratio = own[-1].speed / theirs[-1].speed
            print(f"  round {number}: {theirs[-1].speed:,.0f} and {own[-1].speed:,.0f} images/s, {ratio:.2f} times")
    return theirs, own


def main() -> int:
    """Measure, print, judge."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--threads", type=int, help="for both; all cores, up to 4, when left out")
    args = parser.parse_args()
    spin_briefly()  # for both, as in the terminal
    placement = find_placement("auto", args.threads)
    facts = ", ".join(f"{name} {value}" for name, value in placement.facts().items() if name != "torch")
    print(f"Training the CNN, one epoch of MNIST ({conditions()}; ours on {facts}; the listing on as many threads)")
    theirs, own = measure(args.rounds, placement)
    speeds = [statistics.median(result.speed for result in results) for results in (theirs, own)]
    accuracies = [statistics.median(result.accuracy for result in results) for results in (theirs, own)]
    ratio, apart = speeds[1] / speeds[0], abs(accuracies[1] - accuracies[0]) * 100
    print(f"  the course's listing: {speeds[0]:,.0f} images/s, test accuracy {accuracies[0]:.2%}")
    print(f"  core.train:           {speeds[1]:,.0f} images/s, test accuracy {accuracies[1]:.2%}")
    good = ratio >= TARGET_RATIO and apart <= TARGET_POINTS
    verdict = "" if good else f" (should be {TARGET_RATIO:g} times or more, within {TARGET_POINTS} points)"
    print(f"  {ratio:.2f} times as fast, accuracies {apart:.2f} points apart{verdict} (medians, n={args.rounds})")
    return 0 if good else 1


if __name__ == "__main__":
    raise SystemExit(main())
