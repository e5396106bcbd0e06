"""The learning rate under the hand, the sweep, the noise floor, the average, the cost: what their pictures draw."""

import numpy as np
import pytest

from app.figures import average, cost, floor, rate_sweep, rates
from app.figures.descent_runs import Settings, run
from core import mse
from core.descent import RACERS, descend
from core.ema import ema
from core.points import PRESETS, Points
from tests.app.numerals import plain

POINTS = {name: preset.points for name, preset in PRESETS.items()} | {
    "flat": Points(x=(0.0, 0.0), y=(1.0, 2.0)),
    "one": Points(x=(2.0,), y=(3.0,)),
}
CURVED = [name for name in POINTS if name != "flat"]


def closed_form(frame, lr, updates):
    """What the browser computes: w, b and the loss above the least after each update."""
    low, high = (1 - lr * frame[end] for end in ("low", "high"))
    w = frame["w"] + frame["w_low"] * low**updates + frame["w_high"] * high**updates
    b = frame["b"] + frame["b_low"] * low**updates + frame["b_high"] * high**updates
    excess = frame["excess_low"] * low ** (2 * updates) + frame["excess_high"] * high ** (2 * updates)
    return w, b, excess


@pytest.mark.parametrize("with_bias", [False, True])
@pytest.mark.parametrize("preset", PRESETS)
@pytest.mark.parametrize("share", [0.05, 0.5, 0.97, 1.0, 1.2])
def test_the_browser_s_closed_form_is_gradient_descent(preset, share, with_bias):
    points = POINTS[preset]
    usual = Settings(w=-1.5, b=0.7).spec("gd", with_bias=with_bias)
    frame = rates.path_data(points, usual, "en")["frame"].iloc[0]
    lr = share * frame["edge"]
    exact = descend(points, Settings(w=-1.5, b=0.7, lr=lr, epochs=rates.UPDATES).spec("gd", with_bias=with_bias))
    w, b, excess = closed_form(frame, lr, np.arange(1, len(exact) + 1))  # it may have been stopped
    np.testing.assert_allclose(w, exact.w, rtol=1e-7, atol=1e-7)
    np.testing.assert_allclose(b, exact.b, rtol=1e-7, atol=1e-7)
    np.testing.assert_allclose(frame["least"] + excess, exact.cost, rtol=1e-6, atol=1e-9)


@pytest.mark.parametrize("name", CURVED)
@pytest.mark.parametrize("with_bias", [False, True])
def test_each_rate_of_the_slider_has_its_sentence(name, with_bias):
    drawn = rates.path_data(POINTS[name], Settings().spec("gd", with_bias=with_bias), "en")
    said = dict(zip(rates.shares(), drawn["said"]["sentence"], strict=True))
    assert "just as far away" in said[1.0]
    assert "above 2/λmax" in said[1.01]
    assert "above 2/λmax" not in said[0.99]
    for source in drawn.values():
        assert np.isfinite(source.select_dtypes("number").to_numpy()).all()


@pytest.mark.parametrize("with_bias", [False, True])
@pytest.mark.parametrize("name", POINTS)
def test_the_sweep_draws_the_core_s_losses_and_sets_what_diverged_apart(name, with_bias):
    points, settings = POINTS[name], Settings(batch_size=1, epochs=20)
    found = rate_sweep.swept(points, settings, with_bias)
    drawn = rate_sweep.chart_data(points, settings, with_bias, 0.01, "en")
    runs, frame = drawn["runs"], drawn["frame"].iloc[0]
    assert runs["loss"].between(frame["loss0"], frame["loss1"]).all()
    assert runs["row"].between(frame["top"], frame["loss1"]).all()
    kept = runs[~runs["is_out"]]
    assert (kept["loss"] <= frame["top"]).all()
    losses = rate_sweep.table(points, settings, with_bias)["loss"]
    assert (runs["is_out"] == (runs["diverged"] | (losses > frame["top"]))).all()  # each has its cross
    assert set(found.racers) == set(RACERS)
    table = rate_sweep.table(points, settings, with_bias)
    np.testing.assert_array_equal(table["loss"].to_numpy().reshape(found.loss.shape), found.loss)
    for racer in found.racers:
        assert rate_sweep.title(racer) in rate_sweep.in_words(points, settings, with_bias)


@pytest.mark.parametrize("name", POINTS)
def test_the_map_of_the_floor_has_a_cell_and_two_runs_each(name):
    points = POINTS[name]
    found = floor.floor(points, 0)
    drawn = floor.chart_data(points, 0, 1.0, "en")
    cells = drawn["cells"]
    assert len(cells) == found.excess.size == len(found.sizes) * floor.COLUMNS
    assert len(drawn["runs"]) == 2 * found.excess.size * floor.EPOCHS
    assert cells["shade"].between(0, 1).all()
    for place, cell in enumerate(cells.itertuples()):  # how the picture finds its cell
        assert (cell.row - 1) * floor.COLUMNS + cell.column - 1 == place
    assert (drawn["runs"]["excess"] > 0).all()
    assert (cells["text"].iloc[-floor.COLUMNS :] == "0").all()  # the full batch has no floor


def test_disagreeing_samples_have_a_floor_and_agreeing_ones_none():
    sentence, kind = floor.verdict(POINTS["course"], 0)
    assert kind == "good"
    assert "no floor" in sentence
    assert floor.verdict(POINTS["noisy"], 0)[1] == "neutral"
    assert floor.verdict(POINTS["flat"], 0)[1] == "warning"
    found = floor.floor(POINTS["noisy"], 0)
    assert (np.diff(found.excess[0]) > 0).all()  # it rises with the learning rate
    assert (np.diff(found.excess[:, -1]) < 0).all()  # and falls with the batch


def test_a_decaying_rate_ends_below_a_constant_one():
    constant, decaying = (floor.courses(POINTS["noisy"], 0, 1.0, decay) for decay in (0.0, floor.DECAY))
    assert (decaying[0, -3:, -10:].mean(axis=1) < 0.5 * constant[0, -3:, -10:].mean(axis=1)).all()


@pytest.mark.parametrize("racer", ["sgd", "minibatch-shuffled"])
def test_the_averages_in_the_picture_are_the_core_s(racer):
    spec = Settings(epochs=120).spec(racer)
    losses = run(POINTS["noisy"], spec).loss
    drawn = average.chart_data(POINTS["noisy"], spec, len(losses), "en")["losses"]
    place = drawn["update"].to_numpy() - 1
    np.testing.assert_array_equal(drawn["loss"], losses[place])
    for beta in (0.0, 0.5, 0.9, 0.98):
        corrected = drawn[f"b{round(50 * beta)}"]  # the column that the browser reads
        np.testing.assert_array_equal(corrected, np.array(ema(losses, beta))[place])
        plain = corrected * (1 - beta ** drawn["update"])  # what the browser makes of it
        np.testing.assert_allclose(plain, np.array(ema(losses, beta, corrected=False))[place], rtol=1e-9, atol=1e-12)


def test_every_beta_is_on_the_slider_and_has_its_sentence():
    said = average.chart_data(POINTS["course"], Settings().spec("sgd"), 100, "en")["said"]
    assert len(said) == len(average.BETAS)
    assert "last value itself" in said["sentence"][0]
    assert "= 10 values" in said["sentence"][round(50 * 0.9)]


def test_the_table_of_costs_holds_what_was_measured():
    timings = cost.measured(POINTS["course"])
    assert cost.measured(POINTS["course"]) is timings
    table = cost.table(timings)
    assert table.iloc[:, 3].tolist() == [1000 * timing.seconds for timing in timings]
    assert cost.chart_data(timings)["timings"]["milliseconds"].tolist() == table.iloc[:, 3].tolist()
    sgd = next(timing for timing in timings if timing.way == "sgd")
    assert f"SGD took {cost.three(sgd.ratio)} times" in cost.verdict(timings)
    assert cost.in_words(timings).count("ms") == len(timings)


def test_the_edge_in_the_pictures_is_the_exact_one():
    frame = rates.path_data(POINTS["course"], Settings().spec("gd"), "en")["frame"].iloc[0]
    assert frame["edge"] == mse.largest_stable_lr(28 / 3) == pytest.approx(3 / 14)


@pytest.mark.parametrize(
    ("lr", "full", "sgd"),
    [
        (0.01, "is below", "by 0.7393"),
        (0.21, "is below", "SGD in order diverges"),
        (0.5, "is not", "multiplies it by 0."),
    ],
)
def test_full_batch_and_sgd_have_borders_of_their_own(lr, full, sgd):
    spec = Settings(lr=lr).spec("gd")
    (first, kind), (second, other) = rates.verdicts(POINTS["course"], spec)
    assert first.startswith("The full batch")
    assert full in first
    assert kind == ("good" if lr < 3 / 14 else "bad")
    assert sgd in second
    run_of_sgd = run(POINTS["course"], Settings(lr=lr, epochs=100).spec("sgd"))
    assert (other == "bad") == bool(run_of_sgd.cost[-1] > run_of_sgd.start_cost)


def test_a_rate_next_to_its_border_is_written_with_enough_digits():
    (sentence, _kind), _sgd = rates.verdicts(POINTS["course"], Settings(lr=0.2143).spec("gd"))
    assert "= 0.21429. The page's lr, 0.2143, is not" in sentence
    assert rates.apart(1.00007, 1.0) == ["1.0001", "1"]
    assert rates.apart(0.5, 0.5) == ["0.5", "0.5"]


@pytest.mark.parametrize("with_bias", [False, True])
@pytest.mark.parametrize("name", CURVED)
def test_a_rate_beyond_all_bounds_is_still_described(name, with_bias):
    for sentence, _kind in rates.verdicts(POINTS[name], Settings(lr=1000.0).spec("gd", with_bias=with_bias)):
        assert "nan" not in sentence
        assert "inf" not in sentence


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.025, "0.025"),
        (0.0125, "0.013"),
        (0.00078125, "7.8e−4"),
        (0.00302, "0.003"),
        (1.8, "1.8"),
        (2.72e-26, "2.7e−26"),
    ],
)
def test_the_cells_of_the_map_have_short_numbers(value, text):
    assert floor.tight(value) == text


@pytest.mark.parametrize("name", PRESETS)
def test_the_labels_of_the_map_say_its_rates(name):
    found, drawn = floor.floor(POINTS[name], 0), floor.chart_data(POINTS[name], 0, 1.0, "en")
    labels = [plain(text) for text in drawn["rates"]["text"]]
    np.testing.assert_allclose(labels, found.rates, rtol=5e-3)
    texts = [float(text.replace("−", "-")) for text in drawn["cells"]["text"]]
    np.testing.assert_allclose(texts, found.excess.ravel(), rtol=5e-2, atol=1e-12)


def test_a_cell_without_a_floor_says_that_its_run_is_still_on_its_way():
    sentences = floor.chart_data(POINTS["course"], 0, 1.0, "en")["cells"]["sentence"]
    assert "no floor" in sentences[0]
    assert "still" in sentences[0]
    assert "comes down all the way within" in sentences[floor.COLUMNS - 1]


def test_one_update_is_named_in_the_singular():
    said = average.chart_data(POINTS["course"], Settings().spec("sgd"), 100, "en")["said"]["sentence"]
    assert "Half-life: 1 update. Lag: on a steady slope it is 1 update late." in said[25]
    assert "Half-life: 6.58 updates." in said[45]


@pytest.mark.parametrize(
    ("count", "words"), [(1, "The 1 point is repeated"), (12, "The 12 points are repeated"), (1000, "")]
)
def test_the_rows_that_are_measured_are_explained(count, words):
    assert cost.about_rows(count).startswith(words)
    assert bool(cost.about_rows(count)) == bool(words)
