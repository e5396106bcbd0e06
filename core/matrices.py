"""Matrices for the page on convolution: the course's examples, digits, kernels with a name, and typed ones."""

import re
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from core.convolution import MAX_KERNEL
from core.errors import InputError
from core.messages import N_
from core.padding import Array

MAX_TYPED = 28  # cells along an axis of a typed input
LIMIT = 1e4  # largest absolute value of a cell
MAX_CHARACTERS = 5_000  # of a typed matrix: 28 rows of 28 numbers of five characters; what is longer fits no link
_FULL_WIDTH = str.maketrans({"，": ",", "；": ";", "　": " ", "−": "-", "\ufeff": None})
_ROW_END = re.compile(r"[;\n]|\]\s*,?\s*(?=\[)")
_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d{1,3})?", re.IGNORECASE)

Rows = tuple[tuple[float, ...], ...]


@dataclass(frozen=True, kw_only=True)
class Matrix:
    """Rows of equally many finite numbers, as typed or preset."""

    rows: Rows  # 1 to 28 rows of 1 to 28 numbers, from -10,000 to 10,000

    @property
    def array(self) -> Array:
        """Return the numbers, (H, W)."""
        return np.array(self.rows, dtype=np.float64)

    @property
    def size(self) -> tuple[int, int]:
        """Return (H, W)."""
        return len(self.rows), len(self.rows[0])


@dataclass(frozen=True, kw_only=True)
class Named:
    """A matrix with a title for the pages."""

    title: str  # English, translated by the page
    matrix: Matrix


def parse(text: str, *, most: int = MAX_TYPED) -> Matrix:
    """Read a matrix: a row a line (or parted by semicolons), numbers parted by blanks or commas; or nested lists.

    Raises:
        InputError: names the row and the column of the first thing that is no number, and what would be right.
    """
    check_length(text, most)
    lines = [line.strip(" ,[]()\t") for line in _ROW_END.split(text.translate(_FULL_WIDTH))]
    rows = [re.split(r"[\s,]+", line) for line in lines if line]
    if not rows:
        raise InputError("There is no matrix; write its rows parted by semicolons, such as 1 2; 3 4.")
    if max(len(rows), *map(len, rows)) > most:
        raise InputError(
            "The matrix has {rows} rows and up to {columns} columns; give at most {most} of each.",
            rows=len(rows),
            columns=max(map(len, rows)),
            most=most,
        )
    for number, row in enumerate(rows, start=1):
        if len(row) != len(rows[0]):
            raise InputError(
                "Row {row} is {count} long and row 1 is {first} long; give each row as many numbers.",
                row=number,
                count=len(row),
                first=len(rows[0]),
            )
    cells = enumerate(rows, start=1)
    return Matrix(rows=tuple(tuple(_number(cell, r, c) for c, cell in enumerate(row, start=1)) for r, row in cells))


def parse_kernel(text: str) -> Matrix:
    """Read a kernel: a matrix of at most 11 rows and columns."""
    return parse(text, most=MAX_KERNEL)


def parse_sequence(text: str, *, most: int = MAX_TYPED) -> Matrix:
    """Read a sequence as a matrix of one row; raises InputError where it is none, or longer than `most`."""
    check_length(text, most)
    lines = [line for line in _ROW_END.split(text.translate(_FULL_WIDTH)) if line.strip(" ,[]()\t")]
    if not lines:
        raise InputError("There is no number; write some parted by blanks, such as 1 0 -1.")
    if len(lines) > 1:
        raise InputError("A sequence is one row of numbers; this has {rows} rows.", rows=len(lines))
    count = len(re.split(r"[\s,]+", lines[0].strip(" ,[]()\t")))
    if count > most:
        raise InputError("The sequence has {count} numbers; give at most {most}.", count=count, most=most)
    return parse(text, most=most)


def check_length(text: str, most: int = MAX_TYPED) -> None:
    """Raise InputError where a text is longer than any matrix of `most` rows and columns needs."""
    if len(text) > MAX_CHARACTERS:
        raise InputError(
            "The text has {count:,} characters, more than {limit:,}; give at most {most} rows of {most} numbers.",
            count=len(text),
            limit=MAX_CHARACTERS,
            most=most,
        )


def written(matrix: Matrix) -> str:
    """Write a matrix in the compact form that travels in a link; `parse` gives exactly the same numbers back."""
    return ";".join(",".join(_compact(value) for value in row) for row in matrix.rows)


def _number(text: str, row: int, column: int) -> float:
    shown = text if len(text) <= 24 else text[:24] + "…"
    if len(text) > 32 or not _NUMBER.fullmatch(text):
        raise InputError(
            "Row {row}, column {column}: “{text}” is not a number; write one such as 2.5.",
            row=row,
            column=str(column),
            text=shown,
        )
    value = float(text)
    if abs(value) > LIMIT:
        raise InputError(
            "Row {row}, column {column}: {text} is too large; use values from -10,000 to 10,000.",
            row=row,
            column=str(column),
            text=shown,
        )
    return value


def _compact(value: float) -> str:
    return str(int(value)) if value == int(value) else repr(value)


def _named(title: str, text: str, divisor: float = 1.0) -> Named:
    rows = parse(text).rows
    return Named(title=title, matrix=Matrix(rows=tuple(tuple(value / divisor for value in row) for row in rows)))


# The examples of the course's lecture: a 5 × 5 input for the convolution, its upper left part for the pooling.
INPUTS: dict[str, Named] = {
    "course": _named(N_("Course 5×5"), "3 4 6 5 7; 2 4 6 8 2; 1 6 7 8 4; 9 7 4 6 2; 3 7 5 4 1"),
    "pooling": _named(N_("Course 4×4"), "3 4 6 5; 2 4 6 8; 1 6 7 8; 9 7 4 6"),
}

KERNELS: dict[str, Named] = {
    "course": _named(N_("1 … 9"), "1 2 3; 4 5 6; 7 8 9"),
    "identity": _named(N_("identity"), "0 0 0; 0 1 0; 0 0 0"),
    "edge": _named(N_("edge"), "1 0 -1; 2 0 -2; 1 0 -1"),
    "blur": _named(N_("blur"), "1 2 1; 2 4 2; 1 2 1", 16),
    "sharpen": _named(N_("sharpen"), "0 -1 0; -1 5 -1; 0 -1 0"),
}


@lru_cache(maxsize=64)
def digit(index: int) -> Matrix:
    """Return an image of MNIST's test set, 0 (paper) to 1 (ink) with three decimals, (28, 28).

    Raises InputError where there is no such image or the data files are missing.
    """
    from core.datasets import mnist_array

    images = mnist_array("test_images")
    if not 0 <= index < len(images):
        raise InputError("The image must be from 0 to {most:,}, not {value}.", most=len(images) - 1, value=index)
    return from_ink(images[index] / 255)


def from_ink(ink: Array) -> Matrix:
    """Return an image (H, W), 0 (paper) to 1 (ink), with three decimals, as many as a byte of it needs."""
    return Matrix(rows=tuple(tuple(row) for row in np.round(ink, 3).tolist()))
