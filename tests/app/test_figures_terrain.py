"""Walks from a grid of starts, the chord, and the fit with a saddle: what their pictures are given to draw."""

import numpy as np
import pytest

from app.figures import bumps, chord, solid, terrain
from app.figures.terrain_words import SORTS, share_of_starts
from core.bumps import COUNT, BumpFit, descend, loss
from core.chord import chord as exact_chord
from core.errors import InputError
from core.terrain import TERRAINS
from core.walk import VERDICTS, judge, walk

CURVES = [name for name, ground in TERRAINS.items() if len(ground.names) == 1]
SURFACES = [name for name, ground in TERRAINS.items() if len(ground.names) == 2]


@pytest.mark.parametrize("name", CURVES)
def test_every_walk_down_a_curve_is_the_core_s(name):
    lr = TERRAINS[name].lr
    drawn = terrain.curve_data(name, lr, "en")
    frame, rows = drawn["frame"].iloc[0], terrain.STEPS + 1
    assert len(drawn["walks"]) == terrain.STARTS * rows
    for place in (0, 17, terrain.STARTS - 1):
        start = drawn["starts"]["x"][place]
        assert round((start - frame["x0"]) / frame["dx"]) == place  # how the picture finds it
        walked = walk(name, (start,), lr, terrain.STEPS)
        own = drawn["walks"].iloc[place * rows : (place + 1) * rows]
        count = len(walked.value)
        np.testing.assert_array_equal(own["x"][:count], walked.at[:, 0])
        np.testing.assert_array_equal(own["value"][:count], walked.value)
        assert (own["x"][count:] == walked.at[-1, 0]).all()
        assert drawn["starts"]["kind"][place] == judge(name, walked).kind


@pytest.mark.parametrize("name", SURFACES)
def test_every_walk_down_a_surface_is_the_core_s(name):
    lr = TERRAINS[name].lr
    drawn = terrain.surface_data(name, lr, "en")
    frame, rows = drawn["frame"].iloc[0], terrain.SHORT + 1
    for across, up in ((0, 0), (8, 8), (16, 3)):
        start = frame["u0"] + across * frame["du"], frame["v0"] + up * frame["dv"]
        walked = walk(name, start, lr, terrain.SHORT)
        place = terrain.GRID * up + across
        own = drawn["walks"].iloc[place * rows : place * rows + len(walked.value)]
        np.testing.assert_allclose(own[["u", "v"]], walked.at, rtol=0, atol=1e-12)
    assert np.isfinite(drawn["walks"].to_numpy()).all()
    band = drawn["cells"]["band"].to_numpy()
    values = TERRAINS[name].values.ravel()
    assert (band <= values + 1e-9).all()
    assert (values - band <= np.ptp(values) / terrain.BANDS + 1e-9).all()


def test_a_start_on_the_ridge_stays_at_the_saddle():
    said = terrain.surface_data("saddle", 0.1, "en")["starts"]
    ridge = said.iloc[terrain.GRID * (terrain.GRID // 2) : terrain.GRID * (terrain.GRID // 2 + 1)]
    assert set(ridge["kind"]) == {"saddle"}
    assert set(said.drop(ridge.index)["kind"]) == {"bottomless"}


def test_a_learning_rate_out_of_range_is_refused():
    with pytest.raises(InputError):
        terrain.curve_data("parabola", 0.0, "en")


@pytest.mark.parametrize("name", CURVES)
def test_the_usual_start_is_on_the_grid(name):
    ((low, high),) = TERRAINS[name].window
    start = terrain.nearest(TERRAINS[name].start[0], low, high, terrain.STARTS)
    spacing = terrain.spacing(low, high, terrain.STARTS)
    assert abs(start - TERRAINS[name].start[0]) <= spacing / 2 + 1e-9
    assert (start - low) / spacing == pytest.approx(round((start - low) / spacing))


@pytest.mark.parametrize("name", CURVES)
def test_the_curve_under_a_chord_is_the_core_s(name):
    drawn = chord.chord_data(name)["curve"]
    np.testing.assert_array_equal(drawn["value"], TERRAINS[name].value(drawn["x"].to_numpy()))
    a, b = drawn["x"][20], drawn["x"][200]
    between = drawn.iloc[20:201]
    share = (between["x"] - a) / (b - a)
    rise = between["value"] - (drawn["value"][20] + share * (drawn["value"][200] - drawn["value"][20]))
    assert max(0.0, rise.max()) == pytest.approx(exact_chord(name, (a,), (b,), count=181).rise, abs=1e-9)


@pytest.mark.parametrize("name", SURFACES)
def test_the_solid_holds_the_same_numbers_and_two_walks(name):
    figure = solid.terrain_in_3d(name, TERRAINS[name].lr, "dark", "en")
    np.testing.assert_array_equal(figure.data[0].z, TERRAINS[name].values)
    assert len(figure.data) == 3
    (u0, u1), (v0, v1) = TERRAINS[name].window
    for path in figure.data[1:]:
        assert u0 <= min(path.x)
        assert max(path.x) <= u1
        assert v0 <= min(path.y)
        assert max(path.y) <= v1


def test_the_fit_s_timeline_shows_both_paths_at_the_same_epochs():
    spec = BumpFit()
    drawn = bumps.chart_data(spec, "en")["paths"]
    full, batches = (rows.reset_index(drop=True) for _title, rows in drawn.groupby("title", sort=False))
    assert full["epoch"].tolist() == batches["epoch"].tolist()
    assert (full["c"] == 0).all()
    path = descend(spec)
    assert batches["c"].iloc[-1] == path.c[-1]
    np.testing.assert_allclose(drawn["loss"], loss(drawn["c"].to_numpy(), drawn["a"].to_numpy()), rtol=1e-12)
    assert len(bumps.captions(spec)) == len(full)


@pytest.mark.parametrize(("batch_size", "kind"), [(4, "good"), (COUNT, "neutral")])
def test_the_verdict_says_who_left_the_saddle(batch_size, kind):
    sentence, found = bumps.verdict(BumpFit(batch_size=batch_size))
    assert found == kind
    assert "stays at the saddle" in sentence


def test_a_fit_that_is_too_short_has_not_left():
    sentence, kind = bumps.verdict(BumpFit(epochs=2, lr=0.01))
    assert kind == "warning"
    assert "have not left" in sentence


@pytest.mark.parametrize(
    ("lr", "wanted"),
    [(0.02, "32 end in the lowest minimum; 29 are held"), (0.15, "58 jump to and fro; 3 leave"), (0.3, "From all 61")],
)
def test_what_becomes_of_the_starts_names_who_left_and_who_jumps(lr, wanted):
    kinds = terrain.curve_data("two-valleys", lr, "en")["starts"]["kind"].tolist()
    assert wanted in share_of_starts(kinds)[0]


def test_one_start_is_named_in_the_singular_and_every_verdict_has_its_part():
    assert "1 ends in the lowest minimum; 2 are still on their way" in share_of_starts(["minimum", *["moving"] * 2])[0]
    assert sorted(kind for sort in SORTS.values() for kind in sort) == sorted(VERDICTS)
    for kind in VERDICTS:
        assert share_of_starts([kind] * 5)[1] == ("good" if kind in terrain.GOOD else "warning")


def test_a_function_without_a_lowest_value_is_not_measured_by_it():
    said = terrain.curve_data("cubic", 0.1, "en")["starts"]
    assert not said["sentence"].str.contains("far above the lowest").any()
    assert set(said.loc[said["kind"] == "bottomless", "end"]) == {"all the way down from here"}
