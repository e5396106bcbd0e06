"""The MSE landscape: see app/course.py. Course: "线性模型", and its exercise y = w·x + b with np.meshgrid."""

from collections.abc import Callable
from functools import partial

import streamlit as st

from app import course, link, page
from app import points as data
from app.charts import compiled
from app.figures import line, sweep
from app.figures import mse_words as words
from app.figures.mse_words import digits, latex, number
from app.figures.written import live, written_mse
from app.i18n import _
from app.player import Drag, player
from core import mse, mse_script, windows
from core.errors import InputError
from core.mse import Sweep
from core.points import PRESETS, Points
from pages.parts import mse_losses, mse_plane, mse_reductions, mse_slider

ENTRY = course.entry("mse")

# --- The first screen: y = w·x -----------------------------------------------------------------------------------


def landscape(points: Points) -> None:
    window, lowest = windows.over_w(points), mse.minimum(points)
    player(
        compiled(line.landscape),
        key="mse",
        name="mse-landscape",
        alt=words.landscape_in_words(points, window, lowest),
        data=line.landscape_data(points, window),
        sliders=[mse_slider.over_w(window)],
        drags=[Drag("data", set={"w": "x == 0 ? w : y / x"}), Drag("loss", x="w")],
        formula=written_mse(len(points), digits=digits(window)) + f"<small>{live(words.happening(window))}</small>",
    )
    page.status(*words.verdict(points, window, lowest))
    st.caption(words.legend(len(points)))


# --- The course's sweep ------------------------------------------------------------------------------------------


def choose_sweep() -> Sweep:
    """Draw the three inputs of the sweep; raises InputError where they make none."""
    usual = Sweep()
    values = []
    columns = st.columns(3)
    inputs = (("from", _("from"), usual.start), ("to", _("to"), usual.stop), ("step", _("step"), usual.step))
    for column, (key, label, value) in zip(columns, inputs, strict=True):
        with column:
            link.check_number(key)
            values.append(st.number_input(label, value=value, step=0.1, format="%g", key=key, bind="query-params"))
    return Sweep(start=values[0], stop=values[1], step=values[2])


def current_sweep() -> Sweep:
    """Return the sweep of the inputs, also while they are closed; the course's where they make none."""
    usual = Sweep()
    keys = {"start": ("from", usual.start), "stop": ("to", usual.stop), "step": ("step", usual.step)}
    try:
        return Sweep(**{field: st.session_state.get(key, value) for field, (key, value) in keys.items()})
    except InputError:
        return usual


def offer_the_minimum(points: Points, chosen: Sweep) -> None:
    """Offer the range around the minimum where the sweep misses it."""
    window, lowest = windows.over_w(points), mse.minimum(points)
    if not lowest.unique or chosen.start <= lowest.w <= chosen.stop or not window.start <= lowest.w <= window.stop:
        return
    there = {"from": window.start, "to": window.stop, "step": 5 * window.step}
    page.status(_("The minimum, at w = {w}, is not among these values.").format(w=number(lowest.w)), "warning")
    st.button(_("Go there"), key="go", on_click=st.session_state.update, args=(there,))


def show_sweep(points: Points) -> None:
    st.markdown(_("Try every w, one after the other, as the course's first program does, and keep the best."))
    try:
        chosen = choose_sweep()
    except InputError as error:
        page.input_error(error)
        return
    offer_the_minimum(points, chosen)
    numbers = sweep.sweep_data(points, chosen)
    player(
        compiled(sweep.chart),
        key="sweep",
        name="mse-sweep",
        alt=words.sweep_in_words(numbers["sweep"], mse.minimum(points)),
        data=numbers,
        steps=len(numbers["sweep"]),
        formula=sweep.listing(len(points)),
    )
    page.status(*words.best_of(numbers["sweep"], mse.minimum(points)))
    page.table(sweep.table(points, chosen), name="mse-sweep")


# --- The minimum in closed form ----------------------------------------------------------------------------------


def show_closed_form(points: Points) -> None:
    lowest, with_bias = mse.minimum(points), mse.minimum(points, with_bias=True)
    x, y = points.arrays
    st.markdown(_("The loss of a line is a parabola in w, so its minimum needs no search."))
    if lowest.unique:
        page.formula(
            r"@weight{w^*} = \frac{\sum x_i y_i}{\sum x_i^2}"
            rf" = \frac{{{latex(float(x @ y))}}}{{{latex(float(x @ x))}}} = @weight{{{latex(lowest.w)}}}"
        )
    steep = lowest.eigenvalues[0]
    page.formula(
        rf"\frac{{d^2 @loss{{L}}}}{{d @weight{{w}}^2}} = \frac{{2}}{{n}} \sum x_i^2"
        rf" = \frac{{2}}{{{len(points)}}} \cdot {latex(float(x @ x))} = {latex(steep)} = \lambda_{{\max}}"
    )
    if steep > 0:
        page.formula(rf"\text{{lr}} < \frac{{2}}{{\lambda_{{\max}}}} = {latex(mse.largest_stable_lr(steep))}")
    st.markdown(_("With a bias the curvature depends on the direction: it is a matrix, the Hessian."))
    if with_bias.unique:
        page.formula(
            rf"@weight{{w^*}} = \frac{{\sum (x_i - \bar x)(y_i - \bar y)}}{{\sum (x_i - \bar x)^2}}"
            rf" = @weight{{{latex(with_bias.w)}}} \qquad @bias{{b^*}} = \bar y - @weight{{w^*}} \bar x"
            rf" = @bias{{{latex(with_bias.b)}}}"
        )
    hessian = mse.hessian(points)
    low, high = with_bias.eigenvalues
    page.formula(
        rf"H = \begin{{pmatrix}} {latex(hessian[0, 0])} & {latex(hessian[0, 1])} \\"
        rf" {latex(hessian[1, 0])} & {latex(hessian[1, 1])} \end{{pmatrix}}"
        rf" \qquad \lambda_{{\min}} = {latex(low)} \qquad \lambda_{{\max}} = {latex(high)}"
        rf" \qquad \text{{lr}} < \frac{{2}}{{\lambda_{{\max}}}} = {latex(mse.largest_stable_lr(high))}"
    )
    if low > 0:
        sentence = _(
            "Across, the valley is curved {ratio} times as much as along: with one learning rate for both, the way "
            "along is slow."
        )
        page.status(sentence.format(ratio=number(high / low)))
    else:
        page.status(words.valley(), "warning")


# --- Things to try -----------------------------------------------------------------------------------------------


def things_to_try(points: Points) -> None:
    page.predict(
        key="try_sum",
        question=_("Take the sum of the squares instead of their mean. Where does the minimum move?"),
        options=[_("To a larger w"), _("It stays where it is"), _("To a smaller w")],
        answer=1,
        explanation=_(
            "Both curves are lowest at w = {w}: multiplying a loss by {count} makes it steeper and moves nothing."
        ).format(w=number(mse.minimum(points).w), count=len(points)),
    )
    outlier = PRESETS["outlier"].points
    page.predict(
        key="try_outlier",
        question=_(
            "Five of the six points of the line with one outlier lie on y = 2x, one lies far below. "
            "Where is the MSE lowest?"
        ),
        options=[_("At w = 2, where five squares vanish"), _("Below w = 2"), _("Above w = 2")],
        answer=1,
        explanation=_("It is lowest at w = {w}: one large square shrinks by more than five small ones grow.").format(
            w=number(mse.minimum(outlier).w)
        ),
    )
    st.markdown(
        _(
            "* Drag w to the minimum of one sample's thin parabola. Which square has vanished?\n"
            "* Type a point far to the right into the table. Why does the bold curve become so much steeper?"
        )
    )


def show_numbers(points: Points) -> None:
    page.table(line.landscape_data(points, windows.over_w(points))["mean"], name="mse-landscape")


# --- The page ----------------------------------------------------------------------------------------------------

page.header(_(ENTRY.title), _(ENTRY.promise))
points = data.choose()
landscape(points)

with page.section(_("The data"), key="edit") as is_open:
    if is_open:
        data.edit(points)
    else:
        data.forget_table()

with page.section(_("The course's sweep: try every w"), key="sweep") as is_open:  # the code below shows its inputs
    if is_open:
        show_sweep(points)

PARTS: tuple[tuple[str, str, Callable[[Points], None]], ...] = (
    ("plane", _("With a bias: y = w·x + b"), mse_plane.show),
    ("sum", _("Sum or mean"), mse_reductions.show),
    ("losses", _("MSE, MAE and Huber"), mse_losses.show),
    ("closed", _("The minimum in closed form"), show_closed_form),
    ("try", _("Things to try"), things_to_try),
)
for key, label, show in PARTS:
    page.part(label, partial(show, points), key=key)

page.code_panel(lambda: mse_script.script(points, current_sweep()), name="mse_landscape")
page.part(_("The numbers of the picture"), lambda: show_numbers(points), key="numbers")
