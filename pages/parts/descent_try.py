"""Things to try with gradient descent: what is predicted is computed."""

import math

import streamlit as st

from app import page
from app.figures import mse_words
from app.figures.descent_runs import Settings, run
from app.figures.mse_words import number
from app.i18n import _
from core import mse
from core.points import PRESETS, Points


def show(points: Points, settings: Settings) -> None:
    three = PRESETS["course"].points
    usual = Settings(epochs=10)
    ends = {racer: run(three, usual.spec(racer)) for racer in ("gd", "sgd")}
    page.predict(
        key="try_epochs",
        question=_("The course's three points, lr = 0.01, ten epochs: which method comes nearer to w = 2?"),
        options=[_("Full batch"), _("SGD in order"), _("Both come equally near")],
        answer=1 if abs(ends["sgd"].w[-1] - 2) < abs(ends["gd"].w[-1] - 2) else 0,
        explanation=_("SGD ends at w = {sgd} after {many} updates, full batch at w = {gd} after {few}.").format(
            sgd=number(ends["sgd"].w[-1]), many=len(ends["sgd"]), gd=number(ends["gd"].w[-1]), few=len(ends["gd"])
        ),
    )
    noisy = PRESETS["noisy"].points
    long = Settings(epochs=200)
    ends = {racer: run(noisy, long.spec(racer)) for racer in ("gd", "sgd-shuffled")}
    page.predict(
        key="try_floor",
        question=_("The noisy line, lr = 0.01, two hundred epochs: which method ends with the lower loss?"),
        options=[_("SGD shuffled, because it makes more updates"), _("Full batch"), _("Both end with the same loss")],
        answer=1 if ends["gd"].cost[-1] < ends["sgd-shuffled"].cost[-1] else 0,
        explanation=_(
            "Full batch ends at {gd}, SGD at {sgd}: the samples disagree, so the last one seen always pulls w away."
        ).format(gd=number(ends["gd"].cost[-1]), sgd=number(ends["sgd-shuffled"].cost[-1])),
    )
    edge = mse.largest_stable_lr(mse.curvature(points))
    if not edge < math.inf:
        st.markdown(_("Every x is 0; choose other data to try something."))
        return
    below, above = number(0.97 * edge), number(1.03 * edge)
    tries = {
        _("Set the learning rate to {below}, then to {above}. What does the full batch do?"): _(
            "At {below} it jumps from side to side and still arrives; at {above} it diverges. Between them lies 2/λmax."
        ),
        _("Drag the start to the minimum. Which method leaves it, and why?"): _(
            "Full batch stays: its gradient is 0 there. SGD and the mini-batches leave, because the gradient of a few "
            "samples that disagree with the others is not 0."
        ),
        _("Count in epochs, then in time. Which method looks best on which clock?"): _(
            "Counted in epochs SGD is ahead, since it makes an update a sample; counted in updates or in time the "
            "difference shrinks or turns, since an update of the full batch uses every sample."
        ),
    }
    if mse_words.is_exact(points, mse.minimum(points)):  # then no method leaves it
        del tries[list(tries)[1]]
    are_shown = st.toggle(_("Show the answers"), key="try_answers")
    for question, answer in tries.items():
        line = f"* {question}" + (f"  \n  {answer}" if are_shown else "")
        st.markdown(line.format(below=below, above=above))
