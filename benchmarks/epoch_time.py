"""Seconds of an epoch over the number of training images: is twice the data twice the time?

`python -m benchmarks.epoch_time [--threads N] [--device cuda]` trains the course's CNN on 1,000 to 60,000 images,
epochs of all sizes by turns, each size until it has seen about 60,000 images three times, and compares the median time
per image of each size with that of the largest. Exit code 1 where one is more than 10 % off. The seconds are
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
ROUNDS = 3
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
            record for record in train(RunSpec(epochs=100, train_images=size), placement) if isinstance(record, Epoch)
        )
        for size in SIZES
    }
    for run in runs.values():
        next(run)  # sets up what is set up once
    per_image: dict[int, list[float]] = {size: [] for size in SIZES}
    for _ in range(ROUNDS):
        for size, run in runs.items():
            epochs = min(30, TRAIN_IMAGES // size)
            per_image[size] += [next(run).seconds / size for _ in range(epochs)]
    medians = {size: statistics.median(values) for size, values in per_image.items()}
    good = True
    for size, seconds in medians.items():
        off = seconds / medians[TRAIN_IMAGES] - 1
        good &= abs(off) <= TOLERANCE
        print(
            f"  {size:6,} images: {seconds * size:7.3f} s an epoch, {1e6 * seconds:.1f} µs an image, {off:+.1%} "
            f"(n = {len(per_image[size])})"
        )
    return 0 if good else 1


if __name__ == "__main__":
    raise SystemExit(main())
