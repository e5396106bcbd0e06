"""A small app that mounts the player in every way the tests need."""

import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]
if str(ROOT) not in sys.path:
    sys.path.insert(0, str(ROOT))

if __name__ == "__main__":
    import streamlit as st

    HERE = Path(__file__).parent
    st.set_page_config(page_title="Player", layout="wide")
    st.navigation(
        [
            st.Page(HERE / "line.py", title="Line", default=True),
            st.Page(HERE / "other.py", title="Other", url_path="other"),
            st.Page(HERE / "stream.py", title="Stream", url_path="stream"),
            st.Page(HERE / "still.py", title="Still", url_path="still"),
            st.Page(HERE / "film.py", title="Film", url_path="film"),
            st.Page(HERE / "surface.py", title="Surface", url_path="surface"),
            st.Page(HERE / "release.py", title="Release", url_path="release"),
            st.Page(HERE / "clocks.py", title="Clocks", url_path="clocks"),
            st.Page(HERE / "pad.py", title="Pad", url_path="pad"),
        ]
    ).run()
