"""The net that the page works on: a preset, or the reader's own source, and the shape that goes in.

The source text is the one truth; table and drawing are made from it and write it. A text that cannot be read keeps its
sentence, and the last good net stays in the drawing. Own sources of up to 1,500 characters travel in the link.
"""

from dataclasses import dataclass

import streamlit as st

from app import link, page
from app.choice import choice
from app.history import is_news, is_restored
from app.i18n import _
from core.errors import InputError
from core.shapes.chain import refuse_bad_input
from core.shapes.inspection import Inspection, inspect, parse_shape
from core.shapes.layer import Shape
from core.shapes.presets import PRESETS
from core.shapes.source import SourceError

OWN = "own"
USUAL = "cnn"
MOST_IN_LINK = 1_500  # characters
MOST_QUOTED = 200  # characters of a line
LONGEST_SIZE = 60  # characters
MOST_BATCH = 1_000_000

_MONOSPACE = """<style>.st-key-shapes-typed textarea { font-family: var(--st-code-font, monospace); font-size: 0.875rem;
white-space: pre; overflow-x: auto; }</style>"""

# What a session remembers beside the widgets.
_TEXT = "shapes.text"  # the source in force, good or bad
_SHOWN = "shapes.shown"  # what the text area was last filled with
_TYPED = "shapes.typed"  # the text area
_GOOD = "shapes.good"  # the last source and shape that could be drawn


def choose_net() -> str:
    """Draw the choice of the net and return the source in force, good or bad."""
    _read_link()
    own = _TEXT in st.session_state and st.session_state[_TEXT] not in {one.text() for one in PRESETS.values()}
    titles = {name: _(preset.title) for name, preset in PRESETS.items()} | ({OWN: _("My own source")} if own else {})
    if st.query_params.get("net") != OWN:
        link.check_choice("net", titles)
    elif _TEXT not in st.session_state:
        sentence = _("The link asks for an own source and carries none; paste it below.")
        st.warning(sentence, icon=":material/link_off:")
    chosen = choice(_("Net"), titles, key="net", default=USUAL, on_change=_take_preset, folded=True)
    if chosen != OWN and st.session_state.get(_TEXT) != PRESETS[chosen].text():
        st.session_state[_TEXT] = PRESETS[chosen].text()
    _write_link(chosen)
    return in_force()


def _read_link() -> None:
    """Take the source of a link that was not read yet."""
    asked = st.query_params.get("source")
    if is_news("source") and asked is not None:
        adopt(asked)


def _write_link(chosen: str) -> None:
    """Keep an own source in the link while it is in force and short."""
    text = st.session_state[_TEXT]
    if chosen == OWN and len(text) <= MOST_IN_LINK:
        if st.query_params.get("source") != text:
            st.query_params["source"] = text
    elif "source" in st.query_params:
        del st.query_params["source"]


def _take_preset() -> None:
    """Put a preset and its input in force when it is chosen."""
    chosen = st.session_state["net"]
    if chosen in PRESETS:
        st.session_state[_TEXT] = PRESETS[chosen].text()
        st.session_state["input"] = written(PRESETS[chosen].input_shape)


def adopt(text: str) -> None:
    """Put a source in force; only before the choice of the net is drawn, as callbacks are."""
    st.session_state[_TEXT] = text
    st.session_state["net"] = next((name for name, one in PRESETS.items() if one.text() == text), OWN)


def choose_input(net: str) -> Shape | InputError:
    """Draw the inputs of the size of one input and of the batch; return why where they make no shape."""
    left, right = st.columns([3, 2])
    with left:
        typed = _choose_size(net)
    with right:
        link.check_number("batch", 1, MOST_BATCH)
        batch = st.number_input(
            _("Batch"),
            1.0,
            float(MOST_BATCH),
            64.0,
            1.0,
            format="%g",
            key="batch",
            bind="query-params",
            persist_state="session",
        )
    if batch != int(batch):
        return InputError("{label} must be a whole number, not {value:g}.", label=_("Batch"), value=batch)
    try:
        shape = (int(batch), *parse_shape(typed))
        refuse_bad_input(shape)
    except InputError as error:
        return error
    return shape


def _choose_size(net: str) -> str:
    """Draw the field for the size of one input; the link leaves out what a preset brings itself."""
    asked = st.query_params.get("input")
    if is_news("input") and asked is not None:
        st.session_state["input"] = asked[:LONGEST_SIZE]
    elif "input" not in st.session_state or (asked is None and is_restored()):
        st.session_state["input"] = written(PRESETS.get(net, PRESETS[USUAL]).input_shape)
    typed = st.text_input(_("Input: C, H, W"), key="input", max_chars=LONGEST_SIZE, persist_state="session")
    if net in PRESETS and typed == written(PRESETS[net].input_shape):
        st.query_params.pop("input", None)
    elif asked != typed:
        st.query_params["input"] = typed
    return typed


def written(shape: Shape) -> str:
    return ", ".join(map(str, shape))


def in_force() -> str:
    """Return the source in force, good or bad."""
    text: str = st.session_state[_TEXT]
    return text


def edit_source(text: str) -> None:
    """Draw the source as text that can be changed."""
    if st.session_state.get(_SHOWN) != text or _TYPED not in st.session_state:
        st.session_state[_TYPED] = st.session_state[_SHOWN] = text
    st.html(_MONOSPACE)
    st.text_area(
        _("PyTorch source"),
        key=_TYPED,
        height=360,
        on_change=_take_typed,
        placeholder="nn.Sequential(\n    nn.Conv2d(1, 10, kernel_size=5),\n    …",
        help=_(
            "Paste a class, an nn.Sequential, or layers one a line. Nothing of it is executed. `?` is worked out in "
            "the place of in_features, in_channels and num_features."
        ),
    )


def _take_typed() -> None:
    text = st.session_state[_TYPED]
    st.session_state[_SHOWN] = text
    adopt(text)


@dataclass(frozen=True)
class Drawn:
    """What is drawn: the source and the input in force, or the last ones that could be drawn."""

    text: str
    shape: Shape
    inspection: Inspection
    old: bool  # whether this is not what is in force


def drawn(text: str, shape: Shape | InputError) -> Drawn:
    """Inspect what is in force; where that cannot be, say why and take the last good source, the last good input."""
    good_text, good_shape = st.session_state.get(_GOOD, (PRESETS[USUAL].text(), (64, *PRESETS[USUAL].input_shape)))
    old = isinstance(shape, InputError)
    if isinstance(shape, InputError):
        page.input_error(shape)
        st.caption(_("The picture still shows the input from before."))
        shape = good_shape
    try:
        found = Drawn(text, shape, inspect(text, shape), old)
    except SourceError as error:
        _refused(error)
    else:
        if not old:
            st.session_state[_GOOD] = (text, shape)
        return found
    try:
        return Drawn(good_text, shape, inspect(good_text, shape), old=True)
    except SourceError:
        return Drawn(good_text, good_shape, inspect(good_text, good_shape), old=True)


def _refused(error: SourceError) -> None:
    sentence = _(error.message).format(**error.values)
    lines = in_force().split("\n")
    if error.line is not None:
        sentence = _("Line {line}: {sentence}").format(line=error.line, sentence=sentence)
    if error.torch:
        sentence += " " + _("PyTorch says: {text}").format(text=f"`{error.error_type}: {error.torch}`")
    st.error(sentence, icon=":material/error:")
    if error.line is not None and error.line <= len(lines) and lines[error.line - 1].strip():
        st.code(lines[error.line - 1].strip()[:MOST_QUOTED], language="python")
    st.caption(_("The picture still shows the net from before."))
