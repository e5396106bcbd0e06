"""The course as a map: each page with a picture of it, one sentence and a link."""

import streamlit as st

from app import page
from app.course import ROOT, chapters
from app.i18n import _

PICTURES = ROOT / "app" / "static" / "pictures"

page.header(
    "Torchscape",
    _(
        "See how PyTorch learns. Every number on these pages was computed by running it, "
        "and every moment can be replayed."
    ),
)

for chapter, entries in chapters().items():
    st.subheader(_(chapter), anchor=False)
    for entry in entries:
        picture, text = st.columns([1, 2], vertical_alignment="center")
        with picture:
            file = PICTURES / f"{entry.path}-{page.theme()}.png"
            if file.exists():
                st.image(file, alt=_("The page “{title}”").format(title=_(entry.title)), width="stretch")
        with text:
            st.page_link(entry.file, label=f"**{_(entry.title)}**", icon=":material/arrow_forward:")
            st.markdown(_(entry.promise))
