"""The exercises of the shape detective: torch gives the same answers."""

import pytest
import torch
from torch import nn

from core.shapes.practice import HARDEST, LEVELS, exercise, parse_answer


@pytest.mark.parametrize("level", LEVELS)
def test_torch_gives_the_same_answer(level):
    for seed in range(40):
        question = exercise(level, seed)
        with torch.device("meta"):
            model = eval(question.text, {"nn": nn})  # noqa: S307 - the text is ours
            assert tuple(model(torch.zeros(question.input_shape)).shape) == question.answer


@pytest.mark.parametrize("level", LEVELS)
def test_equal_seeds_give_equal_exercises_and_others_differ(level):
    assert exercise(level, 7) == exercise(level, 7)
    assert len({exercise(level, seed).text for seed in range(20)}) > 3


def test_chains_grow_with_the_level():
    def operations(level):
        return sum(len(exercise(level, seed).report.rows) for seed in range(20))

    assert operations(1) == operations(2) == 20
    assert operations(1) < operations(3) < operations(4)
    asked = " ".join(exercise(HARDEST, seed).text for seed in range(20))
    assert all(word in asked for word in ("dilation", "ceil_mode", "ConvTranspose2d", "same"))


@pytest.mark.parametrize("text", ["(64, 10, 24, 24)", "64,10,24,24", "64 10 24 24", "[64×10×24×24]", "64，10，24，24"])
def test_a_shape_may_be_typed_in_many_ways(text):
    assert parse_answer(text) == (64, 10, 24, 24)


@pytest.mark.parametrize("text", ["", "a", "1.5", "-3", "1e3", "9" * 20, "1 " * 9, "²"])
def test_what_is_no_shape_is_none(text):
    assert parse_answer(text) is None
