"""The comparison with torch.nn that the page offers."""

import pytest

from core import mse_check, windows
from core.points import PRESETS


@pytest.mark.parametrize("preset", PRESETS)
@pytest.mark.parametrize("delta", [0.5, 1.0, 3.0])
def test_our_losses_are_torch_s_but_for_rounding(preset, delta):
    points = PRESETS[preset].points
    found = mse_check.differences(points, windows.over_w(points), delta=delta)
    assert len(found) == 6
    assert all(0 <= difference < 1e-13 for difference in found.values())
