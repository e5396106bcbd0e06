"""The sections of the training page while a run trains, and what the page says of a run that others lead up to."""

import html
from dataclasses import replace
from types import SimpleNamespace

import pytest

from core.run import RunSpec
from pages.parts import training_under_way
from tests.pages.visits import fine, pictures, said, visitor_of_app

SPEC = RunSpec(train_images=500, epochs=100, seed=7)  # many epochs, so that it trains as long as it is looked at
LINK = {"images": 500, "epochs": 100, "seed": 7}
PATIENCE = 120  # s on a busy machine
visit = visitor_of_app("training", PATIENCE)
pytestmark = pytest.mark.usefixtures("manager")


@pytest.fixture
def under_way(manager):
    """A run that trains while it is looked at, and has finished an epoch."""
    job = manager.submit(SPEC)
    after(job, 1)
    yield job
    manager.cancel(job.key)
    assert job.wait_for(lambda job: not job.at_work, PATIENCE)


def after(job, epochs):
    """Wait until so many epochs are finished and the run still trains."""
    assert job.wait_for(lambda job: len(job.epochs) >= epochs or not job.active, PATIENCE)
    assert job.active


def card(at):
    (body,) = [element.proto.body for element in at.get("html") if 'class="run-card"' in element.proto.body]
    return html.unescape(body)


def finished(at):
    """Return how many epochs the card, the picture of the layers and the table of the numbers tell of."""
    told = card(at).partition("<dt>Last test accuracy</dt><dd>")[2].partition("</dd>")[0]
    return int(told.rpartition(" ")[2]), pictures(at)["inside"]["steps"] - 1, len(at.dataframe[0].value)


def test_the_open_sections_follow_a_run_under_way(under_way, monkeypatch):
    paces, fragment = [], training_under_way.st.fragment

    def watched(draw=None, **how):
        paces.append(how.get("run_every"))
        return fragment(draw, **how)

    monkeypatch.setattr(training_under_way.st, "fragment", watched)
    at = visit("card", "inside", "numbers", "results", **LINK)
    assert paces.count(training_under_way.LOOK) == 4
    seen = finished(at)
    assert min(seen) >= 1
    after(under_way, max(seen) + 1)
    assert min(finished(fine(at.run()))) > max(seen)
    assert under_way.active
    batches = at.dataframe[1].value
    assert len(batches) % SPEC.steps_per_epoch == 0  # those of whole epochs, so that the table holds still


def test_the_numbers_stay_where_they_are(manager):
    def sections(at):
        return [panel.label for panel in at.expander]

    at = visit("numbers", images=500, epochs=100, seed=8)
    before = sections(at)
    assert "The numbers" in before
    assert "Appears after the first epoch." in said(at)
    fine(at.button(key="start").click().run())
    job = manager.get(replace(SPEC, seed=8))
    assert job.active
    assert sections(at) == before
    manager.cancel(job.key)
    assert job.wait_for(lambda job: not job.at_work, PATIENCE)
    assert sections(fine(at.run())) == before


def test_what_is_downloaded_is_chosen_for_good_while_the_run_trains(under_way):
    after(under_way, 3)
    at = visit("card", **LINK)
    (box,) = [box for box in at.selectbox if box.key.startswith("card_epoch")]
    assert box.key.split("_")[2] == under_way.key
    assert not any("last" in option for option in box.options)
    box.set_value(2)
    after(under_way, len(under_way.epochs) + 1)
    fine(at.run())
    assert at.selectbox(key=box.key).value == 2


@pytest.mark.parametrize(("active", "pace"), [(True, training_under_way.LOOK), (False, None)])
def test_only_a_run_under_way_is_looked_at_again(monkeypatch, active, pace):
    drawn = []

    def fragment(draw, run_every):
        drawn.append(run_every)
        return draw

    monkeypatch.setattr(training_under_way.st, "fragment", fragment)
    training_under_way.follow(drawn.append, SimpleNamespace(active=active), "section")
    training_under_way.follow(drawn.append, None, "section")
    assert drawn == [pace, "section", None, "section"]


def test_a_run_without_news_is_not_read_again(under_way, manager, monkeypatch):
    manager.cancel(under_way.key)
    assert under_way.wait_for(lambda job: not job.at_work, PATIENCE)
    first = training_under_way.summary(manager.store, under_way.key)
    assert first == manager.store.summary(under_way.key)
    monkeypatch.setattr(manager.store, "summary", None)
    assert training_under_way.summary(manager.store, under_way.key) is first


def test_a_longer_run_says_that_it_goes_on_from_a_shorter_one(manager):
    short = replace(SPEC, epochs=2, seed=9)
    job = manager.submit(short)
    assert job.wait_for(lambda job: not job.active and not job.at_work, PATIENCE)
    assert job.status == "done"
    at = visit(images=500, epochs=5, seed=9)
    steps = 3 * short.steps_per_epoch
    assert f"is kept up to epoch 2 of 5. Press **Continue**: from there it takes {steps} more steps" in said(at)
    assert at.button(key="start").label == "Continue"
    at = visit(images=500, epochs=5, seed=9, schedule="cosine")  # which looks at the number of epochs: another run
    assert "Not trained yet. Press **Start**: it takes" in said(at)
    assert at.button(key="start").label == "Start"


def test_a_run_that_was_stopped_within_an_epoch_says_that_it_is_repeated(manager):
    def begun(job):
        return len(job.batches) and job.batches[len(job.batches) - 1].epoch > len(job.epochs) > 0

    long = RunSpec(train_images=20_000, epochs=3, seed=7)
    job = manager.submit(long)
    assert job.wait_for(begun, PATIENCE)
    manager.cancel(job.key)
    assert job.wait_for(lambda job: not job.at_work, PATIENCE)
    assert begun(job)
    told = "Continue goes on from there and repeats the unfinished epoch."
    assert told in said(visit(images=20_000, epochs=3, seed=7))
