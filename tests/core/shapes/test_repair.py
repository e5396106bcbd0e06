"""Only changes that a net can have been meant with are offered, and each lets the failing layer work."""

import pytest
import torch

from core.shapes.chain import run
from core.shapes.repair import repairs
from core.shapes.rewrite import rewritten
from core.shapes.source import read
from core.shapes.tracebacks import diagnose


def report(text):
    return run(read(text).chain, (64, 1, 28, 28))


@pytest.mark.parametrize(
    ("text", "offered"),
    [  # what is wrong, the repairs in their order
        ("nn.Conv2d(1, 10, 0)", ["nn.Conv2d(1, 10, kernel_size=3)"]),
        ("nn.MaxPool2d(0)", ["nn.MaxPool2d(2)"]),
        ("nn.MaxPool2d(2, padding=2)", ["nn.MaxPool2d(kernel_size=2, padding=1)"]),
        ("nn.MaxPool2d(50)", []),
        ("nn.AvgPool2d(3, padding=5)", ["nn.AvgPool2d(kernel_size=3, padding=1)"]),
        ("nn.MaxPool2d(28), nn.MaxPool2d(2)", []),
        ("nn.Linear(784, 10)", ["Flatten "]),
        ("nn.Linear(785, 10)", ["Flatten nn.Linear(784, 10)"]),
        (
            "nn.Conv2d(1, 4, 17), nn.Conv2d(4, 8, 15), nn.MaxPool2d(2)",
            ["nn.Conv2d(4, 8, kernel_size=7)", "nn.Conv2d(4, 8, kernel_size=15, padding=7)"],
        ),
        (
            "nn.Conv2d(1, 4, 20), nn.Conv2d(4, 8, 10), nn.MaxPool2d(2), nn.MaxPool2d(2)",
            ["nn.Conv2d(4, 8, kernel_size=5)"],
        ),
    ],
)
def test_only_sensible_repairs_are_offered(text, offered):
    source = f"nn.Sequential({text})"
    broken = report(source)
    assert not broken.ok
    found = repairs(read(source).chain, broken)
    assert [repair.new or f"Flatten {repair.also}" for repair in found] == offered
    assert ("stride" in str(broken.error)) is False
    for repair in found:
        written = rewritten(source, read(source), repair.chain)
        assert len(report(written).rows) > len(broken.rows) or report(written).ok


@pytest.mark.parametrize(
    ("shape", "features", "said"),
    [
        ((64, 20, 4, 4), 320, ["flatten them first"]),
        ((64, 20, 4, 4), 1280, ["flatten them first", "Then write Linear(320, 10)."]),
        ((64, 20, 4), 80, ["flatten them first"]),
        ((64, 20, 4), 5, ["Linear(5, 10) takes 5 features, but 4 arrive"]),
    ],
)
def test_images_at_a_linear_layer_are_to_be_flattened(shape, features, said):
    chain = read(f"nn.Linear({features}, 10)").chain
    failed = run(chain, shape)
    with pytest.raises(RuntimeError) as error:
        torch.nn.Linear(features, 10)(torch.zeros(shape))
    assert str(error.value) == failed.error.torch
    notes = list(map(str, diagnose(failed)))
    for part, note in zip(said, notes, strict=False):
        assert part in note
    assert ("in_features=4" in " ".join(notes)) is False
    first = repairs(chain, failed)[0]
    assert (first.new == "") is ("flatten" in notes[0])
