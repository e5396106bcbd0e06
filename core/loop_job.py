"""What the lines of the two training loops cost on this server, measured for one network at a time."""

from __future__ import annotations

import ast
import textwrap
import threading
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any

from core.measuring import Measuring, State
from core.messages import N_
from core.run import RunSpec
from core.store import Store

PROGRAM = ("-m", "core.loop_costs")
BATCH = 64  # images of a step
STEPS = 120  # of each loop, taken by turns
TEST_IMAGES = 1_000  # of the forward pass with and without no_grad

# The steps that a line of a loop can belong to, with what each is for and what happens without it.
PHASES: dict[str, tuple[str, str]] = {
    "data": (N_("data"), N_("The next batch. The textbook's loader opens, scales and stacks 64 images one by one.")),
    "device": (
        N_("to the device"),
        N_("Weights and data must lie on the same device; without this line a GPU run ends in an error."),
    ),
    "clear": (
        N_("zero_grad"),
        N_("backward() adds to the gradients that are there. Without this line each step moves by the sum of all."),
    ),
    "forward": (N_("forward"), N_("The network computes its scores and keeps what the way back will need.")),
    "loss": (N_("loss"), N_("One number that says how wrong the scores are.")),
    "backward": (N_("backward"), N_("The chain rule from the loss to each weight: about twice the work of forward.")),
    "update": (
        N_("update"),
        N_("The optimizer moves each weight against its gradient. Without it nothing is learned."),
    ),
    "read": (N_("reading the loss"), N_("A GPU works ahead of Python; item() waits until it has caught up.")),
}


@cache
def listing(name: str) -> str:
    """Return the lines of a loop of core.loops, "textbook" or "ours", as they are written there; loads no torch."""
    text = Path(__file__).with_name("loops.py").read_text(encoding="utf-8")
    functions = {node.name: node for node in ast.parse(text).body if isinstance(node, ast.FunctionDef)}
    (loop,) = (node for node in functions[name].body if isinstance(node, ast.For))
    return textwrap.dedent("\n".join(text.splitlines()[loop.lineno - 1 : loop.end_lineno]))


@dataclass(frozen=True, kw_only=True)
class Line:
    """One line of a loop."""

    code: str  # without its comment
    phase: str  # a name in PHASES
    seconds: float  # a step, mean over the steps


@dataclass(frozen=True, kw_only=True)
class Pass:
    """One forward pass over the test images."""

    grad: bool  # whether what a backward pass needs was kept
    seconds: float  # fastest of a few
    spread: float  # s by which the middle one of them was slower
    kept: int  # bytes that were kept for it


@dataclass(frozen=True, kw_only=True)
class Conditions:
    """What the figures depend on."""

    device: str
    threads: int
    dtype: str  # of our loop; the textbook's computes in float32
    layout: str  # of our loop
    load: float  # average number of busy processes in the minute before; NaN where the system does not say
    cores: int
    torch: str  # version
    when: str  # "2026-01-31 13:45", the server's time


@dataclass(frozen=True, kw_only=True)
class Snapshot(State):
    """What a page shows; it never changes."""

    loops: tuple[tuple[str, tuple[Line, ...]], ...] = ()  # "textbook" and "ours"
    tests: tuple[Pass, ...] = ()
    conditions: Conditions | None = None


class LoopCosts(Measuring[Snapshot]):
    """The measurement of core.loop_costs for one network."""

    format = 2
    blank = Snapshot()

    def __init__(self, model: str, store: Store, program: Sequence[str] = PROGRAM, data: str = "mnist") -> None:
        """Measure a network of core.models at its defaults on a set of images; keep the result in the store's folder.

        Raises InputError where the network does not take such images.
        """
        RunSpec(model=model, data=data)
        name = model if data == "mnist" else f"{model}-{data}"
        super().__init__(store.root / "loops" / f"{name}.json", (*program, model, data))

    def take(self, snapshot: Snapshot, kind: str, record: dict[str, Any]) -> Snapshot:
        """Add a loop, a test, or the conditions."""
        if kind == "conditions":
            return replace(snapshot, conditions=Conditions(**record))
        if kind == "test":
            return replace(snapshot, tests=(*snapshot.tests, Pass(**record)))
        return replace(snapshot, loops=(*snapshot.loops, (record["name"], _lines(record["lines"]))))

    def content(self, snapshot: Snapshot) -> dict[str, Any]:
        """Return all that was found."""
        if snapshot.conditions is None:
            return {}
        loops = {name: [asdict(line) for line in lines] for name, lines in snapshot.loops}
        tests = [asdict(each) for each in snapshot.tests]
        return {"loops": loops, "tests": tests, "conditions": asdict(snapshot.conditions)}

    def read(self, content: dict[str, Any]) -> Snapshot:
        """Return what was measured."""
        return Snapshot(
            loops=tuple((name, _lines(lines)) for name, lines in content["loops"].items()),
            tests=tuple(Pass(**each) for each in content["tests"]),
            conditions=Conditions(**content["conditions"]),
        )


def _lines(rows: list[dict[str, Any]]) -> tuple[Line, ...]:
    lines = tuple(Line(**row) for row in rows)
    if unknown := {line.phase for line in lines} - PHASES.keys():
        raise ValueError(f"no phase {unknown}")
    return lines


_costs: dict[tuple[str, str], LoopCosts] = {}
_making = threading.Lock()


def loop_costs(model: str, data: str = "mnist") -> LoopCosts:
    """Return this server's measurement of a network on a set of images. Raises InputError as `LoopCosts` does."""
    with _making:
        if (model, data) not in _costs:
            _costs[model, data] = LoopCosts(model, Store(), data=data)
        return _costs[model, data]
