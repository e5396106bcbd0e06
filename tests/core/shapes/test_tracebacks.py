"""Every message is one that the installed PyTorch really raises; its explanation names the right numbers and place."""

import re
import time
import traceback
import warnings

import pytest
import torch
import torch.nn.functional as F
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn, zeros

from core.errors import InputError
from core.shapes.chain import run
from core.shapes.source import read
from core.shapes.tracebacks import SYMPTOMS, diagnose, explain, sentence
from tests.core.shapes.test_source import LISTINGS, in_net
from tests.core.shapes.traced import net_of


def said(action):
    """Return the traceback that an action ends in."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            action()
    except Exception:
        return traceback.format_exc()
    raise AssertionError("torch said nothing")


def unpack():
    _b, _c, _h, _w = zeros(2, 3).shape


def load():
    nn.Sequential(nn.Linear(4, 3)).load_state_dict(nn.Sequential(nn.Linear(4, 10)).state_dict())


def before_1_8():
    raise RuntimeError("size mismatch, m1: [64 x 320], m2: [1280 x 10] at ../aten/src/TH/generic/THTensorMath.cpp:41")


RAISED = {  # what to do; words of the explanation
    "matrices": (lambda: nn.Linear(1280, 10)(zeros(64, 320)), "takes 1280 features, but 320 arrive", "Linear(320, 10)"),
    "channels": (
        lambda: nn.Conv2d(10, 20, 5)(zeros(64, 88, 12, 12)),
        "takes 10 channels, but the input [64, 88, 12, 12] has 88",
        "Conv2d(88, 20, …)",
    ),
    "kernel": (lambda: nn.Conv2d(1, 2, 5)(zeros(1, 1, 4, 3)), "5 × 5 pixels does not fit into 4 × 3 pixels"),
    "pooled_away": (lambda: nn.MaxPool2d(2)(zeros(1, 7, 1, 1)), "7×1×1 (channels and pixels) into 7×0×0"),
    "pool_padding": (lambda: F.max_pool2d(zeros(1, 1, 5, 5), 2, padding=2), "padding of 2, a window of 2 pixels"),
    "rank_of_convolution": (lambda: nn.Conv2d(1, 2, 5)(zeros(64, 784)), "takes (N, C, H, W)", "x.view(-1, 1, 28, 28)"),
    "rank_of_normalisation": (lambda: nn.BatchNorm2d(4)(zeros(2, 4)), "one of 2D arrives", "BatchNorm1d"),
    "features_of_normalisation": (
        lambda: nn.BatchNorm2d(10)(zeros(2, 12, 3, 3)),
        "built for 10 channels, but 12 arrive",
    ),
    "single_value": (lambda: nn.BatchNorm1d(10)(zeros(1, 10)), "[1, 10] has one value per channel", "drop_last=True"),
    "view": (
        lambda: zeros(64, 20, 4, 4).view(64, 300),
        "20480 values, but [64, 300] would need 64·300 = 19200",
        "(64, 320)",
    ),
    "scattered": (lambda: zeros(2, 3, 4, 4).permute(0, 2, 3, 1).view(2, -1), "x.reshape"),
    "joined": (
        lambda: torch.cat([zeros(1, 2, 3, 3), zeros(1, 2, 3, 4)], 1),
        "tensor number 2 of the list has 4",
        "the first has 3 (PyTorch counts from 0 and calls it number 1)",
    ),
    "joined_ranks": (lambda: torch.cat([zeros(1, 2, 3, 3), zeros(1, 2)], 1), "of 4 and of 2 dimensions"),
    "summed": (
        lambda: zeros(1, 16, 5, 5) + zeros(1, 4, 5, 5),
        "in dimension 1 one has 16 and the other 4",
        "1×1 convolution",
    ),
    "in_place": (lambda: zeros(1, 4).add_(zeros(2, 4)), "shape [1, 4], but the result has [2, 4]"),
    "dimension": (lambda: F.softmax(zeros(2, 3), dim=2), "has 2 dimensions, numbered 0 to 1; there is no dimension 2"),
    "unpacked": (unpack, "4 sizes were expected, but the tensor has 2"),
    "groups": (lambda: nn.Conv2d(3, 4, 1, groups=2), "in_channels must be a multiple"),
    "normalized_shape": (lambda: nn.LayerNorm(10)(zeros(2, 12)), "write LayerNorm([12])"),
    "samples": (lambda: nn.CrossEntropyLoss()(zeros(80, 10), zeros(64).long()), "80 rows for 64 labels"),
    "label": (lambda: nn.CrossEntropyLoss()(zeros(4, 10), torch.full((4,), 10)), "A label is 10", "at least 11"),
    "target_size": (
        lambda: nn.BCELoss()(zeros(4, 1), zeros(4)),
        "shape [4, 1] with targets of shape [4]",
        "unsqueeze(1)",
    ),
    "one_hot": (lambda: nn.CrossEntropyLoss()(zeros(4, 10), zeros(4, 1).long()), "one label a sample"),
    "saved": (load, "0.bias as [10], but this net has [3]"),
    "devices": (lambda: zeros(3) + zeros(3, device="meta"), "no error of shapes", "different devices"),
    "types": (lambda: nn.Conv2d(1, 2, 3)(zeros(1, 1, 5, 5).double()), "no error of shapes", "x.float()"),
    "old_matrices": (before_1_8, "takes 1280 features, but 320 arrive", "Linear(320, 10)"),
    "vector": (
        lambda: torch.mv(zeros(10, 320), zeros(500)),
        "Linear(320, 10) takes 320 features, but 500 arrive",
    ),
    "dtype": (lambda: nn.Linear(2, 2)(zeros(1, 2, dtype=torch.float64)), "Double numbers and the weights Float"),
}


@pytest.mark.parametrize("name", SYMPTOMS)
def test_the_message_that_torch_raises_is_explained(name):
    action, *words = RAISED[name]
    text = said(action)
    explanation = explain(text)
    assert explanation.symptom == name
    assert explanation.quoted in " ".join(text.split())
    whole = " ".join(map(str, explanation.notes))
    for part in words:
        assert part in whole
    assert "{" not in whole


@pytest.mark.parametrize(
    ("action", "words"),
    [
        (lambda: nn.Linear(320, 10)(zeros(64, 20, 4, 4)), "flatten first"),
        (lambda: nn.Conv2d(3, 4, 3)(zeros(2, 28, 28, 3)), "permute(0, 3, 1, 2)"),
        (lambda: nn.ConvTranspose2d(4, 2, 3)(zeros(1, 3, 5, 5)), "ConvTranspose2d(3, 2, …)"),
        (lambda: nn.Conv1d(4, 2, 3)(zeros(1, 3, 5)), "Conv1d(3, 2, …)"),
        (lambda: nn.Conv2d(4, 8, 3, groups=2)(zeros(1, 6, 9, 9)), "takes 4 channels"),
        (lambda: nn.Conv1d(1, 2, 5)(zeros(1, 1, 4)), "5 pixels does not fit into 4 pixels"),
        (lambda: nn.Conv1d(4, 2, 3)(zeros(1, 3, 5, 5)), "(N, C, L)"),
        (lambda: nn.Conv2d(1, 2, 3)(zeros(4, 10)), "Flatten after the convolutions"),
        (lambda: zeros(64, 20, 4, 4).view(-1, 300), "cannot be divided by 300"),
        (lambda: zeros(1, 4, 5, 5) + zeros(1, 4, 3, 3), "height and width"),
        (lambda: nn.MSELoss()(zeros(4, 1), zeros(3, 2)), "Dimension 0 is the batch"),
        (lambda: torch.cat([zeros(1, 2, 3, 3), zeros(1, 3, 3, 4)], 3), "dim=1"),
        (lambda: nn.Conv2d(4, 3, 1, groups=2), "out_channels must be a multiple"),
        (lambda: nn.BatchNorm1d(4)(zeros(2, 4, 3, 3)), "BatchNorm2d would be right"),
        (lambda: nn.BCEWithLogitsLoss()(zeros(64, 1), zeros(64)), "shape [64, 1] with targets of shape [64]"),
    ],
)
def test_other_faces_of_the_same_messages(action, words):
    assert words in " ".join(map(str, explain(said(action)).notes))


def test_the_warning_of_a_loss_is_explained():
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        nn.MSELoss()(zeros(3, 1), zeros(3))
    assert explain(f"UserWarning: {caught[0].message}").symptom == "target_size"


BROKEN = {  # the course's listing, what is changed, the name of the layer that says so
    "features": ("cnn", "Linear(320, 10)", "Linear(1280, 10)", "fc"),
    "channels": ("inception", "Conv2d(88, 20", "Conv2d(10, 20", "conv2"),
    "inside a module": (
        "inception",
        "Conv2d(16, 24, kernel_size=5, padding=2)",
        "Conv2d(8, 24, kernel_size=5, padding=2)",
        "incep1.branch5x5_2",
    ),
    "no padding": ("inception", "kernel_size=5, padding=2", "kernel_size=5", "incep1.cat"),
    "the shortcut": (
        "resnet",
        "channels, channels, kernel_size=3, padding=1",
        "channels, channels, kernel_size=3",
        "rblock1.add",
    ),
    "the view": ("mlp", "x.view(-1, 784)", "x.view(-1, 700)", "view"),
    "the kernel": ("cnn", "Conv2d(10, 20, kernel_size=5)", "Conv2d(10, 20, kernel_size=15)", "conv2"),
    "the pooling": ("cnn", "MaxPool2d(2)", "MaxPool2d(4)", "pooling"),
}


@pytest.mark.parametrize("name", BROKEN)
def test_a_traceback_is_located_in_the_net(name):
    listing, right, wrong, place = BROKEN[name]
    text = LISTINGS[listing].replace(right, wrong)
    net = net_of(text)
    error = said(lambda: net(zeros(64, 1, 28, 28)))
    chain = read(text).chain
    report = run(chain, (64, 1, 28, 28))
    assert report.rows[-1].node.name == place
    assert report.error.torch in error
    found = explain(error, chain, (64, 1, 28, 28))
    assert ([node.name for node in found.places], found.certain) == ([place], True)
    assert f"line {found.places[0].defined or found.places[0].line}." in str(sentence(found))
    other_batch = explain(error, chain, (7, 1, 28, 28))
    if name != "the view":
        assert [node.name for node in other_batch.places][:1] == [place]


def test_a_net_that_fails_is_diagnosed_without_a_traceback():
    text = LISTINGS["cnn"].replace("Linear(320, 10)", "Linear(1280, 10)")
    said_here = [str(one) for one in diagnose(run(read(text).chain, (64, 1, 28, 28)))]
    assert said_here == [
        "Linear(1280, 10) takes 1280 features, but 320 arrive, in 64 rows.",
        "Write Linear(320, 10).",
        "Otherwise change the layers before it, so that 1280 arrive.",
        "20·4·4 = 320: that many values view puts into a row.",
    ]
    assert diagnose(run(read(LISTINGS["cnn"]).chain, (64, 1, 28, 28))) == ()
    limit = run(read("nn.Linear(28, 100_000_000)").chain, (64, 1_000_000, 28, 28))
    assert [str(one) for one in diagnose(limit)] == [str(limit.error)]


def test_the_layer_of_another_version_of_the_net_is_found_by_its_weights():
    chain = read(LISTINGS["cnn"]).chain  # this one is right; the pasted error came from larger pictures
    error = said(lambda: net_of(LISTINGS["cnn"])(zeros(64, 1, 32, 32)))
    found = explain(error, chain, (1, 1, 28, 28))
    assert ([node.name for node in found.places], found.certain) == (["fc"], False)
    assert str(sentence(found)) == "In this net it fits fc, line 29."


def test_names_in_the_traceback_decide_between_equal_layers():
    text = in_net("self.a = nn.Linear(8, 8)\nself.b = nn.Linear(8, 8)", "x = self.a(x)\nx = self.b(x)\nreturn x")
    chain = read(text).chain
    error = "    x = self.b(x)\nRuntimeError: mat1 and mat2 shapes cannot be multiplied (4x6 and 8x8)"
    assert [node.name for node in explain(error, chain).places] == ["b"]
    assert [node.name for node in explain(error.replace("self.b(x)", "net(x)"), chain).places] == ["a", "b"]


def test_saved_weights_name_their_layer():
    chain = read(LISTINGS["cnn"]).chain
    small = net_of(LISTINGS["cnn"].replace("Linear(320", "Linear(500"))
    found = explain(said(lambda: net_of(LISTINGS["cnn"]).load_state_dict(small.state_dict())), chain)
    assert [node.name for node in found.places] == ["fc"]


def test_a_message_without_a_place():
    found = explain(said(RAISED["label"][0]), read(LISTINGS["cnn"]).chain, (1, 1, 28, 28))
    assert (found.places, sentence(found)) == ((), None)


def test_a_message_that_a_terminal_broke_into_lines():
    text = "RuntimeError: mat1 and mat2 shapes\n cannot be multiplied (64x320\nand 1280x10)"
    assert explain(text).symptom == "matrices"


@pytest.mark.parametrize("text", ["", "it does not work", "KeyError: 'a'", "x" * 1_000_000])
def test_a_text_without_an_error_gets_one_sentence(text):
    with pytest.raises(InputError, match="No error of PyTorch about shapes"):
        explain(text)


@settings(max_examples=100, deadline=None)
@given(st.sampled_from(sorted(SYMPTOMS)), st.data())
def test_damaged_messages_are_explained_or_refused(name, data):
    text = said(RAISED[name][0])[-300:]
    start = data.draw(st.integers(0, len(text) - 1))
    broken = text[:start] + data.draw(st.sampled_from(["", "9" * 5000, "-", "x", "[", ", 0", "0"])) + text[start + 1 :]
    try:
        whole = " ".join(map(str, explain(broken, read(LISTINGS["cnn"]).chain, (2, 1, 28, 28)).notes))
    except InputError as error:
        whole = str(error)
    assert whole


@pytest.mark.parametrize("name", sorted(SYMPTOMS))
@pytest.mark.parametrize("number", ["0", "1", "99999999999999999", "9" * 20])
def test_every_number_of_a_message_may_be_zero_or_huge(name, number):
    text = said(RAISED[name][0])
    chain = read(LISTINGS["cnn"]).chain
    for found in re.finditer(r"\d+", text):
        broken = text[: found.start()] + number + text[found.end() :]
        for changed in (broken, re.sub(r"\d+", number, text)):
            try:
                whole = " ".join(map(str, explain(changed, chain, (2, 1, 28, 28)).notes))
            except InputError as error:
                whole = str(error)
            assert whole


def test_a_long_text_is_explained_quickly():
    text = "mat1 and mat2 shapes cannot be multiplied (1x1 and " * 100_000
    started = time.process_time()
    with pytest.raises(InputError):
        explain(text)
    assert time.process_time() - started < 0.2


@pytest.mark.parametrize(
    ("text", "symptom", "said"),
    [  # words of older versions, and of a GPU
        ("RuntimeError: size mismatch, m1: [64 x 320], m2: [1280 x 10] at ../TH.cpp:41", "old_matrices", "(320, 10)"),
        ("RuntimeError: expected scalar type Double but found Float", "types", "no error of shapes"),
        (
            "RuntimeError: Expected all tensors to be on the same device, but found at least two devices",
            "devices",
            "no error of shapes",
        ),
        (
            "Input type (torch.cuda.FloatTensor) and weight type (torch.FloatTensor) should be the same",
            "devices",
            "x.to(device)",
        ),
        (
            "Input type (torch.FloatTensor) and weight type (torch.cuda.FloatTensor) should be the same",
            "devices",
            "x.to(device)",
        ),
        (
            "Input type (torch.cuda.DoubleTensor) and weight type (torch.cuda.FloatTensor) should be the same",
            "types",
            "x.float()",
        ),
        ("RuntimeError: size mismatch, got input (10), mat (10x320), vec (500)", "vector", "write Linear(500, 10)"),
    ],
)
def test_words_that_this_pytorch_does_not_say_here(text, symptom, said):
    found = explain(text, read(LISTINGS["cnn"]).chain, (2, 1, 28, 28))
    assert found.symptom == symptom
    assert said.lower() in " ".join(map(str, found.notes)).lower()


@pytest.mark.parametrize(
    "text",
    [
        "mat1 and mat2 shapes cannot be multiplied (64x320 and 1280x10)",
        "view size is not compatible with input tensor's size and stride",
        "Given input size: (7x1x1). Calculated output size: (7x0x0). Output size is too small",
        "Sizes of tensors must match except in dimension 1. Expected size 28 but got size 24 for tensor number 1",
        "shape '[64, 1280]' is invalid for input of size 20480",
        "pad should be at most half of effective kernel size, but got pad=2, kernel_size=2 and dilation=1",
    ],
)
@pytest.mark.parametrize("listing", ["cnn", "inception"])
def test_no_place_is_named_where_the_numbers_do_not_fit(text, listing):
    assert explain(text, read(LISTINGS[listing]).chain, (64, 1, 28, 28)).places == ()


def test_a_message_that_was_cut_off():
    text = "Given groups=1, weight of size [20, 10, 5, 5], expected input[64, 88, 12, 12] to have 10 channels"
    assert "takes 10 channels, but the input [64, 88, 12, 12] has 88." in str(explain(text).notes[0])
