"""A pad to draw a digit on: with a mouse, a pen, a finger or the arrow keys, or beginning from one of MNIST's.

    pixels = pad(key="digit", label=_("Draw a digit"))  # (SIDE, SIDE) from 0 (paper) to 255 (ink), or None

A page that follows the pen takes the picture first, computes, and draws the pad last, in a place of its own; the pad
sends the next state of the drawing when the run that drew it has ended. Where the page offers a quicker way
(`app.quick`), the pad asks there with every move, hands the answer on to the player that it names, and tells the page
when the pen is lifted:

    left, right = st.columns(2)
    pixels = drawn_pixels("digit")
    with right:
        ...
    with left:
        pad(key="digit", label=_("Draw a digit"), live=True, quick=address)

The drawing is part of the shared link.
"""

import io
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache, lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import streamlit as st

from app.i18n import _, error_sentence
from app.script import joined, loader, published
from core import digits
from core.datasets import mnist_array
from core.digits import Drawing, Pixels
from core.errors import InputError

HERE = Path(__file__).parent
SHARED, OWN = ("dom", "address"), ("strokes", "paper")  # in browser/ and in pad/; each uses only what stands before it


@dataclass(frozen=True, kw_only=True)
class Sent:
    """The latest message of a pad."""

    serial: int | None  # its number; None for a drawing that comes from the page itself
    drawing: Drawing
    lifted: bool  # whether the pen is up
    error: InputError | None = None  # why the message was refused; then the drawing is the one before it


def sent(key: str) -> Sent:
    """Return what a pad has told last; nothing is drawn on one that has told nothing yet."""
    latest: Sent | None = st.session_state.get(_kept(key))
    return latest or Sent(serial=None, drawing=Drawing(), lifted=True)


def put(key: str, drawing: Drawing) -> None:
    """Let a pad that is not on the page yet begin with a drawing."""
    st.session_state[_kept(key)] = Sent(serial=None, drawing=drawing, lifted=True)


def drawn_pixels(key: str) -> Pixels | None:
    """Return the picture on a pad, (SIDE, SIDE) from 0 (paper) to 255 (ink), or None where nothing is drawn."""
    drawing = sent(key).drawing
    return None if drawing == Drawing() else digits.pixels(drawing)


def pad(
    *, key: str, label: str, live: bool = False, quick: str = "", said: str = "", at_rest: Sequence[str] = ()
) -> Pixels | None:
    """Draw the pad and return the picture on it; the page runs again when the drawing changes.

    Args:
        key: unique on the page, a-z, 0-9, _ and -; the drawing's name in the shared link begins with it.
        label: translated; what shall be drawn.
        live: the page runs while a line grows, too; then draw the pad last.
        quick: where a live pad asks instead while a line grows, from `app.quick.offered`; it answers with
            `app.player.News.message`.
        said: what a screen reader reads out after a change, such as the prediction.
        at_rest: keys of the fragments that run anew when the pen is lifted, the pad's own among them; none: that alone.
    """
    latest = sent(key)
    _component()(
        key=f"pad-{key}",
        on_drawn_change=lambda: take(key, at_rest),
        data={
            "key": key,
            "label": label,
            "live": live,
            "quick": quick,
            "side": digits.SIDE,
            "pen": digits.PEN,
            "most": {"strokes": digits.MAX_STROKES, "points": digits.MAX_POINTS},
            "examples": list(digits.examples()),
            "sprite": f"app/static/{_sprite().name}",
            "seen": latest.serial,
            "drawing": _flat(latest.drawing) if _kept(key) in st.session_state else None,
            "message": error_sentence(latest.error) if latest.error else "",
            "said": said,
            "labels": labels(),
        },
    )
    return drawn_pixels(key)


def labels() -> dict[str, str]:
    """Return the pad's own words in the session's language."""
    return {
        "hint": _("Draw here"),
        "surface": _("Drawing surface"),
        "keys": _("Arrow keys move the pen, Space puts it down and lifts it, Control+Z undoes, Delete clears."),
        "undo": _("Undo"),
        "clear": _("Clear"),
        "examples": _("Begin with a digit of the test set"),
        "example": _("Put a {digit} of the test set on the pad"),
        "place": _("{x} % from the left, {y} % from the top"),
        "down": _("Pen down, {x} % from the left, {y} % from the top"),
        "up": _("Pen up"),
        "full": _("The pad is full: undo or clear something."),
    }


def script() -> str:
    """Join the browser's modules."""
    shared = [HERE / "browser" / f"{module}.js" for module in SHARED]
    return joined([*shared, *(HERE / "pad" / f"{module}.js" for module in OWN), HERE / "pad.js"])


def _kept(key: str) -> str:
    return f"pad-{key}.sent"


def take(key: str, at_rest: Sequence[str] = ()) -> None:
    """Keep what the browser sent; what is no drawing leaves the one before it."""
    message = st.session_state[f"pad-{key}"].get("drawn")
    if not isinstance(message, dict):
        return
    serial = message.get("serial")
    serial = serial if isinstance(serial, int) else None
    lifted = message.get("lifted") is not False
    try:
        latest = Sent(serial=serial, drawing=digits.read_drawing(message), lifted=lifted)
    except InputError as error:
        latest = Sent(serial=serial, drawing=sent(key).drawing, lifted=lifted, error=error)
    st.session_state[_kept(key)] = latest
    if lifted and at_rest:
        st.rerun(list(at_rest))


def _flat(drawing: Drawing) -> dict[str, Any]:
    """Write a drawing as the browser has it."""
    strokes = [[value for point in stroke for value in point] for stroke in drawing.strokes]
    return {"strokes": strokes, "example": drawing.example}


@lru_cache(maxsize=1)
def _sprite() -> Path:
    """Write the examples side by side into one picture; its transparency says where ink is."""
    from PIL import Image

    ink = np.concatenate([mnist_array("test_images")[index] for index in digits.examples()], axis=1)  # (28, 280)
    picture = io.BytesIO()
    Image.fromarray(np.stack([np.zeros_like(ink), ink], axis=-1)).save(picture, format="PNG")
    return published("pad-examples", "png", picture.getvalue())


@cache
def _component() -> Any:  # noqa: ANN401 - Streamlit's own type for it is private
    html, announcer, css = (
        (HERE / name).read_text(encoding="utf-8") for name in ("pad.html", "announcer.css", "pad.css")
    )
    js = loader(published("pad", "js", script().encode()))
    return st.components.v2.component("torchscape_pad", html=html, css=f"{announcer}\n{css}", js=js)
