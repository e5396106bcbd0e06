import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal

from core import digits
from core.datasets import MEAN, STD, mnist
from core.digits import BOX, FIELD, MAX_POINTS, MAX_STROKES, PEN, SIDE, Drawing, centre, read_drawing
from core.errors import InputError
from core.predict import predict
from tests.core.replay import drawn_again, small_net

COUNT = 50  # images that are drawn again
places = st.tuples(st.integers(0, SIDE), st.integers(0, SIDE))
drawings = st.builds(
    Drawing, strokes=st.lists(st.lists(places, min_size=1, max_size=6).map(tuple), min_size=1, max_size=4).map(tuple)
)


def line(*points):
    return digits.pixels(Drawing(strokes=(points,)))


@settings(max_examples=60, deadline=None)
@given(drawings)
def test_every_drawing_becomes_a_digit_as_mnist_describes_it(drawing):
    picture = digits.pixels(drawing)
    try:
        small = centre(picture)
    except InputError:
        rows, columns = picture.any(1).sum(), picture.any(0).sum()
        assert max(rows, columns) < 2 * PEN
        return
    assert max(small.scaled.shape) == BOX
    top, left, bottom, right = small.box
    assert picture[top:bottom, left:right].sum() == picture.sum()
    assert all(edge.any() for edge in (small.cropped[0], small.cropped[-1], small.cropped[:, 0], small.cropped[:, -1]))
    assert small.field.shape == (FIELD, FIELD)
    assert small.field.min() >= 0
    assert small.field.max() <= 1
    whole = small.field.sum() == pytest.approx(small.scaled.sum())
    if whole:
        rows, columns = np.mgrid[:FIELD, :FIELD]
        for axis in (rows, columns):
            assert abs((small.field * axis).sum() / small.field.sum() - digits.MIDDLE) <= 0.5 + 1e-9
    assert_allclose(small.normalised * STD + MEAN, small.field, atol=1e-6)


@pytest.mark.parametrize("index", range(0, 10_000, 397))
def test_mnist_itself_comes_through_unchanged(index):
    """What was scaled and centred before stays where it is: ours are MNIST's own rules."""
    small = centre(digits.pixels(Drawing(example=index)))
    assert_allclose(255 * small.field, mnist().test_images[index], atol=1e-3)


def test_shrinking_keeps_the_share_of_ink_in_each_area():
    ink = np.random.default_rng(0).random((60, 42))
    assert_allclose(digits.shrink(ink), ink.reshape(20, 3, 14, 3).mean((1, 3)), atol=1e-6)


def test_the_centre_of_mass_is_the_weighted_mean():
    ink = np.random.default_rng(1).random((20, 9))
    rows, columns = np.mgrid[:20, :9]
    expected = np.average(rows, weights=ink), np.average(columns, weights=ink)
    assert digits.centre_of_mass(ink) == pytest.approx(expected)


def test_where_a_digit_stands_does_not_matter():
    here, there = (centre(line((x, 60), (x, 200), (x + 40, 200))) for x in (40, 180))
    assert_array_equal(here.field, there.field)
    assert here.box != there.box


def test_a_line_is_as_wide_as_the_pen_with_soft_edges():
    picture = line((60, 140), (220, 140))
    assert (picture[:, 140] / 255).sum() == pytest.approx(PEN, abs=1)
    assert picture[0].sum() == 0
    assert np.count_nonzero((picture > 0) & (picture < 255)) > 0


def test_a_heavy_side_may_push_the_digit_over_the_edge():
    heavy = np.zeros((20, 20))
    heavy[:, :2] = 1
    heavy[0, :] = 0.01
    field = digits.place(heavy, (4, 14 - round(digits.centre_of_mass(heavy)[1]) + 6))
    assert field.shape == (FIELD, FIELD)
    assert field.sum() < heavy.sum()


@pytest.mark.parametrize("drawing", [Drawing(), Drawing(strokes=(((140, 140),),))], ids=["blank", "dot"])
def test_a_blank_pad_and_a_dot_get_a_sentence(drawing):
    with pytest.raises(InputError, match=r"Nothing is drawn yet|no more than a dot"):
        centre(digits.pixels(drawing))


def test_a_message_of_the_pad_is_read():
    sent = {"strokes": [[10, 20, 30, 40], [0, 280]], "example": 7, "serial": 3}
    assert read_drawing(sent) == Drawing(strokes=(((10, 20), (30, 40)), ((0, 280),)), example=7)
    assert read_drawing({"strokes": [], "example": None}) == Drawing()


@pytest.mark.parametrize(
    "sent",
    [
        None,
        "strokes",
        {"strokes": 3},
        {"strokes": [3]},
        {"strokes": [[1]]},
        {"strokes": [[]]},
        {"strokes": [[1, "2"]]},
        {"strokes": [[1, float("nan")]]},
        {"strokes": [[1, True]]},
        {"strokes": [[-1, 5]]},
        {"strokes": [[1e9, 5]]},
        {"strokes": [[1, 2]] * (MAX_STROKES + 1)},
        {"strokes": [[1, 2] * (MAX_POINTS + 1)]},
        {"strokes": [], "example": 10_000},
        {"strokes": [], "example": "7"},
    ],
)
def test_anything_else_is_refused_with_a_sentence(sent):
    with pytest.raises(InputError) as refused:
        read_drawing(sent)
    assert str(refused.value).endswith(".")


def test_the_examples_are_the_ten_digits():
    assert [int(mnist().test_labels[index]) for index in digits.examples()] == list(range(10))


@pytest.mark.parametrize("way", ["pixels", "strokes"])
def test_digits_drawn_again_are_recognised_as_the_test_images_are(way):
    indices = range(0, 10_000, 10_000 // COUNT)
    if way == "pixels":
        again = [Drawing(example=index) for index in indices]
    else:
        again = [drawn_again(mnist().test_images[index]) for index in indices]
        assert all(drawing.strokes and drawing.example is None for drawing in again)
    net = small_net()
    seen = [predict([net], centre(digits.pixels(drawing)).field)[0].digit for drawing in again]
    assert abs(np.mean(np.array(seen) == mnist().test_labels[list(indices)]) - net.accuracy) <= 0.04


def test_the_usual_share_of_ink_leaves_out_the_rarest_of_both_ends_and_a_black_pad_is_outside():
    low, high = digits.usual_ink()
    shares = np.array([digits.ink_share(image / 255) for image in mnist().train_images])
    assert (shares < low).mean() == pytest.approx(digits.RARE, abs=1e-4)
    assert (shares > high).mean() == pytest.approx(digits.RARE, abs=1e-4)
    black = centre(np.full((SIDE, SIDE), 255, np.uint8))
    assert digits.ink_share(black.field) > high
