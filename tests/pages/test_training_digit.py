"""The drawn digit, as a part of its own."""

import json

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from app import quick
from app.i18n import translations
from core import jobs as jobs_module
from core import trained_nets
from core.datasets import mnist
from core.device import find_placement
from core.digits import STEPS, Drawing
from core.errors import InputError
from core.jobs import Jobs
from core.kept import kept_run
from core.predict import predict
from core.run import RunSpec
from core.store import Store
from core.torch_thread import in_torch_thread
from tests.pages.visits import fine

PLACEMENT = find_placement("cpu", 1)
SPECS = [RunSpec(model=model, epochs=1, train_images=300, lr=0.05) for model in ("cnn", "mlp")]
THREE = Drawing(example=18)
DOT = Drawing(strokes=(((140, 140),),))


def part():
    from core import jobs as jobs_module
    from pages.parts import training_digit
    from tests.pages.test_training_digit import SPECS

    jobs = jobs_module.manager()
    training_digit.show(jobs, SPECS[0], jobs.get(SPECS[0]))


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    store = Store(tmp_path_factory.mktemp("store"))
    for spec in SPECS:
        list(kept_run(spec, PLACEMENT, store, owner="terminal"))
    return store


@pytest.fixture(autouse=True)
def nothing_shipped(monkeypatch):
    monkeypatch.setattr(trained_nets, "shipped_runs", tuple)
    in_torch_thread(lambda: None)  # its loading has a test of its own


@pytest.fixture
def jobs(trained, monkeypatch):
    jobs = Jobs(trained, PLACEMENT)
    monkeypatch.setattr(jobs_module, "_manager", jobs)
    return jobs


def opened(drawing=None, language="en", **state):
    at = AppTest.from_function(part, default_timeout=60)
    at.session_state["lang"] = language
    if drawing:
        from app.pad import Sent

        at.session_state["pad-digit.sent"] = Sent(serial=1, drawing=drawing, lifted=True)
    for name, value in state.items():
        at.session_state[name] = value
    return fine(at.run())


def pictures(at):
    """Return what the components got, by the name of the picture; the pad's is "pad"."""
    payloads = [json.loads(component.proto.json) for component in at.get("bidi_component")]
    return {payload.get("name", "pad"): payload for payload in payloads}


def said(at):
    """Return the sentence above the bars, and all that stands on the page itself."""
    bars = pictures(at).get("drawn-digit", {"said": ""})
    return " ".join([bars["said"], *(element.value for element in at.markdown)])


def column(picture, source, name):
    import base64

    values = picture["data"][source]["columns"][name]
    return np.frombuffer(base64.b64decode(values)) if isinstance(values, str) else values


def test_a_blank_pad_waits_for_a_digit(jobs):
    at = opened()
    assert "Draw a digit" in said(at)
    assert set(pictures(at)) == {"pad", "drawn-digit"}
    assert not column(pictures(at)["drawn-digit"], "bars", "probability").any()


def test_every_network_says_what_it_sees(jobs):
    at = opened(THREE)
    nets = trained_nets.trained_nets(jobs, SPECS[:1])
    assert [net.spec for net in nets] == SPECS
    answers = predict(nets, mnist().test_images[18] / 255)
    drawn = column(pictures(at)["drawn-digit"], "bars", "probability").reshape(2, 10)
    np.testing.assert_allclose(drawn, [answer.probabilities for answer in answers], atol=1e-5)
    titles = column(pictures(at)["drawn-digit"], "nets", "title")
    assert titles[0].startswith("CNN · ")
    assert titles[1].startswith("MLP · ")
    assert f"epoch {nets[0].epoch}: {100 * nets[0].accuracy:.2f} %" in titles[0]


def test_the_steps_are_shown_and_explained(jobs):
    steps = pictures(opened(THREE))["digit-steps"]
    assert steps["steps"] == len(steps["captions"]) == len(STEPS)
    assert column(steps, "images", "name") == list(STEPS.values())


def test_the_gradient_belongs_to_the_chosen_network_and_digit(jobs):
    nets = trained_nets.trained_nets(jobs, SPECS[:1])
    first = opened(THREE)
    (answer,) = predict(nets[:1], mnist().test_images[18] / 255)
    assert f"CNN's score for {answer.digit}" in said(first)
    other = opened(THREE, slope_of=nets[1].key, slope_by="7")
    assert "MLP's score for 7" in said(other)
    slopes = [column(pictures(at)["digit-gradient"], "cells", "gradient") for at in (first, other)]
    assert len(slopes[0]) == 28 * 28
    assert not np.allclose(*slopes)


def test_past_the_page_the_pad_gets_the_same_answer(jobs):
    bars = pictures(at := opened(THREE, language="zh"))["drawn-digit"]
    token = pictures(at)["pad"]["quick"].removeprefix("quick/")
    answer = quick._offers[token]({"strokes": [], "example": THREE.example})  # as the route asks, without a session
    assert answer["data"]["bars"] == bars["data"]["bars"]
    assert answer["key"] == bars["key"]
    assert [answer[name] for name in ("said", "kind", "alt")] == [bars[name] for name in ("said", "kind", "alt")]
    assert answer["said"]


def test_past_the_page_what_is_no_drawing_is_refused(jobs):
    token = pictures(opened())["pad"]["quick"].removeprefix("quick/")
    with pytest.raises(InputError):
        quick._offers[token]({"strokes": "x"})


def test_a_dot_gets_a_sentence(jobs):
    at = opened(DOT)
    assert "no more than a dot" in said(at)
    assert "digit-steps" not in pictures(at)


def test_without_a_trained_network_the_page_says_how_to_get_one(tmp_path, monkeypatch):
    monkeypatch.setattr(jobs_module, "_manager", Jobs(Store(tmp_path), PLACEMENT))
    assert "No trained network is there yet" in said(opened(THREE))


def test_while_torch_is_loaded_the_pad_is_there_already(jobs, monkeypatch):
    from pages.parts import training_digit

    monkeypatch.setattr(training_digit, "torch_ready", lambda: False)
    at = opened(THREE)
    assert "PyTorch is being loaded" in said(at)
    assert set(pictures(at)) == {"pad"}
    assert not pictures(at)["pad"]["quick"]


def test_weights_that_are_damaged_are_told_and_the_others_go_on(jobs, trained, monkeypatch):
    def weights(key, epoch):
        raise InputError("The weights of {key} are gone.", key=key)

    key = SPECS[1].key(PLACEMENT)
    kept = trained.weights
    monkeypatch.setattr(trained, "weights", lambda k, e: weights(k, e) if k == key else kept(k, e))
    from core import predict as predicting

    predicting.network.cache_clear()
    at = opened(THREE)
    assert f"The weights of {key} are gone." in said(at)
    assert "CNN sees a" in said(at)


def test_the_part_speaks_chinese(jobs):
    chinese = translations("zh").gettext
    at = opened(THREE, language="zh")
    title = chinese("Drawn")
    assert title != "Drawn"
    assert column(pictures(at)["digit-steps"], "images", "name")[0] == title
