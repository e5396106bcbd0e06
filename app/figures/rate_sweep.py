"""Where each method ends at many learning rates."""

from typing import Any

import altair as alt
import numpy as np
import pandas as pd

from app.charts import source
from app.figures.descent_runs import COLOURS, IS_DASHED, Settings, title
from app.figures.line import Data, View, carrier
from app.figures.mse_words import number
from app.figures.written import FRAME
from app.i18n import _
from core import mse, rates
from core.caching import cached
from core.descent import RACERS
from core.points import Points
from core.rates import RateSweep

RATES = 60  # of the sweep
# The rows of crosses lie above the losses and have no number.
NUMBERED = f"length(data('frame')) && datum.value > {FRAME}.top ? '' : datum.label"


def chart(racers: tuple[str, ...]) -> View:
    """Build the final loss over the learning rate, a line a method; crosses are runs that ended above the picture."""
    frame = alt.Chart(source("frame"))
    x = _log_axis(alt.X, "lr", _("learning rate lr"))
    y = _log_axis(alt.Y, "loss", _("final mean squared error"))
    names = [title(racer) for racer in racers]
    legend = alt.Legend(title=None, orient="top", columns=2, labelLimit=260, symbolType="stroke", symbolSize=500)
    colour = alt.Color(
        "title:N", scale=alt.Scale(domain=names, range=[COLOURS[racer] for racer in racers]), legend=legend
    )
    dashes = [[6, 3] if IS_DASHED[racer] else [1, 0] for racer in racers]
    dash = alt.StrokeDash("title:N", scale=alt.Scale(domain=names, range=dashes), legend=legend)
    tips = [
        alt.Tooltip("title:N", title=_("method")),
        alt.Tooltip("lr:Q", title=_("learning rate"), format=".3~g"),
        alt.Tooltip("loss:Q", title=_("final loss"), format=".4~g"),
    ]
    runs = alt.Chart(source("runs"))
    kept = runs.transform_filter("!datum.diverged")
    gone = runs.transform_filter("datum.is_out")
    edge = frame.transform_filter("datum.edge < datum.lr1").transform_calculate(text="'2/λmax'")
    left = _log_axis(alt.X, "lr", _("learning rate lr"), field="left")
    row = _log_axis(alt.Y, "loss", _("final mean squared error"), field="row")
    first = runs.transform_filter("datum.is_first").transform_calculate(left=f"{FRAME}.lr0")
    layers = [
        carrier(),
        edge.mark_rule(color="@residual", strokeWidth=2).encode(
            x=_log_axis(alt.X, "lr", _("learning rate lr"), field="edge")
        ),
        edge.mark_text(color="@residual", baseline="bottom", fontWeight="bold").encode(
            x=_log_axis(alt.X, "lr", _("learning rate lr"), field="edge"), y=alt.value(-4), text="text:N"
        ),
        frame.mark_rule(color="@weight", strokeDash=[4, 3], strokeWidth=1.5).encode(
            x=_log_axis(alt.X, "lr", _("learning rate lr"), field="chosen")
        ),
        kept.mark_line(clip=True, strokeWidth=2.2).encode(x=x, y=y, color=colour, strokeDash=dash),
        kept.transform_filter("!datum.is_out")
        .mark_circle(clip=True, size=40, opacity=1)
        .encode(x=x, y=y, color=colour, tooltip=tips),
        gone.mark_point(shape="cross", angle=45, size=60, opacity=1, filled=True).encode(
            x=x, y=row, color=colour, tooltip=tips[:2]
        ),
        first.mark_text(align="left", dx=4, baseline="middle").encode(x=left, y=row, color=colour, text="title:N"),
    ]
    return alt.layer(*layers, name="sweep").properties(width=800, height=320)


def _log_axis(kind: type[alt.X] | type[alt.Y], ends: str, name: str, *, field: str = "") -> Any:  # noqa: ANN401 - X or Y
    """Return a logarithmic axis that reaches from `ends`0 to `ends`1 of the frame."""
    domain = [alt.ExprRef(f"length(data('frame')) ? data('frame')[0].{ends}{end} : {10**end}") for end in (0, 1)]
    return kind(
        f"{field or ends}:Q",
        title=name,
        scale=alt.Scale(type="log", domain=domain, nice=False),
        axis=alt.Axis(tickCount=6, format="~g", labelExpr=NUMBERED if kind is alt.Y else "datum.label"),
    )


@cached(maxsize=16)
def swept(points: Points, settings: Settings, with_bias: bool) -> RateSweep:
    """Run each method at each learning rate; read-only."""
    spec, tried = settings.spec("gd", with_bias=with_bias), rates.grid(points, with_bias=with_bias, count=RATES)
    return rates.sweep(points, spec, tried, racers=tuple(RACERS))


@cached(maxsize=16)
def chart_data(points: Points, settings: Settings, with_bias: bool, chosen: float, language: str) -> Data:
    """Compute what `chart` draws; read-only. The language is named for the cache."""
    found = swept(points, settings, with_bias)
    start = _start(points, settings, with_bias)
    kept = found.loss[~found.diverged]
    least = float(kept.min()) if kept.size else start
    top = max(2 * start, 2 * least) or 1.0
    floor = max(least / 2, top * 1e-12)
    line = (top / floor) ** 0.07  # the crosses of each method are a row of their own, above the losses
    rows = top * line ** (1.0 + np.arange(len(found.racers)))
    runs = table(points, settings, with_bias)
    runs["title"] = [title(racer) for racer in runs["racer"]]
    runs["row"] = np.repeat(rows, len(found.rates))
    runs["is_out"] = runs["diverged"] | (runs["loss"] > top)
    runs["is_first"] = ~runs["racer"].duplicated()
    runs["loss"] = runs["loss"].clip(floor, rows[-1] * line)  # the lines leave through the upper edge
    lr0, lr1 = float(found.rates[0]), float(found.rates[-1])
    frame = {"lr0": lr0 * 0.9, "lr1": lr1 * 1.1, "loss0": floor, "loss1": float(rows[-1] * line), "chosen": chosen}
    frame["top"] = top
    frame["edge"] = min(mse.largest_stable_lr(mse.minimum(points, with_bias=with_bias).eigenvalues[-1]), 1e300)
    return {"frame": pd.DataFrame([frame]), "runs": runs}


def _start(points: Points, settings: Settings, with_bias: bool) -> float:
    """Return the mean squared error at the start."""
    at = np.array([settings.w]), np.array([settings.b if with_bias else 0.0])
    return float(mse.surface(points, *at)[0, 0])


def table(points: Points, settings: Settings, with_bias: bool) -> pd.DataFrame:
    """Return the runs of the sweep, a row each: method, learning rate, final loss, whether it diverged."""
    found = swept(points, settings, with_bias)
    return pd.DataFrame(
        {
            "racer": np.repeat(found.racers, len(found.rates)),
            "lr": np.tile(found.rates, len(found.racers)),
            "loss": found.loss.ravel(),
            "diverged": found.diverged.ravel(),
        }
    )


def in_words(points: Points, settings: Settings, with_bias: bool) -> str:
    """Say for each method which rate ends lowest and which is the first too large; the text alternative too."""
    found = swept(points, settings, with_bias)
    start = _start(points, settings, with_bias)
    pieces = []
    for racer, losses, gone, best in zip(found.racers, found.loss, found.diverged, found.best, strict=True):
        if best < 0:
            pieces.append(_("{method}: diverges at every rate.").format(method=title(racer)))
            continue
        worse = found.rates[gone | (losses > start * (1 + 1e-9))]
        sentence = _("{method}: lowest at lr = {lr} with {loss}, never above its start here.")
        if len(worse):
            sentence = _("{method}: lowest at lr = {lr} with {loss}, first above its start at lr = {first}.")
        numbers = {"lr": found.rates[best], "loss": losses[best], "first": worse[0] if len(worse) else 0.0}
        pieces.append(
            sentence.format(method=title(racer), **{name: number(float(value)) for name, value in numbers.items()})
        )
    return " ".join(pieces)
