"""The picture of what a network computes for one image: the maps of a layer, and one of them taken apart.

Constant specs. The player's step is an epoch whose weights are kept; each row has a list with a value for each of them
(app/figures/inside_maps_rows.py). Pointing at a pixel of the map puts the kernel on the patch that made it; the sums
are taken in the browser.
"""

from typing import Any

import altair as alt

from app.charts import parameter, source
from app.figures.convolution import pointed, pointer
from app.figures.unit_square import BLOCK
from app.i18n import _

HEIGHT, KERNELS_HEIGHT = 330, 220  # px
COLUMNS, MOST = 4, 16  # maps in a row, and in all
KERNEL_COLUMNS = 8
DIGITS = ".6~g"  # of numbers that are rounded already
NAME = 17  # px above an input channel, for its name
FRAME = "data('frame')[0]"
# Parts of the width of the picture of one map: an input channel, its patch and its kernel, and the map.
INPUT, CELLS, OUTPUT = 0.22, 0.145, 0.25

_ACROSS, _HIGH = "range('apart_x')[1]", "range('apart_y')[0]"
_ROW = f"({_HIGH} / max(1, {FRAME}.channels))"  # px for an input channel
_TILE = f"min({INPUT} * {_ACROSS}, {_ROW} - {NAME})"  # px, its side
_PATCH = f"min({CELLS} * {_ACROSS}, {_ROW} - {NAME})"  # px, the side of a kernel
_PATCH_CELL = f"(({_PATCH}) / max({FRAME}.krows, {FRAME}.kcols))"
# The map stands right of the kernels, nearer where there are none, and has all the room where it has no input.
_LEFT = f"({FRAME}.krows ? {1 - OUTPUT} : {FRAME}.alone ? 0 : {INPUT + 0.1}) * {_ACROSS}"
_WIDE = f"({FRAME}.krows ? {OUTPUT} : {2 * OUTPUT}) * {_ACROSS}"
_CELL = f"min({_WIDE} / {FRAME}.ocols, ({_HIGH} - {NAME}) / {FRAME}.orows, 60)"
_PIXEL = f"(({_TILE}) / max({FRAME}.rows, {FRAME}.cols))"  # px, of an input channel

Chart = Any  # what Altair's chain of methods gives


def maps() -> alt.HConcatChart:
    """Draw the maps of a layer beside one of them."""
    both: alt.HConcatChart = alt.hconcat(_grid("maps", COLUMNS, MOST // COLUMNS, HEIGHT), _apart())
    both = both.resolve_scale(fill="independent", fillOpacity="independent")
    return both.add_params(
        parameter("step"),
        parameter("layer"),
        parameter("map"),
        parameter("pixel"),
        alt.param(name="at", expr=pointed("over_map", 0, f"(pixel > 0 ? pixel - 1 : {FRAME}.largest[step])")),
        alt.param(name="top", expr=f"floor(at / {FRAME}.ocols) * {FRAME}.down"),  # of the patch, in the padded input
        alt.param(name="left", expr=f"(at % {FRAME}.ocols) * {FRAME}.right"),
    )


def kernels() -> alt.LayerChart:
    """Draw the kernels of the first layer."""
    grid: alt.LayerChart = _grid("kernels", KERNEL_COLUMNS, MOST // KERNEL_COLUMNS, KERNELS_HEIGHT, width=760)
    return grid.add_params(parameter("step"))


# What the sum of the products of each input channel is, for the formula.
_AT = f"(top + datum.i) * {FRAME}.cols + left + datum.j"
_VALUES = "data('inputs')[datum.rank].values"
# While another layer's data arrives, a weight may meet the inputs of the layer before.
_THERE = f"length(data('inputs')) > datum.rank && length({_VALUES})"
_INPUT = f"({_THERE} ? {_VALUES}[min(step, length({_VALUES}) - 1)][{_AT}] : 0)"
_PRODUCT = f"datum.weights[step] * {_INPUT}"


def rounded(value: str) -> str:
    """Round to the digits of the map's numbers: what is added up on paper then gives the sum that is written."""
    return f"(round(({value}) / {FRAME}.unit[step]) * {FRAME}.unit[step])"


PARTS = {
    "parts": {
        "source": "weights",
        "transform": [
            {"type": "formula", "expr": _PRODUCT, "as": "product"},
            {"type": "aggregate", "groupby": ["rank"], "fields": ["product"], "ops": ["sum"], "as": ["total"]},
        ],
    }
}


def _grid(view: str, columns: int, rows: int, height: int, width: int = 300) -> Chart:
    """Draw small images side by side; the chosen one is framed where there is a choice."""
    wide, high = f"range('{view}_x')[1]", f"range('{view}_y')[0]"
    side = f"(min({wide} / {columns}, {high} / {rows}) - 5)"
    left, middle = (
        f"(datum.rank % {columns} + 0.5) * {wide} / {columns}",
        f"(floor(datum.rank / {columns}) + 0.5) * {high} / {rows}",
    )
    axes: dict[str, Any] = {  # what a click is read from
        "x": alt.X("column:Q", scale=alt.Scale(domain=[0, columns], nice=False), axis=None),
        "y": alt.Y("line:Q", scale=alt.Scale(domain=[rows, 0], nice=False), axis=None),
    }
    tiles = alt.Chart(source(view)).transform_calculate(
        column=f"datum.rank % {columns} + 0.5", line=f"floor(datum.rank / {columns}) + 0.5"
    )
    square: dict[str, Any] = {
        "x": {"expr": left},
        "y": {"expr": middle},
        "width": {"expr": side},
        "height": {"expr": side},
        "align": "center",
        "baseline": "middle",
    }
    edges: dict[str, Any] = {
        "x": {"expr": f"{left} - {side} / 2"},
        "x2": {"expr": f"{left} + {side} / 2"},
        "y": {"expr": f"{middle} - {side} / 2"},
        "y2": {"expr": f"{middle} + {side} / 2"},
    }
    layers = [
        tiles.mark_point(opacity=0).encode(**axes),
        tiles.mark_rect(fill="@background", stroke="@grid", **edges),
        tiles.transform_calculate(url="datum.urls[step]").mark_image(smooth=False, **square).encode(url="url:N"),
    ]
    if view == "maps":
        layers += [
            tiles.transform_filter("datum.rank === map").mark_rect(
                fillOpacity=0, filled=True, stroke="@text", strokeWidth=2.5, **edges
            ),
            tiles.transform_filter("isValid(datum.numbers)")
            .transform_calculate(number="format(datum.numbers[step], '.3~g')")
            .mark_text(x=square["x"], y=square["y"], color="@text")
            .encode(text="number:N"),
        ]
    return alt.layer(*layers, name=view).properties(width=width, height=height)


# --- One map taken apart


def _apart() -> Chart:
    return alt.layer(*_inputs(), *_products(), *_output(), name="apart").properties(width=500, height=HEIGHT)


def _top(rank: str = "datum.rank") -> str:
    """Return where the row of an input channel begins, below its name, in px."""
    return f"({rank} * {_ROW} + {NAME})"


def _block(chart: Chart, left: str, top: str, wide: str, high: str | None = None) -> Chart:
    """Place a rectangle by expressions in px."""
    return chart.transform_calculate(
        x0=f"({left}) / {_ACROSS}",
        x1=f"({left} + {wide}) / {_ACROSS}",
        y0=f"({top}) / {_HIGH}",
        y1=f"({top} + {high or wide}) / {_HIGH}",
    )


def _shaded(chart: Chart) -> Chart:
    """Draw cells in the colour of their quantity, the stronger the larger; what is negative has a colour of its own."""
    names = ["data", "weight", "prediction", "residual"]
    scale = alt.Scale(domain=names, range=[f"@{name}" for name in names])
    return chart.mark_rect().encode(
        **BLOCK,
        fill=alt.Fill("quantity:N", scale=scale, legend=None),
        fillOpacity=alt.FillOpacity("shade:Q", scale=alt.Scale(domain=[0, 1], range=[0, 1], clamp=True), legend=None),
        tooltip=[alt.Tooltip("value:Q", title=_("value"), format=".3~g")],
    )


def _framed(chart: Chart, colour: str, width: float = 1) -> Chart:
    return chart.mark_rect(filled=True, fillOpacity=0, stroke=f"@{colour}", strokeWidth=width).encode(**BLOCK)


def _text(chart: Chart, x: str, y: str, **look: Any) -> Chart:  # noqa: ANN401 - of a text
    """Write at a place given in px."""
    placed = chart.transform_calculate(x0=f"({x}) / {_ACROSS}", y0=f"({y}) / {_HIGH}")
    style: dict[str, Any] = {"align": "left", "baseline": "bottom", "color": "@text", "fontSize": alt.expr("0.75 * em")}
    return placed.mark_text(**style | look).encode(x=BLOCK["x"], y=BLOCK["y"])


def _inputs() -> list[Chart]:
    """Draw the input channels, and on each the patch that the kernel lies on."""
    channels = alt.Chart(source("inputs"))
    wide, high = f"({_PIXEL} * {FRAME}.cols)", f"({_PIXEL} * {FRAME}.rows)"
    frame = _block(channels, "0", _top(), wide, high)
    images = channels.transform_calculate(url="datum.urls[min(step, length(datum.urls) - 1)]").mark_image(
        smooth=False,
        align="left",
        baseline="top",
        aspect=False,
        x=0,
        y={"expr": _top()},
        width={"expr": wide},
        height={"expr": high},
    )
    patches = channels.transform_filter(f"{FRAME}.krows > 0")
    patch = _block(
        patches,
        f"left * {_PIXEL}",
        f"{_top()} + top * {_PIXEL}",
        f"({FRAME}.kcols * {_PIXEL})",
        f"({FRAME}.krows * {_PIXEL})",
    )
    return [
        _framed(frame, "grid"),
        images.encode(url="url:N"),
        _framed(patch, "weight", 2),
        _text(channels, "0", f"{_top()} - 3").encode(text="name:N"),
    ]


def _products() -> list[Chart]:
    """Draw the patch and the kernel of each channel, and write what they give together."""
    weights = alt.Chart(source("weights")).transform_calculate(
        weight="datum.weights[step]",
        input=_INPUT,
    )
    start = f"(({INPUT} + 0.03) * {_ACROSS})"
    second = f"(({INPUT} + 0.03 + {CELLS} + 0.035) * {_ACROSS})"
    third = f"(({INPUT} + 0.03 + 2 * {CELLS} + 0.035 + 0.01) * {_ACROSS})"
    down, right = f"{_top()} + datum.i * {_PATCH_CELL}", f"datum.j * {_PATCH_CELL}"
    patch = weights.transform_calculate(
        value="datum.input",
        quantity="datum.input < 0 ? 'residual' : 'data'",
        shade=f"0.9 * abs(datum.input) / {FRAME}.input[min(step, length({FRAME}.input) - 1)]",
    )
    kernel = weights.transform_calculate(
        value="datum.weight",
        quantity="datum.weight < 0 ? 'residual' : 'weight'",
        shade=f"0.9 * abs(datum.weight) / {FRAME}.weight[step]",
    )
    sums = weights.transform_calculate(product=_PRODUCT).transform_aggregate(total="sum(product)", groupby=["rank"])
    sums = sums.transform_calculate(text=f"'= ' + format({rounded('datum.total')}, '{DIGITS}')")
    channels = alt.Chart(source("inputs")).transform_filter(f"{FRAME}.krows > 0")
    side = {"wide": f"({_PATCH_CELL} * {FRAME}.kcols)", "high": f"({_PATCH_CELL} * {FRAME}.krows)"}
    middle = f"{_top()} + {side['high']} / 2"
    mid: dict[str, Any] = {"baseline": "middle", "fontSize": alt.expr("0.9 * em")}
    return [
        _shaded(_block(patch, f"{start} + {right}", down, _PATCH_CELL)),
        _shaded(_block(kernel, f"{second} + {right}", down, _PATCH_CELL)),
        _framed(_block(channels, start, _top(), **side), "data"),
        _framed(_block(channels, second, _top(), **side), "weight", 2),
        _text(channels, f"{second} - 0.0175 * {_ACROSS}", middle, align="center", **mid).encode(text=alt.datum("×")),
        _text(sums, third, middle, **mid | {"fontSize": alt.expr("0.8 * em")}).encode(text="text:N"),
    ]


def _output() -> list[Chart]:
    """Draw the map, whose pixels take the pointer."""
    cells = alt.Chart(source("output")).transform_calculate(value="datum.values[step]")
    cells = cells.transform_calculate(
        quantity="datum.value < 0 ? 'residual' : 'prediction'",
        shade=f"0.95 * abs(datum.value) / {FRAME}.output[step]",
    )
    left = f"({_LEFT})"
    placed = _block(cells, f"{left} + datum.col * {_CELL}", f"{NAME} + datum.row * {_CELL}", _CELL)
    frame = alt.Chart(source("frame"))
    here = _block(frame, f"{left} + (at % datum.ocols) * {_CELL}", f"{NAME} + floor(at / datum.ocols) * {_CELL}", _CELL)
    all_of_it = _block(frame, left, str(NAME), f"(datum.ocols * {_CELL})", f"(datum.orows * {_CELL})")
    return [
        _shaded(placed).add_params(pointer("over_map", "index")),
        _framed(all_of_it, "grid"),
        _framed(here, "text", 2),
        _text(frame, left, f"{NAME} - 3").encode(text="title:N"),
    ]
