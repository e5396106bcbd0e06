"""What a training run is: a few numbers, checked once, and the key that they make."""

from __future__ import annotations

import hashlib
import json
import math
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from core.checks import check_whole, is_number
from core.errors import InputError
from core.models import find_model

if TYPE_CHECKING:
    from core.device import Placement

CODE_VERSION = 1  # raise it when the same spec on the same machine begins to give other numbers
TRAIN_IMAGES = 60_000  # images in MNIST's training set


@dataclass(frozen=True, kw_only=True)
class RunSpec:
    """One training run. Raises InputError for a value outside its range."""

    model: str = "cnn"  # a name in core.models.MODELS
    epochs: int = 10  # passes over the training images, 1 to 100
    batch_size: int = 64  # images a step, 1 to 10,000 and not above train_images
    lr: float = 0.01  # learning rate, above 0, up to 10
    momentum: float = 0.5  # share of the last step that is kept, 0 up to but not including 1
    train_images: int = TRAIN_IMAGES  # the first so many images of the training set, 100 to 60,000
    seed: int = 0  # of the initial weights and of the order of the images, 0 to 2**32 - 1

    def __post_init__(self) -> None:
        find_model(self.model)
        check_whole("epochs", self.epochs, 1, 100)
        check_whole("train_images", self.train_images, 100, TRAIN_IMAGES)
        check_whole("batch_size", self.batch_size, 1, min(10_000, self.train_images))
        check_whole("seed", self.seed, 0, 2**32 - 1)
        if not is_number(self.lr) or not 0 < self.lr <= 10:
            raise InputError("The learning rate must be a number above 0 and at most 10, not {value}.", value=self.lr)
        if not is_number(self.momentum) or not 0 <= self.momentum < 1:
            raise InputError("The momentum must be a number from 0 to below 1, not {value}.", value=self.momentum)
        object.__setattr__(self, "lr", float(self.lr))  # 1 and 1.0 are the same run
        object.__setattr__(self, "momentum", float(self.momentum))

    @property
    def steps_per_epoch(self) -> int:
        """Steps in one epoch; the last one may have fewer images."""
        return math.ceil(self.train_images / self.batch_size)

    def as_dict(self) -> dict[str, Any]:
        """Return the fields, ready for JSON."""
        return asdict(self)

    def key(self, placement: Placement) -> str:
        """Return 16 hexadecimal digits that stand for this run's numbers: the spec, and where it is computed."""
        facts = {"spec": self.as_dict(), "placement": placement.facts(), "code": CODE_VERSION}
        canonical = json.dumps(facts, sort_keys=True, separators=(",", ":"), allow_nan=False)
        return hashlib.sha256(canonical.encode()).hexdigest()[:16]


FIRST_RUNS = (RunSpec(epochs=1), RunSpec(epochs=10))  # what the pages show first; `python -m core warm` trains them
