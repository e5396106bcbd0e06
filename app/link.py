"""What a shared link asks for: nonsense in it is said aloud, once, before the widgets fall back to their defaults.

Streamlit drops a bound parameter whose value does not fit its widget without a word. Call these before the widget is
drawn, with the widget's own bounds: it takes a number within them, and the page judges that.
"""

import math
from collections.abc import Collection, Sequence

import streamlit as st

from app.i18n import _, enumerated, ngettext

MOST_NAMED = 12  # possible values, or names
MOST_SHOWN = 24  # characters of what a link says
_OPENED = "link.opened"  # in the session
LARGE = 1e300  # a bound that is none
SWITCHES = ("false", "true")


def check_choice(name: str, options: Collection[str]) -> None:
    """Say so where the link asks for an option that does not exist."""
    say([wrong_choice(name, options)])


def check_number(name: str, low: float = -math.inf, high: float = math.inf) -> None:
    """Say so where the link asks for something that is no number within the bounds."""
    say([wrong_number(name, low, high)])


def wrong_choice(name: str, options: Collection[str]) -> str:
    """Return what is wrong with the option that the link asks for, and which there are; nothing where it exists."""
    asked = st.query_params.get(name)
    if asked is None or asked in options:
        return ""
    if not 0 < len(options) <= MOST_NAMED:
        return _refused(name, asked)
    return _refused(name, asked, _("Possible: {options}.").format(options=_plain(enumerated(options))))


def wrong_switch(name: str) -> str:
    """Return what is wrong with the side of a switch that the link asks for; capitals are as good."""
    return "" if st.query_params.get(name, "").lower() in SWITCHES else wrong_choice(name, SWITCHES)


def wrong_number(name: str, low: float = -math.inf, high: float = math.inf, possible: str = "") -> str:
    """Return what is wrong with the number that the link asks for; nothing where it is within the bounds.

    `possible` says which numbers there are where the bounds do not.
    """
    asked = st.query_params.get(name)
    if asked is None:
        return ""
    try:
        fits = low <= float(asked) <= high and math.isfinite(float(asked))
    except ValueError:
        fits = False
    if fits:
        return ""
    if low <= -LARGE and high >= LARGE:
        return _refused(name, asked, possible or _("Possible: a number."))
    return _refused(name, asked, _("Possible: a number from {low} to {high}.").format(low=f"{low:g}", high=f"{high:g}"))


def on_opening(names: Collection[str], pictures: Collection[str]) -> list[str]:
    """Return what of the link does nothing on this page, when it is opened.

    Afterwards the link holds what the page itself has written, for a moment also of controls that have just gone. A
    name with a point is known by the picture that it begins with.
    """
    if st.session_state.get(_OPENED):
        return []
    st.session_state[_OPENED] = True
    return [_unknown(names, pictures), _repeated()]


def _unknown(names: Collection[str], pictures: Collection[str]) -> str:
    """Return which names of the link do nothing on this page; nothing where all are known."""
    asked = [name for name in st.query_params if name not in names and name.partition(".")[0] not in pictures]
    if not asked:
        return ""
    sentence = ngettext(
        "The link says {names}, which does nothing here.", "The link says {names}, which do nothing here.", len(asked)
    )
    return sentence.format(names=enumerated(_named(asked)))


def _repeated() -> str:
    """Return which names the link says more than once, and let it say each once; before the widgets are drawn."""
    names = [name for name in st.query_params if len(st.query_params.get_all(name)) > 1]
    if not names:
        return ""
    st.query_params.update({name: st.query_params[name] for name in names})
    sentence = _("The link says {names} more than once; only the last value counts.")
    return sentence.format(names=enumerated(_named(names)))


def say(sentences: Sequence[str]) -> None:
    """Show what is wrong with the link, in one box."""
    if wrong := [sentence for sentence in sentences if sentence]:
        st.warning("  \n".join(wrong), icon=":material/link_off:")


def _refused(name: str, asked: str, possible: str = "") -> str:
    sentence = _("The link asks for {name} = “{asked}”, which cannot be used here; the usual value takes its place.")
    return f"{sentence.format(name=name, asked=_plain(_short(asked)))} {possible}".rstrip()


def _named(names: Sequence[str]) -> list[str]:
    return [_plain(_short(name)) for name in names[:MOST_NAMED]] + ["…"] * (len(names) > MOST_NAMED)


def _short(text: str) -> str:
    return text if len(text) <= MOST_SHOWN else text[:MOST_SHOWN] + "…"


def _plain(text: str) -> str:
    """Keep Markdown in a link from becoming markup."""
    return "".join(f"\\{character}" if character in "\\`*_[]()<>#$:~!|{}" else character for character in text)
