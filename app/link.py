"""What a shared link asks for: nonsense in it is said aloud, once, before the widgets fall back to their defaults.

Streamlit drops a bound parameter whose value does not fit its widget without a word. Call these before the widget is
drawn, with the widget's own bounds: it takes a number within them, and the page judges that.
"""

import math
from collections.abc import Container

import streamlit as st

from app.i18n import _


def check_choice(name: str, options: Container[str]) -> None:
    """Say so where the link asks for an option that does not exist."""
    asked = st.query_params.get(name)
    if asked is not None and asked not in options:
        _refused(name, asked)


def check_number(name: str, low: float = -math.inf, high: float = math.inf) -> None:
    """Say so where the link asks for something that is no number within the bounds."""
    asked = st.query_params.get(name)
    if asked is None:
        return
    try:
        fits = low <= float(asked) <= high and math.isfinite(float(asked))
    except ValueError:
        fits = False
    if not fits:
        _refused(name, asked)


def _refused(name: str, asked: str) -> None:
    sentence = _("The link asks for {name} = “{asked}”, which cannot be used here; the usual value takes its place.")
    shown = asked if len(asked) <= 24 else asked[:24] + "…"
    st.warning(sentence.format(name=name, asked=_plain(shown)), icon=":material/link_off:")


def _plain(text: str) -> str:
    """Keep Markdown in a link from becoming markup."""
    return "".join(f"\\{character}" if character in "\\`*_[]()<>#$:~!|{}" else character for character in text)
