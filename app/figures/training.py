"""The picture of a training run: loss, test accuracy, and the test images that the network gets most wrong.

One constant spec for every run; what a run reports travels as data (app/figures/training_rows.py). An epoch's rows are
shown when their `position` is the playhead's `step`.
"""

from typing import Any

import altair as alt

from app.charts import parameter, source
from app.figures.training_axes import (
    LOSS,
    PLOT_HEIGHT,
    USUAL_BETA,
    View,
    guessing,
    limits,
    x_axis,
    y_accuracy,
    y_loss,
)
from app.i18n import _

IMAGES_HEIGHT = 178  # px
WIDE = 620  # px; from this width on the images stand in two rows of twelve, below in three of eight
PHONE = 400  # px; below it three rows of six, the worst of them, have room for what is written under each

OWN_SCALES: dict[str, Any] = {"color": "independent", "strokeWidth": "independent", "opacity": "independent"}
# The worst mistake at the playhead, for the formula.
WORST = {
    "worst": {
        "source": "mistakes",
        "transform": [{"type": "filter", "expr": "datum.position == step && datum.rank == 0"}],
    }
}


def picture(axis: str, named: bool = False) -> alt.VConcatChart:
    """Draw the curves over the images; the playhead `step` is the epoch's position.

    `named` classes have words for names, which stand below each other under an image.
    """
    curves = alt.hconcat(_losses(axis), _accuracy(axis)).resolve_scale(**OWN_SCALES)
    both: alt.VConcatChart = alt.vconcat(curves, _images(named)).resolve_scale(**OWN_SCALES)
    return both.add_params(parameter("step"), parameter("smooth", USUAL_BETA))


def _losses(axis: str) -> View:
    x, y = x_axis(axis), y_loss(_("cross-entropy loss (nats)"))
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
    curve = base.properties(data=source("curve"))
    layers = [
        limits(x, y),
        *guessing(y),
        curve.transform_calculate(curve=each, loss="datum.s0").mark_line(),
        curve.transform_filter("smooth > 0").transform_calculate(curve=average, loss=LOSS).mark_line(),
        base.properties(data=source("epochs"))
        .transform_calculate(curve=test, loss="datum.test_loss")
        .mark_line(point=alt.OverlayMarkDef(size=40, color="@test")),
        *_playhead(x),
        *_event(x, "loss_x"),
    ]
    return alt.layer(*layers).properties(name="loss", width=520, height=PLOT_HEIGHT)


def _accuracy(axis: str) -> View:
    """Draw both accuracies; where the run overfits, the gap between them is filled."""
    x, y = x_axis(axis), y_accuracy(_("accuracy"))
    names = [_("test"), _("train")]
    legend = alt.Legend(orient="top", symbolType="stroke", symbolStrokeWidth=2, offset=4, labelLimit=0)
    color = alt.Color("curve:O", scale=alt.Scale(domain=names, range=["@test", "@train"]), title=None, legend=legend)
    epochs = alt.Chart(source("epochs")).encode(x=x, y=y)
    gap = epochs.transform_filter("datum.gap").encode(y2="train:Q")
    tested = epochs.transform_calculate(curve=f"'{names[0]}'").encode(color=color)
    trained = epochs.transform_filter("isValid(datum.train)").transform_calculate(
        curve=f"'{names[1]}'", accuracy="datum.train"
    )
    alone = trained.transform_joinaggregate(count="count()").transform_filter("datum.count == 1")  # no line leads to it
    here = epochs.transform_filter("datum.position == step")
    at_end = "scale('accuracy_x', datum.x) > range('accuracy_x')[1] - 70"  # no room for text to the right of it
    at_start = "scale('accuracy_x', datum.x) < 70"  # nor to the left of it
    at_bottom = "scale('accuracy_y', datum.accuracy) > range('accuracy_y')[0] - 30"
    layers = [
        limits(x, y),
        gap.mark_area(color="@residual", opacity=0.2),
        trained.encode(color=color).mark_line(strokeWidth=1.2, point=alt.OverlayMarkDef(size=16)),
        tested.mark_line(strokeWidth=2, point=alt.OverlayMarkDef(size=40)),
        *_playhead(x),
        alone.mark_point(filled=True, size=70, color="@train"),
        alone.mark_text(
            align={"expr": f"{at_start} ? 'left' : 'right'"},
            dx={"expr": f"{at_start} ? 8 : -8"},
            dy={"expr": f"{at_start} && !({at_bottom}) ? 14 : -8"},
            fontSize=13,
            color="@train",
        ).encode(text=alt.Text("accuracy:Q", format=".2%")),
        here.mark_point(filled=True, size=110, color="@accuracy"),
        here.mark_text(
            dy={"expr": f"datum.above || {at_bottom} ? -14 : 18"},
            dx={"expr": f"{at_end} ? 0 : 6"},
            align={"expr": f"{at_end} ? 'right' : 'left'"},
            fontSize=13,
            fontWeight=600,
            color="@accuracy",
        ).encode(text=alt.Text("accuracy:Q", format=".2%")),
        _event(x, "accuracy_x")[0],
    ]
    return alt.layer(*layers).properties(name="accuracy", width=300, height=PLOT_HEIGHT)


def _playhead(x: alt.X) -> list[alt.Chart]:
    here = alt.Chart(source("epochs")).transform_filter("datum.position == step")
    return [here.mark_rule(color="@text", strokeWidth=1, opacity=0.6).encode(x=x)]


def _event(x: alt.X, scale: str) -> list[alt.Chart]:
    """Mark where the run turned: the first epoch of overfitting, or the step in which the loss ceased to be finite."""
    early = f"scale('{scale}', datum.x) < range('{scale}')[1] / 2"  # no room for text to the left of it
    event = alt.Chart(source("event")).encode(x=x)
    return [
        event.mark_rule(color="@residual", strokeDash=[6, 3]),
        event.mark_text(
            align={"expr": f"{early} ? 'left' : 'right'"},
            dx={"expr": f"{early} ? 4 : -4"},
            baseline="top",
            y=24,  # below the words of the line of guessing
            color="@residual",
        ).encode(text="text:N"),
    ]


def _images(named: bool) -> View:
    width, height = "range('mistakes_x')[1]", "range('mistakes_y')[0]"  # px
    wide = f"({width} > {WIDE})"
    columns, rows = f"({wide} ? 12 : {width} > {PHONE} ? 8 : 6)", f"({wide} ? 2 : 3)"
    tile, line = f"({width} / {columns})", f"({height} / {rows})"  # px
    font = f"min(17, max({9 if named else 10}, {tile} / {6.2 if named else 4.7}))"
    side = f"min({tile} - 2, {line} - {3.8 if named else 2.6} * {font} - 7)"  # below each is room for its lines
    left, top = f"(datum.rank % {columns} + 0.5) * {tile}", f"floor(datum.rank / {columns}) * {line}"
    between = "\\n" if named else " "
    # what they are sorted by; what a float32 keeps as 0 has a loss above 103
    loss = "(datum.probability > 0 ? 'ℓ = ' + format(-log(datum.probability), '.1f') : 'ℓ > 103')"
    shown = (
        alt.Chart(source("mistakes"))
        .transform_filter(f"datum.position == step && datum.rank < {columns} * {rows}")
        .transform_lookup("index", from_=alt.LookupData(data=source("images"), key="index", fields=["url"]))
        .encode(
            tooltip=[
                alt.Tooltip("index:Q", title=_("test image")),
                alt.Tooltip("what:N", title=_("label")),
                alt.Tooltip("taken:N", title=_("predicted")),
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
            y={"expr": f"{top} + {side} + 6"},
            text={"expr": f"datum.what + '{between}→ ' + datum.taken + '\\n' + {loss}"},
            lineBreak="\n",
            baseline="top",
            fontSize={"expr": font},
            lineHeight={"expr": f"1.2 * {font}"},
            color="@residual",
        ),
    ).properties(
        name="mistakes",
        width=860,
        height=IMAGES_HEIGHT,
        title=alt.Title(
            _("Most wrong after this epoch"),
            subtitle=_("sorted by loss ℓ: label → prediction"),
            subtitleFontSize=13,
        ),
    )
