import errno
from dataclasses import replace

import pytest

from core import entry_writer, kept
from core.device import find_placement
from core.errors import InputError
from core.kept import Notice, Opened, kept_run
from core.records import Batch, Epoch, Inside
from core.run import RunSpec
from core.store import Store
from tests.core.test_train import numbers

PLACEMENT = find_placement("cpu", 1)
SPEC = RunSpec(epochs=3, train_images=300, seed=1)
KEY = SPEC.key(PLACEMENT)


@pytest.fixture
def store(tmp_path):
    return Store(tmp_path)


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory):
    store = Store(tmp_path_factory.mktemp("store"))
    events = list(kept_run(SPEC, PLACEMENT, store, owner="terminal"))
    return events, store.load(KEY).checkpoint.weights


def run(store, **options):
    return kept_run(SPEC, PLACEMENT, store, owner="terminal", **options)


def until_epoch(events, number):
    return next(event for event in events if isinstance(event, Epoch) and event.epoch == number)


def final(events):
    """All batches and epochs as a reader has them in the end."""
    records = []
    for event in events:
        if isinstance(event, Opened):
            kinds = (Batch, Inside, Epoch)
            kept_records = [*event.batches, *event.epochs, *event.insides]
            records = sorted(kept_records, key=lambda r: (r.epoch, kinds.index(type(r))))
        elif isinstance(event, Batch | Inside | Epoch):
            records.append(event)
    return numbers(records)


def test_the_second_time_everything_is_there(store, undisturbed):
    events, _ = undisturbed
    assert events[0] == Opened(done=False, batches=(), epochs=(), insides=())
    first = list(run(store))
    second = list(run(store))
    assert second == [
        Opened(
            done=True,
            batches=tuple(event for event in first if isinstance(event, Batch)),
            epochs=tuple(event for event in first if isinstance(event, Epoch)),
            insides=tuple(event for event in first if isinstance(event, Inside)),
        )
    ]


def test_a_run_that_ended_early_is_done(store):
    spec = replace(SPEC, epochs=9, patience=1, lr=1e-6)
    first = list(kept_run(spec, PLACEMENT, store, owner="terminal"))
    epochs = [event for event in first if isinstance(event, Epoch)]
    assert len(epochs) < 9
    (second,) = kept_run(spec, PLACEMENT, store, owner="terminal")
    assert (second.done, second.epochs) == (True, tuple(epochs))
    assert [inside.epoch for inside in second.insides] == [0, *(epoch.epoch for epoch in epochs)]


@pytest.mark.parametrize("stop", ["after epoch 1", "in epoch 2"])
def test_an_interrupted_run_ends_as_an_undisturbed_one(store, undisturbed, stop):
    events = run(store)
    until_epoch(events, 1)
    if stop == "in epoch 2":
        next(events)
        next(events)
    events.close()
    assert store.load(KEY).state == "cancelled"
    rest = list(run(store))
    assert [len(event.epochs) for event in rest if isinstance(event, Opened)] == [1]
    assert final(rest) == final(undisturbed[0])
    assert store.load(KEY).checkpoint.weights == undisturbed[1]


def test_fresh_trains_again(store):
    list(run(store))
    assert sum(isinstance(event, Epoch) for event in run(store, fresh=True)) == SPEC.epochs


def test_a_damaged_run_is_reported_and_computed_again(store, undisturbed):
    list(run(store))
    path = store.folder(KEY) / "weights-003.safetensors"
    content = bytearray(path.read_bytes())
    content[-1] ^= 1
    path.write_bytes(content)
    events = list(run(store))
    assert isinstance(events[0], Notice)
    assert "damaged" in str(events[0].error)
    assert final(events) == final(undisturbed[0])
    assert store.load(KEY).checkpoint.weights == undisturbed[1]


def test_a_second_process_follows_the_first(store, monkeypatch):
    monkeypatch.setattr(kept, "POLL", 0.001)
    first, second = run(store), run(store)
    until_epoch(first, 1)
    seen = next(second)
    assert (len(seen.epochs), seen.done) == (1, False)
    until_epoch(first, 2)
    assert len(next(second).epochs) == 2
    list(first)
    last = list(second)
    assert [(len(event.epochs), event.done) for event in last] == [(3, True)]


def test_a_full_disk_stops_the_run_where_it_can_go_on(store, undisturbed, monkeypatch):
    events = run(store)
    until_epoch(events, 1)

    def full(path, content):
        raise OSError(errno.ENOSPC, "No space left on device", str(path))

    with monkeypatch.context() as patch:
        patch.setattr(entry_writer, "write_file", full)
        with pytest.raises(InputError, match="disk is full"):
            list(events)
    assert final(run(store)) == final(undisturbed[0])
