"""Shipped runs: packed by the command that makes them, found by their spec, read without a store."""

import time
from dataclasses import replace

import pytest

from benchmarks import ship
from core import shipped
from core.datasets import DATA, read_checked
from core.device import find_placement
from core.entries import best_epoch
from core.errors import InputError
from core.exchange import export_run, pack_run, read_exported
from core.kept import kept_run
from core.run import RunSpec
from core.shipped import find_shipped, shipped_by_key, shipped_runs, shipped_weights
from core.store import Store

PLACEMENT = find_placement("cpu", 1)
CNN = RunSpec(epochs=5, train_images=300)
STACK = RunSpec(model="stack", options={"depth": 8, "channels": 4}, epochs=2, train_images=200)
OTHER_SEED = replace(STACK, seed=1)
SPECS = (CNN, STACK, OTHER_SEED)


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    store = Store(tmp_path_factory.mktemp("store"))
    for spec in SPECS:
        list(kept_run(spec, PLACEMENT, store, owner="terminal"))
    return store


@pytest.fixture(scope="module")
def entries(store):
    return [store.load(spec.key(PLACEMENT)) for spec in SPECS]


@pytest.fixture
def folder(tmp_path, entries, store, monkeypatch):
    folder = tmp_path / "runs"
    ship.write(folder, ship.packed(entries, store, 10_000_000))
    monkeypatch.setattr(shipped, "RUNS", folder)
    return folder


@pytest.fixture
def empty(tmp_path):
    return Store(tmp_path / "empty")


def test_a_shipped_run_is_found_by_its_spec_as_it_was(folder, entries):
    for entry in entries:
        found = find_shipped(entry.spec)
        for field in ("key", "spec", "placement", "state", "batches", "epochs", "insides", "hardware", "when"):
            assert getattr(found, field) == getattr(entry, field), field
    assert find_shipped(replace(CNN, epochs=6)) is None
    assert [run.spec for run in shipped_runs()] == list(SPECS)


def test_the_weights_go_along_where_they_should(folder, entries, store, empty):
    cnn, stack, other = entries
    assert find_shipped(CNN).weight_epochs == (1, 2, 3, 4, 5)
    assert find_shipped(CNN).checkpoint.weights == cnn.checkpoint.weights
    for entry in (cnn, stack):
        for epoch in entry.weight_epochs:
            assert empty.weights(entry.key, epoch) == store.weights(entry.key, epoch)
    assert find_shipped(OTHER_SEED).checkpoint is None
    with pytest.raises(InputError, match="No weights"):
        shipped_weights(other.key, 1)
    with pytest.raises(InputError, match="only those after epoch 1, 2"):
        shipped_weights(stack.key, 3)


@pytest.mark.parametrize("share", [1.0, 0.95, 0.8, 0.5, 0.3])
def test_what_does_not_fit_loses_weights_and_never_the_best_of_a_net(entries, store, share):
    everything = ship.packed(entries, store, 10_000_000)
    budget = int(share * sum(map(len, everything.values())))
    archives = ship.packed(entries, store, budget)
    assert sum(map(len, archives.values())) <= budget
    cnn = read_exported(next(content for name, content in archives.items() if name.startswith("cnn")))
    assert {best_epoch(cnn.epochs), 5} <= set(cnn.weight_epochs)
    assert len(cnn.batches) == 5 * CNN.steps_per_epoch


def test_a_budget_that_cannot_be_kept_is_said(entries, store):
    with pytest.raises(SystemExit, match="do not fit"):
        ship.packed(entries, store, 1_000)


def test_the_list_reads_no_archive(folder, entries):
    for path in folder.glob("*.zip"):
        path.write_bytes(b"")
    shipped._index.cache_clear()
    summary = shipped_by_key(entries[0].key).summary
    assert (summary.origin, summary.epochs, summary.state) == ("shipped", 5, "done")
    assert summary.hardware == entries[0].hardware
    with pytest.raises(InputError, match="damaged"):
        find_shipped(CNN)
    with pytest.raises(InputError, match="damaged"):
        shipped_weights(entries[0].key, 1)


@pytest.mark.parametrize("content", [None, b"", b"[{}]", b"[1]", b'{"a": 1}', b"\xff"])
def test_without_an_index_nothing_ships(folder, content):
    path = folder / shipped.INDEX
    path.unlink() if content is None else path.write_bytes(content)
    shipped._index.cache_clear()
    assert shipped_runs() == ()
    assert find_shipped(CNN) is None


def test_every_layer_answers_to_its_key(folder, entries, empty):
    key = entries[0].key
    assert empty.find(key).epochs == entries[0].epochs
    assert empty.summary(key).origin == "shipped"
    assert empty.load(key) is None  # nobody goes on with it
    assert empty.runs() == []
    again = read_exported(export_run(key, empty))
    assert (again.original_key, again.batches) == (key, entries[0].batches)


def test_the_checksums_are_those_of_the_files(folder):
    names = [path.name for path in folder.iterdir() if path.name != "SHA256SUMS"]
    assert len(names) == len(SPECS) + 1
    for name in names:
        assert read_checked(name, folder)


def test_making_them_again_leaves_the_same_files(folder, entries, store):
    before = {path.name: path.read_bytes() for path in folder.iterdir()}
    (folder / "old.zip").write_bytes(b"")
    ship.write(folder, ship.packed(entries, store, 10_000_000))
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == before


def test_what_the_project_ships_is_whole(monkeypatch):
    """The runs in data/runs: each archive is what an import would take, on any machine."""
    monkeypatch.setattr(shipped, "RUNS", DATA / "runs")
    for run in shipped_runs():
        entry = read_exported(read_checked(run.path.name, run.path.parent))
        assert (entry.spec, entry.original_key, entry.state) == (run.spec, run.summary.key, "done")
        assert entry.hardware["processor"]
    assert sum(run.summary.bytes for run in shipped_runs()) <= ship.BUDGET


def test_a_shipped_run_opens_soon(tmp_path, store, monkeypatch):
    """Ten epochs of 938 steps, with the weights of the largest of the course's nets."""
    folder = tmp_path / "long"
    entry = store.load(CNN.key(PLACEMENT))
    spec = replace(CNN, train_images=60_000)
    batches = tuple(
        replace(entry.batches[0], step=step, epoch=(step - 1) // 938 + 1, loss=1 / step, seconds=step / 7)
        for step in range(1, 5 * 938 + 1)
    )
    weights = {epoch: bytes(range(256)) * 9_000 for epoch in (1, 5)}
    ship.write(folder, {"long.zip": pack_run(replace(entry, spec=spec, batches=batches), weights)})
    monkeypatch.setattr(shipped, "RUNS", folder)
    shipped_runs()
    took = []
    for _ in range(3):
        started = time.thread_time()
        assert len(find_shipped(spec).batches) == 4690
        took.append(time.thread_time() - started)
    assert min(took) < 0.2  # 0.05 s on a quiet machine; the processor's time, since others work on it too
