"""A straight line through the data, each residual as a square, and the loss over w beside it.

The spec is the same for all points: the ends of the axes travel as data too (the source "frame"), so that other points
are new data and not a new chart. Everything that follows w is computed in the browser, from the parameter `w`.
"""

from functools import lru_cache
from typing import Any

import altair as alt
import numpy as np
import pandas as pd
from numpy.typing import NDArray

from app.charts import parameter, source
from app.i18n import _
from core import mse
from core.losses import Array
from core.mse import Sweep
from core.points import Points

SIZE = {"width": 400, "height": 290}  # px; the browser makes the plots as wide as the page
NUMBER = 14  # px; the size of a square's number
ASPECT = 1.2  # width to height that the squares get room for
MOST_SQUARES = 60  # rows; the squares of more would hide each other
MOST_NUMBERS = 4  # rows; of more, two squares have their numbers
MOST_RESIDUALS = 1000  # rows; more would slow the hand down
MOST_PARABOLAS = 30  # rows
MOST_DOTS = 4000  # rows; more would be one blot, and slow

# The mean squared error at w, as a Vega expression: exact, because it is a parabola around its minimum, and as quick
# for ten thousand points as for three. $ stands for the one row of the frame.
LOSS_NOW = "$.least + $.steepness * (w - $.best) * (w - $.best)"

LABEL = "abs(datum.value) >= 1e7 ? format(datum.value, '.3~e') : datum.label"  # of an axis: long numbers as powers

# A number beside the moving point, on the side where the curve is not and the plot does not end.
_RIGHT = "length(data('frame')) && 2 * w > data('frame')[0].w0 + data('frame')[0].w1"
BESIDE: dict[str, Any] = {
    "align": alt.ExprRef(f"{_RIGHT} ? 'right' : 'left'"),
    "dx": alt.ExprRef(f"{_RIGHT} ? -14 : 14"),
    "dy": -10,
    "fontSize": 13,
    "fontWeight": "bold",
    "clip": True,
}

Data = dict[str, pd.DataFrame]
View = alt.LayerChart | alt.FacetChart  # what Altair says that layering gives


def landscape() -> alt.HConcatChart:
    """Build the two pictures that w moves at once: the data with the line, and the loss over w."""
    return alt.hconcat(data_view("w * datum.x"), loss_view()).add_params(parameter("w", 1.0))


def data_view(prediction: str) -> View:
    """Build the picture of the data; `prediction` is a Vega expression of datum.x and the parameters, among them w."""
    x, y = axis(alt.X, "x", _("x")), axis(alt.Y, "y", _("y"))
    upper = axis(alt.Y, "y", _("y"), field="prediction")
    rows = alt.Chart(source("points")).transform_calculate(prediction=prediction)
    rows = rows.transform_calculate(residual="datum.prediction - datum.y")
    # As wide in pixels as it is high, and away from the line: a true square on any screen.
    high = "abs(scale('data_y', datum.prediction) - scale('data_y', datum.y))"
    across = alt.ExprRef(f"((datum.residual < 0) != (w < 0) ? -1 : 1) * {high}")
    squares = rows.transform_filter("datum.detail >= 2").mark_rect(
        clip=True, fill="@residual", fillOpacity=0.14, stroke="@residual", strokeWidth=1, x2Offset=across
    )
    residuals = rows.transform_filter("datum.detail >= 1").mark_rule(clip=True, color="@residual", strokeWidth=2)
    half = alt.ExprRef(f"((datum.residual < 0) != (w < 0) ? -0.5 : 0.5) * {high}")
    wide = f"{0.56 * NUMBER} * length(datum.number)"
    left = f"scale('data_x', datum.x) + ({half.expr}) - {wide} / 2"
    fits = f"{high} > max({2 * NUMBER}, {wide} + 6) && {left} > 2 && {left} + {wide} < range('data_x')[1] - 2"
    room = alt.ExprRef(f"{fits} && !({_covered(prediction, wide)}) ? 1 : 0")
    # All of few points; of more, the largest above the line and the largest below it, which cannot meet.
    terms = (
        rows.transform_filter("datum.detail >= 2")
        .transform_calculate(middle="(datum.prediction + datum.y) / 2", term="datum.residual * datum.residual")
        .transform_calculate(number=shown("datum.term"), above="datum.residual < 0")
        .transform_window(place="row_number()", groupby=["above"], sort=[alt.SortField("term", order="descending")])
        .transform_filter("datum.detail >= 3 || datum.place == 1")
        .encode(x=x, y=axis(alt.Y, "y", _("y"), field="middle"), text="number:N")
    )
    text: dict[str, Any] = {"clip": True, "fontSize": NUMBER, "xOffset": half, "opacity": room}
    # On top of everything else, on the colour of the ground: what covers a digit would make it another number.
    halo = terms.mark_text(color="@background", stroke="@background", strokeWidth=4, strokeJoin="round", **text)
    numbers = terms.mark_text(color="@residual", **text)
    line = (
        alt.Chart(source("ends"))
        .transform_calculate(prediction=prediction)
        .mark_line(clip=True, color="@prediction", strokeWidth=3)
        .encode(x=x, y=upper)
    )
    dots = alt.Chart(source("points")).mark_circle(color="@data", opacity=1, size=64, clip=True).encode(x=x, y=y)
    layers = [
        squares.encode(x=x, x2="x:Q", y=y, y2="prediction:Q"),
        residuals.encode(x=x, y=y, y2="prediction:Q"),
        line,
        dots,
        halo,
        numbers,
    ]
    return alt.layer(*layers, name="data").properties(**SIZE)


def _covered(prediction: str, wide: str) -> str:
    """Return the expression that tells whether the number of a larger square, of few points, would meet this one's."""

    def middle(row: str) -> tuple[str, str]:
        predicted = prediction.replace("datum", row)
        up = f"(scale('data_y', {row}.y) + scale('data_y', {predicted})) / 2"
        high = f"abs(scale('data_y', {row}.y) - scale('data_y', {predicted}))"
        return f"scale('data_x', {row}.x) + (({predicted} < {row}.y) != (w < 0) ? -0.5 : 0.5) * {high}", up

    x, y = middle("datum")
    met = []
    for place in range(MOST_NUMBERS):
        row = f"data('points')[{place}]"
        other_x, other_y = middle(row)
        size = f"abs({prediction.replace('datum', row)} - {row}.y)"
        larger = f"({size} > abs(datum.residual) || {size} == abs(datum.residual) && {row}.x > datum.x)"
        near = f"abs({other_x} - ({x})) < 1.2 * {wide} + 4 && abs({other_y} - {y}) < {1.2 * NUMBER}"
        met.append(f"length(data('points')) > {place} && {larger} && {near}")
    return f"datum.detail >= 3 && ({' || '.join(met)})"


def loss_view() -> View:
    """Build the picture of the loss over w, with each sample's own parabola beneath the mean."""
    across, up = _("weight w"), _("mean squared error")
    x, y = axis(alt.X, "w", across), axis(alt.Y, "loss", up)
    own = alt.Chart(source("own")).mark_line(clip=True, color="@residual", strokeWidth=1, opacity=0.7)
    mean = alt.Chart(source("mean")).mark_line(clip=True, color="@loss", strokeWidth=3)
    lowest = alt.Chart(source("frame")).mark_point(
        clip=True, shape="diamond", size=90, filled=True, color="@background", stroke="@loss", strokeWidth=2, opacity=1
    )
    lowest = lowest.transform_filter("datum.steepness > 0")
    now = alt.Chart(source("frame")).transform_calculate(w="w", loss=LOSS_NOW.replace("$", "datum"))
    label = now.transform_calculate(number=shown("datum.loss")).mark_text(color="@loss", **BESIDE)
    layers = [
        own.encode(x=x, y=y, detail="sample:N"),
        mean.encode(x=x, y=y),
        lowest.encode(x=axis(alt.X, "w", across, field="best"), y=axis(alt.Y, "loss", up, field="least")),
        now.mark_rule(clip=True, color="@weight", strokeDash=[4, 3], strokeWidth=1.5).encode(x=x, y=y),
        now.mark_circle(color="@weight", opacity=1, size=170).encode(x=x, y=y),  # whole at the ends of w, too
        label.encode(x=x, y=y, text="number:N"),
    ]
    return alt.layer(*layers, name="loss").properties(**SIZE)


def shown(value: str) -> str:
    """Return the Vega expression that writes a value with two decimals, or as a power of ten where these say little."""
    extreme = f"abs({value}) >= 1e5 || ({value} != 0 && abs({value}) < 0.005)"
    return f"({extreme}) ? format({value}, '.2e') : format({value}, '.2f')"


def carrier() -> alt.Chart:
    """Return an empty layer that brings the frame into a chart whose other layers only read it for their axes."""
    chart: alt.Chart = alt.Chart(source("frame")).mark_point(size=0, opacity=0)
    return chart


def axis(kind: type[alt.X] | type[alt.Y], ends: str, title: str, *, field: str = "") -> Any:  # noqa: ANN401 - X or Y
    """Return an axis that reaches from `ends`0 to `ends`1 of the frame."""
    domain = [alt.ExprRef(f"length(data('frame')) ? data('frame')[0].{ends}{end} : {end}") for end in (0, 1)]
    scale = alt.Scale(domain=domain, nice=False, zero=False)
    return kind(
        f"{field or ends}:Q", title=title, scale=scale, axis=alt.Axis(tickCount=6, labelSeparation=3, labelExpr=LABEL)
    )


@lru_cache(maxsize=64)
def landscape_data(points: Points, window: Sweep) -> Data:
    """Compute what `landscape` draws for a range of w; treat it as read-only."""
    lowest = mse.minimum(points)
    values = np.linspace(window.start, window.stop, 161)
    mean = mse.sweep(points, values)
    chosen = some(len(points), MOST_PARABOLAS)
    few = Points(x=tuple(points.x[i] for i in chosen), y=tuple(points.y[i] for i in chosen))
    coarse = values[::2]
    own = mse.curves(few, coarse)  # (samples, values)
    frame = data_frame(points, np.array([window.start, window.stop]))
    top = float(mean.max()) or 1.0
    frame |= {"w0": window.start, "w1": window.stop, "loss0": -0.03 * top, "loss1": 1.08 * top}
    frame |= {"least": lowest.loss, "best": lowest.w, "steepness": mse.curvature(points) / 2, "count": len(points)}
    return {
        "points": rows(points),
        "ends": pd.DataFrame({"x": [frame["x0"], frame["x1"]]}),
        "frame": pd.DataFrame([frame]),
        "mean": pd.DataFrame({"w": values, "loss": mean}),
        "own": pd.DataFrame(
            {"sample": np.repeat(chosen, len(coarse)), "w": np.tile(coarse, len(chosen)), "loss": own.ravel()}
        ),
    }


def rows(points: Points) -> pd.DataFrame:
    """Return the points that are drawn, and in how much detail: 0 a dot, 1 its residual, 2 its square, 3 its number."""
    detail = sum(len(points) <= most for most in (MOST_RESIDUALS, MOST_SQUARES, MOST_NUMBERS))
    chosen = some(len(points), MOST_DOTS)
    if len(chosen) > 1:
        chosen[1] = 1  # the formula shows the first two and the last
    x, y = points.arrays
    return pd.DataFrame({"x": x[chosen], "y": y[chosen], "detail": detail})


def some(count: int, most: int) -> NDArray[np.int64]:
    """Choose at most `most` of `count` indices, evenly."""
    return np.unique(np.linspace(0, count - 1, min(count, most)).astype(np.int64))


def data_frame(
    points: Points, slopes: Array, offsets: Array | float = 0.0, *, squares: bool = True
) -> dict[str, float]:
    """Choose the ends of the data's axes: room for the lines of these slopes, and for the squares beside them."""
    x, y = points.arrays
    predictions = mse.forward(x[:, None], slopes, offsets)  # (n, k)
    y0, y1 = min(0.0, y.min(), predictions.min()), max(0.0, y.max(), predictions.max())
    y0, y1 = (y0, y1) if y1 > y0 else (y0 - 1, y1 + 1)
    margin = 0.04 * (y1 - y0)
    if not x.any():  # no line can be nearer: a plot whose halves each hold the largest square, whatever the sign of w
        room = (2 / ASPECT - 1) * (y1 - y0) if squares and len(x) <= MOST_SQUARES else 0.0
        return {"x0": -1.0, "x1": 1.0, "y0": y0 - margin * (y0 < 0), "y1": y1 + margin + room}
    residuals = predictions - y[:, None]
    shares = np.abs(residuals) / (y1 - y0) / ASPECT  # sides as parts of the plot's width, (n, k)
    if len(x) > MOST_SQUARES or not squares:
        shares = np.zeros_like(shares)
    right = (residuals < 0) == (slopes < 0)
    x0, x1 = min(0.0, x.min()), max(0.0, x.max())
    least = x1 - x0 or 1.0
    width = least
    for _round in range(30):  # wider axes make wider squares: a sum that converges while they fill less than the plot
        left_end = min(x0, float((x[:, None] - shares * width * ~right).min()))
        right_end = max(x1, float((x[:, None] + shares * width * right).max()))
        width = min(right_end - left_end, 2 * least)
    left_end = max(left_end, x0 - 0.5 * least)
    right_end = min(max(right_end, x1 + 0.04 * least), x1 + least)
    return {"x0": left_end, "x1": right_end, "y0": y0 - margin * (y0 < 0), "y1": y1 + margin}
