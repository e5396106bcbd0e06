"""What can be set on an entry of a registry besides its name: the depth of a network, the kind of a block."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from core.checks import check_whole, is_number
from core.errors import InputError, Names

Value = bool | int | float | str
Options = tuple[tuple[str, Value], ...]  # names and values, in the order of the names


@dataclass(frozen=True, kw_only=True)
class Option:
    """One value that may be set; the type of `default` is the type of all of its values."""

    name: str  # of the argument that takes it
    title: str  # as a page shows it
    default: Value
    low: float = 0  # of a number
    high: float = 1  # of a number
    step: int = 1  # between the whole numbers that are possible, counted from `low`
    choices: Mapping[str, str] = field(default_factory=dict)  # of a name: its values, and how a page shows them
    group: str = ""  # of flags: at least one of those with the same group must be on

    def check(self, value: object) -> Value:
        """Return the value in the default's type; raises InputError that says which values are possible."""
        if isinstance(self.default, bool):
            if not isinstance(value, bool):
                raise InputError("{name} must be true or false, not {value}.", name=self.name, value=str(value)[:40])
            return value
        if isinstance(self.default, str):
            if value not in self.choices:
                known = Names(self.choices)
                raise InputError(
                    "{name} must be one of {known}, not {value}.", name=self.name, known=known, value=str(value)[:40]
                )
            return str(value)
        if isinstance(self.default, int):
            return self._whole(value)
        if not is_number(value) or not self.low <= value <= self.high:  # type: ignore[operator]  # a number by then
            raise InputError(
                "{name} must be a number from {low} to {high}, not {value}.",
                name=self.name, low=self.low, high=self.high, value=value if is_number(value) else str(value)[:40],
            )  # fmt: skip
        return float(value)  # type: ignore[arg-type]  # a number by then

    def _whole(self, value: Any) -> int:  # noqa: ANN401 - an int once it is checked
        check_whole(self.name, value, int(self.low), int(self.high))
        whole = int(value)
        if above := (whole - int(self.low)) % self.step:
            below = whole - above
            raise InputError(
                "{name} must be one of {low}, {next}, … {high}, such as {below}, not {value}.",
                name=self.name, low=int(self.low), next=int(self.low) + self.step, high=int(self.high),
                below=below, value=whole,
            )  # fmt: skip
        return whole


def check_options(known: Iterable[Option], given: Mapping[str, object], owner: str) -> Options:
    """Return what differs from the defaults, in the order of the names, so that equal settings are equal.

    Raises InputError for a name that `owner` does not know, for a value that is not possible and for a group of flags
    that are all off.
    """
    by_name = {option.name: option for option in known}
    for name in given:
        if name not in by_name:
            raise InputError(
                "{owner} has no option {name}; it has {known}.",
                owner=owner, name=str(name)[:40], known=Names(by_name or ["none"]),
            )  # fmt: skip
    checked = {name: by_name[name].check(value) for name, value in given.items()}
    _check_groups(by_name.values(), checked)
    return tuple(sorted((name, value) for name, value in checked.items() if value != by_name[name].default))


def _check_groups(options: Iterable[Option], checked: Mapping[str, Value]) -> None:
    groups: dict[str, list[Option]] = {}
    for option in options:
        groups.setdefault(option.group, []).append(option)
    for group, flags in groups.items():
        if group and not any(checked.get(flag.name, flag.default) for flag in flags):
            raise InputError("At least one of {names} must be on.", names=Names(flag.name for flag in flags))
