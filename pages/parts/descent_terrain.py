"""Not convex: walks that end in a local minimum, at a saddle or on a plateau, and the course's test of convexity.

Course: "梯度下降算法" (local minima, saddle points) and "非凸函数" (the line between two points of the curve).
"""

import streamlit as st

from app import link, page
from app.charts import compiled
from app.choice import choice
from app.figures import bumps, chord, solid, terrain
from app.figures import terrain_words as words
from app.figures.descent_runs import Settings, on_screen
from app.i18n import _, language
from app.player import Drag, Slider, player
from core.bumps import BumpFit
from core.errors import InputError
from core.points import Points
from core.terrain import TERRAINS, Terrain
from core.walk import walk


def show(_points: Points, _settings: Settings) -> None:
    """Let the reader choose one of four experiments; only that one runs."""
    experiments = {
        "curve": (_("A walk down a curve"), show_curve),
        "surface": (_("A walk down a surface"), show_surface),
        "chord": (_("Convex or not: draw a chord"), show_chord),
        "fit": (_("A saddle that noise leaves"), show_fit),
    }
    titles = {name: title for name, (title, _show) in experiments.items()}
    link.check_choice("terrain.view", titles)
    chosen = choice(_("Experiment"), titles, key="terrain.view", default="curve", label_visibility="collapsed")
    try:
        experiments[chosen][1]()
    except InputError as error:
        page.input_error(error)


def choose_terrain(variables: int, default: str) -> tuple[str, Terrain]:
    """Draw the choice among the functions of one or two variables."""
    titles = {name: _(ground.title) for name, ground in TERRAINS.items() if len(ground.names) == variables}
    key = f"terrain.f{variables}"
    link.check_choice(key, titles)
    name = choice(_("Function"), titles, key=key, default=default, label_visibility="collapsed")
    return name, TERRAINS[name]


def choose_lr(name: str, ground: Terrain) -> float:
    """Draw the learning rate of a function; each has its own, for each has its own usual one."""
    key = f"terrain.{name}"
    written, field = st.columns([2, 1], vertical_alignment="center")
    with field:
        link.check_number(key)
        lr = st.number_input(
            _("learning rate"), value=ground.lr, step=ground.lr / 2, format="%g", key=key, bind="query-params"
        )
    with written:
        page.formula(rf"@loss{{f({', '.join(ground.names)})}} = {ground.latex}")
    return lr


def show_curve() -> None:
    name, ground = choose_terrain(1, "two-valleys")
    lr = choose_lr(name, ground)
    numbers = terrain.curve_data(name, lr, language())
    ((low, high),) = ground.window
    start = terrain.nearest(ground.start[0], low, high, terrain.STARTS)
    player(
        compiled(terrain.curve),
        key=f"walk-{name}",
        name=f"walk-{name}",
        alt=words.walk_in_words(name, walk(name, (start,), lr, terrain.STEPS), lr),
        data=numbers,
        steps=terrain.STEPS + 1,
        start=-1,
        sliders=[Slider("start", _("start x"), low, high, terrain.spacing(low, high, terrain.STARTS), start)],
        drags=[Drag("curve", x="start")],
        formula=words.happening(ground.names),
    )
    page.status(*words.share_of_starts(numbers["starts"]["kind"].tolist()))
    st.caption(
        _(
            "Drag the start along the curve. The strip under it is coloured by where the walk from each start leads in "
            "{count} updates."
        ).format(count=terrain.STEPS)
    )


def show_surface() -> None:
    name, ground = choose_terrain(2, "saddle")
    lr = choose_lr(name, ground)
    start = tuple(
        terrain.nearest(value, low, high, terrain.GRID)
        for value, (low, high) in zip(ground.start, ground.window, strict=True)
    )
    numbers = terrain.surface_data(name, lr, language())
    flat, body = st.columns(2, vertical_alignment="center")
    with flat:
        player(
            compiled(terrain.surface),
            key=f"walk-{name}",
            name=f"walk-{name}",
            alt=words.walk_in_words(name, walk(name, start, lr, terrain.SHORT), lr),
            data=numbers,
            steps=terrain.SHORT + 1,
            start=-1,
            sliders=[
                Slider(variable, _("start {name}").format(name=variable), *ends, spacing, value)
                for variable, ends, spacing, value in zip(
                    ground.names,
                    ground.window,
                    (terrain.spacing(*ends, terrain.GRID) for ends in ground.window),
                    start,
                    strict=True,
                )
            ],
            drags=[Drag("map", x="u", y="v")],
            formula=words.happening(ground.names),
        )
    with body:
        st.plotly_chart(
            solid.terrain_in_3d(name, lr, page.theme(), language()),
            key="terrain-3d",
            config={"displayModeBar": False},  # its labels are English
            alt=words.solid_in_words(name, lr),
        )
        st.caption(words.two_paths(name))
    page.status(*words.share_of_starts(numbers["starts"]["kind"].tolist()))


def show_chord() -> None:
    name, ground = choose_terrain(1, "two-valleys")
    st.markdown(
        _("Convex: between any two points a and b, the curve lies nowhere above the straight line from a to b.")
    )
    page.formula(r"f(t\,a + (1-t)\,b) \le t\,f(a) + (1-t)\,f(b), \qquad 0 \le t \le 1")
    ((low, high),) = ground.window
    third = (high - low) / 3
    spacing = terrain.spacing(low, high, chord.POINTS)
    ends = (
        terrain.nearest(low + third, low, high, chord.POINTS),
        terrain.nearest(high - third / 4, low, high, chord.POINTS),
    )
    player(
        compiled(chord.chart),
        key=f"chord-{name}",
        name=f"chord-{name}",
        alt=words.chord_in_words(name, *ends),
        data=chord.chord_data(name),
        sliders=[
            Slider(end, _("end {name}").format(name=end), low, high, spacing, value)
            for end, value in zip(("a", "b"), ends, strict=True)
        ],
        drags=[Drag("chord", set=chord.NEARER_END)],
        outputs=chord.outputs(),
        formula=chord.written(),
    )
    page.status(*words.is_convex(name))
    st.caption(_("Drag near either end of the chord. One chord with the curve above it shows that it is not convex."))


def show_fit() -> None:
    st.markdown(
        _(
            "One bump is fitted to data with two. Between them, at c = 0, both sides pull equally: the gradient of all "
            "samples by c is exactly zero. A mini-batch holds other samples each time and disagrees."
        )
    )
    page.formula(r"@prediction{\hat y} = @weight{a}\, e^{-(x - @bias{c})^2}")
    spec = choose_fit()
    numbers = bumps.chart_data(spec, language())
    player(
        compiled(bumps.chart),
        key="saddle",
        name="saddle-fit",
        alt=bumps.in_words(spec),
        data=numbers,
        steps=len(bumps.places(bumps.fits(spec)["gd"])),
        start=-1,
        captions=bumps.captions(spec),
    )
    page.status(*bumps.verdict(spec))
    names = {"title": _("method"), "epoch": _("epochs"), "loss": _("mean squared error")}
    page.table(numbers["paths"].drop(columns="step").rename(columns=names), name="saddle-fit")


def choose_fit() -> BumpFit:
    """Draw the controls of the fit. Raises InputError."""
    usual = BumpFit()
    columns = st.columns(3)
    inputs = (
        ("batch_size", _("Batch size"), float(usual.batch_size), 1.0),
        ("lr", _("Learning rate"), usual.lr, 0.05),
        ("seed", _("Seed"), float(usual.seed), 1.0),
    )
    values = {}
    for column, (field, label, value, step) in zip(columns, inputs, strict=True):
        with column:
            key = f"terrain.{field}"
            link.check_number(key)
            values[field] = st.number_input(label, value=value, step=step, format="%g", key=key, bind="query-params")
    batch_size, seed = whole(_("Batch size"), values["batch_size"]), whole(_("Seed"), values["seed"])
    try:
        return BumpFit(batch_size=batch_size, lr=values["lr"], seed=seed)
    except InputError as error:
        raise on_screen(error, _("Batch size")) from error


def whole(name: str, value: float) -> int:
    """Return a whole number as one. Raises InputError for another."""
    if value % 1:
        raise InputError("{name} must be a whole number, not {value:g}.", name=name, value=value)
    return int(value)
