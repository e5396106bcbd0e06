"""Exported runs come back as they were; whatever else somebody uploads is refused with a sentence."""

import io
import json
import struct
import tracemalloc
import zipfile
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from core import archive
from core.archive import Archive, write_archive
from core.device import find_placement
from core.entries import MANIFEST, manifest_bytes, read_manifest, seal
from core.errors import InputError
from core.exchange import export_run, import_run, read_exported
from core.kept import kept_run
from core.run import RunSpec
from core.store import MOST_IMPORTED, Store

PLACEMENT = find_placement("cpu", 1)
SPEC = RunSpec(epochs=2, train_images=300, seed=3)
KEY = SPEC.key(PLACEMENT)
IN_TIME = settings(deadline=None, max_examples=60, suppress_health_check=list(HealthCheck))


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    store = Store(tmp_path_factory.mktemp("store"))
    list(kept_run(SPEC, PLACEMENT, store, owner="terminal"))
    return store


@pytest.fixture(scope="module")
def exported(store):
    return export_run(KEY, store)


@pytest.fixture(scope="module")
def files(exported):
    opened = Archive(exported)
    return {name: opened.read(name) for name in opened.names}


def refused(content, match=None):
    with pytest.raises(InputError, match=match) as error:
        read_exported(content)
    assert 10 < len(str(error.value)) < 300


def resealed(files, /, **manifest):
    """Pack files with a manifest that fits them, as somebody could who means harm."""
    fields = json.loads(files[MANIFEST])
    del fields["checksum"], fields["format"]
    sealed = {name: seal(content) for name, content in files.items() if name != MANIFEST}
    return write_archive({**files, MANIFEST: manifest_bytes(fields | {"files": sealed} | manifest)})


def changed_json(content, change):
    document = json.loads(content)
    change(document)
    return json.dumps(document).encode()


def with_metrics(files, change):
    lines = [json.loads(line) for line in files["metrics.jsonl"].splitlines()]
    change(lines)
    return resealed({**files, "metrics.jsonl": b"".join(json.dumps(line).encode() + b"\n" for line in lines)})


def line(lines, kind):
    return next(line[kind] for line in lines if kind in line)


def zipped(members, **options):
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", **options) as opened:
        for name, content in members:
            opened.writestr(name, content)
    return buffer.getvalue()


# --- What comes back


def test_an_exported_run_comes_back_as_it_was(store, exported):
    entry, original = read_exported(exported), store.load(KEY)
    for field in ("spec", "placement", "state", "batches", "epochs", "insides", "weight_epochs", "hardware", "when"):
        assert getattr(entry, field) == getattr(original, field), field
    assert entry.checkpoint == replace(original.checkpoint, optimizer=b"")
    assert (entry.original_key, entry.key[0]) == (KEY, "i")


def test_the_same_run_makes_the_same_archive(store, exported):
    assert export_run(KEY, store) == exported


def test_an_imported_run_is_kept_apart_and_can_be_removed(store, exported, tmp_path):
    other = Store(tmp_path)
    key = import_run(exported, other)
    assert import_run(exported, other) == key
    assert (other.runs(), other.load(KEY)) == ([], None)
    (listed,) = other.imported()
    assert (listed.key, listed.origin, listed.spec, listed.epochs, listed.to_resume) == (
        key,
        "imported",
        SPEC,
        2,
        False,
    )
    assert other.summary(key) == listed
    assert other.load(key).epochs == store.load(KEY).epochs
    assert [other.weights(key, epoch) for epoch in (1, 2)] == [store.weights(KEY, epoch) for epoch in (1, 2)]
    again = read_exported(export_run(key, other))
    assert (again.original_key, again.epochs) == (KEY, store.load(KEY).epochs)
    other.remove(key)
    assert other.imported() == []


def test_a_damaged_imported_run_is_found(exported, tmp_path):
    other = Store(tmp_path)
    key = import_run(exported, other)
    (other.folder(key) / "metrics.jsonl").write_bytes(b"{}\n")
    with pytest.raises(InputError, match="damaged"):
        other.load(key)
    assert other.imported() == []


def test_only_so_many_imported_runs_stay(files, tmp_path, monkeypatch):
    monkeypatch.setattr("core.store.MOST_IMPORTED", 3)
    assert MOST_IMPORTED > 3
    other = Store(tmp_path)
    keys = [import_run(resealed(files, hardware={"processor": f"number {n}"}), other) for n in range(5)]
    assert {run.key for run in other.imported()} <= set(keys)
    assert len(other.imported()) == 3
    assert other.load(keys[-1])


def test_a_run_without_an_epoch_cannot_be_exported(store):
    with pytest.raises(InputError, match="There is no run"):
        export_run("0" * 16, store)
    with pytest.raises(InputError, match="There is no run"):
        export_run("../../etc/passwd", store)


# --- Hostile archives


@IN_TIME
@given(content=st.binary(max_size=300))
def test_random_bytes_are_refused(content):
    refused(content)
    refused(content + b"PK\x05\x06" + content[:18].ljust(18, b"\0"))


@IN_TIME
@given(data=st.data())
def test_a_changed_byte_is_refused_or_changes_nothing(exported, data):
    """What an archive says twice, or not at all (a date), may be changed without harm."""
    position = data.draw(st.integers(0, len(exported) - 1))
    content = bytearray(exported)
    content[position] ^= data.draw(st.integers(1, 255))
    try:
        entry = read_exported(bytes(content))
    except InputError:
        return
    assert entry == read_exported(exported)


@IN_TIME
@given(data=st.data())
def test_a_cut_or_lengthened_archive_is_refused(exported, data):
    at = data.draw(st.integers(0, len(exported) - 1))
    refused(exported[:at])
    refused(exported + data.draw(st.binary(min_size=1, max_size=40)))


@pytest.mark.parametrize(
    "name",
    [
        "../spec.json",
        "/spec.json",
        "a/../spec.json",
        "C:\\spec.json",
        "weights-1.safetensors",
        "weights-٠٠١.safetensors",
        "manifest.json\n",
        "optimizer-002.safetensors",
        "weights-002.pt",
        "x.py",
        "spec.json/",
        "𝐬pec.json",
        "<b>",
    ],
)
def test_names_that_no_run_has_are_refused(files, name):
    refused(zipped([*files.items(), (name, b"x")]), "which no exported run has")


@IN_TIME
@given(name=st.text(min_size=1, max_size=60))
def test_no_other_name_is_taken(files, name):
    if name not in files:
        refused(zipped([*files.items(), (name, b"x")]))


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_a_file_that_is_there_twice_is_refused(files):
    refused(zipped([*files.items(), ("spec.json", b"{}")]), "twice")


def test_too_many_files_are_refused_before_the_directory_is_read(monkeypatch):
    content = zipped([(f"f{n}", b"") for n in range(200)])
    monkeypatch.setattr(archive.zipfile, "ZipFile", None)
    refused(content, "200 files")


def test_a_large_file_is_refused_unread(monkeypatch):
    monkeypatch.setattr(archive, "MOST_BYTES", 1_000)
    refused(b"x" * 1_001, "MB")


def test_a_bomb_is_refused_before_it_is_inflated(files):
    bombs = [
        {**files, "metrics.jsonl": bytes(40_000_000)},
        {**files, **{f"weights-{n:03d}.safetensors": bytes(20_000_000) for n in range(1, 7)}},
        {**files, "spec.json": bytes(1_000_000)},
    ]
    for bomb in [zipped(bomb.items(), compression=zipfile.ZIP_DEFLATED) for bomb in bombs]:
        tracemalloc.start()
        refused(bomb, "would unpack to more")
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        assert peak < 1_000_000 + len(bomb)


def test_a_bomb_that_lies_about_its_size_inflates_to_no_more_than_it_said(files):
    content = zipped([*files.items(), ("weights-009.safetensors", bytes(30_000_000))], compression=zipfile.ZIP_DEFLATED)
    lying = content.replace(struct.pack("<L", 30_000_000), struct.pack("<L", 100))
    assert lying != content
    opened = Archive(lying)
    tracemalloc.start()
    with pytest.raises(InputError, match="damaged"):
        opened.read("weights-009.safetensors")
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 10_000_000


def test_encrypted_and_strangely_packed_files_are_refused(files, exported):
    refused(zipped(files.items(), compression=zipfile.ZIP_LZMA), "no run that was exported")
    first = exported.index(b"PK\x01\x02")
    encrypted = bytearray(exported)
    encrypted[first + 8] |= 1
    refused(bytes(encrypted), "no run that was exported")


def test_a_missing_or_additional_file_is_refused(files):
    for name in files:
        said = "does not hold" if name.startswith("weights") else f"{name} is missing from the archive"
        refused(write_archive({other: content for other, content in files.items() if other != name}), match=said)
    refused(write_archive({**files, "weights-050.safetensors": b"x"}))


# --- Archives whose checksums are right and whose content is not


@pytest.mark.parametrize(
    ("change", "match"),
    [
        ({"epochs": 10**9}, "epochs must be a whole number"),
        ({"lr": float("nan")}, "learning rate"),
        ({"lr": "0.1"}, "learning rate"),
        ({"model": "__import__('os')"}, "model must be one of"),
        ({"model": ["cnn"]}, None),
        ({"train_images": 10**30}, None),
        ({"unknown": 1}, None),
        ({"options": {"depth": 10**9}}, "no option"),
        ({"options": 7}, None),
    ],
)
def test_the_spec_refuses_what_it_refuses_elsewhere(files, change, match):
    spec = changed_json(files["spec.json"], lambda document: document["spec"].update(change))
    refused(resealed({**files, "spec.json": spec}), match)


@pytest.mark.parametrize(
    "change",
    [{"device": "<b>"}, {"threads": -1}, {"threads": True}, {"torch": "x" * 200}, {"torch": 2}, {"layout": None},
     {"reasons": {"device": "because"}}, {"more": 1}],
)  # fmt: skip
def test_a_placement_that_cannot_be_is_refused(files, change):
    spec = changed_json(files["spec.json"], lambda document: document["placement"].update(change))
    refused(resealed({**files, "spec.json": spec}))


@pytest.mark.parametrize(
    "manifest",
    [
        {"epochs": 3},
        {"epochs": "2"},
        {"state": "running"},
        {"owner": "server"},
        {"key": "../../x"},
        {"when": "yesterday"},
        {"when": 3},
        {"when": "9999-12-31T00:00:00+00:00"},
        {"when": "0001-01-01T00:00:00+00:00"},
        {"hardware": {"processor": 7}},
        {"hardware": {"processor": "x" * 1000}},
        {"hardware": {"<b>": "x"}},
        {"hardware": {"processor": "\x1b[31m"}},
        {"hardware": []},
        {"best_accuracy": 2.0},
        {"files": {}},
        {"format": 1},
    ],
)
def test_a_manifest_that_cannot_be_is_refused(files, manifest):
    refused(resealed(files, **manifest))


METRICS = {
    "an accuracy above 1": lambda lines: line(lines, "epoch").update(test_accuracy=1.5),
    "an accuracy that is no number": lambda lines: line(lines, "epoch").update(test_accuracy="1"),
    "a test accuracy that is NaN": lambda lines: line(lines, "epoch").update(test_accuracy=float("nan")),
    "an epoch twice": lambda lines: lines.append({"epoch": line(lines, "epoch")}),
    "an epoch beyond the spec": lambda lines: line(lines, "epoch").update(epoch=40),
    "too few predictions": lambda lines: line(lines, "epoch").update(predicted="12"),
    "predictions that are no digits": lambda lines: line(lines, "epoch").update(predicted="<" * 10_000),
    "predictions in other digits": lambda lines: line(lines, "epoch").update(predicted="٣" * 10_000),
    "a device that is markup": lambda lines: line(lines, "epoch").update(device="<script>"),
    "an image that is not there": lambda lines: line(lines, "epoch")["worst"][0].update(index=10_000),
    "a thousand mistakes": lambda lines: line(lines, "epoch").update(worst=line(lines, "epoch")["worst"] * 100),
    "an unknown field": lambda lines: line(lines, "epoch").update(surprise=1),
    "an unknown line": lambda lines: lines.append({"surprise": {}}),
    "two records in a line": lambda lines: lines[0].update(surprise={}),
    "no batches": lambda lines: lines.remove(next(one for one in lines if "batches" in one)),
    "columns of different lengths": lambda lines: line(lines, "batches")["loss"].pop(),
    "a loss that is text": lambda lines: line(lines, "batches")["loss"].__setitem__(0, "1"),
    "a loss below zero": lambda lines: line(lines, "batches")["loss"].__setitem__(0, -1.0),
    "a test loss below zero": lambda lines: line(lines, "epoch").update(test_loss=-5.0),
    "an epoch of a thousand years": lambda lines: line(lines, "epoch").update(seconds=1e300),
    "more images a second than there can be": lambda lines: line(lines, "epoch").update(images_per_second=1e300),
    "steps backwards": lambda lines: line(lines, "batches")["step"].__setitem__(1, 1),
    "a step beyond the epoch": lambda lines: line(lines, "batches")["step"].__setitem__(-1, 10**9),
    "time backwards": lambda lines: line(lines, "batches")["seconds"].__setitem__(-1, -1.0),
    "endless time": lambda lines: line(lines, "batches")["seconds"].__setitem__(-1, float("inf")),
    "a layer with a strange name": lambda lines: line(lines, "inside")["layers"][0].update(name="<b>"),
    "a share above 1": lambda lines: line(lines, "inside")["dead"].__setitem__(0, 2.0),
    "an inside twice": lambda lines: lines.append({"inside": line(lines, "inside")}),
}


@pytest.mark.parametrize("name", METRICS)
def test_metrics_that_cannot_be_are_refused(files, name):
    refused(with_metrics(files, METRICS[name]))


def test_a_diverged_run_is_taken(files):
    """Its losses are no finite numbers."""

    def diverge(lines):
        line(lines, "epoch").update(train_loss=float("nan"), test_loss=float("inf"))
        line(lines, "batches")["loss"][-1] = float("nan")

    assert np.isnan(read_exported(with_metrics(files, diverge)).epochs[0].train_loss)


@pytest.mark.parametrize("name", ["manifest.json", "spec.json", "metrics.jsonl"])
@pytest.mark.parametrize("content", [b"", b"\xff\xfe", b"[]", b"null", b"1" * 4_000, b"[" * 3_900, b'{"batches": 1}'])
def test_json_that_means_something_else_is_refused(files, name, content):
    changed = {**files, name: content}
    refused(write_archive(changed) if name == MANIFEST else resealed(changed))


def test_weights_of_another_network_are_refused(files, store):
    from safetensors.numpy import load, save

    name = "weights-002.safetensors"
    tensors = load(files[name])
    wrong = {
        "a tensor more": {**tensors, "more": np.zeros(1, np.float32)},
        "a tensor less": {key: tensor for key, tensor in tensors.items() if key != "fc.bias"},
        "another shape": {**tensors, "fc.bias": np.zeros(11, np.float32)},
        "another type": {**tensors, "fc.bias": np.zeros(10, np.float64)},
    }
    for content in wrong.values():
        refused(resealed({**files, name: save(content)}))
    for content in (b"", b"\x80\x04.", struct.pack("<Q", 2**60) + b"{}", files[name][:-1]):
        refused(resealed({**files, name: content}))


def test_the_manifest_of_an_export_is_one_of_the_store(files):
    assert read_manifest(files.__getitem__)["owner"] == "export"
