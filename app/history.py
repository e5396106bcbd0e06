"""The browser's Back and Forward: what the page shows is then what the link says, and nothing else.

Streamlit gives its bound widgets the values of the link, and their usual ones where the link leaves them out. What a
page keeps in the link by itself has to do the same; otherwise the session's value would win, as it does when the
reader comes from another page.
"""

from streamlit.runtime.scriptrunner import get_script_run_ctx


def is_restored() -> bool:
    """Say whether the reader went back or forward to the link that is shown now."""
    context = get_script_run_ctx()
    return context is not None and context.is_history_navigation
