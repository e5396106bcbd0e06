"""The net as a chain of boxes with the shape on every arrow, and what the box at the playhead does to its input.

The chart is the same for all nets: boxes, lines and the numbers of each step travel as data. The player's step walks
through the operations; pointing at a box shows that one instead. A net that is longer than the picture is high scrolls
along with the step, and a strip at the right edge shows all of it.
"""

from typing import Any

import altair as alt

from app.charts import parameter, source
from app.figures.convolution import pointed, pointer
from app.figures.line import View, carrier
from app.figures.shapes_layout import BOX
from app.figures.unit_square import BLOCK, CORNER, DOWN, MIDDLE
from app.figures.written import live

HEIGHT = 400  # px
OVERVIEW = 18  # px; the strip that shows all of a long net
MARGIN = 6  # px on each side of a box
LETTER = "0.44 * em"  # px; the width of a letter on average
TITLE = "1.6 * em"  # px above each square
NARROW = "(width < 460)"  # the squares stand below the chain

FRAME = "data('frame')[0]"
NOW = "data('steps')[at]"
SCROLLS = f"({FRAME}.rows > seen + 0.01)"
WIDEST = "20 * em"  # of a box

_KINDS = {"learned": "weight", "plain": "muted", "input": "data", "error": "loss", "unknown": "grid"}
_COLOURS = alt.Scale(domain=list(_KINDS), range=[f"@{name}" for name in _KINDS.values()])


def detective() -> View:
    """Build the picture."""
    row = "data('steps')[step].row"
    side = f"{NARROW} ? min((width - 20) / 2, 120) : min(0.36 * width, height / 2 - {TITLE} - 6, 260)"
    numbers = alt.Chart(source("steps")).mark_point(size=0, opacity=0)  # brings the numbers that the others read
    layers = [carrier(), numbers, *_chain(), *_overview(), *_squares()]
    chart: View = (
        alt.layer(*layers, name="chain")
        .properties(width=560, height=HEIGHT)
        .add_params(
            parameter("step"),
            parameter("marked"),  # the layer that is to be changed, counted from 1; 0 for none
            alt.param(name="side", expr=side),
            alt.param(name="chain_wide", expr=f"{NARROW} ? width : width - side - 24"),
            alt.param(name="chain_high", expr=f"{NARROW} ? height - side - {TITLE} - 12 : height"),
            alt.param(name="pitch", expr=f"min(3.6 * em, max(2.7 * em, chain_high / {FRAME}.rows))"),
            alt.param(name="seen", expr="chain_high / pitch"),
            alt.param(
                name="top",
                expr=f"length(data('steps')) ? clamp({row} + 0.5 - seen / 2, 0, max(0, {FRAME}.rows - seen)) : 0",
            ),
            alt.param(name="room", expr=f"chain_wide - ({SCROLLS} ? {OVERVIEW} : 0)"),
            # no wider than the boxes need, so that a shortcut stays near what it passes
            alt.param(name="used", expr=f"min(room, ({WIDEST} + {2 * MARGIN}) / {FRAME}.narrowest)"),
            alt.param(name="over_box", expr=pointed("over", 0, "-1")),
            alt.param(name="at", expr="over_box >= 0 && over_box < length(data('steps')) ? over_box : step"),
        )
    )
    return chart


def _down(row: str) -> str:
    """Return the expression of the place of a row in the picture, from 0 to 1, inside the chain's part of it."""
    return f"clamp((({row}) - top) * pitch, 0, chain_high) / height"


def _fitting(room: str, *labels: str) -> str:
    """Return the expression of the first label that fits into so many px, the last one where none does."""
    *others, last = labels
    return "".join(f"length(datum.{one}) * {LETTER} < {room} ? datum.{one} : " for one in others) + f"datum.{last}"


def _px(middle: str) -> str:
    """Return the expression of the px of a part of the width that the chain uses."""
    return f"((room - used) / 2 + ({middle}) * used)"


def _across(middle: str) -> str:
    return f"{_px(middle)} / width"


def _seen(chart: alt.Chart) -> Any:  # noqa: ANN401 - what Altair's methods give
    """Keep the rows that the picture shows as a whole."""
    return chart.transform_filter(f"datum.row > top - 0.2 && datum.row + {BOX} < top + seen + 0.2")


def _chain() -> list[Any]:
    """Draw lines, boxes and shapes."""
    half = f"min(datum.wide * used / 2 - {MARGIN}, {WIDEST} / 2)"
    boxes = (
        _seen(alt.Chart(source("boxes")))
        .transform_calculate(
            left=f"datum.joins ? {_px('datum.first')} - 1.2 * em : {_px('datum.middle')} - {half}",
            right=f"datum.joins ? {_px('datum.last')} + 1.2 * em : {_px('datum.middle')} + {half}",
        )
        .transform_calculate(
            x0="datum.left / width",
            x1="datum.right / width",
            xm="(datum.left + datum.right) / 2 / width",
            y0=_down("datum.row"),
            y1=_down(f"datum.row + {BOX}"),
            ym=_down(f"datum.row + {BOX / 2}"),
            y2=_down("datum.row - 0.08"),
            y3=_down(f"datum.row + {BOX + 0.08}"),
            room="datum.right - datum.left - 6",
            label=_fitting("datum.right - datum.left - 6", "long", "brief", "short", "tiny"),
        )
    )
    lines = (
        alt.Chart(source("lines"))
        .transform_filter("datum.r1 > top && datum.r0 < top + seen")
        .transform_calculate(x0=_across("datum.c0"), x1=_across("datum.c1"), y0=_down("datum.r0"), y1=_down("datum.r1"))
    )
    heads = lines.transform_filter("datum.head && datum.r1 < top + seen + 0.1").transform_calculate(
        xm="datum.x1", ym="datum.y1"
    )
    texts = (
        _seen(alt.Chart(source("shapes")))
        .transform_filter(f"datum.row + {BOX} + 0.3 < top + seen")
        .transform_calculate(
            ym=_down(f"datum.row + {BOX} + {(1 - BOX) / 2}"),
            room="datum.wide * used - 2",
            label=_fitting("datum.wide * used - 2", "long", "short"),
        )
        .transform_calculate(text=f"{LETTER} * length(datum.label)")
        .transform_calculate(  # beside the arrow where there is room, else on it
            aside="2 * datum.text + 20 < datum.room ? datum.text / 2 + 8 : 0"
        )
        .transform_calculate(xm=f"({_px('datum.middle')} + datum.aside) / width")
    )
    grounds = texts.transform_calculate(
        x0="datum.xm - datum.text / 2 / width",
        x1="datum.xm + datum.text / 2 / width",
        y0="datum.ym - 0.5 * em / height",
        y1="datum.ym + 0.5 * em / height",
    )
    fill = alt.Fill("kind:N", scale=_COLOURS, legend=None)
    stroke = alt.Stroke("kind:N", scale=_COLOURS, legend=None)
    small = alt.expr(f"clamp(0.8 * em * datum.room / ({LETTER} * length(datum.label)), 0.6 * em, 0.8 * em)")
    here = boxes.transform_filter("datum.index === at")
    marked = boxes.transform_filter("marked > 0 && datum.index + 1 === marked")
    return [
        lines.mark_rule(color="@muted", strokeWidth=1.3).encode(**BLOCK),
        heads.mark_point(shape="triangle-down", size=34, filled=True, color="@muted", yOffset=-4, opacity=1).encode(
            **MIDDLE
        ),
        boxes.mark_rect(cornerRadius=3, strokeWidth=1.2, fillOpacity=0.1)
        .encode(**BLOCK, fill=fill, stroke=stroke)
        .add_params(pointer("over", "index")),
        here.mark_rect(cornerRadius=3, strokeWidth=3, fillOpacity=0.16).encode(**BLOCK, fill=fill, stroke=stroke),
        marked.mark_rect(filled=False, stroke="@text", strokeWidth=2, strokeDash=[5, 3], cornerRadius=3).encode(
            **{**BLOCK, "y": alt.Y("y2:Q", scale=DOWN, axis=None), "y2": "y3:Q"}
        ),
        boxes.mark_text(fontSize=small, limit=alt.expr("max(8, datum.room + 4)")).encode(
            **MIDDLE,
            text="label:N",
            color=alt.condition("datum.kind === 'unknown'", alt.value("@muted"), alt.value("@text")),
        ),
        grounds.mark_rect(fill="@background").encode(**BLOCK),
        texts.mark_text(color="@text", fontSize=small).encode(**MIDDLE, text="label:N"),
    ]


def _overview() -> list[Any]:
    """Draw all of a long net as a strip, with a frame around what the picture shows."""
    place = {"x0": "(chain_wide - 11) / width", "x1": "(chain_wide - 2) / width"}
    boxes = (
        alt.Chart(source("boxes"))
        .transform_filter(SCROLLS)
        .transform_calculate(
            **place,
            y0=f"datum.row / {FRAME}.rows * chain_high / height",
            y1=f"(datum.row + {BOX}) / {FRAME}.rows * chain_high / height",
        )
    )
    window = (
        alt.Chart(source("frame"))
        .transform_filter(SCROLLS)
        .transform_calculate(
            x0="(chain_wide - 14) / width",
            x1="(chain_wide + 1) / width",
            y0=f"top / {FRAME}.rows * chain_high / height",
            y1=f"min(1, (top + seen) / {FRAME}.rows) * chain_high / height",
        )
    )
    here = boxes.transform_filter("datum.index === at")
    fill = alt.Fill("kind:N", scale=_COLOURS, legend=None)
    return [
        boxes.mark_rect(opacity=0.4).encode(**BLOCK, fill=fill),
        here.mark_rect().encode(**BLOCK, fill=fill),
        window.mark_rect(filled=False, stroke="@text", strokeWidth=1.2).encode(**BLOCK),
    ]


def _squares() -> list[Any]:
    """Draw the input with the receptive field, and the layer's own input with its window."""
    left = f"({NARROW} ? datum.half * (width / 2 + 4) : width - side)"
    upper = f"(({NARROW} ? chain_high + 12 : datum.half * height / 2) + {TITLE})"

    def placed(chart: Any, x: str, y: str) -> Any:  # noqa: ANN401 - what Altair's methods give
        return chart.transform_calculate(
            **{f"x{end}": f"({left} + ({value}) * side) / width" for end, value in enumerate(x.split(";"))},
            **{f"y{end}": f"({upper} + ({value}) * side) / height" for end, value in enumerate(y.split(";"))},
        )

    ticks = (
        alt.Chart(source("ticks"))
        .transform_calculate(
            unit=f"{NOW}['unit' + datum.half]",
            x=f"{NOW}['x' + datum.half]",
            y=f"{NOW}['y' + datum.half]",
            w=f"{NOW}['grid' + datum.half + 'w']",
            h=f"{NOW}['grid' + datum.half + 'h']",
        )
        .transform_filter("isFinite(datum.w) && datum.tick <= (datum.across ? datum.w : datum.h)")
    )
    grid = placed(
        ticks,
        "(datum.x + (datum.across ? datum.tick : 0)) * datum.unit;"
        "(datum.x + (datum.across ? datum.tick : datum.w)) * datum.unit",
        "(datum.y + (datum.across ? 0 : datum.tick)) * datum.unit;"
        "(datum.y + (datum.across ? datum.h : datum.tick)) * datum.unit",
    )
    parts = (
        alt.Chart(source("parts"))
        .transform_calculate(**{end: f"{NOW}[datum.part + '_{end}']" for end in "lrtb"})
        .transform_filter("isFinite(datum.l)")
    )
    beside = "(width / 2 - 10) / (0.52 * max(1, length(datum.text)))"  # two titles side by side
    size = f"{NARROW} ? min(0.8 * em, {beside}) : 0.8 * em"
    titles = alt.Chart(source("titles")).transform_calculate(text=f"{NOW}['title' + datum.half]")
    return [
        grid.mark_rule(color="@grid", strokeWidth=1).encode(**BLOCK),
        placed(parts, "datum.l;datum.r", "datum.t;datum.b")
        .mark_rect(strokeWidth=1.6)
        .encode(
            **BLOCK,
            fill=alt.Fill("kind:N", scale=_COLOURS, legend=None),
            stroke=alt.Stroke("kind:N", scale=_COLOURS, legend=None),
            fillOpacity=alt.FillOpacity("shade:Q", scale=alt.Scale(domain=[0, 1], range=[0, 1]), legend=None),
        ),
        placed(titles.transform_filter("datum.text"), "0", "0")
        .mark_text(align="left", baseline="bottom", dy=-5, color="@text", fontSize=alt.expr(size))
        .encode(**CORNER, text="text:N"),
    ]


PRESSED = "over_box >= 0 ? over_box + 1 : marked"  # what pressing in the drawing sets `marked` to


def calculation() -> str:
    """Write the place of the step's formulas and numbers, which the browser fills in."""
    lines = f"<div style='white-space:pre-line;min-height:3.1em;font-size:.92em'>{live(f'{NOW}.lines')}</div>"
    return f"<div style='font-size:.92em'><b>{live(f'{NOW}.title')}</b></div>{lines}"
