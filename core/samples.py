"""The diabetes table as the course's Dataset reads it: every column scaled to -1 … 1, the label last.

Course: "加载数据集", whose diabetes.csv has no header and holds such values.
"""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from core.datasets import diabetes
from core.errors import InputError
from core.messages import N_

FEW = 12  # samples whose numbers can be read in a picture
AMOUNTS = {"few": N_("12 rows of the table"), "all": N_("All 768 rows")}
ARRANGEMENTS = {"file": N_("As in the file"), "sorted": N_("Sorted by label")}


@dataclass(frozen=True, kw_only=True, eq=False)
class Samples:
    """Rows of the table in the order in which a Dataset numbers them; treat the arrays as read-only."""

    names: tuple[str, ...]  # of the columns of x, with their units
    raw: NDArray[np.float64]  # (n, 8), in these units
    x: NDArray[np.float64]  # (n, 8), scaled to -1 … 1 and rounded to six decimals, as the CSV has them
    y: NDArray[np.float64]  # (n,), 0 or 1
    rows: NDArray[np.int64]  # (n,), where each sample stands in the table, from 0

    def __len__(self) -> int:
        return len(self.y)

    def csv(self) -> str:
        """Write them as the course's listing reads them: no header, eight values and the label in each line."""
        lines = (
            ",".join(f"{value:g}" for value in values) + f",{label:g}"
            for values, label in zip(self.x, self.y, strict=True)
        )
        return "\n".join(lines) + "\n"


@lru_cache(maxsize=4)
def samples(amount: str = "few", arrangement: str = "file") -> Samples:
    """Read the samples: twelve that are spread evenly over the table, or all; in the file's order, or by label.

    Raises InputError for names that are not in AMOUNTS and ARRANGEMENTS, and where the table is missing or damaged.
    """
    for value, known in ((amount, AMOUNTS), (arrangement, ARRANGEMENTS)):
        if value not in known:
            raise InputError("Choose one of {known}, not {value}.", known=", ".join(known), value=value[:40])
    table = diabetes()
    count = len(table.y)
    rows = np.arange(count) if amount == "all" else np.arange(0, count, count // FEW)[:FEW]
    if arrangement == "sorted":
        rows = rows[np.argsort(table.y[rows], kind="stable")]
    return Samples(
        names=table.names, raw=table.x[rows], x=scaled(table.x)[rows], y=table.y[rows], rows=rows.astype(np.int64)
    )


def scaled(x: NDArray[np.float64]) -> NDArray[np.float64]:
    """Scale each column to -1 … 1 by its least and its largest value; (n, k) -> (n, k)."""
    low, high = x.min(axis=0), x.max(axis=0)
    scaled: NDArray[np.float64] = np.round(2 * (x - low) / (high - low) - 1, 6)
    return scaled
