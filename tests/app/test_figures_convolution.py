"""What the pictures of the convolution are given to draw."""

import numpy as np
import pytest
import torch
from torch.nn import functional as F

from app.figures import boards, convolution_boards, convolution_words
from app.figures import convolution_data as figure
from core import convolution, pooling, transposed
from core.convolution import Convolution
from core.matrices import INPUTS, KERNELS, Matrix, digit, parse
from core.padding import pad
from core.pooling import Pooling
from core.transposed import TransposedConvolution

LAYERS = [
    ({"padding": (1, 1)}, "course", 0.0),
    ({"stride": (2, 3), "padding": (0, 2)}, "edge", 1.5),
    ({"padding": "same", "mode": "circular"}, "blur", 0.0),
    ({"dilation": (2, 1), "padding": (2, 1), "mode": "reflect"}, "sharpen", -2.0),
]


def expressions(frame, data, at, tap):
    """Return the value that the browser's expressions read for one weight of the window at an output cell."""
    top, left = at // frame["ocols"] * frame["sh"], at % frame["ocols"] * frame["sw"]
    row, col = data["kernel"].loc[tap, "row"], data["kernel"].loc[tap, "col"]
    return data["input"]["value"][int((top + row * frame["dh"]) * frame["cols"] + left + col * frame["dw"])]


@pytest.mark.parametrize(("spec", "kernel", "bias"), LAYERS)
@pytest.mark.parametrize("x", [INPUTS["course"].matrix, digit(3)], ids=["course", "digit"])
def test_the_window_s_products_add_up_to_the_drawn_output(spec, kernel, bias, x):
    kernel = KERNELS[kernel].matrix
    layer = Convolution(kernel=kernel.size, **spec)
    data = figure.sliding_data(layer, x, kernel, bias, "en")
    frame = {name: int(value) for name, value in data["frame"].iloc[0].items() if name not in {"bias", "largest"}}
    out = data["output"]["value"].to_numpy()
    padded = torch.from_numpy(pad(x.array[None], layer.margins, layer.mode))[None]
    weight, offset = torch.from_numpy(kernel.array)[None, None], torch.tensor([bias], dtype=torch.float64)
    theirs = F.conv2d(padded, weight, offset, stride=layer.stride, dilation=layer.dilation).numpy()
    np.testing.assert_allclose(out, theirs.ravel(), rtol=1e-12, atol=1e-12)
    for at in range(0, len(out), 7):
        taps = range(len(data["kernel"]))
        total = bias + sum(data["kernel"]["weight"][tap] * expressions(frame, data, at, tap) for tap in taps)
        assert total == pytest.approx(out[at], rel=1e-12, abs=1e-12)
    drawn = data["input"][data["input"]["pad"] == 0]
    np.testing.assert_array_equal((drawn["uses"] > 0).to_numpy(), convolution.reached(layer, x.size).ravel())
    assert len(data["right"]) == len(data["kernel"]) + len(out)


def test_a_weight_knows_how_much_padding_it_meets():
    layer = Convolution(padding=(1, 1))
    data = figure.sliding_data(layer, INPUTS["course"].matrix, KERNELS["course"].matrix, 0.0, "en")
    assert data["kernel"]["padding"].tolist() == [9, 5, 9, 5, 0, 5, 9, 5, 9]


def test_long_sums_are_shortened():
    def written(kernel, x=INPUTS["course"].matrix, bias=0.0):
        return convolution_words.written_sum(x, parse(kernel), bias=bias)

    assert written("1 2 3;" * 3, bias=1.0).count("·") == 9
    assert "⋯" not in written("1 2 3;" * 3)
    assert written("1 2 3 4 5;" * 5).count("·") == 4
    assert "min-height:1.7em" in written("1 2 3;" * 3)
    assert "min-height:3.4em" in written("0.125 -0.125 0.0625;" * 3, x=digit(0))


def test_what_is_lost_is_said():
    sentence, kind = convolution_words.verdict(Convolution(kernel=(2, 2), stride=(2, 2)), (5, 5))
    assert kind == "warning"
    assert "9 of 25" in sentence
    assert convolution_words.verdict(Convolution(padding="same"), (5, 5))[1] == "good"
    assert "2·(3 − 1)/2 = 2" in convolution_words.keeps_the_size(Convolution(dilation=(2, 2)))
    assert "even" in convolution_words.keeps_the_size(Convolution(kernel=(2, 3)))


@pytest.mark.parametrize("groups", [1, 3])
def test_the_channels_add_up(groups):
    layer = Convolution(in_channels=3, out_channels=3, groups=groups)
    drawn = convolution_boards.channels_data(layer, "en")
    x, weight = convolution_boards.example(layer)
    theirs = F.conv2d(torch.from_numpy(x)[None], torch.from_numpy(weight), groups=groups)[0].numpy()
    assert len(drawn.captions) == 3
    for kernel, caption in enumerate(drawn.captions):
        assert caption.endswith(f"= {figure.number(float(theirs[kernel, 0, 0]))}.")
        parts = drawn.data["cells"].query("view == 'right' and step == @kernel")
        assert len(parts) == theirs[kernel].size * (3 // groups + 1)
    assert len(convolution_boards.weights_data(layer, "en").data["cells"]) == weight.size + theirs.size


@pytest.mark.parametrize("kind", ["max", "avg"])
def test_a_pooled_caption_ends_with_torch_s_number(kind):
    layer = Pooling(kind=kind, kernel=(3, 3), stride=(2, 2), padding=(1, 1), ceil_mode=True)
    x = INPUTS["pooling"].matrix
    captions = convolution_boards.pooling_data(layer, x, "en").captions
    call = F.max_pool2d if kind == "max" else F.avg_pool2d
    theirs = call(torch.from_numpy(x.array)[None], 3, 2, 1, ceil_mode=True).numpy().ravel()
    assert [caption.rpartition("= ")[2] for caption in captions] == [figure.number(value) for value in theirs.tolist()]
    assert len(captions) == len(pooling.forward(layer, x.array[None]).ravel())


def test_the_last_stamp_leaves_the_whole_output():
    layer = TransposedConvolution(stride=(2, 2))
    x, kernel = parse("1 2; 3 4"), KERNELS["course"].matrix
    drawn = convolution_boards.stamps_data(layer, x, kernel, "en")
    assert len(drawn.captions) == 4
    last = drawn.data["cells"].query("view == 'right' and step == 3")
    wanted = transposed.forward(layer, x.array[None], kernel.array[None, None]).ravel().tolist()
    assert last["number"].tolist() == [figure.number(value) for value in wanted]


def test_long_lists_are_shortened():
    assert convolution_words.listed([3, -4, 0.5], " + ") == "3 − 4 + 0.5"
    assert convolution_words.listed(list(range(10)), ", ") == "0, 1, 2, …, 9"


def test_numbers_are_short():
    assert [figure.number(value) for value in (-3.0, 0.12345, 12345.0, -1e-9, 1e9)] == [
        "−3",
        "0.123",
        "12345",
        "−10⁻⁹",
        "10⁹",
    ]


def test_a_board_grows_with_what_is_drawn():
    board = boards.Board()
    board.matrix("left", Matrix(rows=((1.0, float(-2)),)).array, "data", row=2, col=3, name="x")
    board.matrix("right", Matrix(rows=((3.0,),)).array, "prediction")
    frame = board.data()["frame"].iloc[0]
    assert frame["rows"] >= 3
    assert frame["cols"] >= 5 + boards.BETWEEN + 1
    assert board.data()["cells"]["col"].max() >= 5 + boards.BETWEEN
    assert board.drawn([]).height < boards.HEIGHT
    assert board.drawn([], most=50).height == 50
    assert board.data()["cells"]["quantity"].tolist() == ["data", "residual", "prediction"]
    assert board.data()["marks"].empty
