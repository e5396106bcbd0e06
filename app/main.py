"""The entrypoint: `streamlit run app/main.py`. Path, language, navigation, and nothing else."""

import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
if str(ROOT) not in sys.path:  # streamlit puts only app/ there; worker processes inherit it
    sys.path.insert(0, str(ROOT))


def main() -> None:
    """Draw the frame and the page that was asked for."""
    import streamlit as st

    from app import startup
    from app.course import ROOT, chapters
    from app.i18n import _, language_switch

    startup.begin()
    st.set_page_config(page_title="Torchscape", page_icon=":material/landscape:", layout="wide")
    with st.sidebar:
        language_switch()
    groups = {"": [st.Page(ROOT / "pages" / "home.py", title=_("The course"), url_path="home", default=True)]}
    for chapter, entries in chapters().items():
        groups[_(chapter)] = [st.Page(e.file, title=_(e.title), url_path=e.path) for e in entries]
    st.navigation(groups, expanded=True).run()


if __name__ == "__main__":  # "__mp_main__" in worker processes, which must not run the app
    main()
