"""Things to try with the shape detective, two of them to be predicted first."""

import streamlit as st

from app import page
from app.i18n import _


def show() -> None:
    page.predict(
        key="try_320",
        question=_("The course's CNN gets images of 32 × 32 instead of 28 × 28. What must in_features be?"),
        options=["320", "400", "500"],
        answer=2,
        explanation=_("32 → 28 → 14 → 10 → 5: 20 channels of 5 × 5 are 20·5·5 = 500."),
    )
    page.predict(
        key="try_floor",
        question=_("MaxPool2d(2) gets 7 × 7 pixels. What comes out, and what becomes of the last column?"),
        options=[_("4 × 4, it gets a window of its own"), _("3 × 3, it is discarded"), _("an error")],
        answer=1,
        explanation=_("⌊(7 − 2)/2⌋ + 1 = 3; with ceil_mode=True it would be 4."),
    )
    st.markdown(
        _(
            "* Write `?` for the 320 of the CNN. What does the detective put there, and why?\n"
            "* Give conv2 of the CNN 11 input channels. At which line does PyTorch complain, and at which line is the "
            "mistake?\n"
            "* Take the Inception net and change the padding of one branch. Which operation fails?"
        )
    )
