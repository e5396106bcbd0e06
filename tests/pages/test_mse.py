"""The page "The MSE landscape", run as Streamlit runs it, in both languages and with every kind of bad input."""

import pytest

from core import mse
from core.mse import Sweep
from core.points import PRESETS, from_url, to_url
from tests.pages.visits import check_without_torch, sentences, visitor

opened = visitor("mse")
SECTIONS = ("edit", "sweep", "plane", "sum", "losses", "closed", "try", "code", "numbers")


@pytest.mark.parametrize("lang", ["en", "zh"])
@pytest.mark.parametrize("preset", PRESETS)
def test_each_preset_shows_everything(preset, lang):
    at = opened(*SECTIONS, lang=lang, preset=preset)
    assert sentences(at) == []
    shown = " ".join(element.value for element in at.markdown)
    assert f"{mse.minimum(PRESETS[preset].points).w:.4g}" in shown


def test_the_first_screen_asks_for_little():
    at = opened()
    assert sentences(at) == []
    assert len(at.get("button_group")) == 1  # and the player's slider
    assert not at.number_input
    assert not at.dataframe


def test_the_table_of_the_sweep_is_the_listing():
    at = opened("sweep")
    table = at.dataframe[0].value
    points, values = PRESETS["course"].points, Sweep().values
    assert table["w"].tolist() == values.tolist()
    assert table["MSE"].tolist() == mse.sweep(points, values).tolist()  # test_mse.py: this is the listing
    for sample, (x, y) in enumerate(zip(points.x, points.y, strict=True), start=1):
        assert table[f"y_pred {sample}"].tolist() == [x * w for w in values]
        assert table[f"loss {sample}"].tolist() == [(x * w - y) * (x * w - y) for w in values]


@pytest.mark.parametrize(
    ("key", "value"), [("step", 0.0), ("step", -1.0), ("step", 1e-9), ("step", 1e308), ("from", 4.0), ("to", 1e308)]
)
def test_a_bad_sweep_gets_one_sentence(key, value):
    at = opened("sweep", "code")
    at.number_input(key=key).set_value(value).run()
    assert len(sentences(at)) == 1
    at.number_input(key=key).set_value({"from": 0.0, "to": 4.0, "step": 0.1}[key]).run()
    assert sentences(at) == []


def test_the_sweep_goes_to_the_minimum_on_request():
    at = opened("sweep", data="1,100;2,200")
    at.button(key="go").click().run()
    assert sentences(at) == []
    table = at.dataframe[0].value
    assert table.loc[table["MSE"].idxmin(), "w"] == pytest.approx(100)
    assert "go" not in [button.key for button in at.button]


@pytest.mark.parametrize(
    "text",
    ["", "x,y", "1\n2", "1,2\n2,four", "1,2\n2,nan", "1,2\n2,1e308", "1,2,3", "1,2\n" * 10_001, "<b>,*x*\n1,`"],
)
def test_bad_text_gets_one_sentence_and_the_last_good_points_stay(text):
    at = opened("edit")
    at.text_area(key="points.text").set_value("1,3\n2,7").run()
    assert sentences(at) == []
    before = at.query_params["data"]
    at.text_area(key="points.text").set_value(text).run()
    assert len(sentences(at)) == 1
    assert at.query_params["data"] == before


def test_pasted_points_are_in_force_and_in_the_link():
    at = opened("edit")
    at.text_area(key="points.text").set_value("x,y\n1,3\n2,7").run()
    assert sentences(at) == []
    assert at.session_state["preset"] == "own"
    assert from_url(at.query_params["data"]) == from_url("1,3;2,7")
    again = opened(data=at.query_params["data"])
    assert again.session_state["preset"] == "own"
    assert sentences(again) == []


def test_many_points_stay_out_of_the_link():
    at = opened("edit")
    at.text_area(key="points.text").set_value("1,3\n" * 31).run()
    assert sentences(at) == []
    assert at.session_state["preset"] == "own"
    assert "data" not in at.query_params


def test_ten_thousand_points_work():
    at = opened(*SECTIONS)
    at.text_area(key="points.text").set_value("\n".join(f"{i % 97},{i % 89}" for i in range(10_000))).run()
    assert sentences(at) == []


@pytest.mark.parametrize(
    "data", ["0,1;0,3", "2,1;2,5", "1,0", "5,-1e6;-5,1e6", "1e-6,1e6;1e-6,1e6", "0,0", "1000000,1;-1000000,0.001"]
)
@pytest.mark.parametrize("lang", ["en", "zh"])
def test_odd_points_are_explained_without_nan(data, lang):
    at = opened(*SECTIONS, lang=lang, data=data, on="current")
    assert not at.exception
    texts = [element.value for element in (*at.markdown, *at.latex, *at.caption)]
    assert not any("nan" in text.lower().split() or r"\text{nan}" in text for text in texts)
    assert not any(table.value.isna().any().any() for table in at.dataframe)


@pytest.mark.parametrize(
    ("sections", "query"),
    [
        ((), {"preset": "nonsense"}),
        ((), {"data": "1,2;x"}),
        ((), {"data": "1,2;2,1e308"}),
        ((), {"data": ""}),
        (("sweep",), {"from": "abc"}),
        (("sweep",), {"step": "nan"}),
        (("losses",), {"delta": "-1"}),
        (("losses",), {"on": "<b>bold</b>"}),
    ],
)
@pytest.mark.parametrize("lang", ["en", "zh"])
def test_nonsense_in_the_link_gets_one_sentence(sections, query, lang):
    at = opened(*sections, lang=lang, **query)
    assert len(sentences(at)) == 1
    at.run()
    assert sentences(at) == []


def test_choosing_a_preset_takes_own_points_out_of_the_link_but_does_not_lose_them():
    at = opened(data="1,3;2,7")
    at.session_state["preset"] = "noisy"
    at.run()
    assert "data" not in at.query_params
    at.session_state["preset"] = "own"
    at.run()
    assert at.query_params["data"] == to_url(from_url("1,3;2,7"))
    assert sentences(at) == []


def test_torch_answers_when_it_is_asked():
    at = opened("losses")
    at.button(key="compare").click().run()
    assert sentences(at) == []
    assert at.dataframe[1].value["torch.nn"].nunique() == 3
    assert (at.dataframe[1].value.iloc[:, 2] < 1e-13).all()


def test_the_right_answer_is_revealed():
    at = opened("try")
    at.radio(key="try_sum").set_value(1).run()
    at.button(key="try_sum_reveal").click().run()
    assert any("w = 2" in element.value and "Right" in element.value for element in at.markdown)


def test_the_page_does_not_load_torch():
    check_without_torch("mse", SECTIONS)


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_a_flat_loss_has_no_best_w(lang):
    at = opened("sweep", "sum", "losses", "closed", lang=lang, data="0,1;0,2", on="current")
    assert sentences(at) == []
    said = " ".join(element.value for element in at.markdown)
    assert "w = 0" not in said
    assert "2 times" not in said.replace("2 times as high", "")


@pytest.mark.parametrize("asked", ["1e8", "1e12", "-1e300", "1e999", "inf", "-inf", "nan", "abc"])
@pytest.mark.parametrize("key", ["from", "to", "step"])
def test_a_sweep_that_the_link_asks_for_in_vain_gets_one_true_sentence(key, asked):
    at = opened("sweep", **{key: asked})
    (sentence,) = sentences(at)
    if "the usual value takes its place" in sentence:
        assert at.number_input(key=key).value == {"from": 0.0, "to": 4.0, "step": 0.1}[key]
        assert key not in at.query_params


@pytest.mark.parametrize(
    ("query", "place"),
    [
        ({"preset": "own"}, "carries none"),
        ({"preset": "own", "data": "1,2;x"}, "data in the link"),
        ({"data": "1,2;x"}, "data in the link"),
    ],
)
def test_own_data_that_the_link_lacks_are_asked_for(query, place):
    at = opened(**query)
    (sentence,) = sentences(at)
    assert place in sentence


def test_data_that_the_link_cannot_hold_come_as_a_file():
    at = opened("edit")
    at.text_area(key="points.text").set_value("1,3\n" * 31).run()
    assert any("too many for the link" in element.value for element in at.markdown)
    assert "points_csv" in [button.key for button in at.get("download_button")]


def test_refused_text_says_that_the_picture_stays():
    at = opened("edit")
    at.text_area(key="points.text").set_value("abc").run()
    (sentence,) = sentences(at)
    assert "“abc” is not a number" in sentence
    assert any("from before" in element.value for element in at.caption)
