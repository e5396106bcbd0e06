"""A convolution as a picture: the input with its padding, the kernel, the products under the window, the output.

The chart is the same for all layers; sizes, stride and padding travel as data (the source "frame"; see
convolution_data.py). The player's step
is the output cell at which the window stands. Pointing at an output cell puts the window there; pointing at a weight
lights up every input that it meets, pointing at an input every output that it goes to. All of it is computed in the
browser, from the row and the column that are pointed at: i = o·stride + k·dilation.
"""

from typing import Any

import altair as alt

from app.charts import parameter, source
from app.figures.line import View
from app.figures.unit_square import ACROSS, BLOCK, CORNER, DOWN, MIDDLE

HEIGHT = 350  # px
TOP = 26  # px above the matrices, for their names
LARGEST = 46  # px; the side of a cell
ROW = 76  # px; height of a sequence with its name
BELOW = 150  # px; height of a sequence's kernel and products, one above the other
GAP = 18  # px on each side of the kernel, for the signs ∗ and =
CAPTION = 24  # px; the name above the products

FRAME = "data('frame')[0]"

# The sides of a cell in px: of input and output alike, so that their sizes can be compared, and of the kernel.
KERNEL_CELL = (
    f"min({LARGEST}, 0.27 * range('output_x')[1] / {FRAME}.kcols,"
    f" (range('output_y')[0] - {TOP + CAPTION + 4}) / 2 / {FRAME}.krows)"
)
KERNEL_WIDTH = f"max(6 * em, kernel_cell * {FRAME}.kcols)"
CELL = (
    f"min({LARGEST}, range('input_x')[1] / {FRAME}.cols, (range('input_y')[0] - {TOP}) / {FRAME}.rows,"
    f" (range('output_x')[1] - kernel_width - {2 * GAP + GAP}) / {FRAME}.ocols,"
    f" (range('output_y')[0] - {TOP}) / {FRAME}.orows)"
)


def pointed(selection: str, field: int, otherwise: str) -> str:
    """Return the expression of a field of the cell that is pointed at."""
    value = f"data('{selection}_store')[0].values[{field}]"
    return f"length(data('{selection}_store')) && isValid({value}) ? {value} : {otherwise}"


def pointer(name: str, *fields: str) -> alt.Parameter:
    """Return the selection of the cell under the pointer; what a finger tapped stays until it taps elsewhere."""
    return alt.selection_point(
        name=name,
        fields=list(fields),
        on="pointerover, touchend",
        clear="pointerout[event.pointerType === 'mouse'], pointerdown[event.pointerType !== 'mouse']",
        toggle=False,
        empty=False,
    )


def sliding() -> alt.HConcatChart:
    """Build the picture of a convolution."""
    chart: alt.HConcatChart = _steered(alt.hconcat(_input_view(), _output_view(), spacing=20))
    return chart


def sliding_row() -> alt.VConcatChart:
    """Build the picture of a convolution along one axis: the sequence, and below it all the rest."""
    below = _output_view().properties(width=900, height=BELOW)
    chart: alt.VConcatChart = _steered(alt.vconcat(_input_view().properties(width=900, height=ROW), below, spacing=4))
    return chart


def _steered(views: Any) -> Any:  # noqa: ANN401 - an Altair chart of two views, beside or below each other
    """Give the picture the parameters that its marks follow."""
    return views.add_params(
        parameter("step"),
        alt.param(name="kernel_cell", expr=KERNEL_CELL),
        alt.param(name="kernel_width", expr=KERNEL_WIDTH),
        alt.param(name="cell", expr=CELL),
        alt.param(name="at", expr=pointed("over_right", 0, "step")),
        alt.param(name="output_at", expr=pointed("over_right", 0, "-1")),
        alt.param(name="weight_at", expr=pointed("over_right", 1, "-1")),
        alt.param(name="input_at", expr=pointed("over_left", 0, "-1")),
        alt.param(name="top", expr=f"floor(at / {FRAME}.ocols) * {FRAME}.sh"),  # of the window, in the padded input
        alt.param(name="left", expr=f"(at % {FRAME}.ocols) * {FRAME}.sw"),
    )


class Panel:
    """Where a matrix stands in its view, and how its cells become marks."""

    def __init__(self, view: str, *, cell: str, left: str = "0", top: str = str(TOP)) -> None:
        """`cell`, `left` and `top` are expressions in px."""
        self.view, self.cell, self.left, self.top = view, cell, left, top

    def placed(self, chart: alt.Chart, row: str, col: str, *, high: str = "1", wide: str = "1") -> Any:  # noqa: ANN401 - what Altair's methods give
        """Compute the edges of a block of cells from expressions of its first row and column, and its size."""
        across, down = f"range('{self.view}_x')[1]", f"range('{self.view}_y')[0]"
        return chart.transform_calculate(
            x0=f"({self.left} + ({col}) * {self.cell}) / {across}",
            x1=f"({self.left} + (({col}) + {wide}) * {self.cell}) / {across}",
            y0=f"({self.top} + ({row}) * {self.cell}) / {down}",
            y1=f"({self.top} + (({row}) + {high}) * {self.cell}) / {down}",
        ).transform_calculate(xm="(datum.x0 + datum.x1) / 2", ym="(datum.y0 + datum.y1) / 2")

    def cells(self, chart: alt.Chart) -> Any:  # noqa: ANN401 - what Altair's methods give
        """Place one cell per row of a source that has row and col."""
        return self.placed(chart, "datum.row", "datum.col")


INPUT = Panel("input", cell="cell")
KERNEL = Panel("output", cell="kernel_cell", left=str(GAP))
PRODUCTS = Panel("output", cell="kernel_cell", left=str(GAP), top=f"({TOP + CAPTION} + kernel_cell * {FRAME}.krows)")
OUTPUT = Panel("output", cell="cell", left=f"({2 * GAP + GAP} + kernel_width)")

BOTH = Panel(
    "output",
    cell="(isValid(datum.windex) ? kernel_cell : cell)",
    left=f"(isValid(datum.windex) ? {KERNEL.left} : {OUTPUT.left})",
)


def _shaded(cells: alt.Chart) -> Any:  # noqa: ANN401 - what Altair's methods give
    """Draw cells in the colour of their quantity, the stronger the larger."""
    names = ["data", "weight", "prediction", "residual"]
    scale = alt.Scale(domain=names, range=[f"@{name}" for name in names])
    return cells.mark_rect(stroke="@grid", strokeWidth=1).encode(
        **BLOCK,
        fill=alt.Fill("quantity:N", scale=scale, legend=None),
        fillOpacity=alt.FillOpacity("shade:Q", scale=alt.Scale(domain=[0, 1], range=[0, 1]), legend=None),
    )


def _numbers(cells: alt.Chart, panel: Panel, field: str = "number") -> Any:  # noqa: ANN401 - what Altair's methods give
    size = alt.expr(f"min(0.85 * em, 0.42 * {panel.cell}, 1.7 * {panel.cell} / max(1, length(datum.{field})))")
    readable = cells.transform_filter(f"datum.{field} != '' && {panel.cell} >= 15")
    return readable.mark_text(color="@text", fontSize=size).encode(**MIDDLE, text=f"{field}:N")


def _outlined(cells: alt.Chart, colour: str, *, width: float = 2.5, fill: float = 0.0) -> Any:  # noqa: ANN401 - what Altair's methods give
    mark = cells.mark_rect(
        filled=True, fill=f"@{colour}", fillOpacity=fill, stroke=f"@{colour}", strokeWidth=width, strokeJoin="round"
    )
    return mark.encode(**BLOCK)


def _names(view: str) -> list[Any]:
    """Write the name and the size of each matrix above it."""
    lefts = {"input": INPUT, "kernel": KERNEL, "products": PRODUCTS, "output": OUTPUT}
    layers = []
    for name, panel in lefts.items():
        if panel.view == view:
            rows = alt.Chart(source("names")).transform_filter(f"datum.panel === '{name}'")
            text = panel.placed(rows, "0", "0").mark_text(align="left", baseline="bottom", dy=-6, color="@text")
            layers.append(text.encode(**CORNER, text="text:N"))
    return layers


def _input_view() -> View:
    rows, kernel = alt.Chart(source("input")), alt.Chart(source("kernel"))
    frame, out = alt.Chart(source("frame")), alt.Chart(source("output"))
    padding = INPUT.cells(rows.transform_filter("datum.pad")).mark_rect(fill="@grid").encode(**BLOCK)
    passed = INPUT.cells(rows.transform_filter("datum.uses === 0 && !datum.pad")).mark_point(
        shape="M-0.35,-0.35L0.35,0.35M-0.35,0.35L0.35,-0.35",
        size=alt.expr("cell * cell"),
        stroke="@loss",
        strokeWidth=1.5,
        opacity=0.9,
    )
    under = INPUT.placed(
        kernel, f"top + datum.row * {FRAME}.dh", f"left + datum.col * {FRAME}.dw"
    )  # what the weights lie on
    window = INPUT.placed(
        frame,
        "top",
        "left",
        high="((datum.krows - 1) * datum.dh + 1)",
        wide="((datum.kcols - 1) * datum.dw + 1)",
    )
    met = INPUT.placed(
        out.transform_filter("weight_at >= 0"),
        f"datum.row * {FRAME}.sh + floor(weight_at / {FRAME}.kcols) * {FRAME}.dh",
        f"datum.col * {FRAME}.sw + (weight_at % {FRAME}.kcols) * {FRAME}.dw",
    )
    here = INPUT.placed(
        frame.transform_filter("input_at >= 0"), "floor(input_at / datum.cols)", "input_at % datum.cols"
    )
    factor = under.transform_filter("cell >= 34 && datum.number != ''").transform_calculate(factor="'×' + datum.number")
    layers = [
        padding,
        _shaded(INPUT.cells(rows)).add_params(pointer("over_left", "index")),
        passed.encode(**MIDDLE),
        _outlined(under, "weight", width=1, fill=0.22),
        _outlined(window, "weight"),
        factor.mark_text(
            color="@text",  # the weight's own colour could not be read on the input's in the dark
            align="right",
            baseline="bottom",
            dx=-2,
            dy=-1,
            fontSize=alt.expr("min(0.7 * em, 0.24 * cell)"),
        ).encode(x=alt.X("x1:Q", scale=ACROSS, axis=None), y=alt.Y("y1:Q", scale=DOWN, axis=None), text="factor:N"),
        met.mark_rect(fill="@momentum", fillOpacity=0.45).encode(**BLOCK),
        _outlined(here, "momentum"),
        _numbers(INPUT.cells(rows), INPUT),
        *_names("input"),
    ]
    return alt.layer(*layers, name="input").properties(width=390, height=HEIGHT)


def _output_view() -> View:
    kernel, frame = alt.Chart(source("kernel")), alt.Chart(source("frame"))
    both = BOTH.cells(alt.Chart(source("right")))  # one layer, since a view can have one pointer only
    value = f"data('input')[(top + datum.row * {FRAME}.dh) * {FRAME}.cols + left + datum.col * {FRAME}.dw].value"
    products = PRODUCTS.cells(kernel).transform_calculate(product=f"datum.weight * {value}")
    products = products.transform_calculate(
        quantity="datum.product < 0 ? 'residual' : 'prediction'",
        shade=f"0.45 * abs(datum.product) / {FRAME}.largest",
        written=f"format(datum.product, {FRAME}.legible ? '.3~g' : '.2~f')",
    )
    weight_here = KERNEL.placed(
        frame.transform_filter("weight_at >= 0"), "floor(weight_at / datum.kcols)", "weight_at % datum.kcols"
    )
    at = OUTPUT.placed(frame, "floor(at / datum.ocols)", "at % datum.ocols")
    row = f"(floor(input_at / {FRAME}.cols) - datum.row * {FRAME}.dh) / {FRAME}.sh"
    col = f"(input_at % {FRAME}.cols - datum.col * {FRAME}.dw) / {FRAME}.sw"
    fed_rows = (
        kernel.transform_filter("input_at >= 0")
        .transform_calculate(to_row=row, to_col=col)
        .transform_filter(
            "datum.to_row >= 0 && datum.to_col >= 0 && datum.to_row % 1 === 0 && datum.to_col % 1 === 0"
            f" && datum.to_row < {FRAME}.orows && datum.to_col < {FRAME}.ocols"
        )
    )
    fed = OUTPUT.placed(fed_rows, "datum.to_row", "datum.to_col")
    signs = alt.Chart(source("signs")).transform_calculate(
        x=f"({GAP / 2} + datum.place * (kernel_width + {1.5 * GAP})) / range('output_x')[1]",
        y=f"({TOP} + 0.5 * kernel_cell * {FRAME}.krows) / range('output_y')[0]",
    )
    layers = [
        _shaded(both).add_params(pointer("over_right", "index", "windex")),
        _shaded(products),
        _outlined(at, "prediction"),
        _outlined(weight_here, "momentum"),
        _outlined(KERNEL.cells(fed_rows), "momentum", width=1.5),
        _outlined(fed, "momentum", width=1.5, fill=0.35),
        signs.mark_text(fontSize=alt.expr("1.2 * em"), color="@muted").encode(
            x=alt.X("x:Q", scale=ACROSS, axis=None), y=alt.Y("y:Q", scale=DOWN, axis=None), text="sign:N"
        ),
        _numbers(both, BOTH),
        _numbers(products, PRODUCTS, "written"),
        *_names("output"),
    ]
    return alt.layer(*layers, name="output").properties(width=510, height=HEIGHT)
