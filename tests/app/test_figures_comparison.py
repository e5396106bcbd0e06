"""Several training runs on one chart: the rows, the names and the sentences, against core and by hand."""

import itertools
import json
import math
import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.charts import compiled
from app.figures import comparison, comparison_rows, training, training_axes, training_words
from app.figures import comparison_words as words
from app.figures import training_rows as drawn
from app.figures.run_names import names
from app.i18n import speaking
from core import shipped
from core.confusion import CLEAR, compare, read_digits
from core.datasets import DATA, mnist
from core.device import find_placement
from core.ema import ema, lag
from core.job import Job
from core.models import MODELS
from core.optimizers import OPTIMIZERS
from core.preset_runs import COMPARISONS
from core.records import Batch, Epoch, Inside, LayerState
from core.run import RunSpec
from pages.parts import training_numbers

KEYS = itertools.count()  # reports of equal keys and lengths count as equal


def report(losses, accuracies=(), *, spec=None, axis="epoch", ended=True, train=None, key=None):
    spec = spec or RunSpec(epochs=max(1, len(accuracies)), train_images=640)  # ten batches an epoch
    each = spec.steps_per_epoch
    batches = [Batch(step=s, epoch=(s - 1) // each + 1, loss=loss, seconds=s / 9) for s, loss in enumerate(losses, 1)]
    trained = train or [2 / number for number in range(1, len(accuracies) + 1)]
    epochs = [
        Epoch(
            epoch=number, train_loss=trained[number - 1], train_accuracy=accuracy, test_loss=1 / number,
            test_accuracy=accuracy, seconds=1.5, images_per_second=640.0, device="cpu", worst=(), predicted="",
        )
        for number, accuracy in enumerate(accuracies, 1)
    ]  # fmt: skip
    return drawn.Report(
        key=key or f"run-{next(KEYS)}", batch_count=len(batches), epoch_count=len(epochs), ended=ended, language="en",
        axis=axis, spec=spec,
        batches=batches, epochs=epochs,
    )  # fmt: skip


def race(*reports, states=()):
    names = tuple(f"run {place}" for place in range(len(reports)))
    colours = comparison.ORDER[: len(reports)]
    return comparison_rows.Race(reports=reports, names=names, colours=colours, states=states or ("",) * len(reports))


@settings(deadline=None, max_examples=15)
@given(st.lists(st.floats(0, 100), min_size=1, max_size=1500))
def test_each_smoothed_point_is_the_average_over_all_batches(losses):
    one = report(losses, spec=RunSpec(epochs=100, train_images=640))
    curve = drawn.curve_rows(one, 60)
    steps = (curve["x"] * one.spec.steps_per_epoch).round().astype(int)
    assert len(curve) <= 120
    for place, beta in enumerate(training_axes.BETAS):
        averages = ema(losses, beta)
        assert curve[f"s{place}"].tolist() == pytest.approx([averages[step - 1] for step in steps])


def test_the_peaks_of_a_long_run_are_drawn():
    losses = [2.0] * 4000
    losses[1234], losses[3000] = 9.0, 0.5
    curve = drawn.curve_rows(report(losses, spec=RunSpec(epochs=100, train_images=6400)), 40)
    assert (curve["s0"].max(), curve["s0"].min()) == (9.0, 0.5)


@pytest.mark.parametrize(("axis", "ends"), [("epoch", [1, 2]), ("samples", [640, 1280]), ("seconds", [1.5, 3.0])])
def test_a_run_is_drawn_over_epochs_images_or_seconds(axis, ends):
    one = report([1.0] * 20, [0.5, 0.6], axis=axis)
    rows = drawn.rows(one)
    assert rows["epochs"]["x"].tolist() == ends
    last = {"epoch": 2, "samples": 1280, "seconds": 20 / 9}[axis]
    assert rows["curve"]["x"].iloc[-1] == pytest.approx(last)
    assert rows["limits"]["x"].tolist() == pytest.approx([0, last])


def test_a_run_under_way_leaves_room_for_its_estimated_end():
    one = report([1.0] * 20, [0.5, 0.6], axis="seconds", ended=False, spec=RunSpec(epochs=10, train_images=640))
    assert drawn.limit_rows([one])["x"].iloc[1] == 20  # 20 of 100 steps took 2.2 s


def test_several_runs_are_few_points():
    spec = RunSpec(epochs=10)
    runs = [report([2.0 + step % 7 for step in range(9380)], spec=spec, ended=False) for _ in range(8)]
    rows = comparison_rows.rows(race(*runs))
    assert len(rows["curve"]) <= comparison_rows.MOST_POINTS
    assert sorted(rows["curve"]["run"].unique()) == list(range(8))


def test_the_gap_begins_where_the_overfitting_does():
    spec = RunSpec(epochs=6, train_images=640)
    test_losses = [1.0, 0.5, 0.4, 0.5, 0.6, 0.7]
    one = report([1.0] * 60, [0.9] * 6, spec=spec, train=[1 / n for n in range(1, 7)])
    epochs = [
        Epoch(**{name: getattr(epoch, name) for name in Epoch.__slots__} | {"test_loss": loss})
        for epoch, loss in zip(one.epochs, test_losses, strict=True)
    ]
    object.__setattr__(one, "epochs", epochs)
    assert drawn.epoch_rows(one)["gap"].tolist() == [False, False, True, True, True, True]
    assert drawn.events(one) == [(4.0, "overfitting")]
    assert comparison_rows.rows(race(one, one))["event"]["x"].tolist() == [4.0, 4.0]


def test_a_loss_that_is_not_finite_is_marked_and_nothing_of_it_is_drawn():
    one = report([2.0, 3.0, math.inf, math.nan])
    rows = comparison_rows.rows(race(one, report([1.0] * 10, [0.9])))
    assert rows["event"]["text"].tolist() == ["not finite from here"]
    assert rows["event"]["x"].tolist() == [0.3]
    assert rows["event"]["loss"].iloc[0] == pytest.approx(ema([2.0, 3.0], training_axes.BETAS[3])[-1])
    assert rows["curve"].query("run == 0")["s0"].tolist() == [2.0, 3.0]


@pytest.mark.parametrize(
    ("states", "common"),
    [(("shipped", "shipped"), "shipped"), (("shipped", "trained here"), ""), (("12 %",), "12 %")],
)
def test_a_state_that_all_runs_share_is_said_above_them(states, common):
    runs = race(*[report([2.0] * 4, [0.5])] * len(states), states=states)
    assert comparison_rows.rows(runs)["titles"]["state"].tolist() == [common]


def test_the_legend_has_the_numbers_at_each_position():
    runs = race(report([1.0] * 20, [0.5, 0.75]), report([1.0] * 10, [0.9]))
    assert runs.steps == 2
    legend = comparison_rows.rows(runs)["legend"]
    assert legend.query("position == 0")["accuracy"].tolist() == ["50.00 %", "90.00 %"]
    assert legend.query("position == 1")["accuracy"].tolist() == ["75.00 %", "90.00 %"]
    assert legend.query("position == 1")["best"].tolist() == ["75.00 % (2)", "90.00 % (1)"]


def test_equal_comparisons_share_their_rows():
    one, other = (race(report([1.0] * 20, [0.5, 0.75], key="a"), report([1.0] * 10, [0.9], key="b")) for _ in range(2))
    assert comparison_rows.encoded_rows(one) is comparison_rows.encoded_rows(other)


@pytest.mark.parametrize("axis", training_axes.AXES)
def test_each_picture_compiles_without_a_warning(axis):
    spec = compiled(comparison.picture, axis, 4)
    assert {"step", "smooth", *comparison.POINTABLE} <= {param["name"] for param in spec["params"]}
    assert compiled(training.picture, axis)


def test_the_number_below_a_mistake_is_the_loss_by_which_they_are_sorted(monkeypatch):
    monkeypatch.setattr(shipped, "RUNS", DATA / "runs")
    written = json.dumps(compiled(training.picture, "epoch"), ensure_ascii=False)
    assert "'ℓ = ' + format(-log(datum.probability), '.1f')" in written
    job = shipped_job("cnn")
    mistakes = drawn.mistake_table(job.epochs[-1:])["true_probability"]
    assert len(mistakes) > 1
    assert mistakes.is_monotonic_increasing


def test_a_run_has_the_colour_of_its_network_where_that_tells_them_apart():
    assert comparison.colours(COMPARISONS["nets"].runs) == ("mlp", "cnn", "inception", "resnet")
    assert comparison.colours((RunSpec(), RunSpec(seed=1))) == ("runa", "runb")
    assert len(comparison.colours(tuple(RunSpec(seed=seed) for seed in range(9)))) == 9


@pytest.mark.parametrize("name", COMPARISONS)
def test_the_runs_of_a_prepared_comparison_have_names_of_their_own(name):
    runs = COMPARISONS[name].runs
    named = names(runs)
    assert len(set(named)) == len(runs)
    assert all(named)


def test_a_name_says_what_differs_as_the_page_does():
    depth = COMPARISONS["depth"].runs
    plain, residual = ((f"20 layers, {kind}", f"56 layers, {kind}") for kind in ("plain", "residual"))
    assert names(depth) == (*plain, *residual)
    assert names([RunSpec(lr=0.1), RunSpec(lr=0.05)]) == ("lr 0.1", "lr 0.05")
    assert names([RunSpec(epochs=1), RunSpec(epochs=2)]) == ("1 epoch", "2 epochs")
    blocks = [RunSpec(model="densenet", options={"layers": number}) for number in (1, 2)]
    assert names(blocks) == ("1 layer in a block", "2 layers in a block")
    assert names([RunSpec(optimizer="adam"), RunSpec(schedule="cosine")])[1] == "SGD, cosine schedule"
    assert names([RunSpec(train_images=2000, nesterov=True), RunSpec()]) == (
        "Nesterov, 2,000 images",
        "no Nesterov, 60,000 images",
    )


@pytest.mark.parametrize("model", MODELS)
def test_every_option_of_a_network_can_be_named(model):
    for option in MODELS[model].options:
        values = {bool: [False, True], str: sorted(option.choices)}.get(type(option.default), [option.low, option.high])
        runs = []
        for value in values:
            kind = type(option.default)
            runs.append(RunSpec(model=model, options={option.name: kind(value)}))
        assert len(set(names(runs))) == len(values)


def test_chinese_sentences_have_no_space_between_chinese_characters():
    runs = [seen(report([2.3] * 20, [0.1, 0.1]), "11"), seen(report([2.3] * 20, [0.1, 0.1]), "11")]
    runs += [report([1.0] * 20, [0.9, 0.95]), report([1.0] * 20, [0.7, 0.8])]
    jobs = [job_with(gradient) for gradient in (7.1e-11, 0.0, 0.5, 0.5)]
    with speaking("zh"):
        text = words.status(jobs, runs, names(COMPARISONS["depth"].runs))
    assert not re.search("[\u4e00-\u9fff] [\u4e00-\u9fff]", text)
    assert "7.1·10⁻¹¹ 和 0" in text


def test_the_comparison_says_who_leads_and_who_does_not_train():
    runs = [job_with(1e-9), job_with(0.5)]
    text = words.status(runs, (guess(), report([1.0] * 20, [0.9, 0.95])), ("plain", "residual"))
    assert text.startswith(
        "“residual” trains: its test accuracy after epoch 2 is 95.00\xa0%. “plain” does not train: it"
    )
    assert "in the first layer is 10⁻⁹, that of “residual” 0.5" in text


def test_no_run_is_better_than_one_that_does_not_train():
    accuracies = {"a": 0.9, "b": 0.5, "c": 0.7}
    learning = [report([1.0] * 20, [one, one]) for one in accuracies.values()]
    text = words.status([job_with(1.0)] * 4, [learning[0], guess(), *learning[1:]], ("a", "lost", "b", "c"))
    assert "“a” leads since epoch 1; after epoch 2 it is 20.00 points before “c”. “b” is hard to train" in text
    assert "before “lost”" not in text
    assert "“lost” does not train: it still guesses." in text


def test_nobody_leads_where_no_run_trains():
    text = words.status([job_with(1.0)] * 2, [guess(), guess()], ("a", "b"))
    assert text == "“a” and “b” do not train: they still guess."


LOST = {
    "Diverged in step 4": ("has diverged: its loss is no longer a finite number", [2.3, 9.0, 40.0, *[math.nan] * 17]),
    "Diverged: the last": ("has diverged: its loss is above ln 10 ≈ 2.30", [2.3] * 8 + [9.0] * 12),
    "Collapsed: too long": ("has collapsed: too long steps threw its loss up", [2.3, 900.0, *[2.31] * 18]),
}


@pytest.mark.parametrize("alone", LOST)
def test_a_run_is_judged_in_a_comparison_as_it_is_alone(alone):
    told, losses = LOST[alone]
    run = seen(report(losses, [0.1, 0.1]), "")
    assert training_words.status(job_with(1.0), run)[0].startswith(alone)
    text = words.status([job_with(1.0)] * 2, (run, report([1.0] * 20, [0.9, 0.95])), ("lr 10", "lr 0.1"))
    assert f"“lr\xa010” {told}" in text
    both = words.status([job_with(1.0)] * 2, (run, run), ("lr 10", "lr 5"))
    assert both.startswith(f"“lr\xa010” and “lr\xa05” {told.split(':')[0].replace('has', 'have')}: ")


def test_the_loss_of_a_run_that_diverged_is_that_of_its_last_batches():
    losses = [90_000.0, *[2.7] * 20]
    run = seen(report(losses, [0.1, 0.1]), "")
    text, _kind = training_words.status(job_with(1.0), run)
    assert "the last batches have a loss of about 2.7, above ln 10" in text
    job = job_with(1.0)
    job.status = "running"
    object.__setattr__(run, "ended", False)
    assert "loss 2.7, test accuracy" in training_words.status(job, run)[0]


def test_a_run_under_way_whose_loss_is_no_number_does_not_quote_it():
    job = job_with(1.0)
    job.status = "running"
    text, _kind = training_words.status(job, report([2.0, math.inf, math.nan], ended=False))
    assert text.startswith("Epoch 1 of 1. Diverged in step 2: the loss is no longer a finite number")


def test_runs_that_do_not_train_share_one_explanation():
    guessing, learning = guess(), report([1.0] * 20, [0.9, 0.95])
    runs = [job_with(1e-9), job_with(0.0), job_with(0.5)]
    text = words.status(runs, (guessing, guessing, learning), ("20 plain", "56 plain", "residual"))
    assert "“20\xa0plain” and “56\xa0plain” do not train: they still guess." in text
    assert text.count("the signal is lost") == 1
    assert "are 10⁻⁹ and 0 in this order, that of “residual” 0.5" in text


def guess():
    """Return the report of a run that has not begun to learn."""
    return seen(report([2.3] * 20, [0.1, 0.1]), "")


def seen(one, predicted):
    """Return the report with what each epoch's network took the test images for."""
    epochs = [replaced(epoch, test_loss=math.log(10), predicted=predicted) for epoch in one.epochs]
    object.__setattr__(one, "epochs", epochs)
    return one


@pytest.mark.parametrize(("first", "second", "same"), [("11", "11", True), ("11", "33", False), ("13", "13", False)])
def test_runs_that_give_all_images_one_class_are_said_to_hide_each_other(first, second, same):
    guessing = [seen(report([2.3] * 20, [0.1, 0.1]), predicted) for predicted in (first, second)]
    runs = [job_with(1e-9), job_with(0.0), job_with(0.5)]
    text = words.status(runs, (*guessing, report([1.0] * 20, [0.9, 0.95])), ("a", "b", "c"))
    told = "“a” and “b” do not train: they take every test image for class 1. Their curves lie on each other."
    assert (told if same else "“a” and “b” do not train: they still guess.") in text


def test_one_run_that_gives_all_images_one_class_is_said_to():
    guessing = seen(report([2.3] * 20, [0.1, 0.1]), "777")
    text = words.status([job_with(1e-9), job_with(0.5)], (guessing, report([1.0] * 20, [0.9, 0.95])), ("a", "b"))
    assert "“a” does not train: it takes every test image for class 7." in text


def test_finished_training_waiting_and_stopped_runs_are_counted_apart():
    states = ["done", "running", "queued", "queued", "cancelled", "failed"]
    runs = [job_with(1.0) for _ in states]
    for job, state in zip(runs, states, strict=True):
        job.status = state
    text = words.status([*runs, None], [report([])] * 7, tuple("abcdefg"))
    assert text == "1 of 7 runs are trained: 1 training, 2 waiting, 1 stopped, 1 failed, 1 not started."
    assert words.status([job_with(1.0)] * 2, [report([])] * 2, ("a", "b")) == ""
    assert words.status([None], [report([])], ("a",)) == "0 of 1 run is trained: 1 not started."


def test_the_speed_of_a_run_is_that_of_its_seconds():
    one = report([1.0] * 20, [0.5, 0.75])
    slow, quick = (
        replaced(epoch, seconds=seconds, images_per_second=640 / seconds)
        for epoch, seconds in zip(one.epochs, (30.0, 2.0), strict=True)
    )
    object.__setattr__(one, "epochs", [slow, quick])
    assert [words.line(one, epoch)["speed"] for epoch in (1, 2)] == ["21", "40"]  # 640 / 30 and 1280 / 32
    assert [words.line(one, epoch)["spent"] for epoch in (1, 2)] == ["30", "32"]


@given(st.integers(1, 2000))
def test_the_average_looks_back_on_a_small_part_of_an_epoch(steps):
    place = training_axes.usual_beta(steps)
    beta = training_axes.BETAS[place]
    late = lag(beta)
    assert late <= steps / 8 or beta == 0.8
    assert place == 3 or 1 / (1 - training_axes.BETAS[place + 1]) > steps / 8
    assert training_axes.smoothing(steps).value == place


def test_the_slider_says_how_many_batches_are_averaged():
    names = training_axes.smoothing(938).names
    assert names == ("0 (1)", "0.8 (5)", "0.9 (10)", "0.97 (33)", "0.99 (100)", "0.997 (333)")


def test_optimizers_are_named_with_their_learning_rates_where_those_differ():
    assert names(COMPARISONS["optimizers"].runs) == (
        "SGD, lr 0.01, momentum 0",
        "SGD, lr 0.01, momentum 0.9",
        "Adam, lr 0.001",
        "RMSprop, lr 0.001, momentum 0.5",
        "Adagrad, lr 0.01",
    )


def test_the_low_axis_of_the_loss_has_no_tick_whose_label_would_touch_another():
    ticks = [training_axes.y_loss("loss", low=low).to_dict()["axis"]["values"] for low in (False, True)]
    heights = [comparison.HEIGHT * math.log1p(tick / 0.05) / math.log1p(2.4 / 0.05) for tick in ticks[1]]
    below = [height for height in heights if height < comparison.HEIGHT]
    assert min(after - before for before, after in itertools.pairwise(below)) > 12  # px; of a label
    assert set(ticks[0]) - set(ticks[1]) == {0.02}


def test_all_runs_are_named_from_the_best_to_the_worst_and_which_is_hard_to_train():
    accuracies = {"a": 0.97, "b": 0.9, "c": 0.99, "d": 0.3}
    text = words.status(
        [job_with(1.0)] * 4, [report([1.0] * 20, [one, one]) for one in accuracies.values()], tuple(accuracies)
    )
    assert (
        "“c” leads since epoch 1; after epoch 2 it is 2.00 points before “a”. “b” is hard to train: on its own" in text
    )
    assert "“d” is hard to train: on its own training images it reaches 30.00\xa0%, the best run 99.00\xa0%." in text


def shipped_job(model):
    """Return a shipped run as a job that is done."""
    job = job_with(1.0)
    job.spec = RunSpec(model=model)
    entry = shipped.find_shipped(job.spec)
    job.key, job.batches, job.epochs = model, [], list(entry.epochs)
    return job


def test_the_verdict_is_that_of_the_images_on_which_two_runs_differ(monkeypatch):
    monkeypatch.setattr(shipped, "RUNS", DATA / "runs")
    runs = [shipped_job("inception"), shipped_job("resnet")]
    text = words.status(runs, [drawn.report(job, job.spec, "en") for job in runs], ("Inception", "ResNet"))
    seen = [read_digits(job.epochs[-1].predicted) for job in runs]
    found = compare(mnist().test_labels.astype("int64"), *seen)
    assert f"only one of them recognises: {len(found.only_second)} against {len(found.only_first)}" in text
    assert ("hardly ever by chance" in text) == (found.chance < CLEAR)


def replaced(epoch, **values):
    return Epoch(**{name: getattr(epoch, name) for name in Epoch.__slots__} | values)


def replace_loss(epoch):
    return replaced(epoch, test_loss=math.log(10))


def job_with(gradient):
    job = Job(RunSpec(), find_placement(shared=True))
    job.status = "done"
    layer = LayerState(name="conv1", weight_norm=1.0, change=0.0, gradient_norm=gradient)
    job.insides = [Inside(epoch=0, layers=(layer,), dead=())]
    return job


def test_a_lead_that_chance_explains_is_none():
    level = words.status([job_with(1.0)] * 2, (report([1.0] * 10, [0.99]), report([1.0] * 10, [0.9905])), ("a", "b"))
    assert "“b” and “a” are level" in level


def test_of_runs_of_different_length_it_is_said_which_epoch_is_compared():
    long, short = report([1.0] * 30, [0.3, 0.9, 0.95]), report([1.0] * 20, [0.5, 0.6])
    text = words.status([job_with(1.0)] * 2, (long, short), ("a", "b"))
    assert "30.00 points before “b”. Epoch 2 is the last that all of them have; the legend ends with each" in text
    assert "is the last" not in words.status([job_with(1.0)] * 2, (short, short), ("a", "b"))


def test_a_name_keeps_its_letters_and_is_set_off_in_sentences():
    reports, called = (report([1.0] * 10, [0.9]), report([1.0] * 10, [0.5])), ("SGD, momentum 0.9", "Adam")
    text = words.status([job_with(1.0)] * 2, reports, called)
    rates = words.status([None] * 2, reports, ("lr 0.1", "lr 0.01"))
    assert "“lr\xa00.1” leads" in rates
    with speaking("zh"):
        chinese = words.status([None] * 2, reports, ("学习率 0.1", "学习率 0.01"))
    assert "，“学习率\xa00.1”领先“学习率\xa00.01” 40.00" in chinese
    assert "After epoch 1 “SGD, momentum\xa00.9” leads, 40.00 points before “Adam”." in text
    (caption,) = words.captions(reports, called)
    assert "“SGD, momentum 0.9” 90.00\xa0%; “Adam” 50.00\xa0%." in caption


def test_the_captions_rank_the_runs():
    reports = (report([1.0] * 20, [0.5, 0.75]), report([1.0] * 10, [0.9]))
    assert words.captions(reports, ("a", "b")) == [
        "Test accuracy after epoch 1: “b” 90.00\xa0%; “a” 50.00\xa0%.",
        "Test accuracy after epoch 2: “a” 75.00\xa0%.",
    ]


def test_the_alternative_says_every_run():
    text = words.alternative((report([1.0] * 20, [0.5, 0.75]), report([])), ("a", "b"))
    assert "a: test accuracy 50.00 % after epoch 1, 75.00 % after epoch 2" in text
    assert "b: no epoch yet." in text
    assert words.alternative((report([]),), ("a",)).startswith("Loss and accuracy of 1 training run, and")


@pytest.mark.parametrize(
    ("loss", "text"),
    [(math.inf, "not finite"), (math.nan, "not finite"), (7.730307e27, "7.73·10²⁷"), (1234.5, "1234"), (2.3, "2.3000")],
)
def test_a_loss_that_a_table_cannot_show_is_written_short(loss, text):
    assert training_numbers.loss_text(loss) == text


def test_every_optimizer_has_its_rule():
    assert set(training_numbers.RULES) == set(OPTIMIZERS)
