"""What the pictures of the batches page are given to draw, and what is said beside them."""

import numpy as np
import pandas as pd
import pytest

from app.figures import batches, batches_words, loading_time, splits
from core.loading import Loading
from core.loading_job import Conditions, Snapshot, Timing
from core.samples import samples
from core.splits import LEAKS, Split

SPECS = [
    Loading(),
    Loading(batch_size=1),
    Loading(batch_size=12, drop_last=True),
    Loading(batch_size=7, drop_last=True, shuffle=False),
    Loading(count=768, batch_size=32),
    Loading(count=768, batch_size=50, drop_last=True),
    Loading(count=768, batch_size=1, epochs=10),
    Loading(count=768, batch_size=500, shuffle=False),
]


def data_of(spec):
    return samples("few" if spec.count == 12 else "all")


@pytest.mark.parametrize("spec", SPECS)
def test_the_picture_holds_what_the_loader_hands_out(spec):
    data = data_of(spec)
    drawn = batches.belt_data(spec, data)
    epochs = batches.drawn_epochs(spec)
    assert epochs == spec.epochs or (epochs + 1) * spec.iterations > batches.MOST_STEPS
    for epoch in range(epochs):
        rows = drawn["samples"][drawn["samples"]["epoch"] == epoch]
        for number, wanted in enumerate(spec.batches(epoch)):
            assert rows["row"][rows["batch"] == number].tolist() == wanted.tolist()
        assert sorted(rows["row"][rows["batch"] < 0]) == sorted(spec.dropped(epoch))
        bars = drawn["batches"][drawn["batches"]["epoch"] == epoch]
        assert bars["size"].tolist() == [len(wanted) for wanted in spec.batches(epoch)]
        np.testing.assert_allclose(bars["share"], [data.y[wanted].mean() for wanted in spec.batches(epoch)])


@pytest.mark.parametrize("spec", SPECS)
def test_everything_lies_within_the_picture(spec):
    drawn = batches.belt_data(spec, data_of(spec))
    span = drawn["frame"]["span"].iloc[0]
    places = drawn["samples"]
    assert places["x"].min() >= 0
    assert places["x"].max() + (1 if "line" in places else 0.5) <= span + 1e-9
    assert drawn["batches"]["bar_left"].min() >= 0
    assert drawn["batches"]["bar_right"].max() <= span + 1e-9
    if "line" in places:
        assert (places["line"] + places["high"]).max() < batches.SHARES - batches.HIGH
        assert not places.duplicated(["epoch", "x", "line"]).any()
    else:
        assert np.diff(np.sort(places["x"].unique())).min() >= 1 - 1e-9


@pytest.mark.parametrize("spec", SPECS)
def test_every_step_has_its_caption(spec):
    captions = batches_words.captions(spec)
    assert len(captions) == batches.drawn_epochs(spec) * spec.iterations
    short = [caption for caption in captions if "the last batch is short" in caption]
    assert len(short) == (batches.drawn_epochs(spec) if spec.rest and not spec.drop_last else 0)
    left_out = [caption for caption in captions if "Left out" in caption]
    assert len(left_out) == (batches.drawn_epochs(spec) if spec.rest and spec.drop_last else 0)


@pytest.mark.parametrize("few", [True, False])
def test_no_words_travel_with_the_data_which_all_languages_share(few):
    spec = SPECS[0 if few else 4]
    for frame in batches.belt_data(spec, data_of(spec)).values():
        assert all(pd.api.types.is_numeric_dtype(column) for _title, column in frame.items())


def test_few_rows_are_named_and_many_are_counted():
    assert batches_words.listed(np.arange(3)) == "0, 1, 2"
    assert batches_words.listed(np.arange(32)) == "0, 1, 2, 3, 4, 5, 6, 7, 8, 9 and 22 more"


def timing(workers, waiting, way="demand"):
    return Timing(
        way=way,
        workers=workers,
        reading=0.5,
        first_batch=float(workers),
        waiting=waiting,
        training=0.1,
        samples=64,
        memory=8,
    )


CONDITIONS = Conditions(
    cores=2,
    memory=0,
    load=0.5,
    system="Linux",
    torch="2",
    when="2026-01-31 13:45",
    on_disk=10**7,
    decoded=10**10,
    batch_size=32,
)


@pytest.mark.parametrize(
    ("with_two", "sentence", "kind"),
    [
        (0.4, "With 2 workers an epoch is 2.2 times as fast as with none", "good"),
        (1.2, "Workers do not pay here", "warning"),
    ],
)
def test_the_verdict_follows_the_figures(with_two, sentence, kind):
    timings = (timing(0, 1.0), timing(2, with_two), timing(0, 0.9, "once"))
    said = loading_time.verdict(Snapshot(conditions=CONDITIONS, timings=timings, finished=True))
    assert said[0][0].startswith(sentence)
    assert said[0][1] == kind
    assert "the first batch comes after 2 s" in said[1][0]
    assert "10% faster" in said[2][0]
    assert loading_time.verdict(Snapshot(timings=timings[:2], running=True)) == []
    assert loading_time.in_words(timings).count("s waiting") == 3
    bars = loading_time.chart_data(timings)["parts"]
    assert bars.groupby("place")["seconds"].sum().tolist() == [1.1, with_two + 0.1, 1.0]
    assert "10 GB" in loading_time.conditions(CONDITIONS)


def test_the_bytes_are_those_of_the_arrays():
    assert loading_time.memory_table().iloc[:, 1].tolist() == [
        768 * 9 * 4,
        60_000 * 28 * 28,
        60_000 * 3 * 224 * 224 * 4,
    ]


def test_every_leak_has_a_sentence_with_its_numbers():
    split = Split(train=50, validation=10, seed=1)
    assert list(splits.short_titles()) == list(LEAKS)
    said = splits.verdicts(split)
    assert len(said) == len(LEAKS)
    table = splits.leaks_table(split)
    assert f"{100 * table.iloc[2, 3]:+.1f}" in said[2][0]
    means = splits.leaks_data(split)["means"]["accuracy"].tolist()
    assert means == [value for row in table.iloc[:, 1:3].to_numpy().tolist() for value in row]
    parts = splits.belt_data(split)["rows"]["part"].value_counts()
    assert parts.to_dict() == {"Training": 384, "Validation": 77, "Test": 307}
    assert "[384, 77, 307]" in splits.code(split)
