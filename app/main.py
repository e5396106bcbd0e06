"""The entrypoint: `streamlit run app/main.py`. Path, language, navigation, and nothing else."""

import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
if str(ROOT) not in sys.path:  # streamlit puts only app/ there; worker processes inherit it
    sys.path.insert(0, str(ROOT))


def main() -> None:
    """Draw the frame and the page that was asked for."""
    import streamlit as st

    from app.course import chapters
    from app.history import note_back, note_page
    from app.i18n import KEY, LANGUAGES, _, language_switch
    from app.link import check_choice

    st.set_page_config(
        page_title="Torchscape",
        page_icon=str(ROOT / "app" / "static" / "icon.svg"),
        layout="wide",
        menu_items={"About": _("Torchscape: see how PyTorch learns.")},  # with an item of ours, the theme switch shows
    )
    st.html(ROOT / "app" / "style.css")
    note_back()
    check_choice(KEY, LANGUAGES)
    with st.sidebar:
        language_switch()
    groups = {"": [st.Page(ROOT / "pages" / "home.py", title=_("The course"), url_path="home", default=True)]}
    for chapter, entries in chapters().items():
        groups[_(chapter)] = [st.Page(e.file, title=_(e.title), url_path=e.path) for e in entries]
    page = st.navigation(groups, expanded=True)
    note_page(page.url_path, read=[KEY])
    page.run()


# This file is run three ways: once a rerun as the script of a session ("__main__"), once as a module by the server
# ("main"), and by worker processes ("__mp_main__"), for which it does nothing.
if __name__ == "__main__":
    main()
elif __name__ == "main":
    from streamlit.starlette import App

    from app.quick import routes
    from app.server import lifespan, middleware

    app = App(__file__, lifespan=lifespan, middleware=middleware, routes=routes)
