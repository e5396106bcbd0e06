"""The noise floor: where mini-batches at a constant learning rate stop improving, and why."""

import streamlit as st

from app import page
from app.charts import compiled
from app.figures import floor
from app.figures.descent_runs import Settings
from app.i18n import _, language
from app.player import Drag, Slider, player
from core.points import Points


def show(points: Points, settings: Settings) -> None:
    st.markdown(
        _(
            "In the minimum the gradients of all samples add up to zero, those of one batch do not: w is pushed about. "
            "Each cell is real runs of shuffled mini-batches that start in the minimum; darker means that they are "
            "pushed farther above the least loss. On the right, the chosen cell's runs from the page's w."
        )
    )
    numbers = floor.chart_data(points, settings.seed, settings.w, language())
    rows = len(numbers["sizes"])
    rates, sizes = (tuple(numbers[axis]["text"]) for axis in ("rates", "sizes"))
    sliders = [Slider("column", _("learning rate"), 1, floor.COLUMNS, 1, floor.COLUMNS, rates)]
    if rows > 1:
        sliders.append(Slider("row", _("batch size"), 1, rows, 1, 1, sizes))
    player(
        compiled(floor.chart),
        key="floor",
        name="noise-floor",
        alt=floor.in_words(points, settings.seed),
        data=numbers,
        sliders=sliders,
        drags=[Drag("map", x="column", y="row" if rows > 1 else None)],
        formula=floor.written(),
    )
    page.status(*floor.verdict(points, settings.seed))
    sentence = _("The decaying rate is lr / (1 + {decay}·e) in epoch e = 0, 1, …; the dashed line is the cell's floor.")
    st.caption(sentence.format(decay=floor.DECAY))
    page.table(floor.table(points, settings.seed), name="noise-floor", alt=_("The noise floor"), digits=3)
