from fractions import Fraction
from math import comb

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from core import confusion
from core.errors import InputError

digits = st.integers(0, 9)
outcomes = st.lists(st.tuples(digits, digits, digits), min_size=1, max_size=60)


def columns(rows):
    return (np.array(column) for column in zip(*rows, strict=True))


@given(outcomes)
def test_counts_and_accuracies_are_those_of_torch(rows):
    labels, predicted, _ = columns(rows)
    truth, seen = torch.tensor(labels), torch.tensor(predicted)
    theirs = torch.zeros(10, 10, dtype=torch.int64)
    theirs.index_put_((truth, seen), torch.ones(len(truth), dtype=torch.int64), accumulate=True)
    counts = confusion.count_confusions(labels, predicted)
    assert counts.tolist() == theirs.tolist()
    for digit, accuracy in enumerate(confusion.class_accuracies(counts)):
        expected = (seen[truth == digit] == digit).double().mean().item()  # NaN where there is none
        assert accuracy == pytest.approx(expected, nan_ok=True)


@given(outcomes)
def test_the_cells_share_out_the_images(rows):
    labels, predicted, _ = columns(rows)
    counts = confusion.count_confusions(labels, predicted)
    found = []
    for label, seen in np.ndindex(10, 10):
        images = confusion.images_of(labels, predicted, label=label, seen=seen)
        assert len(images) == counts[label, seen]
        assert all((labels[image], predicted[image]) == (label, seen) for image in images)
        found += images
    assert sorted(found) == list(range(len(labels)))


@given(outcomes)
def test_the_most_confused_pair_has_no_larger_one(rows):
    labels, predicted, _ = columns(rows)
    wrong = [(label, seen) for label, seen in zip(labels, predicted, strict=True) if label != seen]
    pair = confusion.most_confused(confusion.count_confusions(labels, predicted))
    assert (pair is None) == (not wrong)
    if pair:
        assert pair.count == wrong.count((pair.label, pair.seen)) == max(map(wrong.count, wrong))


@given(outcomes)
def test_two_networks_are_compared_image_by_image(rows):
    labels, first, second = columns(rows)
    found = confusion.compare(labels, first, second)
    right = [(a == label, b == label) for label, a, b in rows]
    assert (found.both, found.neither) == (right.count((True, True)), right.count((False, False)))
    assert found.only_first == tuple(place for place, pair in enumerate(right) if pair == (True, False))
    assert found.only_second == tuple(place for place, pair in enumerate(right) if pair == (False, True))
    for digit, difference in enumerate(found.difference):
        of_digit = labels == digit
        if of_digit.any():
            expected = (first[of_digit] == digit).mean() - (second[of_digit] == digit).mean()
            assert difference == pytest.approx(expected)
        else:
            assert np.isnan(difference)


@given(st.integers(0, 40), st.integers(0, 40))
def test_the_probability_is_that_of_coins(first, second):
    total = first + second
    tail = sum(comb(total, k) for k in range(min(first, second) + 1))
    assert confusion.sign_test(first, second) == pytest.approx(min(1.0, float(Fraction(2 * tail, 2**total))))


def test_the_probability_holds_for_all_test_images():
    assert confusion.sign_test(5_000, 5_000) == 1.0
    assert confusion.sign_test(4_950, 5_050) == pytest.approx(0.322, abs=0.001)  # the normal curve: 0.99 sigma, mended
    assert confusion.sign_test(100, 9_000) == 0.0


def test_what_was_seen_is_read_from_characters():
    assert confusion.read_digits("0719").tolist() == [0, 7, 1, 9]
    assert confusion.read_digits("").tolist() == []
    with pytest.raises(InputError, match="digits 0 to 9"):
        confusion.read_digits("12a")
