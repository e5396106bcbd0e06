"""The course's table of methods in measured figures: what an epoch costs, what it brings, what can run in parallel."""

from functools import lru_cache

import altair as alt
import pandas as pd

from app.charts import source
from app.figures.line import Data, View
from app.figures.mse_words import number
from app.i18n import _, ngettext
from core.points import Points
from core.vectorised import ROWS, WAYS, Timing, measure

HEIGHT = 45  # px, of a line
COLOURS = {"full": "@gd", "full-serial": "@gd", "minibatch": "@minibatch", "sgd": "@sgd"}


@lru_cache(maxsize=4)
def measured(points: Points) -> tuple[Timing, ...]:
    """Measure once for all readers of this server, until somebody asks for it again: `measured.cache_clear()`."""
    return tuple(measure(points))


def chart() -> View:
    """Build the times of an epoch on a logarithmic axis, a line a method; they differ by factors of a thousand."""
    names = [_(way.title) for way in WAYS.values()]
    rows = alt.Chart(source("timings"))
    y = alt.Y("title:N", sort=names, title=None, axis=alt.Axis(labelLimit=260, grid=True))
    x = alt.X(
        "milliseconds:Q",
        title=_("milliseconds an epoch"),
        scale=alt.Scale(type="log", nice=True),
        axis=alt.Axis(tickCount=5, format="~g"),
    )
    colour = alt.Color("title:N", scale=alt.Scale(domain=names, range=[COLOURS[way] for way in WAYS]), legend=None)
    dots = rows.mark_circle(size=220, opacity=1).encode(x=x, y=y, color=colour)
    text = rows.mark_text(align="left", dx=14, dy=-10).encode(x=x, y=y, text="text:N")
    return alt.layer(dots, text, name="cost").properties(width=860, height=HEIGHT * len(WAYS))


def chart_data(timings: tuple[Timing, ...]) -> Data:
    """Return what `chart` draws."""
    rows = [
        {
            "title": _(WAYS[timing.way].title),
            "milliseconds": 1000 * timing.seconds,
            "text": _("× {ratio}").format(ratio=three(timing.ratio)),
        }
        for timing in timings
    ]
    return {"timings": pd.DataFrame(rows)}


def table(timings: tuple[Timing, ...]) -> pd.DataFrame:
    """Return the course's table for one epoch: performance (the loss), time, parallel or serial."""
    return pd.DataFrame(
        {
            _("method"): [_(WAYS[timing.way].title) for timing in timings],
            _("updates"): [timing.updates for timing in timings],
            _("loss after it"): [timing.loss for timing in timings],
            _("milliseconds"): [1000 * timing.seconds for timing in timings],
            _("times as long"): [timing.ratio for timing in timings],
            _("gradients in parallel"): [_(WAYS[timing.way].parallel) for timing in timings],
        }
    )


def verdict(timings: tuple[Timing, ...]) -> str:
    """Say what the measurement shows."""
    found = {timing.way: timing for timing in timings}
    sentence = _(
        "For one epoch of {rows:,} rows SGD took {sgd} times as long as the vectorised full batch, and mini-batches of "
        "{size} took {batch} times as long. From a loss of {start}, that epoch brought the full batch to {full_loss}, "
        "mini-batches to {batch_loss} and SGD to {sgd_loss}."
    )
    numbers = {
        "sgd": found["sgd"].ratio,
        "batch": found["minibatch"].ratio,
        "start": found["full"].start_loss,
        "full_loss": found["full"].loss,
        "batch_loss": found["minibatch"].loss,
        "sgd_loss": found["sgd"].loss,
    }
    written = {name: three(value) for name, value in numbers.items()}
    return sentence.format(rows=found["full"].rows, size=found["minibatch"].batch_size, **written)


def about_rows(count: int) -> str:
    """Say how `count` points became as many rows as are measured."""
    if count == ROWS:
        return ""
    if count > ROWS:
        return _("Of the {count:,} points the first {rows:,} are measured.").format(count=count, rows=ROWS)
    sentence = ngettext(
        "The {count} point is repeated until there are {rows:,} rows.",
        "The {count} points are repeated, one after the other, until there are {rows:,} rows.",
        count,
    )
    return sentence.format(count=count, rows=ROWS)


def in_words(timings: tuple[Timing, ...]) -> str:
    """Write the text alternative."""
    pieces = [
        _("{method}: {milliseconds} ms").format(
            method=_(WAYS[timing.way].title), milliseconds=three(1000 * timing.seconds)
        )
        for timing in timings
    ]
    return _("The time for one epoch, on a logarithmic axis. {times}.").format(times=_("; ").join(pieces))


def three(value: float) -> str:
    """Write a number with three digits."""
    return number(float(f"{value:.3g}"))
