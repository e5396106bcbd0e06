import json
import re

import pytest
from streamlit.testing.v1 import AppTest

from app import pad
from core import digits
from core.digits import Drawing

LINE = Drawing(strokes=(((140, 60), (140, 220)),))
MESSAGE = {"serial": 8, "strokes": [[140, 60, 140, 220]], "example": None, "lifted": False}


def mounted():
    """A script in AppTest: the payload is what the browser would get."""
    import streamlit as st

    from app.pad import pad, put
    from tests.app.test_pad import LINE

    if st.session_state.get("begin"):
        put("demo", LINE)
    picture = pad(key="demo", label="Draw a digit", live=True, said="A one.")
    st.write("blank" if picture is None else str(picture.sum()))


def shown(**state):
    app = AppTest.from_function(mounted, default_timeout=30)
    for name, value in state.items():
        app.session_state[name] = value
    app.run()
    assert not app.exception
    (element,) = app.get("bidi_component")
    return json.loads(element.proto.json), app.markdown[0].value


@pytest.fixture
def session(monkeypatch):
    """What the session holds, without a page around it."""
    state = {}
    monkeypatch.setattr(pad.st, "session_state", state)
    return state


def test_a_pad_that_has_told_nothing_is_blank_and_leaves_the_drawing_to_the_link():
    payload, written = shown()
    assert payload["drawing"] is None
    assert payload["seen"] is None
    assert written == "blank"


def test_the_payload_has_what_the_browser_needs():
    payload, _ = shown()
    assert (payload["side"], payload["pen"]) == (digits.SIDE, digits.PEN)
    assert payload["examples"] == list(digits.examples())
    assert payload["said"] == "A one."
    assert all(payload["labels"].values())
    asked = set(re.findall(r"\blabels\.(\w+)", pad.script())) | {"undo", "clear"}
    assert asked == set(payload["labels"])


def test_a_page_may_begin_with_a_drawing():
    payload, written = shown(begin=True)
    assert payload["drawing"] == {"strokes": [[140, 60, 140, 220]], "example": None}
    assert written == str(digits.pixels(LINE).sum())


def test_a_message_becomes_the_drawing_and_is_answered(session):
    session["pad-demo"] = {"drawn": MESSAGE}
    pad.take("demo")
    assert pad.sent("demo") == pad.Sent(serial=8, drawing=LINE, lifted=False)
    assert (pad.drawn_pixels("demo") == digits.pixels(LINE)).all()
    session["pad-demo"] = {"drawn": {"serial": 9, "strokes": [], "example": None, "lifted": True}}
    pad.take("demo")
    assert pad.sent("demo").lifted
    assert pad.drawn_pixels("demo") is None


@pytest.mark.parametrize("strokes", [None, "x", [[1, 2, 3]], [["a", "b"]], [[1e308, 0]], [[1, 2]] * 1000])
def test_a_message_that_is_no_drawing_leaves_the_one_before_and_says_so(session, strokes):
    session["pad-demo"] = {"drawn": MESSAGE}
    pad.take("demo")
    session["pad-demo"] = {"drawn": {**MESSAGE, "serial": 9, "strokes": strokes, "example": "x"}}
    pad.take("demo")
    assert pad.sent("demo").drawing == LINE
    assert pad.sent("demo").serial == 9
    assert str(pad.sent("demo").error).endswith(".")


@pytest.mark.parametrize("message", [None, 3, [], "drawn"])
def test_what_is_no_message_at_all_changes_nothing(session, message):
    session["pad-demo"] = {"drawn": message}
    pad.take("demo")
    assert pad.sent("demo") == pad.Sent(serial=None, drawing=Drawing(), lifted=True)


def test_every_module_is_joined_and_no_import_is_left():
    assert {path.stem for path in (pad.HERE / "pad").glob("*.js")} == set(pad.OWN)
    assert not re.search(r"^import |^export (?!default)", pad.script(), flags=re.MULTILINE)
