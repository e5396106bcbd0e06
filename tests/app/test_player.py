import base64
import json
import re

import altair as alt
import numpy as np
import pandas as pd
import pytest
from streamlit.testing.v1 import AppTest

from app import charts, player, vega
from app.charts import compiled, parameter, source
from app.palette import QUANTITIES
from app.player import Drag, Slider
from app.rows import encoded


def line(colour="@weight"):
    return (
        alt.Chart(source("points"), name="data")
        .mark_line()
        .encode(x="x:Q", y="y:Q", color=alt.value(colour))
        .add_params(parameter("step"), parameter("w", 1.0))
    )


GOOD = {
    "key": "demo",
    "alt": "A line.",
    "name": "line",
    "said": "It rises.",
    "kind": "good",
    "steps": 3,
    "captions": ("a", "b", "c"),
    "sliders": (Slider("w", "w", 0.0, 4.0, 0.5, 1.0),),
    "drags": (Drag("data", x="w"),),
    "data": {"points": [{"x": 1, "y": 2}]},
}


def mounted():
    """A script in AppTest: the payload is what the browser would get."""
    from app.player import player as draw
    from tests.app.test_player import GOOD, line

    draw(line().to_dict(), **GOOD)


@pytest.fixture(scope="module")
def payload():
    app = AppTest.from_function(mounted, default_timeout=30).run()
    assert not app.exception
    (element,) = app.get("bidi_component")
    return json.loads(element.proto.json)


def test_the_spec_travels_as_it_was_built_and_keeps_its_colour_tokens(payload):
    assert json.loads(payload["spec"]) == line().to_dict()
    assert "@weight" in payload["spec"]


def test_the_payload_has_what_the_browser_needs(payload):
    assert payload["steps"] == 3
    assert payload["captions"] == ["a", "b", "c"]
    assert payload["drags"] == [{"view": "data", "set": {"w": "x"}}]
    assert payload["sliders"] == [
        {"param": "w", "label": "w", "minimum": 0, "maximum": 4, "step": 0.5, "value": 1, "names": []}
    ]
    assert payload["alt"] == "A line."
    assert (payload["said"], payload["kind"]) == ("It rises.", "good")
    assert payload["bundle"] == vega.bundle().name


def test_news_travel_as_the_page_itself_would_send_them(payload):
    news = player.News(data=GOOD["data"], alt=GOOD["alt"], said=GOOD["said"], kind=GOOD["kind"]).message("demo")
    assert news == {name: payload[name] for name in ("key", "data", "alt", "said", "kind")}


def test_every_label_that_the_browser_asks_for_is_sent(payload):
    asked = set(re.findall(r"\blabels\.(\w+)", player.script())) | {"first", "back", "forward", "last", "png", "svg"}
    assert asked == set(payload["labels"])


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"steps": -1, "captions": ()}, "steps is -1"),
        ({"captions": ("one",)}, "1 captions for 3 steps"),
        ({"moments": (1, 2)}, "2 moments for 3 steps"),
        ({"moments": (1, 3, 2)}, "each later than the one before"),
        ({"alt": "  "}, "text alternative"),
        ({"key": "a.b"}, "key 'a.b'"),
        ({"sliders": (Slider("v", "v", 0.0, 1.0, 0.1, 0.5),)}, "no parameter v"),
        ({"sliders": ()}, "needs a slider: w"),
        ({"drags": (Drag("loss", x="w"),)}, "no view loss"),
        ({"data": {"curve": []}}, "no data source curve"),
    ],
)
def test_arguments_that_do_not_fit_the_chart_are_refused(change, sentence):
    with pytest.raises(ValueError, match=re.escape(sentence)):
        player.player(line(), **(GOOD | change))


def test_a_timeline_needs_the_parameter_step():
    chart = alt.Chart(source("points")).mark_line()
    with pytest.raises(ValueError, match="no parameter step"):
        player.player(chart, key="a", alt="A.", name="a", steps=2)


@pytest.mark.parametrize(
    "bounds", [(1, 0, 0.1, 0.5), (0, 1, 0, 0.5), (0, 1, 0.1, 2), (0, float("nan"), 0.1, 0), (0, float("inf"), 1, 0)]
)
def test_a_slider_refuses_bounds_that_no_input_can_have(bounds):
    with pytest.raises(ValueError, match="slider w"):
        Slider("w", "w", *bounds)


def test_what_the_browser_releases_is_kept_within_the_sliders():
    assert player._released({"w": 1.5, "other": "x"}, GOOD["sliders"]) == {"w": 1.5}
    assert player._released({"w": 1e9}, GOOD["sliders"]) == {"w": 4.0}
    for nonsense in ({}, {"w": "1"}, {"w": None}, {"w": True}, {"w": float("nan")}, {"w": [1]}):
        assert player._released(nonsense, GOOD["sliders"]) is None


def test_numbers_travel_exactly_and_missing_words_as_null():
    frame = pd.DataFrame(
        {"x": [0.1, np.nan, np.inf], "n": [1, 2, 3], "name": ["a", None, "c"], "on": [True, False, True]}
    )
    columns = encoded(frame)["columns"]
    back = np.frombuffer(base64.b64decode(columns["x"]), "<f8")
    np.testing.assert_array_equal(back, frame["x"].to_numpy())
    np.testing.assert_array_equal(np.frombuffer(base64.b64decode(columns["n"]), "<f8"), [1.0, 2.0, 3.0])
    assert columns["name"] == ["a", None, "c"]
    assert columns["on"] == [True, False, True]


def test_the_digest_changes_with_the_rows_alone():
    rows = [{"x": 1.0, "name": "a"}]
    assert encoded(rows) == encoded(pd.DataFrame(rows))
    assert encoded(rows)["digest"] != encoded([{"x": 1.5, "name": "a"}])["digest"]
    assert encoded([])["rows"] == 0


def test_each_quantity_has_its_variable_and_class_in_both_themes():
    sheet = player.style()
    for name, colour in QUANTITIES.items():
        assert f"--q-{name}: {colour.light};" in sheet
        assert f"--q-{name}: {colour.dark};" in sheet
        assert f".q-{name} {{ color: var(--q-{name}); }}" in sheet


def test_all_browser_modules_are_joined_without_imports_between_them():
    assert {path.stem for path in (player.HERE / "browser").glob("*.js")} == set(player.MODULES)
    assert not re.search(r"^import |^export (?!default)", player.script(), flags=re.MULTILINE)


def test_a_chart_is_compiled_once_for_equal_code_and_arguments(monkeypatch):
    monkeypatch.setattr(charts, "language", lambda: "en")
    first = compiled(line, "@bias")
    assert first["encoding"]["color"] == {"value": "@bias"}
    assert compiled(line, "@bias") is first
    assert compiled(line, "@loss") is not first
    monkeypatch.setattr(charts, "language", lambda: "zh")
    assert compiled(line, "@bias") is not first


def test_a_function_of_a_page_that_ran_again_is_recognised(monkeypatch):
    monkeypatch.setattr(charts, "language", lambda: "en")
    code = "def chart(): return line()"
    builders = []
    for _ in range(2):
        namespace = {"line": line}
        exec(compile(code, "page.py", "exec"), namespace)  # noqa: S102 - what Streamlit does with a page
        builders.append(namespace["chart"])
    assert builders[0] is not builders[1]
    assert compiled(builders[0]) is compiled(builders[1])


def test_a_builder_that_reads_an_enclosing_function_is_refused():
    colour = "@weight"
    with pytest.raises(ValueError, match="as arguments"):
        compiled(lambda: line(colour))


def test_the_bundle_is_built_when_absent_and_then_left_alone(tmp_path, monkeypatch):
    monkeypatch.setattr(vega, "STATIC", tmp_path / "static")
    vega.bundle.cache_clear()
    try:
        path = vega.ensure_bundle()
        assert [path] == list(path.parent.iterdir())
        assert "vegaEmbed" in path.read_text(encoding="utf-8")
        written = path.stat().st_mtime_ns
        assert vega.ensure_bundle().stat().st_mtime_ns == written
    finally:
        vega.bundle.cache_clear()
