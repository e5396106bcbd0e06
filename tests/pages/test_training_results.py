"""The sections with a run's results and with the inside of its network, over two small runs that were trained."""

import json

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from core import run_text, shipped
from core.datasets import DATA, mnist
from core.device import find_placement
from core.exchange import export_run, import_run
from core.jobs import Jobs
from core.run import RunSpec
from core.store import Store
from tests.pages.visits import fine, pictures, said

FIRST = RunSpec(epochs=2, train_images=600, lr=0.05)
SECOND = RunSpec(epochs=1, train_images=600, lr=0.05, model="mlp")
PLAIN = RunSpec(epochs=1, train_images=100, model="stack", options={"depth": 20, "residual": False})
PATIENCE = 180  # s for the small runs on a busy machine
LABELS = mnist().test_labels


@pytest.fixture(scope="module")
def jobs(tmp_path_factory):
    manager = Jobs(Store(tmp_path_factory.mktemp("home")), find_placement("cpu", 1))
    specs = [FIRST, SECOND, PLAIN, RunSpec(epochs=1, train_images=100, model="stack", options={"depth": 20})]
    for job in [manager.submit(spec) for spec in specs]:
        assert job.wait_for(lambda job: not job.active and not job.at_work, PATIENCE)
        assert job.status == "done", job.error
    yield manager
    manager.close()


def section(jobs, name, text):
    import importlib

    import streamlit as st

    from core.run_text import read

    st.session_state.setdefault("lang", st.query_params.get("lang", "en"))
    spec = read(text)
    importlib.import_module(f"pages.parts.training_{name}").show(jobs, spec, jobs.get(spec))


def visit(jobs, name, spec=FIRST, **query):
    at = AppTest.from_function(section, default_timeout=PATIENCE, args=(jobs, name, run_text.write(spec)))
    for key, value in query.items():
        at.query_params[key] = str(value)
    return fine(at.run())


def predicted(job, position=-1):
    return np.array([int(digit) for digit in job.epochs[position].predicted])


# --- Results


def test_the_matrix_shows_each_epoch_and_the_chosen_cell(jobs):
    job = jobs.get(FIRST)
    data = pictures(visit(jobs, "results"))["confusion"]
    assert (data["steps"], data["start"]) == (2, 1)
    cells = data["data"]["cells"]["columns"]["counts"]
    seen = predicted(job)
    assert cells[49][1] == ((LABELS == 4) & (seen == 9)).sum()
    assert f"{(seen != LABELS).sum():,} of 10,000" in data["captions"][-1]
    assert [slider["value"] for slider in data["sliders"]] == [4, 9]


def test_the_link_and_the_hand_choose_the_cell(jobs):
    at = visit(jobs, "results", label="7", seen="7", cells="shares")
    data = pictures(at)["confusion"]
    assert [slider["value"] for slider in data["sliders"]] == [7, 7]
    right = ((LABELS == 7) & (predicted(jobs.get(FIRST)) == 7)).sum()
    assert data["data"]["heading"]["columns"]["text"][-1].startswith(f"7 recognised: {right:,} image")
    at.session_state["cell.label"] = 2
    again = pictures(fine(at.run()))["confusion"]
    assert [slider["value"] for slider in again["sliders"]] == [2, 7]


@pytest.mark.parametrize("asked", ["x", "10", "-1", "²"])
def test_a_cell_that_is_none_is_not_chosen(jobs, asked):
    data = pictures(visit(jobs, "results", label=asked))["confusion"]
    assert data["sliders"][0]["value"] == 4


def test_what_the_hand_chose_stands_in_the_link(jobs):
    def choose():
        import streamlit as st

        from pages.parts.training_results import choose_cell

        choose_cell({"label": 3.0, "seen": 9.0})
        st.text(str(dict(st.query_params)))

    at = AppTest.from_function(choose).run()
    assert at.text[0].value == "{'label': '3'}"


def test_another_run_is_compared_when_it_is_chosen(jobs):
    at = visit(jobs, "results")
    assert set(pictures(at)) == {"confusion"}
    box = at.selectbox(key="versus")
    assert "MLP" in " ".join(box.options)
    data = pictures(fine(box.select(run_text.write(SECOND)).run()))["versus"]
    first, second = (predicted(jobs.get(spec)) == LABELS for spec in (FIRST, SECOND))
    only = f"only this one {(first & ~second).sum():,}, only the other one {(second & ~first).sum():,}"
    assert only in data["captions"][-1]
    linked = pictures(visit(jobs, "results", versus=run_text.write(SECOND)))["versus"]
    assert linked["captions"] == data["captions"]


def test_the_prepared_runs_come_first_with_the_name_of_their_network(jobs, monkeypatch):
    monkeypatch.setattr(shipped, "RUNS", DATA / "runs")
    options = visit(jobs, "results").selectbox(key="versus").options
    assert options[0] == "no other run"
    assert [option.partition(",")[0] for option in options[1:6]] == ["MLP", "CNN", "Inception", "ResNet", "Stack"]
    assert len(set(options)) == len(options) <= 31


def test_a_section_begins_at_the_epoch_of_the_first_picture(jobs):
    assert pictures(visit(jobs, "results", **{"run.step": 1}))["confusion"]["start"] == 0
    assert pictures(visit(jobs, "inside", **{"run.step": 1}))["inside"]["start"] == 1
    for nonsense in ("x", "99", "-3", "²"):
        assert pictures(visit(jobs, "results", **{"run.step": nonsense}))["confusion"]["start"] == 1


@pytest.mark.parametrize("name", ["results", "inside"])
def test_an_imported_run_that_the_link_names_is_shown(jobs, tmp_path, name):
    other = Jobs(Store(tmp_path), find_placement("cpu", 1))
    key = import_run(export_run(jobs.get(FIRST).key, jobs.store), other.store)
    assert not pictures(visit(other, name))
    shown = pictures(visit(other, name, run=key))
    for picture, data in pictures(visit(jobs, name)).items():
        assert shown[picture]["captions"] == data["captions"]
    other.close()


def test_a_link_to_a_run_that_is_not_there_says_so(jobs):
    at = visit(jobs, "results", versus="cnn~seed-77")
    assert "versus" in at.warning[0].value
    assert set(pictures(at)) == {"confusion"}


@pytest.mark.parametrize("name", ["results", "inside"])
def test_without_a_run_there_is_a_word(jobs, name):
    at = visit(jobs, name, RunSpec(seed=99))
    assert "Appears" in said(at)
    assert not pictures(at)


@pytest.mark.parametrize("name", ["results", "inside"])
def test_the_sections_are_there_in_chinese(jobs, name):
    assert pictures(visit(jobs, name, lang="zh"))


# --- Inside


def test_the_layers_are_shown_from_before_the_first_step(jobs):
    job = jobs.get(FIRST)
    at = visit(jobs, "inside")
    data = pictures(at)["inside"]
    assert (data["steps"], data["start"], data["first"]) == (3, 2, 0)
    columns = data["data"]["layers"]["columns"]
    assert columns["name"][:3] == [layer.name for layer in job.insides[0].layers]
    assert "After epoch 2 the gradient" in data["captions"][2]
    assert "the gradient" not in said(at)


def test_a_plain_stack_stands_beside_its_residual_twin(jobs):
    data = pictures(visit(jobs, "inside", PLAIN))["inside"]
    assert len(set(data["data"]["layers"]["columns"]["run"])) == 2
    assert data["captions"][0].count("20") == 2  # the depth of both
    assert "without" in data["captions"][0] or "plain" in data["captions"][0]


def test_a_stack_and_its_twin_have_the_colours_of_the_comparison_above(jobs):
    residual = RunSpec(epochs=1, train_images=100, model="stack", options={"depth": 20})
    at = AppTest.from_function(section, default_timeout=PATIENCE, args=(jobs, "inside", run_text.write(PLAIN)))
    for runs, colours in (((), ["@runa", "@runb"]), ((residual, FIRST, PLAIN), ["@runc", "@runa"])):
        at.session_state["compare.runs"] = runs
        spec = pictures(fine(at.run()))["inside"]["spec"].replace(" ", "")
        assert f'"range":{json.dumps(colours)}'.replace(" ", "") in spec


def wait_for_maps(jobs, spec=FIRST, **query):
    from core.torch_thread import in_torch_thread

    in_torch_thread(lambda: None)  # torch is loaded then
    return visit(jobs, "inside", spec, **query)


def test_the_maps_of_an_image_are_shown_for_each_kept_epoch(jobs):
    at = wait_for_maps(jobs, look="image", image="8", layer="4", map="3")
    data = pictures(at)["maps"]
    assert data["steps"] == 1 + len(jobs.store.summary(jobs.get(FIRST).key).weight_epochs)
    assert [slider["value"] for slider in data["sliders"]] == [4, 3, 0]
    assert "conv2: convolution, 20 maps of 8 × 8; here the first 16 of 20" in said(at)
    label, seen = LABELS[8], predicted(jobs.get(FIRST))[8]
    assert (f"this {label} is recognised" in data["captions"][-1]) == (label == seen)


def test_the_next_mistake_is_one(jobs):
    at = wait_for_maps(jobs, look="image")
    wrong = np.flatnonzero(predicted(jobs.get(FIRST)) != LABELS)
    for place in range(2):
        fine(at.button(key="next_mistake").click().run())
        assert at.number_input(key="image").value == wrong[wrong > 0][place]
        assert "is taken for a" in pictures(at)["maps"]["captions"][-1]
    at.number_input(key="image").set_value(9_999.0).run()
    fine(at.button(key="next_mistake").click().run())
    assert at.number_input(key="image").value == wrong[0]


def test_an_image_number_that_is_none_is_refused_in_words(jobs):
    at = wait_for_maps(jobs, look="image", image="3.5")
    assert "whole number from 0 to 9,999" in at.error[0].value


@pytest.mark.parametrize(("layer", "expected"), [("99", 7), ("-1", 1), ("²", 1), ("0", 0)])
def test_a_layer_that_the_network_lacks_is_not_shown(jobs, layer, expected):
    data = pictures(wait_for_maps(jobs, look="image", layer=layer, map="999", pixel="9999"))["maps"]
    assert data["sliders"][0]["value"] == expected


def test_what_was_chosen_stands_in_the_link_and_another_layer_begins_at_its_strongest_pixel():
    def choose():
        import streamlit as st

        from pages.parts.training_inside import keep_chosen

        keep_chosen({"layer": 1.0, "map": 2.0, "pixel": 7.0})
        st.text(str(dict(st.query_params)))
        keep_chosen({"layer": 4.0, "map": 0.0, "pixel": 7.0})
        st.text(str(dict(st.query_params)))

    at = AppTest.from_function(choose).run()
    assert [text.value for text in at.text] == ["{'map': '2', 'pixel': '7'}", "{'layer': '4'}"]


def test_the_first_kernels_move_with_the_epochs(jobs):
    at = wait_for_maps(jobs, look="kernels")
    data = pictures(at)["kernels"]
    assert "10 kernels of 5 × 5" in said(at)
    urls = data["data"]["kernels"]["columns"]["urls"]
    assert len({tuple(each) for each in urls}) == 10
    assert all(len(set(each)) == data["steps"] for each in urls)


def test_while_torch_is_loaded_the_page_says_so(jobs, monkeypatch):
    from pages.parts import training_inside

    monkeypatch.setattr(training_inside, "torch_ready", lambda: False)
    at = visit(jobs, "inside", look="image")
    assert "PyTorch is being loaded" in said(at)
    assert not pictures(at)


def test_weights_that_are_missing_are_said(jobs, monkeypatch):
    from core.errors import InputError

    def missing(_key, _epoch):
        raise InputError("The weights are gone.")

    wait_for_maps(jobs, look="image")
    monkeypatch.setattr(jobs.store, "weights", missing)
    at = visit(jobs, "inside", look="image", image="1234")
    assert "The weights are gone." in said(at)
