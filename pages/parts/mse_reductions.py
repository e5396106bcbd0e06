"""The sum of the squares and their mean, side by side."""

import pandas as pd
import streamlit as st

from app import page
from app.charts import compiled
from app.figures import mse_words as words
from app.figures import reductions
from app.i18n import _
from app.player import Drag, player
from core import mse, windows
from core.losses import REDUCTIONS
from core.points import Points
from pages.parts import mse_slider


def show(points: Points) -> None:
    window = windows.over_w(points)
    st.markdown(_("`MSELoss` adds the terms up (`reduction='sum'`) or takes their mean (`reduction='mean'`)."))
    count = len(points)
    player(
        compiled(reductions.sum_and_mean),
        key="reduction",
        name="mse-sum-or-mean",
        alt=words.sum_or_mean_in_words(count, mse.minimum(points)),
        data=reductions.sum_and_mean_data(points, window),
        sliders=[mse_slider.over_w(window)],
        drags=[Drag("reductions", x="w")],
        formula=reductions.written_sum_and_mean(),
    )
    found = {reduction: mse.minimum(points, reduction=reduction) for reduction in REDUCTIONS}
    if found["mean"].unique:
        page.table(
            pd.DataFrame(
                {
                    _("reduction"): list(found),
                    _("minimum at w"): [lowest.w for lowest in found.values()],
                    _("loss there"): [lowest.loss for lowest in found.values()],
                    _("curvature"): [lowest.eigenvalues[0] for lowest in found.values()],
                    _("largest stable learning rate"): [
                        mse.largest_stable_lr(v.eigenvalues[0]) for v in found.values()
                    ],
                }
            ),
            name="mse-sum-or-mean",
        )
    page.status(*words.sum_or_mean(count, found["mean"]))
