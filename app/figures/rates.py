"""The learning rate under the hand: what it does to gradient descent.

On the squared error of a line the k-th place has a closed form (see `core.rates`): along each eigenvector of the
Hessian the distance to the minimum is multiplied by 1 - lr·λ at each update. So the browser computes the path itself,
exactly, for the rate under the hand. The parameter `share` is that rate as a part of the largest stable one, so that
1 is the border for every data set.
"""

import math
from functools import lru_cache
from typing import Any

import altair as alt
import numpy as np
import pandas as pd

from app.charts import parameter, source
from app.figures.line import Data, View, axis, carrier
from app.figures.mse_words import TINY, number
from app.figures.written import FRAME, live
from app.i18n import _, error_sentence
from app.page import Kind
from core import mse, rates, windows
from core.descent import LIMIT, Descent
from core.errors import InputError
from core.points import Points
from core.rates import REGIMES

SIZE = {"width": 400, "height": 240}  # px
LOW = {"width": 860, "height": 130}  # px, of the factors
UPDATES = 60  # of the path
SHARES = (0.01, 1.5, 0.01)  # of the largest stable learning rate: from, to, step
FAR = 30  # times the excess at the start: where a path that diverges has long left the picture
DECADES = (-8.0, 6.0)  # of the excess over that at the start, which are drawn
LR = f"(share * {FRAME}.edge)"
INDEX = f"round((share - {SHARES[0]}) / {SHARES[2]})"

_LOW, _HIGH = (f"(1 - {LR} * {FRAME}.{end})" for end in ("low", "high"))  # the factors of an update


def path(with_bias: bool) -> alt.VConcatChart:
    """Build three pictures of the rate under the hand: the path, its excess loss, and the factor over all rates."""
    upper = alt.hconcat(_plane_view() if with_bias else _parabola_view(), _excess_view())
    views = alt.vconcat(upper, _factor_view())
    chart: alt.VConcatChart = views.add_params(parameter("share", 0.5))
    return chart


def _updates() -> alt.Chart:
    """Return the places after each update, in closed form."""
    powers = {"low_k": f"pow({_LOW}, datum.update)", "high_k": f"pow({_HIGH}, datum.update)"}
    rows = alt.Chart(source("updates")).transform_calculate(**powers)
    chart: alt.Chart = rows.transform_calculate(
        w=f"{FRAME}.w + {FRAME}.w_low * datum.low_k + {FRAME}.w_high * datum.high_k",
        b=f"{FRAME}.b + {FRAME}.b_low * datum.low_k + {FRAME}.b_high * datum.high_k",
        excess=f"{FRAME}.excess_low * pow(datum.low_k, 2) + {FRAME}.excess_high * pow(datum.high_k, 2)",
    )
    return chart


def _path_layers(x: Any, y: Any) -> list[alt.Chart]:  # noqa: ANN401 - Altair's X and Y
    rows = _updates().transform_calculate(loss=f"{FRAME}.least + datum.excess")
    rows = rows.transform_filter(f"datum.excess <= {FAR} * {FRAME}.excess")
    line = rows.mark_line(clip=True, color="@gd", strokeWidth=1.5, opacity=0.8)
    dots = rows.mark_circle(clip=True, color="@gd", size=36, opacity=0.9)
    first = rows.transform_filter("datum.update == 0").mark_point(
        clip=True, size=130, strokeWidth=2, stroke="@gd", fill="@background", opacity=1
    )
    return [line.encode(x=x, y=y, order="update:Q"), dots.encode(x=x, y=y), first.encode(x=x, y=y)]


def _lowest(up: str, field: str, name: str) -> alt.Chart:
    lowest = alt.Chart(source("frame")).mark_point(
        clip=True, shape="diamond", size=90, filled=True, color="@background", stroke="@loss", strokeWidth=2, opacity=1
    )
    chart: alt.Chart = lowest.encode(x=axis(alt.X, "w", _("weight w")), y=axis(alt.Y, up, name, field=field))
    return chart


def _parabola_view() -> View:
    x, y = axis(alt.X, "w", _("weight w")), axis(alt.Y, "loss", _("mean squared error"))
    curve = alt.Chart(source("curve")).mark_line(clip=True, color="@loss", strokeWidth=3).encode(x=x, y=y)
    layers = [carrier(), curve, _lowest("loss", "least", _("mean squared error")), *_path_layers(x, y)]
    return alt.layer(*layers, name="path").properties(**SIZE)


def _plane_view() -> View:
    x, y = axis(alt.X, "w", _("weight w")), axis(alt.Y, "b", _("bias b"))
    rings = alt.Chart(source("curve")).mark_line(clip=True, color="@loss", strokeWidth=1.2, opacity=0.8)
    layers = [
        carrier(),
        rings.encode(x=x, y=y, detail="ring:N", order="order:Q"),
        _lowest("b", "b", _("bias b")),
        *_path_layers(x, y),
    ]
    return alt.layer(*layers, name="path").properties(**SIZE)


def _excess_view() -> View:
    x = axis(alt.X, "update", _("updates"))
    low, high = DECADES
    y = alt.Y(
        "shown:Q",
        title=_("loss above the least (start = 1)"),
        scale=alt.Scale(type="log", domain=[10**low, 10**high]),
        axis=alt.Axis(values=[10.0**power for power in range(int(low), int(high) + 1, 2)], format=".0e"),
    )
    rows = _updates().transform_calculate(shown=f"datum.excess / {FRAME}.excess").transform_filter("datum.shown > 0")
    level = alt.Chart(source("frame")).transform_calculate(shown="1")
    layers = [
        carrier(),
        alt.Chart(source("said")).transform_filter("false").mark_point(),  # the formula reads them
        level.mark_rule(color="@muted", strokeDash=[4, 3]).encode(y=y),
        rows.mark_line(clip=True, color="@gd", strokeWidth=2).encode(x=x, y=y),
        rows.mark_circle(clip=True, color="@gd", size=36, opacity=1).encode(x=x, y=y),
    ]
    return alt.layer(*layers, name="excess").properties(**SIZE)


def _factor_view() -> View:
    """Draw |1 - lr·λ| over lr, with the border at 1."""
    x = axis(alt.X, "lr", _("learning rate lr"))
    y = axis(alt.Y, "factor", _("factor |1 − lr·λ|"))
    frame = alt.Chart(source("frame"))
    now = frame.transform_calculate(lr=LR)
    factors = {"low": f"abs({_LOW})", "high": f"abs({_HIGH})"}
    points = [
        now.transform_filter(f"datum.{end} > 0")
        .transform_calculate(factor=factor)
        .mark_circle(clip=True, color="@gd", size=150, opacity=1)
        .encode(x=x, y=y)
        for end, factor in factors.items()
    ]
    border = frame.transform_calculate(lr="datum.edge", factor="1", text="'2/λmax'")
    layers = [
        carrier(),
        frame.transform_calculate(factor="1").mark_rule(color="@muted", strokeDash=[4, 3]).encode(y=y),
        border.mark_rule(color="@residual", strokeWidth=2).encode(x=x),
        border.mark_text(color="@residual", baseline="bottom", fontWeight="bold").encode(
            x=x, y=alt.value(-4), text="text:N"
        ),
        alt.Chart(source("factors"))
        .mark_line(clip=True, color="@text", strokeWidth=2)
        .encode(x=x, y=y, detail="eigenvalue:N"),
        now.mark_rule(color="@gd", strokeDash=[4, 3], strokeWidth=1.5).encode(x=x),
        *points,
    ]
    return alt.layer(*layers, name="factor").properties(**LOW)


@lru_cache(maxsize=16)
def path_data(points: Points, spec: Descent, language: str) -> Data:
    """Compute what `path` draws, and the sentence for each rate; read-only. The language is named for the cache.

    The loss must be curved: λmax above 0.
    """
    lowest = mse.minimum(points, with_bias=spec.with_bias)
    high = lowest.eigenvalues[-1]
    edge = mse.largest_stable_lr(high)
    frame = {"edge": edge, "update0": 0, "update1": UPDATES, "lr0": 0.0, "lr1": SHARES[1] * edge}
    frame |= {
        "factor0": 0.0,
        "factor1": 2.05,
        "w": lowest.w,
        "b": lowest.b,
        "least": lowest.loss,
        "low": 0.0,
        "high": high,
    }
    frame |= _parts(points, spec)
    return {
        "updates": pd.DataFrame({"update": np.arange(UPDATES + 1)}),
        "factors": pd.DataFrame(
            [
                {"eigenvalue": place, "lr": lr, "factor": abs(1 - lr * value)}
                for place, value in enumerate(lowest.eigenvalues)
                for lr in np.linspace(0, SHARES[1] * edge, 61)
                if value > 0
            ]
        ),
        **_ground(points, spec, frame),
        "said": pd.DataFrame({"sentence": [_sentence(points, spec, share * edge) for share in shares()]}),
    }


def shares() -> list[float]:
    """Return the positions of the slider."""
    low, high, step = SHARES
    return [round(low + step * place, 10) for place in range(round((high - low) / step) + 1)]


def _parts(points: Points, spec: Descent) -> dict[str, float]:
    """Split the way from the minimum to the start along the eigenvectors: the flat one and the steep one."""
    lowest = mse.minimum(points, with_bias=spec.with_bias)
    if not spec.with_bias:
        values, vectors = np.array([0.0, lowest.eigenvalues[0]]), np.array([[0.0, 1.0], [1.0, 0.0]])
        way = np.array([spec.w - lowest.w, 0.0])
    else:
        values, vectors = np.linalg.eigh(mse.hessian(points))
        values = np.array(lowest.eigenvalues)
        way = np.array([spec.w - lowest.w, (spec.b or 0.0) - lowest.b])
    along = vectors.T @ way
    parts = {"excess": float(np.sum(values * along**2) / 2) or 1.0}
    for place, end in enumerate(("low", "high")):
        parts |= {
            end: float(values[place]),
            f"w_{end}": float(vectors[0, place] * along[place]),
            f"b_{end}": float(vectors[1, place] * along[place]),
            f"excess_{end}": float(values[place] * along[place] ** 2 / 2),
        }
    return parts


def _ground(points: Points, spec: Descent, frame: dict[str, float]) -> Data:
    """Return the frame, and the parabola or the lines of equal loss beneath the path."""
    reach = 1.7 * abs(spec.w - frame["w"]) or 1.0
    frame |= {"w0": frame["w"] - reach, "w1": frame["w"] + reach}
    if not spec.with_bias:
        w = np.linspace(frame["w0"], frame["w1"], 121)
        loss = mse.sweep(points, w)
        frame |= {"loss0": frame["least"] - 0.04 * float(np.ptp(loss)), "loss1": float(loss.max())}
        return {"frame": pd.DataFrame([frame]), "curve": pd.DataFrame({"w": w, "loss": loss})}
    up = 1.7 * abs((spec.b or 0.0) - frame["b"]) or 1.0
    frame |= {"b0": frame["b"] - up, "b1": frame["b"] + up}
    rings = []
    if frame["low"] > 0:
        for ring, share in enumerate((0.03, 0.15, 0.4, 1.0, 2.0)):
            w, b = windows.ellipse(points, share * frame["excess"])
            rings.append(pd.DataFrame({"ring": ring, "order": np.arange(len(w)), "w": w, "b": b}))
    curve = pd.concat(rings) if rings else pd.DataFrame({"ring": [], "order": [], "w": [], "b": []})
    return {"frame": pd.DataFrame([frame]), "curve": curve}


def _sentence(points: Points, spec: Descent, lr: float) -> str:
    """Say what a learning rate does, and, where it diverges, after how many updates the run is stopped."""
    try:
        found = rates.diagnose(points, lr, with_bias=spec.with_bias)
    except InputError as error:  # where x is so small that rates above those we take are still stable
        return error_sentence(error)
    numbers = {"lr": found.lr, "edge": found.edge, "best": found.best, "factor": found.factor, "jump": found.jump}
    sentence = _(REGIMES[found.regime]).format(
        **{name: number(value) for name, value in numbers.items()}, updates=found.updates
    )
    away = abs(_parts(points, spec)["w_high"])
    if found.regime != "diverges" or away == 0:
        return sentence
    count = max(1, math.ceil(math.log(LIMIT / away) / math.log(found.jump)))
    end = _("After about {count:,} updates w would be beyond 1,000,000,000: there a run is stopped.")
    return f"{sentence} {end.format(count=count)}"


def written_path(eigenvalues: tuple[float, ...]) -> str:
    """Write the rate, its factors with the numbers in them, and what they mean, all live."""
    pieces = [f"<b class='q-gd'>lr = {live(f'{LR}|.4~g')}</b>"]
    for place, end in enumerate(("low", "high")[2 - len(eigenvalues) :]):
        factor = _LOW if end == "low" else _HIGH
        name = "λ" if len(eigenvalues) == 1 else ("λ<sub>min</sub>", "λ<sub>max</sub>")[place]
        numbers = f"1 − {live(f'{LR}|.4~g')} · {live(f'{FRAME}.{end}|.4~g')} = <b>{live(f'{factor}|.3f')}</b>"
        pieces.append(f"1 − lr·{name} = {numbers}")
    sentence = live(f"data('said')[{INDEX}].sentence")
    return f"<div>{' &emsp; '.join(pieces)}</div><small>{sentence}</small>"


def about(*, with_bias: bool) -> str:
    """Say what is shown, and what λ is."""
    if with_bias:
        return _(
            "Gradient descent on all samples, at the rate under your hand. λ is the curvature of the loss: how much "
            "its slope changes along a step of length 1; λmin in the flattest direction, λmax in the steepest."
        )
    return _(
        "Gradient descent on all samples, at the rate under your hand. λ is the curvature of the loss: how much its "
        "slope changes when w changes by 1, here 2·mean(x²); with one weight λmax is this λ."
    )


def verdicts(points: Points, spec: Descent) -> list[tuple[str, Kind]]:
    """Say on which side of its border the spec's rate is, for the full batch and for SGD in order."""
    high = mse.minimum(points, with_bias=spec.with_bias).eigenvalues[-1]
    edge = mse.largest_stable_lr(high)
    sentence = _(
        "The full batch converges at every lr below 2/λmax = 2/{curvature} = {edge}. The page's lr, {lr}, is below."
    )
    if spec.lr >= edge:
        sentence = _(
            "The full batch converges only at an lr below 2/λmax = 2/{curvature} = {edge}. The page's lr, {lr}, is not."
        )
    written = dict(zip(("edge", "lr"), apart(edge, spec.lr), strict=True))
    said: list[tuple[str, Kind]] = [
        (sentence.format(curvature=number(high), **written), "good" if spec.lr < edge else "bad")
    ]
    return [*said, *_of_sgd(points, spec)]


def _of_sgd(points: Points, spec: Descent) -> list[tuple[str, Kind]]:
    """Say where SGD's own border is, and what an epoch of it does at the spec's rate."""
    border = rates.largest_stable_in_order(points, with_bias=spec.with_bias)
    if border is None or len(points) == 1:
        return []
    factor = float(rates.epoch_factors(points, np.array([spec.lr]), with_bias=spec.with_bias)[0])
    grows = factor > 1 + rates.EXACT
    if grows:
        then = _("At lr = {lr} it multiplies the distance by {factor} instead: SGD in order diverges.")
    elif spec.lr > border:
        then = _("lr = {lr} lies above, yet happens to shrink the distance again: an epoch multiplies it by {factor}.")
    else:
        then = _("At lr = {lr} it multiplies the distance to where SGD settles by {factor}.")
    border_written, lr = apart(border, spec.lr)
    size = apart(factor, 1.0)[0] if math.isfinite(factor) else _("more than any float")
    first = _(
        "SGD has a border of its own: each of its steps follows one sample, and a large x is steeper than the mean. In "
        "order, an epoch brings it nearer at every lr below {border}."
    )
    sentence = f"{first.format(border=border_written)} {then.format(lr=lr, factor=size)}"
    return [(sentence, "bad" if grows else "neutral")]


def apart(*values: float) -> list[str]:
    """Write numbers with four digits, or with as many as it takes to tell different ones apart."""
    for digits in range(4, 18):
        texts = [f"{value:.{digits}g}".replace("-", "−") if abs(value) > TINY else "0" for value in values]
        if len(set(texts)) == len(set(values)):
            break
    return texts


def path_in_words(points: Points, spec: Descent) -> str:
    """Write the text alternative of the path."""
    lowest = mse.minimum(points, with_bias=spec.with_bias)
    sentence = _(
        "Left: the loss and {count} updates of gradient descent towards w = {w}. Middle: the loss above the least "
        "after each update; it falls below lr = {edge}, is level there and rises above. Right: |1 − lr·λ| over lr; "
        "it is 1 at lr = {edge}."
    )
    edge = mse.largest_stable_lr(lowest.eigenvalues[-1])
    return sentence.format(count=UPDATES, w=number(lowest.w), edge=number(edge))
