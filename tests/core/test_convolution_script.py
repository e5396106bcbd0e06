"""The script that the page hands out runs, and prints the page's numbers."""

import subprocess
import sys

import numpy as np
import pytest

from core import convolution, pooling, transposed
from core.convolution import Convolution
from core.convolution_script import channels_script, pooling_script, script, sequence_script, transposed_script
from core.matrices import INPUTS, KERNELS, digit, parse, parse_sequence
from core.pooling import Pooling
from core.transposed import TransposedConvolution


@pytest.mark.parametrize(
    ("x", "kernel", "spec", "bias"),
    [
        (INPUTS["course"].matrix, KERNELS["course"].matrix, {"padding": (1, 1)}, 0.0),
        (INPUTS["pooling"].matrix, KERNELS["edge"].matrix, {"padding": "same", "mode": "circular"}, -1.5),
        (digit(0), KERNELS["blur"].matrix, {"stride": (2, 3), "dilation": (3, 1), "padding": (2, 0)}, 0.25),
        (digit(1), KERNELS["sharpen"].matrix, {"padding": (2, 2), "mode": "reflect"}, 0.0),
    ],
)
def test_the_script_prints_the_pages_numbers(tmp_path, x, kernel, spec, bias):
    layer = Convolution(kernel=kernel.size, **spec)
    file = tmp_path / "script.py"
    file.write_text(script(layer, x, kernel, bias), encoding="utf-8")
    done = subprocess.run(
        [sys.executable, "-W", "error", file], check=True, capture_output=True, text=True, timeout=120
    )
    assert done.stderr == ""
    shape, *rows, first = done.stdout.splitlines()
    ours = convolution.forward(layer, x.array[None], kernel.array[None, None], np.array([bias]))
    assert shape == f"shape {(1, *ours.shape)}"
    printed = [[float(value) for value in row.split()] for row in rows]
    np.testing.assert_allclose(printed, ours[0], rtol=1e-10, atol=1e-10)
    assert float(first.rpartition(" ")[2]) == pytest.approx(ours[0, 0, 0], rel=1e-10, abs=1e-10)


def some_channels(layer):
    random = np.random.default_rng(1)
    x, weight = random.normal(size=(layer.in_channels, 4, 5)), random.normal(size=layer.weight_shape)
    return channels_script(layer, x, weight), convolution.forward(layer, x, weight)


def a_sequence():
    layer = Convolution(kernel=(1, 3), stride=(1, 2), padding=(0, 3), dilation=(1, 2))
    x, kernel = parse_sequence("0 1 2 4 8 8.5 4 2"), parse_sequence("1 0 -1")
    wanted = convolution.forward(layer, x.array[None], kernel.array[None, None])
    return sequence_script(layer, x, kernel), wanted


def a_transposed():
    layer = TransposedConvolution(kernel=(3, 3), stride=(2, 2), padding=(1, 1), output_padding=(1, 1))
    x, kernel = parse("3 4; 2 4; 1 6"), KERNELS["course"].matrix
    wanted = transposed.forward(layer, x.array[None], kernel.array[None, None])
    return transposed_script(layer, x, kernel), wanted


def a_pooling(**options):
    layer = Pooling(kernel=(3, 3), stride=(2, 2), padding=(1, 1), **options)
    x = INPUTS["pooling"].matrix
    return pooling_script(layer, x), pooling.forward(layer, x.array[None])


CASES = {
    "channels": lambda: some_channels(Convolution(in_channels=4, out_channels=2, groups=2)),
    "pointwise": lambda: some_channels(Convolution(in_channels=3, out_channels=2, kernel=(1, 1))),
    "sequence": a_sequence,
    "transposed": a_transposed,
    "max": lambda: a_pooling(kind="max", ceil_mode=True),
    "mean": lambda: a_pooling(kind="avg", count_include_pad=False),
}


def test_the_scripts_of_the_sections_print_the_pages_numbers(tmp_path):
    program, wanted = "", []
    for make in CASES.values():  # one process, since most of its time is the import of torch
        source, ours = make()
        program += source
        wanted.append(ours)
    file = tmp_path / "scripts.py"
    file.write_text(program, encoding="utf-8")
    done = subprocess.run(
        [sys.executable, "-W", "error", file], check=True, capture_output=True, text=True, timeout=120
    )
    printed = done.stdout.split("shape ")[1:]
    assert len(printed) == len(CASES)
    for text, ours in zip(printed, wanted, strict=True):
        rows = [[float(value) for value in line.split()] for line in text.splitlines()[1:]]
        np.testing.assert_allclose(rows, ours.reshape(-1, ours.shape[-1]), rtol=1e-10, atol=1e-10)
