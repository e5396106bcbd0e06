"""The DataLoader as a belt: samples in the order of an epoch, falling into batches, and what each batch holds.

One plot whose places are numbers from 0 to `span` across and 0 to `BOTTOM` downwards, so that a sample stands straight
above its place in its batch. Few samples are tokens with their numbers, many are small squares.
"""

from functools import lru_cache
from typing import Any

import altair as alt
import numpy as np
import pandas as pd
from numpy.typing import NDArray

from app.charts import parameter, source
from app.figures.line import View
from app.figures.written import spoken
from app.i18n import _
from core.loading import Loading
from core.samples import Samples

TOKENS = 24  # samples; more are drawn as squares
MOST_STEPS = 1_500  # iterations on the timeline
COLUMNS = 64  # of the squares, about
WIDEST = 96  # samples of a batch that stay in one line of squares
SPACE = 0.35  # between two batches, in places
MARGIN = 0.14  # between two squares, in places
BOTTOM = 5.2
DATA, ORDER, BATCHES, SHARES = 0.56, 1.85, 3.2, BOTTOM  # where the rows of tokens stand, and the bars
HIGH = 0.9  # of a bar of share 1
LEAST = 0.04  # of a bar of share 0, so that one sees it is there
HEIGHT = 300  # px

Data = dict[str, pd.DataFrame]

_FRAME = "data('frame')[0]"
_EPOCH = f"floor(step / {_FRAME}.iterations)"
_BATCH = f"step % {_FRAME}.iterations"
_PITCH = f"width / {_FRAME}.span"  # px from one place to the next


def belt(few: bool) -> View:
    """Build the belt of few samples, as tokens, or of many, as squares."""
    layers = [_carrier(), *(_tokens() if few else _squares()), *_shares(few), *_headings(few)]
    return alt.layer(*layers, name="belt").properties(width=800, height=HEIGHT).add_params(parameter("step"))


def _tokens() -> list[alt.Chart]:
    """Draw the data set, the order of this epoch, and the batches so far."""
    placed = _samples()
    now = placed.transform_filter(f"datum.batch == {_BATCH}")
    waiting = f"datum.batch > {_BATCH} || datum.batch < 0"
    links = now.transform_calculate(
        above=f"{DATA} + 0.28", below=f"{ORDER} - 0.28", order=str(ORDER + 0.28), tray=str(BATCHES - 0.28)
    )
    line: dict[str, Any] = {"color": "@batch", "strokeWidth": 1.5}
    return [
        _trays(),
        links.mark_rule(**line, opacity=0.8).encode(x=_x("home"), x2="x:Q", y=_y("above"), y2="below:Q"),
        links.mark_rule(**line, strokeDash=[2, 3]).encode(x=_x(), y=_y("order"), y2="tray:Q"),
        *_row(placed.transform_calculate(y=str(DATA)), x="home"),
        *_ghosts(placed.transform_filter(f"!({waiting})").transform_calculate(y=str(ORDER))),
        *_row(placed.transform_filter(waiting).transform_calculate(y=str(ORDER))),
        *_row(placed.transform_filter(f"!({waiting})").transform_calculate(y=str(BATCHES))),
        _crosses(placed.transform_filter(f"datum.batch < 0 && {_BATCH} == {_FRAME}.iterations - 1")),
    ]


def _row(placed: alt.Chart, *, x: str = "x") -> list[alt.Chart]:
    """Draw tokens with their numbers: filled for label 1, hollow for label 0, the present batch in its colour."""
    current = f"datum.batch == {_BATCH}"
    diameter = f"min(2.2 * em, 0.86 * {_PITCH})"
    rim = alt.condition(current, alt.value("@batch"), alt.value("@data"))
    fill = alt.condition("datum.label == 1", alt.value("@data"), alt.value("@background"))
    ink = alt.condition("datum.label == 1", alt.value("@background"), alt.value("@data"))
    wide = alt.condition(current, alt.value(3.5), alt.value(1.5))
    dots = placed.mark_point(filled=True, opacity=1, size=alt.ExprRef(f"0.785 * {diameter} * {diameter}"))
    numbers = placed.mark_text(fontSize=alt.ExprRef(f"min(0.85 * em, 0.42 * {_PITCH})"), baseline="middle")
    return [
        dots.encode(x=_x(x), y=_y(), fill=fill, stroke=rim, strokeWidth=wide, tooltip=_tooltip()),
        numbers.encode(x=_x(x), y=_y(), text="row:Q", color=ink, tooltip=_tooltip()),
    ]


def _ghosts(placed: alt.Chart) -> list[alt.Chart]:
    """Leave the number where a sample was taken from."""
    numbers = placed.mark_text(color="@muted", fontSize=alt.ExprRef(f"min(0.85 * em, 0.42 * {_PITCH})"))
    return [numbers.encode(x=_x(), y=_y(), text="row:Q")]


def _crosses(dropped: alt.Chart) -> alt.Chart:
    """Strike out what the epoch leaves out."""
    size = alt.ExprRef(f"0.6 * pow(min(2.2 * em, 0.86 * {_PITCH}), 2)")
    marks = dropped.transform_calculate(y=str(ORDER)).mark_point(
        shape="M-.7,-.7L.7,.7M.7,-.7L-.7,.7", size=size, stroke="@residual", strokeWidth=3, opacity=1
    )
    chart: alt.Chart = marks.encode(x=_x(), y=_y())
    return chart


def _trays() -> alt.Chart:
    """Draw the place of each batch of this epoch; the present one in its colour."""
    rows = alt.Chart(source("batches")).transform_filter(f"datum.epoch == {_EPOCH}")
    rows = rows.transform_calculate(top=str(BATCHES - 0.45), bottom=str(BATCHES + 0.45))
    current = f"datum.batch == {_BATCH}"
    marks: alt.Chart = rows.mark_rect(fill="@grid", fillOpacity=0.35, cornerRadius=6)
    return marks.encode(
        x=_x("left"),
        x2="right:Q",
        y=_y("top"),
        y2="bottom:Q",
        stroke=alt.condition(current, alt.value("@batch"), alt.value("@grid")),
        strokeWidth=alt.condition(current, alt.value(2.5), alt.value(1)),
    )


def _squares() -> list[alt.Chart]:
    """Draw the belt line by line, dark for label 1; what was read is faint, the present batch has its colour."""
    placed = _samples()
    state = f"(datum.batch >= 0 && datum.batch < {_BATCH} ? 0.28 : 1) * (datum.label == 1 ? 1 : 0.4)"
    edge = f"{MARGIN} * datum.high"
    placed = placed.transform_calculate(
        left=f"datum.x + {MARGIN}", right="datum.x + 1", top=f"datum.line + {edge}", bottom="datum.line + datum.high"
    )
    behind = placed.transform_filter(f"datum.batch == {_BATCH}").transform_calculate(
        inner="datum.x + 1",
        under="datum.line + datum.high",
        right=f"datum.x + 1 + {MARGIN}",
        bottom=f"datum.line + datum.high + {edge}",
    )
    squares = placed.transform_calculate(seen=state).mark_rect(fill="@data")
    return [
        behind.mark_rect(fill="@batch").encode(x=_x("x"), x2="right:Q", y=_y("line"), y2="bottom:Q"),
        behind.mark_rect(fill="@background").encode(x=_x("left"), x2="inner:Q", y=_y("top"), y2="under:Q"),
        squares.encode(
            x=_x("left"),
            x2="right:Q",
            y=_y("top"),
            y2="bottom:Q",
            opacity=alt.Opacity("seen:Q", scale=alt.Scale(domain=[0, 1], range=[0, 1]), legend=None),
            tooltip=_tooltip(),
        ),
    ]


def _shares(few: bool) -> list[alt.Chart]:
    """Draw the share of label 1 in each batch so far, and in the whole data set."""
    rows = alt.Chart(source("batches")).transform_filter(f"datum.epoch == {_EPOCH}")
    bars = rows.transform_filter(f"datum.batch <= {_BATCH}")
    bars = bars.transform_calculate(top=f"{SHARES} - max({LEAST}, {HIGH} * datum.share)", bottom=str(SHARES))
    whole = alt.Chart(source("frame")).transform_calculate(y=f"{SHARES} - {HIGH} * datum.share")
    ground = alt.Chart(source("frame")).transform_calculate(y=str(SHARES))
    tooltip = [
        alt.Tooltip("number:Q", title=_("Batch")),
        alt.Tooltip("size:Q", title=_("Samples")),
        alt.Tooltip("ones:Q", title=_("With label 1")),
        alt.Tooltip("share:Q", title=_("Share of label 1"), format=".0%"),
    ]
    return [
        ground.mark_rule(color="@muted").encode(x=alt.value(0), x2=alt.value("width"), y=_y()),
        bars.mark_rect().encode(
            x=_x("bar_left"),
            x2="bar_right:Q",
            y=_y("top"),
            y2="bottom:Q",
            fill=alt.condition(f"datum.batch == {_BATCH}", alt.value("@batch"), alt.value("@data")),
            tooltip=tooltip,
        ),
        whole.mark_rule(color="@muted", strokeDash=[5, 4], strokeWidth=1.5).encode(
            x=alt.value(0), x2=alt.value("width"), y=_y()
        ),
        *([_counts(bars)] if few else []),
    ]


def _counts(bars: alt.Chart) -> alt.Chart:
    """Write beside each bar how many of the samples have label 1; single samples need no number."""
    rows = bars.transform_filter("datum.size > 1")
    rows = rows.transform_calculate(said="datum.ones + '/' + datum.size", y=f"{SHARES} - 0.2")
    marks = rows.mark_text(align="left", baseline="middle", dx=6, color="@text", fontSize=alt.expr("0.8 * em"))
    chart: alt.Chart = marks.encode(x=_x("bar_right"), y=_y(), text="said:N")
    return chart


def _headings(few: bool) -> list[alt.Chart]:
    """Name the rows of the picture, on the colour of the ground where a line passes."""
    titles = {
        True: (
            (0.08, _("Data set; filled: label 1")),
            (1.3, _("Order of epoch {epoch}")),
            (2.54, _("Batches of epoch {epoch}")),
        ),
        False: ((0.12, _("Order of epoch {epoch}, line by line; strong: label 1")),),
    }[few]
    layers = []
    for y, title in (*titles, (SHARES - HIGH - 0.3, _("Share of label 1 in each batch; dashed: in all samples"))):
        row = alt.Chart(source("frame")).transform_calculate(y=str(y), said=spoken(title, epoch=f"{_EPOCH} + 1"))
        text: dict[str, Any] = {
            "align": "left",
            "baseline": "middle",
            "fontSize": alt.expr("0.8 * em"),
            "limit": alt.expr("width"),  # a wider one would make the plot narrower
        }
        halo = row.mark_text(color="@background", stroke="@background", strokeWidth=7, strokeJoin="round", **text)
        layers += [
            mark.encode(x=alt.value(0), y=_y(), text="said:N") for mark in (halo, row.mark_text(color="@muted", **text))
        ]
    return layers


def _samples() -> alt.Chart:
    """Return the samples of this epoch, each with what the table says about it."""
    fields = ["label", "table_row", "home", *(f"v{column}" for column in range(8))]
    placed = alt.Chart(source("samples")).transform_filter(f"datum.epoch == {_EPOCH}")
    return placed.transform_lookup(lookup="row", from_=alt.LookupData(data=source("rows"), key="row", fields=fields))


def _tooltip() -> list[alt.Tooltip]:
    values = [alt.Tooltip(f"v{column}:Q", title=title, format=".3~f") for column, title in enumerate(column_titles())]
    return [
        alt.Tooltip("row:Q", title=_("Sample")),
        alt.Tooltip("table_row:Q", title=_("Row of the table")),
        *values,
        alt.Tooltip("label:Q", title=_("Label (diabetes)")),
    ]


def column_titles() -> tuple[str, ...]:
    """Return the names of the table's eight columns in the reader's language."""
    return (
        _("pregnancies"),
        _("glucose"),
        _("blood pressure"),
        _("skin fold"),
        _("insulin"),
        _("body mass index"),
        _("pedigree"),
        _("age"),
    )


def _carrier() -> alt.Chart:
    """Bring the frame into the chart, for the layers that only read it in expressions."""
    chart: alt.Chart = alt.Chart(source("frame")).mark_point(size=0, opacity=0)
    return chart


def _x(field: str = "x") -> alt.X:
    end = alt.ExprRef("length(data('frame')) ? data('frame')[0].span : 1")
    return alt.X(f"{field}:Q", axis=None, scale=alt.Scale(domain=[0, end], nice=False, zero=False))


def _y(field: str = "y") -> alt.Y:
    return alt.Y(f"{field}:Q", axis=None, scale=alt.Scale(domain=[BOTTOM + 0.02, 0], nice=False, zero=False))


# --- What is drawn


def drawn_epochs(spec: Loading) -> int:
    """Return how many epochs the timeline has room for."""
    return min(spec.epochs, max(1, MOST_STEPS // spec.iterations))


@lru_cache(maxsize=32)
def belt_data(spec: Loading, samples: Samples) -> Data:
    """Compute what `belt` draws; treat it as read-only."""
    few = spec.count <= TOKENS
    epochs = drawn_epochs(spec)
    place = np.arange(spec.count)
    batch = np.where(place < spec.handed_out, place // spec.batch_size, -1)
    own = place // spec.batch_size  # also of what is dropped, which stands apart
    line, high = np.zeros(spec.count), 0.0
    if few:
        x = place + SPACE * own + 0.5
        span = spec.count + SPACE * own[-1]
    else:
        columns = _columns(spec.batch_size)
        groups = columns // spec.batch_size
        gaps = SPACE * 2 if 4 <= spec.batch_size <= WIDEST else 0.0
        column = place % columns
        x = column + gaps * (column // spec.batch_size)
        span = columns + gaps * max(0, groups - 1) + 0.15
        high = (SHARES - HIGH - 0.75 - 0.35) / (1 + place[-1] // columns)
        line = 0.35 + high * (place // columns)
    order = spec.order[:epochs]
    home = (np.arange(spec.count) + 0.5) * span / spec.count
    rows: dict[str, object] = {"row": place, "label": samples.y, "table_row": samples.rows, "home": home}
    return {
        "samples": pd.DataFrame(
            {
                "epoch": np.repeat(np.arange(epochs), spec.count),
                "row": order.ravel(),
                "batch": np.tile(batch, epochs),
                "x": np.tile(x, epochs),
                **({} if few else {"line": np.tile(line, epochs), "high": high}),
            }
        ),
        "rows": pd.DataFrame(rows | {f"v{column}": samples.x[:, column] for column in range(8)}),
        "batches": _batches(spec, samples, x, span, few=few),
        "frame": pd.DataFrame(
            [{"iterations": spec.iterations, "span": span, "share": samples.y.mean(), "count": spec.count}]
        ),
    }


def _columns(batch_size: int) -> int:
    """Choose how many squares stand in a line: whole batches where they fit."""
    return batch_size * max(1, round(COLUMNS / batch_size)) if batch_size <= WIDEST else COLUMNS


def _batches(spec: Loading, samples: Samples, x: NDArray[np.float64], span: float, *, few: bool) -> pd.DataFrame:
    """Return a row for each batch: what it holds, where its tray stands (few samples) and where its bar."""
    frames = []
    starts = np.arange(spec.iterations) * spec.batch_size
    ends = np.minimum(starts + spec.batch_size, spec.handed_out)
    for epoch in range(drawn_epochs(spec)):
        ones = np.array([samples.y[rows].sum() for rows in spec.batches(epoch)])
        place = {"left": x[starts] - 0.5, "right": x[ends - 1] + 0.5} if few else {}
        width = span / spec.iterations
        left = x[starts] - 0.3 if few else width * (np.arange(spec.iterations) + 0.1)
        right = x[starts] + 0.3 if few else width * (np.arange(spec.iterations) + 0.9)
        numbers = {"epoch": epoch, "batch": np.arange(spec.iterations), "number": np.arange(1, spec.iterations + 1)}
        content = {"size": ends - starts, "ones": ones, "share": ones / (ends - starts)}
        frames.append(pd.DataFrame(numbers | content | place | {"bar_left": left, "bar_right": right}))
    return pd.concat(frames, ignore_index=True)


def table(spec: Loading, samples: Samples) -> pd.DataFrame:
    """Return every batch of every epoch: its rows and what it holds, counted from 0 as the script's enumerate does."""
    records = []
    for epoch in range(spec.epochs):
        for number, rows in enumerate(spec.batches(epoch)):
            ones = int(samples.y[rows].sum())
            records.append((epoch, number, len(rows), ones, " ".join(map(str, rows))))
    titles = [_("epoch (from 0)"), _("iteration (from 0)"), _("samples"), _("with label 1"), _("rows")]
    return pd.DataFrame(records, columns=titles)
