"""What a DataLoader hands out, against torch's own; and the script that the page gives away."""

import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.errors import InputError
from core.loading import Loading, from_torch, refusals
from core.loading_script import script
from core.samples import samples

FEW = samples()


def handed_out(spec):
    return [[rows.tolist() for rows in spec.batches(epoch)] for epoch in range(spec.epochs)]


@given(
    batch_size=st.integers(1, 12),
    shuffle=st.booleans(),
    drop_last=st.booleans(),
    epochs=st.integers(1, 5),
    seed=st.integers(0, 2**32 - 1),
)
@settings(max_examples=60, deadline=None)
def test_torch_hands_out_the_same_batches(batch_size, shuffle, drop_last, epochs, seed):
    spec = Loading(batch_size=batch_size, shuffle=shuffle, drop_last=drop_last, epochs=epochs, seed=seed)
    assert from_torch(spec, FEW) == handed_out(spec)
    assert all(len(epoch) == spec.iterations for epoch in handed_out(spec))


@pytest.mark.parametrize(("batch_size", "drop_last"), [(32, False), (50, True), (100, False), (768, True)])
def test_torch_hands_out_the_same_batches_of_the_whole_table(batch_size, drop_last):
    spec = Loading(count=768, batch_size=batch_size, drop_last=drop_last, epochs=2, seed=3)
    assert from_torch(spec, samples("all")) == handed_out(spec)


@given(
    count=st.integers(1, 300),
    share=st.floats(0, 1),
    drop_last=st.booleans(),
    shuffle=st.booleans(),
    seed=st.integers(0, 9),
)
@settings(deadline=None)
def test_every_row_is_handed_out_once_an_epoch_or_dropped(count, share, drop_last, shuffle, seed):
    size = max(1, round(share * count))
    spec = Loading(count=count, batch_size=size, drop_last=drop_last, shuffle=shuffle, epochs=2, seed=seed)
    for epoch in range(2):
        batches = spec.batches(epoch)
        assert len(batches) == spec.iterations
        assert {len(rows) for rows in batches[:-1]} <= {size}
        rows = np.concatenate([*batches, spec.dropped(epoch)] if drop_last else batches)
        assert sorted(rows.tolist()) == list(range(count))
        assert len(spec.dropped(epoch)) == (spec.rest if drop_last else 0)
    assert set(spec.never_seen) == set(range(count)) - {row for e in range(2) for b in spec.batches(e) for row in b}


@pytest.mark.parametrize(
    ("values", "sentence"),
    [
        ({"batch_size": 13}, "The batch size must be a whole number from 1 to 12, the number of samples, not 13."),
        ({"batch_size": 0}, "from 1 to 12"),
        ({"batch_size": 2.5}, "not 2.5"),
        ({"batch_size": float("nan")}, "not nan"),
        ({"seed": -1}, "The seed must be a whole number from 0 to 4,294,967,295, not -1."),
        ({"seed": 2**32}, "not 4,294,967,296"),
        ({"seed": float("inf")}, "not inf"),
        ({"epochs": 0}, "The number of epochs must be a whole number from 1 to 10, not 0."),
        ({"epochs": 11}, "not 11"),
    ],
)
def test_what_makes_no_loader_gets_one_sentence(values, sentence):
    with pytest.raises(InputError) as error:
        Loading(**values)
    assert sentence in str(error.value)


def test_every_wrong_number_gets_its_sentence():
    found = refusals(12, {"batch_size": 99, "seed": -1, "epochs": 3})
    assert [str(error).split(" must")[0] for error in found] == ["The batch size", "The seed"]


def test_samples_are_the_table_scaled_as_in_the_course():
    everything, few = samples("all"), samples()
    assert len(everything) == 768
    assert everything.x.min(axis=0).tolist() == [-1] * 8
    assert everything.x.max(axis=0).tolist() == [1] * 8
    assert few.y.tolist() == everything.y[few.rows].tolist()
    assert set(few.y) == {0, 1}
    by_label = samples("all", "sorted")
    assert (np.diff(by_label.y) >= 0).all()
    assert sorted(by_label.rows.tolist()) == list(range(768))
    with pytest.raises(InputError, match="Choose one of few, all, not none"):
        samples("none")


def test_the_listing_of_the_course_reads_the_csv(tmp_path):
    file = tmp_path / "diabetes.csv"
    file.write_text(samples("all").csv())
    xy = np.loadtxt(file, delimiter=",", dtype=np.float32)  # as in the course
    np.testing.assert_array_equal(xy[:, :-1], samples("all").x.astype(np.float32))
    np.testing.assert_array_equal(xy[:, -1], samples("all").y)


@pytest.mark.parametrize(
    ("amount", "order", "values"),
    [
        ("few", "file", {"batch_size": 5, "seed": 7}),
        ("few", "sorted", {"batch_size": 5, "shuffle": False, "drop_last": True}),
        ("all", "file", {"batch_size": 100, "epochs": 2, "drop_last": True, "seed": 2**32 - 1}),
        ("all", "sorted", {"batch_size": 32, "epochs": 1, "shuffle": False}),
    ],
)
def test_the_script_hands_out_the_same_batches(tmp_path, amount, order, values):
    data = samples(amount, order)
    spec = Loading(count=len(data), **values)
    (tmp_path / "diabetes.csv").write_text(samples("all").csv())  # there is one file, whatever is shown
    (tmp_path / "script.py").write_text(script(spec, order, "diabetes.csv"), encoding="utf-8")
    done = subprocess.run(
        [sys.executable, "script.py"], check=True, capture_output=True, text=True, timeout=120, cwd=tmp_path
    )
    assert done.stderr == ""
    head, *lines = done.stdout.splitlines()
    assert head == f"{len(data)} samples, {spec.iterations} iterations per epoch"
    wanted = [
        f"{epoch} {number} ones={int(data.y[rows].sum())} rows {' '.join(map(str, rows))}"
        for epoch in range(spec.epochs)
        for number, rows in enumerate(spec.batches(epoch))
    ]
    assert lines == wanted
