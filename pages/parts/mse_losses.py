"""MSE, MAE and Huber's loss on the same data, and what torch.nn computes."""

import pandas as pd
import streamlit as st

from app import link, page
from app.charts import compiled
from app.choice import choice
from app.figures import reductions
from app.figures.mse_words import number
from app.i18n import _
from app.player import Drag, player
from core import mse_check, windows
from core.losses import DELTA_RANGE, LOSSES
from core.points import PRESETS, Points
from pages.parts import mse_slider


def show(points: Points) -> None:
    choices = {"outlier": _(PRESETS["outlier"].title), "current": _("The data above")}
    left, right = st.columns(2)
    with left:
        link.check_choice("on", choices)
        on = choice(_("Data"), choices, key="on", default="outlier")
    with right:
        link.check_number("delta", *DELTA_RANGE)
        delta = st.number_input(_("Huber's δ"), *DELTA_RANGE, value=1.0, step=0.25, key="delta", bind="query-params")
    points = points if on == "current" else PRESETS["outlier"].points
    window = windows.over_w(points)
    numbers = reductions.three_losses_data(points, window, delta)
    lowest = numbers["lowest"].set_index("loss")
    player(
        compiled(reductions.three_losses),
        key="losses",
        name="mse-mae-huber",
        alt=_(
            "Three lines through the data and three losses over w: MSE is lowest at w = {mse}, MAE at {mae}, "
            "Huber at {huber}."
        ).format(**{loss: number(w) for loss, w in lowest["w"].items()}),
        data=numbers,
        sliders=[mse_slider.over_w(window, 2.0)],
        drags=[Drag("data", set={"w": "x == 0 ? w : y / x"}), Drag("loss", x="w")],
        outputs=reductions.outputs(delta),
        formula=reductions.written_three_losses(),
    )
    page.table(
        pd.DataFrame(
            {
                _("loss"): [_(LOSSES[loss].title) for loss in lowest.index],
                "torch.nn": [LOSSES[loss].torch_class for loss in lowest.index],
                _("minimum at w"): lowest["w"].to_numpy(),
                _("loss there"): lowest["least"].to_numpy(),
            }
        ),
        name="mse-mae-huber",
    )
    sentence = _(
        "Squares make one far point count most: MSE chooses w = {mse}. MAE counts every unit alike and chooses "
        "{mae}. Huber squares only residuals below δ = {delta} and chooses {huber}."
    ).format(delta=number(delta), **{loss: number(w) for loss, w in lowest["w"].items()})
    if lowest["unique"].all():
        page.status(sentence)
    else:
        page.status(_("Every x is 0, so w changes none of the three losses."), "warning")
    compare(points, delta)


def compare(points: Points, delta: float) -> None:
    """Let the classes of torch.nn compute the same, when asked, and show how far they are from our numbers."""
    if st.button(_("Compare with torch.nn"), key="compare"):
        differences = mse_check.differences(points, windows.over_w(points), delta=delta)
        last = _("largest relative difference")
        st.dataframe(
            pd.DataFrame(
                [(name, reduction, difference) for (name, reduction), difference in differences.items()],
                columns=["torch.nn", _("reduction"), last],
            ),
            hide_index=True,
            column_config={last: st.column_config.NumberColumn(format="%.0e")},
            alt="mse-compared",
        )
