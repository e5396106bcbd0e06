"""Exercises: random chains of rising difficulty whose output shape is to be found."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from random import Random

from core.messages import N_
from core.shapes.chain import Report, run
from core.shapes.errors import ShapeError
from core.shapes.layer import Shape
from core.shapes.source import read

Line = str
LEVELS = {  # what is new at each level
    1: N_("one convolution"),
    2: N_("padding and stride"),
    3: N_("pooling, which rounds down"),
    4: N_("a small CNN, flattened for a linear layer"),
    5: N_("dilation, ceil_mode, rectangular windows, transposed convolutions"),
}
HARDEST = max(LEVELS)


@dataclass(frozen=True, kw_only=True)
class Exercise:
    """One question: which shape comes out?"""

    level: int  # a key of LEVELS
    seed: int  # equal seeds give equal exercises
    text: str  # the source of the chain
    input_shape: Shape

    @property
    def report(self) -> Report:
        """The answer, layer by layer."""
        return run(read(self.text).chain, self.input_shape)

    @property
    def answer(self) -> Shape:
        """The shape that comes out."""
        shape = self.report.out_shape
        if shape is None:
            raise ValueError("an exercise must work")
        return shape


def exercise(level: int, seed: int) -> Exercise:
    """Make the exercise of a level and a seed; every one works and has at least one pixel left."""
    random = Random(f"{level} {seed}")  # noqa: S311 - no secret depends on it
    while True:
        lines, shape = _MAKERS[level](random)
        text = "\n".join(["nn.Sequential(", *(f"    {line}," for line in lines), ")"])
        try:
            report = run(read(text).chain, shape)
        except ShapeError:
            continue
        if report.ok:
            return Exercise(level=level, seed=seed, text=text, input_shape=shape)


def parse_answer(text: str) -> tuple[int, ...] | None:
    """Read a typed shape, "(64, 10, 24, 24)" or "64 10 24 24"; None where it is none."""
    for sign in "()[],，×x*":
        text = text.replace(sign, " ")
    parts = text.split()
    if not 1 <= len(parts) <= 6 or not all(part.isascii() and part.isdigit() and len(part) < 12 for part in parts):
        return None
    return tuple(map(int, parts))


def _input(random: Random, sizes: tuple[int, ...] = (8, 12, 16, 20, 28, 32)) -> Shape:
    size = random.choice(sizes)
    return (random.choice((1, 16, 64)), random.choice((1, 3)), size, size)


def _conv(random: Random, channels: int, *, harder: bool = False) -> tuple[Line, int]:
    out = random.choice((4, 6, 8, 10, 16, 20, 32))
    extras = f", padding={random.choice((0, 1, 2))}, stride={random.choice((1, 2, 3))}" if harder else ""
    return (
        f"nn.Conv2d({channels}, {out}, kernel_size={random.choice((3, 5) if not harder else (1, 3, 5, 7))}{extras})",
        out,
    )


def _pool(random: Random) -> Line:
    return f"nn.{random.choice(('MaxPool2d', 'AvgPool2d'))}({random.choice((2, 2, 3))})"


def _one_convolution(random: Random) -> tuple[list[Line], Shape]:
    shape = _input(random)
    return [_conv(random, shape[1])[0]], shape


def _padding_and_stride(random: Random) -> tuple[list[Line], Shape]:
    shape = _input(random)
    return [_conv(random, shape[1], harder=True)[0]], shape


def _with_pooling(random: Random) -> tuple[list[Line], Shape]:
    shape = _input(random)
    line, _out = _conv(random, shape[1], harder=random.random() < 0.5)
    return [line, "nn.ReLU()", _pool(random)], shape


def _small_cnn(random: Random) -> tuple[list[Line], Shape]:
    shape = _input(random, (20, 24, 28, 32))
    first, between = _conv(random, shape[1])
    second, _out = _conv(random, between, harder=random.random() < 0.4)
    return [first, "nn.ReLU()", _pool(random), second, _pool(random), "nn.Flatten()"], shape


def _rare_arguments(random: Random) -> tuple[list[Line], Shape]:
    batch, channels, size, _size = _input(random, (16, 20, 28))
    shape = (batch, channels, size, size + random.choice((0, 4)))
    rectangle = f"({random.choice((1, 3))}, {random.choice((3, 5))})"
    lines = random.sample(
        [
            f"nn.Conv2d({channels}, {channels}, kernel_size=3, dilation={random.choice((2, 3))})",
            f"nn.MaxPool2d({random.choice((2, 3))}, ceil_mode=True)",
            f"nn.Conv2d({channels}, {channels}, kernel_size={rectangle}, padding={random.choice((0, 1))})",
            f"nn.ConvTranspose2d({channels}, {channels}, kernel_size={random.choice((2, 3, 4))}, stride=2)",
            f'nn.Conv2d({channels}, {channels}, kernel_size=5, padding="same")',
        ],
        k=3,
    )
    return lines, shape


_MAKERS: dict[int, Callable[[Random], tuple[list[Line], Shape]]] = {
    1: _one_convolution,
    2: _padding_and_stride,
    3: _with_pooling,
    4: _small_cnn,
    5: _rare_arguments,
}
