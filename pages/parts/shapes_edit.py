"""The net as a table of layers, and the layer at the playhead: two ways to change the source without writing it."""

from collections.abc import Callable, Mapping
from hashlib import sha256
from typing import Any

import pandas as pd
import streamlit as st

from app import link, page
from app.choice import choice
from app.figures import shapes_words as words
from app.i18n import _
from core.errors import InputError
from core.shapes import edit
from core.shapes.chain import INPUT, Chain, Node, Report
from core.shapes.inspection import Inspection
from core.shapes.layers import LAYERS
from core.shapes.repair import Repair, repairs
from core.shapes.rewrite import rewritten
from pages.parts import shapes_source as net

COLUMNS = ("place", "layer", "arguments")  # that can be edited
_REFUSED = "shapes.refused"  # where a change was refused, and why
_MARKED = "shapes.marked"  # the layer that is to be changed, counted from 1
Change = Callable[[Chain], Chain]


def choose_view(text: str, inspection: Inspection) -> None:
    """Draw one of the views in which the net can be changed."""
    views = {"source": _("as source"), "table": _("as a table"), "layer": _("layer by layer")}
    link.check_choice("view", views)
    chosen = choice(_("Change the net"), views, key="view", default="source")
    if chosen == "source":
        net.edit_source(net.in_force())
    elif chosen == "table":
        edit_table(text, inspection)
    else:
        edit_layer(text, inspection)


# --- The table -----------------------------------------------------------------------------------------------------


def edit_table(text: str, inspection: Inspection) -> None:
    """Draw the layers as a table: a cell can be changed, rows added and deleted, and moved by another number."""
    frame = rows(inspection.source.chain, inspection.report)
    key = f"layers-{sha256(text.encode()).hexdigest()[:12]}"
    titles = {"place": "#", "layer": _("layer"), "arguments": _("arguments")}
    st.data_editor(
        frame,
        num_rows="dynamic",
        hide_index=True,
        key=key,
        on_change=_take_table,
        args=(key, text, inspection),
        column_config={
            **{name: st.column_config.TextColumn(titles[name], max_chars=edit.LONGEST_CELL) for name in COLUMNS},
            "place": st.column_config.NumberColumn("#", width=50, format="%d"),
            "arguments": st.column_config.TextColumn(titles["arguments"], width=270, max_chars=edit.LONGEST_CELL),
            "name": st.column_config.TextColumn(_("name"), disabled=True),
            "reads": st.column_config.TextColumn(_("reads"), width=60, disabled=True),
            "output": st.column_config.TextColumn(_("output"), disabled=True),
            "params": st.column_config.TextColumn(_("parameters"), disabled=True, alignment="right"),
        },
        height=min(420, 38 + 35 * (len(frame) + 1)),
    )
    sentence("table")
    st.caption(
        _(
            "Change a layer or its arguments, delete rows, add one at the end (give it a number to put it there), or "
            "type another number to move a layer."
        )
    )


def rows(chain: Chain, report: Report) -> pd.DataFrame:
    """Return the table of a net."""
    numbers = {INPUT: 0} | {node.id: number for number, node in enumerate(chain.nodes, start=1)}
    found = {row.node.id: row for row in report.rows}
    table = []
    for node in chain.nodes:
        row = found.get(node.id)
        out = "–" if row is None else "✗" if row.out_shape is None else words.written(row.out_shape)
        table.append(
            {
                "place": numbers[node.id],
                "layer": node.kind,
                "arguments": edit.arguments_text(node),
                "output": out,
                "params": "–" if row is None or row.error else f"{row.params if row.counted else 0:,}",
                "reads": ", ".join(str(numbers[name]) for name in node.inputs),
                "name": node.name,
            }
        )
    return pd.DataFrame(table)


def _take_table(key: str, text: str, inspection: Inspection) -> None:
    """Put the edited table in force where all of it can be read."""
    changes = st.session_state[key]
    take("table", text, inspection, lambda chain: with_changes(chain, changes))


def with_changes(chain: Chain, changes: Mapping[str, Any]) -> Chain:
    """Apply what Streamlit reports about an edited table; raises InputError."""
    nodes = chain.nodes
    for number, cells in changes["edited_rows"].items():
        node = nodes[int(number)]
        if {"layer", "arguments"} & cells.keys():
            kind = str(cells.get("layer", node.kind) or "").strip()
            arguments = cells.get("arguments", edit.arguments_text(node))
            chain = edit.changed(chain, node.id, bare(kind), str(arguments or ""))
        if cells.get("place"):
            chain = _placed(chain, node.id, int(cells["place"]))
    for number in changes["deleted_rows"]:
        chain = edit.removed(chain, nodes[int(number)].id)
    for cells in changes["added_rows"]:
        if not cells.get("layer"):
            raise InputError("Give the new row a layer, such as Conv2d, and its arguments.")
        place = int(cells.get("place") or len(chain.nodes) + 1) - 1
        after = chain.nodes[min(place, len(chain.nodes)) - 1].id if place > 0 else INPUT
        chain = edit.inserted(chain, after, bare(str(cells["layer"])), str(cells.get("arguments") or ""))
    return chain


def _placed(chain: Chain, node_id: str, wanted: int) -> Chain:
    """Move a layer to a row, counted from 1, step by step."""
    for _step in range(len(chain.nodes)):
        place = [node.id for node in chain.nodes].index(node_id) + 1
        if place == min(max(1, wanted), len(chain.nodes)):
            break
        chain = edit.moved(chain, node_id, 1 if place < wanted else -1)
    return chain


# --- The layer at the playhead ---------------------------------------------------------------------------------------


def edit_layer(text: str, inspection: Inspection) -> None:
    """Draw the marked layer's arguments and the buttons that change it."""
    chain = inspection.source.chain
    node = chain.nodes[marked(chain) - 1]
    st.caption(_("Press a box in the drawing to mark it, or use the slider below it."))
    left, right = st.columns([1, 2], vertical_alignment="bottom")
    key = f"{sha256(text.encode()).hexdigest()[:12]}-{node.id}"
    with left:
        kind = st.text_input(_("Marked layer"), node.kind, key=f"kind-{key}", max_chars=40)
    with right:
        arguments = st.text_input(
            _("Its arguments"), edit.arguments_text(node), key=f"arguments-{key}", max_chars=edit.LONGEST_CELL
        )
    actions: tuple[tuple[str, str, str, Change], ...] = (
        ("apply", _("Change"), ":material/edit:", lambda chain: edit.changed(chain, node.id, bare(kind), arguments)),
        ("duplicate", _("Duplicate"), ":material/content_copy:", lambda chain: edit.duplicated(chain, node.id)),
        ("remove", _("Remove"), ":material/remove:", lambda chain: edit.removed(chain, node.id)),
        ("earlier", _("Move up"), ":material/arrow_upward:", lambda chain: edit.moved(chain, node.id, -1)),
        ("later", _("Move down"), ":material/arrow_downward:", lambda chain: edit.moved(chain, node.id, 1)),
    )
    with st.container(horizontal=True):
        for name, label, icon, change in actions:
            st.button(label, icon=icon, key=f"layer_{name}", on_click=take, args=("layer", text, inspection, change))
    add_layer(text, inspection, node)
    sentence("layer")


def add_layer(text: str, inspection: Inspection, node: Node) -> None:
    """Draw the inputs of a new layer behind the marked one."""
    left, middle, right = st.columns([2, 3, 1], vertical_alignment="bottom")
    kinds = [kind for kind, layer in LAYERS.items() if layer.form == "module"]
    with left:
        kind = st.selectbox(_("New layer"), kinds, index=kinds.index("ReLU"), key="new_kind", persist_state="session")
    with middle:
        arguments = st.text_input(
            _("Arguments of the new layer, behind the marked one"),
            key="new_arguments",
            max_chars=edit.LONGEST_CELL,
            persist_state="session",
        )
    with right:
        st.button(
            _("Add"),
            icon=":material/add:",
            key="layer_add",
            on_click=take,
            args=("layer", text, inspection, lambda chain: edit.inserted(chain, node.id, kind, arguments)),
        )


def bare(kind: str) -> str:
    """Return the name of a layer as it is known: nn.Conv2d is Conv2d."""
    return kind.strip().removeprefix("nn.").removeprefix("F.").removeprefix("torch.")


def _view() -> str | None:
    view: str | None = st.session_state.get("view", st.query_params.get("view"))
    return view


def marking() -> bool:
    """Tell whether layers are changed one by one, so that the drawing can be pressed."""
    return _view() == "layer"


def lines_are_shown() -> bool:
    """Tell whether the source is on the page, so that its lines can be named."""
    return _view() not in {"layer", "table"}


def marked(chain: Chain) -> int:
    """Return which layer is marked, counted from 1."""
    return min(max(1, st.session_state.get(_MARKED, 1)), len(chain.nodes))


def mark(values: Mapping[str, float]) -> None:
    """Take the layer that was pressed in the drawing."""
    st.session_state[_MARKED] = int(values["marked"])


# --- Changes -------------------------------------------------------------------------------------------------------


def take(place: str, text: str, inspection: Inspection, change: Change) -> None:
    """Put a changed chain in force; only from callbacks. What is refused gets its sentence at `place`."""
    st.session_state.pop(_REFUSED, None)
    try:
        changed = change(inspection.source.chain)
        net.adopt(rewritten(text, inspection.source, changed))
    except InputError as error:
        st.session_state[_REFUSED] = (place, error)


def sentence(place: str) -> None:
    """Say why what was changed here was not taken."""
    refused = st.session_state.get(_REFUSED)
    if refused and refused[0] == place:
        page.input_error(refused[1])
        st.caption(_("The picture still shows the net from before."))


def _repair_label(repair: Repair) -> str:
    if repair.new:
        return _("Write {new}").format(new=repair.new)
    if repair.also:
        return _("Put nn.Flatten() before it and write {new}").format(new=repair.also)
    return _("Put nn.Flatten() before it")


def offer_repairs(text: str, inspection: Inspection) -> None:
    """Offer the changes that let the failing layer work, one button each."""
    found = repairs(inspection.source.chain, inspection.report)
    if not found:
        return
    with st.container(horizontal=True):
        for number, repair in enumerate(found):
            st.button(
                _repair_label(repair),
                icon=":material/build:",
                key=f"repair_{number}",
                on_click=take,
                args=("layer", text, inspection, lambda _chain, repair=repair: repair.chain),
            )
