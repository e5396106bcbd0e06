"""Points in the plane, the data of the first pages: presets, and what people type, paste or upload.

Everything that comes from outside passes through `Points`, which refuses what no page could show. The parsers
name the row and the column of what they refuse, in one sentence that says what would be right.
"""

import csv
import hashlib
import math
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from core.errors import InputError
from core.messages import N_

MAX_ROWS = 10_000
LIMIT = 1e6  # largest absolute value of x or y
MAX_CHARACTERS = 1_000_000  # of pasted or uploaded text: ten thousand rows of two long numbers
DELIMITERS = (",", ";", "\t", " ")  # tried in this order on the first line
DECIMAL_COMMAS = re.compile(r"\s*[+-]?\d+,\d+(\s*;\s*|\s+)[+-]?\d+,\d+\s*")
FULL_WIDTH = str.maketrans({"，": ",", "；": ";", "　": " ", "\ufeff": None})  # what a Chinese keyboard types


@dataclass(frozen=True, kw_only=True)
class Points:
    """Pairs (x, y).

    Raises InputError for no row, too many rows, lists of different length, or a value that is not finite or
    beyond the limit.
    """

    x: tuple[float, ...]  # 1 to 10,000 values, each finite and from -1e6 to 1e6
    y: tuple[float, ...]  # as many, the same bounds

    def __post_init__(self) -> None:
        if len(self.x) != len(self.y):
            raise InputError(
                "x has {x} values and y has {y}; give the same number of both.", x=len(self.x), y=len(self.y)
            )
        _check_count(len(self.x))
        for name, values in (("x", self.x), ("y", self.y)):
            for row, value in enumerate(values, start=1):
                _check_value(value, value, row, name)

    def __len__(self) -> int:
        return len(self.x)

    @cached_property
    def arrays(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Give x and y as float64 arrays, each (n,), that cannot be written to."""
        arrays = np.array(self.x, dtype=np.float64), np.array(self.y, dtype=np.float64)
        for array in arrays:
            array.flags.writeable = False
        return arrays

    @cached_property
    def digest(self) -> str:
        """Name these points by their content: the key of every cache."""
        x, y = self.arrays
        return hashlib.sha256(x.tobytes() + y.tobytes()).hexdigest()[:16]


def from_rows(rows: Iterable[Sequence[object]], *, first_row: int = 1) -> Points:
    """Read pairs of cells, numbers or text; rows in which every cell is empty are skipped.

    Args:
        rows: cells (x, y) of each row; None and "" are empty cells.
        first_row: the number that the reader sees beside the first row, for the sentences.

    Raises:
        InputError: names row and column of the first cell that is no number within the bounds.

    """
    x: list[float] = []
    y: list[float] = []
    for row, cells in enumerate(rows, start=first_row):
        texts = ["" if cell is None else str(cell).strip() for cell in cells]
        while texts and not texts[-1]:
            texts.pop()
        if not texts:
            continue
        if len(texts) > 2:
            raise InputError("Row {row} has {count} columns; give two, x and y.", row=row, count=len(texts))
        texts.append("")
        x.append(_number(texts[0], row, "x"))
        y.append(_number(texts[1], row, "y"))
    _check_count(len(x))
    return Points(x=tuple(x), y=tuple(y))


def from_csv(text: str) -> Points:
    """Read two columns of numbers, with or without a header line.

    Columns are parted by commas, semicolons, tabs or blanks. With a header that names x and y these two columns
    are taken, wherever they stand; otherwise there must be exactly two.

    Raises:
        InputError: names the line and the column of what is wrong.

    """
    if len(text) > MAX_CHARACTERS:
        raise InputError("The text has more than {limit:,} characters; give at most 10,000 rows.", limit=MAX_CHARACTERS)
    lines = text.translate(FULL_WIDTH).splitlines()
    start = next((number for number, line in enumerate(lines) if line.strip()), None)
    if start is None:
        raise InputError("There are no data; give at least one row with x and y.")
    for row, line in enumerate(lines, start=1):
        if DECIMAL_COMMAS.fullmatch(line):
            raise InputError("Row {row}: a comma parts the columns; write decimals with a point, such as 1.5.", row=row)
    if [line for line in lines if line.strip()] == lines[start : start + 1] and len(_cells(lines[start:])[0]) == 1:
        return from_rows(_cells(lines[start:]), first_row=start + 1)  # one cell is no header
    _check_count(sum(1 for line in lines if line.strip()) - _is_header(_cells(lines[start : start + 1])[0]))
    rows = _cells(lines[start:])
    if not _is_header(rows[0]):
        return from_rows(rows, first_row=start + 1)
    columns = _columns(rows[0], start + 1)
    picked = [[row[column] for column in columns if column < len(row)] if any(row) else [] for row in rows[1:]]
    return from_rows(picked, first_row=start + 2)


def from_file(content: bytes) -> Points:
    """Read an uploaded CSV file: UTF-8, or GB 18030 as spreadsheets in Chinese write it."""
    for encoding in ("utf-8", "gb18030"):
        try:
            return from_csv(content.decode(encoding))
        except UnicodeDecodeError:
            continue
    raise InputError("The file is no text; save the table as CSV in UTF-8.")


def from_url(text: str) -> Points:
    """Read `1,2;2,4;3,6`, the compact form that travels in a link."""
    return from_rows([row.split(",") for row in text[:MAX_CHARACTERS].split(";")])


def to_url(points: Points) -> str:
    """Write the compact form; `from_url` gives exactly the same points back."""
    return ";".join(f"{_compact(x)},{_compact(y)}" for x, y in zip(points.x, points.y, strict=True))


def _cells(lines: Sequence[str]) -> list[list[str]]:
    """Split lines at the delimiter that the first one uses."""
    delimiter = next((mark for mark in DELIMITERS if mark in lines[0].strip()), ",")
    if delimiter == " ":
        return [line.split() for line in lines]
    try:
        return [[cell.strip() for cell in row] for row in csv.reader(lines, delimiter=delimiter)]
    except csv.Error:  # a cell of more than 131,072 characters
        raise InputError("The text is no table; give one row a line, such as 1,2.") from None


def _is_header(cells: Sequence[str]) -> bool:
    """Tell whether no cell of a line is a number."""
    return not any(_is_number(cell) for cell in cells)


def _columns(header: Sequence[str], row: int) -> tuple[int, int]:
    """Find the columns of x and y in a header line."""
    names = [name.casefold() for name in header]
    if "x" in names and "y" in names:
        return names.index("x"), names.index("y")
    if len(header) < 2:
        raise InputError("Row {row} has one column only; give two, x and y.", row=row)
    if len(header) > 2:
        raise InputError("Row {row} has {count} columns; give two, x and y.", row=row, count=len(header))
    return 0, 1


def _is_number(text: str) -> bool:
    try:
        _float(text)
    except ValueError:
        return False
    return True


def _float(text: str) -> float:
    """Read a number as people write it: `float` also takes the underscores of Python's source."""
    if "_" in text:
        raise ValueError(text)
    return float(text)


def _number(text: str, row: int, column: str) -> float:
    """Read one cell."""
    if not text:
        raise InputError("Row {row}, column {column} is empty; write a number there.", row=row, column=column)
    shown = text if len(text) <= 24 else text[:24] + "…"
    try:
        value = _float(text)
    except ValueError:
        raise InputError(
            "Row {row}, column {column}: “{text}” is not a number; write one such as 2.5.",
            row=row,
            column=column,
            text=shown,
        ) from None
    return _check_value(value, shown, row, column)


def _check_value(value: float, shown: object, row: int, column: str) -> float:
    if math.isnan(value):
        raise InputError(
            "Row {row}, column {column}: “{text}” is not a number; write one such as 2.5.",
            row=row,
            column=column,
            text=shown,
        )
    if abs(value) > LIMIT:
        raise InputError(
            "Row {row}, column {column}: {text} is too large; use values from -1,000,000 to 1,000,000.",
            row=row,
            column=column,
            text=shown,
        )
    return value


def _check_count(count: int) -> None:
    if count < 1:
        raise InputError("There are no data; give at least one row with x and y.")
    if count > MAX_ROWS:
        raise InputError("There are {count:,} rows; give at most 10,000.", count=count)


def _compact(value: float) -> str:
    return str(int(value)) if value == int(value) else repr(value)


@dataclass(frozen=True, kw_only=True)
class Preset:
    """Points with a title for the pages."""

    title: str  # English, translated by the page
    points: Points


PRESETS: dict[str, Preset] = {
    "course": Preset(
        title=N_("The course's three points"),
        points=Points(x=(1.0, 2.0, 3.0), y=(2.0, 4.0, 6.0)),
    ),
    "noisy": Preset(  # y = 2x plus normal noise of standard deviation 1, rounded to one decimal
        title=N_("A noisy line"),
        points=Points(
            x=(0.5, 1.0, 1.5, 2.0, 2.5, 3.0, 3.5, 4.0, 4.5, 5.0, 5.5, 6.0),
            y=(3.0, -0.6, 3.4, 3.4, 4.5, 5.8, 5.0, 7.8, 8.1, 13.3, 11.2, 11.6),
        ),
    ),
    "outlier": Preset(  # y = 2x, except for one point that was measured wrong
        title=N_("A line with one outlier"),
        points=Points(x=(1.0, 2.0, 3.0, 4.0, 5.0, 6.0), y=(2.0, 4.0, 6.0, 8.0, 1.0, 12.0)),
    ),
}
