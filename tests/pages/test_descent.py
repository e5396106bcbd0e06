"""The page "Gradient descent and SGD", run as Streamlit runs it, in both languages and with every kind of bad input."""

import contextlib
import io

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from app.figures import descent_words as words
from app.i18n import translations
from core import descent_script
from core.descent import RACERS, Descent
from core.points import PRESETS
from tests.pages.visits import PATIENCE, ROOT, said, sentences, visitor, words_of

opened = visitor("descent")
SECTIONS = ("edit", "listing", "code")


@pytest.mark.parametrize("lang", ["en", "zh"])
@pytest.mark.parametrize("preset", PRESETS)
def test_each_preset_shows_everything(preset, lang):
    assert sentences(opened(*SECTIONS, lang=lang, preset=preset)) == []


@pytest.mark.parametrize("clock", ["samples", "updates", "epochs", "time"])
@pytest.mark.parametrize("method", RACERS)
def test_each_method_is_followed_on_each_clock(method, clock):
    assert sentences(opened(method=method, clock=clock)) == []


def test_the_first_screen_asks_for_little():
    at = opened()
    assert sentences(at) == []
    assert not at.dataframe
    outside = {widget.key for widget in (*at.number_input, *at.selectbox, *at.get("button_group"))}
    inside = {widget.key for panel in at.expander for widget in (*panel.number_input, *panel.get("button_group"))}
    assert outside - inside == {"preset", "lr", "method", "clock"}


LISTINGS = {  # the course's two listings, printing nothing but the numbers
    "gd": """
w = 1.0
for epoch in range({epochs}):
    loss = 0
    for x, y in zip(x_data, y_data):
        loss += (x * w - y) ** 2
    loss = loss / len(x_data)
    grad = 0
    for x, y in zip(x_data, y_data):
        grad += 2 * x * (x * w - y)
    grad = grad / len(x_data)
    w -= 0.01 * grad
    print(epoch, grad, w, loss)
""",
    "sgd": """
w = 1.0
for epoch in range({epochs}):
    for x, y in zip(x_data, y_data):
        grad = 2 * x * (x * w - y)
        w = w - 0.01 * grad
        print(epoch, grad, w, (x * w - y) ** 2, x, y)
""",
}


@pytest.mark.parametrize(("method", "epochs"), [("gd", 100), ("sgd", 100), ("sgd", 10)])
def test_one_click_shows_a_listing_of_the_course_number_for_number(method, epochs):
    at = opened("listing")
    at.button(key=f"{method}_{epochs}").click().run()
    assert sentences(at) == []
    table = at.dataframe[0].value
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        exec(LISTINGS[method].format(epochs=epochs), {"x_data": [1.0, 2.0, 3.0], "y_data": [2.0, 4.0, 6.0]})  # noqa: S102
    rows = [[float(word) for word in line.split()] for line in printed.getvalue().splitlines()]
    loss = {"gd": "loss before", "sgd": "loss after"}[method]
    columns = ["epoch", "gradient", "w", loss, *(["x", "y"] if method == "sgd" else [])]
    np.testing.assert_allclose(table[columns].to_numpy(), rows, rtol=1e-14, atol=0)  # NumPy squares, Python takes pow
    assert table[columns[:3]].to_numpy().tolist() == [row[:3] for row in rows]


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("lr", 0.0),
        ("lr", -1.0),
        ("lr", 1e9),
        ("epochs", 0.0),
        ("epochs", 1e9),
        ("epochs", 2.5),
        ("batch_size", 0.0),
        ("batch_size", 13.0),
        ("batch_size", -3.0),
        ("seed", -1.0),
        ("seed", 0.5),
        ("decay", -1.0),
        ("w", 1e9),
        ("b", 1e9),
    ],
)
def test_a_bad_setting_gets_one_sentence_and_the_picture_stays(key, value):
    at = opened()
    usual = at.number_input(key=key).value
    at.number_input(key=key).set_value(value).run()
    assert len(sentences(at)) == 1
    at.number_input(key=key).set_value(usual).run()
    assert sentences(at) == []


@pytest.mark.parametrize("asked", ["1e999", "inf", "nan", "abc", ""])
@pytest.mark.parametrize("key", ["lr", "epochs", "batch_size", "seed", "decay", "w", "b"])
def test_nonsense_in_the_link_gets_one_sentence(key, asked):
    assert len(sentences(opened(**{key: asked}))) == 1


@pytest.mark.parametrize(
    "query",
    [
        {"method": "adam"},
        {"clock": "<b>"},
        {"shown": "gd,all"},
        {"shown": ""},
        {"preset": "x"},
        {"data": "1,x"},
        {"shown": "zzz"},
        {"shown": "gd,zzz"},
        {"preset": "course", "data": "1,2;3,9"},
    ],
)
@pytest.mark.parametrize("lang", ["en", "zh"])
def test_a_choice_that_does_not_exist_gets_one_sentence(query, lang):
    at = opened(lang=lang, **query)
    assert len(sentences(at)) == 1
    at.run()
    assert sentences(at) == []


@pytest.mark.parametrize("text", ["a\nb", "1,2,3", "1,2\n2,nan"])
def test_a_csv_that_is_none_gets_one_sentence(text):
    at = opened("edit")
    at.text_area(key="points.text").set_value(text).run()
    assert len(sentences(at)) == 1


def test_the_notice_about_the_methods_shown_is_in_no_closed_section():
    at = opened(shown="gd,zzz")
    assert not any(panel.warning for panel in at.expander)
    assert len(at.warning) == 1


def test_a_batch_size_that_nobody_chose_follows_the_data():
    at = opened(preset="own", data="3,7")
    assert sentences(at) == []
    at.number_input(key="batch_size").set_value(5.0).run()
    (sentence,) = sentences(at)
    assert sentence == "Batch size must be from 1 to 1, the number of samples, not 5."
    assert len(sentences(opened(preset="course", batch_size="5"))) == 1


@pytest.mark.parametrize(
    ("key", "value", "wanted"),
    [
        ("lr", 0.0, "The learning rate must be a number above 0 and at most 1,000, not 0."),
        ("epochs", 1e9, "Epochs must be a whole number from 1 to 1,000, not 1000000000."),
        ("seed", 0.5, "Seed of the shuffling must be a whole number from 0 to 4,294,967,295, not 0.5."),
    ],
)
def test_a_refused_value_is_named_as_on_screen_and_so_is_what_is_drawn(key, value, wanted):
    at = opened()
    at.number_input(key=key).set_value(value).run()
    assert sentences(at) == [wanted]
    label = at.number_input(key=key).label
    assert f"The picture is drawn for: {label} = " in said(at)


def test_a_listing_of_the_course_sets_everything_back():
    query = {"seed": "3", "batch_size": "3", "b": "1", "w": "2", "decay": "1", "shown": "gd", "method": "gd"}
    at = opened("listing", **query)
    at.button(key="sgd_10").click().run()
    values = {name: at.number_input(key=name).value for name in ("seed", "batch_size", "b", "w", "decay", "epochs")}
    assert values == {"seed": 0, "batch_size": 2, "b": 0, "w": 1, "decay": 0, "epochs": 10}
    assert at.session_state["descent.shown"] == list(RACERS)


def test_a_listing_of_the_course_has_a_short_link_and_a_long_one_works_too():
    at = opened("listing")
    at.button(key="gd_100").click().run()
    assert at.query_params["epochs"] in ("100", ["100"])
    assert opened(epochs="100.0").number_input(key="epochs").value == 100


def test_the_size_of_the_batches_is_named():
    at = opened(method="minibatch-shuffled", batch_size="4", seed="3")
    assert "Mini-batch of 4, shuffled" in said(at)
    assert "Mini-batch of 4, in order" in at.selectbox(key="method").options


@pytest.mark.parametrize("method", RACERS)
@pytest.mark.parametrize("data", ["3,7", "0,1;0,2;0,3", "2,1;2,2"])
def test_with_a_bias_and_equal_x_the_minimum_is_not_said_to_be_one_point(data, method):
    at = opened("plane", data=data, method=method)
    assert "All x are equal, so w and b are not determined" in said(at)


def test_a_learning_rate_just_above_the_bound_does_not_look_equal_to_it():
    at = opened(preset="course", method="gd", lr="0.2143", epochs="1000")
    assert "lr = 0.2143 is above 2/λmax = 0.21429 " in said(at)
    assert "by −1.0001" in said(at)


def test_with_the_section_of_the_bias_open_the_code_has_one():
    assert "bias=False" in opened("code").code[-1].value
    assert "bias=True" in opened("code", "plane").code[-1].value


def test_data_with_fewer_rows_than_a_batch_are_shown_with_smaller_batches():
    at = opened(data="1,2", batch_size="4")
    (sentence,) = sentences(at)
    assert "from 1 to 1" in sentence
    assert "batches of 1" in said(at)


def test_very_many_rows_are_thinned_aloud_and_very_many_updates_refused():
    at = opened("edit")
    at.text_area(key="points.text").set_value("\n".join(f"{i % 97},{i % 89}" for i in range(3_000))).run()
    assert sentences(at) == []
    assert "1,000 of the 3,000 rows" in said(at)
    at.number_input(key="epochs").set_value(1000.0).run()
    (sentence,) = sentences(at)
    assert "at most 200 epochs" in sentence


@pytest.mark.parametrize("lang", ["en", "zh"])
@pytest.mark.parametrize("data", ["0,1;0,3", "2,1;2,5", "1,0", "5,-1e6;-5,1e6", "1e-6,1e6;1e-6,1e6", "0,0", "1,1;0,2"])
@pytest.mark.parametrize("lr", ["0.0001", "0.5", "1000"])
def test_odd_points_are_explained_without_nan(data, lr, lang):
    at = opened("listing", data=data, lr=lr, batch_size="1", lang=lang)
    assert sentences(at) == []
    assert not words_of(at) & {"nan", "inf"}
    assert not at.dataframe[0].value.isna().any().any()


def test_divergence_is_said_with_its_cause():
    at = opened(method="gd", lr="0.1")
    assert "Full batch diverges: lr = 0.1 is above 2/λmax = 0.07385" in said(at)
    at = opened(method="sgd", lr="0.1")
    assert "SGD in order diverges" in said(at)
    assert "Diverging too: " in said(at)


def test_methods_can_be_hidden_and_the_link_says_so():
    at = opened(shown="gd,sgd")
    assert sentences(at) == []
    assert at.session_state["descent.shown"] == ["gd", "sgd"]


def test_torch_answers_when_it_is_asked():
    at = opened("listing", method="minibatch-shuffled")
    at.button(key="compare").click().run()
    assert sentences(at) == []
    assert "differs from that of torch.optim.SGD by" in said(at) or "to the last digit" in said(at)


def test_equal_to_the_last_digit_is_said_so():
    assert words.compared(100, 0.0) == "Over 100 updates w equals that of torch.optim.SGD to the last digit."
    assert "by 3·10⁻¹⁶ at most, relative" in words.compared(100, 3e-16)


@pytest.mark.parametrize("method", RACERS)
def test_the_code_is_the_run_that_is_followed(method):
    at = opened("code", method=method, lr="0.02", epochs="3", batch_size="5", seed="7", decay="0.5", w="-1")
    spec = Descent(lr=0.02, epochs=3, batch_size=5, seed=7, decay=0.5, w=-1.0)  # test_descent_script.py runs it
    assert at.code[-1].value == descent_script.script(PRESETS["noisy"].points, RACERS[method].enter(spec)).strip()


@pytest.mark.parametrize("lang", ["en", "zh"])
@pytest.mark.parametrize("key", ["try_epochs", "try_floor"])
def test_the_right_answer_is_revealed(key, lang):
    at = opened("try", lang=lang)
    at.radio(key=key).set_value(1).run()
    at.button(key=f"{key}_reveal").click().run()
    assert sentences(at) == []
    assert translations(lang).gettext("Right.") in said(at)


def test_each_page_starts_with_its_own_data_and_keeps_what_was_chosen():
    at = AppTest.from_file(str(ROOT / "app" / "main.py"), default_timeout=PATIENCE).run()
    at.switch_page("../pages/mse.py").run()
    assert at.session_state["preset"] == "course"
    at.switch_page("../pages/descent.py").run()
    assert at.session_state["preset"] == "noisy"
    at.session_state["preset"] = "outlier"
    at.run()
    at.switch_page("../pages/mse.py").run()
    assert at.session_state["preset"] == "outlier"
