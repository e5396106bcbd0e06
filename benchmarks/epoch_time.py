"""Seconds of an epoch over the number of training images: is twice the data twice the time?

`python -m benchmarks.epoch_time [--threads N] [--device cuda]` trains the course's CNN on 1,000 to 60,000 images,
epochs of all sizes by turns, and compares the time per image of each size with that of the largest in the same turn,
in which each size has at most 15 epochs; every other turn goes backwards, so that a machine that becomes faster or
slower meanwhile favours none. Exit code 1 where the median of the turns is more than 10 % off. The seconds are
core.train's own: it reads its clock when it has read the losses, which waits for a GPU. On a GPU nothing has been
measured yet.
"""

import argparse
import statistics

from benchmarks.conditions import computed_on, conditions
from core.device import DEVICES, find_placement, spin_briefly
from core.errors import InputError
from core.records import Epoch
from core.run import TRAIN_IMAGES, RunSpec

SIZES = (1_000, 4_000, 15_000, TRAIN_IMAGES)
TURNS = 5
MOST_EPOCHS = 15  # of one size in a turn
TOLERANCE = 0.10


def main() -> int:
    """Measure, print, judge."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--threads", type=int, help="all cores, up to 4, when left out")
    parser.add_argument("--device", default="auto", help=f"one of {', '.join(DEVICES)} (%(default)s)")
    args = parser.parse_args()
    spin_briefly()
    try:
        placement = find_placement(args.device, args.threads)
    except InputError as error:
        parser.error(str(error))
    print(f"Time of an epoch of the CNN ({conditions()}; {computed_on(placement)})")
    from core.train import train

    runs = {
        size: (
            record
            for record in train(RunSpec(epochs=1 + TURNS * MOST_EPOCHS, train_images=size), placement)
            if isinstance(record, Epoch)
        )
        for size in SIZES
    }
    for run in runs.values():
        next(run)  # sets up what is set up once
    per_image: dict[int, list[float]] = {size: [] for size in SIZES}  # seconds, one a turn
    for turn in range(TURNS):
        for size in SIZES if turn % 2 == 0 else reversed(SIZES):
            epochs = min(MOST_EPOCHS, TRAIN_IMAGES // size)
            per_image[size].append(statistics.median(next(runs[size]).seconds for _ in range(epochs)) / size)
    good = True
    for size, seconds in per_image.items():
        ratios = [one / most for one, most in zip(seconds, per_image[TRAIN_IMAGES], strict=True)]
        off = statistics.median(ratios) - 1
        good &= abs(off) <= TOLERANCE
        usual = statistics.median(seconds)
        print(
            f"  {size:6,} images: {usual * size:7.3f} s an epoch, {1e6 * usual:.1f} µs an image, {off:+.1%} "
            f"({min(ratios) - 1:+.1%} to {max(ratios) - 1:+.1%}, n = {TURNS} turns)"
        )
    return 0 if good else 1


if __name__ == "__main__":
    raise SystemExit(main())
