"""The picture of a training run: loss, test accuracy, and the test images that the network gets most wrong.

One constant spec for every run; what a run reports travels as data (app/figures/training_rows.py). An epoch's rows are
shown when their `position` is the playhead's `step`.
"""

from typing import Any

import altair as alt

from app.charts import parameter, source
from app.i18n import _
from core.diagnosis import GUESSING

PLOT_HEIGHT, IMAGES_HEIGHT = 150, 178  # px
WIDE = 620  # px; from this width on the images stand in two rows of twelve, below in three of eight
LINEAR_BELOW = 0.05  # loss; above it the scale is logarithmic
TICKS = [0, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 50, 100, 1e3, 1e4, 1e6, 1e9, 1e12, 1e18, 1e24, 1e30, 1e36]

OWN_SCALES: dict[str, Any] = {"color": "independent", "strokeWidth": "independent", "opacity": "independent"}
# The worst mistake at the playhead, for the formula.
WORST = {
    "worst": {
        "source": "mistakes",
        "transform": [{"type": "filter", "expr": "datum.position == step && datum.rank == 0"}],
    }
}

View = alt.LayerChart | alt.FacetChart  # what Altair's chain of methods says it returns


def picture() -> alt.VConcatChart:
    """Draw the curves over the images; the playhead `step` is the epoch's position."""
    curves = alt.hconcat(_losses(), _accuracy()).resolve_scale(**OWN_SCALES)
    both: alt.VConcatChart = alt.vconcat(curves, _images()).resolve_scale(**OWN_SCALES)
    return both.add_params(parameter("step"))


def _losses() -> View:
    x = _epochs()
    scale = alt.Scale(type="symlog", constant=LINEAR_BELOW, domain=_ends("loss"))
    axis = alt.Axis(values=TICKS, format="~g", labelOverlap="greedy")
    y = alt.Y("loss:Q", title=_("cross-entropy loss (nats)"), scale=scale, axis=axis)
    names = [_("each batch"), _("average"), _("test")]
    legend = alt.Legend(orient="top", symbolType="stroke", offset=4, labelLimit=0)
    look: dict[str, Any] = {"title": None, "legend": legend}  # the same for all three, so that they share one legend
    base = alt.Chart().encode(
        x=x,
        y=y,
        color=alt.Color(
            "curve:O", scale=alt.Scale(type="ordinal", domain=names, range=["@train", "@train", "@test"]), **look
        ),
        strokeWidth=alt.StrokeWidth(
            "curve:O", scale=alt.Scale(type="ordinal", domain=names, range=[0.7, 2.5, 2]), **look
        ),
        opacity=alt.Opacity("curve:O", scale=alt.Scale(type="ordinal", domain=names, range=[0.5, 1, 1]), **look),
    )
    each, average, test = (f"'{name}'" for name in names)
    guessing = alt.Chart(alt.InlineData(values=[{"loss": GUESSING, "text": _("guessing: ln 10")}]))
    layers = [
        _limits(x, y),
        guessing.mark_rule(strokeDash=[2, 4], color="@muted").encode(y=y),
        guessing.mark_text(align="right", baseline="top", dy=4, color="@muted", x="width").encode(y=y, text="text:N"),
        base.properties(data=source("batches")).transform_calculate(curve=each).mark_line(),
        base.properties(data=source("average")).transform_calculate(curve=average).mark_line(),
        base.properties(data=source("epochs"))
        .transform_calculate(curve=test, loss="datum.test_loss")
        .mark_line(point=alt.OverlayMarkDef(size=40, color="@test")),
        *_playhead(x),
        *_event(x),
    ]
    return alt.layer(*layers).properties(name="loss", width=520, height=PLOT_HEIGHT)


def _accuracy() -> View:
    x = _epochs()
    y = alt.Y(
        "accuracy:Q",
        title=_("test accuracy"),
        scale=alt.Scale(domain=_ends("accuracy")),
        axis=alt.Axis(format="~%", tickCount=5),
    )
    epochs = alt.Chart(source("epochs")).encode(x=x, y=y)
    here = epochs.transform_filter("datum.position == step")
    at_end = "scale('accuracy_x', datum.epoch) > range('accuracy_x')[1] - 60"  # no room for text to the right of it
    at_bottom = "scale('accuracy_y', datum.accuracy) > range('accuracy_y')[0] - 30"
    layers = [
        _limits(x, y),
        epochs.mark_line(strokeWidth=2, color="@accuracy", point=alt.OverlayMarkDef(size=40, color="@accuracy")),
        *_playhead(x),
        here.mark_point(filled=True, size=110, color="@accuracy"),
        here.mark_text(
            dy={"expr": f"datum.above || {at_bottom} ? -14 : 18"},
            dx={"expr": f"{at_end} ? 0 : 6"},
            align={"expr": f"{at_end} ? 'right' : 'left'"},
            fontSize=13,
            fontWeight=600,
            color="@accuracy",
        ).encode(text=alt.Text("accuracy:Q", format=".1%")),
    ]
    return alt.layer(*layers).properties(name="accuracy", width=300, height=PLOT_HEIGHT)


def _epochs() -> alt.X:
    most = alt.ExprRef("min(10, data('limits')[1].epoch)")  # a tick an epoch, and none between two
    axis = alt.Axis(tickCount=most, format="d", grid=False)
    return alt.X("epoch:Q", title=_("epoch"), axis=axis, scale=alt.Scale(domain=_ends("epoch"), nice=False))


def _ends(name: str) -> list[alt.ExprRef]:
    """Take an axis's ends from the source "limits": they hold still while the run grows; the spec is constant."""
    return [alt.ExprRef(f"data('limits')[{row}].{name}") for row in (0, 1)]


def _limits(x: alt.X, y: alt.Y) -> alt.Chart:
    """Name the source "limits", invisibly: only what a mark names is part of a chart."""
    limits: alt.Chart = alt.Chart(source("limits")).mark_point(opacity=0).encode(x=x, y=y)
    return limits


def _playhead(x: alt.X) -> list[alt.Chart]:
    here = alt.Chart(source("epochs")).transform_filter("datum.position == step")
    return [here.mark_rule(color="@text", strokeWidth=1, opacity=0.6).encode(x=x)]


def _event(x: alt.X) -> list[alt.Chart]:
    """Mark where the run turned: the first epoch of overfitting, or the step in which the loss ceased to be finite."""
    event = alt.Chart(source("event")).encode(x=x)
    return [
        event.mark_rule(color="@residual", strokeDash=[6, 3]),
        event.mark_text(align="right", baseline="top", dx=-4, y=4, color="@residual").encode(text="text:N"),
    ]


def _images() -> View:
    width, height = "range('mistakes_x')[1]", "range('mistakes_y')[0]"  # px
    wide = f"({width} > {WIDE})"
    columns, rows = f"({wide} ? 12 : 8)", f"({wide} ? 2 : 3)"
    tile, line = f"({width} / {columns})", f"({height} / {rows})"  # px
    font = f"min(17, max(10, {tile} / 4.7))"
    side = f"min({tile} - 2, {line} - 2.6 * {font} - 4)"  # below each image is room for two lines
    left, top = f"(datum.rank % {columns} + 0.5) * {tile}", f"floor(datum.rank / {columns}) * {line}"
    # A probability that is not 1 is not written as 100 %.
    sure = "(datum.confidence >= 0.995 ? '> 99 %' : format(100 * datum.confidence, '.0f') + ' %')"
    shown = (
        alt.Chart(source("mistakes"))
        .transform_filter("datum.position == step")
        .transform_lookup("index", from_=alt.LookupData(data=source("images"), key="index", fields=["url"]))
        .encode(
            tooltip=[
                alt.Tooltip("index:Q", title=_("test image")),
                alt.Tooltip("label:Q", title=_("label")),
                alt.Tooltip("predicted:Q", title=_("predicted")),
                alt.Tooltip("confidence:Q", title=_("probability of the prediction"), format=".4~g"),
                alt.Tooltip("probability:Q", title=_("probability of the label"), format=".4~g"),
            ],
        )
    )
    empty = (
        alt.Chart(source("hint"))
        .transform_filter("datum.position == step")
        .mark_text(align="left", dy=16, fontSize=13, color="@muted")
        .encode(  # these scales tell the marks beside it how much room there is
            x=alt.XDatum(0, scale=alt.Scale(domain=[0, 1]), axis=None),
            y=alt.YDatum(1, scale=alt.Scale(domain=[0, 1]), axis=None),
            text="text:N",
        )
    )
    return alt.layer(
        empty,
        shown.mark_image(
            x={"expr": left},
            y={"expr": top},
            width={"expr": side},
            height={"expr": side},
            align="center",
            baseline="top",
            smooth=False,
        ).encode(url="url:N"),
        shown.mark_text(
            x={"expr": left},
            y={"expr": f"{top} + {side} + 3"},
            text={"expr": f"datum.label + ' → ' + datum.predicted + '\\n' + {sure}"},
            lineBreak="\n",
            baseline="top",
            fontSize={"expr": font},
            lineHeight={"expr": f"1.2 * {font}"},
            color="@prediction",
        ),
    ).properties(
        name="mistakes",
        width=860,
        height=IMAGES_HEIGHT,
        title=alt.Title(
            _("Most wrong after this epoch"),
            subtitle=_("by loss: label → prediction, its probability"),
        ),
    )
