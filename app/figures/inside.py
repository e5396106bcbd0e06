"""The picture of the state inside a network, layer by layer: gradient, weights, their change, dead ReLUs.

One constant spec; the numbers travel as data (app/figures/inside_rows.py). The playhead `step` is the epoch, and 0 is
before the first step.
"""

from collections.abc import Mapping
from typing import Any

import altair as alt

from app.charts import parameter, source
from app.i18n import _

GRADIENT_HEIGHT, SMALL_HEIGHT = 230, 150  # px
FEW = 8  # layers; so many have their names on the axis
OWN = {"gradient": "@gradient", "change": "@weight", "weight": "@weight", "dead": "@muted"}  # of one run alone
_LIMITS = "data('limits')"
_DIGIT = "slice('⁰¹²³⁴⁵⁶⁷⁸⁹', {0}, {0} + 1)"  # as an exponent
_NOW = "datum.epoch === step"

Chart = Any  # what Altair's chain of methods gives


def layers(names: tuple[str, ...], colours: tuple[str, ...] = ()) -> alt.VConcatChart:
    """Draw gradient, dead ReLUs, change and norm of the weights over the layers.

    `names` are those of the runs, `colours` theirs in app.palette.QUANTITIES; a run alone has those of what is drawn.
    """
    legend = dict(zip(names, colours, strict=True)) if colours else {}
    look = {view: _colour(names[0], view, legend) for view in OWN}
    above = alt.hconcat(
        _gradients(look["gradient"]),
        _lines(
            "dead",
            "relus",
            "dead:Q",
            look["dead"],
            title=_("dead channels"),
            scale=alt.Scale(domain=[0, 1], nice=False),
            axis=alt.Axis(format="~%", tickCount=4),
        ).properties(width=280, height=GRADIENT_HEIGHT),
    )
    below = alt.hconcat(
        _lines(
            "change",
            "layers",
            "change:Q",
            look["change"],
            title=_("change ‖w − w₀‖ / ‖w₀‖"),
            scale=alt.Scale(domain=_ends("change"), nice=False),
            axis=alt.Axis(tickCount=4),
        ),
        _lines(
            "weight",
            "layers",
            "weight:Q",
            look["weight"],
            title=_("weights ‖w‖"),
            scale=alt.Scale(type="log", domain=_ends("weight"), nice=False),
            axis=alt.Axis(format="~g", tickCount=3),
        ),
    )
    rows = [row.resolve_scale(color="independent") for row in (above, below)]
    both: alt.VConcatChart = alt.vconcat(*rows).resolve_scale(color="independent")
    return both.add_params(parameter("step"))


def _ends(name: str) -> list[Any]:
    """Take an axis's ends from the source "limits", so that it holds still while the playhead moves."""
    return [alt.ExprRef(f"{_LIMITS}[{row}].{name}") for row in (0, 1)]


def _places(name: str, title: str) -> alt.X:
    """Place layers from the input on the left to the output on the right, named where there are few of them."""
    count = f"{_LIMITS}[1].{name}"
    few = f"{count} <= {FEW}"
    return alt.X(
        f"{name}:Q",
        title=title,
        scale=alt.Scale(domain=_ends(name), nice=False, zero=False, padding=12),
        axis=alt.Axis(
            grid=False,
            values=alt.ExprRef(f"{few} ? sequence(1, {count} + 1) : sequence(0, {count} + 1, ceil({count} / 50) * 5)"),
            labelExpr=f"{few} ? data('names_{name}')[datum.value - 1].name : format(datum.value, 'd')",
            labelOverlap="greedy",
            labelLimit=90,
        ),
    )


def _lines(view: str, rows: str, field: str, colour: alt.Color, **options: Any) -> Chart:  # noqa: ANN401 - of a channel
    place = "relu" if rows == "relus" else "layer"
    title = _("ReLU, from input to output") if rows == "relus" else _("layer, from input to output")
    chart = alt.Chart(source(rows)).transform_filter(f"{_NOW} && isValid(datum.{field.partition(':')[0]})")
    base = chart.encode(
        x=_places(place, title),
        y=alt.Y(field, **options),
        color=colour,
        tooltip=[
            alt.Tooltip("run:N", title=_("run")),
            alt.Tooltip("name:N", title=_("layer")),
            alt.Tooltip(field, format=".3~g"),
        ],
    )
    marks = [_named(place), base.mark_line(strokeWidth=1.5), base.mark_point(filled=True, size=45)]
    return alt.layer(*marks, name=view).properties(width=400, height=SMALL_HEIGHT)


def _named(place: str) -> Chart:
    """Name the sources of the axes, invisibly: only what a mark names is part of a chart."""
    chart: Chart = alt.Chart(source(f"names_{place}")).mark_point(opacity=0)
    return chart


def _gradients(colour: alt.Color) -> Chart:
    y = alt.Y(
        "gradient:Q",
        title=_("gradient ‖∂ℓ/∂w‖"),
        scale=alt.Scale(type="log", domain=_ends("gradient"), nice=False),
        axis=_decades(),
    )
    rows = alt.Chart(source("layers")).transform_filter(f"{_NOW} && isValid(datum.gradient)")
    base = rows.encode(
        x=_places("layer", _("layer, from input to output")),
        y=y,
        color=colour,
        tooltip=[
            alt.Tooltip("run:N", title=_("run")),
            alt.Tooltip("name:N", title=_("layer")),
            alt.Tooltip("true_gradient:Q", title=_("gradient"), format=".3~g"),
            alt.Tooltip("weight:Q", title=_("norm of the weights"), format=".3~g"),
        ],
    )
    limits = alt.Chart(source("limits")).mark_point(opacity=0).encode(x="layer:Q", y=y)
    none = base.transform_filter("datum.true_gradient === 0")
    marks = [
        _named("layer"),
        limits,
        base.mark_line(strokeWidth=2),
        base.transform_filter("datum.true_gradient > 0").mark_point(filled=True, size=55),
        none.mark_point(filled=False, shape="triangle-down", size=55),
    ]
    return alt.layer(*marks, name="gradient").properties(width=520, height=GRADIENT_HEIGHT)


def _decades() -> alt.Axis:
    """Return an axis of powers of ten, which over few of them has twice and five times each as well."""
    many = f"({_LIMITS}[1].gradient / {_LIMITS}[0].gradient > 1e3)"
    power = "floor(log(datum.value) / LN10 + 1e-9)"
    lead = f"round(datum.value / pow(10, {power}))"
    tens, ones = _DIGIT.format(f"floor(-{power} / 10)"), _DIGIT.format(f"(-{power} % 10)")
    written = f"({lead} === 1 ? '' : {lead} + '·') + '10⁻' + ({power} > -10 ? '' : {tens}) + {ones}"
    named = f"{lead} === 1 || (!{many} && ({lead} === 2 || {lead} === 5))"
    return alt.Axis(
        format="~g",
        tickCount=6,
        labelExpr=f"!({named}) ? '' : datum.value < 0.01 ? {written} : format(datum.value, '~g')",
        gridColor=alt.condition(named, alt.value("@grid"), alt.value("transparent")),
        tickColor=alt.condition(named, alt.value("@text"), alt.value("transparent")),
    )


def _colour(name: str, view: str, legend: Mapping[str, str]) -> alt.Color:
    """Give each run its colour; the legend stands over the gradients alone."""
    look = alt.Legend(title=None, orient="top", symbolType="stroke", columns=1, labelLimit=0)
    colours = {run: f"@{colour}" for run, colour in legend.items()} or {name: OWN[view]}
    scale = alt.Scale(type="ordinal", domain=list(colours), range=list(colours.values()))
    return alt.Color("run:O", scale=scale, legend=look if legend and view == "gradient" else None)
