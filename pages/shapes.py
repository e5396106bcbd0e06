"""The shape detective: see app/course.py. Course: "把之前全连接网络改成CNN", where 320 is the question."""

from functools import partial

import streamlit as st

from app import course, page
from app.charts import compiled
from app.figures import shapes as figure
from app.figures import shapes_words as words
from app.figures.shapes_data import captions, detective_data
from app.i18n import _, language
from app.player import Drag, Slider, player
from core.errors import InputError
from core.shapes.inspection import Inspection
from core.shapes.layer import Shape
from core.shapes.tracebacks import diagnose
from pages.parts import shapes_edit as edits
from pages.parts import shapes_practice as practice
from pages.parts import shapes_sections as sections
from pages.parts import shapes_source as net
from pages.parts import shapes_tries as tries

ENTRY = course.entry("shapes")


def drawing(text: str, shape: Shape, inspection: Inspection) -> None:
    report = inspection.report
    pressing = {}
    count = len(inspection.source.chain.nodes)
    if edits.marking() and count > 1:
        now = edits.marked(inspection.source.chain)
        pressing = {
            "sliders": [Slider("marked", _("marked layer"), 1, count, 1, now)],
            "drags": [Drag("chain", set={"marked": figure.PRESSED})],
            "on_release": edits.mark,
        }
    player(
        compiled(figure.detective),
        key="shapes",
        name="shapes",
        alt=words.alternative(report),
        data=detective_data(text, shape, language()),
        steps=len(report.rows),
        start=0 if report.ok else -1,
        captions=captions(report),
        formula=figure.calculation(),
        **pressing,
    )
    page.status(*words.verdict(report))


def diagnosis(text: str, inspection: Inspection) -> None:
    """Say what PyTorch would say at the first mistake, what it means, and what would repair it."""
    error = inspection.report.error
    if error is None:
        for note in inspection.source.notes:
            page.status(sections.noted(note))
        return
    if error.torch:
        st.code(f"{error.error_type}: {error.torch}", language=None, wrap_lines=True)
    page.status(" ".join(sections.noted(note) for note in diagnose(inspection.report)))
    edits.offer_repairs(text, inspection)


page.header(_(ENTRY.title), _(ENTRY.promise))
controls = st.columns(2)
with controls[0]:
    text = net.choose_net()
try:
    with controls[1]:
        shape = net.choose_input(st.session_state["net"])
    shown, inspection = net.inspected(text, shape)
except InputError as error:
    page.input_error(error)
    st.stop()
drawing(shown, shape, inspection)
diagnosis(shown, inspection)
net.say_why(text)
edits.choose_view(shown, inspection)

page.part(_("Totals and all numbers"), partial(sections.show_totals, inspection), key="totals")
page.part(_("Which layer, which input?"), partial(sections.show_solutions, shown, inspection, shape), key="solve")
page.part(_("Paste an error message"), partial(sections.show_error, inspection, shape), key="error")
page.part(_("Practice: which shape comes out?"), practice.show, key="practice")
page.part(_("Things to try"), tries.show, key="try")
sections.show_code(inspection, shape)
