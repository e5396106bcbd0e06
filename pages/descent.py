"""Gradient descent and SGD: see app/course.py. Course: "梯度下降算法", "随机梯度下降算法"."""

import math
from collections.abc import Callable
from dataclasses import replace
from functools import partial

import streamlit as st

from app import course, link, page
from app import points as data
from app.charts import compiled
from app.choice import choice
from app.figures import descent, descent_data, descent_plane, descent_table
from app.figures import descent_words as words
from app.figures.descent_clock import CLOCKS
from app.figures.descent_data import Race
from app.figures.descent_runs import MOST_ROWS, Settings, few, run, seconds_per_update, title
from app.figures.mse_words import number
from app.i18n import _, language
from app.player import Drag, Slider, player
from core import descent_check, descent_script, mse
from core.descent import RACERS
from core.errors import InputError
from core.points import PRESETS, Points
from pages.parts import descent_average, descent_cost, descent_floor, descent_rates, descent_terrain

ENTRY = course.entry("descent")
USUAL = Settings()
GOOD = "descent.good"  # the settings in force while an input holds something else
COURSE = {"preset": "course", "lr": 0.01, "w": 1.0, "decay": 0.0}  # what both of the course's listings start from

# --- Controls ----------------------------------------------------------------------------------------------------


def choose_points() -> Points:
    """Choose the data; of very many rows some are taken, aloud."""
    chosen = data.choose(default="noisy")
    if len(chosen) > MOST_ROWS:
        sentence = _("This page takes {most:,} of the {count:,} rows, evenly chosen.")
        page.status(sentence.format(most=MOST_ROWS, count=len(chosen)), "warning")
    return few(chosen)


def ask(name: str, label: str, step: float) -> None:
    """Draw the input of one setting; put its value in force, or say in one sentence why it cannot be."""
    link.check_number(name)
    usual: float = getattr(USUAL, name)
    value = st.number_input(label, value=float(usual), step=step, format="%g", key=name, bind="query-params")
    whole = isinstance(usual, int) and value == int(value)
    try:
        st.session_state[GOOD] = replace(in_force(), **{name: int(value) if whole else value})
    except InputError as error:
        page.input_error(error)
        st.caption(_("The picture still shows the value from before."))


def in_force() -> Settings:
    """Return the last settings that were right."""
    settings: Settings = st.session_state.get(GOOD, USUAL)
    return settings


def choose_race() -> tuple[str, str]:
    """Draw the learning rate, which method is followed, and what a step is; return the latter two."""
    rate, method, step = st.columns([2, 3, 5])
    with rate:
        ask("lr", _("Learning rate"), 0.01)
    with method:
        titles = {racer: title(racer) for racer in RACERS}
        link.check_choice("method", titles)
        follow = choice(_("Follow"), titles, key="method", default="sgd", folded=True)
    with step:
        clocks = {name: _(clock.title) for name, clock in CLOCKS.items()}
        link.check_choice("clock", clocks)
        return follow, choice(_("Count in"), clocks, key="clock", default="samples")


def more_settings() -> None:
    """Draw the inputs that are closed at first, unless the link uses one of them."""
    inputs = (
        ("epochs", _("Epochs"), 1.0),
        ("batch_size", _("Batch size of the mini-batches"), 1.0),
        ("seed", _("Seed of the shuffling"), 1.0),
        ("decay", _("Decay of the learning rate"), 0.01),
        ("w", _("Start of w"), 0.1),
        ("b", _("Start of b, where there is a bias"), 0.1),
    )
    is_used = st.session_state.setdefault("descent.used", any(name in st.query_params for name, _l, _s in inputs))
    with st.expander(_("More settings"), expanded=is_used, type="compact"):
        for row in (inputs[:3], inputs[3:]):
            for column, (name, label, step) in zip(st.columns(3), row, strict=True):
                with column:
                    ask(name, label, step)
        choose_shown()
        st.caption(_("In epoch e = 0, 1, … the learning rate is lr / (1 + decay · e)."))


def choose_shown() -> None:
    """Draw which methods are shown; the link names them in one parameter."""
    asked = st.query_params.get("shown")
    names = asked.split(",") if asked else []
    if asked is not None and not (names and set(names) <= set(RACERS)):
        link.check_choice("shown", ())
        del st.query_params["shown"]
        names = []
    if "descent.shown" not in st.session_state:
        st.session_state["descent.shown"] = names or list(RACERS)
    st.pills(
        _("Methods shown"),
        list(RACERS),
        selection_mode="multi",
        format_func=title,
        key="descent.shown",
        persist_state="session",
    )
    chosen = shown(None)
    if len(chosen) < len(RACERS):
        st.query_params["shown"] = ",".join(chosen)
    elif "shown" in st.query_params:
        del st.query_params["shown"]


def shown(follow: str | None) -> tuple[str, ...]:
    """Return the methods that are shown, among them the one that is followed."""
    chosen = {*st.session_state.get("descent.shown", RACERS), follow}
    return tuple(racer for racer in RACERS if racer in chosen)


def fitted(points: Points) -> Settings:
    """Return settings that these points allow; what they do not allow is said, and what is taken instead."""
    settings = in_force()
    try:
        settings.check(points)
    except InputError as error:
        page.input_error(error)
        settings = settings.fitted(points)
        sentence = _("The picture takes batches of {batch_size} and {epochs} epochs.")
        st.caption(sentence.format(batch_size=settings.batch_size, epochs=settings.epochs))
    return settings


# --- The first screen: y = w·x -----------------------------------------------------------------------------------


def show_race(points: Points, settings: Settings, race: Race) -> None:
    window = descent_data.window_of(points, settings.w)
    runs = descent_data.runs(points, settings, race)
    beat = descent_data.timeline(points, settings, race)
    followed = runs[race.follow]
    player(
        compiled(descent.race, race.shown, race.clock),
        key="race",
        name="gradient-descent",
        alt=words.in_words(runs, window, points),
        data=descent_data.race_data(points, settings, race, language()),
        steps=len(beat.ticks),
        captions=words.captions(followed, race.follow, beat),
        sliders=[Slider("w", _("start of w"), window.start, window.stop, window.step, settings.w)],
        drags=[Drag("loss", x="w")],
        formula=words.formula(followed),
        on_release=st.session_state.update,
    )
    page.status(*words.fate(followed, race.follow))
    if others := words.also_diverging(runs, race.follow):
        page.status(others, "bad")
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
        compiled(descent_plane.chart, race.shown, race.clock),
        key="plane",
        name="gradient-descent-with-bias",
        alt=descent_plane.in_words(runs, window, {racer: title(racer) for racer in runs}),
        data=descent_plane.chart_data(points, settings, race),
        steps=len(beat.ticks),
        captions=words.captions(followed, race.follow, beat),
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
        ("gd", 100.0, _("The course's gradient descent: 100 epochs")),
        ("sgd", 100.0, _("The course's SGD: 100 epochs")),
        ("sgd", 10.0, _("The course's SGD: 10 epochs")),
    )
    with st.container(horizontal=True):
        for method, epochs, label in listings:
            asked = COURSE | {"method": method, "epochs": epochs, "clock": "updates"}
            st.button(label, key=f"{method}_{epochs:g}", on_click=st.session_state.update, args=(asked,))
    page.table(descent_table.updates(run(points, settings.spec(follow))), name="gradient-descent")
    compare(points, settings, follow)
    if listing := descent_script.listing(points, settings.spec(follow)):
        st.markdown(_("The same without PyTorch, as in the course:"))
        st.code(listing, language="python")


def compare(points: Points, settings: Settings, follow: str) -> None:
    """Let torch.optim.SGD make the same updates, when asked, and show how far it is from ours."""
    if st.button(_("Compare with torch.optim.SGD"), key="compare"):
        found = descent_check.compare(run(points, settings.spec(follow)))
        sentence = _("Over {count:,} updates w differs from that of torch.optim.SGD by {difference:.0e} at most.")
        page.status(sentence.format(count=found.updates, difference=found.difference), "good")


# --- Things to try ------------------------------------------------------------------------------------------------


def things_to_try(points: Points, settings: Settings) -> None:
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
    st.markdown(
        _(
            "* Set the learning rate to {below}, then to {above}. What does the full batch do?\n"
            "* Drag the start to the minimum. Which method leaves it, and why?\n"
            "* Count in epochs, then in time. Which method looks best on which clock?"
        ).format(below=number(0.97 * edge), above=number(1.03 * edge))
        if edge < math.inf
        else _("Every x is 0; choose other data to try something.")
    )


# --- The page ----------------------------------------------------------------------------------------------------

page.header(_(ENTRY.title), _(ENTRY.promise))
top, picture = st.container(), st.container()
with top:
    points = choose_points()
    follow, clock = choose_race()
more_settings()
with picture:
    settings = fitted(points)
    methods = shown(follow)
    seconds = tuple(seconds_per_update(points, settings, racer) for racer in methods) if clock == "time" else ()
    race = Race(shown=methods, follow=follow, clock=clock, seconds=seconds)
    show_race(points, settings, race)

with page.section(_("The data"), key="edit") as is_open:
    if is_open:
        data.edit(points)
    else:
        data.forget_table()

with page.section(_("With a bias: y = w·x + b"), key="plane") as is_open:
    if is_open:
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
    ("try", _("Things to try"), things_to_try),
)
for key, label, show in PARTS:
    page.part(label, partial(show, points, settings), key=key)

page.code_panel(lambda: descent_script.script(points, settings.spec(follow)), name="gradient_descent")
