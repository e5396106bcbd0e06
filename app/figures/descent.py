"""Gradient descent on one loss curve: all methods at once, the samples that pull, and the loss on any clock.

The spec depends on which methods are shown; everything else travels as data (app/figures/descent_data.py). A row of
"walk" is where a method stands at a step, a row of "follow" the last update of the method that is followed.
"""

from collections.abc import Callable, Mapping
from typing import Any

import altair as alt

from app.charts import parameter, source
from app.figures.descent_clock import CLOCKS
from app.figures.descent_runs import COLOURS, IS_DASHED, title
from app.figures.line import LABEL, View, carrier
from app.i18n import N_, _

Look = dict[str, Any]  # keyword arguments for Altair

TOP, BOTTOM = 210, 132  # px; heights of the curve and of the paths beneath it
LEFT, RIGHT = 430, 370  # px; widths, relative to each other
EXTENT = 46  # px; of the y axes of a column, so that its plots stand exactly under each other
LINE = 19  # px; of the table
AROUND = 3  # rows of the table before the present one, and after it
NOW = "(length(data('follow')) > step ? data('follow')[step] : {})"
DRAWN = "max(datum.cost, data('frame')[0].cost0)"  # on a logarithmic axis: a loss of 0 lies at its lower end
POWERS = "datum.value >= 1e4 || datum.value < 0.01 ? format(datum.value, '.0e') : format(datum.value, '~g')"
MARKS = alt.ExprRef("length(data('frame')) ? data('frame')[0].ticks : [1]")  # of the logarithmic axis
COLUMN: Look = {"minExtent": EXTENT, "maxExtent": EXTENT, "tickCount": 5}
TABLE = (  # field, right end as a part of the width, colour, title
    ("update", 0.11, "@text", N_("update")),
    ("samples", 0.4, "@residual", N_("samples")),
    ("gradient", 0.6, "@gradient", N_("gradient")),
    ("w", 0.8, "@weight", N_("w")),
    ("cost", 1.0, "@loss", N_("loss")),
)


def race(shown: tuple[str, ...], clock: str, batch_size: int) -> alt.HConcatChart:
    """Build the first picture: left the loss over w with the paths beneath it, right the loss on the clock."""
    look = colours(shown, batch_size)
    left = alt.vconcat(_curve(shown), _paths(shown, clock, look), spacing=6)
    right = alt.vconcat(losses(shown, clock, look, height=TOP), _table(), spacing=6)
    chart: alt.HConcatChart = alt.hconcat(left, right, spacing=24)
    return chart.add_params(parameter("step"), parameter("w", 1.0))


def _by_racer(shown: tuple[str, ...], looks: Mapping[str, str]) -> str:
    """Return the expression that gives each method its own look."""
    return " : ".join(f"datum.racer == '{racer}' ? '{looks[racer]}'" for racer in shown) + " : ''"


def colours(shown: tuple[str, ...], batch_size: int) -> Look:
    """Give the line of each method its colour, dashed where it is shuffled, and a legend above all plots."""
    names = _by_racer(shown, {racer: title(racer, batch_size) for racer in shown}).replace("datum.racer", "datum.label")
    legend = alt.Legend(
        orient="top",
        columns=alt.ExprRef(f"windowSize()[0] < 450 ? 1 : windowSize()[0] < 700 ? 2 : {len(shown)}"),
        symbolType="stroke",
        symbolStrokeWidth=2.5,
        symbolSize=400,
        symbolOpacity=1,
        columnPadding=alt.ExprRef("windowSize()[0] < 700 ? 2 : 16"),
        labelLimit=0,
        labelExpr=names,
        offset=4,
    )
    tokens = [COLOURS[racer] for racer in shown]
    dashes = [[5, 3] if IS_DASHED[racer] else [1, 0] for racer in shown]
    return {
        "color": alt.Color("racer:N", title=None, legend=legend, scale=alt.Scale(domain=list(shown), range=tokens)),
        "strokeDash": alt.StrokeDash(
            "racer:N", title=None, legend=legend, scale=alt.Scale(domain=list(shown), range=dashes)
        ),
    }


def dots(shown: tuple[str, ...], x: Any, y: Any) -> list[alt.Chart]:  # noqa: ANN401 - Altair's channels
    """Draw where the methods stand now: filled in order, hollow where shuffled; the followed one last and larger."""
    here = alt.Chart(source("walk")).transform_filter("datum.step == step").transform_calculate(drawn=DRAWN)
    inner = _by_racer(shown, {racer: "@background" if IS_DASHED[racer] else COLOURS[racer] for racer in shown})
    rim = _by_racer(shown, {racer: COLOURS[racer] if IS_DASHED[racer] else "@background" for racer in shown})
    look: Look = {"clip": True, "filled": True, "opacity": 1, "fill": alt.ExprRef(inner), "stroke": alt.ExprRef(rim)}
    return [
        here.transform_filter(f"datum.followed == {followed}")
        .mark_point(size=size, strokeWidth=width, **look)
        .encode(x=x, y=y)
        for followed, size, width in ((0, 60, 2), (1, 140, 3))
    ]


def channel(
    kind: type[alt.X] | type[alt.Y],
    ends: str,
    title: str,
    *,
    field: str = "",
    scale: Look | None = None,
    **guide: object,
) -> Any:  # noqa: ANN401 - X or Y
    """Return an axis that reaches from `ends`0 to `ends`1 of the frame; `guide` and `scale` are more of Altair's."""
    domain = [alt.ExprRef(f"length(data('frame')) ? data('frame')[0].{ends}{end} : {end + 1}") for end in (0, 1)]
    look: Look = {"tickCount": 6, "labelSeparation": 3, "labelExpr": LABEL} | guide
    return kind(
        f"{field or ends}:Q",
        title=title,
        scale=alt.Scale(domain=domain, nice=False, **(scale or {"zero": False})),
        axis=alt.Axis(**look),
    )


def _curve(shown: tuple[str, ...]) -> View:
    """Draw the loss over w, each sample's own curve, and all methods on it."""

    def x(field: str = "w") -> alt.X:
        made: alt.X = channel(alt.X, "w", "", field=field, labels=False, ticks=False, domain=False)
        return made

    def y(field: str = "loss") -> alt.Y:
        made: alt.Y = channel(alt.Y, "loss", _("squared error"), field=field, **COLUMN)
        return made

    own = alt.Chart(source("own")).mark_line(clip=True, color="@residual", strokeWidth=1, opacity=0.4)
    minima = alt.Chart(source("minima")).mark_tick(
        clip=True, color="@residual", thickness=1.5, size=9, opacity=0.8, orient="vertical"
    )
    best = alt.Chart(source("frame")).transform_filter("datum.steepness > 0")
    start = alt.Chart(source("frame")).transform_calculate(at="w", height=_parabola("datum", "w"), ground="datum.loss0")
    layers = [
        own.encode(x=x(), y=y(), detail="sample:N"),
        minima.encode(x=x(), y=y()),
        alt.Chart(source("mean")).mark_line(clip=True, color="@loss", strokeWidth=3).encode(x=x(), y=y()),
        best.mark_rule(clip=True, color="@loss", strokeDash=[2, 3], strokeWidth=1.2).encode(x=x("best")),
        start.mark_rule(clip=True, color="@weight", strokeDash=[4, 3], strokeWidth=1.2).encode(
            x=x("at"), y=y("height"), y2="ground:Q"
        ),
        start.mark_point(clip=True, color="@weight", size=90, strokeWidth=2, filled=False, opacity=1).encode(
            x=x("at"), y=y("height")
        ),
        *dots(shown, x(), y("cost")),
        *_pull(x, y),
    ]
    return alt.layer(*layers, name="loss").properties(width=LEFT, height=TOP)


def _pull(x: Callable[[str], alt.X], y: Callable[[str], alt.Y]) -> list[alt.Chart]:
    """Draw the curve of the samples that the followed method's last update saw, and the update on it."""
    curve = (
        alt.Chart(source("mean")).transform_filter(f"{NOW}.partial").transform_calculate(loss=_parabola(NOW, "datum.w"))
    )
    update = alt.Chart(source("follow")).transform_filter("datum.step == step && datum.update > 0")
    update = update.transform_calculate(before=_parabola("datum", "datum.w0"), after=_parabola("datum", "datum.w1"))
    turn = (
        "90 + 180 / PI * atan2(scale('loss_y', datum.after) - scale('loss_y', datum.before),"
        " scale('loss_x', datum.w1) - scale('loss_x', datum.w0))"
    )
    tip: Look = {"shape": "triangle-up", "filled": True, "size": 110, "opacity": 1, "angle": alt.ExprRef(turn)}
    return [
        curve.mark_line(clip=True, color="@residual", strokeWidth=2.5).encode(x=x("w"), y=y("loss")),
        update.mark_rule(clip=True, color="@gradient", strokeWidth=2.5).encode(
            x=x("w0"), y=y("before"), x2="w1:Q", y2="after:Q"
        ),
        update.mark_point(clip=True, color="@gradient", **tip).encode(x=x("w1"), y=y("after")),
    ]


def _parabola(row: str, at: str) -> str:
    """Return the expression of a parabola of w, whose row has best, least and steepness."""
    return f"{row}.least + {row}.steepness * ({at} - {row}.best) * ({at} - {row}.best)"


def _paths(shown: tuple[str, ...], clock: str, look: Look) -> View:
    """Draw w downwards over the clock, on the same axis as the curve above."""
    x = channel(alt.X, "w", _("weight w"))
    y = channel(
        alt.Y, "at", _(CLOCKS[clock].axis), scale={"reverse": True, "zero": False}, **(COLUMN | {"tickCount": 4})
    )
    walk = alt.Chart(source("walk"))
    best = alt.Chart(source("frame")).transform_filter("datum.steepness > 0")
    layers = [
        best.mark_rule(clip=True, color="@loss", strokeDash=[2, 3], strokeWidth=1.2).encode(
            x=channel(alt.X, "w", _("weight w"), field="best")
        ),
        *lines(walk, x, y, look),
        *dots(shown, x, y),
    ]
    return alt.layer(*layers, name="paths").properties(width=LEFT, height=BOTTOM)


def lines(walk: alt.Chart, x: Any, y: Any, look: Look) -> list[alt.Chart]:  # noqa: ANN401 - Altair's channels
    """Draw the whole of each path faintly, and what was walked so far on top of it."""
    encoding: Look = {"x": x, "y": y, "order": "step:Q", **look}
    whole = walk.mark_line(clip=True, opacity=0.35, strokeWidth=1).encode(**encoding)
    walked = walk.transform_filter("datum.step <= step").encode(
        strokeWidth=alt.StrokeWidth("followed:O", scale=alt.Scale(domain=[0, 1], range=[1.4, 2.6]), legend=None),
        **encoding,
    )
    return [whole, walked.mark_line(clip=True, strokeJoin="round")]


def losses(shown: tuple[str, ...], clock: str, look: Look, *, height: int) -> View:
    """Draw the loss of all data over the clock, logarithmic, with the least loss that is possible."""
    x = channel(alt.X, "at", _(CLOCKS[clock].axis))

    def y(field: str = "drawn") -> alt.Y:
        guide: Look = {"labelOverlap": "greedy", "labelExpr": POWERS, "values": MARKS}
        made: alt.Y = channel(
            alt.Y, "cost", _("loss of all data"), field=field, scale={"type": "log"}, **(COLUMN | guide)
        )
        return made

    walk = alt.Chart(source("walk")).transform_calculate(drawn=DRAWN)
    now = alt.Chart(source("walk")).transform_filter("datum.step == step && datum.followed == 1")
    least = alt.Chart(source("frame")).transform_filter("datum.least > datum.cost0")
    layers = [
        carrier(),
        least.mark_rule(clip=True, color="@loss", strokeDash=[2, 3], strokeWidth=1.2).encode(y=y("least")),
        *lines(walk, x, y(), look),
        now.mark_rule(color="@muted", strokeWidth=1).encode(x=x),
        *dots(shown, x, y()),
    ]
    return alt.layer(*layers, name="losses").properties(width=RIGHT, height=height)


def _table() -> View:
    """Print the followed method's updates around the present one."""
    middle = f"clamp({NOW}.place, {AROUND}, max({AROUND}, length(data('printed')) - 1 - {AROUND}))"
    rows = alt.Chart(source("printed")).transform_calculate(line=f"datum.place - {middle}")
    rows = rows.transform_filter(f"abs(datum.line) <= {AROUND}")
    y = alt.Y("line:Q", scale=alt.Scale(domain=[-AROUND - 1.5, AROUND + 0.5], reverse=True, nice=False), axis=None)
    across = alt.Scale(domain=[0, 1], nice=False)
    band = alt.Chart(alt.InlineData(values=[{"left": 0, "right": 1}]))
    band = band.transform_calculate(line=f"{NOW}.place - {middle}")
    layers = [
        band.mark_rect(color="@grid", height=LINE).encode(y=y, x=alt.X("left:Q", scale=across, axis=None), x2="right:Q")
    ]
    for field, end, quantity, name in TABLE:
        text: Look = {"align": "right", "baseline": "middle", "dx": -4}
        head = alt.Chart(alt.InlineData(values=[{"line": -AROUND - 1, "end": end, "text": _(name)}]))
        x = alt.X("end:Q", scale=across, axis=None)
        layers += [
            head.mark_text(color="@muted", **text).encode(x=x, y=y, text="text:N"),
            rows.transform_calculate(end=str(end))
            .mark_text(color=quantity, **text)
            .encode(x=x, y=y, text=f"{field}:N"),
        ]
    return alt.layer(*layers, name="table").properties(width=RIGHT, height=(2 * AROUND + 2) * LINE)
