"""A choice among a few named options, kept in the shared link by its name.

Streamlit's own `bind="query-params"` writes the label of an option into the link, which changes with the language;
here the link says `preset=noisy` to every reader.
"""

from collections.abc import Callable, Mapping
from typing import Any, Literal

import streamlit as st

from app.history import is_news, is_restored


def choice(
    label: str,
    options: Mapping[str, str],
    *,
    key: str,
    default: str,
    on_change: Callable[[], None] | None = None,
    label_visibility: Literal["visible", "hidden", "collapsed"] = "visible",
    folded: bool = False,
    help: str | None = None,  # noqa: A002 - Streamlit's own name for it
) -> str:
    """Draw the options (name -> translated label) side by side, or folded into a list, and return the chosen name.

    The link leaves the default out. What it asks for in vain is ignored; `app.link.check_choice` says so.
    """
    asked = st.query_params.get(key)
    if is_news(key) and asked in options:
        st.session_state[key] = asked
    if st.session_state.get(key) not in options or (asked is None and is_restored()):
        st.session_state[key] = default
    shared: Any = {
        "format_func": options.__getitem__,
        "key": key,
        "on_change": on_change or "rerun",
        "label_visibility": label_visibility,
        "help": help,
        "persist_state": "session",
    }
    if folded:
        chosen = st.selectbox(label, list(options), **shared)
    else:
        chosen = st.segmented_control(label, list(options), required=True, wrap=True, **shared)
    chosen = chosen or default  # there is always one, but the type does not say so
    if chosen != default:
        if asked != chosen:
            st.query_params[key] = chosen
    elif asked is not None:
        del st.query_params[key]
    return chosen
