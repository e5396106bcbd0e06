"""The page "Convolution by hand", run as Streamlit runs it, in both languages and with every kind of bad input."""

import pytest

from tests.pages.visits import check_without_torch, said, sentences, visitor, words_of

opened = visitor("convolution")
SECTIONS = ("more", "stack", "pointwise", "pools", "up", "line", "try", "code", "numbers")


@pytest.fixture(autouse=True)
def empty_store(tmp_path, monkeypatch):
    monkeypatch.setenv("TORCHSCAPE_HOME", str(tmp_path))


@pytest.mark.parametrize("lang", ["en", "zh"])
@pytest.mark.parametrize("chosen", ["course", "pooling", "digit", "own"])
def test_each_input_shows_everything(chosen, lang):
    at = opened(*SECTIONS, lang=lang, input=chosen)
    assert sentences(at) == []
    assert "nan" not in words_of(at)


@pytest.mark.parametrize("kernel", ["course", "identity", "edge", "blur", "sharpen", "own"])
def test_each_kernel_works(kernel):
    assert sentences(opened("code", kernel=kernel)) == []


def test_the_first_screen_asks_for_little():
    at = opened()
    assert sentences(at) == []
    assert len(at.get("button_group")) + len(at.selectbox) == 4 + 1  # and one in a closed section
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
    for products in ("120,422,400", "2,408,448", "10,035,200"):
        assert f"| {products} |" in said(at)
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
        (("up",), {"up_s": "99"}, "from 1 to 4, not 99"),
        (("up",), {"up_p": "-5"}, "from 0 to 4, not -5"),
        (("up",), {"up_o": "99"}, "from 0 to 3, not 99"),
        (("up",), {"up_p": "4"}, "leaves nothing"),
        (("up",), {"up_o": "3"}, "below the stride"),
        (("line",), {"seq": "1;2"}, "one row"),
        (("line",), {"seq": "1 2 3; 4 5"}, "one row"),
        (("line",), {"seq": " "}, "no number"),
        (("line",), {"seq": "1 " * 29}, "29 numbers"),
        ((), {"input": "own", "x": ";"}, "parted by semicolons"),
        (("line",), {"seq_k": "import os"}, "is not a number"),
    ],
)
@pytest.mark.parametrize("lang", ["en", "zh"])
def test_bad_input_gets_one_sentence(sections, query, part, lang):
    at = opened(*sections, lang=lang, **query)
    (sentence,) = sentences(at)
    if lang == "en":
        assert part in sentence


@pytest.mark.parametrize("sections", [(), ("more",)], ids=["closed", "open"])
@pytest.mark.parametrize(
    ("query", "size", "named"),
    [
        ({"dilation": "2", "bias": "1.5"}, "3 × 3", "dilation 2, bias 1.5"),
        ({"mode": "reflect"}, "5 × 5", "padding reflect"),
        ({"across": "true", "stride_w": "2", "padding_w": "0"}, "5 × 2", "stride 2, padding 0, dilation 1"),
    ],
)
def test_further_settings_hold_whether_their_section_is_open_or_closed(sections, query, size, named):
    at = opened(*sections, "code", "numbers", **query)
    assert sentences(at) == []
    assert f"The output is {size}" in said(at)
    assert (named in said(at)) == (not sections)
    for name, value in query.items():
        assert value in (at.query_params[name], *at.query_params[name])
    lines = at.code[0].value
    assert {"dilation": "dilation=(2, 2)", "mode": "reflect", "across": "stride=(1, 2)"}[next(iter(query))] in lines


def test_usual_settings_are_not_named():
    assert "In force" not in said(opened())


@pytest.mark.parametrize("query", [{"dilation": "1.5"}, {"bias": "1e6"}, {"mode": "nonsense"}, {"dilation": "inf"}])
def test_what_is_wrong_in_a_closed_section_is_said_outside(query):
    at = opened(**query)
    (sentence,) = sentences(at)
    closed = next(block for block in at.get("expander") if "More settings" in block.label)
    assert sentence not in [element.value for element in (*closed.error, *closed.warning)]


@pytest.mark.parametrize(
    ("sections", "query", "key"),
    [((), {"input": "own"}, "x"), ((), {"kernel": "own"}, "k"), (("line",), {}, "seq"), (("line",), {}, "seq_k")],
)
def test_too_long_a_text_is_refused_and_kept_out_of_the_link(sections, query, key):
    at = opened(*sections, **query)
    at.text_input(key=key).set_value(";".join(["1 " * 100] * 100)).run()
    (sentence,) = sentences(at)
    assert "characters" in sentence
    assert key not in at.query_params
    at.text_input(key=key).set_value("1 2 1").run()
    assert sentences(at) == []
    assert at.query_params[key] in ("1 2 1", ["1 2 1"])


def test_numbers_are_short_in_the_link():
    at = opened("pools")
    at.number_input(key="pool_k").set_value(3.0).run()
    assert at.query_params["pool_k"] in ("3", ["3"])
    at.number_input(key="pool_k").set_value(2.0).run()
    assert "pool_k" not in at.query_params


@pytest.mark.parametrize("section", ["stack", "pools", "up", "line"])
def test_each_section_offers_its_own_script(section):
    key = {"stack": "channels", "pools": "pooling", "up": "transposed", "line": "sequence"}[section]
    at = opened(section)
    at.toggle(key=f"{key}_code").set_value(True).run()
    assert sentences(at) == []
    assert "import torch" in at.code[0].value


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
    check_without_torch("convolution", SECTIONS)
