"""The exponentially weighted average of a noisy curve, for the β under the hand.

The averages for all positions of the slider are computed beforehand, a column each, and shown where they are drawn:
an average needs all values before it, which a picture cannot add up itself. The weights have a closed form.
"""

from functools import lru_cache

import altair as alt
import numpy as np
import pandas as pd

from app.charts import parameter, source
from app.figures.descent_runs import run
from app.figures.line import Data, View, axis, carrier, some
from app.figures.mse_words import number
from app.figures.numbers import percent
from app.figures.written import live, quoted
from app.i18n import _, ngettext
from core.descent import Descent
from core.ema import ema, half_life, lag, startup
from core.points import Points

SIZE = {"width": 860, "height": 230}  # px
LOW = {"width": 860, "height": 110}  # px, of the weights
BETAS = tuple(place / 50 for place in range(50))  # 0, 0.02, … 0.98
USUAL = 0.9
SHOWN = 240  # values that are drawn, at most
FIRST = 100  # updates, of the view of the start
MOST = 10_000  # updates that are averaged; fifty averages of more would keep the reader waiting
BACK = 60  # values back, whose weights are drawn

_COLUMN = "'b' + round(50 * beta)"


def chart() -> alt.VConcatChart:
    """Build the curve with its average, and the weights of the values before the last."""
    chart: alt.VConcatChart = alt.vconcat(_curve_view(), _weights_view()).add_params(parameter("beta", USUAL))
    return chart


def _curve_view() -> View:
    x = axis(alt.X, "update", _("updates"))
    y = axis(alt.Y, "loss", _("loss of the batch"), field="height")
    names = [_("each update"), _("average"), _("average, corrected")]
    colour = alt.Color(
        "title:N",
        scale=alt.Scale(domain=names, range=["@muted", "@momentum", "@loss"]),
        legend=alt.Legend(title=None, orient="top", columns=2, symbolType="stroke", symbolOpacity=1),
    )
    rows = alt.Chart(source("losses")).transform_calculate(corrected=f"datum[{_COLUMN}]")
    rows = rows.transform_calculate(plain="datum.corrected * (1 - pow(beta, datum.update))")
    layers = [carrier()]
    for name, field, width in zip(names, ("loss", "plain", "corrected"), (1, 2, 3), strict=True):
        drawn = rows.transform_calculate(title=quoted(name), height=f"datum.{field}")
        layers.append(drawn.mark_line(clip=True, strokeWidth=width).encode(x=x, y=y, color=colour))
    return alt.layer(*layers, name="curve").properties(**SIZE)


def _weights_view() -> View:
    rows = alt.Chart(source("back")).transform_calculate(weight="(1 - beta) * pow(beta, datum.back)")
    x = alt.X("back:Q", title=_("updates back"), scale=alt.Scale(domain=[-0.5, BACK - 0.5], nice=False))
    y = alt.Y("weight:Q", title=_("weight"), axis=alt.Axis(tickCount=3))
    half = alt.Chart(source("frame")).transform_calculate(back="beta > 0 ? log(0.5) / log(beta) : 0")
    text = half.transform_calculate(text=quoted(_("half-life")))
    layers = [
        carrier(),
        alt.Chart(source("said")).transform_filter("false").mark_point(),  # the formula reads them
        rows.mark_bar(color="@loss", clip=True, width=6).encode(x=x, y=y),
        half.mark_rule(color="@weight", strokeDash=[4, 3], strokeWidth=1.5).encode(x=x),
        text.mark_text(color="@weight", align="left", dx=5, fontWeight="bold").encode(
            x=x, y=alt.value(8), text="text:N"
        ),
    ]
    return alt.layer(*layers, name="weights").properties(**LOW)


@lru_cache(maxsize=8)
def chart_data(points: Points, spec: Descent, most: int, language: str) -> Data:
    """Compute what `chart` draws for the first `most` losses that a training loop would print; read-only.

    The sentences are in the reader's language, which is named for the cache.
    """
    losses = run(points, spec).loss[:most]
    shown = some(len(losses), SHOWN)
    top = float(np.quantile(losses, 0.995)) or 1.0
    averages = {f"b{round(50 * beta)}": np.array(ema(losses.tolist(), beta))[shown] for beta in BETAS}
    frame = {"update0": 0, "update1": max(len(losses), 2), "loss0": 0.0, "loss1": 1.08 * top}
    return {
        "frame": pd.DataFrame([frame]),
        "losses": pd.DataFrame({"update": shown + 1, "loss": losses[shown], **averages}),
        "back": pd.DataFrame({"back": np.arange(BACK)}),
        "said": pd.DataFrame({"sentence": [_about(beta) for beta in BETAS]}),
    }


def _about(beta: float) -> str:
    """Say what an average with this β remembers."""
    if beta == 0:
        return _("With β = 0 the average is the last value itself.")
    half = _("Half-life: {updates}.").format(updates=_count_of_updates(half_life(beta)))
    late = _("Lag: on a steady slope it is {updates} late.").format(updates=_count_of_updates(lag(beta)))
    window = _("About 1/(1 − β) = {window} values count.").format(window=f"{1 / (1 - beta):.3g}")
    first, later = (percent(startup(beta, count), 0) for count in (1, 20))
    bias = _("Without correction it starts at {first} of the first value and reaches {later} after 20.")
    return " ".join((window, half, late, bias.format(first=first, later=later)))


def _count_of_updates(value: float) -> str:
    text = f"{value:.3g}"
    return ngettext("{count} update", "{count} updates", 1 if text == "1" else 2).format(count=text)


def written() -> str:
    """Write the average with the present β in it, and what it remembers, live."""
    beta, rest = live("beta|.2f"), live("1 - beta|.2f")
    v, x, t = "<msub><mi class='q-loss'>v</mi><mi>t</mi></msub>", "<msub><mi>x</mi><mi>t</mi></msub>", "<mi>t</mi>"
    before = "<msub><mi class='q-loss'>v</mi><mrow><mi>t</mi><mo>−</mo><mn>1</mn></mrow></msub>"
    average = f"<math>{v}<mo>=</mo><mn>{beta}</mn><mo>·</mo>{before}<mo>+</mo><mn>{rest}</mn><mo>·</mo>{x}</math>"
    power = f"<msup><mn>{beta}</mn>{t}</msup>"
    corrected = f"<math>{v}<mo>/</mo><mrow><mo>(</mo><mn>1</mn><mo>−</mo>{power}<mo>)</mo></mrow></math>"
    sentence, then = live("data('said')[round(50 * beta)].sentence"), _("corrected:")
    return f"<div>{average} &emsp; {then} {corrected}</div><small>{sentence}</small>"


def in_words(points: Points, spec: Descent, most: int) -> str:
    """Write the text alternative, for the usual β."""
    losses = run(points, spec).loss[:most]
    sentence = _(
        "The loss of each of {count} updates, between {low} and {high}, and its averages with and without correction; "
        "with β = {beta} the last average is {last}. Below: the weight of each value, falling by the factor β."
    )
    values = {"low": losses.min(), "high": losses.max(), "beta": USUAL, "last": ema(losses.tolist(), USUAL)[-1]}
    return sentence.format(count=len(losses), **{name: number(float(value)) for name, value in values.items()})
