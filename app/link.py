"""What a shared link asks for: nonsense in it is said aloud, once, and taken out of the link.

Streamlit drops a bound parameter whose value does not fit its widget without a word. Call these before the widget is
drawn: it then finds no parameter and starts from its usual value.
"""

from collections.abc import Container

import streamlit as st

from app.i18n import _


def check_choice(name: str, options: Container[str]) -> None:
    """Say so where the link asks for an option that does not exist."""
    asked = st.query_params.get(name)
    if asked is not None and asked not in options:
        _refused(name, asked)


def check_number(name: str, low: float = -1e9, high: float = 1e9) -> None:
    """Take out of the link, and say so, what is no number within the bounds; once the widget is there, it decides."""
    asked = st.query_params.get(name)
    if asked is None or name in st.session_state:
        return
    try:
        fits = low <= float(asked) <= high
    except ValueError:
        fits = False
    if not fits:
        _refused(name, asked)
        del st.query_params[name]


def _refused(name: str, asked: str) -> None:
    sentence = _("The link asks for {name} = “{asked}”, which cannot be used here; the usual value takes its place.")
    shown = asked if len(asked) <= 24 else asked[:24] + "…"
    st.warning(sentence.format(name=name, asked=_plain(shown)), icon=":material/link_off:")


def _plain(text: str) -> str:
    """Keep Markdown in a link from becoming markup."""
    return "".join(f"\\{character}" if character in "\\`*_[]()<>#$:~!|{}" else character for character in text)
