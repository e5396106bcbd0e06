"""The prepared comparisons: the course's figures and a few questions, each a handful of runs.

Together with the shipped runs they open at once; what is missing is trained on request.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from core.messages import N_
from core.run import DIVERGING, QUICK, RunSpec


@dataclass(frozen=True, kw_only=True)
class Comparison:
    """Some runs that answer a question together."""

    title: str  # as a page shows it
    about: str  # one sentence: what to look at
    runs: tuple[RunSpec, ...]


FEW = RunSpec(epochs=3, train_images=10_000)
FEWER = RunSpec(epochs=20, train_images=2_000, lr=0.05)

SEEDS = (0, 1, 2)  # of the depth comparison
STACK = RunSpec(
    model="stack", epochs=3, train_images=5_000, batch_size=32, optimizer="adam", lr=0.002, schedule="onecycle"
)


def _stacks(norm: bool) -> tuple[RunSpec, ...]:
    """Return plain and residual stacks of 20 and 56 layers, everything else equal, for each seed."""
    return tuple(
        replace(STACK, options=(("depth", depth), ("norm", norm), ("residual", residual)), seed=seed)
        for seed in SEEDS
        for residual in (False, True)
        for depth in (20, 56)
    )


DEPTH = _stacks(norm=False)
DEPTH_NORM = _stacks(norm=True)

COMPARISONS: dict[str, Comparison] = {
    "nets": Comparison(
        title=N_("The course's four nets"),
        about=N_("Ten epochs each, all with the course's settings: what does each kind of network gain?"),
        runs=tuple(RunSpec(model=model) for model in ("mlp", "cnn", "inception", "resnet")),
    ),
    "inception-resnet": Comparison(
        title=N_("Inception and ResNet"),
        about=N_("The course's curves of its two larger nets over ten epochs."),
        runs=(RunSpec(model="inception"), RunSpec(model="resnet")),
    ),
    "diverging": Comparison(
        title=N_("A run that diverges, beside one that does not"),
        about=N_("Large batches and a large learning rate: too long steps throw the loss up."),
        runs=(QUICK, DIVERGING),
    ),
    "optimizers": Comparison(
        title=N_("Optimizers"),
        about=N_(
            "SGD without and with momentum, Adam, RMSprop (momentum 0.5) and Adagrad on 10,000 images, each at a usual "
            "rate."
        ),
        runs=(
            replace(FEW, momentum=0.0),
            replace(FEW, momentum=0.9),
            replace(FEW, optimizer="adam", lr=0.001),
            replace(FEW, optimizer="rmsprop", lr=0.001),
            replace(FEW, optimizer="adagrad", lr=0.01),
        ),
    ),
    "augmentation": Comparison(
        title=N_("With and without augmentation"),
        about=N_("2,000 images, 20 epochs: shifted and turned images are harder to learn by heart."),
        runs=(FEWER, replace(FEWER, shift=2, rotate=10.0)),
    ),
    "depth": Comparison(
        title=N_("20 and 56 layers, plain and residual"),
        about=N_(
            "Without batch normalisation, which the next comparison adds: does a gradient reach the first layers of a "
            "plain stack?"
        ),
        runs=tuple(spec for spec in DEPTH if spec.seed == 0),
    ),
    "depth-norm": Comparison(
        title=N_("20 and 56 layers with batch normalisation"),
        about=N_("The same stacks with batch normalisation: which of them is still hard to train?"),
        runs=tuple(spec for spec in DEPTH_NORM if spec.seed == 0),
    ),
}
