"""The page "The shape detective", run as Streamlit runs it, in both languages and with every kind of bad input."""

import gc
import time
from contextlib import suppress
from pathlib import Path

import pytest

from core.shapes.inspection import inspect, read_once
from core.shapes.practice import exercise
from core.shapes.presets import PRESETS
from core.shapes.source import SourceError
from pages.parts import shapes_edit
from tests.pages.visits import check_without_torch, said, sentences, visitor, words_of

opened = visitor("shapes")
SECTIONS = ("totals", "solve", "error", "practice", "try", "code")
LISTINGS = Path(__file__).parents[1] / "core" / "shapes" / "listings"
CNN = PRESETS["cnn"].text()


def typed(at, text):
    at.text_area(key="shapes.typed").set_value(text).run()
    return at


@pytest.mark.parametrize("lang", ["en", "zh"])
@pytest.mark.parametrize("net", PRESETS)
def test_each_net_shows_everything(net, lang):
    at = opened(*SECTIONS, lang=lang, net=net)
    assert sentences(at) == []
    assert "nan" not in words_of(at)
    if lang == "en":
        last = {"cnn": "(64, 10)", "googlenet": "(64, 1000)"}.get(net, "")
        assert f"becomes {last}" in said(at)


@pytest.mark.parametrize("view", ["source", "table", "layer"])
@pytest.mark.parametrize("lang", ["en", "zh"])
def test_each_view_works(view, lang):
    assert sentences(opened(lang=lang, view=view, net="inception")) == []


def test_the_first_screen_asks_for_little():
    at = opened()
    assert sentences(at) == []
    assert (len(at.selectbox), len(at.text_input), len(at.number_input)) == (1, 1, 1)


def test_a_wrong_number_is_diagnosed_and_repaired():
    at = typed(opened(), CNN.replace("320", "1280"))
    assert "RuntimeError: mat1 and mat2 shapes cannot be multiplied (64x320 and 1280x10)" in said(at)
    assert "fc, line 19, made in line 12," in said(at)
    assert "20·4·4 = 320" in said(at)
    at.button(key="repair_0").click().run()
    assert sentences(at) == []
    assert at.text_area(key="shapes.typed").value == CNN
    assert at.selectbox(key="net").value == "cnn"


def test_an_unknown_number_is_worked_out():
    at = typed(opened(), CNN.replace("320", "?"))
    assert sentences(at) == []
    assert "becomes (64, 10)" in said(at)


def test_bad_source_keeps_the_last_good_net():
    at = typed(opened(net="lenet"), "nn.Sequential(\nnn.Conv2d(1, 6, 5),\nnn.Conv2d(6, 16, ),\n)")
    (sentence,) = sentences(at)
    assert sentence.startswith("Line 3:")
    assert "(64, 1, 32, 32) becomes (64, 10)" in said(at)
    assert "still shows the net from before" in said(at)
    typed(at, "nn.Conv2d(1, 6, 5)")
    assert sentences(at) == []
    assert "becomes (64, 6, 28, 28)" in said(at)


@pytest.mark.parametrize("listing", sorted(LISTINGS.glob("*.txt")), ids=lambda path: path.stem)
def test_a_listing_of_the_course_can_be_pasted_as_it_is(listing):
    sizes = {"linear": "1", "logistic": "1", "diabetes": "8", "residual": "16, 8, 8"}
    size = next((size for name, size in sizes.items() if listing.stem.startswith(name)), "1, 28, 28")
    at = typed(opened(input=size), listing.read_text(encoding="utf-8"))
    assert sentences(at) == []
    assert f"becomes {'(64, 10)' if size == '1, 28, 28' else '(64, '}" in said(at)


HOSTILE = [
    "nn.Conv2d(1, 1000000000, 5)",
    "nn.Conv2d(1, 10, 50)",
    "nn.Conv2d(1, 10, 5, stride=-1)",
    "import os\nos.system('true')",
    "for i in range(10**9): pass",
    "@property\ndef f(): pass",
    "nn.Sequential(",
    "nn.Linear(" * 3000,
    "x" * 1_000_000,
    "nn.Sequential(*[nn.ReLU() for _ in range(10**9)])",
    "\0",
    "",
]


@pytest.mark.parametrize("text", HOSTILE, ids=lambda text: text[:20] or "nothing")
@pytest.mark.parametrize("lang", ["en", "zh"])
def test_hostile_source_gets_its_sentence(text, lang):
    at = typed(opened(lang=lang), text)
    assert not at.exception
    assert len(at.error) == 1 or "**" in said(at)


@pytest.mark.parametrize("text", HOSTILE, ids=lambda text: text[:20] or "nothing")
def test_hostile_source_is_judged_at_once(text):
    gc.disable()  # what it costs depends on all that this test process holds
    start = time.process_time()
    try:
        with suppress(SourceError):
            inspect.__wrapped__(text, (64, 1, 28, 28))
        assert time.process_time() - start < 0.2  # s
    finally:
        gc.enable()


UNTHOUGHT = [
    "nn.Sequential(nn.Conv2d(1,?,3))",
    "nn.Conv2d(?, ?, 5)",
    "nn.Conv2d(1, 10, ?)",
    "nn.Linear(?, ?)",
    "nn.MaxPool2d(?)",
    "nn.BatchNorm2d(?)",
    "nn.Flatten(?)",
    "nn.ConvTranspose2d(?, 4, 3, stride=?)",
    CNN.replace("batch_size, -1", "?, -1"),
    CNN.replace("10, 20, kernel_size=5", "10, 20, kernel_size=(?, 5)"),
]


@pytest.mark.parametrize("text", [*UNTHOUGHT, *HOSTILE[:6]])
def test_no_source_in_a_link_crashes_the_page(text):
    assert not opened("totals", "code", source=text).exception


def test_what_nobody_thought_of_is_a_refusal(monkeypatch, caplog):
    def broken(*_args):
        raise TypeError("unthought")

    monkeypatch.setattr("core.shapes.inspection.run", broken)
    with pytest.raises(SourceError, match="cannot be followed"):
        inspect.__wrapped__(CNN, (64, 1, 28, 28))
    monkeypatch.setattr("core.shapes.inspection.read", broken)
    with pytest.raises(SourceError, match="cannot be read"):
        read_once.__wrapped__(CNN)
    assert "unthought" in caplog.text


@pytest.mark.parametrize("bad", ["abc", "1, 0, 28"])
def test_a_mistyped_input_keeps_the_source(bad):
    text = "nn.Sequential(nn.Conv2d(1, 4, 3))"
    at = typed(opened(), text)
    at.text_input(key="input").set_value(bad).run()
    assert len(sentences(at)) == 1
    assert "still shows the input from before" in said(at)
    assert at.text_area(key="shapes.typed").value == text
    at.text_input(key="input").set_value("(1, 12, 12)").run()
    assert sentences(at) == []
    assert at.text_area(key="shapes.typed").value == text
    assert "becomes (64, 4, 10, 10)" in said(at)


@pytest.mark.parametrize(
    ("size", "part"), [("1, 28", "1, 28, 28"), ("28, 28", "1, 28, 28"), ("64, 1, 28, 28", "field of its own")]
)
def test_an_input_with_another_number_of_axes_is_named_before_the_layer(size, part):
    at = opened(input=size)
    (verdict,) = (one.value for one in at.markdown if "cannot work" in one.value)
    assert part in verdict
    assert "Write nn.Conv2d" not in " ".join(button.label for button in at.button)


def test_mixed_rows_get_a_warning_instead_of_a_tick():
    at = typed(opened(input="1, 32, 32"), CNN.replace("batch_size, -1", "-1, 320"))
    (verdict,) = (one.value for one in at.markdown if "Data flow through" in one.value)
    assert "warning" in verdict
    assert "check_circle" not in verdict
    assert "into 100 rows" in said(at)


def test_what_torch_says_is_not_read_as_markup():
    (sentence,) = sentences(typed(opened(), "nn.Conv2d(1, 6)"))
    assert "`TypeError: Conv2d.__init__()" in sentence


def test_flatten_is_offered_with_the_features_behind_it():
    at = typed(opened(), "nn.Sequential(nn.Conv2d(1, 4, 25), nn.Linear(32, 10))")
    labels = [button.label for button in at.button if button.key.startswith("repair_")]
    assert labels == ["Put nn.Flatten() before it and write nn.Linear(64, 10)"]
    at.button(key="repair_0").click().run()
    assert "becomes (64, 10)" in said(at)


def test_an_old_verdict_is_marked_as_old():
    at = typed(opened(), "nn.Sequential(\nnn.Conv2d(1, 6, ),\n)")
    verdict = next(one.value for one in at.markdown if "Data flow through" in one.value)
    assert "Before:" in verdict
    assert "check_circle" not in verdict
    order = [one.type for one in at.main if one.type in {"error", "markdown"}]
    assert order.index("error") < len(order) - 1 - order[::-1].index("markdown")


def test_what_was_worked_out_is_told():
    assert "fc: ? = 320 = 20·4·4" in said(typed(opened(), CNN.replace("320", "?")))


def test_lines_are_named_only_beside_the_source():
    text = CNN.replace("320", "1280")
    assert "**fc, line 19, made in line 12,** cannot" in said(typed(opened(), text))
    assert "**fc** cannot" in said(opened(view="layer", source=text))


def test_a_layer_that_is_used_again_has_no_parameters_of_its_own():
    inspection = inspect(CNN.replace("320", "1280"), (64, 1, 28, 28))
    params = shapes_edit.rows(inspection.source.chain, inspection.report)["params"]
    assert params.tolist() == ["260", "0", "0", "5,020", "0", "0", "0", "–"]


@pytest.mark.parametrize(
    ("sections", "query", "part"),
    [
        ((), {"input": "1, x"}, "whole numbers"),
        ((), {"input": "0, 28, 28"}, "at least 1"),
        ((), {"input": "99999999, 99999999, 9"}, "larger than any computer"),
        ((), {"batch": "1.5"}, "whole number"),
        ((), {"batch": "inf"}, "inf"),
        ((), {"batch": "0"}, "“0”"),
        ((), {"net": "nonsense"}, "nonsense"),
        ((), {"net": "own"}, "carries none"),
        ((), {"view": "nonsense"}, "nonsense"),
        ((), {"source": "nn.Sequential("}, "Line 1:"),
        (("solve",), {"from_size": "1.5"}, "whole number"),
        (("solve",), {"to_size": "-3"}, "-3"),
        (("code",), {"form": "nonsense"}, "nonsense"),
        (("practice",), {"level": "9"}, "9"),
    ],
)
@pytest.mark.parametrize("lang", ["en", "zh"])
def test_bad_input_gets_one_sentence(sections, query, part, lang):
    at = opened(*sections, lang=lang, **query)
    (sentence,) = sentences(at)
    if lang == "en":
        assert part in sentence


def test_a_link_carries_a_short_source():
    text = "nn.Sequential(nn.Conv2d(1, 6, 5), nn.Flatten(), nn.Linear(?, 10))"
    at = opened(source=text, input="1, 12, 12", batch="8")
    assert sentences(at) == []
    assert at.text_area(key="shapes.typed").value == text
    assert "(8, 1, 12, 12) becomes (8, 10)" in said(at)
    assert at.query_params["source"] in (text, [text])
    at.selectbox(key="net").set_value("lenet").run()
    assert "source" not in at.query_params
    assert at.text_input(key="input").value == "1, 32, 32"


def changes(**edited):
    return {"edited_rows": {}, "added_rows": [], "deleted_rows": []} | edited


def test_the_table_changes_the_net():
    chain = PRESETS["lenet"].source().chain

    def kinds(**edited):
        return [node.kind for node in shapes_edit.with_changes(chain, changes(**edited)).nodes]

    before = [node.kind for node in chain.nodes]
    assert kinds(deleted_rows=[1, 4]) == [kind for number, kind in enumerate(before) if number not in {1, 4}]
    assert kinds(edited_rows={1: {"layer": "nn.ReLU"}})[1] == "ReLU"
    assert kinds(edited_rows={1: {"place": 3}})[:3] == ["Conv2d", "AvgPool2d", "Tanh"]
    assert kinds(added_rows=[{"layer": "Dropout", "arguments": "0.5"}])[-1] == "Dropout"
    assert kinds(added_rows=[{"layer": "ReLU", "place": 1}])[0] == "ReLU"
    new = shapes_edit.with_changes(chain, changes(edited_rows={0: {"arguments": "1, 7, 3"}})).nodes[0]
    assert (new.arguments["out_channels"], new.arguments["kernel_size"]) == (7, 3)


@pytest.mark.parametrize(
    ("key", "count"), [("layer_duplicate", 9), ("layer_remove", 7), ("layer_later", 8), ("layer_add", 9)]
)
def test_the_marked_layer_is_changed(key, count):
    at = opened(view="layer")
    at.session_state["shapes.marked"] = 3
    at.run()
    at.button(key=key).click().run()
    assert sentences(at) == []
    text = at.session_state["shapes.text"]
    assert len(read_once(text).chain.nodes) == count


def test_a_refused_change_says_why():
    at = opened(view="layer")
    at.session_state["shapes.marked"] = 1
    at.run()
    at.button(key="layer_earlier").click().run()
    assert "end of the net" in sentences(at)[0]


def test_a_pasted_error_is_explained_and_located():
    at = opened("error")
    message = "RuntimeError: mat1 and mat2 shapes cannot be multiplied (64x320 and 1280x10)"
    typed(at, CNN.replace("320", "1280"))
    at.text_area(key="traceback").set_value(f"Traceback (most recent call last):\n  …\n{message}").run()
    assert "This net says the same at fc" in said(at)
    at.text_area(key="traceback").set_value("KeyError: 'a'").run()
    assert any("No error of PyTorch" in sentence for sentence in sentences(at))


def test_practice_keeps_the_score():
    at = opened("practice")
    at.session_state["practice.seed"] = 1
    at.run()
    answer = ", ".join(map(str, exercise(1, 1).answer))
    at.text_input(key="practice-1-1").set_value("1, 2, 3")
    submit(at)
    assert "Not yet" in said(at)
    assert "0 of 1 right" in said(at)
    at.text_input(key="practice-1-1").set_value(answer)
    submit(at)
    assert "Right." in said(at)
    assert "0 of 1 right" in said(at)  # the first answer counts


def test_a_right_answer_raises_the_level():
    at = opened("practice")
    at.session_state["practice.seed"] = 1
    at.run()
    at.text_input(key="practice-1-1").set_value(", ".join(map(str, exercise(1, 1).answer)))
    submit(at)
    assert "1 of 1 right" in said(at)
    at.button(key="practice_next").click().run()
    assert "padding and stride" in said(at)
    at.button(key="practice_reveal").click().run()
    assert "1 of 2 right" in said(at)  # what was revealed does not count


def test_input_sizes_of_a_large_net_are_tried_in_steps():
    at = opened("solve", net="googlenet")
    assert "every 7th up to 256" in said(at)
    assert "28 to 31 pixels" in said(opened("solve"))


def submit(at):
    next(button for button in at.button if button.label == "Check").click().run()


def test_the_answer_of_320_is_revealed():
    at = opened("try")
    at.radio(key="try_320").set_value(2).run()
    at.button(key="try_320_reveal").click().run()
    assert "20·5·5 = 500" in said(at)


def test_the_page_does_not_load_torch():
    check_without_torch("shapes", SECTIONS)


def test_an_edited_net_keeps_its_input():
    at = opened(net="alexnet")
    typed(at, PRESETS["alexnet"].text().replace("4096", "512"))
    assert sentences(at) == []
    assert at.text_input(key="input").value == "3, 224, 224"
    assert "(64, 3, 224, 224) becomes (64, 1000)" in said(at)
    assert at.query_params["input"] in ("3, 224, 224", ["3, 224, 224"])
    at.selectbox(key="net").set_value("lenet").run()
    assert "input" not in at.query_params
