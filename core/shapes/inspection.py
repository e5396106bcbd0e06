"""A source text and a shape, read and run once: what every view of a net is drawn from."""

from __future__ import annotations

import logging
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache

from core.errors import InputError
from core.messages import N_
from core.shapes.chain import Report, run
from core.shapes.layer import Shape
from core.shapes.source import Source, SourceError, read

OWN_MISTAKE = N_("This net cannot be followed here, although it was read; write it more simply, or replace its “?”.")
UNREADABLE = N_("This source cannot be read here; write it more simply.")
HALF_WIDTH = {0xFF01 + number: 0x21 + number for number in range(94)}  # ，（１×２８） is typed with a Chinese keyboard


@dataclass(frozen=True, kw_only=True)
class Inspection:
    """What was read, and what becomes of the shape."""

    source: Source
    report: Report


@lru_cache(maxsize=128)
def inspect(text: str, input_shape: Shape) -> Inspection:
    """Read a source and send a shape through its net; raises SourceError, and ShapeError for a bad input shape."""
    source = read_once(text)
    with _judged(OWN_MISTAKE):
        return Inspection(source=source, report=run(source.chain, input_shape))


@lru_cache(maxsize=128)
def read_once(text: str) -> Source:
    """Read a source; raises SourceError."""
    with _judged(UNREADABLE):
        return read(text)


@contextmanager
def _judged(sentence: str) -> Iterator[None]:
    """Turn what nobody thought of into a SourceError, and log it: a source may come from anywhere, as in a link."""
    try:
        yield
    except InputError:
        raise
    except Exception as error:
        logging.getLogger(__name__).exception("A source could not be judged")
        raise SourceError(sentence) from error


def parse_shape(text: str) -> Shape:
    """Read the size of one input, such as "1, 28, 28", (1, 28, 28), 1x28x28 or 1 28 28; raises InputError."""
    plain = text.translate(HALF_WIDTH).strip(" ()[]").rstrip(", ")
    parts = re.split(r" *[,x×X*·] *| +", plain)
    if not 1 <= len(parts) <= 4 or not all(map(is_number, parts)):
        raise InputError(
            "The input must be one to four whole numbers, as in 1, 28, 28 for channels, height and width, not {text}.",
            text=text[:40] or "–",
        )
    return tuple(int(part) for part in parts)


def is_number(text: str) -> bool:
    """Tell whether a text is a whole number that a size could be."""
    return text.isascii() and text.isdigit() and len(text) < 12
