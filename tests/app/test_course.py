import pytest
from streamlit.testing.v1 import AppTest

from app.course import COURSE, ROOT, chapters
from app.i18n import LANGUAGES, translations


@pytest.fixture(params=sorted(LANGUAGES))
def app(request):
    app = AppTest.from_file(str(ROOT / "app" / "main.py"), default_timeout=60)
    app.query_params["lang"] = request.param
    return app.run()


def test_the_home_page_names_every_page(app):
    text = translations(app.session_state["lang"]).gettext
    shown = " ".join(element.value for element in app.markdown)
    assert not app.exception
    for entry in COURSE:
        assert text(entry.promise) in shown
    headings = [f"{number}. {text(chapter)}" for number, chapter in enumerate(chapters(), start=1)]
    assert [heading.value for heading in app.subheader] == headings


@pytest.mark.parametrize("entry", COURSE, ids=lambda entry: entry.path)
def test_every_page_opens_in_both_languages(app, entry):
    app.switch_page(f"../pages/{entry.path}.py").run()
    text = translations(app.session_state["lang"]).gettext
    assert not app.exception
    assert [title.value for title in app.title] == [text(entry.title)]


@pytest.mark.parametrize("entry", COURSE, ids=lambda entry: entry.path)
@pytest.mark.parametrize("theme", ["light", "dark"])
def test_every_page_has_a_picture_on_the_map(entry, theme):
    assert (ROOT / "app" / "static" / "pictures" / f"{entry.path}-{theme}.png").stat().st_size > 2_000


def test_a_browser_that_asks_for_chinese_gets_chinese():
    app = AppTest.from_file(str(ROOT / "app" / "main.py"), default_timeout=60)
    app.context["locale"] = "zh-CN"
    assert app.run().session_state["lang"] == "zh"


def test_chapters_keep_the_order_of_the_course():
    assert [entry for entries in chapters().values() for entry in entries] == list(COURSE)
