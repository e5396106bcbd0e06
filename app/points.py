"""Choosing the points that a page works on: a preset, or the reader's own, typed, pasted, uploaded or from a link.

What the reader gives is taken when it is right. Until then its one sentence stands where the mistake was made, and the
last good points stay in force. Own points of up to 30 rows travel in the link as `data=1,2;2,4;3,6`.
"""

from typing import Any

import pandas as pd
import streamlit as st

from app import link, page
from app.choice import choice
from app.history import is_news
from app.i18n import _, error_sentence
from core.errors import InputError
from core.points import MAX_ROWS, PRESETS, Points, from_csv, from_file, from_rows, from_url, to_url

OWN = "own"
MOST_IN_LINK = 30  # rows

# What a session remembers beside the widgets.
_POINTS = "points.own"  # the reader's own, where there are any
_ORIGIN = "points.origin"  # what the table showed before it was edited
_REFUSED = "points.refused"  # why the last pasted text or file was not taken
_USUAL = "points.usual"  # the preset that the page seen last starts with


def choose(*, default: str = "course") -> Points:
    """Draw the choice of the data and return the points in force; `default` is the preset that a page starts with."""
    _start_with(default)
    is_new, is_refused = _read_link()
    own = st.session_state.get(_POINTS)
    titles = {name: _(preset.title) for name, preset in PRESETS.items()} | ({OWN: _("My own data")} if own else {})
    if st.query_params.get("preset") != OWN:
        link.check_choice("preset", titles)
    elif not own and not is_refused:
        sentence = _("The link asks for own data and carries none; paste or upload them under “{place}”.")
        st.warning(sentence.format(place=_("The data")), icon=":material/link_off:")
    chosen = choice(
        _("Data"), titles, key="preset", default=default, on_change=_forget_edits, label_visibility="collapsed"
    )
    if is_new and chosen != OWN:
        sentence = _("The link carries own data, but asks for “{preset}”; choose “{own}” to see them.")
        st.warning(sentence.format(preset=titles[chosen], own=titles[OWN]), icon=":material/link_off:")
    points = own if own and chosen == OWN else PRESETS[chosen].points
    _write_link(points if chosen == OWN else None)
    if chosen == OWN and len(points) > MOST_IN_LINK:
        _offer_csv(points)
    return points


def _start_with(default: str) -> None:
    """Move on to this page's own preset where the reader was content with that of the page before."""
    before = st.session_state.get(_USUAL)
    if before not in (None, default) and st.session_state.get("preset") == before:
        st.session_state["preset"] = default
    st.session_state[_USUAL] = default


def edit(points: Points) -> None:
    """Draw the table, the box for pasted text and the upload."""
    table, text = st.columns([2, 3], gap="large")
    with table:
        _table(points)
    with text:
        _text()


def forget_table() -> None:
    """Let the table start from the points in force when it is opened again."""
    st.session_state.pop(_ORIGIN, None)


def _read_link() -> tuple[bool, bool]:
    """Take the points of a link that was not read yet; return whether there were any, and whether they were refused."""
    asked = st.query_params.get("data")
    if not is_news("data") or asked is None:
        return False, False
    try:
        st.session_state[_POINTS] = from_url(asked)
    except InputError as error:
        sentence = _("The data in the link were left out. {reason}").format(reason=error_sentence(error))
        st.error(sentence, icon=":material/link_off:")
        del st.query_params["data"]
        return False, True
    if "preset" not in st.query_params:
        st.session_state["preset"] = OWN
    return True, False


def _write_link(own: Points | None) -> None:
    """Keep own points in the link while they are in force and few."""
    if own is not None and len(own) <= MOST_IN_LINK:
        if st.query_params.get("data") != to_url(own):
            st.query_params["data"] = to_url(own)
    elif "data" in st.query_params:
        del st.query_params["data"]


def _offer_csv(points: Points) -> None:
    """Say that the link does not hold these points, and give them as a file."""
    frame = pd.DataFrame({"x": points.x, "y": points.y})
    with st.container(horizontal=True, vertical_alignment="center"):
        page.status(_("These data are too many for the link: whoever opens it also needs the CSV."), "warning")
        st.download_button(
            _("Download CSV"),
            lambda: frame.to_csv(index=False),
            file_name="points.csv",
            mime="text/csv",
            on_click="ignore",
            icon=":material/download:",
            key="points_csv",
        )


def _refused(error: InputError) -> None:
    """Say why what was given was not taken, and which data are shown instead."""
    page.input_error(error)
    st.caption(_("The picture still shows the data from before."))


def _adopt(points: Points) -> None:
    """Put the reader's points in force; only from callbacks, before the widgets are drawn."""
    st.session_state[_POINTS] = points
    st.session_state["preset"] = OWN
    st.session_state.pop(_REFUSED, None)


def _forget_edits() -> None:
    forget_table()
    st.session_state.pop(_REFUSED, None)


def _table(points: Points) -> None:
    """Draw the table; its cells are text, so that whatever is typed gets our sentence instead of none."""
    origin: Points = st.session_state.get(_ORIGIN, points)
    key = f"table-{origin.digest}"
    if key not in st.session_state:  # nothing was edited in it yet
        origin = points
        key = f"table-{origin.digest}"
    st.session_state[_ORIGIN] = origin
    frame = pd.DataFrame({"x": list(map(_text_of, origin.x)), "y": list(map(_text_of, origin.y))})
    frame.index += 1
    edited = st.data_editor(
        frame,
        num_rows="dynamic",
        column_config={name: st.column_config.TextColumn(name, max_chars=24) for name in ("x", "y")},
        key=key,
        on_change=_take_table,
        args=(key, origin),
        height=min(280, 38 + 35 * (len(frame) + 1)),
    )
    try:
        from_rows(edited.itertuples(index=False, name=None))
    except InputError as error:
        _refused(error)
    st.caption(_("1 to {most:,} rows, values from −1,000,000 to 1,000,000.").format(most=MAX_ROWS))


def _take_table(key: str, origin: Points) -> None:
    """Put the edited table in force where all of it can be read."""
    try:
        points = from_rows(edited_rows(origin, st.session_state[key]))
    except InputError:
        return  # the table says why, beneath itself
    _adopt(points)


def edited_rows(origin: Points, changes: dict[str, Any]) -> list[tuple[Any, Any]]:
    """Apply what Streamlit reports about an edited table to the rows that it showed."""
    rows: list[dict[str, Any]] = [{"x": x, "y": y} for x, y in zip(origin.x, origin.y, strict=True)]
    for row, cells in changes["edited_rows"].items():
        rows[int(row)].update(cells)
    deleted = set(changes["deleted_rows"])
    rows = [cells for row, cells in enumerate(rows) if row not in deleted]
    rows += changes["added_rows"]
    return [(cells.get("x"), cells.get("y")) for cells in rows]


def _text() -> None:
    """Draw the box for pasted text and the upload."""
    st.text_area(
        _("Paste two columns, x and y"),
        key="points.text",
        placeholder="x,y\n1,2\n2,4\n3,6",
        height=130,
        on_change=_take_text,
    )
    _sentence("text")
    st.file_uploader(_("Or upload a CSV file"), max_upload_size=1, key="points.file", on_change=_take_file)  # MB
    _sentence("file")


def _take_text() -> None:
    _take("text", lambda: from_csv(st.session_state["points.text"]))


def _take_file() -> None:
    file = st.session_state["points.file"]
    if file is not None:
        _take("file", lambda: from_file(file.getvalue()))


def _take(place: str, read: Any) -> None:  # noqa: ANN401 - a function without arguments
    try:
        points = read()
    except InputError as error:
        st.session_state[_REFUSED] = (place, error)
        return
    forget_table()
    _adopt(points)


def _sentence(place: str) -> None:
    """Say why what was given here was not taken."""
    refused = st.session_state.get(_REFUSED)
    if refused and refused[0] == place:
        _refused(refused[1])


def _text_of(value: float) -> str:
    return str(int(value)) if value == int(value) else repr(value)
