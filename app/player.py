"""The one component that draws every chart of the app, with or without a timeline.

Python sends a constant Vega-Lite spec and its data; the browser moves the parameters. Playing, scrubbing, dragging
and the numbers in the formula therefore never ask the server.

    player(
        compiled(loss_chart),                        # the spec, built once
        key="mse", name="mse-loss",                  # prefix in the shared link, name of downloaded pictures
        alt=_("Loss over w, lowest at w = 2."),
        data={"curve": frame},                       # rows of alt.NamedData("curve"); may change at any time
        steps=41, captions=sentences,                # positions of the parameter `step`
        sliders=[Slider("w", _("weight w"), 0.0, 4.0, 0.1, 1.0)],
        drags=[Drag("loss", x="w"), Drag("data", set={"w": "y / x"})],
        formula="<math><mi class='q-weight'>w</mi><mo>=</mo><mn>{{w|.2f}}</mn></math>",
    )

A colour in the spec is a token such as "@weight" (the names of `app.palette.QUANTITIES`); the browser puts the
theme's colour in its place. `em` in an expression of the spec is the size of the text in px, which grows with the
screen: `mark_text(fontSize=alt.expr("0.8 * em"))`. `{{expression|format}}` in a formula is a Vega expression over the
chart's parameters and `data('name')`, with a d3 format; `outputs` adds derived data sets (Vega's `source` and
`transform`) for it to read.
"""

import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from functools import cache, lru_cache, partial
from math import isfinite
from pathlib import Path
from typing import Any

import streamlit as st

from app.i18n import _
from app.page import Kind
from app.palette import QUANTITIES
from app.rows import Rows, Same, encoded
from app.script import joined, loader, published
from app.vega import ensure_bundle

HERE = Path(__file__).parent
# In order: a file uses only what stands before it.
MODULES = ("dom", "vega", "theme", "address", "layout", "formula", "sliders", "drag", "clock", "timeline", "picture")
_KEY = re.compile(r"[a-z][a-z0-9_-]*")


@dataclass(frozen=True)
class Slider:
    """A range input under the picture that moves one parameter of the chart, in the browser."""

    param: str  # name of the chart's parameter
    label: str  # translated; the symbol belongs in it: "weight w"
    minimum: float
    maximum: float
    step: float  # > 0; what a drag snaps to as well
    value: float  # at first, and what the shared link leaves out
    names: tuple[str, ...] = ()  # of its positions, from the least on, where they stand for something else

    def __post_init__(self) -> None:
        """Refuse bounds that no range input can have."""
        if not all(isfinite(x) for x in (self.minimum, self.maximum, self.step, self.value)):
            raise ValueError(f"slider {self.param}: bounds, step and value must be finite")
        if not (self.minimum < self.maximum and self.step > 0 and self.minimum <= self.value <= self.maximum):
            raise ValueError(f"slider {self.param}: needs minimum < maximum, step > 0 and a value between them")


@dataclass(frozen=True)
class Drag:
    """Dragging in the plot of a named sub-chart sets parameters; each of them needs a slider, which bounds it."""

    view: str  # the sub-chart: alt.Chart(…, name="loss") or .properties(name="loss")
    x: str | None = None  # the parameter that follows the horizontal position
    y: str | None = None  # … the vertical position
    set: Mapping[str, str] = field(default_factory=dict)  # parameter -> Vega expression of x, y and the parameters

    def moves(self) -> dict[str, str]:
        """Return parameter -> expression for all that this drag moves."""
        straight = {name: axis for axis, name in (("x", self.x), ("y", self.y)) if name}
        return straight | dict(self.set)


@dataclass(frozen=True, kw_only=True)
class News:
    """What changes of a picture while a hand moves: drawn by the page, or sent past it (see `app.quick`)."""

    data: Mapping[str, Rows]  # the sources that change
    alt: str
    said: str
    kind: Kind

    def message(self, key: str) -> dict[str, Any]:
        """Write the news for the player with this key, which the browser hands it as the event "player-news"."""
        data = {source: encoded(rows) for source, rows in self.data.items()}
        return {"key": key, "data": data, "alt": self.alt, "said": self.said, "kind": self.kind}


def player(
    chart: Any,  # noqa: ANN401 - an Altair chart (any of its many classes) or a Vega-Lite dict
    *,
    key: str,
    alt: str,
    name: str,
    data: Mapping[str, Rows] | None = None,
    said: str = "",
    kind: Kind = "neutral",
    steps: int = 0,
    start: int = 0,
    first: int = 1,
    calls: bool = False,
    moments: Sequence[int] = (),
    captions: Sequence[str] = (),
    sliders: Sequence[Slider] = (),
    drags: Sequence[Drag] = (),
    formula: str = "",
    outputs: Mapping[str, Mapping[str, Any]] | None = None,
    height: int | None = None,
    on_release: Callable[[dict[str, float]], None] | None = None,
) -> None:
    """Draw a chart; see the head of this file for an example.

    Args:
        chart: constant as long as only data changes, so that the browser keeps its canvas; see `app.charts.compiled`.
            A dict is read once and must not change afterwards.
        key: unique on the page, a-z, 0-9, _ and -; prefix of the parameters in the shared link.
        alt: what a reader who cannot see the picture needs to know; required.
        name: file name of downloaded pictures, without ending.
        data: rows per named data source; may be replaced on every run.
        said: a sentence above the picture that changes with it, and sooner than the page's own elements (see `News`).
        kind: of the sentence, as in `app.page.status`.
        steps: how many values 0 … steps-1 the chart's parameter `step` takes; 0 draws no timeline.
        start: the step at first; negative counts from the end, so -1 follows data that streams in.
        first: the number of the first step for the reader, on the timeline and in the link; 0 where it lies before
            anything has happened.
        calls: whether `start` needs looking at: the playhead moves there on the run in which this becomes true.
        moments: none, or the epoch of each step, which the timeline then names; pictures of a page that have them
            share a clock: where the playhead of one is moved, in the browser, those of the others follow to the nearest
            epoch.
        captions: none, or one sentence per step.
        sliders: inputs that move parameters.
        drags: plots in which parameters can be dragged.
        formula: HTML or MathML with live numbers. Written by us, never by a user.
        outputs: derived data sets that the formula reads: name -> {"source": …, "transform": […]}.
        height: of each plot in px; the chart's own where None.
        on_release: takes the sliders' values when the hand lets go of one, or of a plot; then the page runs again. The
            values belong to the page from then on: it keeps them, in its link too, and sends them as `Slider.value`.

    Raises:
        ValueError: the arguments do not fit each other or the chart.
    """
    outline = _outline(Same(chart if isinstance(chart, dict) else chart.to_dict()))
    outputs = outputs or {}
    data = data or {}
    _check(key=key, alt=alt, steps=steps, captions=captions, moments=moments)
    _check_names(outline, steps=steps, sliders=sliders, drags=drags, data=data, outputs=outputs)
    callbacks = {"on_released_change": partial(_release, key, tuple(sliders), on_release)} if on_release else {}
    _component()(
        key=f"player-{key}",
        **callbacks,
        data={
            "key": key,
            "spec": outline.text,
            "data": {source: encoded(rows) for source, rows in data.items()},
            "said": said,
            "kind": kind,
            "steps": steps,
            "timed": "step" in outline.params,  # there may be steps later, so the shared link keeps its place
            "start": max(0, start + steps if start < 0 else min(start, steps - 1)),
            "first": first,
            "calls": calls,
            "moments": list(moments),
            "captions": list(captions),
            "sliders": [asdict(slider) for slider in sliders],
            "releases": on_release is not None,
            "drags": [{"view": drag.view, "set": drag.moves()} for drag in drags],
            "formula": formula,
            "outputs": {output: dict(how) for output, how in outputs.items()},
            "height": height,
            "name": name,
            "alt": alt,
            "labels": labels(),
            "bundle": ensure_bundle().name,
        },
    )


def _release(key: str, sliders: Sequence[Slider], on_release: Callable[[dict[str, float]], None]) -> None:
    """Hand on what the browser sent, as far as it is numbers that the sliders can have."""
    sent = st.session_state[f"player-{key}"].get("released")
    if isinstance(sent, Mapping) and (values := _released(sent, sliders)) is not None:
        on_release(values)


def _released(sent: Mapping[str, Any], sliders: Sequence[Slider]) -> dict[str, float] | None:
    """Read each slider's value, within its bounds; None where one is missing or no number."""
    values = {}
    for slider in sliders:
        value = sent.get(slider.param)
        if isinstance(value, bool) or not isinstance(value, int | float) or not isfinite(value):
            return None
        values[slider.param] = min(slider.maximum, max(slider.minimum, float(value)))
    return values


def labels() -> dict[str, str]:
    """Return the player's own words in the session's language."""
    return {
        "chart": _("Chart"),
        "play": _("Play"),
        "pause": _("Pause"),
        "first": _("First step"),
        "back": _("One step back"),
        "forward": _("One step forward"),
        "last": _("Last step"),
        "timeline": _("Timeline"),
        "scrub": _("Step"),
        "position": _("Step {step} of {steps}"),
        "epoch": _("Epoch {step} / {steps}"),
        "speed": _("Speed"),
        "png": _("Save as PNG"),
        "svg": _("Save as SVG"),
        "keys": _("Space plays, arrow keys step, Home and End jump, 1 to 5 set the speed."),
        "failed": _("The chart could not be drawn. Reload the page to try again."),
        "offline": _("The charting library did not load. Check the connection to the server and reload the page."),
    }


def script() -> str:
    """Join the browser's modules into the single one that Streamlit takes, dropping the imports between them."""
    return joined([*(HERE / "browser" / f"{module}.js" for module in MODULES), HERE / "player.js"])


def script_file() -> Path:
    """Write the script to the static folder, named by its content so that browsers keep it, and return its path."""
    return published("player", "js", script().encode())


def style() -> str:
    """Return the style sheet, with every quantity's colour as a variable --q-… and as a class q-… ."""
    light = "".join(f"--q-{name}: {colour.light}; " for name, colour in QUANTITIES.items())
    dark = "".join(f"--q-{name}: {colour.dark}; " for name, colour in QUANTITIES.items())
    classes = "\n".join(f".q-{name} {{ color: var(--q-{name}); }}" for name in QUANTITIES)
    sheet = "\n".join((HERE / name).read_text(encoding="utf-8") for name in ("announcer.css", "player.css"))
    return f".player {{ {light}}}\n.player[data-theme='dark'] {{ {dark}}}\n{classes}\n{sheet}"


@cache
def _component() -> Any:  # noqa: ANN401 - Streamlit's own type for it is private
    html = (HERE / "player.html").read_text(encoding="utf-8")
    return st.components.v2.component("torchscape_player", html=html, css=style(), js=loader(script_file()))


@dataclass(frozen=True)
class _Outline:
    """What the player needs to know of a spec."""

    text: str  # JSON
    params: frozenset[str]
    views: frozenset[str | None]
    sources: frozenset[str | None]


@lru_cache(maxsize=256)
def _outline(same: Same) -> _Outline:
    """Read a spec once, however often it is drawn: it holds some thousand objects. Raises ValueError."""
    spec: Mapping[str, Any] = same.value
    if "datasets" in spec and not isinstance(spec["datasets"], Mapping):
        raise ValueError("datasets must be a mapping")
    nodes = list(_nodes(spec))
    return _Outline(
        text=json.dumps(spec),
        params=frozenset(p["name"] for node in nodes for p in node.get("params", ()) if isinstance(p, dict)),
        views=frozenset(node.get("name") for node in nodes),
        sources=frozenset(node["data"].get("name") for node in nodes if isinstance(node.get("data"), dict)),
    )


def _check(*, key: str, alt: str, steps: int, captions: Sequence[str], moments: Sequence[int]) -> None:
    if not _KEY.fullmatch(key):
        raise ValueError(f"key {key!r}: use a-z, 0-9, _ and -, starting with a letter")
    if not alt.strip():
        raise ValueError("a chart needs a text alternative")
    if steps < 0:
        raise ValueError(f"steps is {steps}; use 0 for no timeline")
    if captions and len(captions) != steps:
        raise ValueError(f"{len(captions)} captions for {steps} steps; give one per step, or none")
    if moments and (len(moments) != steps or list(moments) != sorted(set(moments))):
        raise ValueError(f"{len(moments)} moments for {steps} steps; give one per step, each later than the one before")


def _check_names(
    outline: _Outline,
    *,
    steps: int,
    sliders: Sequence[Slider],
    drags: Sequence[Drag],
    data: Mapping[str, Rows],
    outputs: Mapping[str, Mapping[str, Any]],
) -> None:
    slid = {slider.param for slider in sliders}
    _refuse("the chart has no parameter", (slid | ({"step"} if steps else set())) - outline.params)
    _refuse("a dragged parameter needs a slider:", {p for drag in drags for p in drag.moves()} - slid)
    _refuse("the chart has no view", {drag.view for drag in drags} - outline.views)
    _refuse(
        "the chart has no data source", set(data) - outline.sources - {how.get("source") for how in outputs.values()}
    )


def _refuse(what: str, names: set[str]) -> None:
    if names:
        raise ValueError(f"{what} {', '.join(sorted(names))}")


def _nodes(node: Any) -> Iterator[dict[str, Any]]:  # noqa: ANN401 - any JSON value
    """Yield every object of a spec except the rows of data in it."""
    if isinstance(node, dict):
        yield node
        for key, child in node.items():
            if key not in {"datasets", "values"}:
                yield from _nodes(child)
    elif isinstance(node, list):
        for child in node:
            yield from _nodes(child)
