"""PyTorch runs these nets; what comes out are not the samples that went in."""

import pytest
import torch
from torch import nn

from core.shapes.chain import run
from core.shapes.presets import PRESETS
from core.shapes.remarks import about_input, batch_breaker, remarks
from core.shapes.repair import repairs
from core.shapes.source import read
from core.shapes.tracebacks import diagnose
from tests.core.shapes.test_source import LISTINGS, in_net, input_of
from tests.core.shapes.traced import net_of


def report_of(text, shape):
    return run(read(text).chain, shape)


def words(notes):
    return " ".join(map(str, notes))


@pytest.mark.parametrize("name", sorted(LISTINGS))
def test_nothing_is_remarked_of_the_listings_of_the_course(name):
    assert remarks(report_of(LISTINGS[name], input_of(name))) == ()


@pytest.mark.parametrize("name", sorted(PRESETS))
def test_nothing_is_remarked_of_the_presets(name):
    for batch in (1, 2, 64):
        assert remarks(run(PRESETS[name].source().chain, (batch, *PRESETS[name].input_shape))) == ()


def test_a_view_that_mixes_samples_is_remarked_where_pytorch_is_silent():
    text = LISTINGS["cnn"].replace("x.view(batch_size, -1)", "x.view(-1, 320)")
    report = report_of(text, (64, 1, 32, 32))
    assert net_of(text)(torch.zeros(64, 1, 32, 32)).shape == report.out_shape == (100, 10)
    assert batch_breaker(report).node.kind == "view"
    assert "batch of 64 into 100 rows, so a row mixes values of different samples" in words(remarks(report))
    assert remarks(report_of(text, (64, 1, 28, 28))) == ()


@pytest.mark.parametrize(
    ("forward", "shape", "said"),
    [
        ("return self.a(x.view(-1, 4))", (8, 8), "batch of 8 into 16 rows, so a sample has several rows"),
        ("return self.a(x.view(-1, 4))", (1, 8), "batch of 1 into 2 rows"),
        ("return self.a(torch.cat([x, x], 0))", (8, 4), "cat puts 16 in the place of the batch of 8"),
        ("return self.a(x.permute(1, 0, 2))", (8, 5, 4), "permute puts 5 in the place"),
        ("return self.a(x.view(-1, 4)).view(x.size(0), -1)", (8, 8), ""),
        ("return self.a(x.permute(1, 0, 2)).transpose(0, 1)", (8, 5, 4), ""),
        ("return self.a(x.view(-1, 6))", (9, 4), "mixes values"),
    ],
)
def test_what_puts_something_else_in_the_place_of_the_batch(forward, shape, said):
    text = in_net("self.a = nn.Linear(4, 4)", forward)
    report = report_of(text, shape)
    if report.ok:
        assert net_of(text)(torch.zeros(shape)).shape == report.out_shape
    whole = words(remarks(report))
    assert (said in whole) if said else (whole == "")


@pytest.mark.parametrize(
    ("net", "sample", "right"),
    [
        (nn.Conv2d(1, 10, 5), (1, 28), "1, 28, 28"),
        (nn.Conv2d(3, 10, 5), (28, 28), "3, 28, 28"),
        (nn.Conv2d(64, 10, 5), (28, 28), "64, 28, 28"),
        (nn.Conv1d(1, 10, 5), (28,), "1, 28"),
        (nn.MaxPool2d(2), (28, 28), "1, 28, 28"),
        (nn.Conv2d(1, 10, 5), (64, 1, 28, 28), "1, 28, 28"),
    ],
)
def test_an_input_without_all_its_sizes_is_remarked(net, sample, right):
    report = report_of(f"nn.Sequential(nn.{net})", (64, *sample))
    try:
        assert net(torch.zeros(64, *sample)).shape == report.out_shape
        said = remarks(report)
    except RuntimeError as error:
        assert str(error) == report.error.torch  # noqa: PT017 - which of the two it is depends on the channels
        said = diagnose(report)
        assert remarks(report) == ()
        assert repairs(read(f"nn.{net}").chain, report) == []
    assert words(said).count(f"the input as {right}.") == 1
    assert about_input(report) is not None


@pytest.mark.parametrize(
    ("batch", "view", "said"),
    [
        (16, "64, 320", "The batch is 16 here, not 64: write x.view(x.size(0), -1)."),
        (64, "16, 320", "The batch is 64 here, not 16: write x.view(x.size(0), -1)."),
        (64, "64, 160", "For 64 samples that is 320 values each: write view(64, 320)."),
        (64, "-1, 300", "x.view(x.size(0), -1) works the number out and keeps the batch."),
    ],
)
def test_a_view_with_the_batch_as_a_number(batch, view, said):
    text = LISTINGS["cnn"].replace("x.view(batch_size, -1)", f"x.view({view})")
    with pytest.raises(RuntimeError) as error:
        net_of(text)(torch.zeros(batch, 1, 28, 28))
    report = report_of(text, (batch, 1, 28, 28))
    assert report.error.torch == str(error.value)
    notes = list(map(str, diagnose(report)))
    assert said in notes
    assert ("not" in said) is not any("samples that is" in note or "keeps the batch" in note for note in notes)
