"""A source text and a shape, read and run once: what every view of a net is drawn from."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

from core.errors import InputError
from core.shapes.chain import Report, run
from core.shapes.layer import Shape
from core.shapes.source import Source, read


@dataclass(frozen=True, kw_only=True)
class Inspection:
    """What was read, and what becomes of the shape."""

    source: Source
    report: Report


@lru_cache(maxsize=128)
def inspect(text: str, input_shape: Shape) -> Inspection:
    """Read a source and send a shape through its net; raises SourceError, and ShapeError for a bad input shape."""
    source = read_once(text)
    return Inspection(source=source, report=run(source.chain, input_shape))


@lru_cache(maxsize=128)
def read_once(text: str) -> Source:
    """Read a source; raises SourceError."""
    return read(text)


def parse_shape(text: str) -> Shape:
    """Read the size of one input, such as "1, 28, 28"; raises InputError."""
    parts = text.strip(" ()[]").replace("×", ",").replace("，", ",").rstrip(",").split(",")
    if not 1 <= len(parts) <= 4 or not all(is_number(part.strip()) for part in parts):
        raise InputError(
            "The input must be one to four whole numbers, as in 1, 28, 28 for channels, height and width, not {text}.",
            text=text[:40] or "–",
        )
    return tuple(int(part) for part in parts)


def is_number(text: str) -> bool:
    """Tell whether a text is a whole number that a size could be."""
    return text.isascii() and text.isdigit() and len(text) < 12
