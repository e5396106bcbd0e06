"""The model card, the downloads and the import, as a part of its own."""

import html
import json
from dataclasses import replace

import pytest
from streamlit.testing.v1 import AppTest

from app.i18n import translations
from core import jobs as jobs_module
from core.device import find_placement
from core.exchange import export_run
from core.jobs import Jobs
from core.kept import kept_run
from core.run import RunSpec
from core.store import Store
from pages.parts import training_card
from tests.pages.visits import fine

PLACEMENT = find_placement("cpu", 1)
SPEC = RunSpec(epochs=2, train_images=300)
KEY = SPEC.key(PLACEMENT)


def part():
    import streamlit as st

    from core import jobs as jobs_module
    from core.run import RunSpec
    from pages.parts import training_card

    spec, jobs = RunSpec(epochs=2, train_images=300), jobs_module.manager()
    training_card.show(jobs, spec, jobs.get(st.query_params.get("run", "")) or jobs.get(spec))


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    store = Store(tmp_path_factory.mktemp("store"))
    list(kept_run(SPEC, PLACEMENT, store, owner="terminal"))
    return store


@pytest.fixture
def exported(trained):
    return export_run(KEY, trained)


@pytest.fixture
def empty(tmp_path, monkeypatch):
    jobs = Jobs(Store(tmp_path / "empty"), PLACEMENT)
    monkeypatch.setattr(jobs_module, "_manager", jobs)
    return jobs


@pytest.fixture
def with_run(trained, monkeypatch):
    jobs = Jobs(trained, PLACEMENT)
    monkeypatch.setattr(jobs_module, "_manager", jobs)
    return jobs


def opened(language="en"):
    at = AppTest.from_function(part, default_timeout=60)
    at.session_state["lang"] = language
    return fine(at.run())


def card(at):
    bodies = [element.proto.body for element in at.get("html")]
    return html.unescape(" ".join(body for body in bodies if "run-card" in body))


def upload(at, content, name="run.zip"):
    at.file_uploader(key="card_upload").set_value((name, content, "application/zip"))
    return fine(at.run())


@pytest.mark.parametrize("language", ["en", "zh"])
def test_the_card_tells_what_the_run_is(with_run, language):
    at = opened(language)
    _ = translations(language).gettext
    epochs = with_run.store.load(KEY).epochs
    best = max(epoch.test_accuracy for epoch in epochs)
    for said in (KEY, "8,490", "474,250", f"{100 * best:.2f} %", PLACEMENT.torch, _("Best test accuracy"), _("here")):
        assert said in card(at)


def test_what_it_offers_is_the_run(with_run):
    at = opened()
    labels = [button.label for button in at.get("download_button")]
    assert labels == ["Weights", "Metrics (CSV)", "The whole run (zip)", "Script (.py)"]
    epochs = with_run.store.load(KEY).epochs
    best = max(epochs, key=lambda epoch: epoch.test_accuracy).epoch
    (weights,) = at.selectbox
    assert weights.value == best
    assert weights.options == [
        "1 (best)" if best == 1 else "1", "2 (best and last)" if best == 2 else "2 (last)",
    ]  # fmt: skip


def test_a_longer_run_offers_its_own_best_weights(with_run, monkeypatch):
    at = opened()
    (before,) = at.selectbox
    fine(before.set_value(1).run())
    whole = training_card._card
    monkeypatch.setattr(
        training_card, "_card", lambda *args: replace(whole(*args), weight_epochs=(1, 2, 7), epochs=7, best_epoch=7)
    )
    fine(at.run())
    (after,) = at.selectbox
    assert (after.value, after.options) == (7, ["1", "2", "7 (best and last)"])


def test_a_run_that_has_diverged_says_so_on_its_card(with_run, monkeypatch):
    whole = training_card._card
    assert "diverged" not in card(opened())
    monkeypatch.setattr(training_card, "_card", lambda *args: replace(whole(*args), last_loss=float("nan")))
    assert "no finite number: the run has diverged" in card(opened())


def test_before_an_epoch_there_is_no_card(empty):
    at = opened()
    assert not card(at)
    assert "The card comes with the first finished epoch." in [element.value for element in at.markdown]


def test_an_exported_run_is_loaded_shown_and_removed(empty, exported):
    at = upload(opened(), exported)
    (listed,) = empty.store.imported()
    assert at.query_params["run"] == listed.key
    assert "it was imported from a file" in card(at)
    assert listed.key in card(at)
    words = [element.value for element in at.markdown]
    assert any("This run is open" in text for text in words)
    assert any(text.startswith("CNN, ") and "2 epochs" in text for text in words)
    assert not at.error
    fine(at.button(key=f"remove_{listed.key}").click().run())
    assert empty.store.imported() == []
    assert not card(at)
    assert "run" not in at.query_params


def test_another_visit_opens_it_again(empty, exported):
    upload(opened(), exported)
    (listed,) = empty.store.imported()
    later = opened()
    assert not card(later)
    fine(later.button(key=f"up_{listed.key}").click().run())
    assert listed.key in card(later)


def test_what_is_no_run_is_refused_in_place(empty, exported):
    at = upload(opened(), b"not a zip")
    assert [error.value for error in at.error] == ["The file is no run that was exported here: those are zip archives."]
    assert empty.store.imported() == []
    at = upload(at, exported, "another.zip")
    assert not at.error
    assert len(empty.store.imported()) == 1


def test_a_stranger_s_words_stay_words(empty, exported):
    """A run may say anything of itself that its format allows; none of it becomes markup."""
    from core.archive import Archive, write_archive
    from core.entries import MANIFEST, manifest_bytes

    archive = Archive(exported)
    files = {name: archive.read(name) for name in archive.names}
    manifest = json.loads(files[MANIFEST])
    fields = {name: value for name, value in manifest.items() if name not in ("format", "checksum")}
    said = "www.example.org, call (555) 1234 @ home"
    changed = {**files, MANIFEST: manifest_bytes(fields | {"hardware": {"processor": said}})}
    at = upload(opened(), write_archive(changed))
    assert said in card(at)
    bad = {**files, MANIFEST: manifest_bytes(fields | {"hardware": {"processor": "<img src=x>"}})}
    at = upload(at, write_archive(bad), "bad.zip")
    assert len(at.error) == 1
