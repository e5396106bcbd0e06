"""When a link is followed, with the controls that keep their values in it."""

from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from app import history
from app.i18n import KEY

ROOT = Path(__file__).resolve().parents[2]


def page():
    import streamlit as st

    from app.choice import choice
    from app.history import note_back, note_page

    note_back()
    note_page(st.session_state.get("page", "first"))
    choice("Letter", {"a": "A", "b": "B", "c": "C"}, key="letter", default="a")


@pytest.fixture
def app():
    at = AppTest.from_function(page)
    at.query_params["letter"] = "b"
    return at.run()


def chosen(app):
    assert not app.exception
    return app.segmented_control(key="letter").value


def test_a_link_is_followed_when_its_page_is_opened(app):
    assert chosen(app) == "b"


def test_a_click_that_comes_with_the_link_from_before_is_not_undone(app):
    app.segmented_control(key="letter").set_value("c").run()
    assert app.query_params["letter"] == "c"
    app.query_params["letter"] = "b"  # the browser has not heard of the new link yet
    app.run()
    assert chosen(app) == "c"
    assert app.query_params["letter"] == "c"


def test_the_link_of_another_page_is_followed(app):
    app.segmented_control(key="letter").set_value("c").run()
    app.session_state["page"] = "second"
    app.query_params["letter"] = "b"
    assert chosen(app.run()) == "b"


@pytest.mark.parametrize(("letter", "expected"), [("c", "c"), (None, "a")])
def test_after_back_the_link_is_followed(app, monkeypatch, letter, expected):
    monkeypatch.setattr(history, "is_restored", lambda: True)
    monkeypatch.setattr("app.choice.is_restored", lambda: True)
    app.query_params.pop("letter")
    if letter:
        app.query_params["letter"] = letter
    assert chosen(app.run()) == expected


def test_the_first_click_on_a_page_may_be_on_the_language_that_its_link_names():
    at = AppTest.from_file(str(ROOT / "app" / "main.py"), default_timeout=60)
    at.query_params["lang"] = "en"
    at.run()
    assert not at.exception
    at.segmented_control(key=KEY).set_value("zh").run()
    assert at.segmented_control(key=KEY).value == "zh"
    at.switch_page(str(ROOT / "pages" / "mse.py")).run()
    assert at.query_params["lang"] == "zh"
    at.segmented_control(key=KEY).set_value("en").run()
    assert at.segmented_control(key=KEY).value == "en"
