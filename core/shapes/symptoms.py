"""What a message of PyTorch about shapes means, and what would be right: the registry, and what its entries share.

An entry is a pattern for the message, sentences made of its numbers, and a test whether a node of a net could have said
it. The numbers in the patterns are PyTorch's; the tests raise every message with the installed PyTorch.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from core.messages import N_
from core.shapes.chain import Node
from core.shapes.layer import Shape
from core.shapes.source import Note

Match = re.Match[str]
Shapes = tuple[Shape, ...]  # of what goes into a node; () where that is not known
Explain = Callable[[Match], Iterator[Note]]
Fits = Callable[[Match, Node, Shapes], int]  # how well a node fits a message; 0: not at all

CHANGE = N_("Otherwise change the layers before it, so that {wanted} arrive.")


@dataclass(frozen=True, kw_only=True)
class Symptom:
    """One message of PyTorch."""

    name: str
    pattern: re.Pattern[str]
    explain: Explain
    fits: Fits


def registrar(symptoms: dict[str, Symptom]) -> Callable[[str, Fits], Callable[[Explain], Explain]]:
    """Return the decorator that puts explanations into a registry: a pattern, and which nodes fit it."""

    def symptom(pattern: str, fits: Fits) -> Callable[[Explain], Explain]:
        def add(explain: Explain) -> Explain:
            name = explain.__name__
            symptoms[name] = Symptom(name=name, pattern=re.compile(pattern), explain=explain, fits=fits)
            return explain

        return add

    return symptom


def note(message: str, **values: object) -> Note:
    """Return a sentence with its values."""
    return Note(message=message, values=values)


def numbers(text: str) -> Shape:
    """Return the whole numbers of a text, as in [64, 88, 12, 12]."""
    return tuple(int(number) for number in re.findall(r"-?\d+", text))


def of_kind(*beginnings: str) -> Fits:
    """Fit every node of some kinds."""
    return lambda found, node, shapes: int(node.kind.lower().startswith(beginnings))


def everywhere(found: Match, node: Node, shapes: Shapes) -> int:
    """Fit nothing: the message is not about a node of the net."""
    return 0
