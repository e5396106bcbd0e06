"""The picture of several training runs: their losses, their accuracies, and a legend with their numbers.

The spec depends on the axis and on how many runs there are; they, and what they report, travel as data
(app/figures/comparison_rows.py). A run is known by its place `run` and drawn in its `colour`; pointing at one dims the
others in all plots.
"""

from typing import Any

import altair as alt

from app.charts import parameter, source
from app.figures.training_axes import (
    LOSS,
    USUAL_BETA,
    View,
    guessing,
    limits,
    x_axis,
    y_accuracy,
    y_loss,
)
from app.i18n import _
from core.run import RunSpec

ORDER = ("runa", "runb", "runc", "rund", "data", "runf", "rune", "rung", "runh")  # colours of runs by their order
OWN = ("mlp", "cnn", "inception", "resnet")  # networks that have a colour of their own
DASHES = ([1, 0], [7, 3], [2, 2], [9, 3, 2, 3], [5, 2], [12, 4], [2, 4], [9, 2, 2, 2, 2, 2], [4, 4])
HEIGHT = 120  # px; a laptop shows the plots of four runs and their legend without scrolling
LINE = 21  # px; of the legend
NARROW = 560  # px; below it the legend has only names, test accuracies and states
COLUMNS = (("best", 0.663), ("speed", 0.773), ("spent", 0.875))  # of the legend, and their right ends
STATE = 84  # px; of a run's state where the legend is narrow, unless all runs have the same
MARGIN = 56  # px; beside the plots, where a narrow legend begins
AWAY = 3  # a part of the width that is out of sight
POINTABLE = ("curves", "dots", "rows")  # marks of which one can be pointed at; each is a parameter
FAINT = 0.15  # opacity of the runs that are not pointed at

_WIDTH = "range('legend_x')[1]"  # px
_WIDE = f"({_WIDTH} > {NARROW})"
_STATE = f"(data('titles')[0].state === '' ? {STATE + 8} : 0)"  # px; there, with the space before it
_NAME = f"{_WIDTH} + {MARGIN} - {_STATE} - 26 - 4.5 * em"  # px; of a name there, up to the accuracy


def colours(specs: tuple[RunSpec, ...]) -> tuple[str, ...]:
    """Return each run's colour: its network's where no two share one, else by their order."""
    models = [spec.model for spec in specs]
    if len(set(models)) == len(models) and set(models) <= set(OWN):
        return tuple(models)
    return ORDER[: len(specs)]


def picture(axis: str, runs: int) -> alt.VConcatChart:
    """Draw so many runs. The playhead `step` is an epoch's position."""
    look = _look()
    curves = alt.hconcat(_losses(axis, look), _accuracies(axis, look))
    both: alt.VConcatChart = alt.vconcat(curves, _legend(look, runs)).resolve_scale(color="independent")
    return both.add_params(parameter("step"), parameter("smooth", USUAL_BETA))


def _look() -> dict[str, Any]:
    """Give each run its colour and its dashes; all but the one that is pointed at become faint."""
    names = [*ORDER, *OWN]
    dashes = [list(dash) for dash in (*DASHES, *DASHES[: len(OWN)])]
    bright: Any = {"test": {"and": [{"param": name} for name in POINTABLE]}, "value": 1}  # none is like all
    return {
        "color": alt.Color(
            "colour:N", legend=None, scale=alt.Scale(domain=names, range=[f"@{name}" for name in names])
        ),
        "strokeDash": alt.StrokeDash("colour:N", legend=None, scale=alt.Scale(domain=names, range=dashes)),
        "opacity": alt.OpacityValue(FAINT, condition=bright),
    }


def _pointing(name: str) -> alt.Parameter:
    return alt.selection_point(name=name, fields=["run"], on="pointerover, touchend", clear="pointerout")


def _losses(axis: str, look: dict[str, Any]) -> View:
    x, y = x_axis(axis), y_loss(_("loss (dots: test)"), low=True)
    curve = alt.Chart(source("curve")).transform_calculate(loss=LOSS).encode(x=x, y=y, **look)
    tested = alt.Chart(source("epochs")).transform_calculate(loss="datum.test_loss")
    event = alt.Chart(source("event")).encode(x=x, y=y, color=look["color"], opacity=look["opacity"])
    layers = [
        limits(x, y),
        *guessing(y),
        curve.mark_line(strokeWidth=1.8).add_params(_pointing("curves")),
        tested.mark_point(filled=True, size=34).encode(x=x, y=y, color=look["color"], opacity=look["opacity"]),
        event.mark_point(shape="cross", size=110, angle=45, filled=True).encode(tooltip="text:N"),
        *_playhead(axis, x),
    ]
    return alt.layer(*layers).properties(name="loss", width=430, height=HEIGHT)


def _accuracies(axis: str, look: dict[str, Any]) -> View:
    """Draw the test accuracies thick and those in training thin; where a run overfits, the gap between is filled."""
    x, y = x_axis(axis), y_accuracy(_("accuracy (thin: train)"))
    dots = {name: channel for name, channel in look.items() if name != "strokeDash"}
    epochs = alt.Chart(source("epochs"))
    inside = epochs.transform_filter("datum.accuracy >= data('limits')[0].accuracy")  # lines are cut there
    layers = [
        limits(x, y),
        epochs.transform_filter("datum.gap")
        .mark_area(opacity=0.14, clip=True)
        .encode(x=x, y=y, y2="train:Q", color=look["color"]),
        epochs.transform_calculate(accuracy="datum.train")
        .mark_line(strokeWidth=0.9, clip=True)
        .encode(x=x, y=y, **look),
        epochs.mark_line(strokeWidth=2.2, clip=True).encode(x=x, y=y, **look),
        inside.mark_point(filled=True, size=34)
        .encode(x=x, y=y, tooltip=_tooltip(), **dots)
        .add_params(_pointing("dots")),
        inside.transform_filter("datum.position == step").mark_point(filled=True, size=110).encode(x=x, y=y, **dots),
        *_playhead(axis, x),
    ]
    return alt.layer(*layers).properties(name="accuracy", width=430, height=HEIGHT)


def _tooltip() -> list[alt.Tooltip]:
    return [
        alt.Tooltip("name:N", title=_("run")),
        alt.Tooltip("epoch:Q", title=_("epoch")),
        alt.Tooltip("accuracy:Q", title=_("test accuracy"), format=".2%"),
        alt.Tooltip("train:Q", title=_("train accuracy"), format=".2%"),
        alt.Tooltip("test_loss:Q", title=_("test loss"), format=".4~g"),
    ]


def _playhead(axis: str, x: alt.X) -> list[alt.Chart]:
    """Draw where the playhead is; over images and seconds each run has its own place for an epoch, which its dot is."""
    if axis != "epoch":
        return []
    here = alt.Chart(source("epochs")).transform_filter("datum.position == step")
    return [here.mark_rule(color="@text", strokeWidth=1, opacity=0.35).encode(x=x)]


def _legend(look: dict[str, Any], runs: int) -> View:
    """Write a line for each run, with the numbers at the playhead; columns that have no room are out of sight."""
    place: dict[str, Any] = {
        "x": alt.X("share:Q", scale=alt.Scale(domain=[0, 1]), axis=None),
        "y": alt.Y("line:O", axis=None, scale=alt.Scale(domain=list(range(-1, runs)))),  # the titles first
    }
    dots = {name: channel for name, channel in look.items() if name != "strokeDash"}
    run = alt.Chart(source("legend")).transform_filter("datum.position == step")
    row = run.encode(**place, **dots)
    titles = alt.Chart(source("titles")).encode(**place, color=alt.value("@muted"))
    left = f"({_WIDE} ? 0 : -{MARGIN} / {_WIDTH})"
    reach = {"share": left, "end": f"{left} + ({_WIDE} ? 44 : 20) / {_WIDTH}"}
    name = {
        "dx": alt.ExprRef(f"{_WIDE} ? 54 : 26"),
        "limit": alt.ExprRef(f"{_WIDE} ? 0.515 * {_WIDTH} - 54 - 4.5 * em : {_NAME}"),
    }
    state = alt.ExprRef(f"{_WIDE} ? 0.17 * {_WIDTH} : {STATE}")
    each = row.transform_calculate(state=f"{_WIDE} || {_STATE} ? datum.state : ''")
    common = titles.transform_calculate(state=f"{_WIDE} ? '' : datum.state")
    layers = [
        run.transform_calculate(**reach).mark_rule(strokeWidth=2.5).encode(**place, **look, x2="end:Q"),
        _cell(row, left, "name", align="left", **name),
        _cell(each, f"{_WIDE} ? 0.895 : 1 - {STATE} / {_WIDTH}", "state", align="left", limit=state),
        _cell(common, f"{left} + 26 / {_WIDTH}", "state", align="left"),
    ]
    accuracy = f"{_WIDE} ? 0.515 : 1 - {_STATE} / {_WIDTH}"
    for field, share in (("accuracy", accuracy), *((f, f"{_WIDE} ? {s} : {AWAY}") for f, s in COLUMNS)):
        layers += [_cell(part, share, field, align="right", clip=True) for part in (row, titles)]
    # a wide line that nobody sees, so that a whole row can be pointed at
    half = f"{LINE / 2} / {_WIDTH}"  # by which the line is longer than from end to end
    whole = run.transform_calculate(share=f"{left} + {half}", end=f"1 - {half}")
    whole = whole.mark_rule(strokeWidth=LINE, opacity=0.001)
    layers.append(whole.encode(**place, color=look["color"], x2="end:Q").add_params(_pointing("rows")))
    return alt.layer(*layers).properties(name="legend", width=880, height=alt.Step(LINE))


def _cell(rows: alt.Chart, share: str, field: str, **mark: Any) -> alt.Chart:  # noqa: ANN401 - Altair's
    """Write a field of each row at a part of the width."""
    size = alt.ExprRef("0.87 * em")
    placed = rows.transform_calculate(share=share).mark_text(baseline="middle", fontSize=size, **mark)
    cell: alt.Chart = placed.encode(text=f"{field}:N")
    return cell
