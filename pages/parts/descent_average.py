"""The exponentially weighted average, on the noisy loss of the reader's own run. Course: "指数加权均值"."""

import streamlit as st

from app import link, page
from app.charts import compiled
from app.choice import choice
from app.figures import average
from app.figures.descent_runs import Settings, run, title
from app.figures.mse_words import number
from app.i18n import _, language
from app.player import Slider, player
from core.points import Points

NOISY = ("sgd", "sgd-shuffled", "minibatch", "minibatch-shuffled")  # a full batch is not


def show(points: Points, settings: Settings) -> None:
    st.markdown(
        _("A training loop prints the loss of one batch after the other, up and down. Its average shows where it goes.")
    )
    titles = {racer: title(racer) for racer in NOISY}
    link.check_choice("average.of", titles)
    racer = choice(_("Method"), titles, key="average.of", default=usual(), label_visibility="collapsed")
    spec = settings.spec(racer)
    most = choose_span(len(run(points, spec)))
    player(
        compiled(average.chart),
        key="average",
        name="weighted-average",
        alt=average.in_words(points, spec, most),
        data=average.chart_data(points, spec, most, language()),
        sliders=[Slider("beta", "β", average.BETAS[0], average.BETAS[-1], 0.02, average.USUAL)],
        formula=average.written(),
    )
    found = run(points, spec)
    if found.diverged_at is not None:
        sentence = _("This run diverged: it was stopped after {count:,} updates, so the average rises with it.")
        page.status(sentence.format(count=len(found)), "bad")
    else:
        sentence = _(
            "The batch loss scatters between {low} and {high} over the last epoch; the loss of all data ends at {cost}."
        )
        last = found.loss[-found.updates_per_epoch :]
        numbers = {"low": last.min(), "high": last.max(), "cost": found.cost[-1]}
        page.status(sentence.format(**{name: number(float(value)) for name, value in numbers.items()}))


def usual() -> str:
    """Return the method that the page follows, or shuffled SGD where that one has no noise."""
    followed = st.session_state.get("method")
    return followed if followed in NOISY else "sgd-shuffled"


def choose_span(count: int) -> int:
    """Let the reader look at the start, where the correction matters, or at more; return how many updates that is."""
    first = _("The first {count:,} updates")
    longest = first.format(count=average.MOST) if count > average.MOST else _("All updates")
    spans = {"start": first.format(count=average.FIRST), "all": longest}
    if count <= average.FIRST:
        return count
    link.check_choice("average.span", spans)
    span = choice(_("Updates"), spans, key="average.span", default="start", label_visibility="collapsed")
    return average.FIRST if span == "start" else min(count, average.MOST)
