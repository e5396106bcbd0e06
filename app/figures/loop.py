"""What each line of the training loop costs: the textbook's loop over ours, each line with its measured bar."""

from collections.abc import Sequence
from functools import lru_cache
from typing import Any

import altair as alt
import pandas as pd

from app.charts import source
from app.figures.line import Data, View
from app.figures.mse_words import number
from app.figures.training_words import joined
from app.i18n import _, language, ngettext
from app.measured import busy
from app.page import Kind
from core.loop_job import BATCH, PHASES, STEPS, TEST_IMAGES, Conditions, Line, Pass, Snapshot

ROW = 34  # px: a line of code, and below it its bar
BAR = 7  # px
COLOURS = {
    "data": "@batch",
    "device": "@muted",
    "clear": "@muted",
    "forward": "@prediction",
    "loss": "@loss",
    "backward": "@gradient",
    "update": "@weight",
    "read": "@muted",
}
Loops = tuple[tuple[str, tuple[Line, ...]], ...]


def titles() -> dict[str, str]:
    """Return how the loops are called."""
    return {"textbook": _("The textbook's loop"), "ours": _("The same steps as this app takes them")}


def chart(textbook: int, ours: int) -> alt.VConcatChart:
    """Build both listings, of so many lines each, over one axis of time."""
    both: alt.VConcatChart = alt.vconcat(_listing("textbook", textbook), _listing("ours", ours)).resolve_scale(
        x="shared", color="shared"
    )
    return both


def _listing(name: str, lines: int) -> View:
    rows = alt.Chart(source(name))
    x = alt.X(
        "milliseconds:Q",
        title=_("milliseconds a step") if name == "ours" else None,
        axis=alt.Axis(grid=False, tickCount=5) if name == "ours" else None,
        scale=alt.Scale(domain=[0, alt.ExprRef("data('limit')[0].milliseconds")], nice=False),
    )
    y = alt.Y("place:Q", axis=None, scale=alt.Scale(domain=[-0.6, lines - 0.4], reverse=True, nice=False))
    names = {phase: _(title) for phase, (title, _about) in PHASES.items()}
    colour = alt.Color(
        "phase:N", scale=alt.Scale(domain=list(names.values()), range=[COLOURS[phase] for phase in names]), legend=None
    )
    tooltip = [
        alt.Tooltip("code:N", title=_("line")),
        alt.Tooltip("phase:N", title=_("part of the step")),
        alt.Tooltip("milliseconds:Q", title=_("milliseconds a step"), format=".3f"),
        alt.Tooltip("share:Q", title=_("share of the loop"), format=".1%"),
    ]
    limit = alt.Chart(source("limit")).mark_point(opacity=0).encode(x=x)
    bars = rows.mark_rule(strokeWidth=BAR, yOffset=8, y2Offset=8).encode(
        x=x, x2=alt.X2Datum(0), y=y, color=colour, tooltip=tooltip
    )
    code = rows.mark_text(
        align="left",
        baseline="bottom",
        x=0,
        dy=1,
        font="monospace",
        fontSize=alt.expr("min(0.85 * em, width / 28)"),  # the longest line has 46 characters
        limit=alt.expr("width"),  # a wider one would make the plot narrower
        color="@text",
    ).encode(y=y, text="code:N", tooltip=tooltip)
    figures = rows.mark_text(align="left", baseline="middle", dx=5, dy=8, fontSize=alt.expr("0.8 * em")).encode(
        x=x, y=y, text="text:N", color=colour
    )
    layers = alt.layer(limit, bars, code, figures, name=name)
    return layers.properties(width=860, height=ROW * lines, title=alt.Title(titles()[name], anchor="start"))


def chart_data(loops: Loops) -> Data:
    """Return what `chart` draws; treat it as read-only."""
    return _chart_data(loops, language())


@lru_cache(maxsize=16)
def _chart_data(loops: Loops, _language: str) -> Data:
    longest = max(line.seconds for _name, lines in loops for line in lines)
    rows = {name: pd.DataFrame(_rows(lines)) for name, lines in loops}
    return rows | {"limit": pd.DataFrame({"milliseconds": [1250 * longest]})}  # room for the last bar's figure


def _rows(lines: tuple[Line, ...]) -> list[dict[str, object]]:
    whole = total(lines)
    return [
        {
            "place": place,
            "code": line.code,
            "phase": _(PHASES[line.phase][0]),
            "milliseconds": 1000 * line.seconds,
            "share": line.seconds / whole,
            "text": milliseconds(line.seconds),
        }
        for place, line in enumerate(lines)
    ]


def total(lines: tuple[Line, ...]) -> float:
    """Return the seconds of a step."""
    return sum(line.seconds for line in lines)


def phases(lines: tuple[Line, ...]) -> dict[str, float]:
    """Add up the seconds of a step by phase, in the order of PHASES."""
    return {phase: sum(line.seconds for line in lines if line.phase == phase) for phase in PHASES}


def percent(share: float) -> str:
    """Write a share of the time."""
    return f"{100 * share:.0f} %"


def percents(shares: Sequence[float]) -> list[str]:
    """Write shares that make up a whole so that what is written makes up 100 %, by the largest remainders."""
    wholes = [int(100 * share) for share in shares]
    by_remainder = sorted(range(len(shares)), key=lambda place: wholes[place] - 100 * shares[place])
    for place in by_remainder[: 100 - sum(wholes)]:
        wholes[place] += 1
    return [f"{whole} %" for whole in wholes]


def milliseconds(seconds: float) -> str:
    """Write a time in milliseconds, with three digits at most."""
    return _("{time} ms").format(time=number(float(f"{1000 * seconds:.2g}")))


def table(loops: Loops) -> pd.DataFrame:
    """Return the times of each phase in both loops, and what the phase is for."""
    sums = {name: phases(lines) for name, lines in loops}
    columns: dict[str, list[Any]] = {_("part of the step"): [_(title) for title, _about in PHASES.values()]}
    for name, title in titles().items():
        columns[_("{loop}: ms a step").format(loop=title)] = [1000 * sums[name][phase] for phase in PHASES]
    columns[_("what it is for")] = [_(about) for _title, about in PHASES.values()]
    return pd.DataFrame(columns)


def verdict(state: Snapshot) -> list[tuple[str, Kind]]:
    """Say what the figures mean, once they are complete; those of a busy machine are no good news."""
    loops = dict(state.loops)
    if not state.finished or len(loops) < 2:
        return []
    disturbed = busy(state.conditions.load, state.conditions.cores) if state.conditions else ""
    said: list[tuple[str, Kind] | None] = [(disturbed, "warning") if disturbed else None]
    said += [_ratio(loops, trusted=not disturbed), _parts(loops["ours"]), _no_grad(state.tests)]
    return [sentence for sentence in said if sentence is not None]


def _ratio(loops: dict[str, tuple[Line, ...]], *, trusted: bool) -> tuple[str, Kind]:
    theirs, own = (total(loops[name]) for name in ("textbook", "ours"))
    data = phases(loops["textbook"])["data"]
    sentence = _(
        "The textbook's loop takes {theirs} a step, {share} of it to get the images ready. Ours takes {own}: "
        "{times} times as fast, with the same images and the same four steps."
    )
    said = sentence.format(
        theirs=milliseconds(theirs),
        share=percent(data / theirs),
        own=milliseconds(own),
        times=number(round(theirs / own, 1)),
    )
    return said, "good" if trusted and theirs > own else "neutral"


def _parts(lines: tuple[Line, ...]) -> tuple[str, Kind]:
    sums, whole = phases(lines), total(lines)
    main = {phase: sums[phase] for phase in ("forward", "backward", "update")}
    sentence = _(
        "The time of ours goes to forward ({forward}), backward ({backward}) and the update ({update}); "
        "all the rest is {rest}."
    )
    shares = {phase: seconds / whole for phase, seconds in main.items()} | {"rest": 1 - sum(main.values()) / whole}
    return sentence.format(**dict(zip(shares, percents(tuple(shares.values())), strict=True))), "neutral"


def _no_grad(tests: tuple[Pass, ...]) -> tuple[str, Kind] | None:
    passes = {test.grad: test for test in tests}
    if len(passes) < 2:
        return None
    kept = _(
        "In the test, {images} images at once: without `torch.no_grad()` the forward pass would keep {kept} MB for a "
        "backward pass that never comes."
    )
    spread = max(test.spread for test in tests)
    if passes[True].seconds - passes[False].seconds > spread:
        times = _("It saves time as well: {without} with it, {with_grad} without.")
    elif passes[False].seconds - passes[True].seconds > spread:
        times = _(
            "Whether it saves time could not be measured: {without} with it, {with_grad} without; other work on this "
            "machine has disturbed one of the two."
        )
    else:
        times = _(
            "No saving of time could be measured: {without} with it, {with_grad} without, and equal passes differ by "
            "{spread} or more."
        )
    return joined([kept, times]).format(
        images=f"{TEST_IMAGES:,}",
        kept=number(round(passes[True].kept / 1e6, 1)),
        spread=milliseconds(spread),
        with_grad=milliseconds(passes[True].seconds),
        without=milliseconds(passes[False].seconds),
    ), "neutral"


def what_is_measured(title: str, data: str = "MNIST") -> str:
    """Say what the measuring program does."""
    return _(
        "The training loop of every textbook, and the same steps as this app takes them. What each line costs can be "
        "measured: a separate process trains the {network} on {data} with these lines, by turns with the one loop and "
        "the other, {steps} steps of {batch} images each, and reads a clock at every new line (a GPU is waited for)."
    ).format(network=title, data=data, steps=STEPS, batch=BATCH)


def conditions(found: Conditions) -> str:
    """Say under which conditions it was measured."""
    sentence = ngettext(
        "Measured on {when}: {device}, {threads} thread, torch {torch}; the textbook in float32, ours in {dtype}, "
        "layout {layout}; load {load} on {cores} cores just before. `model.train()` and `model.eval()` cost nothing "
        "here; they matter for dropout and batch norm, which behave differently in a test.",
        "Measured on {when}: {device}, {threads} threads, torch {torch}; the textbook in float32, ours in {dtype}, "
        "layout {layout}; load {load} on {cores} cores just before. `model.train()` and `model.eval()` cost nothing "
        "here; they matter for dropout and batch norm, which behave differently in a test.",
        found.threads,
    )
    return sentence.format(
        when=found.when,
        device=found.device,
        threads=found.threads,
        torch=found.torch,
        dtype=found.dtype,
        layout=found.layout,
        load=number(found.load),
        cores=found.cores,
    )


def in_words(loops: Loops) -> str:
    """Write the text alternative of the bars."""
    said = []
    for name, lines in loops:
        each = ", ".join(f"{_(PHASES[phase][0])} {milliseconds(s)}" for phase, s in phases(lines).items() if s)
        said.append(_("{loop}, {total} a step: {each}.").format(
            loop=titles()[name], total=milliseconds(total(lines)), each=each
        ))  # fmt: skip
    return " ".join(said)
