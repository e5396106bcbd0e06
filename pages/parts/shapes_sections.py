"""The sections below the drawing: totals, the question turned round, pasted errors, the script."""

from collections.abc import Sequence
from functools import lru_cache

import pandas as pd
import streamlit as st

from app import link, page
from app.choice import choice
from app.figures import shapes_words as words
from app.i18n import _, error_sentence
from core.errors import InputError
from core.shapes.inspection import Inspection, read_once
from core.shapes.layer import Shape
from core.shapes.script import FORMS, script
from core.shapes.solve import inputs_for, windows_for
from core.shapes.source import Note
from core.shapes.tracebacks import LONGEST, explain
from core.shapes.tracebacks import sentence as located

LARGEST = 4_096  # pixels; the sizes that are asked about
MOST_SIZES = 256  # input sizes that are tried
MOST_STEPS = 8_000  # operations that are run to find input sizes, about a second
EXAMPLE = "RuntimeError: mat1 and mat2 shapes cannot be multiplied (64x320 and 1280x10)"


def show_totals(inspection: Inspection) -> None:
    report = inspection.report
    totals, unit = report.totals, 1e6
    st.markdown(_("As torchinfo counts: shared layers once, multiply-adds for the whole batch, 4 bytes a number."))
    figures = {
        _("parameters"): f"{totals.params:,}",
        _("multiply-adds"): f"{totals.macs:,}",
        _("input (MB)"): f"{totals.input_bytes / unit:,.2f}",
        _("forward/backward pass, torchinfo (MB)"): f"{totals.torchinfo_bytes / unit:,.2f}",
        _("parameters (MB)"): f"{totals.parameter_bytes / unit:,.2f}",
        _("most activations at once without gradients (MB)"): f"{totals.forward_bytes / unit:,.2f}",
        _("activations kept for backward (MB)"): f"{totals.training_bytes / unit:,.2f}",
    }
    st.table(pd.DataFrame({_("total"): list(figures), _("value"): list(figures.values())}).set_index(_("total")))
    page.table(table(inspection), name="shapes")


def table(inspection: Inspection) -> pd.DataFrame:
    """Return everything that is known about each step."""
    report = inspection.report
    return pd.DataFrame(
        [
            {
                _("name"): row.node.name or row.node.kind,
                _("layer"): row.node.kind,
                _("line"): row.line,
                _("input"): " + ".join(map(words.written, row.in_shapes)),
                _("output"): "✗" if row.out_shape is None else words.written(row.out_shape),
                _("parameters"): row.params if row.counted else 0,
                _("multiply-adds"): row.macs,
                _("output (bytes)"): row.out_bytes,
                _("kept for backward (bytes)"): row.kept_bytes,
                _("receptive field"): words.reach(row, report.input_shape),
                _("discarded"): ", ".join(map(str, row.discarded)),
            }
            for row in report.rows
        ]
    )


# --- The question turned round -------------------------------------------------------------------------------------


def show_solutions(text: str, inspection: Inspection, shape: Shape) -> None:
    st.markdown(_("**Which kernel, stride and padding make this output of that input?**"))
    left, right = st.columns(2)
    try:
        with left:
            size = whole(_("Input size"), "from_size", 28)
        with right:
            out = whole(_("Output size"), "to_size", 14)
        found = windows_for(size, out)
    except InputError as error:
        page.input_error(error)
        return
    names = {"kernel": _("kernel"), "stride": _("stride"), "padding": _("padding"), "discarded": _("discarded")}
    if found:
        frame = pd.DataFrame([{title: getattr(one, name) for name, title in names.items()} for one in found])
        page.status(_("{count} small windows do it; those that discard nothing come first.").format(count=len(found)))
        page.table(frame, name="shapes-windows")
    else:
        page.status(_("No kernel up to 11 with a stride up to 8 does it."), "warning")
    st.markdown(_("**Which input sizes does this net take?**"))
    step = 1 + MOST_SIZES * len(inspection.source.chain.nodes) // MOST_STEPS
    sizes = sizes_for(text, shape, step)
    tried = _("of those tried: 1 to {most}").format(most=MOST_SIZES)
    if step > 1:
        tried = _("of those tried: every {step}th up to {most}").format(step=step, most=MOST_SIZES)
    if not sizes:
        page.status(_("None, {tried}, with these channels.").format(tried=tried), "warning")
        return
    sentence = _("Square inputs of {sizes} pixels ({tried}).")
    page.status(sentence.format(sizes=ranges(sizes, step), tried=tried), "good")


@lru_cache(maxsize=32)
def sizes_for(text: str, shape: Shape, step: int) -> tuple[int, ...]:
    return tuple(inputs_for(read_once(text).chain, shape, range(step, MOST_SIZES + 1, step)))


def whole(label: str, key: str, value: int) -> int:
    """Draw an input for a number of pixels; raises InputError where it is no whole number."""
    link.check_number(key, 1, LARGEST)
    given = st.number_input(label, 1.0, float(LARGEST), float(value), 1.0, format="%g", key=key, bind="query-params")
    if given != int(given):
        raise InputError("{label} must be a whole number, not {value:g}.", label=label, value=given)
    return int(given)


def ranges(sizes: Sequence[int], step: int) -> str:
    """Write numbers that are `step` apart as ranges: 28 to 31, 36."""
    runs: list[list[int]] = []
    for size in sizes:
        if runs and runs[-1][1] == size - step:
            runs[-1][1] = size
        else:
            runs.append([size, size])
    text = [
        str(first) if first == last else _("{first} to {last}").format(first=first, last=last) for first, last in runs
    ]
    return ", ".join(text[:8]) + (" …" if len(text) > 8 else "")


# --- A pasted error ------------------------------------------------------------------------------------------------


def show_error(inspection: Inspection, shape: Shape) -> None:
    text = st.text_area(
        _("Paste an error message of PyTorch, or the whole traceback"),
        key="traceback",
        height=120,
        placeholder=EXAMPLE,
        max_chars=LONGEST,
        persist_state="session",
    )
    if not text.strip():
        st.caption(_("For example: {example}").format(example=EXAMPLE))
        return
    try:
        found = explain(text, inspection.source.chain, shape)
    except InputError as error:
        page.input_error(error)
        return
    st.code(found.quoted, language=None, wrap_lines=True)
    for note in found.notes:
        page.status(noted(note))
    place = located(found)
    if place:
        page.status(noted(place), "bad" if found.certain else "warning")


def noted(note: Note) -> str:
    """Translate a note."""
    return _(note.message).format(**note.values)


# --- The script ----------------------------------------------------------------------------------------------------


def show_code(inspection: Inspection, shape: Shape) -> None:
    def source() -> str:
        titles = {name: _(title) for name, title in FORMS.items()}
        link.check_choice("form", titles)
        form = choice(_("Written as"), titles, key="form", default="module")
        try:
            return script(inspection.source.chain, shape, form)
        except InputError as error:
            page.status(error_sentence(error), "warning")
            return ""

    page.code_panel(source, name="net")
