"""What a training run is: a few numbers, checked once, and the key that they make."""

from __future__ import annotations

import hashlib
import json
import math
from dataclasses import asdict, dataclass, fields, replace
from typing import TYPE_CHECKING, Any

from core.checks import check_whole, is_number
from core.errors import InputError
from core.image_sets import DATASETS, ImageSet, find_image_set
from core.models import find_model
from core.optimizers import find_optimizer, find_schedule
from core.options import Options, check_options

if TYPE_CHECKING:
    from core.device import Placement

CODE_VERSION = 3  # raise it when the same spec on the same machine begins to give other numbers
TRAIN_IMAGES = DATASETS["mnist"].train_images


@dataclass(frozen=True, kw_only=True)
class RunSpec:
    """One training run. Raises InputError for a value outside its range.

    What does not matter (the momentum of an optimizer that has none, an option at its default) is set to its default,
    so that runs with the same numbers are equal.
    """

    model: str = "cnn"  # a name in core.models.MODELS
    options: Options = ()  # of the model; a mapping is taken as well; see core.options
    data: str = "mnist"  # a name in core.image_sets.DATASETS, with images that the model takes
    epochs: int = 10  # passes over the training images, 1 to 100
    batch_size: int = 64  # images a step, 1 to 10,000 and not above train_images
    optimizer: str = "sgd"  # a name in core.optimizers.OPTIMIZERS
    lr: float = 0.01  # learning rate, 1e-8 to 10
    momentum: float = 0.5  # share of the last step that is kept, 0 up to but not including 1
    nesterov: bool = False  # whether the gradient is taken after the step of the momentum, which must not be 0 then
    weight_decay: float = 0.0  # share of each weight that is added to its gradient (AdamW: taken off it), 0 to 1
    schedule: str = "constant"  # a name in core.optimizers.SCHEDULES
    shift: int = 0  # each training image is moved by up to so many pixels in x and y, 0 to 8
    rotate: float = 0.0  # and turned by up to so many degrees, 0 to 45
    patience: int = 0  # the run ends after so many epochs without a better test accuracy; 0: it never does; to 100
    train_images: int = TRAIN_IMAGES  # the first so many of the training set, 100 to all; 60,000 is all of any set
    seed: int = 0  # of the initial weights and of the order of the images, 0 to 2**32 - 1

    def __post_init__(self) -> None:
        model = find_model(self.model)
        self._set("options", check_options(model.options, dict(self.options), self.model))
        model.arguments(self.options, find_image_set(self.data).shape)
        check_whole("epochs", self.epochs, 1, 100)
        if self.train_images == TRAIN_IMAGES:
            self._set("train_images", self.images.train_images)
        check_whole("train_images", self.train_images, 100, self.images.train_images)
        check_whole("batch_size", self.batch_size, 1, min(10_000, self.train_images))
        check_whole("seed", self.seed, 0, 2**32 - 1)
        check_whole("shift", self.shift, 0, 8)
        check_whole("patience", self.patience, 0, 100)
        find_schedule(self.schedule)
        self._check_numbers()
        self._check_optimizer()

    def _check_numbers(self) -> None:
        if not is_number(self.lr) or not 1e-8 <= self.lr <= 10:
            raise InputError("The learning rate must be a number from 0.00000001 to 10, not {value}.", value=self.lr)
        if not is_number(self.momentum) or not 0 <= self.momentum < 1:
            raise InputError("The momentum must be a number from 0 to below 1, not {value}.", value=self.momentum)
        if not is_number(self.weight_decay) or not 0 <= self.weight_decay <= 1:
            raise InputError("The weight decay must be a number from 0 to 1, not {value}.", value=self.weight_decay)
        if not is_number(self.rotate) or not 0 <= self.rotate <= 45:
            raise InputError("The rotation must be a number of degrees from 0 to 45, not {value}.", value=self.rotate)
        for name in ("lr", "momentum", "weight_decay", "rotate"):
            self._set(name, float(getattr(self, name)))  # 1 and 1.0 are the same run

    def _check_optimizer(self) -> None:
        uses = find_optimizer(self.optimizer).uses
        for name in {"momentum", "nesterov", "weight_decay"} - set(uses):
            self._set(name, DEFAULTS[name])
        if not isinstance(self.nesterov, bool):
            raise InputError("nesterov must be true or false, not {value}.", value=str(self.nesterov)[:40])
        if self.nesterov and self.momentum == 0:
            raise InputError("Nesterov's method needs a momentum above 0.")

    def _set(self, name: str, value: object) -> None:
        object.__setattr__(self, name, value)  # the one moment in which a frozen value is set right

    @property
    def images(self) -> ImageSet:
        """Return the set of images."""
        return DATASETS[self.data]

    @property
    def arguments(self) -> Options:
        """Return what the network's constructor gets: its options, and what the images ask for."""
        return find_model(self.model).arguments(self.options, self.images.shape)

    @property
    def steps_per_epoch(self) -> int:
        """Steps in one epoch; the last one may have fewer images."""
        return math.ceil(self.train_images / self.batch_size)

    @property
    def augments(self) -> bool:
        """Say whether the training images are moved or turned."""
        return self.shift > 0 or self.rotate > 0

    def as_dict(self) -> dict[str, Any]:
        """Return the fields, ready for JSON."""
        return asdict(self) | {"options": dict(self.options)}

    def changed(self) -> dict[str, Any]:
        """Return the fields that differ from the defaults, ready for JSON."""
        return {name: value for name, value in self.as_dict().items() if value != DEFAULTS[name]}

    def key(self, placement: Placement) -> str:
        """Return 16 hexadecimal digits that stand for this run's numbers: the spec, and where it is computed.

        Only what differs from the defaults counts, so that a new field leaves the old keys as they are.
        """
        facts = {"spec": self.changed(), "placement": placement.facts(), "code": CODE_VERSION}
        canonical = json.dumps(facts, sort_keys=True, separators=(",", ":"), allow_nan=False)
        return hashlib.sha256(canonical.encode()).hexdigest()[:16]


DEFAULTS: dict[str, Any] = {entry.name: entry.default for entry in fields(RunSpec)} | {"options": {}}
QUICK = RunSpec(epochs=1, train_images=10_000, lr=0.1, momentum=0.8, schedule="onecycle")  # under a second
QUICK_FULL = replace(QUICK, train_images=TRAIN_IMAGES)  # 98.4 % and more in a few seconds
DIVERGING = replace(QUICK, batch_size=256, lr=0.4, momentum=0.9, schedule="constant")  # its steps are too long
FIRST_RUNS = (RunSpec(epochs=1), RunSpec(epochs=10))  # what the pages show first; `python -m core warm` trains them
