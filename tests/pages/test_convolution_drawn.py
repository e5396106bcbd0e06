"""A digit that is drawn as the input of the page "Convolution by hand"."""

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from app.pad import Sent
from core.datasets import mnist
from core.digits import Drawing
from tests.pages.visits import PATIENCE, ROOT, sentences, visitor


@pytest.fixture(autouse=True)
def empty_store(tmp_path, monkeypatch):
    monkeypatch.setenv("TORCHSCAPE_HOME", str(tmp_path))


def test_a_blank_pad_says_so():
    assert sentences(visitor("convolution")(input="drawn")) == ["Nothing is drawn yet."]


def test_what_is_drawn_is_convolved_as_mnist_would_hold_it():
    at = AppTest.from_file(str(ROOT / "pages" / "convolution.py"), default_timeout=PATIENCE)
    at.session_state["lang"] = "en"
    at.session_state["pad-drawn.sent"] = Sent(serial=1, drawing=Drawing(example=18), lifted=True)
    for name, value in {"input": "drawn", "kernel": "identity", "numbers": "true"}.items():
        at.query_params[name] = value
    at.run()
    assert sentences(at) == []
    out = at.dataframe[0].value.iloc[:, 2].to_numpy().reshape(28, 28)
    np.testing.assert_allclose(out, mnist().test_images[18] / 255, atol=0.001)
