"""Gradient descent and SGD: see app/course.py. Course: "梯度下降算法", "随机梯度下降算法"."""

from collections.abc import Callable
from functools import partial

import streamlit as st

from app import course, page
from app import points as data
from app.charts import compiled
from app.figures import descent, descent_data, descent_plane, descent_table
from app.figures import descent_words as words
from app.figures.descent_data import Race
from app.figures.descent_runs import Settings, run, seconds_per_update
from app.i18n import _, language
from app.player import Drag, Slider, player
from core import descent_check, descent_script
from core.descent import RACERS
from core.points import Points
from pages.parts import descent_average, descent_cost, descent_floor, descent_rates, descent_terrain, descent_try
from pages.parts import descent_controls as controls

ENTRY = course.entry("descent")

# --- The first screen: y = w·x -----------------------------------------------------------------------------------


def show_race(points: Points, settings: Settings, race: Race) -> None:
    window = descent_data.window_of(points, settings.w)
    runs = descent_data.runs(points, settings, race)
    beat = descent_data.timeline(points, settings, race)
    followed = runs[race.follow]
    player(
        compiled(descent.race, race.shown, race.clock, settings.batch_size),
        key="race",
        name="gradient-descent",
        alt=words.in_words(runs, window, points),
        data=descent_data.race_data(points, settings, race, language()),
        steps=len(beat.ticks),
        captions=words.captions(followed, race.follow, beat, race.clock),
        sliders=[Slider("w", _("start of w"), window.start, window.stop, window.step, settings.w)],
        drags=[Drag("loss", x="w")],
        formula=words.formula(followed),
        on_release=st.session_state.update,
    )
    page.status(*words.fate(followed, race.follow))
    if others := words.also_diverging(runs, race.follow):
        page.status(others, "bad")
    st.caption(words.key(race.clock, runs))
    if thinning := words.thinning(beat):
        st.caption(thinning)


# --- y = w·x + b -------------------------------------------------------------------------------------------------


def show_plane(points: Points, settings: Settings, race: Race) -> None:
    """Draw the paths over the map; the start is dragged there, so the whole page follows it."""
    window = descent_plane.window_of(points, settings)
    runs = descent_data.runs(points, settings, race, with_bias=True)
    beat = descent_data.timeline(points, settings, race, with_bias=True)
    followed = runs[race.follow]
    player(
        compiled(descent_plane.chart, race.shown, race.clock, settings.batch_size),
        key="plane",
        name="gradient-descent-with-bias",
        alt=descent_plane.in_words(runs, window),
        data=descent_plane.chart_data(points, settings, race),
        steps=len(beat.ticks),
        captions=words.captions(followed, race.follow, beat, race.clock),
        sliders=[
            Slider("w", _("start of w"), window.w.start, window.w.stop, window.w.step, settings.w),
            Slider("b", _("start of b"), window.b.start, window.b.stop, window.b.step, settings.b),
        ],
        drags=[Drag("plane", x="w", y="b")],
        formula=descent_plane.formula(),
        on_release=st.session_state.update,
    )
    page.status(*words.fate(followed, race.follow))


# --- Every update ------------------------------------------------------------------------------------------------


def show_updates(points: Points, settings: Settings, follow: str) -> None:
    st.markdown(
        _(
            "The updates of the followed method, as the course's listings print them. A click sets everything as in a "
            "listing: three points, lr = 0.01, w = 1."
        )
    )
    listings = (
        ("gd", 100, _("The course's gradient descent: 100 epochs")),
        ("sgd", 100, _("The course's SGD: 100 epochs")),
        ("sgd", 10, _("The course's SGD: 10 epochs")),
    )
    with st.container(horizontal=True):
        for method, epochs, label in listings:
            asked = everything() | {"method": method, "epochs": epochs}
            st.button(label, key=f"{method}_{epochs}", on_click=st.session_state.update, args=(asked,))
    updates = descent_table.updates(run(points, settings.spec(follow)))
    page.table(updates, name="gradient-descent", alt=_("Every update, as the course prints it"))
    compare(points, settings, follow)
    if listing := descent_script.listing(points, settings.spec(follow)):
        st.markdown(_("The same without PyTorch, as in the course:"))
        st.code(listing, language="python")


def everything() -> dict[str, object]:
    """Return what both of the course's listings share, for the widgets: these numbers, and else nothing unusual.

    Whole numbers are ints, since the link says epochs=100 for 100 and epochs=100.0 for 100.0.
    """
    usual = {name: getattr(controls.USUAL, name) for name in controls.labels()}
    return usual | {"preset": "course", "lr": 0.01, "w": 1.0, "clock": "updates", "descent.shown": list(RACERS)}


def compare(points: Points, settings: Settings, follow: str) -> None:
    """Let torch.optim.SGD make the same updates, when asked, and show how far it is from ours."""
    if st.button(_("Compare with torch.optim.SGD"), key="compare"):
        found = descent_check.compare(run(points, settings.spec(follow)))
        page.status(words.compared(found.updates, found.difference), "good")


# --- The page ----------------------------------------------------------------------------------------------------

page.header(_(ENTRY.title), _(ENTRY.promise))
top, picture = st.container(), st.container()
with top:
    points = controls.choose_points()
    controls.read_shown()
controls.more_settings(points)
with top:
    follow, clock = controls.choose_race(controls.in_force().fitted(points).batch_size)
with picture:
    settings = controls.fitted(points)
    methods = controls.shown(follow)
    seconds = tuple(seconds_per_update(points, settings, racer) for racer in methods) if clock == "time" else ()
    race = Race(shown=methods, follow=follow, clock=clock, seconds=seconds)
    show_race(points, settings, race)

with page.section(_("The data"), key="edit") as is_open:
    if is_open:
        data.edit(points)
    else:
        data.forget_table()

with page.section(_("With a bias: y = w·x + b"), key="plane") as with_bias:
    if with_bias:
        show_plane(points, settings, race)

with page.section(_("Every update, as the course prints it"), key="listing") as is_open:
    if is_open:
        show_updates(points, settings, follow)

PARTS: tuple[tuple[str, str, Callable[[Points, Settings], None]], ...] = (
    ("rates", _("The learning rate"), descent_rates.show),
    ("floor", _("The noise floor"), descent_floor.show),
    ("terrain", _("Not convex"), descent_terrain.show),
    ("average", _("Exponentially weighted average"), descent_average.show),
    ("cost", _("Time and parallelism"), descent_cost.show),
    ("try", _("Things to try"), descent_try.show),
)
for key, label, show in PARTS:
    page.part(label, partial(show, points, settings), key=key)

# While the model with a bias is shown, the script is its.
page.code_panel(
    lambda: descent_script.script(points, settings.spec(follow, with_bias=with_bias)), name="gradient_descent"
)
