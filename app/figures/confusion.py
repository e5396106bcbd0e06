"""The pictures of what a network takes for what: the confusion matrix, and two networks compared.

Constant specs; the numbers of all epochs travel as lists, from which the playhead `step` takes its own
(app/figures/confusion_rows.py).
"""

from typing import Any

import altair as alt

from app.charts import parameter, source
from app.i18n import _

MATRIX_HEIGHT, BARS_HEIGHT, LINE_HEIGHT = 350, 250, 60  # px
SIDE_HEIGHT = 125  # px; of a side of a comparison, which is two rows on a phone
LABELS = 66  # px; so wide is the longest share beside its digit, so that nothing moves with the playhead
NAMED = 130  # px; the same where classes have words for names
WIDE = 620  # px; from this width on twelve images stand in a row, below eight
IN_ROW = (12, 8)  # images in a row of a wide and of a narrow gallery
MOST, SIDE = 24, 12  # images of a cell, and of each side of a comparison
_LIMITS = "data('limits')[0]"
_NAME = "length(data('classes')) > datum.value ? data('classes')[datum.value].name : ''"
_SLANTED = {"labelAngle": -35, "labelAlign": "right", "labelBaseline": "middle"}  # names that are words, side by side

Chart = Any  # what Altair's chain of methods gives


def matrix(named: bool = False) -> alt.VConcatChart:
    """Draw the matrix beside the accuracy of each class, over the images of the chosen cell.

    `named` classes have words for names, which need more room than digits.
    """
    above = alt.hconcat(_cells(named), _accuracies(named)).resolve_scale(color="independent", opacity="independent")
    images = gallery("images", alt.Chart(source("shown")).transform_filter("datum.position === step"), most=MOST)
    both: alt.VConcatChart = alt.vconcat(above, images).resolve_scale(color="independent", opacity="independent")
    return both.add_params(parameter("step"), parameter("label"), parameter("seen"))


def comparison() -> alt.VConcatChart:
    """Draw the difference for each class over the images that only one of two networks recognises."""
    sides = [
        gallery(
            side,
            alt.Chart(source("shown")).transform_filter(f"datum.position === step && datum.side === '{side}'"),
            most=SIDE,
            captioned=True,
        )
        for side in ("first", "second")
    ]
    both: alt.VConcatChart = alt.vconcat(_differences(), *sides).resolve_scale(color="independent")
    return both.add_params(parameter("step"))


def _classes(axis: type[Any], field: str, **options: Any) -> Any:  # noqa: ANN401 - a channel of Altair
    """Place something at each label from 0 to 9; downwards on the vertical axis, as matrices are written."""
    domain = [-0.5, 9.5] if axis is alt.X else [9.5, -0.5]
    shown: dict[str, Any] = {"labelExpr": _NAME, "labelOverlap": False, "labelLimit": 0} | options
    ticks = alt.Axis(values=list(range(10)), grid=False, ticks=False, domain=False, **shown)
    return axis(field, scale=alt.Scale(domain=domain, nice=False, zero=False), axis=ticks)


def _cells(named: bool) -> Chart:
    cells = alt.Chart(source("cells")).transform_calculate(count="datum.counts[step]")
    cells = cells.transform_calculate(share="datum.total ? datum.count / datum.total : 0")
    shade = f"datum.right ? 0.6 * datum.share : 0.85 * sqrt(datum.share / max({_LIMITS}.most, 1e-4))"
    edges: dict[str, Any] = {
        "x": _classes(alt.X, "x0:Q", title=_("seen as"), **(_SLANTED if named else {"labelAngle": 0})),
        "x2": "x1:Q",
        "y": _classes(alt.Y, "y0:Q", title=_("what it is")),
        "y2": "y1:Q",
    }
    blocks = cells.transform_calculate(
        x0="datum.seen - 0.5", x1="datum.seen + 0.5", y0="datum.label - 0.5", y1="datum.label + 0.5"
    )
    side = "min(range('matrix_x')[1], range('matrix_y')[0]) / 10"
    written = f"{_LIMITS}.shares ? format(100 * datum.share, '.1f') : format(datum.count, 'd')"
    layers = [
        blocks.transform_calculate(shade=shade)
        .mark_rect(stroke="@grid", strokeWidth=1)
        .encode(
            **edges,
            fill=alt.Fill("right:N", scale=alt.Scale(domain=[1, 0], range=["@accuracy", "@loss"]), legend=None),
            fillOpacity=alt.FillOpacity("shade:Q", scale=alt.Scale(domain=[0, 1], range=[0, 1]), legend=None),
            tooltip=[
                alt.Tooltip("what:N", title=_("what it is")),
                alt.Tooltip("taken:N", title=_("seen as")),
                alt.Tooltip("count:Q", title=_("images"), format=",d"),
                alt.Tooltip("share:Q", title=_("of the label's images"), format=".2%"),
            ],
        ),
        blocks.transform_filter("datum.label === label && datum.seen === seen")
        .mark_rect(filled=True, fillOpacity=0, stroke="@text", strokeWidth=2.5)
        .encode(**edges),
        cells.transform_filter("datum.count > 0")
        .mark_text(fontSize=alt.expr(f"min(0.87 * em, 0.36 * {side})"), color="@text")
        .encode(x=_classes(alt.X, "seen:Q"), y=_classes(alt.Y, "label:Q"), text="written:N"),
    ]
    layers[2] = layers[2].transform_calculate(written=written)
    return alt.layer(*layers, name="matrix").properties(width=470, height=MATRIX_HEIGHT)


def _accuracies(named: bool) -> Chart:
    ends: list[Any] = [alt.ExprRef(f"{_LIMITS}.floor"), 1]
    x = alt.X(
        "accuracy:Q",
        title=_("share recognised (dashed: of all)"),
        scale=alt.Scale(domain=ends, nice=False, zero=False),
        axis=alt.Axis(format="~%", tickCount=2),
    )
    share = "data('classes')[datum.value].accuracies[step]"
    known = f"length(data('classes')) > datum.value && isValid({share})"
    written = f"{known} ? ({_NAME}) + ':  ' + format({share}, '.1%') : {_NAME}"
    y = _classes(alt.Y, "label:Q", title=None, labelExpr=written, minExtent=NAMED if named else LABELS)
    rows = alt.Chart(source("classes")).transform_calculate(accuracy="datum.accuracies[step]")
    rows = rows.transform_filter("isValid(datum.accuracy)")
    mean = alt.Chart(source("limits")).transform_calculate(accuracy="datum.means[step]")
    layers = [
        mean.mark_rule(strokeDash=[4, 3], color="@muted").encode(x=x),
        rows.transform_calculate(start=f"{_LIMITS}.floor")
        .mark_rule(strokeWidth=2, color="@grid")
        .encode(x=x, x2="start:Q", y=y),
        rows.mark_point(filled=True, size=90, color="@accuracy").encode(x=x, y=y),
    ]
    return alt.layer(*layers, name="classes").properties(width=280, height=MATRIX_HEIGHT)


def _differences() -> Chart:
    ends = [alt.ExprRef(f"-{_LIMITS}.most"), alt.ExprRef(f"{_LIMITS}.most")]
    x = alt.X(
        "difference:Q",
        title=_("this run − the other one (% points)"),
        scale=alt.Scale(domain=ends, nice=False, zero=False),
        axis=alt.Axis(format="+~f", tickCount=7, labelExpr="datum.value === 0 ? '0' : datum.label"),
    )
    y = _classes(alt.Y, "label:Q", title=_("what it is"))
    rows = alt.Chart(source("classes")).transform_calculate(difference="100 * datum.differences[step]")
    rows = rows.transform_filter("isValid(datum.difference)").transform_calculate(better="datum.difference > 0 ? 1 : 0")
    zero = alt.Chart(source("limits")).transform_calculate(difference="0")
    layers = [
        zero.mark_rule(color="@muted").encode(x=x),
        rows.transform_calculate(start="0", y0="datum.label - 0.3", y1="datum.label + 0.3")
        .mark_rect()
        .encode(
            x=x,
            x2="start:Q",
            y=_classes(alt.Y, "y0:Q", title=_("what it is")),
            y2="y1:Q",
            color=alt.Color("better:N", scale=alt.Scale(domain=[1, 0], range=["@weight", "@loss"]), legend=None),
        ),
        rows.mark_text(
            dx={"expr": "datum.better ? 5 : -5"},
            align={"expr": "datum.better ? 'left' : 'right'"},
            color="@text",
        ).encode(x=x, y=y, text=alt.Text("difference:Q", format="+.2f")),
    ]
    return alt.layer(*layers, name="differences").properties(width=760, height=BARS_HEIGHT)


def gallery(view: str, rows: Chart, *, most: int, captioned: bool = False) -> Chart:
    """Draw at most so many test images under a line of words.

    `rows` have `rank`, `index` and, where they are captioned, `below`, the text under the image; the words are the rows
    of the source "heading" whose `view` this is.
    """
    width, height = f"range('{view}_x')[1]", f"range('{view}_y')[0]"  # px
    columns = f"({width} > {WIDE} ? {IN_ROW[0]} : {IN_ROW[1]})"
    top = "1.7 * em"  # px; below the words
    lines = f"({width} > {WIDE} ? {-(-most // IN_ROW[0])} : {-(-most // IN_ROW[1])})"
    tile, line = f"({width} / {columns})", f"(({height} - {top}) / {lines})"
    side = f"min({tile} - 3, {line} - {'1.35 * em' if captioned else '3'})"
    left, down = f"(datum.rank % {columns} + 0.5) * {tile}", f"{top} + floor(datum.rank / {columns}) * {line}"
    unit = alt.Scale(domain=[0, 1], nice=False, zero=False)
    heading = (
        alt.Chart(source("heading"))
        .transform_filter(f"datum.view === '{view}' && datum.position === step")
        .mark_text(
            align="left",
            baseline="top",
            fontSize=alt.expr("0.9 * em"),
            fontWeight=600,
            color="@text",
            limit=alt.expr(width),
        )
        .encode(x=alt.XDatum(0, scale=unit, axis=None), y=alt.YDatum(1, scale=unit, axis=None), text="text:N")
    )
    shown = rows.transform_lookup(
        "index", from_=alt.LookupData(data=source("pictures"), key="index", fields=["url"])
    ).encode(
        tooltip=[
            alt.Tooltip("index:Q", title=_("test image")),
            alt.Tooltip("what:N", title=_("label")),
            alt.Tooltip("taken:N", title=_("predicted")),
        ]
    )
    images = shown.mark_image(
        x={"expr": left},
        y={"expr": down},
        width={"expr": side},
        height={"expr": side},
        align="center",
        baseline="top",
        smooth=False,
    ).encode(url="url:N")
    below = shown.mark_text(
        x={"expr": left},
        y={"expr": f"{down} + {side} + 2"},
        baseline="top",
        color="@muted",
        fontSize=alt.expr("0.8 * em"),
    ).encode(text="below:N")
    layers = [heading, images, below] if captioned else [heading, images]
    all_rows = SIDE_HEIGHT if captioned else 30 + LINE_HEIGHT * -(-most // IN_ROW[0])
    return alt.layer(*layers, name=view).properties(width=760, height=all_rows)
