"""Inputs of the convolution page: numbers and matrices that are typed, each kept in the link in its shortest form.

Streamlit's own `bind="query-params"` refuses what lies beyond a widget's bounds without a word, writes whole numbers as
decimals, and puts a pasted text of any length into the address; so these inputs have no bounds of their own, and what
is typed is judged here.
"""

from contextlib import nullcontext

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from app import link
from app.history import is_news, is_restored
from app.pad import pad
from core import matrices
from core.digits import centre
from core.errors import InputError
from core.matrices import Matrix

FIRST_OWN = {"x": "0 0 0 0 0 0; 0 9 9 9 9 0; 0 9 0 0 9 0; 0 9 0 0 9 0; 0 9 9 9 9 0; 0 0 0 0 0 0", "k": "1 1; 1 1"}


def number_of(
    label: str, key: str, value: float, low: float, high: float, *, outside: DeltaGenerator | None = None
) -> float:
    """Draw an input for a number; raises InputError where it lies beyond its bounds.

    `outside` is where nonsense in the link is said, if not above the input.
    """
    with outside or nullcontext():
        link.check_number(key)
    given = _number(label, key, value)
    if not low <= given <= high:
        raise InputError(
            "{label} must be from {low:g} to {high:g}, not {value:g}.", label=label, low=low, high=high, value=given
        )
    return given


def whole(label: str, key: str, value: int, low: int, high: int, *, outside: DeltaGenerator | None = None) -> int:
    """Draw an input for a whole number; raises InputError where it is none, or beyond its bounds."""
    given = number_of(label, key, value, low, high, outside=outside)
    if given != int(given):
        raise InputError("{label} must be a whole number, not {value:g}.", label=label, value=given)
    return int(given)


def typed(label: str, key: str, first: str) -> str:
    """Draw an input for a matrix or a sequence as text; raises InputError where it is too long for any."""
    asked = _asked(key)
    if asked is not None:
        st.session_state[key] = asked
    st.session_state.setdefault(key, first)
    text = st.text_input(label, key=key, persist_state="session") or ""
    fits = len(text) <= matrices.MAX_CHARACTERS
    _share(key, text if fits and text != first else None)
    matrices.check_length(text)
    return text


def drawn(label: str, key: str) -> Matrix:
    """Draw a pad; return the digit on it as MNIST would hold it, (28, 28). Raises InputError where there is none."""
    picture = pad(key=key, label=label)
    if picture is None:
        raise InputError("Nothing is drawn yet.")
    return matrices.from_ink(centre(picture).field)


def _number(label: str, key: str, value: float) -> float:
    asked = _asked(key)
    if asked is not None and _is_number(asked):
        st.session_state[key] = float(asked)
    if st.session_state.get(key) is None:
        st.session_state[key] = float(value)
    given = st.number_input(label, step=1.0, format="%g", key=key, persist_state="session")
    _share(key, None if given == value else f"{given:.15g}")
    return given


def _is_number(text: str) -> bool:
    try:
        return abs(float(text)) < 1e300  # false for inf and nan as well
    except ValueError:
        return False


def _asked(key: str) -> str | None:
    """Return what the link asks for where that is news; forget the session's value where the link leaves it out."""
    if not is_news(key):
        return None
    asked = st.query_params.get(key)
    if asked is None and is_restored():
        st.session_state.pop(key, None)
    return asked


def _share(key: str, text: str | None) -> None:
    """Write a value to the link; None, for one that it leaves out, removes it."""
    if text is None:
        if key in st.query_params:
            del st.query_params[key]
    elif st.query_params.get(key) != text:
        st.query_params[key] = text
