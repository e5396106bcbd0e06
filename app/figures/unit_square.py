"""Places as shares of a picture's size, across and down: for pictures that reckon in pixels where their marks stand."""

from typing import Any

import altair as alt

ACROSS = alt.Scale(domain=[0, 1], nice=False, zero=False)
DOWN = alt.Scale(domain=[1, 0], nice=False, zero=False)
BLOCK: dict[str, Any] = {
    "x": alt.X("x0:Q", scale=ACROSS, axis=None),
    "x2": "x1:Q",
    "y": alt.Y("y0:Q", scale=DOWN, axis=None),
    "y2": "y1:Q",
}
MIDDLE: dict[str, Any] = {"x": alt.X("xm:Q", scale=ACROSS, axis=None), "y": alt.Y("ym:Q", scale=DOWN, axis=None)}
CORNER: dict[str, Any] = {"x": alt.X("x0:Q", scale=ACROSS, axis=None), "y": alt.Y("y0:Q", scale=DOWN, axis=None)}
