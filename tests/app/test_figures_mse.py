"""What the pictures of the linear model are given to draw."""

import doctest

import numpy as np
import pytest

from app.figures import line, plane, reductions, sweep, written
from core import mse, windows
from core.losses import LOSSES
from core.mse import Sweep
from core.points import PRESETS, Points

MANY = Points(x=tuple(float(i) for i in range(10_000)), y=tuple(float(i % 7) for i in range(10_000)))


def test_a_sentence_becomes_an_expression():
    assert doctest.testmod(written).failed == 0
    assert written.quoted("it's \\") == r"'it\'s \\'"


@pytest.mark.parametrize(
    ("count", "detail"), [(1, 3), (4, 3), (5, 2), (60, 2), (61, 1), (1000, 1), (1001, 0), (10_000, 0)]
)
def test_more_points_are_drawn_in_less_detail(count, detail):
    rows = line.rows(Points(x=MANY.x[:count], y=MANY.y[:count]))
    assert set(rows["detail"]) == {detail}
    assert len(rows) == min(count, line.MOST_DOTS)
    assert rows["x"].iloc[: min(2, count)].tolist() == [0.0, 1.0][:count]
    assert rows["x"].iloc[-1] == count - 1


@pytest.mark.parametrize("preset", PRESETS)
def test_the_drawn_curve_is_the_core_s(preset):
    points = PRESETS[preset].points
    window = windows.over_w(points)
    drawn = line.landscape_data(points, window)
    mean = drawn["mean"]
    np.testing.assert_array_equal(mean["loss"], mse.sweep(points, mean["w"].to_numpy()))
    frame = drawn["frame"].iloc[0]
    parabola = frame["least"] + frame["steepness"] * (mean["w"] - frame["best"]) ** 2  # what the browser computes
    np.testing.assert_allclose(parabola, mean["loss"], rtol=1e-12, atol=1e-12)
    assert drawn["own"]["sample"].nunique() == len(points)


@pytest.mark.parametrize("preset", PRESETS)
def test_the_squares_have_room(preset):
    points = PRESETS[preset].points
    window = windows.over_w(points)
    frame = line.landscape_data(points, window)["frame"].iloc[0]
    for w in (window.start, mse.minimum(points).w, window.stop):
        predicted = mse.forward(points.arrays[0], w)
        assert frame["y0"] <= predicted.min()
        assert predicted.max() <= frame["y1"]
    assert frame["x0"] <= min(points.x)
    assert max(points.x) < frame["x1"]


def test_both_pictures_of_the_plane_come_from_the_same_numbers():
    points = PRESETS["noisy"].points
    window = windows.over_plane(points)
    heights = plane.surface(points, window)
    drawn = plane.plane_data(points, window)
    np.testing.assert_array_equal(drawn["cells"]["loss"], heights.ravel())
    solid = plane.surface_in_3d(points, window, "light", "en")
    np.testing.assert_array_equal(solid.data[0].z, heights)
    np.testing.assert_array_equal(solid.data[0].x, plane.grid(window)[0])
    middles = (drawn["cells"]["left"] + drawn["cells"]["right"]) / 2
    np.testing.assert_allclose(np.unique(middles.round(9)), plane.grid(window)[0], atol=1e-9)


def test_a_sweep_s_table_ends_with_its_mse():
    points, tried = PRESETS["outlier"].points, Sweep()
    table = sweep.table(points, tried)
    losses = table[[f"loss {sample}" for sample in range(1, 7)]]
    np.testing.assert_allclose(losses.sum(axis=1) / 6, table["MSE"], rtol=1e-12)
    assert list(sweep.table(MANY, tried).columns) == ["w", "MSE"]


def test_each_loss_is_drawn_as_a_part_of_its_highest_value():
    points = PRESETS["outlier"].points
    drawn = reductions.three_losses_data(points, windows.over_w(points), 1.0)
    assert (drawn["curves"].groupby("loss")["part"].max() == 1).all()
    for row in drawn["lowest"].itertuples():
        assert row.w == mse.lowest(points, loss=row.loss)
    assert set(drawn["lowest"]["loss"]) == set(LOSSES)
