"""What the drawing of a net is given to draw."""

import math

import pytest

from app.figures import shapes_data as figure
from app.figures import shapes_words as words
from app.figures.shapes_layout import lay_out
from core.shapes.chain import INPUT
from core.shapes.inspection import inspect
from core.shapes.presets import PRESETS

CNN = PRESETS["cnn"].text()
SHAPE = (64, 1, 28, 28)


def drawn(text=CNN, shape=SHAPE):
    return figure.detective_data(text, shape, "en")


@pytest.mark.parametrize("name", PRESETS)
def test_no_box_lies_on_another_and_no_line_runs_through_a_box(name):
    layout = lay_out(PRESETS[name].source().chain.nodes)
    boxes = list(layout.boxes.items())
    for number, (_, one) in enumerate(boxes):
        for _, other in boxes[number + 1 :]:
            apart = one.strip.right <= other.strip.left + 1e-9 or other.strip.right <= one.strip.left + 1e-9
            assert apart or abs(one.row - other.row) >= figure.BOX
    for line in layout.lines:
        above, below = layout.boxes[line.start].row, layout.boxes[line.end].row
        assert above < below
        for box_id, box in boxes:
            between = above < box.row < below and box_id not in {line.start, line.end}
            assert not between or not box.strip.left < line.column < box.strip.right


@pytest.mark.parametrize("name", PRESETS)
def test_every_tensor_has_its_shape_and_every_operation_its_numbers(name):
    preset = PRESETS[name]
    shape = (64, *preset.input_shape)
    data, report = drawn(preset.text(), shape), inspect(preset.text(), shape).report
    assert len(data["steps"]) == len(report.rows) == len(data["boxes"]) - 1
    assert set(data["shapes"]["long"]) == {str(shape), *(str(row.out_shape) for row in report.rows)}
    assert "error" not in set(data["boxes"]["kind"])
    heads = data["lines"][data["lines"]["head"]]
    assert len(heads) == sum(len(set(row.node.inputs)) for row in report.rows) + 1


def test_the_formula_of_the_first_convolution_is_written_out():
    step = drawn()["steps"].iloc[0]
    assert step["title"] == "conv1: (64, 1, 28, 28) → (64, 10, 24, 24)"
    assert "height, width: ⌊(28 + 2·0 − 1·(5 − 1) − 1)/1⌋ + 1 = 24" in step["lines"]
    assert "parameters: 10·1·5·5 + 10 = 260" in step["lines"]
    assert step["title0"] == "one value sees 5 × 5 pixels"


def test_the_receptive_field_lies_where_the_middle_value_looks():
    data = drawn()
    for index, size in enumerate((5, 6, 6, 14, 16)):
        step = data["steps"].iloc[index]
        assert step["field_r"] - step["field_l"] == pytest.approx(size / 28)
    assert data["steps"].iloc[7]["field_r"] == data["steps"].iloc[7]["input_r"] == 1  # the linear layer sees all of it


def test_a_box_shows_what_its_question_mark_became():
    assert drawn(CNN.replace("320", "?"))["boxes"]["long"].tolist() == drawn()["boxes"]["long"].tolist()


def test_discarded_pixels_are_marked():
    step = drawn("nn.MaxPool2d(2)", (1, 1, 7, 9))["steps"].iloc[0]
    assert step["right_l"] == pytest.approx(8 / 9)
    assert step["bottom_t"] == pytest.approx(6 / 9)
    assert math.isnan(drawn()["steps"].iloc[0]["right_l"])
    row = inspect("nn.MaxPool2d(2)", (1, 1, 7, 9)).report.rows[0]
    assert words.happens(row) == "At the end, pixels that no window reaches are discarded (height 1, width 1)."


def test_a_mistake_is_drawn_and_nothing_is_said_about_what_comes_after():
    text = CNN.replace("nn.Conv2d(10, 20", "nn.Conv2d(11, 20")
    data, report = drawn(text), inspect(text, SHAPE).report
    assert data["boxes"]["kind"].tolist() == ["input", "learned", "plain", "plain", "error", *["unknown"] * 4]
    assert len(data["steps"]) == 4
    assert data["steps"].iloc[3]["lines"].startswith("PyTorch: RuntimeError: Given groups=1, weight of size [20, 11")
    sentence, kind = words.verdict(report)
    assert kind == "bad"
    assert "conv2, line 17, made in line 10," in sentence
    assert "error" in words.alternative(report)


def test_the_alternative_names_every_shape():
    text = words.alternative(inspect(CNN, SHAPE).report)
    assert "(64, 1, 28, 28)" in text
    assert "fc: Linear 320→10 → (64, 10)" in text


@pytest.mark.parametrize(
    ("text", "shape"),
    [
        ("nn.Linear(4, 2)", (8, 4)),
        ("nn.Conv1d(2, 4, 3)", (8, 2, 100)),
        ("nn.Conv3d(1, 4, 3)", (2, 1, 9, 9, 9)),
        ("nn.ConvTranspose2d(1, 4, 3, stride=2)", (2, 1, 5, 5)),
        ("nn.AdaptiveAvgPool2d((2, None))", (2, 1, 5, 7)),
        ("nn.Upsample(scale_factor=2)", (2, 1, 5, 7)),
        ("nn.Conv2d(1, 1, 3, padding=1)", (2, 1, 300, 5)),
        ("nn.Linear(5, 2)", (8, 4)),
        ("nn.Conv2d(3, 1, 3)", (3, 9, 9)),
    ],
)
def test_every_kind_of_net_can_be_drawn(text, shape):
    data = drawn(text, shape)
    numbers = data["steps"].select_dtypes("number")
    for column in numbers.columns[numbers.columns.str.match(r".*_[lrtb]$")]:
        assert all(math.isnan(value) or -1e-9 <= value <= 1 + 1e-9 for value in numbers[column])
    assert data["boxes"]["row"].min() == 0
    assert INPUT not in data["boxes"]["long"].tolist() or data["boxes"]["long"][0] == "input"


@pytest.mark.parametrize(
    ("count", "text"),
    [(0, "0 B"), (999, "999 B"), (3_354_624, "3.35 MB"), (1_027_604_480, "1.03 GB"), (5 * 10**15, "5,000 TB")],
)
def test_bytes_are_written_with_a_unit(count, text):
    assert words.size(count) == text
