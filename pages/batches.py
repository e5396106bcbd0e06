"""Epochs, batches, iterations: see app/course.py. Course: "加载数据集"."""

from functools import partial
from html import escape
from urllib.parse import urlencode

import pandas as pd
import streamlit as st

from app import course, page
from app.charts import compiled
from app.figures import batches as belt
from app.figures import batches_words as words
from app.figures.descent_runs import Settings
from app.i18n import _, browser_language, language, ngettext
from app.player import player
from core import loading, loading_script
from core.loading import Loading
from core.samples import Samples, samples
from pages.parts import batches_controls as controls
from pages.parts import batches_split, batches_try, batches_workers

ENTRY = course.entry("batches")
GRADIENT = Settings()  # what the page of the gradient shows at first
TABLE = "diabetes.csv"

# --- The first screen


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


# --- The page

page.header(_(ENTRY.title), _(ENTRY.promise))
controls.choose_loading()
picture = st.container()
controls.choose_data()
data = samples(st.session_state["rows"], st.session_state["order"])
with picture:
    if fitted := st.session_state.pop("batches.fitted", None):
        st.caption(fitted)
    spec = controls.accepted(len(data))
    show_belt(spec, data)
page.part(_("The data"), partial(describe_data, data), key="data")
page.part(_("Two ways to read: all at once, or on demand"), batches_workers.show_reading, key="reading")
with page.section(_("num_workers: how long the training waits for its data"), key="workers") as is_open:
    if is_open:
        batches_workers.show()
page.part(_("Training, validation and test"), batches_split.show, key="split")
with page.section(_("Things to try"), key="try") as is_open:
    if is_open:
        batches_try.show()
page.code_panel(lambda: loading_script.script(spec, st.session_state["order"], TABLE), name="batches")
page.part(_("Compare with torch's DataLoader"), partial(compare, spec, data), key="compare_with")
page.part(_("The batches as a table"), partial(show_table, spec, data), key="numbers")
