"""Best test accuracy of the course's four networks, ten epochs at the course's settings, three seeds each.

`python -m benchmarks.accuracy [--threads N]` trains what the store does not have yet and prints the median of the best
epochs. It takes about half an hour on two cores the first time, seconds afterwards. Exit code 1 below a target.
"""

import argparse
import statistics

from benchmarks.conditions import conditions
from core.commands.progress import watch
from core.device import find_placement, spin_briefly
from core.kept import kept_run
from core.run import RunSpec
from core.store import Store

TARGETS = {"mlp": 0.974, "cnn": 0.986, "inception": 0.985, "resnet": 0.989}
SEEDS = (0, 1, 2)


def main() -> int:
    """Train, print, judge."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--threads", type=int, default=1, help="of torch (%(default)s, as beside a server)")
    spin_briefly()
    placement = find_placement("auto", parser.parse_args().threads)
    store = Store()
    print(
        f"Best of ten epochs on MNIST's test set ({conditions()}; {placement.device}, {placement.dtype}, "
        f"{placement.threads} threads)"
    )
    good = True
    for model, target in TARGETS.items():
        best, seconds = [], []
        for seed in SEEDS:
            spec = RunSpec(model=model, epochs=10, seed=seed)
            epochs, _ = watch(spec, kept_run(spec, placement, store, owner="terminal"), lambda _: None, bar=False)
            best.append(max(epoch.test_accuracy for epoch in epochs))
            seconds += [epoch.seconds for epoch in epochs]
        median = statistics.median(best)
        good &= median >= target
        each = ", ".join(f"{accuracy:.4f}" for accuracy in best)
        print(
            f"  {model:9} {median:.4f} (seeds {SEEDS}: {each}; should be {target} or more), "
            f"{statistics.median(seconds):.1f} s an epoch",
            flush=True,
        )
    return 0 if good else 1


if __name__ == "__main__":
    raise SystemExit(main())
