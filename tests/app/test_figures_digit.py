"""What the pictures of a drawn digit are given to draw, and what is said beside them."""

import base64
import io
import re
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

from app.charts import compiled
from app.figures import digit, digit_rows, digit_words
from core.digits import FIELD, STEPS, Drawing, centre, pixels
from core.errors import InputError
from core.predict import Net, Prediction
from core.run import RunSpec
from core.saliency import Saliency

SEVEN = Drawing(strokes=(((80, 60), (200, 60), (120, 240)),))
SURE = Prediction(probabilities=(0.0, 0.0, 0.0, 0.01, 0.0, 0.0, 0.0, 0.99, 0.0, 0.0))
TORN = Prediction(probabilities=(0.0, 0.55, 0.0, 0.0, 0.0, 0.0, 0.0, 0.45, 0.0, 0.0))
LOST = Prediction(probabilities=(float("nan"),) * 10)
GONE = InputError("The weights are gone.")


def net(model):
    return Net(key=model, epoch=1, spec=RunSpec(model=model), accuracy=0.98, origin="here", weights=bytes)


NETS = (net("mlp"), net("cnn"), net("resnet"))
NAMES = ("MLP", "CNN", "ResNet")


@pytest.mark.parametrize("builder", [digit.bars, digit.steps, digit.saliency])
def test_the_charts_can_be_built(builder):
    assert compiled(builder)["layer"]


def test_each_network_has_ten_bars_of_its_colour():
    data = digit_rows.bar_rows(NETS, NAMES, [SURE, TORN, LOST], "en")
    bars = data["bars"]
    assert bars.groupby("net")["probability"].apply(tuple).tolist()[:2] == [SURE.probabilities, TORN.probabilities]
    assert bars["probability"].iloc[20:].tolist() == [0.0] * 10
    assert bars.loc[bars["seen"], ["net", "digit"]].to_numpy().tolist() == [[0, 7], [1, 1]]
    assert bars["colour"].unique().tolist() == ["mlp", "cnn", "resnet"]
    assert bars["verdict"].iloc[::10].tolist() == ["7 (99 %)", "1 (55 %)", "not finite"]
    assert data["nets"]["title"].tolist()[0] == "MLP · epoch 1: 98.00 %"
    assert data["frame"]["nets"].tolist() == [3]


def test_unlike_numbers_of_training_images_are_said():
    few = replace(NETS[1], spec=replace(NETS[1].spec, train_images=1_000))
    titles = digit_words.titles(NAMES, (NETS[0], few, NETS[2]))
    assert titles == ["MLP · 60,000 images: 98.00 %", "CNN · 1,000 images: 98.00 %", "ResNet · 60,000 images: 98.00 %"]
    named = digit_words.titles(("CNN, 1,000 images", "CNN, 60,000 images"), (few, NETS[1]))
    assert named == ["CNN, 1,000 images · epoch 1: 98.00 %", "CNN, 60,000 images · epoch 1: 98.00 %"]


def test_nothing_drawn_and_weights_that_are_gone_are_empty_rows():
    data = digit_rows.bar_rows(NETS, NAMES, [None, GONE, None], "en")
    assert len(data["bars"]) == 30
    assert data["bars"]["probability"].sum() == 0
    assert not data["bars"]["seen"].any()
    assert not data["bars"]["verdict"].any()


def test_the_images_are_those_of_the_steps_dark_on_light():
    small = centre(pixels(SEVEN))
    data = digit_rows.step_rows(SEVEN, "en")
    assert data["images"]["name"].tolist() == list(STEPS.values())
    shown = [decoded(url) for url in data["images"]["url"]]
    for ink, image in zip((small.drawn, small.cropped, small.scaled, small.field, small.field), shown, strict=True):
        assert image.shape[:2] == (max(ink.shape),) * 2
        part = image[: ink.shape[0], : ink.shape[1]]
        np.testing.assert_allclose(part[..., 0], 255 * (1 - ink), atol=0.51)
        assert (part[..., 1] == 255).all()
        assert image[..., 1].sum() == 255 * ink.size


def decoded(url):
    return np.asarray(Image.open(io.BytesIO(base64.b64decode(url.partition(",")[2]))))


def test_the_marks_show_what_is_cut_out_and_that_the_centre_of_mass_comes_to_the_middle():
    marks = digit_rows.step_rows(SEVEN, "en")["marks"]
    (cut,) = marks[marks["step"] == 1].itertuples()
    top, left, bottom, right = centre(pixels(SEVEN)).box
    assert (cut.left * 280, cut.top * 280) == pytest.approx((left, top))
    assert (cut.wide * 280, cut.high * 280) == pytest.approx((right - left, bottom - top))
    moved = marks[(marks["step"] == 3) & (marks["place"] == 3)].iloc[0]
    assert FIELD * (moved.top + moved.high / 2) - 0.5 == pytest.approx(14, abs=0.51)
    assert FIELD * (moved.left + moved.wide / 2) - 0.5 == pytest.approx(14, abs=0.51)


def test_the_map_has_a_row_for_each_pixel():
    small = centre(pixels(SEVEN))
    slope = np.linspace(-2, 1, FIELD * FIELD, dtype=np.float32).reshape(FIELD, FIELD)
    cells = digit_rows.saliency_rows(small, Saliency(digit=7, gradient=slope))["cells"]
    assert cells["gradient"].to_numpy().reshape(FIELD, FIELD) == pytest.approx(slope)
    assert cells["ink"].to_numpy().reshape(FIELD, FIELD) == pytest.approx(small.field)
    assert ((cells["sign"] == "-") == (cells["gradient"] < 0)).all()
    assert cells["shade"].max() == 1
    one = cells[(cells["row"] == 3) & (cells["col"] == 5)]
    assert one["gradient"].item() == pytest.approx(slope[3, 5])


def test_a_flat_gradient_is_drawn_as_nothing():
    flat = Saliency(digit=7, gradient=np.zeros((FIELD, FIELD), np.float32))
    assert digit_rows.saliency_rows(centre(pixels(SEVEN)), flat)["cells"]["shade"].max() == 0


@pytest.mark.parametrize(
    ("answers", "said", "kind"),
    [
        ([SURE, SURE, SURE], "All 3 networks see a 7.", "good"),
        ([SURE, TORN, SURE], "The networks disagree. 1: CNN; 7: MLP, ResNet.", "warning"),
        ([SURE, GONE, LOST], "MLP sees a 7, with probability 99 %.", "neutral"),
        ([LOST, LOST, GONE], "No network has an answer", "bad"),
        ([None, None, None], "no more than a dot", "warning"),
    ],
)
def test_the_sentence_says_what_the_networks_see(answers, said, kind):
    sentence, shown = digit_words.status(NAMES, answers, SEVEN, centre(pixels(SEVEN)))
    assert said in sentence
    assert shown == kind


def test_the_sentence_says_what_is_missing():
    assert "Draw a digit" in digit_words.status(NAMES, [None] * 3, Drawing(), None)[0]
    assert "No trained network" in digit_words.status([], [], SEVEN, None)[0]


def test_many_that_agree_are_the_others_and_an_eight_has_its_article():
    eight = Prediction(probabilities=(0.0,) * 8 + (1.0, 0.0))
    names = ["A", "B", "C", "D", "E"]
    sentence, _kind = digit_words.status(names, [eight, SURE, eight, eight, SURE], SEVEN, None)
    assert sentence == "The networks disagree. 7: B, E; 8: the other 3."
    assert digit_words.status(names[:2], [eight, eight], SEVEN, None)[0] == "All 2 networks see an 8."


def test_what_has_far_more_or_less_ink_than_a_digit_is_told_before_what_is_seen():
    lines = Drawing(strokes=tuple(((20, y), (260, y)) for y in range(20, 270, 20)))
    sentence, kind = digit_words.status(NAMES, [SURE] * 3, lines, centre(pixels(lines)))
    assert sentence.startswith("This is hardly a digit: ")
    assert sentence.endswith("All 3 networks see a 7.")
    assert kind == "warning"
    assert digit_words.unlike(centre(pixels(SEVEN))) == ""


@pytest.mark.parametrize("share", [0.0361, 0.036, 0.03, 0.2912, 0.294, 0.5])
def test_the_ink_of_what_is_hardly_a_digit_is_outside_as_printed(share, monkeypatch):
    monkeypatch.setattr(digit_words, "ink_share", lambda _field: share)
    sentence = digit_words.unlike(centre(pixels(SEVEN)))
    printed, low, high = map(float, re.findall(r"([\d.]+) (?:%|% to)", sentence.replace("99.8 %", "")))
    assert not low <= printed <= high


def test_a_probability_that_is_not_one_is_not_written_as_one():
    assert digit_words.percent(0.9999) == "> 99 %"
    assert digit_words.percent(0.994) == "99 %"


def test_the_bars_are_described():
    described = digit_words.bars_alternative(NAMES, [SURE, TORN, LOST])
    assert "MLP: 7 with probability 99 %, next 3 with 1 %." in described
    assert "CNN: 1 with probability 55 %, next 7 with 45 %." in described
    assert "ResNet: not finite." in described
    assert digit_words.bars_alternative(NAMES, [None] * 3)


def test_each_step_is_explained_with_its_numbers():
    small = centre(pixels(SEVEN))
    captions = digit_words.captions(small)
    assert len(captions) == len(STEPS)
    top, left, bottom, right = small.box
    assert f"rows {top} to {bottom - 1}, columns {left} to {right - 1}" in captions[1]
    assert f"{bottom - top} × {right - left} become 20 × {small.scaled.shape[1]}" in captions[2]
    assert "−0.42" in captions[4]
    assert digit_words.sizes(small)[0] == "280 × 280"


def test_a_small_drawing_gets_a_hint_and_a_large_one_none():
    assert digit_words.hint(SEVEN, centre(pixels(SEVEN))) == ""
    little = Drawing(strokes=(((100, 100), (150, 100), (120, 160)),))
    assert "Draw the digit larger" in digit_words.hint(little, centre(pixels(little)))
    assert digit_words.hint(replace(little, example=7), centre(pixels(little))) == ""


def test_the_strongest_slope_is_named():
    slope = np.zeros((FIELD, FIELD), np.float32)
    slope[3, 5], slope[9, 9] = -2.0, 1.0
    found = Saliency(digit=7, gradient=slope)
    assert "row 3, column 5: −2.00" in digit_words.saliency_alternative("CNN", found)
    faint = digit_words.saliency_in_words("CNN", Saliency(digit=7, gradient=slope / 1e5))
    assert "0.00" not in faint
    assert "10⁻⁵" in faint
    assert "strongest slope is −2.00: a tenth of ink there changes the score by −0.20" in (
        digit_words.saliency_in_words("CNN", found)
    )
