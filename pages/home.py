"""The course as a map: each page with a picture of it, one sentence and a link."""

from html import escape

import streamlit as st

from app import page
from app.course import Entry, chapters
from app.i18n import _, language


def card(entry: Entry) -> None:
    title = _(entry.title)
    picture, words = st.columns(2, gap="large", vertical_alignment="center")
    picture.html(
        f'<a href="{entry.path}?lang={language()}" tabindex="-1">'  # the keyboard takes the link beside it
        f'<img src="app/static/pictures/{entry.path}-{page.theme()}.png" style="width: 100%; border-radius: 0.25rem"'
        f' alt="{escape(_("The page “{title}”").format(title=title))}"></a>'
    )
    with words:
        st.page_link(entry.file, label=f"**{title}**", icon=":material/arrow_forward:")
        st.markdown(_(entry.promise))


page.header(
    "Torchscape",
    _(
        "See how PyTorch learns. Every number on these pages was computed by running it, "
        "and every moment can be replayed."
    ),
)
for number, (chapter, entries) in enumerate(chapters().items(), start=1):
    st.subheader(f"{number}. {_(chapter)}", anchor=False)
    for entry in entries:
        card(entry)
