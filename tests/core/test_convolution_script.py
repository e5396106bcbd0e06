"""The script that the page hands out runs, and prints the page's numbers."""

import subprocess
import sys

import numpy as np
import pytest

from core import convolution
from core.convolution import Convolution
from core.convolution_script import script
from core.matrices import INPUTS, KERNELS, digit


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
