"""What the pictures of the batches page are given to draw, and what is said beside them."""

import time
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from app import measured
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
        (0.4, "With 2 workers the training is 2.2 times as fast as with none", "good"),
        (1.2, "Workers do not pay here", "warning"),
    ],
)
def test_the_verdict_follows_the_figures(with_two, sentence, kind):
    timings = (timing(0, 1.0), timing(2, with_two), timing(0, 0.9, "once"))
    said = loading_time.verdict(Snapshot(conditions=CONDITIONS, timings=timings, finished=True))
    assert said[0][0].startswith(sentence)
    assert said[0][1] == kind
    assert said[1][0].startswith(
        "But 2 workers have to start first: each loads torch, and the first batch comes after 2 s"
    )
    assert "1.1 times as fast as on demand without workers" in said[2][0]
    assert len(said) == 3
    assert loading_time.verdict(Snapshot(timings=timings[:2], running=True)) == []
    assert loading_time.in_words(timings).count("s waiting") == 3
    bars = loading_time.chart_data(timings)["parts"]
    assert bars.groupby("place")["seconds"].sum().tolist() == [1.1, with_two + 0.1, 1.0]
    assert "10 GB" in loading_time.conditions(CONDITIONS)


def test_the_start_is_that_of_the_praised_setting_and_one_worker_is_no_plural():
    timings = (timing(0, 1.0), timing(1, 0.4), timing(4, 0.6), timing(0, 1.0, "once"))
    said = loading_time.verdict(Snapshot(conditions=CONDITIONS, timings=timings, finished=True))
    assert said[0][0].startswith("With 1 worker the training is")
    assert said[1][0].startswith("But 1 worker has to start first: it loads torch, and the first batch comes after 1 s")
    assert "no faster than on demand" in said[2][0]


def test_a_busy_machine_and_crowded_cores_are_said():
    crowded = replace(timing(2, 0.4), training=0.2)
    busy = replace(CONDITIONS, load=7.5)
    timings = (timing(0, 1.0), crowded, timing(0, 1.0, "once"))
    said = loading_time.verdict(Snapshot(conditions=busy, timings=timings, finished=True))
    assert said[0][1] == "warning"
    assert "load 7.5 on 2 cores" in said[0][0]
    assert any("takes 0.2 s instead of 0.1 s with 2 workers" in sentence for sentence, _kind in said)
    unknown = loading_time.verdict(
        Snapshot(conditions=replace(CONDITIONS, load=float("nan")), timings=timings, finished=True)
    )
    assert not any("busy with other work" in sentence for sentence, _kind in unknown)


def test_it_is_said_how_many_images_are_timed():
    assert "640 of them, 20 batches of 32" in loading_time.what_is_measured()
    timings = (timing(0, 1.5),)  # 64 images in 1.6 s
    assert "64 images" in loading_time.in_words(timings)
    table = loading_time.table(timings)
    assert table["seconds for 64 images"].tolist() == [1.6]
    assert table["at that rate, seconds for all 60,000"].tolist() == [1500]
    axis = loading_time.chart(64).to_dict()["layer"][0]["encoding"]["x"]["title"]
    assert axis == "seconds for 64 images"


def test_the_progress_promises_nothing_that_is_not_known():
    assert measured.start_label(Snapshot(), "Measure") == "Measure"
    assert measured.start_label(Snapshot(finished=True), "Measure") == "Measure again"
    assert "85 s" in measured.start_label(Snapshot(took=85.2), "Measure")
    first = Snapshot(running=True, began=time.monotonic())
    assert loading_time.progress(first) == "Part 1 of 5: preparing the data set. 0 s so far."
    later = replace(first, took=85.2, timings=(timing(0, 1.0),), way="demand", workers=1)
    assert loading_time.progress(later).startswith("Part 2 of 5: on demand, 1 worker. ")
    assert loading_time.progress(later).endswith("The last measurement took 85 s in all.")


@pytest.mark.parametrize(
    ("amount", "order", "said"),
    [
        ("all", "file", "up to 50 in a row"),
        ("few", "file", "12 of the rows"),
        ("all", "sorted", "sorted by label"),
        ("few", "sorted", "sorted by label"),
    ],
)
def test_the_order_of_the_labels_is_that_of_the_rows_shown(amount, order, said):
    assert said in batches_words.arrangement(samples(amount, order), is_sorted=order == "sorted")


def test_the_shares_are_those_of_all_epochs():
    spec, data = Loading(epochs=3), samples()
    low, high, _pure = batches_words.shares(spec, data)
    found = [data.y[rows].mean() for epoch in range(3) for rows in spec.batches(epoch)]
    assert (low, high) == (min(found), max(found))
    assert "epoch 1" not in " ".join(sentence for sentence, _kind in batches_words.verdict(spec, data))


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
    assert f"{100 * table.iloc[2, 3]:.1f} percentage points too much" in said[2][0]
    assert "65.1 %" in said[1][0]  # always guessing 0
    assert f"{100 * table.iloc[1, 2]:.1f} %" in said[1][0]  # what is honest stands beside it
    means = splits.leaks_data(split)["means"]["accuracy"].tolist()
    assert means == [value for row in table.iloc[:, 1:3].to_numpy().tolist() for value in row]
    parts = splits.belt_data(split)["rows"]["part"].value_counts()
    assert parts.to_dict() == {"Training": 384, "Validation": 77, "Test": 307}
    assert "[384, 77, 307]" in splits.code(split)
