"""What is wrong with what was typed for a training run, in the words that stand on the page."""

from collections.abc import Mapping
from typing import Any

from app.figures.training_card import capitalised
from app.i18n import _
from core.errors import InputError, Names
from core.models import MODELS
from core.run import RunSpec

ORDER = ("model", "options", "data", "train_images")  # are judged first: they limit the others


def labels() -> dict[str, str]:
    """Return what stands above the controls, by the spec's names."""
    return {
        "data": _("Data"),
        "epochs": _("Epochs"),
        "batch_size": _("Batch size"),
        "optimizer": _("Optimizer"),
        "lr": _("Learning rate"),
        "momentum": _("Momentum"),
        "nesterov": _("Nesterov's momentum"),
        "weight_decay": _("Weight decay"),
        "schedule": _("Schedule of the learning rate"),
        "shift": _("Shift images by up to (pixels)"),
        "rotate": _("Turn images by up to (degrees)"),
        "patience": _("Stop early after epochs without a gain (0: never)"),
        "train_images": _("Training images"),
        "seed": _("Seed of the weights and of the images' order"),
    }


def refusals(typed: Mapping[str, Any]) -> dict[str, InputError]:
    """Say of each field what is refused, as its label does; one value does not hide the next one's mistake."""
    names = labels() | {option.name: _(option.title) for model in MODELS.values() for option in model.options}
    accepted: dict[str, Any] = {}
    refused = {}
    for name in sorted(typed, key=lambda name: ORDER.index(name) if name in ORDER else len(ORDER)):
        try:
            RunSpec(**accepted | {name: typed[name]})
        except InputError as error:
            refused[name] = _on_screen(error, names)
        else:
            accepted[name] = typed[name]
    return refused


def _on_screen(error: InputError, names: Mapping[str, str]) -> InputError:
    """Write the field as its label does and a number as the field does."""
    changed: dict[str, object] = {}
    value = error.values.get("value")
    if isinstance(value, int | float) and not isinstance(value, bool):
        changed["value"] = f"{value:.15g}"
    if (name := error.values.get("name")) in names:
        changed["name"] = capitalised(names[str(name)])
    if isinstance(several := error.values.get("names"), Names):
        changed["names"] = Names(names.get(one, one) for one in several)
    return InputError(error.message, **error.values | changed)
