"""What the pictures of confusions are given to draw."""

import math
from dataclasses import replace

import numpy as np
import pytest
import torch

from app.charts import compiled
from app.figures import confusion as figure
from app.figures import confusion_rows as drawn
from app.figures import confusion_words as words
from core.confusion import CLEAR
from core.datasets import mnist
from core.records import Epoch
from core.run import RunSpec

LABELS = mnist().test_labels.astype(int)


def epoch(number, wrong, seed=0):
    """An epoch in which about a share of the images is taken for something else."""
    generator = np.random.default_rng(seed + number)
    moved = (LABELS + generator.integers(1, 10, len(LABELS))) % 10
    predicted = np.where(generator.random(len(LABELS)) < wrong, moved, LABELS)
    return Epoch(
        epoch=number, train_loss=1.0, train_accuracy=0.5, test_loss=1.0,
        test_accuracy=float((predicted == LABELS).mean()), seconds=1.0, images_per_second=1.0, device="cpu", worst=(),
        predicted="".join(map(str, predicted)),
    )  # fmt: skip


FIRST = drawn.seen_by("first", (epoch(1, 0.3), epoch(2, 0.02), epoch(3, 0.01)))
SECOND = drawn.seen_by("second", (epoch(1, 0.3, 50), epoch(2, 0.05, 50)))
PERFECT = drawn.seen_by("perfect", (epoch(1, 0.0),))


def predicted(seen, position):
    return torch.tensor([int(digit) for digit in seen.epochs[position].predicted])


@pytest.mark.parametrize("position", range(3))
def test_the_cells_are_the_counts_of_each_epoch(position):
    rows = drawn.matrix_rows(FIRST)
    truth, seen = torch.tensor(LABELS.astype(int)), predicted(FIRST, position)
    for cell in rows["cells"].to_dict("records"):
        of_label = truth == cell["label"]
        assert cell["counts"][position] == (seen[of_label] == cell["seen"]).sum()
        assert cell["total"] == of_label.sum()
        assert cell["right"] == (cell["label"] == cell["seen"])
    for row in rows["classes"].to_dict("records"):
        of_label = truth == row["label"]
        expected = (seen[of_label] == row["label"]).double().mean()
        assert row["accuracies"][position] == pytest.approx(expected.item(), abs=1e-6)


def test_the_scales_hold_what_all_epochs_need():
    row = drawn.limits(FIRST, False).iloc[0]
    shares = [
        np.bincount(predicted(FIRST, position)[label == LABELS], minlength=10) / (label == LABELS).sum()
        for position in range(3)
        for label in range(10)
    ]
    wrong = max(share[other] for place, share in enumerate(shares) for other in range(10) if other != place % 10)
    assert row["most"] == pytest.approx(wrong)
    assert row["floor"] <= min(share[place % 10] for place, share in enumerate(shares))
    assert row["means"] == pytest.approx([one.test_accuracy for one in FIRST.epochs], abs=1e-6)
    assert drawn.limits(PERFECT, True).iloc[0][["most", "floor", "shares"]].tolist() == [0.0, 0.98, 1]


@pytest.mark.parametrize(("label", "other"), [(4, 9), (7, 7)])
def test_a_cell_shows_its_own_images(label, other):
    rows = drawn.cell_rows(FIRST, label, other, "en")
    for position in range(3):
        shown = rows["shown"][rows["shown"]["position"] == position]
        expected = np.flatnonzero((label == LABELS) & (predicted(FIRST, position).numpy() == other))
        assert shown["index"].tolist() == expected[: figure.MOST].tolist()
        heading = rows["heading"]["text"][position]
        assert f"{len(expected):,} image" in heading
        assert (f"first {figure.MOST}" in heading) == (len(expected) > figure.MOST)
    assert set(rows["pictures"]["index"]) == set(rows["shown"]["index"])
    assert rows["pictures"]["url"].str.startswith("data:image/png").all()


def test_an_empty_cell_has_no_images_and_says_so():
    rows = drawn.cell_rows(PERFECT, 4, 9, "en")
    assert rows["shown"].empty
    assert rows["heading"]["text"].tolist() == ["4 seen as 9: 0 images"]


def test_the_captions_name_what_stands_out():
    captions = words.captions(FIRST.epochs, drawn.counts(FIRST))
    for position, caption in enumerate(captions):
        seen = predicted(FIRST, position).numpy()
        assert f"{(seen != LABELS).sum():,} of 10,000 images" in caption
        pairs = [(label, digit) for label, digit in zip(LABELS, seen, strict=True) if label != digit]
        most = max(set(pairs), key=lambda pair: (pairs.count(pair), -pair[0], -pair[1]))
        assert f"is {most[0]} taken for {most[1]}: {pairs.count(most)} times" in caption
    (perfect,) = words.captions(PERFECT.epochs, drawn.counts(PERFECT))
    assert "0 of 10,000 images are wrong" in perfect
    assert "taken for" not in perfect
    assert "ardest" not in perfect


def test_all_classes_that_share_the_first_or_the_last_place_are_named():
    always = epoch(1, 0.0)
    lost = replace(always, predicted="0" * len(LABELS), test_accuracy=float((LABELS == 0).mean()))
    (caption,) = words.captions((lost,), drawn.counts(drawn.seen_by("lost", (lost,))))
    assert "Hardest: 1, 2, 3, 4, 5, 6, 7, 8, 9 (0.00 %); easiest: 0 (100.00 %)." in caption


def test_the_alternative_tells_every_accuracy():
    text = words.matrix_alternative(drawn.counts(FIRST))
    for label in range(10):
        share = (predicted(FIRST, 2).numpy()[label == LABELS] == label).mean()
        assert f"{label}: {100 * share:.2f} %" in text
    assert "most frequent mistakes" in text
    assert "mistakes" not in words.matrix_alternative(drawn.counts(PERFECT))


def test_two_runs_are_compared_at_each_epoch_of_the_first():
    rows = drawn.comparison_rows(FIRST, SECOND, "en")
    captions = words.comparison_captions(FIRST.epochs, SECOND.epochs, drawn.comparisons(FIRST, SECOND))
    for position, of_second in enumerate((0, 1, 1)):
        first, second = predicted(FIRST, position).numpy(), predicted(SECOND, of_second).numpy()
        only_first = np.flatnonzero((first == LABELS) & (second != LABELS))
        only_second = np.flatnonzero((second == LABELS) & (first != LABELS))
        shown = rows["shown"][rows["shown"]["position"] == position]
        for side, images, wrong in (("first", only_first, second), ("second", only_second, first)):
            of_side = shown[shown["side"] == side]
            assert of_side["index"].tolist() == images[: figure.SIDE].tolist()
            assert of_side["predicted"].tolist() == wrong[of_side["index"]].tolist()
        both = ((first == LABELS) & (second == LABELS)).sum()
        assert f"the other one after epoch {of_second + 1}: both recognise {both:,} images" in captions[position]
        assert f"only this one {len(only_first):,}, only the other one {len(only_second):,}" in captions[position]
        for row in rows["classes"].to_dict("records"):
            of_label = row["label"] == LABELS
            expected = (first == LABELS)[of_label].mean() - (second == LABELS)[of_label].mean()
            assert row["differences"][position] == pytest.approx(expected, abs=1e-6)
    largest = max(abs(value) for row in rows["classes"]["differences"] for value in row)
    assert rows["limits"]["most"][0] > 100 * largest


def test_the_verdict_is_about_the_better_one_and_only_where_chance_does_not_make_it():
    (ahead, behind) = (drawn.comparisons(a, b)[-1] for a, b in ((FIRST, SECOND), (SECOND, FIRST)))
    assert "this run is better" in words.verdict(ahead)
    assert "the other run is better" in words.verdict(behind)
    near = drawn.comparisons(FIRST, drawn.seen_by("near", (epoch(1, 0.01, 99),)))[-1]
    assert near.chance > CLEAR
    assert f"{100 * near.chance:.0f} of 100 cases: no proof" in words.verdict(near)
    assert "the same images" in words.verdict(drawn.comparisons(FIRST, FIRST)[-1])


def test_other_runs_are_named_by_their_network_and_by_what_differs_within_it():
    stacks = [RunSpec(model="stack", options={"depth": depth}) for depth in (20, 56)]
    others = [RunSpec(model="mlp"), *stacks, RunSpec(epochs=3), RunSpec(model="resnet", epochs=3)]
    called = words.other_names(RunSpec(), others)
    assert called[0] == "MLP"
    assert [name.partition(",")[0] for name in called[1:4]] == ["Stack", "Stack", "CNN"]
    assert ["20" in name and "56" not in name for name in called[1:3]] == [True, False]
    assert "3 epochs" in called[3]
    assert called[4] == "ResNet"
    assert len(set(called)) == len(called)


def test_what_is_no_number_is_no_bar():
    assert drawn._listed(np.array([0.5, math.nan])) == [0.5, None]


@pytest.mark.parametrize("build", [figure.matrix, figure.comparison])
def test_the_charts_are_valid(build):
    assert compiled(build)["$schema"].startswith("https://vega.github.io/schema/vega-lite")
