"""Plain and residual stacks of 20 and 56 layers at equal settings, three seeds each: which train, and the gradients.

`python -m benchmarks.depth [--norm]` trains what the store does not have yet, as the server would, and prints medians
over the seeds. It takes about four minutes the first time, a second afterwards. `--norm` adds the same stacks with
batch normalisation, for comparison only. (course: "Go Deeper", "Residule Net"; He et al. 2015, figure 4.)

Exit code 1 unless, with every seed, the residual stack of 56 layers trains and the plain one does not, and the gradient
that reaches the first layer at the start says why: it is of the last layer's size in the one and has vanished in the
other.
"""

import argparse
import sys
from collections import defaultdict
from dataclasses import dataclass
from statistics import median

from benchmarks.conditions import conditions
from core.device import Placement, find_placement, spin_briefly
from core.kept import kept_run
from core.preset_runs import DEPTH, DEPTH_NORM
from core.records import Inside
from core.run import RunSpec
from core.store import Store

TRAINS = 0.9  # test accuracy from which on a stack has been trained
FAILS = 0.2  # and up to which it has learnt nothing; chance is 0.1
REACHES = 1e-2  # norm of the first layer's gradient / last layer's, at the start
VANISHED = 1e-6


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """What became of one run."""

    loss: float  # of the last epoch, mean cross entropy in nats
    accuracy: float  # after the last epoch, on the test images, 0 to 1
    gradients: tuple[float, ...]  # norms for the first, middle and last layer before training, then after it

    @property
    def reach(self) -> float:
        """Return the first layer's gradient as a share of the last layer's, before training."""
        return self.gradients[0] / self.gradients[2]


def outcome(spec: RunSpec, placement: Placement, store: Store) -> Outcome:
    """Return what is kept of a run, training it first where it is not there."""
    for _ in kept_run(spec, placement, store, owner="terminal"):
        pass
    entry = store.load(spec.key(placement))
    assert entry is not None  # noqa: S101 - it was kept a moment ago
    first, last = entry.insides[0], entry.insides[-1]
    return Outcome(
        loss=entry.epochs[-1].train_loss,
        accuracy=entry.epochs[-1].test_accuracy,
        gradients=(*gradients(first), *gradients(last)),
    )


def gradients(inside: Inside) -> tuple[float, float, float]:
    """Return the gradient norms of the first, the middle and the last layer."""
    norms = [layer.gradient_norm for layer in inside.layers]
    return norms[0], norms[len(norms) // 2], norms[-1]


def name(spec: RunSpec) -> str:
    """Return how a stack is called in the table."""
    options = {"depth": 20, "residual": True} | dict(spec.options)
    return f"{'residual' if options['residual'] else 'plain'}-{options['depth']}"


def measure(specs: tuple[RunSpec, ...], placement: Placement, store: Store) -> dict[str, list[Outcome]]:
    """Return the outcomes of each kind of stack, one a seed."""
    outcomes = defaultdict(list)
    for done, spec in enumerate(specs, 1):
        outcomes[name(spec)].append(outcome(spec, placement, store))
        if sys.stderr.isatty():
            print(f"\r  {done} of {len(specs)} runs", end="\r", file=sys.stderr, flush=True)
    return outcomes


def print_table(outcomes: dict[str, list[Outcome]]) -> None:
    """Print the medians over the seeds."""
    print(f"  {'':12} {'loss':>6} {'accuracy':>9}   gradient norm of the first, middle, last layer: before, after")
    for kind, runs in outcomes.items():
        norms = [f"{median(norm):8.1e}" for norm in zip(*(run.gradients for run in runs), strict=True)]
        print(
            f"  {kind:12} {median(run.loss for run in runs):6.3f} {median(run.accuracy for run in runs):9.2%}"
            f"   {' '.join(norms[:3])} | {' '.join(norms[3:])}"
        )


def judge(outcomes: dict[str, list[Outcome]]) -> list[str]:
    """Return what is not as it should be, a sentence each."""
    wrong = []
    for residual, plain in zip(outcomes["residual-56"], outcomes["plain-56"], strict=True):
        if residual.accuracy < TRAINS:
            wrong.append(f"residual-56 reaches {residual.accuracy:.2%} only (should be {TRAINS:.0%} or more)")
        if plain.accuracy > FAILS:
            wrong.append(f"plain-56 reaches {plain.accuracy:.2%} (should be {FAILS:.0%} or less)")
        if residual.reach < REACHES:
            wrong.append(f"of residual-56's gradient {residual.reach:.1e} reaches the first layer")
        if plain.reach > VANISHED:
            wrong.append(f"of plain-56's gradient {plain.reach:.1e} still reaches the first layer")
    return wrong


def main() -> int:
    """Train, print, judge."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--norm", action="store_true", help="also with batch normalisation")
    asked = parser.parse_args()
    spin_briefly()
    store, placement = Store(), find_placement(shared=True)
    first = DEPTH[0]
    print(
        f"Stacks on the first {first.train_images:,} images, {first.epochs} epochs, batches of {first.batch_size}, "
        f"{first.optimizer} with a learning rate of {first.lr:g} ({first.schedule}); medians of "
        f"{len({spec.seed for spec in DEPTH})} seeds ({conditions()}; {placement.device}, {placement.dtype})"
    )
    outcomes = measure(DEPTH, placement, store)
    print_table(outcomes)
    if asked.norm:
        print("The same with batch normalisation")
        print_table(measure(DEPTH_NORM, placement, store))
    wrong = judge(outcomes)
    for sentence in wrong:
        print(f"  {sentence}")
    return 1 if wrong else 0


if __name__ == "__main__":
    raise SystemExit(main())
