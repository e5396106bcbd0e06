"""What is wrong with the numbers that were typed for a training run, in the words that stand on the page."""

from collections.abc import Mapping
from typing import Any

from core.errors import InputError
from core.run import RunSpec


def refusals(typed: Mapping[str, float], labels: Mapping[str, str]) -> list[InputError]:
    """Name each value that is refused, in the words of `labels`; one value does not hide the next one's mistake."""
    accepted: dict[str, Any] = {}
    refused = []
    for name, value in typed.items():
        try:
            RunSpec(**accepted | {name: value})
        except InputError as error:
            refused.append(_on_screen(error, labels))
        else:
            accepted[name] = value
    return refused


def _on_screen(error: InputError, labels: Mapping[str, str]) -> InputError:
    """Write the field as its label does and the value as the field does."""
    changed: dict[str, object] = {"value": f"{error.values['value']:.15g}"}
    if (name := error.values.get("name")) in labels:
        changed["name"] = labels[str(name)]
    return InputError(error.message, **error.values | changed)
