"""The axes and lines that the picture of one training run and the picture of several have in common.

Their ends come from the source "limits", so that they hold still while a run grows and the spec stays constant. The
smoothing is chosen in the browser: each row of "curve" carries its loss averaged with each β of BETAS.
"""

from typing import Any

import altair as alt

from app.charts import source
from app.i18n import _
from app.player import Slider
from core.diagnosis import GUESSING

PLOT_HEIGHT = 150  # px
LINEAR_BELOW = 0.05  # loss; above it the scale is logarithmic
TICKS = [0, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 50, 100, 1e3, 1e4, 1e6, 1e9, 1e12, 1e18, 1e24, 1e30, 1e36]
HUGE, COARSE = 1_000_000_000, 1_000  # a loss that leaves room for ticks only at 0 and from there on
BELOW = 24  # px; that a line of text needs under another line
APART = 6  # px; between two labels of an axis
CLOSE = 0.02  # a tick whose label would touch that of 0 in a low plot
BETAS = (0.0, 0.8, 0.9, 0.97, 0.99, 0.997)  # of core.ema.ema
SMOOTHED = tuple(
    f"s{place}" for place in range(len(BETAS))
)  # the columns that hold the averages; s0 is the loss itself
LEAST_BETA, USUAL_BETA = 1, 3  # places in BETAS, between which a run's own is chosen
SHARE = 1 / 8  # of an epoch, which the average looks back on at most
LOSS = f"[{', '.join(f'datum.{name}' for name in SMOOTHED)}][smooth]"  # the average under the slider
AXES = ("epoch", "samples", "seconds")

View = alt.LayerChart | alt.FacetChart  # what Altair's chain of methods says it returns


def axis_titles() -> dict[str, str]:
    """Name what a run can be drawn over."""
    return {"epoch": _("epochs"), "samples": _("images seen"), "seconds": _("seconds of training")}


def usual_beta(steps: int) -> int:
    """Return the place in BETAS of a run with so many steps in an epoch: it looks back on a small part of an epoch.

    About 1 / (1 - β) losses count, and the average is β / (1 - β) steps late (core.ema.lag).
    """
    fitting = [place for place in range(LEAST_BETA, USUAL_BETA + 1) if 1 / (1 - BETAS[place]) <= SHARE * steps]
    return max(fitting, default=LEAST_BETA)


def smoothing(steps: int) -> Slider:
    """Return the slider of the average's β for a run with so many steps in an epoch."""
    names = tuple(f"{beta:g} ({1 / (1 - beta):.0f})" for beta in BETAS)
    return Slider("smooth", _("smoothing β (batches)"), 0, len(BETAS) - 1, 1, usual_beta(steps), names)


def four_losses(batch_size: int) -> str:
    """Say what the four losses of a run are, and why that of the batches is jagged."""
    return _(
        "Four losses: of each batch, the mean over its own {n} images, jagged because every batch holds other images; "
        "their average with β, over about 1/(1 − β) batches, which lags β/(1 − β) batches behind; the train loss, the "
        "mean over an epoch while the network still learns; the test loss, after the epoch."
    ).format(n=batch_size)


def x_axis(axis: str) -> alt.X:
    """Return the axis that all curves share."""
    if axis == "epoch":
        most = alt.ExprRef("min(10, data('limits')[1].x)")  # a tick an epoch, and none between two
        look = alt.Axis(tickCount=most, format="d", grid=False, labelSeparation=APART)
    else:
        look = alt.Axis(tickCount=5, format="~s" if axis == "samples" else "~r", grid=False)
    title = {"epoch": _("epoch"), "samples": _("images seen"), "seconds": _("seconds of training")}[axis]
    return alt.X("x:Q", title=title, axis=look, scale=alt.Scale(domain=ends("x"), nice=False))


def y_loss(title: str, *, low: bool = False) -> alt.Y:
    """Return the axis of the loss: logarithmic, and linear near 0. A low plot has no room for the tick at 0.02."""
    scale = alt.Scale(type="symlog", constant=LINEAR_BELOW, domain=ends("loss"))
    short = "replace(datum.label, 'e+', 'e')"  # so that the title beside it keeps its place
    values = [tick for tick in TICKS if not low or tick != CLOSE]
    crowded: Any = f"data('limits')[1].loss > {HUGE} && datum.value > 0 && datum.value < {COARSE}"
    seen: Any = alt.condition(crowded, alt.value(0), alt.value(1))
    look = alt.Axis(
        values=values,
        gridOpacity=seen,
        tickOpacity=seen,
        format="~g",
        labelExpr=f"{crowded} ? '' : {short}",
        labelOverlap="greedy",
    )
    return alt.Y("loss:Q", title=title, scale=scale, axis=look)


def y_accuracy(title: str) -> alt.Y:
    """Return the axis of the accuracies."""
    scale = alt.Scale(domain=ends("accuracy"))
    return alt.Y("accuracy:Q", title=title, scale=scale, axis=alt.Axis(format="~%", tickCount=5))


def ends(name: str) -> list[alt.ExprRef]:
    """Take an axis's ends from the source "limits"."""
    return [alt.ExprRef(f"data('limits')[{row}].{name}") for row in (0, 1)]


def limits(x: alt.X, y: alt.Y) -> alt.Chart:
    """Name the source "limits", invisibly: only what a mark names is part of a chart."""
    marks: alt.Chart = alt.Chart(source("limits")).mark_point(opacity=0).encode(x=x, y=y)
    return marks


def guessing(y: alt.Y) -> list[alt.Chart]:
    """Draw the loss of a network that gives each digit the same probability."""
    low = f"range('loss_y')[0] - scale('loss_y', {GUESSING}) < {BELOW}"  # no room under the line
    level = alt.Chart(alt.InlineData(values=[{"loss": GUESSING, "text": _("guessing: ln 10")}])).encode(y=y)
    return [
        level.mark_rule(strokeDash=[2, 4], color="@muted"),
        level.mark_text(
            align="right",
            baseline={"expr": f"{low} ? 'bottom' : 'top'"},
            dy={"expr": f"{low} ? -4 : 4"},
            color="@muted",
            x="width",
        ).encode(text="text:N"),
    ]
