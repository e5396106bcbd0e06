"""What the pictures of gradient descent are given to draw."""

import numpy as np
import pytest

from app.figures import descent_clock, descent_data, descent_plane, descent_table
from app.figures.descent_clock import CLOCKS, FIRST, MOST_STEPS, thinned
from app.figures.descent_data import Race
from app.figures.descent_runs import MOST_ROWS, Settings, few, run
from core import mse
from core.descent import RACERS
from core.points import PRESETS, Points
from tests.app.numerals import plain, width

ALL = tuple(RACERS)
NOISY = PRESETS["noisy"].points
USUAL = Settings()


def race(clock="samples", follow="sgd"):
    seconds = (2e-6, 1e-6, 1e-6, 1.5e-6, 1.5e-6) if clock == "time" else ()
    return Race(shown=ALL, follow=follow, clock=clock, seconds=seconds)


@pytest.mark.parametrize("count", [1, 2, 199, 399, 400, 401, 1_000, 200_000])
def test_few_steps_are_all_shown_and_of_many_the_first_ones_and_the_last(count):
    steps = thinned(count)
    assert steps[0] == 0
    assert steps[-1] == count
    assert len(steps) <= MOST_STEPS
    assert (np.diff(steps) > 0).all()
    if count < MOST_STEPS:
        assert len(steps) == count + 1
    else:
        assert steps[:FIRST].tolist() == list(range(FIRST))


@pytest.mark.parametrize("clock", CLOCKS)
def test_every_method_begins_at_the_start_and_comes_to_its_end(clock):
    beat = descent_data.timeline(NOISY, USUAL, race(clock))
    for racer, found in descent_data.runs(NOISY, USUAL, race(clock)).items():
        assert beat.done[racer][0] == 0
        assert beat.done[racer][-1] == len(found)
        assert (np.diff(beat.done[racer]) >= 0).all()


def test_counted_in_samples_all_methods_have_seen_as_many():
    found = descent_data.runs(NOISY, USUAL, race())
    beat = descent_data.timeline(NOISY, USUAL, race())
    for racer, course in found.items():
        seen = np.concatenate(([0], course.samples_seen))[beat.done[racer]]
        assert (seen <= beat.ticks).all()
        following = np.append(course.samples_seen, np.inf)[beat.done[racer]]
        assert (following > beat.ticks).all()


def test_counted_in_epochs_all_methods_have_seen_all_samples_as_often():
    found = descent_data.runs(NOISY, USUAL, race("epochs"))
    beat = descent_data.timeline(NOISY, USUAL, race("epochs"))
    for racer, course in found.items():
        seen = np.concatenate(([0], course.samples_seen))[beat.done[racer]]
        np.testing.assert_array_equal(seen, 12 * beat.ticks)


def test_counted_in_time_the_quicker_method_is_ahead():
    found = descent_data.runs(NOISY, USUAL, race("updates"))
    beat = descent_clock.steps(found, "time", dict.fromkeys(found, 1e-6) | {"gd": 3e-6})
    assert beat.done["sgd"][9] == 9
    assert beat.done["gd"][9] == 3


@pytest.mark.parametrize("preset", PRESETS)
@pytest.mark.parametrize("clock", CLOCKS)
def test_what_is_drawn_is_the_core_s(preset, clock):
    points = PRESETS[preset].points
    drawn = descent_data.race_data(points, USUAL, race(clock), "en")
    beat = descent_data.timeline(points, USUAL, race(clock))
    for racer in ALL:
        course = run(points, USUAL.spec(racer))
        rows = drawn["walk"][drawn["walk"]["racer"] == racer]
        np.testing.assert_array_equal(rows["w"], np.concatenate(([1.0], course.w))[beat.done[racer]])
        np.testing.assert_allclose(rows["cost"], mse.sweep(points, rows["w"].to_numpy()), rtol=1e-9, atol=1e-15)


@pytest.mark.parametrize("follow", RACERS)
def test_the_update_that_is_shown_leads_from_one_place_to_the_next(follow):
    rows = descent_data.race_data(NOISY, Settings(decay=0.3), race(follow=follow), "en")["follow"]
    made = rows[rows["update"] > 0]
    np.testing.assert_array_equal(made["w0"] - made["lr"] * made["gw"], made["w1"])
    np.testing.assert_allclose(2 * made["steepness"] * (made["w0"] - made["best"]), made["gw"], rtol=1e-9, atol=1e-9)
    assert rows.loc[0, "w1"] == 1.0
    assert rows.loc[0, ["w0", "gw", "xa", "ya"]].isna().all()
    assert made["partial"].all() == (follow != "gd")


def test_a_sample_is_named_by_its_point_and_a_batch_by_its_rows():
    assert descent_data.samples(run(NOISY, USUAL.spec("sgd")), 1) == "(1, −0.6)"
    assert descent_data.samples(run(NOISY, USUAL.spec("minibatch")), 1) == "rows 3, 4"
    assert descent_data.samples(run(NOISY, Settings(batch_size=5).spec("minibatch")), 0) == "5 rows"
    assert descent_data.samples(run(NOISY, USUAL.spec("gd")), 0) == "all 12"


@pytest.mark.parametrize("value", [-1.6503e10, 3.75076e8, -0.088592, 13.52, 1.9e20, -18079.4, 1e-12, 0.0])
def test_a_number_of_the_table_fits_its_column(value):
    text = descent_data.narrow(value, 5)
    assert width(text) <= 8
    assert plain(text) == pytest.approx(value, rel=0.25)


def test_a_tiny_loss_is_not_called_0():
    assert descent_data.written(2.72e-26, 4) == "2.72·10⁻²⁶"
    assert descent_data.written(0.0, 4) == "0"


@pytest.mark.parametrize(("follow", "batch_size"), [("sgd", 1), ("minibatch-shuffled", 2), ("minibatch", 3)])
def test_the_numbers_of_the_formula_give_the_gradient(follow, batch_size):
    rows = descent_data.race_data(NOISY, Settings(batch_size=batch_size), race(follow=follow), "en")["follow"]
    for row in rows[rows["update"] > 0].itertuples():
        w = float(f"{row.w0:.{row.digits}g}")
        terms = [(row.xa, row.ya), (row.xb, row.yb), (row.xc, row.yc)][: int(row.size)]
        assert f"{np.mean([2 * x * (w * x - y) for x, y in terms]):.5g}" == f"{row.gw:.5g}"


def test_the_csv_says_which_rows_were_in_each_batch():
    course = run(NOISY, Settings(batch_size=5).spec("minibatch-shuffled"))
    table = descent_table.updates(course)
    wanted = [" ".join(str(row + 1) for row in course.rows(update)) for update in range(len(course))]
    assert table["rows of the batch"].tolist() == wanted


@pytest.mark.parametrize("start", [1.0, -0.5, 1e3, -1e3, 1e6, -1e6])
def test_the_start_is_in_the_picture(start):
    window = descent_data.window_of(NOISY, start)
    assert window.start <= start <= window.stop
    assert window.start < mse.minimum(NOISY).w < window.stop
    plane = descent_plane.window_of(NOISY, Settings(w=start, b=start))
    assert plane.b.start <= start <= plane.b.stop


@pytest.mark.parametrize("lr", [1e-4, 0.01, 0.1, 1.0, 1000.0])
@pytest.mark.parametrize("preset", PRESETS)
def test_the_axis_of_the_loss_has_two_ends(preset, lr):
    frame = descent_data.race_data(PRESETS[preset].points, Settings(lr=lr), race(), "en")["frame"].iloc[0]
    assert 0 < frame["cost0"] < frame["cost1"] < np.inf


def test_the_map_has_the_paths_of_the_core():
    drawn = descent_plane.chart_data(NOISY, USUAL, race("updates", "gd"))
    course = run(NOISY, USUAL.spec("gd", with_bias=True))
    rows = drawn["walk"][drawn["walk"]["racer"] == "gd"].iloc[: len(course) + 1]
    np.testing.assert_array_equal(rows["b"], np.concatenate(([0.0], course.b)))
    shown = drawn["follow"].iloc[1 : len(course) + 1]
    np.testing.assert_array_equal(shown["gb"], course.gradient_b)


def test_the_table_has_every_update():
    course = run(NOISY, USUAL.spec("sgd-shuffled"))
    table = descent_table.updates(course)
    assert len(table) == 120
    assert table["x"].tolist() == [NOISY.x[course.rows(update)[0]] for update in range(120)]
    assert "b" in descent_table.updates(run(NOISY, USUAL.spec("gd", with_bias=True)))


def test_of_very_many_rows_some_are_taken_evenly():
    many = Points(x=tuple(float(i) for i in range(5_000)), y=(0.0,) * 5_000)
    taken = few(many)
    assert len(taken) == MOST_ROWS
    assert (taken.x[0], taken.x[-1]) == (0.0, 4_999.0)
    assert few(NOISY) is NOISY
