"""Checks of single values that several specs share."""

from core.errors import InputError


def is_number(value: object) -> bool:
    """Tell whether a value is an int or a float; True and False are neither here."""
    return isinstance(value, int | float) and not isinstance(value, bool)


def check_whole(name: str, value: object, low: int, high: int) -> None:
    """Raise InputError where a value is no int from low to high."""
    if not isinstance(value, int) or isinstance(value, bool) or not low <= value <= high:
        raise InputError(
            "{name} must be a whole number from {low} to {high}, not {value}.",
            name=name,
            low=f"{low:,}",
            high=f"{high:,}",
            value=value,
        )
