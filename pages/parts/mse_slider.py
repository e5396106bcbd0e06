"""The slider of the weight, where it begins."""

from app.i18n import _
from app.player import Slider
from core.mse import Sweep


def over_w(window: Sweep, start: float = 1.0) -> Slider:
    return Slider("w", _("weight w"), window.start, window.stop, window.step, inside(start, window))


def inside(value: float, window: Sweep) -> float:
    """Return a value to start from: a quarter of the way where the usual one is at the edge, or beyond it."""
    width = window.stop - window.start
    is_inside = window.start + width / 10 <= value <= window.stop - width / 10
    return value if is_inside else window.start + round(width / 4 / window.step) * window.step
