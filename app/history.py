"""When a page follows its link: as it is opened, and after the browser's Back and Forward.

Streamlit gives its bound widgets the values of the link, and their usual ones where the link leaves them out. What a
page keeps in the link by itself has to do the same; otherwise the session's value would win, as it does when the
reader comes from another page.

In between, the link says what the page has written, and a moment late: whatever is clicked before the browser has
heard of it still comes with the link from before, which must not undo what was done.
"""

from collections.abc import Iterable

import streamlit as st
from streamlit.runtime.scriptrunner import get_script_run_ctx

_PAGE, _VISIT = "visit.page", "visit"  # in the session: the page that is shown, and how often a link was followed


def note_back() -> None:
    """Let the link be followed anew after Back and Forward; before anything reads it."""
    if is_restored():
        _follow_anew()


def note_page(path: str, read: Iterable[str] = ()) -> None:
    """Let the link be followed anew where this is another page than before; before the page reads it.

    `read` names what has been read of it already.
    """
    if st.session_state.get(_PAGE) != path:
        st.session_state[_PAGE] = path
        _follow_anew()
        for name in read:
            is_news(name)


def _follow_anew() -> None:
    st.session_state[_VISIT] = st.session_state.get(_VISIT, 0) + 1


def is_news(name: str) -> bool:
    """Say, once, whether what the link says of `name` is to be followed.

    A run that the next click broke off before it came as far as here leaves the answer to the next run.
    """
    read, now = f"{name}.visit", st.session_state.get(_VISIT, 0)
    if st.session_state.get(read) == now and not is_restored():  # a run that is being stopped may have asked meanwhile
        return False
    st.session_state[read] = now
    return True


def is_restored() -> bool:
    """Say whether the reader went back or forward to the link that is shown now."""
    context = get_script_run_ctx()
    return context is not None and context.is_history_navigation
