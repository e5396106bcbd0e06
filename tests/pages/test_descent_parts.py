"""The sections of the gradient descent page, run as Streamlit runs them, in both languages and with bad input."""

import pytest

from app.figures import rate_sweep
from app.figures.descent_runs import Settings
from core.points import PRESETS
from core.terrain import TERRAINS
from tests.pages.visits import said, sentences, visitor, words_of

opened = visitor("descent")
PARTS = ("rates", "floor", "terrain", "average", "cost")


@pytest.mark.parametrize("lang", ["en", "zh"])
@pytest.mark.parametrize("preset", PRESETS)
def test_every_section_opens_on_every_preset(preset, lang):
    at = opened(*PARTS, lang=lang, preset=preset)
    assert sentences(at) == []


@pytest.mark.parametrize("lang", ["en", "zh"])
@pytest.mark.parametrize(
    "data", ["0,1;0,3", "1,0", "5,-1e6;-5,1e6", "1e-6,1e6;1e-6,1e6", "0,0", "1000000,1;-1000000,0"]
)
@pytest.mark.parametrize("model", ["line", "bias"])
def test_odd_points_are_explained_without_nan(data, lang, model):
    at = opened(*PARTS, lang=lang, data=data, batch_size="1", **{"rates.model": model})
    assert not at.exception
    assert not words_of(at) & {"nan", "inf"}
    assert not any(table.value.isna().any().any() for table in at.dataframe)


@pytest.mark.parametrize("name", TERRAINS)
def test_every_terrain_is_shown(name):
    view = "curve" if len(TERRAINS[name].names) == 1 else "surface"
    key = f"terrain.f{len(TERRAINS[name].names)}"
    at = opened("terrain", **{"terrain.view": view, key: name})
    assert sentences(at) == []
    assert TERRAINS[name].latex in " ".join(element.value for element in at.latex)
    if view == "curve":
        at = opened("terrain", **{"terrain.view": "chord", key: name})
        assert sentences(at) == []
        assert ("convex here" in said(at)) == (name == "parabola")


@pytest.mark.parametrize(
    ("query", "wanted"),
    [
        ({"terrain.view": "curve", "terrain.two-valleys": "-1"}, "learning rate"),
        ({"terrain.view": "curve", "terrain.two-valleys": "1e9"}, "learning rate"),
        ({"terrain.view": "surface", "terrain.saddle": "0"}, "learning rate"),
        ({"terrain.view": "fit", "terrain.batch_size": "0"}, "Batch size must be"),
        ({"terrain.view": "fit", "terrain.batch_size": "17"}, "Batch size must be"),
        ({"terrain.view": "fit", "terrain.batch_size": "2.5"}, "Batch size must be a whole number"),
        ({"terrain.view": "fit", "terrain.lr": "2"}, "learning rate"),
        ({"terrain.view": "fit", "terrain.seed": "-1"}, "seed"),
        ({"terrain.view": "fit", "terrain.seed": "1e308"}, "seed"),
        ({"terrain.view": "nonsense"}, "nonsense"),
        ({"terrain.f1": "nonsense"}, "nonsense"),
        ({"terrain.view": "fit", "terrain.lr": "nan"}, "nan"),
    ],
)
def test_bad_input_gets_one_sentence(query, wanted):
    at = opened("terrain", **query)
    (sentence,) = sentences(at)
    assert wanted in sentence


@pytest.mark.parametrize("query", [{"rates.model": "x"}, {"average.of": "gd"}, {"average.span": "half"}])
def test_an_option_that_does_not_exist_gets_one_sentence(query):
    section = next(iter(query)).partition(".")[0]
    at = opened(section, preset="noisy", epochs="100", **query)
    assert len(sentences(at)) == 1


def test_a_saddle_is_left_by_mini_batches_and_not_by_the_full_batch():
    at = opened("terrain", **{"terrain.view": "fit"})
    assert "The mini-batches leave it in epoch" in said(at)
    at.number_input(key="terrain.batch_size").set_value(16.0).run()
    assert "choose a smaller one" in said(at)


def test_a_chosen_learning_rate_is_put_in_force():
    at = opened("rates", preset="noisy")
    rates = rate_sweep.swept(PRESETS["noisy"].points, Settings(), False).rates
    wanted = rates[20]
    at.select_slider(key="rates.pick").set_value(f"{wanted:.4g}").run()
    at.button(key="up_rate").click().run()
    assert sentences(at) == []
    assert at.session_state["lr"] == pytest.approx(wanted, rel=1e-3)


def test_the_average_is_first_that_of_the_method_that_is_followed():
    for method, wanted in (("sgd", "sgd"), ("minibatch-shuffled", "minibatch-shuffled"), ("gd", "sgd-shuffled")):
        at = opened("average", preset="noisy", method=method)
        assert sentences(at) == []
        assert at.session_state["average.of"] == wanted
    at = opened("average", preset="noisy", method="sgd", **{"average.of": "minibatch"})
    assert at.session_state["average.of"] == "minibatch"


def test_other_data_have_other_rates_to_choose_from():
    at = opened("rates", preset="noisy")
    at.session_state["preset"] = "course"
    at.run()
    assert sentences(at) == []


def test_agreeing_samples_have_no_floor():
    assert "no floor" in said(opened("floor", preset="course"))
    assert "The samples disagree" in said(opened("floor", preset="noisy"))


def test_nothing_is_measured_until_it_is_asked_for():
    at = opened("cost", preset="noisy")
    assert "times as long" not in said(at)
    assert "points are repeated" not in said(at)
    at.button(key="cost.measure").click().run()
    assert sentences(at) == []
    assert "times as long as the vectorised full batch" in said(at)
    assert "The 12 points are repeated" in said(at)
    before = at.dataframe[-1].value
    at.button(key="cost.measure").click().run()
    assert not at.dataframe[-1].value.equals(before)
