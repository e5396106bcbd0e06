"""The script that the page hands out runs, and prints the page's numbers."""

import re
import subprocess
import sys

import numpy as np
import pytest

from core import mse
from core.losses import REDUCTIONS
from core.mse import Sweep
from core.mse_script import script
from core.points import PRESETS


def run(source, folder):
    file = folder / "script.py"
    file.write_text(source, encoding="utf-8")
    done = subprocess.run([sys.executable, file], check=True, capture_output=True, text=True, timeout=120, cwd=folder)
    assert done.stderr == ""
    return [{k: float(v) for k, v in re.findall(r"(\w+)=(\S+)", line)} for line in done.stdout.splitlines()]


@pytest.mark.parametrize(
    ("preset", "reduction", "sweep"),
    [
        ("course", "mean", Sweep()),
        ("outlier", "sum", Sweep(start=-0.5, stop=3.5, step=0.3)),
        ("noisy", "mean", Sweep(start=-1e3, stop=1e3, step=250)),
    ],
)
def test_the_script_prints_the_pages_numbers(tmp_path, preset, reduction, sweep):
    assert reduction in REDUCTIONS
    points = PRESETS[preset].points
    *tried, without, with_bias, curved = run(script(points, sweep, reduction=reduction), tmp_path)
    np.testing.assert_allclose([line["w"] for line in tried], sweep.values, rtol=1e-5, atol=1e-9)
    ours = mse.sweep(points, sweep.values, reduction=reduction)
    np.testing.assert_allclose([line["loss"] for line in tried], ours, rtol=1e-10, atol=1e-12)
    for line, bias in ((without, False), (with_bias, True)):
        lowest = mse.minimum(points, with_bias=bias, reduction=reduction)
        assert line["w"] == pytest.approx(lowest.w, rel=1e-10)
        assert line.get("b", 0.0) == pytest.approx(lowest.b, rel=1e-9, abs=1e-9)
        assert line["loss"] == pytest.approx(lowest.loss, rel=1e-9, abs=1e-20)
    assert curved["w"] == pytest.approx(mse.curvature(points, reduction=reduction), rel=1e-10)
    highest = mse.minimum(points, with_bias=True, reduction=reduction).eigenvalues[-1]
    assert curved["wb"] == pytest.approx(highest, rel=1e-10)
