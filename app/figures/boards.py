"""Matrices side by side, and what changes among them from step to step: the pictures of channels, pooling and stamps.

A `Board` collects matrices, outlines and texts in units of a cell, for a left and a right half; `boards` draws them
beside each other, on a phone too. The chart is the same for all of them, and its cells are square on every screen.
"""

from dataclasses import dataclass, field
from typing import Any

import altair as alt
import numpy as np
import pandas as pd

from app.charts import parameter, source
from app.figures.convolution import LARGEST, Panel
from app.figures.convolution_data import READABLE, number
from app.figures.line import Data, carrier
from app.figures.unit_square import BLOCK, DOWN, MIDDLE
from core.convolution import Cell
from core.padding import Array

ALWAYS = -1  # the step of what does not change
VIEWS = ("left", "right")
HEIGHT = 310  # px; with the sentence and the timeline it fits below a section's inputs
BETWEEN = 1.5  # cells from the left half to the right one
TEXT = "min(0.93 * em, max(0.75 * em, 0.55 * cell))"  # px; the names stand closer where the cells are small
QUANTITIES = ("data", "weight", "bias", "prediction", "residual", "loss", "momentum", "muted", "grid")
_FRAME = "data('frame')[0]"
_COLOURS = alt.Scale(domain=list(QUANTITIES), range=[f"@{name}" for name in QUANTITIES])
_NOW = f"datum.step === {ALWAYS} || datum.step === step"


def boards() -> Any:  # noqa: ANN401 - what Altair's methods give
    """Build the picture of a board."""
    cell = f"min({LARGEST}, range('board_x')[1] / {_FRAME}.cols, range('board_y')[0] / {_FRAME}.rows)"
    panel = Panel("board", cell="cell", top="0")
    cells = panel.cells(alt.Chart(source("cells")).transform_filter(_NOW))
    size = alt.expr("min(0.85 * em, 0.42 * cell, 1.5 * cell / max(1, length(datum.number)))")
    marks = alt.Chart(source("marks")).transform_filter(_NOW)
    marks = panel.placed(marks, "datum.row", "datum.col", high="datum.high", wide="datum.wide")
    texts = panel.cells(alt.Chart(source("texts")).transform_filter(_NOW))
    shade = alt.Scale(domain=[0, 1], range=[0, 1])
    layers = [
        cells.mark_rect(stroke="@grid", strokeWidth=1).encode(
            **BLOCK,
            fill=alt.Fill("quantity:N", scale=_COLOURS, legend=None),
            fillOpacity=alt.FillOpacity("shade:Q", scale=shade, legend=None),
        ),
        marks.mark_rect(strokeWidth=2.5, strokeJoin="round").encode(
            **BLOCK,
            stroke=alt.Stroke("quantity:N", scale=_COLOURS, legend=None),
            fill=alt.Fill("quantity:N", scale=_COLOURS, legend=None),
            fillOpacity=alt.FillOpacity("shade:Q", scale=shade, legend=None),
        ),
        cells.transform_filter("datum.number != '' && cell >= 15")
        .mark_text(color="@text", fontSize=size)
        .encode(**MIDDLE, text="number:N"),
        texts.mark_text(align="left", baseline="bottom", dy=-4, color="@text", fontSize=alt.expr(TEXT)).encode(
            x=BLOCK["x"], y=alt.Y("y1:Q", scale=DOWN, axis=None), text="text:N"
        ),
    ]
    chart = alt.layer(carrier(), *layers, name="board")
    chart = chart.properties(width=900, height=HEIGHT)
    return chart.add_params(parameter("step"), alt.param(name="cell", expr=cell))


@dataclass
class Board:
    """What is drawn, row by row; rows and columns are counted in cells from the upper left corner of each half."""

    cells: list[dict[str, object]] = field(default_factory=list)
    marks: list[dict[str, object]] = field(default_factory=list)
    texts: list[dict[str, object]] = field(default_factory=list)
    sizes: dict[str, float] = field(
        default_factory=lambda: {f"{v}_{axis}": 1.0 for v in VIEWS for axis in ("rows", "cols")}
    )

    def matrix(
        self,
        view: str,
        values: Array,
        quantity: str,
        *,
        row: float = 1,
        col: float = 0,
        name: str = "",
        largest: float | None = None,
        step: int = ALWAYS,
    ) -> None:
        """Draw a matrix (H, W) with its name above it; what is no number is left blank."""
        high, wide = values.shape
        legible = max(high, wide) <= READABLE
        finite = values[np.isfinite(values)]
        largest = largest or float(np.abs(finite).max(initial=0.0)) or 1.0
        for (r, c), value in np.ndenumerate(values):
            blank = not np.isfinite(value)
            shade = 0.0 if blank else (0.45 if legible else 1.0) * abs(value) / largest
            cell: dict[str, object] = {"view": view, "row": row + r, "col": col + c, "step": step, "shade": shade}
            cell["number"] = number(value) if legible and not blank else ""
            self.cells.append(cell | {"quantity": "residual" if value < 0 else quantity})
        if name:
            self.text(view, name, row=row - 1, col=col, step=step)
        self._reach(view, row + high, col + wide)

    def outline(
        self,
        view: str,
        quantity: str,
        *,
        row: float,
        col: float,
        size: Cell = (1, 1),
        step: int = ALWAYS,
        shade: float = 0.0,
    ) -> None:
        """Draw a frame around a block of cells."""
        mark: dict[str, object] = {"view": view, "row": row, "col": col, "high": size[0], "wide": size[1]}
        self.marks.append(mark | {"quantity": quantity, "step": step, "shade": shade})
        self._reach(view, row + size[0], col + size[1])

    def text(self, view: str, text: str, *, row: float, col: float, step: int = ALWAYS) -> None:
        """Write a text that stands on the lower edge of a row."""
        self.texts.append({"view": view, "row": row, "col": col, "text": text, "step": step})
        self._reach(view, row + 1, col)

    def drawn(self, captions: list[str], *, cell: int = LARGEST, most: int = HEIGHT) -> "Drawn":
        """Return what the player needs: a sentence for each step, and px for cells of `cell` px, or `most` in all."""
        rows = max(self.sizes[f"{view}_rows"] for view in VIEWS)
        return Drawn(data=self.data(), captions=captions, height=min(most, int(np.ceil(cell * rows))))

    def data(self) -> Data:
        """Return what `boards` draws."""
        start = {"left": 0.0, "right": self.sizes["left_cols"] + BETWEEN}
        rows = max(self.sizes[f"{view}_rows"] for view in VIEWS)
        frame = {"rows": rows, "cols": start["right"] + self.sizes["right_cols"]}
        empty: dict[str, list[object]] = {name: [] for name in ("view", "row", "col", "high", "wide", "step")}
        return {
            "cells": _placed(pd.DataFrame(self.cells), start),
            "marks": _placed(pd.DataFrame(self.marks or empty), start),
            "texts": _placed(pd.DataFrame(self.texts), start),
            "frame": pd.DataFrame([frame]),
        }

    def _reach(self, view: str, rows: float, cols: float) -> None:
        sizes = self.sizes
        sizes[f"{view}_rows"] = max(sizes[f"{view}_rows"], rows + 0.1)
        sizes[f"{view}_cols"] = max(sizes[f"{view}_cols"], cols + 0.1)


@dataclass(frozen=True, kw_only=True)
class Drawn:
    """A finished board."""

    data: Data
    captions: list[str]  # one per step
    height: int  # px


def _placed(rows: pd.DataFrame, start: dict[str, float]) -> pd.DataFrame:
    """Put each half where it starts on the common ground."""
    return rows.assign(col=rows["col"].astype(float) + rows["view"].map(start).astype(float))
