"""The page "Convolution by hand", run as Streamlit runs it, in both languages and with every kind of bad input."""

import subprocess
import sys
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

PAGE = Path(__file__).parents[2] / "pages" / "convolution.py"
SECTIONS = ("more", "stack", "pointwise", "pools", "up", "line", "try", "code", "numbers")


@pytest.fixture(autouse=True)
def empty_store(tmp_path, monkeypatch):
    monkeypatch.setenv("TORCHSCAPE_HOME", str(tmp_path))


def opened(*sections, lang="en", **query):
    """Run the page with these sections open and these parameters in its link."""
    at = AppTest.from_file(str(PAGE), default_timeout=60)
    at.session_state["lang"] = lang
    for name, value in (dict.fromkeys(sections, "true") | query).items():
        at.query_params[name] = value
    at.run()
    return at


def sentences(at):
    """Return what is said about input, after checking that nothing crashed."""
    assert not at.exception
    return [element.value for element in (*at.error, *at.warning)]


def said(at):
    return " ".join(element.value for element in (*at.markdown, *at.latex, *at.caption))


@pytest.mark.parametrize("lang", ["en", "zh"])
@pytest.mark.parametrize("chosen", ["course", "pooling", "digit", "own"])
def test_each_input_shows_everything(chosen, lang):
    at = opened(*SECTIONS, lang=lang, input=chosen)
    assert sentences(at) == []
    assert "nan" not in said(at).lower()


@pytest.mark.parametrize("kernel", ["course", "identity", "edge", "blur", "sharpen", "own"])
def test_each_kernel_works(kernel):
    assert sentences(opened("code", kernel=kernel)) == []


def test_the_first_screen_asks_for_little():
    at = opened()
    assert sentences(at) == []
    assert len(at.get("button_group")) == 4
    assert not at.number_input
    assert not at.text_input
    assert not at.dataframe


def test_the_course_s_example_is_torch_s():
    import torch

    at = opened("numbers")
    x = torch.tensor([[3, 4, 6, 5, 7], [2, 4, 6, 8, 2], [1, 6, 7, 8, 4], [9, 7, 4, 6, 2], [3, 7, 5, 4, 1]])
    wanted = torch.nn.functional.conv2d(
        x[None, None].double(), torch.arange(1.0, 10).double().view(1, 1, 3, 3), padding=1
    )
    assert at.dataframe[0].value.iloc[:, 2].tolist() == wanted.ravel().tolist()
    assert "as large as the input" in said(at)


def test_the_issue_s_formula_is_shown_with_its_numbers():
    at = opened(input="digit", kernel="own", k="1 1 1 1 1;" * 5, padding="0")
    assert sentences(at) == []
    assert any("28 + 2" in element.value and "= 24" in element.value for element in at.markdown)


def test_the_cost_is_computed():
    at = opened("pointwise")
    table = at.dataframe[0].value
    assert table.iloc[:, -1].tolist() == [120_422_400, 2_408_448, 10_035_200]
    assert "12,443,648" in said(at)
    at.number_input(key="between").set_value(192.0).run()
    assert any("warning" in element.value for element in at.markdown)  # more, not fewer


def test_trained_kernels_that_are_not_there_are_asked_for():
    at = opened(kernel="trained")
    (sentence,) = sentences(at)
    assert "python -m core warm" in sentence


def test_trained_kernels_are_shown(tmp_path):
    from core.device import find_placement
    from core.kept import kept_run
    from core.run import RunSpec
    from core.store import Store

    placement = find_placement("cpu", threads=1)
    for _event in kept_run(RunSpec(epochs=1, train_images=100), placement, Store(tmp_path), owner="terminal"):
        pass
    at = opened(kernel="trained", nth="10")
    assert sentences(at) == []
    assert "trained here: epochs 1," in said(at)


@pytest.mark.parametrize(
    ("sections", "query", "part"),
    [
        ((), {"input": "own", "x": "1 2;3"}, "Row 2"),
        ((), {"input": "own", "x": "1 x"}, "is not a number"),
        ((), {"input": "own", "x": "1 nan"}, "is not a number"),
        ((), {"kernel": "own", "k": "1 " * 12}, "at most 11"),
        ((), {"kernel": "own", "k": "1 1 1 1 1 1 1 1 1;" * 9, "padding": "0"}, "at most 5"),
        ((), {"padding": "same", "stride": "2"}, "needs the stride 1"),
        ((), {"input": "nonsense"}, "nonsense"),
        ((), {"padding": "99"}, "99"),
        ((), {"stride": "<b>0</b>"}, "stride"),
        (("more",), {"mode": "reflect", "input": "own", "x": "1", "k": "1", "kernel": "own"}, "at most 0"),
        (("more",), {"dilation": "1.5"}, "whole number"),
        (("more",), {"dilation": "99"}, "99"),
        (("more",), {"dilation": "inf"}, "inf"),
        (("more",), {"dilation": "8"}, "spans 17 cells"),
        (("stack",), {"inputs": "3", "kernels": "2", "groups": "2"}, "divides both"),
        (("pointwise",), {"between": "16.5"}, "whole number"),
        (("pools",), {"pool_p": "2"}, "half the kernel"),
        (("pools",), {"pool_k": "11"}, "spans 11"),
        (("up",), {"up_p": "4"}, "leaves nothing"),
        (("up",), {"up_o": "3"}, "below the stride"),
        (("line",), {"seq": "1;2"}, "one row"),
        (("line",), {"seq_k": "import os"}, "is not a number"),
    ],
)
@pytest.mark.parametrize("lang", ["en", "zh"])
def test_bad_input_gets_one_sentence(sections, query, part, lang):
    at = opened(*sections, lang=lang, **query)
    (sentence,) = sentences(at)
    if lang == "en":
        assert part in sentence


def test_the_settings_hold_while_their_section_is_open():
    assert "5 × 5, as large" in said(opened("more"))
    at = opened("more", dilation="2", bias="1.5")
    assert sentences(at) == []
    assert "The output is 3 × 3" in said(at)
    assert "The output is 5 × 5" in said(opened(dilation="2"))


def test_rows_and_columns_can_differ():
    at = opened("more", across="true", stride_w="2", padding_w="0", kernel="own", k="1 1;1 1;1 1")
    assert sentences(at) == []
    assert "The output is 5 × 2" in said(at)
    assert any("H' = " in element.value and "W' = " in element.value for element in at.markdown)


def test_the_right_answer_is_revealed():
    at = opened("try")
    at.radio(key="try_lost").set_value(1).run()
    at.button(key="try_lost_reveal").click().run()
    assert any("9 of 25" in element.value and "Right" in element.value for element in at.markdown)


def test_the_page_does_not_load_torch():
    program = (
        "import sys\n"
        "from streamlit.testing.v1 import AppTest\n"
        f"at = AppTest.from_file({str(PAGE)!r}, default_timeout=60)\n"
        f"for section in {SECTIONS!r}: at.query_params[section] = 'true'\n"
        "at.run()\n"
        "assert not at.exception, at.exception\n"
        "assert 'torch' not in sys.modules\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], check=False, capture_output=True, text=True, cwd=PAGE.parents[1]
    )
    assert done.returncode == 0, done.stderr[-2000:]
