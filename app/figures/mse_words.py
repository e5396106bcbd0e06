"""The sentences that stand beside the landscape of the squared error, each computed from what is shown."""

import pandas as pd

from app.figures.line import MOST_SQUARES
from app.figures.numbers import tidy
from app.figures.written import FRAME, spoken
from app.i18n import _, ngettext
from app.page import Kind
from core import mse
from core.mse import Minimum, Sweep
from core.points import Points
from core.windows import Plane

TINY = 5e-15  # what sums of numbers about 1 may miss by


def happening(window: Sweep) -> str:
    """Write the sentence about the present w, as an expression for the browser."""
    slope = f"2 * {FRAME}.steepness * (w - {FRAME}.best)"
    numbers = {"w": f"format(w, '.{digits(window)}f')", "slope": f"format({slope}, '.3~g')"}
    flat = spoken(_("At w = {w} the curve is flat: no step to either side lowers the loss."), **numbers)
    right = spoken(_("At w = {w} the curve has the slope {slope}: a larger w lowers the loss."), **numbers)
    left = spoken(_("At w = {w} the curve has the slope {slope}: a smaller w lowers the loss."), **numbers)
    near = f"{FRAME}.steepness == 0 || abs(w - {FRAME}.best) < {window.step / 2!r}"
    return f"{near} ? {flat} : {slope} < 0 ? {right} : {left}"


def digits(window: Sweep) -> int:
    """Count the decimals that the steps of w need."""
    return len(f"{window.step:.10f}".rstrip("0").partition(".")[2])


def verdict(points: Points, window: Sweep, lowest: Minimum) -> tuple[str, Kind]:
    """Say where the minimum is and what it means."""
    numbers = {"w": number(lowest.w), "loss": number(lowest.loss)}
    kind: Kind = "neutral"
    sentence = _("The minimum is at w = {w}. The loss is still {loss} there: no w makes all squares vanish.")
    if not lowest.unique:
        sentence, kind = _("Every x is 0, so w changes nothing: the loss is {loss} everywhere."), "warning"
    elif not window.start <= lowest.w <= window.stop:
        sentence, kind = _("The minimum, at w = {w}, lies outside the picture."), "warning"
    elif is_exact(points, lowest):
        sentence, kind = _("The minimum is at w = {w}. The loss is 0 there: the line goes through every point."), "good"
    return sentence.format(**numbers), kind


def best_of(tried: pd.DataFrame, lowest: Minimum) -> tuple[str, Kind]:
    """Say which of the values of w that a sweep tried is best, and how good the minimum itself is."""
    best = tried.iloc[int(tried["mse"].to_numpy().argmin())]
    numbers = {"count": len(tried), "w": number(best["w"]), "loss": number(best["mse"]), "exact": number(lowest.w)}
    if not lowest.unique:
        return _("Every x is 0, so all {count} values tried are equally good: MSE = {loss}.").format(
            **numbers
        ), "warning"
    sentence = _("Of {count} values tried, w = {w} is best, with MSE = {loss}. The minimum itself is at w = {exact}.")
    return sentence.format(**numbers), "neutral"


def sweep_in_words(tried: pd.DataFrame, lowest: Minimum) -> str:
    """Write the text alternative of the sweep."""
    best = tried.iloc[int(tried["mse"].to_numpy().argmin())]
    sentence = _("The loss at {count} values of w, lowest at w = {w} with {loss}.")
    if not lowest.unique:
        sentence = _("The loss at {count} values of w, the same at each: {loss}.")
    return sentence.format(count=len(tried), w=number(best["w"]), loss=number(best["mse"]))


def sum_or_mean(count: int, lowest: Minimum) -> tuple[str, Kind]:
    """Say what the sum of `count` terms changes, compared with their mean."""
    if count == 1:
        return _("With one sample both are the same."), "neutral"
    if not lowest.unique:
        sentence = _("Every x is 0, so both are level lines, the sum {count} times as high as the mean.")
        return sentence.format(count=count), "warning"
    sentence = _(
        "The minimum stays. The sum is {count} times as high and as steep, so its largest stable learning rate is "
        "{count} times smaller."
    )
    return sentence.format(count=count), "neutral"


def sum_or_mean_in_words(count: int, lowest: Minimum) -> str:
    """Write the text alternative of the sum and the mean over w."""
    sentence = _("Two parabolas over w with the same minimum; the sum is {count} times as high as the mean.")
    if not lowest.unique:
        sentence = _("Two level lines over w; the sum is {count} times as high as the mean.")
    return sentence.format(count=count)


def legend(count: int) -> str:
    """Say what is drawn of `count` points."""
    if count > MOST_SQUARES:
        sentence = _(
            "w is the slope of the line; MSE is the mean of the squared residuals. {count:,} points are too many to "
            "draw their squares; up to {most} have them."
        )
        return sentence.format(count=count, most=MOST_SQUARES)
    return _(
        "w is the slope of the line; MSE is the mean of the squares' areas. Thin: each sample's own parabola; bold: "
        "their mean."
    )


def is_exact(points: Points, lowest: Minimum) -> bool:
    """Tell whether what is left of the loss is nothing but rounding."""
    _x, y = points.arrays
    return lowest.loss <= 1e-24 * max(1e-300, float((y * y).mean()))


def valley() -> str:
    """Say that the minimum of y = w·x + b is not unique."""
    return _("All x are equal, so many lines are equally good: the minimum is a valley, not a point.")


def landscape_in_words(points: Points, window: Sweep, lowest: Minimum) -> str:
    """Write the text alternative of the first picture."""
    drawn = ngettext(
        "Left: {count} point and the line y = w·x. ", "Left: {count} points and the line y = w·x. ", len(points)
    ).format(count=len(points))
    ends = mse.sweep(points, window.values[[0, -1]])
    curve = _(
        "Right: the loss over w from {start} to {stop}, a parabola that falls from {first} to its minimum {loss} "
        "at w = {w} and rises to {last}."
    )
    if not lowest.unique:
        curve = _("Right: the loss over w from {start} to {stop}, a level line at {loss}.")
    return drawn + curve.format(
        start=number(window.start),
        stop=number(window.stop),
        first=number(ends[0]),
        last=number(ends[1]),
        loss=number(lowest.loss),
        w=number(lowest.w),
    )


def plane_in_words(window: Plane, lowest: Minimum) -> str:
    """Write the text alternative of the map over (w, b)."""
    return _(
        "Left: the data and the line y = w·x + b. Right: a map of the loss over w from {w0} to {w1} and b from {b0} to "
        "{b1}; lowest, {loss}, at w = {w}, b = {b}."
    ).format(
        w0=number(window.w.start),
        w1=number(window.w.stop),
        b0=number(window.b.start),
        b1=number(window.b.stop),
        loss=number(lowest.loss),
        w=number(lowest.w),
        b=number(lowest.b),
    )


def surface_in_words(lowest: Minimum) -> str:
    """Write the text alternative of the surface in 3-D."""
    sentence = _(
        "The loss as a surface over w and b, in 3-D: a valley with its lowest point, {loss}, at w = {w}, b = {b}."
    )
    return sentence.format(loss=number(lowest.loss), w=number(lowest.w), b=number(lowest.b))


def number(value: float) -> str:
    """Write a number with four digits at most, as the browser does; what is nothing but rounding is 0."""
    return tidy(f"{value:.4g}") if abs(value) > TINY else "0"


def latex(value: float) -> str:
    """Write a number with five digits at most, in LaTeX."""
    mantissa, _e, power = f"{value if abs(value) > TINY else 0.0:.5g}".partition("e")
    return rf"{mantissa} \cdot 10^{{{int(power)}}}" if power else mantissa
