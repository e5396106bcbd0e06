"""A run of more epochs goes on from the same run of fewer, bit for bit as if it had been trained straight through."""

from dataclasses import replace

import pytest

from core.device import find_placement
from core.kept import Opened, kept_run
from core.records import Batch, Epoch, Inside
from core.run import RunSpec
from core.store import Store
from tests.core.test_train import numbers

PLACEMENT = find_placement("cpu", 1)
SPEC = RunSpec(epochs=4, train_images=300, seed=1)
SPECS = {
    "sgd": SPEC,
    "adam": replace(SPEC, optimizer="adam", lr=0.001),
    "dropout and augmentation": replace(SPEC, options={"dropout": 0.5}, shift=2, rotate=10.0),
}

pytestmark = pytest.mark.usefixtures("few_tests")


def run(spec, store, epochs=None):
    """Train, at most so many epochs, and return what was reported."""
    events = []
    opened = kept_run(spec, PLACEMENT, store, owner="terminal")
    for event in opened:
        events.append(event)
        if epochs and isinstance(event, Epoch) and event.epoch == epochs:
            opened.close()
    return events


@pytest.mark.parametrize("name", SPECS)
@pytest.mark.parametrize("ended", ["done", "interrupted"])
def test_a_longer_run_goes_on_and_ends_as_one_that_was_trained_straight_through(tmp_path, name, ended):
    spec = SPECS[name]
    straight = Store(tmp_path / "straight")
    run(spec, straight)
    store = Store(tmp_path / "store")
    if ended == "done":
        run(replace(spec, epochs=2), store)
    else:
        run(replace(spec, epochs=3), store, epochs=2)
    events = run(spec, store)
    (opened,) = [event for event in events if isinstance(event, Opened)]
    assert len(opened.epochs) == 2
    assert [event.epoch for event in events if isinstance(event, Epoch)] == [3, 4]
    key = spec.key(PLACEMENT)
    found, expected = store.load(key), straight.load(key)
    for kind in ("batches", "epochs", "insides"):
        assert numbers(getattr(found, kind)) == numbers(getattr(expected, kind))
    assert found.state == "done"
    for epoch in expected.weight_epochs:
        assert store.weights(key, epoch) == straight.weights(key, epoch)
    assert found.checkpoint.optimizer == expected.checkpoint.optimizer


@pytest.mark.parametrize("change", [{"schedule": "cosine"}, {"patience": 3}])
def test_a_run_that_would_differ_begins_anew(tmp_path, change):
    store = Store(tmp_path)
    spec = replace(SPEC, epochs=2, **change)
    run(replace(spec, epochs=1), store)
    events = run(spec, store)
    assert [event.epoch for event in events if isinstance(event, Epoch)] == [1, 2]
    assert isinstance(events[1], Inside | Batch)


def test_fresh_goes_on_from_nothing(tmp_path):
    store = Store(tmp_path)
    run(replace(SPEC, epochs=1), store)
    events = list(kept_run(replace(SPEC, epochs=2), PLACEMENT, store, owner="terminal", fresh=True))
    assert [event.epoch for event in events if isinstance(event, Epoch)] == [1, 2]


def test_what_the_run_itself_has_kept_counts_where_it_is_more(tmp_path):
    store = Store(tmp_path)
    run(replace(SPEC, epochs=1), store)
    run(SPEC, store, epochs=3)
    events = run(SPEC, store)
    assert [event.epoch for event in events if isinstance(event, Epoch)] == [4]
