"""Matrices that are typed, named, taken from MNIST or from a run that was trained here."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.errors import InputError
from core.matrices import INPUTS, KERNELS, MAX_TYPED, Matrix, digit, parse, parse_kernel, parse_sequence, written
from core.store import Store
from core.trained_kernels import trained_kernels

VALUES = st.floats(-1e4, 1e4, allow_nan=False)


@given(st.integers(1, MAX_TYPED).flatmap(lambda n: st.lists(st.tuples(*[VALUES] * n), min_size=1, max_size=4)))
def test_what_is_written_is_read_again(rows):
    assert parse(written(Matrix(rows=tuple(rows)))) == Matrix(rows=tuple(rows))


@pytest.mark.parametrize(
    "text",
    ["1 2;3 4", "1,2\n3,4", " 1  2 \n\n 3\t4 ", "[[1, 2], [3, 4]]", "[[1 2]\n [3 4]]", "1，2；3，4", "[1 2]\n[3 4]\n"],
)
def test_a_matrix_is_read_in_many_spellings(text):
    assert parse(text).rows == ((1.0, 2.0), (3.0, 4.0))


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "no matrix"),
        (" \n ; ", "no matrix"),
        ("1 2;3", "Row 2 is 1 long and row 1 is 2 long"),
        ("1 x", "column 2: “x” is not a number"),
        ("1 nan", "is not a number"),
        ("inf 1", "is not a number"),
        ("__import__('os')", "is not a number"),
        ("1 2e9", "too large"),
        ("1 " * 29, "at most 28 of each"),
        ("1\n" * 29, "at most 28 of each"),
        ("1 " * 20_000, "characters"),
        ("9" * 40, "is not a number"),
    ],
)
def test_what_is_no_matrix_is_refused(text, said):
    with pytest.raises(InputError, match=said):
        parse(text)


def test_a_sequence_is_one_row():
    assert parse_sequence("[1, 2  3]").rows == ((1.0, 2.0, 3.0),)
    assert parse_sequence("1 " * 11, most=11).size == (1, 11)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "no number"),
        ("1 2 3; 4 5", "has 2 rows"),
        ("1 " * 29, "29 numbers; give at most 28"),
        ("1 x", "column 2"),
        ("1 " * 20_000, "40,000 characters"),
    ],
)
def test_what_is_no_sequence_is_refused(text, said):
    with pytest.raises(InputError, match=said):
        parse_sequence(text)


def test_a_kernel_is_smaller():
    assert parse_kernel("1 " * 11).size == (1, 11)
    with pytest.raises(InputError, match="at most 11"):
        parse_kernel("1 " * 12)


def test_the_named_kernels_do_what_their_names_say():
    assert KERNELS["blur"].matrix.array.sum() == 1
    assert KERNELS["sharpen"].matrix.array.sum() == 1
    assert KERNELS["edge"].matrix.array.sum() == 0
    assert np.count_nonzero(KERNELS["identity"].matrix.array) == 1
    np.testing.assert_array_equal(INPUTS["course"].matrix.array[:4, :4], INPUTS["pooling"].matrix.array)


def test_a_digit_is_its_image():
    assert digit(0).size == (28, 28)
    assert digit(0).array.max() <= 1
    for wrong in (-1, 10_000):
        with pytest.raises(InputError, match="from 0 to 9,999"):
            digit(wrong)


def test_the_trained_kernels_are_those_of_the_best_kept_run(tmp_path, monkeypatch):
    from safetensors.numpy import load

    from benchmarks import ship
    from core import shipped
    from core.device import find_placement
    from core.kept import kept_run
    from core.run import RunSpec

    store = Store(tmp_path / "store")
    assert trained_kernels(store) is None
    spec, placement = RunSpec(epochs=1, train_images=200), find_placement("cpu", threads=1)
    for _event in kept_run(spec, placement, store, owner="terminal"):
        pass
    found = trained_kernels(store)
    weights = load(store.load(spec.key(placement)).checkpoint.weights)["conv1.weight"]
    assert (found.epochs, found.origin) == (1, "here")
    assert len(found.kernels) == len(weights) == 10
    for kernel, weight in zip(found.kernels, weights, strict=True):
        np.testing.assert_allclose(kernel.array, weight[0], atol=5.1e-5)
    ship.write(tmp_path / "shipped", ship.packed([store.load(spec.key(placement))], store, 10_000_000))
    monkeypatch.setattr(shipped, "RUNS", tmp_path / "shipped")
    assert trained_kernels(store) == found
    assert trained_kernels(Store(tmp_path / "empty")) == replace(found, origin="shipped")
