"""The learning rate: below, at and above the largest stable one, and where each method ends at many rates."""

import streamlit as st

from app import link, page
from app.charts import compiled
from app.choice import choice
from app.figures import rate_sweep, rates
from app.figures.descent_runs import Settings, title
from app.figures.mse_words import number
from app.i18n import _, language
from app.player import Drag, Slider, player
from core import mse
from core.points import Points


def show(points: Points, settings: Settings) -> None:
    models = {"line": "y = w·x", "bias": "y = w·x + b"}
    link.check_choice("rates.model", models)
    model = choice(_("Model"), models, key="rates.model", default="line", label_visibility="collapsed")
    show_path(points, settings, with_bias=model == "bias")
    show_sweep(points, settings, with_bias=model == "bias")


def show_path(points: Points, settings: Settings, *, with_bias: bool) -> None:
    spec = settings.spec("gd", with_bias=with_bias)
    lowest = mse.minimum(points, with_bias=with_bias)
    edge = mse.largest_stable_lr(lowest.eigenvalues[-1])
    if not lowest.eigenvalues[-1] > 0:
        page.status(_("Every x is 0, so the loss is flat: no learning rate changes anything."), "warning")
        return
    st.markdown(rates.about(with_bias=with_bias))
    low, high, step = rates.SHARES
    share = min(max(round(settings.lr / edge / step) * step, low), high)
    player(
        compiled(rates.path, with_bias),
        key="rates",
        name="learning-rate",
        alt=rates.path_in_words(points, spec),
        data=rates.path_data(points, spec, language()),
        sliders=[Slider("share", _("lr, as a part of the largest stable rate 2/λmax"), low, high, step, share)],
        drags=[Drag("factor", set={"share": f"x / {rates.FRAME}.edge"})],
        formula=rates.written_path(lowest.eigenvalues),
    )
    for sentence, kind in rates.verdicts(points, spec):
        page.status(sentence, kind)


def show_sweep(points: Points, settings: Settings, *, with_bias: bool) -> None:
    st.markdown(
        _(
            "Now {count} learning rates a method: the loss after {epochs} epochs. A cross, in its method's row, marks "
            "a run that ended above the picture, at more than twice the loss of the start, or was stopped far away."
        ).format(count=rate_sweep.RATES, epochs=settings.epochs)
    )
    found = rate_sweep.swept(points, settings, with_bias)
    labels = [number(rate) for rate in found.rates]
    nearest = min(range(len(labels)), key=lambda place: abs(found.rates[place] - settings.lr))
    chosen_label = st.select_slider(_("learning rate to look at"), labels, value=labels[nearest], key="rates.pick")
    place = labels.index(chosen_label)
    chosen = float(f"{found.rates[place]:.4g}")  # as the label says it
    player(
        compiled(rate_sweep.chart, found.racers),
        key="rate-sweep",
        name="learning-rate-sweep",
        alt=rate_sweep.in_words(points, settings, with_bias),
        data=rate_sweep.chart_data(points, settings, with_bias, chosen, language()),
    )
    ends = [
        _("{method}: diverges").format(method=title(racer))
        if found.diverged[row, place]
        else _("{method}: {loss}").format(method=title(racer), loss=number(found.loss[row, place]))
        for row, racer in enumerate(found.racers)
    ]
    page.status(_("At lr = {lr} the final losses are: {ends}.").format(lr=chosen_label, ends=_("; ").join(ends)))
    if st.button(_("Use this learning rate"), key=page.leading_up("rate"), on_click=use, args=(chosen,)):
        st.rerun()  # the whole page: this part alone would not show it
    st.caption(rate_sweep.in_words(points, settings, with_bias))
    runs = rate_sweep.table(points, settings, with_bias)
    names = {"racer": _("method"), "lr": _("learning rate"), "loss": _("final loss"), "diverged": _("diverged")}
    runs["racer"] = runs["racer"].map(title)
    page.table(runs.rename(columns=names), name="learning-rate-sweep", alt=_("Final losses of the methods"), digits=4)


def use(rate: float) -> None:
    """Put a learning rate in force for the whole page."""
    st.session_state["lr"] = rate
