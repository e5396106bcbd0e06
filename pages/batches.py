"""Epochs, batches, iterations: see app/course.py. Course: "加载数据集"."""

from functools import partial
from html import escape
from sys import float_info
from urllib.parse import urlencode

import pandas as pd
import streamlit as st

from app import course, link, page
from app.charts import compiled
from app.choice import choice
from app.figures import batches as belt
from app.figures import batches_words as words
from app.figures import loading_time as timed
from app.figures import splits as parted
from app.figures.descent_runs import Settings
from app.i18n import _, browser_language, language, ngettext
from app.player import player
from core import loading, loading_script, splits
from core.errors import InputError
from core.loading import Loading
from core.loading_job import Measurement, measurement
from core.samples import AMOUNTS, ARRANGEMENTS, Samples, samples
from core.splits import Split

ENTRY = course.entry("batches")
POLL, GLANCE = 0.7, 3.0  # s between two looks at a measurement: under way; that somebody else may start
USUAL = {"few": 5.0, "all": 32.0}  # batch sizes
EPOCHS = 3.0
GRADIENT = Settings()  # what the page of the gradient shows at first
TABLE = "diabetes.csv"

# --- The first screen


def controls() -> None:
    """Draw the four; they have no bounds of their own: core.loading refuses a wrong value with its sentence."""
    for key in ("batch_size", "seed"):
        link.check_number(key, -float_info.max, float_info.max)
    for key in ("shuffle", "drop_last"):
        link.check_choice(key, ("true", "false"))
    with st.container(horizontal=True, vertical_alignment="bottom", gap="medium"):
        number(_("Batch size"), "batch_size", USUAL[amount()])
        number(_("Seed"), "seed", 0.0)
        st.toggle("shuffle", value=True, key="shuffle", bind="query-params", width="content")
        st.toggle("drop_last", key="drop_last", bind="query-params", width="content")


def number(label: str, key: str, value: float) -> None:
    st.number_input(label, value=value, step=1.0, format="%g", key=key, bind="query-params", width=130)


def amount() -> str:
    """Return how much of the table is handed out, also before its control is drawn."""
    asked = st.session_state.get("rows", st.query_params.get("rows"))
    return asked if asked in AMOUNTS else "few"


def whole(value: float) -> int:
    """Return the integer that a float stands for; the spec refuses what is none."""
    return int(value) if value % 1 == 0 and abs(value) < 1e15 else value  # type: ignore[return-value]


def accepted(count: int) -> Loading:
    """Read the controls; say what is wrong with each number, and what the picture shows instead."""
    state = st.session_state
    usual = {"batch_size": USUAL[amount()], "seed": 0.0, "epochs": EPOCHS}
    numbers = {key: whole(state.get(key, value)) for key, value in usual.items()}
    refused = loading.refusals(count, numbers)
    if not refused:
        spec = Loading(count=count, shuffle=state["shuffle"], drop_last=state["drop_last"], **numbers)
        state["batches.accepted"] = spec
        return spec
    for error in refused:
        page.input_error(error)
    kept = state.get("batches.accepted")
    spec = kept if kept and kept.count == count else Loading(count=count, batch_size=int(USUAL[amount()]))
    sentence = _("All that follows is for batch size {size}, seed {seed}, shuffle {shuffle}, drop_last {drop_last}")
    said = sentence.format(size=spec.batch_size, seed=spec.seed, shuffle=on(spec.shuffle), drop_last=on(spec.drop_last))
    epochs = ngettext("{said}, {epochs} epoch.", "{said}, {epochs} epochs.", spec.epochs)
    st.caption(epochs.format(said=said, epochs=spec.epochs))
    return spec


def on(switch: bool) -> str:
    return _("on") if switch else _("off")


def show_belt(spec: Loading, data: Samples) -> None:
    player(
        compiled(belt.belt, spec.count <= belt.TOKENS),
        key="belt",
        name="batches",
        alt=words.belt_in_words(spec, data),
        data=belt.belt_data(spec, data),
        steps=belt.drawn_epochs(spec) * spec.iterations,
        captions=words.captions(spec),
        formula=words.written(spec),
    )
    for sentence in words.verdict(spec, data):
        page.status(*sentence)
    if belt.drawn_epochs(spec) < spec.epochs:
        sentence = ngettext(
            "The picture has the first of {epochs} epochs; the table below has all.",
            "The picture has the first {drawn} of {epochs} epochs; the table below has all.",
            belt.drawn_epochs(spec),
        )
        st.caption(sentence.format(drawn=belt.drawn_epochs(spec), epochs=spec.epochs))
    st.caption(words.what_an_iteration_does())
    link_to_gradient(spec)


def link_to_gradient(spec: Loading) -> None:
    """Link to the page that has parameters of the same names; Streamlit's own links lose these on the way.

    What that page would take out of its link is not in it: the correction would be a step for the Back button.
    """
    wanted = {
        "method": "minibatch-shuffled" if spec.shuffle else "minibatch",
        "batch_size": spec.batch_size,
        "seed": spec.seed,
        "lang": language(),
    }
    usual = {"batch_size": GRADIENT.batch_size, "seed": GRADIENT.seed, "lang": browser_language()}
    values = urlencode({name: value for name, value in wanted.items() if value != usual.get(name)})
    label = escape(_("See what this batch size does to the gradient"))
    st.html(f'<a href="{course.entry("descent").path}?{values}" style="color: inherit">→ {label}</a>')


# --- The data


def choose_data() -> None:
    left, middle, right = st.columns([2, 2, 1])
    with left:
        link.check_choice("rows", AMOUNTS)
        options = {name: _(title) for name, title in AMOUNTS.items()}
        choice(_("Samples"), options, key="rows", default="few", on_change=fit_batch)
    with middle:
        link.check_choice("order", ARRANGEMENTS)
        options = {name: _(title) for name, title in ARRANGEMENTS.items()}
        choice(_("Their order in the data set"), options, key="order", default="file")
    with right:
        link.check_number("epochs", -float_info.max, float_info.max)
        number(_("Epochs"), "epochs", EPOCHS)


def fit_batch() -> None:
    """Keep a batch size that the other amount of data allows; say so where it changes."""
    state = st.session_state
    chosen = state["rows"]
    before = next(name for name in AMOUNTS if name != chosen)
    size, usual, count = state["batch_size"], USUAL[chosen], len(samples(chosen))
    if size == USUAL[before]:
        sentence = _("The batch size is now {usual:g}, the usual one of this page for {count} samples.")
    elif size > count:
        sentence = _("The batch size is now {usual:g}: {size:,g} is more than the {count} samples.")
    else:
        return
    state["batch_size"] = usual
    state["batches.fitted"] = sentence.format(usual=usual, size=size, count=count)


def describe_data(data: Samples) -> None:
    st.markdown(
        _(
            "The diabetes table: eight measurements of each of 768 women, scaled to −1 … 1, and the label: 1 where "
            "diabetes showed within five years. Point at a token to see its row."
        )
    )
    st.markdown(words.arrangement(data, is_sorted=st.session_state["order"] == "sorted"))
    st.download_button(
        _("Download {file}").format(file=TABLE),
        samples("all").csv,
        file_name=TABLE,
        mime="text/csv",
        on_click="ignore",
        icon=":material/download:",
        key="diabetes_csv",
    )
    st.caption(_("The file is the whole table; the script on this page takes the rows that are shown from it."))
    titles = [*belt.column_titles(), _("Label (diabetes)")]
    frame = pd.DataFrame([[*x, int(y)] for x, y in zip(data.x, data.y, strict=True)], columns=titles)
    st.dataframe(frame, alt="batches-data")


def compare(spec: Loading, data: Samples) -> None:
    """Let torch's DataLoader hand the data out and say whether it does the same."""
    theirs = loading.from_torch(spec, data)
    ours = [[rows.tolist() for rows in spec.batches(epoch)] for epoch in range(spec.epochs)]
    count = sum(len(epoch) for epoch in theirs)
    if theirs == ours:
        sentence = _("torch.utils.data.DataLoader hands out the same rows in the same order in all {count} batches.")
        page.status(sentence.format(count=count), "good")
    else:
        differing = sum(
            a != b for one, other in zip(theirs, ours, strict=True) for a, b in zip(one, other, strict=True)
        )
        sentence = _("torch.utils.data.DataLoader differs in {differing} of {count} batches: another version of torch.")
        page.status(sentence.format(differing=differing, count=count), "bad")


def show_table(spec: Loading, data: Samples) -> None:
    page.table(belt.table(spec, data), name="batches")
    st.caption(_("The table and the script count epochs and iterations from 0, as enumerate does; the picture from 1."))


# --- Two ways to read, and num_workers


def show_reading() -> None:
    st.markdown(timed.two_ways())
    once, demand = st.columns(2)
    with once:
        st.markdown(_("All at once: for tables, and whatever fits into memory."))
        st.code(timed.ALL_AT_ONCE, language="python")
    with demand:
        st.markdown(_("On demand: for images, sound and text that do not fit."))
        st.code(timed.ON_DEMAND, language="python")
    page.table(timed.memory_table(), name="reading")
    st.caption(timed.memory_note())


def show_workers(job: Measurement, drawn_running: bool) -> None:
    """Draw the measurement; this part alone is drawn anew while it runs."""
    state = job.snapshot
    if state.running != drawn_running:
        st.rerun()
    if state.error is not None:
        page.input_error(state.error)
    if state.stopped:
        page.status(timed.stopped(state), "warning")
    if state.running:
        st.progress(min(1.0, state.done), text=timed.progress(state))
        st.button(_("Stop it for everyone"), icon=":material/stop:", on_click=job.stop, key="stop_timing")
    else:
        st.button(timed.start_label(state), icon=":material/timer:", on_click=job.start, key="start_timing")
    if not state.timings:
        return
    player(
        compiled(timed.chart, state.timings[0].samples),
        key="workers",
        name="loading-time",
        alt=timed.in_words(state.timings),
        data=timed.chart_data(state.timings),
    )
    for sentence in timed.verdict(state):
        page.status(*sentence)
    page.table(timed.table(state.timings), name="loading-time")
    if state.conditions is not None:
        st.caption(timed.conditions(state.conditions))


def workers() -> None:
    st.markdown(timed.what_is_measured())
    try:
        job = measurement()
    except InputError as error:
        page.input_error(error)
        return
    running = job.snapshot.running
    st.fragment(show_workers, run_every=POLL if running else GLANCE)(job, running)


# --- Training, validation, test


def show_split() -> None:
    columns = st.columns(3)
    inputs = (("train", _("Training, %"), 60.0, 5.0), ("validation", _("Validation, %"), 20.0, 5.0))
    for column, (key, label, value, step) in zip(columns, (*inputs, ("split_seed", _("Seed"), 0.0, 1.0)), strict=True):
        with column:
            link.check_number(key, -float_info.max, float_info.max)
            st.number_input(label, value=value, step=step, format="%g", key=key, bind="query-params")
    split = accepted_split(*(st.session_state[key] for key in ("train", "validation", "split_seed")))
    player(
        compiled(parted.belt),
        key="split",
        name="split",
        alt=parted.in_words(split),
        data=parted.belt_data(split),
    )
    st.markdown(parted.uses())
    page.table(parted.table(split), name="split")
    st.code(parted.code(split), language="python")
    show_leaks(split)


def accepted_split(train: float, validation: float, seed: float) -> Split:
    """Return the typed split, or the last right one with a sentence for what is wrong."""
    state, seed = st.session_state, whole(seed)
    refused = splits.refusals(train, validation, seed)
    for error in refused:
        page.input_error(error)
    if not refused:
        state["batches.split"] = Split(train=train, validation=validation, seed=seed)
    split: Split = state.get("batches.split", Split())
    if refused:
        sentence = _("All that follows is for {train:g} % training, {validation:g} % validation, seed {seed}.")
        st.caption(sentence.format(train=split.train, validation=split.validation, seed=split.seed))
    return split


def show_leaks(split: Split) -> None:
    st.markdown(
        _(
            "**Leaks.** What touches the test rows before the test makes it lie. Three common mistakes, each "
            "measured on this table: the same model, with the mistake and without it, on {seeds} random splits. The "
            "model is a logistic regression; for the copied rows it is the nearest neighbour, which gives each row "
            "the label of the training row most like it."
        ).format(seeds=parted.SEEDS)
    )
    player(
        compiled(parted.leaks),
        key="leaks",
        name="leaks",
        alt=parted.leaks_in_words(split),
        data=parted.leaks_data(split),
    )
    for sentence in parted.verdicts(split):
        page.status(*sentence)
    page.table(parted.leaks_table(split), name="leaks")


# --- Things to try


def things_to_try() -> None:
    count, size = 759, 32
    spec = Loading(count=count, batch_size=size)
    page.predict(
        key="try_iterations",
        question=_(
            "A data set of {count} rows, handed out in batches of {size}: how many iterations has an epoch, and how "
            "large is the last batch?"
        ).format(count=count, size=size),
        options=[
            _("{iterations} iterations, {rest} in the last batch").format(iterations=iterations, rest=rest)
            for iterations, rest in ((23, 32), (spec.iterations, spec.rest), (24, 32), (23, 23))
        ],
        answer=1,
        explanation=_("⌈{count} / {size}⌉ = {iterations}, and {count} − {full} · {size} = {rest}.").format(
            count=count, size=size, iterations=spec.iterations, full=spec.iterations - 1, rest=spec.rest
        ),
    )
    in_file, sorted_ = (
        words.shares(Loading(count=768, batch_size=32, shuffle=False), samples("all", order))
        for order in ("file", "sorted")
    )
    page.predict(
        key="try_sorted",
        question=_(
            "All 768 rows, sorted by label, batch size 32, no shuffle. How many of the 24 batches hold one label only?"
        ),
        options=[_("None"), _("About half"), _("All but one")],
        answer=2,
        explanation=_(
            "{sorted} of 24. In the file's own order there are already {file}; shuffled, usually none."
        ).format(sorted=sorted_[2], file=in_file[2]),
    )
    few = {"rows": "few", "batch_size": USUAL["few"], "shuffle": True, "drop_last": False}  # each sets all of them
    in_order = {"rows": "all", "order": "file", "batch_size": USUAL["all"], "shuffle": False, "drop_last": False}
    suggestions = (
        (
            _("Every epoch leaves out the same rows: shuffle off, drop_last on."),
            few | {"shuffle": False, "drop_last": True},
        ),
        (_("One sample a batch: how many updates has an epoch now?"), few | {"batch_size": 1.0}),
        (_("All rows in the file's order without shuffle: watch the bars."), in_order),
    )
    for place, (text, values) in enumerate(suggestions):
        st.button(
            text,
            key=f"try_{place}",
            type="tertiary",
            icon=":material/arrow_forward:",
            on_click=st.session_state.update,
            args=(values,),
        )


# --- The page

page.header(_(ENTRY.title), _(ENTRY.promise))
controls()
picture = st.container()
choose_data()
data = samples(st.session_state["rows"], st.session_state["order"])
with picture:
    if fitted := st.session_state.pop("batches.fitted", None):
        st.caption(fitted)
    spec = accepted(len(data))
    show_belt(spec, data)
page.part(_("The data"), partial(describe_data, data), key="data")
page.part(_("Two ways to read: all at once, or on demand"), show_reading, key="reading")
with page.section(_("num_workers: how long the training waits for its data"), key="workers") as is_open:
    if is_open:
        workers()
page.part(_("Training, validation and test"), show_split, key="split")
with page.section(_("Things to try"), key="try") as is_open:
    if is_open:
        things_to_try()
page.code_panel(lambda: loading_script.script(spec, st.session_state["order"], TABLE), name="batches")
page.part(_("Compare with torch's DataLoader"), partial(compare, spec, data), key="compare_with")
page.part(_("The batches as a table"), partial(show_table, spec, data), key="numbers")
