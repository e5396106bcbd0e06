import errno
import os
import re
from dataclasses import replace

import pytest

from core import entries, entry_writer
from core import store as store_module
from core.device import Placement
from core.entry_writer import RunWriter
from core.errors import InputError
from core.records import Batch, Checkpoint, Epoch, Mistake
from core.run import RunSpec
from core.store import DamagedEntryError, Store

PLACEMENT = Placement(device="cpu", dtype="float32", layout="contiguous", threads=1, torch="2.13.0")
SPEC = RunSpec(epochs=2, train_images=128)
KEY = SPEC.key(PLACEMENT)


@pytest.fixture
def store(tmp_path):
    return Store(tmp_path)


def batches(epoch):
    return [Batch(step=2 * epoch - 1 + i, epoch=epoch, loss=1 / (epoch + i + 3), seconds=epoch / 3 + i) for i in (0, 1)]


def epoch(number):
    worst = (Mistake(index=8, label=5, predicted=6, confidence=0.7, true_probability=0.1),)
    return Epoch(
        epoch=number, train_loss=2 / 3, train_accuracy=0.7, test_loss=0.1, test_accuracy=0.5 + number / 10, seconds=0.1,
        images_per_second=1280.0, device="cpu", worst=worst, predicted="6" * 10_000,
    )  # fmt: skip


def checkpoint(number, processor="a processor"):
    return Checkpoint(
        epoch=number, seconds=batches(number)[-1].seconds, weights=b"w" * number, optimizer=b"m" * number,
        hardware={"processor": processor},
    )  # fmt: skip


def keep(store, spec=SPEC, *, epochs=2, state="done", size=0):
    """Put a run into the store."""
    writer = RunWriter(store, spec, PLACEMENT, owner="server", entry=None)
    for number in range(1, epochs + 1):
        writer.keep(batches(number), epoch(number), replace(checkpoint(number), weights=b"w" * max(number, size)))
    if state != "running":
        writer.close(state)
    return spec.key(PLACEMENT)


def test_a_finished_run_comes_back_as_it_was(store):
    keep(store)
    entry = store.load(KEY)
    assert (entry.key, entry.spec, entry.placement, entry.state) == (KEY, SPEC, PLACEMENT, "done")
    assert entry.batches == (*batches(1), *batches(2))
    assert entry.epochs == (epoch(1), epoch(2))
    assert entry.checkpoint == checkpoint(2)
    assert (entry.weight_epochs, entry.best_epoch, entry.original_key) == ((1, 2), 2, KEY)
    assert entry.hardware == {"processor": "a processor"}
    assert {path.name for path in store.folder(KEY).iterdir()} == {
        "manifest.json", "spec.json", "metrics.jsonl", "weights-001.safetensors", "weights-002.safetensors",
        "optimizer-002.safetensors",
    }  # fmt: skip


def test_a_run_names_the_machine_that_trained_its_last_epoch(store):
    writer = RunWriter(store, SPEC, PLACEMENT, owner="server", entry=None)
    writer.keep(batches(1), epoch(1), checkpoint(1, "a worker's"))
    writer.close("cancelled")
    stopped = store.load(KEY)
    assert stopped.hardware == {"processor": "a worker's"}
    writer = RunWriter(store, SPEC, PLACEMENT, owner="server", entry=stopped)
    assert store.load(KEY).hardware == {"processor": "a worker's"}
    writer.keep(batches(2), epoch(2), checkpoint(2, "another's"))
    writer.close("done")
    assert store.load(KEY).hardware == {"processor": "another's"}


def test_the_weights_of_every_epoch_are_kept(store):
    keep(store)
    assert [store.weights(KEY, number) for number in (1, 2)] == [b"w", b"ww"]
    with pytest.raises(InputError, match="after epoch 3 are not kept, only those after epoch 1, 2"):
        store.weights(KEY, 3)


@pytest.mark.parametrize("best", [1, 3, 4, 6])
def test_of_a_large_network_the_first_the_best_and_the_last_weights_are_kept(store, monkeypatch, best):
    monkeypatch.setattr(entries, "WEIGHT_BYTES", 50)
    spec = replace(SPEC, epochs=6)
    writer = RunWriter(store, spec, PLACEMENT, owner="server", entry=None)
    for number in range(1, 7):
        accuracy = 0.9 if number == best else 0.5 + number / 100
        content = bytes([number]) * 10
        writer.keep(
            batches(number),
            replace(epoch(number), test_accuracy=accuracy),
            replace(checkpoint(number), weights=content),
        )
    writer.close("done")
    key = spec.key(PLACEMENT)
    assert set(store.load(key).weight_epochs) == {1, best, 6}
    assert store.weights(key, best) == bytes([best]) * 10


@pytest.mark.parametrize("change", [{"schedule": "cosine"}, {"patience": 2}])
def test_the_optimizer_stays_only_where_a_longer_run_can_go_on(store, change):
    key = keep(store, replace(SPEC, **change))
    assert store.load(key).checkpoint == replace(checkpoint(2), optimizer=b"")
    assert store.shorter(replace(SPEC, epochs=5, **change), PLACEMENT) is None


def test_a_longer_run_finds_the_one_with_the_most_epochs(store):
    assert store.shorter(SPEC, PLACEMENT) is None
    keep(store, replace(SPEC, epochs=9), epochs=2, state="cancelled")
    most = keep(store, replace(SPEC, epochs=4), epochs=4)
    keep(store, replace(SPEC, epochs=3), epochs=3)
    assert store.shorter(replace(SPEC, epochs=10), PLACEMENT).key == most
    assert store.shorter(replace(SPEC, epochs=10, seed=1), PLACEMENT) is None
    assert store.shorter(replace(SPEC, epochs=2), PLACEMENT) is None


def test_a_longer_run_takes_over_what_the_shorter_one_kept(store):
    keep(store)
    longer = replace(SPEC, epochs=3)
    key = longer.key(PLACEMENT)
    writer = RunWriter(store, longer, PLACEMENT, owner="server", entry=store.load(KEY))
    assert (store.load(key).state, store.load(key).epochs) == ("running", (epoch(1), epoch(2)))
    writer.keep(batches(3), epoch(3), checkpoint(3))
    writer.close("done")
    entry = store.load(key)
    assert entry.batches == (*batches(1), *batches(2), *batches(3))
    assert entry.weight_epochs == (1, 2, 3)
    assert store.weights(key, 1) == b"w"
    assert store.load(KEY).state == "done"


def test_an_entry_of_another_format_is_not_known_and_not_damage(store, monkeypatch):
    with monkeypatch.context() as patch:
        patch.setattr(entries, "FORMAT", 1)
        keep(store)
    assert store.load(KEY) is None
    assert store.runs() == []
    assert store.summary(KEY) is None
    with pytest.raises(InputError, match="No weights"):
        store.weights(KEY, 1)
    keep(store)
    assert store.load(KEY).state == "done"
    assert not any((store.root / "damaged").iterdir())


@pytest.mark.parametrize("key", ["", "..", "../runs", "x" * 16, "A" * 16, "/etc", "0" * 15, "é" * 16])
def test_what_is_no_key_is_not_there(store, key):
    keep(store)
    assert store.stamp(key) is None
    assert store.load(key) is None
    assert store.find(key) is None
    assert store.summary(key) is None
    with pytest.raises(InputError, match="No weights"):
        store.weights(key, 1)


def test_an_interrupted_run_comes_back_with_its_checkpoint_and_goes_on(store):
    keep(store, epochs=1, state="cancelled")
    entry = store.load(KEY)
    assert (entry.state, entry.checkpoint) == ("cancelled", checkpoint(1))
    writer = RunWriter(store, SPEC, PLACEMENT, owner="terminal", entry=entry)
    writer.keep(batches(2), epoch(2), checkpoint(2))
    writer.close("done")
    assert store.load(KEY).batches == (*batches(1), *batches(2))


def test_what_is_not_there_is_none(store):
    assert store.load(KEY) is None
    assert store.stamp(KEY) is None
    assert store.runs() == []


def test_a_folder_of_runs_that_somebody_has_replaced_holds_nothing(tmp_path):
    store = Store(tmp_path)
    (tmp_path / "runs").rmdir()
    (tmp_path / "runs").write_text("a file")
    assert (store.stamp(KEY), store.summary(KEY), store.load(KEY)) == (None, None, None)


@pytest.mark.parametrize("state", ["done", "cancelled"])
def test_every_flipped_byte_is_found(store, state):
    keep(store, state=state)
    for name in sorted(path.name for path in store.folder(KEY).iterdir()):
        size = (store.folder(KEY) / name).stat().st_size
        for position in {0, size // 3, size - 1}:
            path = store.folder(KEY) / name
            content = bytearray(path.read_bytes())
            content[position] ^= 1
            path.write_bytes(content)
            with pytest.raises(DamagedEntryError, match=f"{KEY} is damaged"):
                store.weights(KEY, 1) if name == "weights-001.safetensors" else store.load(KEY)
            assert store.load(KEY) is None
            assert len(list((store.root / "damaged").iterdir())) <= store_module.SET_ASIDE
            keep(store, state=state)


@pytest.mark.parametrize(
    "name", ["manifest.json", "spec.json", "metrics.jsonl", "weights-001.safetensors", "weights-002.safetensors"]
)
@pytest.mark.parametrize("content", [None, b"", b"[]", b"\xff"])
def test_missing_empty_and_foreign_files_are_found(store, name, content):
    keep(store, size=10)
    if content is None:
        (store.folder(KEY) / name).unlink()
    else:
        (store.folder(KEY) / name).write_bytes(content)
    listed = store.runs()[0]
    assert listed.state == ("damaged" if name in ("manifest.json", "spec.json") else "done")
    with pytest.raises(DamagedEntryError):
        store.load(KEY)
    assert (store.root / "damaged" / f"{KEY}-1").is_dir()
    assert store.runs() == []


@pytest.mark.parametrize("write", range(1, 4))
def test_a_crash_between_two_writes_leaves_the_epoch_before(store, monkeypatch, write):
    begun = RunWriter(store, SPEC, PLACEMENT, owner="server", entry=None)
    begun.keep(batches(1), epoch(1), checkpoint(1))
    original, calls = entry_writer.write_file, []

    def crash(path, content):
        calls.append(path)
        if len(calls) == write:
            raise KeyboardInterrupt
        original(path, content)

    with monkeypatch.context() as patch:
        patch.setattr(entry_writer, "write_file", crash)
        with pytest.raises(KeyboardInterrupt):
            begun.keep(batches(2), epoch(2), checkpoint(2))
    entry = store.load(KEY)
    assert (entry.state, entry.epochs, entry.checkpoint) == ("running", (epoch(1),), checkpoint(1))
    writer = RunWriter(store, SPEC, PLACEMENT, owner="server", entry=entry)
    writer.keep(batches(2), epoch(2), checkpoint(2))
    writer.close("done")
    assert store.load(KEY).epochs == (epoch(1), epoch(2))


def test_a_crash_before_the_first_epoch_is_not_damage(store):
    store.folder(KEY).mkdir()
    (store.folder(KEY) / "spec.json").write_bytes(b"{")
    assert store.load(KEY) is None
    keep(store)
    assert store.load(KEY).state == "done"


def test_an_entry_whose_trainer_is_at_work_is_not_moved(store):
    keep(store, epochs=1, state="running")
    (store.folder(KEY) / "weights-001.safetensors").write_bytes(b"x")
    with store.lock(KEY), pytest.raises(DamagedEntryError):
        store.load(KEY)
    assert store.folder(KEY).exists()


def test_a_full_disk_gets_a_sentence_and_keeps_the_epoch_before(store, monkeypatch):
    writer = RunWriter(store, SPEC, PLACEMENT, owner="server", entry=None)
    writer.keep(batches(1), epoch(1), checkpoint(1))

    def full(path, content):
        raise OSError(errno.ENOSPC, "No space left on device", str(path))

    with monkeypatch.context() as patch:
        patch.setattr(entry_writer, "write_file", full)
        big = replace(checkpoint(2), weights=b"w" * 3_000_000)
        with pytest.raises(InputError, match=r"disk is full: keeping this run needs about 6 MB .*TORCHSCAPE_HOME"):
            writer.keep(batches(2), epoch(2), big)
    assert store.load(KEY).epochs == (epoch(1),)


def test_a_folder_that_cannot_be_made_gets_a_sentence(tmp_path):
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(InputError, match="cannot be kept"):
        Store(tmp_path / "file" / "below")


def test_the_longest_unused_runs_go_first(tmp_path):
    specs = [RunSpec(epochs=2, train_images=128, seed=seed) for seed in range(4)]
    roomy = Store(tmp_path)
    keys = [keep(roomy, spec, size=100_000) for spec in specs]
    for age, key in zip((400, 300, 200, 100), keys, strict=True):
        os.utime(roomy.folder(key), (age, age))
    roomy.load(keys[0])  # used just now
    tight = Store(tmp_path, limit=250_000)
    with tight.lock(keys[3]):  # being trained, although unused for longest
        tight.make_room(keep=keys[2])
    assert [tight.folder(key).exists() for key in keys] == [False, False, True, True]


def test_room_is_made_when_a_run_ends(tmp_path):
    tight = Store(tmp_path, limit=150_000)
    first = keep(tight, SPEC, size=100_000)
    second = keep(tight, replace(SPEC, seed=1), size=100_000)
    assert tight.load(first) is None
    assert tight.load(second).state == "done"


def test_the_list_tells_what_a_reader_asks(store):
    keep(store)
    other = keep(store, replace(SPEC, seed=1), epochs=1, state="running")
    runs = {run.key: run for run in store.runs()}
    done, cut = runs[KEY], runs[other]
    assert (done.state, done.epochs, done.best_accuracy, done.spec) == ("done", 2, epoch(2).test_accuracy, SPEC)
    assert (cut.state, cut.epochs, cut.to_resume, done.to_resume) == ("interrupted", 1, True, False)
    assert done.bytes == sum(path.stat().st_size for path in store.folder(KEY).iterdir())
    assert store.runs()[0].key == other  # the latest


def test_place_and_size_come_from_the_environment(tmp_path, monkeypatch):
    monkeypatch.setenv("TORCHSCAPE_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("TORCHSCAPE_STORE_BYTES", "12345")
    assert (Store().root, Store().limit) == (tmp_path / "home", 12345)
    monkeypatch.setenv("TORCHSCAPE_STORE_BYTES", "2 GB")
    with pytest.raises(InputError, match=re.escape("not 2 GB")):
        Store()
