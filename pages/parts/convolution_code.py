"""Complete scripts of the page's pictures: one for the window at the top, one in each section that computes."""

from collections.abc import Callable

import streamlit as st

from app import page
from app.i18n import _


def offer(make_source: Callable[[], str], *, name: str) -> None:
    """Show a script, to read, to copy, to download as .py or .ipynb."""
    source = make_source()
    with st.container(horizontal=True):
        _download(_("Download .py"), source, f"{name}.py", "text/x-python")
        _download(_("Download .ipynb"), page.notebook(source), f"{name}.ipynb", "application/x-ipynb+json")
    st.code(source, language="python", line_numbers=True)


def offer_on_request(make_source: Callable[[], str], *, key: str) -> None:
    """Offer the script of a section at its end."""
    label = _("The code of this picture")
    if st.toggle(label, key=f"{key}_code", bind="query-params", persist_state="session"):
        offer(make_source, name=f"convolution-{key}")


def _download(label: str, data: str, file_name: str, mime: str) -> None:
    st.download_button(
        label, data, file_name=file_name, mime=mime, on_click="ignore", icon=":material/download:", key=file_name
    )
