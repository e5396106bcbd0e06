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
from app.figures import descent, descent_data, descent_plane, descent_table, mse_words
from app.figures import descent_words as words
from app.figures.descent_clock import CLOCKS
from app.figures.descent_data import Race
from app.figures.descent_runs import MOST_ROWS, Settings, few, on_screen, run, seconds_per_update, title
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

# --- Controls ----------------------------------------------------------------------------------------------------


def choose_points() -> Points:
    """Choose the data; of very many rows some are taken, aloud."""
    chosen = data.choose(default="noisy")
    if len(chosen) > MOST_ROWS:
        sentence = _("This page takes {most:,} of the {count:,} rows, evenly chosen.")
        page.status(sentence.format(most=MOST_ROWS, count=len(chosen)), "warning")
    return few(chosen)


def labels() -> dict[str, str]:
    """Name the settings as their inputs do."""
    return {
        "lr": _("Learning rate"),
        "epochs": _("Epochs"),
        "batch_size": _("Batch size of the mini-batches"),
        "seed": _("Seed of the shuffling"),
        "decay": _("Decay of the learning rate"),
        "w": _("Start of w"),
        "b": _("Start of b, where there is a bias"),
    }


def ask(name: str, step: float) -> InputError | None:
    """Draw the input of one setting and put its value in force; return why it cannot be."""
    link.check_number(name)
    usual: float = getattr(USUAL, name)
    label = labels()[name]
    value = st.number_input(label, value=float(usual), step=step, format="%g", key=name, bind="query-params")
    whole = isinstance(usual, int) and value == int(value)
    try:
        st.session_state[GOOD] = replace(in_force(), **{name: int(value) if whole else value})
    except InputError as error:
        return on_screen(error, label)
    return None


def refuse(name: str, error: InputError | None) -> None:
    """Say why a value was not taken, and which one the picture is drawn for."""
    if error:
        page.input_error(error)
        value = f"{getattr(in_force(), name):.15g}".replace("-", "−")
        st.caption(_("The picture is drawn for: {label} = {value}.").format(label=labels()[name], value=value))


def in_force() -> Settings:
    """Return the last settings that were right."""
    settings: Settings = st.session_state.get(GOOD, USUAL)
    return settings


def choose_race(batch_size: int) -> tuple[str, str]:
    """Draw the learning rate, which method is followed, and what a step is; return the latter two."""
    rate, method, step = st.columns([2, 3, 5])
    with rate:
        refused = ask("lr", 0.01)
    with method:
        titles = {racer: title(racer, batch_size) for racer in RACERS}
        link.check_choice("method", titles)
        follow = choice(_("Follow"), titles, key="method", default="sgd", folded=True)
    with step:
        clocks = {name: _(clock.title) for name, clock in CLOCKS.items()}
        link.check_choice("clock", clocks)
        why = _(
            "An update of the full batch uses all samples, one of SGD a single one: what is fair depends on the clock."
        )
        clock = choice(_("Count in"), clocks, key="clock", default="samples", help=why)
    refuse("lr", refused)
    return follow, clock


def more_settings(points: Points) -> None:
    """Draw the inputs that are closed at first, unless the link uses one of them."""
    steps = {"epochs": 1.0, "batch_size": 1.0, "seed": 1.0, "decay": 0.01, "w": 0.1, "b": 0.1}
    is_used = st.session_state.setdefault("descent.used", any(name in st.query_params for name in steps))
    panel = st.expander(
        _("More settings"), expanded=is_used, key="more", on_change="rerun", bind="query-params", type="compact"
    )
    with panel:
        columns = [column for _row in range(2) for column in st.columns(3)]
        refused = {}
        for column, (name, step) in zip(columns, steps.items(), strict=True):
            with column:
                refused[name] = ask(name, step)
        for name, error in refused.items():
            refuse(name, error)
        choose_shown(in_force().fitted(points).batch_size)
        st.caption(_("In epoch e = 0, 1, … the learning rate is lr / (1 + decay · e)."))


def read_shown() -> None:
    """Take from the link which methods are shown, once; say so where it names one that does not exist."""
    asked = st.query_params.get("shown")
    names = asked.split(",") if asked else []
    if asked is not None and not (names and set(names) <= set(RACERS)):
        link.check_choice("shown", ())
        del st.query_params["shown"]
        names = []
    if "descent.shown" not in st.session_state:
        st.session_state["descent.shown"] = names or list(RACERS)


def choose_shown(batch_size: int) -> None:
    """Draw which methods are shown; the link names them in one parameter."""
    st.pills(
        _("Methods shown"),
        list(RACERS),
        selection_mode="multi",
        format_func=partial(title, batch_size=batch_size),
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
    """Return settings that these points allow; what was asked for in vain is said, and what is taken instead."""
    settings = in_force()
    if settings.batch_size == USUAL.batch_size:  # nobody asked for it
        settings = replace(settings, batch_size=min(settings.batch_size, len(points)))
    try:
        settings.check(points)
    except InputError as error:
        page.input_error(on_screen(error, _("Batch size")))
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
        ("gd", 100.0, _("The course's gradient descent: 100 epochs")),
        ("sgd", 100.0, _("The course's SGD: 100 epochs")),
        ("sgd", 10.0, _("The course's SGD: 10 epochs")),
    )
    with st.container(horizontal=True):
        for method, epochs, label in listings:
            asked = everything() | {"method": method, "epochs": epochs}
            st.button(label, key=f"{method}_{epochs:g}", on_click=st.session_state.update, args=(asked,))
    updates = descent_table.updates(run(points, settings.spec(follow)))
    page.table(updates, name="gradient-descent", alt=_("Every update, as the course prints it"))
    compare(points, settings, follow)
    if listing := descent_script.listing(points, settings.spec(follow)):
        st.markdown(_("The same without PyTorch, as in the course:"))
        st.code(listing, language="python")


def everything() -> dict[str, object]:
    """Return what both of the course's listings share, for the widgets: these numbers, and else nothing unusual."""
    usual = {name: float(getattr(USUAL, name)) for name in labels()}
    return usual | {"preset": "course", "lr": 0.01, "w": 1.0, "clock": "updates", "descent.shown": list(RACERS)}


def compare(points: Points, settings: Settings, follow: str) -> None:
    """Let torch.optim.SGD make the same updates, when asked, and show how far it is from ours."""
    if st.button(_("Compare with torch.optim.SGD"), key="compare"):
        found = descent_check.compare(run(points, settings.spec(follow)))
        page.status(words.compared(found.updates, found.difference), "good")


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


# --- The page ----------------------------------------------------------------------------------------------------

page.header(_(ENTRY.title), _(ENTRY.promise))
top, picture = st.container(), st.container()
with top:
    points = choose_points()
    read_shown()
more_settings(points)
with top:
    follow, clock = choose_race(in_force().fitted(points).batch_size)
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
    ("try", _("Things to try"), things_to_try),
)
for key, label, show in PARTS:
    page.part(label, partial(show, points, settings), key=key)

# While the model with a bias is shown, the script is its.
page.code_panel(
    lambda: descent_script.script(points, settings.spec(follow, with_bias=with_bias)), name="gradient_descent"
)
