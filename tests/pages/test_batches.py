"""The page "Epochs, batches, iterations", run as Streamlit runs it, in both languages and with bad input."""

import pytest

from core import loading_job
from core.loading import Loading
from core.samples import AMOUNTS, ARRANGEMENTS, samples
from tests.core.test_loading_job import LINES
from tests.core.watched import BLOCK, Watched, program, wait_for
from tests.pages.visits import check_without_torch, said, sentences, visitor, words_of

opened = visitor("batches")
SECTIONS = ("data", "reading", "workers", "split", "try", "code", "numbers")


@pytest.fixture(autouse=True)
def measurement(tmp_path, monkeypatch):
    found = Watched(tmp_path / "loading", program(*LINES, {"kind": "done"}))
    monkeypatch.setattr(loading_job, "_measurement", found)
    return found


def captions(at):
    return [element.value for element in at.caption]


def table(at):
    return at.dataframe[-1].value


@pytest.mark.parametrize("lang", ["en", "zh"])
@pytest.mark.parametrize("order", ARRANGEMENTS)
@pytest.mark.parametrize("rows", AMOUNTS)
def test_every_choice_shows_everything(rows, order, lang):
    at = opened(*SECTIONS, lang=lang, rows=rows, order=order)
    assert sentences(at) == []
    assert "nan" not in words_of(at)


def test_the_first_screen_asks_for_four_things():
    at = opened()
    assert [box.key for box in at.number_input] == [
        "batch_size",
        "seed",
        "epochs",
    ]  # the epochs stand below the picture
    assert [toggle.key for toggle in at.toggle] == ["shuffle", "drop_last"]
    assert not at.dataframe


@pytest.mark.parametrize(
    "query",
    [
        {"batch_size": "5", "seed": "7"},
        {"batch_size": "1", "epochs": "2"},
        {"batch_size": "7", "drop_last": "true", "shuffle": "false"},
        {"rows": "all", "batch_size": "100", "drop_last": "true", "order": "sorted"},
    ],
)
def test_the_table_holds_every_batch(query):
    at = opened("numbers", **query)
    assert sentences(at) == []
    rows, order = query.get("rows", "few"), query.get("order", "file")
    spec = Loading(
        count=len(samples(rows, order)),
        batch_size=int(query["batch_size"]),
        shuffle=query.get("shuffle") != "false",
        drop_last=query.get("drop_last") == "true",
        seed=int(query.get("seed", 0)),
        epochs=int(query.get("epochs", 3)),
    )
    wanted = [" ".join(map(str, batch)) for epoch in range(spec.epochs) for batch in spec.batches(epoch)]
    assert table(at)["rows"].tolist() == wanted


@pytest.mark.parametrize(
    ("query", "sentence"),
    [
        ({"batch_size": "12"}, "this is gradient descent, with one update an epoch"),
        ({"batch_size": "1"}, "this is stochastic gradient descent, with 12 updates an epoch"),
        ({"batch_size": "5"}, "the last batch of each epoch has 2"),
        ({"batch_size": "4"}, "12 is a multiple of 4: all 3 batches of an epoch are full"),
        ({"batch_size": "5", "drop_last": "true", "shuffle": "false"}, "10, 11 are never seen"),
        (
            {"batch_size": "5", "drop_last": "true", "epochs": "1"},
            "leaves the last 2 of the 12 samples in the order of each epoch out.",
        ),
        ({"batch_size": "5", "drop_last": "true", "epochs": "3"}, "after 3 epochs every row was seen"),
        ({"batch_size": "7", "drop_last": "true", "epochs": "2", "seed": "1"}, "In these 2 epochs"),
        ({"batch_size": "6", "shuffle": "false", "order": "sorted"}, "1 of 2 hold one label only"),
        ({"shuffle": "false"}, "every epoch has the same batches"),
    ],
)
def test_the_verdict_follows_the_settings(query, sentence):
    at = opened(**query)
    assert sentences(at) == []
    assert sentence in said(at)


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("batch_size", 13.0),
        ("batch_size", 0.0),
        ("batch_size", 2.5),
        ("batch_size", 1e300),
        ("seed", -1.0),
        ("seed", 2.0**32),
        ("epochs", 0.0),
        ("epochs", 11.0),
    ],
)
def test_a_bad_number_gets_one_sentence_and_the_picture_stays(key, value):
    at = opened("numbers", seed="4")
    before = table(at)["rows"].tolist()
    at.number_input(key=key).set_value(value).run()
    assert len(sentences(at)) == 1
    assert table(at)["rows"].tolist() == before
    assert "All that follows is for batch size 5, seed 4, shuffle on, drop_last off, 3 epochs." in captions(at)


def test_every_bad_number_gets_its_sentence():
    at = opened("split", batch_size="99", seed="-1", train="60", validation="50", split_seed="0.5")
    said = sentences(at)
    assert len(said) == 4
    assert "at most 95 % of the rows together" in said[2]
    assert any("60 % training, 20 % validation, seed 0" in caption for caption in captions(at))


@pytest.mark.parametrize(
    "query",
    [
        {"batch_size": "abc"},
        {"batch_size": "inf"},
        {"batch_size": "99"},
        {"seed": "nan"},
        {"seed": "-3"},
        {"epochs": "1e999"},
        {"rows": "nonsense"},
        {"order": "<b>bold</b>"},
        {"shuffle": "maybe"},
        {"drop_last": "7"},
        {"split": "true", "train": "99"},
        {"split": "true", "validation": "inf"},
    ],
)
@pytest.mark.parametrize("lang", ["en", "zh"])
def test_nonsense_in_the_link_gets_one_sentence(query, lang):
    at = opened(lang=lang, **query)
    assert len(sentences(at)) == 1


@pytest.mark.parametrize(
    ("rows", "size", "other", "then", "sentence"),
    [
        ("few", 4, "all", 4, ""),
        ("few", 5, "all", 32, "The batch size is now 32, the usual one of this page for 768 samples."),
        ("all", 32, "few", 5, "The batch size is now 5, the usual one of this page for 12 samples."),
        ("all", 100, "few", 5, "The batch size is now 5: 100 is more than the 12 samples."),
        ("all", 6, "few", 6, ""),
    ],
)
def test_other_data_keep_the_batch_size_that_they_allow(rows, size, other, then, sentence):
    at = opened(rows=rows, batch_size=str(size))
    next(group for group in at.get("button_group") if group.key == "rows").set_value(other).run()
    assert sentences(at) == []
    assert at.number_input(key="batch_size").value == then
    assert [caption for caption in captions(at) if caption.startswith("The batch size is now")] == [sentence] * bool(
        sentence
    )
    at.run()
    assert not any(caption.startswith("The batch size is now") for caption in captions(at))


@pytest.mark.parametrize(
    ("lang", "query", "wanted"),
    [
        ("en", {}, "method=minibatch-shuffled&batch_size=3&seed=9"),
        ("zh", {}, "method=minibatch-shuffled&batch_size=3&seed=9&lang=zh"),
        ("en", {"shuffle": "false"}, "method=minibatch&batch_size=3&seed=9"),
        ("en", {"batch_size": "2", "seed": "0"}, "method=minibatch-shuffled"),  # what is usual there
    ],
)
def test_the_link_to_the_gradient_carries_method_batch_size_and_seed(lang, query, wanted):
    at = opened(lang=lang, **({"batch_size": "3", "seed": "9"} | query))
    (link,) = (element.proto.body for element in at.get("html"))
    assert f'href="descent?{wanted}"' in link


def test_torch_hands_out_the_same():
    at = opened("compare_with")
    assert "the same rows in the same order in all 9 batches" in said(at)


def test_the_right_answer_is_computed():
    at = opened("try")
    at.radio(key="try_iterations").set_value(1).run()
    at.button(key="try_iterations_reveal").click().run()
    assert "Right" in said(at)
    assert "⌈759 / 32⌉ = 24, and 759 − 23 · 32 = 23" in said(at)


@pytest.mark.parametrize("place", [0, 1, 2])
def test_what_is_suggested_can_be_tried(place):
    at = opened("try", "numbers")
    before = table(at)["rows"].tolist()
    at.button(key=f"up_{place}").click().run()
    assert sentences(at) == []
    assert table(at)["rows"].tolist() != before


def test_a_suggestion_leaves_nothing_of_the_one_before():
    at = opened("try", rows="all", order="sorted", batch_size="7")
    at.button(key="up_0").click().run()
    at.button(key="up_1").click().run()
    assert [at.toggle(key=key).value for key in ("shuffle", "drop_last")] == [True, False]
    assert "stochastic gradient descent, with 12 updates" in said(at)
    assert at.query_params["batch_size"] in ("1", ["1"])


def test_a_measurement_is_started_shown_and_stopped(measurement):
    at = opened("workers")
    at.button(key="start_timing").click().run()
    wait_for(measurement, lambda snapshot: snapshot.finished and not snapshot.running)
    at.run()
    assert sentences(at) == []
    assert at.dataframe[0].value["images per second"].tolist() == [400.0]
    measurement.program = ("-c", BLOCK)
    at.button(key="start_timing").click().run()
    assert measurement.snapshot.running
    assert at.button(key="stop_timing").label == "Stop it for everyone"
    other = opened("workers")  # another reader, who is told
    at.button(key="stop_timing").click().run()
    assert not measurement.snapshot.running
    for reader in (at, other.run()):
        assert "shown is the last whole one" in said(reader)
        assert reader.dataframe[0].value["images per second"].tolist() == [400.0]


def test_a_measurement_that_fails_says_so(measurement):
    measurement.program = ("-c", "raise SystemExit(3)")
    measurement.start()
    wait_for(measurement, lambda snapshot: snapshot.error is not None)
    (sentence,) = sentences(opened("workers"))
    assert "exit code 3" in sentence


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_leaks_are_named_with_their_numbers(lang):
    at = opened("split", lang=lang, train="30", validation="30", split_seed="5")
    assert sentences(at) == []
    assert at.dataframe[0].value.iloc[:, 1].tolist() == [230, 230, 308]


def test_the_page_does_not_load_torch():
    check_without_torch("batches", [section for section in SECTIONS if section != "workers"])
