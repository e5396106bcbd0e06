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
from core.shapes.inspection import Inspection
from core.shapes.layer import Shape
from core.shapes.remarks import about_input, remarks
from core.shapes.tracebacks import diagnose
from pages.parts import shapes_edit as edits
from pages.parts import shapes_practice as practice
from pages.parts import shapes_sections as sections
from pages.parts import shapes_source as sources
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
        calls=not report.ok,
        captions=captions(report),
        formula=figure.calculation(),
        **pressing,
    )


def verdict(net: sources.Drawn) -> None:
    """Say whether data flow through; what is wrong stands above the drawing, where it is seen first."""
    report = net.inspection.report
    sentence, kind = words.verdict(report, lines=edits.lines_are_shown())
    if net.old:
        sentence, kind = _("Before: {sentence}").format(sentence=sentence), "neutral"
    page.status(sentence, kind)


def diagnosis(text: str, inspection: Inspection) -> None:
    """Say what PyTorch would say at the first mistake, what it means, and what would repair it."""
    error = inspection.report.error
    for note in (*remarks(inspection.report), *inspection.source.notes):
        page.status(sections.noted(note), "warning")
    if error is None:
        return
    if error.torch:
        st.code(f"{error.error_type}: {error.torch}", language=None, wrap_lines=True)
    if about_input(inspection.report):  # the verdict says that; nothing is wrong with the layer that complains
        return
    page.status(" ".join(sections.noted(note) for note in diagnose(inspection.report)))
    edits.offer_repairs(text, inspection)


page.header(_(ENTRY.title), _(ENTRY.promise))
controls = st.columns(2)
with controls[0]:
    text = sources.choose_net()
with controls[1]:
    wanted = sources.choose_input(st.session_state["net"])
net = sources.drawn(text, wanted)
shown, shape, inspection = net.text, net.shape, net.inspection
if not inspection.report.ok:
    verdict(net)
drawing(shown, shape, inspection)
if inspection.report.ok:
    verdict(net)
diagnosis(shown, inspection)
edits.choose_view(shown, inspection)

page.part(_("Totals and all numbers"), partial(sections.show_totals, inspection), key="totals")
page.part(_("Which layer, which input?"), partial(sections.show_solutions, shown, inspection, shape), key="solve")
page.part(_("Paste an error message"), partial(sections.show_error, inspection, shape), key="error")
page.part(_("Practice: which shape comes out?"), practice.show, key="practice")
page.part(_("Things to try"), tries.show, key="try")
sections.show_code(inspection, shape)
