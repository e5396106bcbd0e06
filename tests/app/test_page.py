import json

import nbformat
import pytest
from streamlit.testing.v1 import AppTest

from app import page


def test_a_notebook_is_valid_and_holds_the_script():
    source = "import torch\n\nprint(torch.ones(2))\n"
    notebook = nbformat.reads(page.notebook(source), as_version=4)
    nbformat.validate(notebook)
    assert notebook.cells[0].source == source
    assert json.loads(page.notebook(source))["nbformat"] == 4


def predict_app():
    from app import page

    page.predict(key="q", question="Which?", options=["one", "two"], answer=1, explanation="Because.")


@pytest.fixture
def app():
    return AppTest.from_function(predict_app, default_timeout=20).run()


def shown(app):
    return " ".join(element.value for element in app.markdown)


def test_a_prediction_is_asked_for_before_it_is_revealed(app):
    assert app.button[0].disabled
    app.radio[0].set_value(1).run()
    assert "Because." not in shown(app)
    app.button[0].click().run()
    assert "Right. Because." in shown(app)


def test_a_wrong_prediction_names_the_right_answer(app):
    app.radio[0].set_value(0).run()
    app.button[0].click().run()
    assert "No: two. Because." in shown(app)


def test_a_new_choice_hides_the_answer_again(app):
    app.radio[0].set_value(0).run()
    app.button[0].click().run()
    app.radio[0].set_value(1).run()
    assert "Because." not in shown(app)


def formula_app():
    from app import page

    page.formula(r"y = @weight{w} x")


def test_a_formula_has_the_colours_of_its_quantities():
    app = AppTest.from_function(formula_app, default_timeout=20).run()
    assert rf"\textcolor{{{page.QUANTITIES['weight'].light}}}{{w}}" in app.latex[0].value


def numbers_app():
    from app import page

    page.formula(r"10^{-8} + 8.18e-09\,@weight{w} - 1e-05 + 1.5e+20 + 0.9^t + e^{-2}")


def test_a_formula_writes_small_and_large_numbers_with_powers_of_ten():
    latex = AppTest.from_function(numbers_app, default_timeout=20).run().latex[0].value
    weight = rf"\textcolor{{{page.QUANTITIES['weight'].light}}}{{w}}"
    assert rf"10^{{-8}} + 8.18 \cdot 10^{{-9}}\,{weight} - 10^{{-5}} + 1.5 \cdot 10^{{20}} + 0.9^t + e^{{-2}}" in latex


def section_app():
    import streamlit as st

    from app import page

    with page.section("More", key="more") as is_open:
        if is_open:
            st.write("inside")


def test_a_closed_section_does_not_run():
    app = AppTest.from_function(section_app, default_timeout=20).run()
    assert "inside" not in shown(app)


def test_a_section_can_be_opened_by_the_link():
    app = AppTest.from_function(section_app, default_timeout=20)
    app.query_params["more"] = "true"
    assert "inside" in shown(app.run())


def error_app():
    from app import i18n, page
    from core.errors import InputError

    i18n.language_switch()
    page.input_error(InputError("lr must be above 0, not {lr}", lr=-1))


def test_an_input_error_is_one_sentence():
    app = AppTest.from_function(error_app, default_timeout=20).run()
    assert [error.value for error in app.error] == ["lr must be above 0, not -1"]
