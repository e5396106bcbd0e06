"""The pictures of a drawn digit: what each network sees in it, how it was made small, and what decides.

Constant specs; app/figures/digit_rows.py has the rows.
"""

from typing import Any

import altair as alt

from app.charts import parameter, source
from app.figures.comparison import ORDER, OWN
from app.figures.line import carrier
from app.figures.unit_square import BLOCK, DOWN
from app.i18n import _
from core.digits import FIELD, STEPS

ROW = 72  # px for a network
MAP_HEIGHT = 300  # px of the map of the gradient
STEP_HEIGHT = 190  # px of the small images, before their width is known
LINES = 50  # px of what stands under each
PHONE = 480  # px; below it they stand in two rows
CHARACTERS = 22  # of full height that a network's title has room for at least, beside the answer
VERDICT = 92  # px at least that are left for an answer beside the name
TITLE, FEET = 0.31, 0.27  # shares of a network's row above its bars, and below them for the digits
BAR = 0.8  # of the distance from one bar to the next
SQUARE = 0.4  # of a cell; the side of what shows the ink in it
_COLOURS = alt.Scale(domain=[*OWN, *ORDER], range=[f"@{name}" for name in (*OWN, *ORDER)])


def bars() -> Any:  # noqa: ANN401 - what Altair's methods give
    """Draw a row of ten bars for each network; the source "frame" says how many there are."""
    down = alt.Scale(domain=[0, alt.ExprRef("max(1, data('frame')[0].nets)")], reverse=True, nice=False)
    across = alt.Scale(domain=[-0.5, 9.5], nice=False, zero=False)
    foot = f"datum.net + 1 - {FEET}"
    cells = alt.Chart(source("bars")).transform_calculate(
        left=f"datum.digit - {BAR / 2}",
        right=f"datum.digit + {BAR / 2}",
        foot=foot,
        head=f"{foot} - {1 - TITLE - FEET} * datum.probability",
        middle=f"datum.net + 1 - {0.62 * FEET}",
    )
    y: dict[str, Any] = {"scale": down, "axis": None}
    x: dict[str, Any] = {"scale": across, "axis": None}
    box = {"x": alt.X("left:Q", **x), "x2": "right:Q", "y2": "foot:Q"}
    tooltip = [
        alt.Tooltip("name:N", title=_("network")),
        alt.Tooltip("digit:Q", title=_("digit")),
        alt.Tooltip("probability:Q", title=_("probability"), format=".4~g"),
    ]
    top = f"datum.net + {TITLE / 2}"
    names = alt.Chart(source("nets")).transform_calculate(top=top)
    verdicts = cells.transform_filter("datum.verdict !== ''").transform_calculate(top=top)
    font = alt.expr(f"min(0.87 * em, {_across('bars')} / {CHARACTERS})")
    title: dict[str, Any] = {"baseline": "middle", "fontSize": font}
    layers = [
        carrier(),
        cells.mark_rule(color="@grid").encode(x=alt.X("left:Q", **x), x2="right:Q", y=alt.Y("foot:Q", **y)),
        cells.mark_rect().encode(
            **box,
            y=alt.Y("head:Q", **y),
            color=alt.Color("colour:N", scale=_COLOURS, legend=None),
            opacity=alt.condition("datum.seen", alt.value(1), alt.value(0.45)),
            tooltip=tooltip,
        ),
        cells.mark_text(color="@muted", fontSize=alt.expr("0.8 * em")).encode(
            x=alt.X("digit:Q", **x), y=alt.Y("middle:Q", **y), text="digit:Q"
        ),
        names.mark_text(align="left", color="@text", limit=alt.expr(f"{_across('bars')} - {VERDICT}"), **title).encode(
            x=alt.XDatum(-0.5 + (1 - BAR) / 2, **x),
            y=alt.Y("top:Q", **y),
            text="title:N",
            tooltip=[alt.Tooltip("title:N", title=_("network")), alt.Tooltip("details:N", title=_("settings"))],
        ),
        verdicts.mark_text(align="right", color="@text", fontWeight=600, **title).encode(
            x=alt.XDatum(9.5 - (1 - BAR) / 2, **x), y=alt.Y("top:Q", **y), text="verdict:N"
        ),
    ]
    return alt.layer(*layers).properties(name="bars", width=500)


def steps() -> Any:  # noqa: ANN401 - what Altair's methods give
    """Draw the images of all steps beside each other, a frame around the one at the playhead."""
    wide = f"{_across('steps')} >= {PHONE}"
    columns, rows = f"({wide} ? {len(STEPS)} : {(len(STEPS) + 1) // 2})", f"({wide} ? 1 : 2)"
    high = f"({_down('steps')} / {rows})"
    tile = f"min({_across('steps')} / {columns}, {high} - 3.4 * em)"
    side = f"({tile} - 10)"
    left, top = f"datum.place % {columns} * {tile} + 2", f"floor(datum.place / {columns}) * {high} + 2"
    images = _placed(alt.Chart(source("images")), "steps", (left, top, side, side))
    marks = _placed(
        alt.Chart(source("marks")).transform_filter("datum.step === step"),
        "steps",
        (
            f"{left} + datum.left * {side}",
            f"{top} + datum.top * {side}",
            f"datum.wide * {side}",
            f"datum.high * {side}",
        ),
    )
    texts: dict[str, Any] = {"align": "left", "baseline": "top", "color": "@text"}
    under = images.encode(x=BLOCK["x"], y=alt.Y("y1:Q", scale=DOWN, axis=None))
    layers = [
        images.mark_rect(stroke="@grid", fill="white").encode(**BLOCK),  # paper, in the dark theme too
        images.mark_image(aspect=False, smooth=False).encode(url="url:N", **BLOCK),
        images.transform_filter("datum.place === step")
        .mark_rect(fillOpacity=0, stroke="@weight", strokeWidth=3)
        .encode(**BLOCK),
        marks.mark_rect(fillOpacity=0, stroke="@loss", strokeWidth=2.5).encode(**BLOCK),
        under.mark_text(dy=8, fontWeight=600, fontSize=alt.expr(f"min(0.87 * em, {tile} / 5.4)"), **texts).encode(
            text="name:N"
        ),
        under.mark_text(
            dy={"expr": "8 + 1.35 * em"}, fontSize=alt.expr(f"min(0.8 * em, {tile} / 6.4)"), **texts
        ).encode(text="size:N"),
    ]
    chart = alt.layer(*layers).properties(name="steps", width=760, height=STEP_HEIGHT)
    return chart.add_params(parameter("step"), _height_by_width())


def _height_by_width() -> alt.Parameter:
    """Return Vega's own signal of a plot's height, made to follow its width, so that the images fill it."""
    few = (len(STEPS) + 1) // 2
    one, two = f"width / {len(STEPS)} + {LINES}", f"2 * (width / {few} + {LINES})"
    return alt.param(name="height", expr=f"width < {PHONE} ? {two} : {one}")


def saliency() -> Any:  # noqa: ANN401 - what Altair's methods give
    """Draw the gradient as coloured cells, and the ink as squares on them."""
    cell = f"(min({_across('saliency')}, {_down('saliency')}) / {FIELD})"
    whole = _placed(alt.Chart(source("cells")), "saliency", (f"datum.col * {cell}", f"datum.row * {cell}", cell, cell))
    small = _placed(
        alt.Chart(source("cells")).transform_filter("datum.ink > 0.1"),
        "saliency",
        (
            f"(datum.col + {(1 - SQUARE) / 2}) * {cell}",
            f"(datum.row + {(1 - SQUARE) / 2}) * {cell}",
            f"{SQUARE} * {cell}",
            f"{SQUARE} * {cell}",
        ),
    )
    edge = f"{FIELD} * {cell}"
    tooltip = [
        alt.Tooltip("row:Q", title=_("row")),
        alt.Tooltip("col:Q", title=_("column")),
        alt.Tooltip("ink:Q", title=_("ink"), format=".2f"),
        alt.Tooltip("gradient:Q", title=_("gradient of the score"), format=".3~g"),
    ]
    shade = alt.Scale(domain=[0, 1], range=[0, 1])
    sign = alt.Scale(domain=["-", "+"], range=["@residual", "@weight"])
    layers = [
        _placed(alt.Chart(source("frame")), "saliency", ("0", "0", edge, edge))
        .mark_rect(fillOpacity=0, stroke="@grid")
        .encode(**BLOCK),
        whole.mark_rect().encode(
            fill=alt.Fill("sign:N", scale=sign, legend=None),
            fillOpacity=alt.FillOpacity("shade:Q", scale=shade, legend=None),
            tooltip=tooltip,
            **BLOCK,
        ),
        small.mark_rect(fill="@text").encode(
            fillOpacity=alt.FillOpacity("ink:Q", scale=shade, legend=None), tooltip=tooltip, **BLOCK
        ),
    ]
    return alt.layer(*layers).properties(name="saliency", width=300, height=MAP_HEIGHT)


def _across(view: str) -> str:
    return f"range('{view}_x')[1]"  # px


def _down(view: str) -> str:
    return f"range('{view}_y')[0]"  # px


def _placed(chart: Any, view: str, box: tuple[str, str, str, str]) -> Any:  # noqa: ANN401 - Altair's own
    """Compute the edges of blocks from expressions of left, top, width and height in px."""
    left, top, wide, high = box
    return chart.transform_calculate(
        x0=f"({left}) / {_across(view)}",
        x1=f"({left} + {wide}) / {_across(view)}",
        y0=f"({top}) / {_down(view)}",
        y1=f"({top} + {high}) / {_down(view)}",
    )
