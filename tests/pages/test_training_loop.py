"""The section with the two training loops: it measures on request and shows what was measured."""

import threading
from dataclasses import asdict

import pytest
from streamlit.testing.v1 import AppTest

from app.figures import loop as figure
from core import loop_job
from core.loop_job import LoopCosts
from core.store import Store
from tests.app.test_figures_loop import LOOPS
from tests.core.test_loops import CONDITIONS, PRINT


def section():
    import streamlit as st

    from core.run import RunSpec
    from pages.parts.training_loop import show

    st.session_state.setdefault("lang", st.query_params.get("lang", "en"))
    show(None, RunSpec(), None)


def records(*, ending="done"):
    lines = {name: [asdict(line) for line in rows] for name, rows in LOOPS}
    return [
        {"kind": "conditions", **CONDITIONS},
        *({"kind": "loop", "name": name, "lines": rows} for name, rows in lines.items()),
        {"kind": "test", "grad": False, "seconds": 0.1, "spread": 0.01, "kept": 0},
        {"kind": "test", "grad": True, "seconds": 0.2, "spread": 0.01, "kept": 53_000_000},
        {"kind": ending, **({} if ending == "done" else {"reason": "no room"})},
    ]


def measured(tmp_path, monkeypatch, **how):
    """Give the server a measuring program that prints these records."""
    costs = LoopCosts("cnn", Store(tmp_path), program=("-c", PRINT.format(records=records(**how))))
    monkeypatch.setattr(loop_job, "_costs", {("cnn", "mnist"): costs})
    return costs


def finish():
    for thread in (each for each in threading.enumerate() if each.name == "measuring"):
        thread.join(30)


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_it_is_measured_on_request_and_shown(tmp_path, monkeypatch, lang):
    costs = measured(tmp_path, monkeypatch)
    at = AppTest.from_function(section, default_timeout=60)
    at.session_state["lang"] = lang
    at.run()
    assert not at.exception
    assert not at.dataframe
    shown = "\n".join(block.value for block in at.code)  # before anything is measured
    assert all(line.code in shown for _name, lines in LOOPS for line in lines)
    at.button(key="start_loop").click().run()
    finish()
    at.run()
    assert not at.exception
    assert costs.snapshot.finished
    assert not at.code
    assert len(at.dataframe[0].value) == len(figure.PHASES)
    text = " ".join(element.value for element in at.markdown)
    assert "53 MB" in text


def test_a_measurement_that_fails_says_why(tmp_path, monkeypatch):
    measured(tmp_path, monkeypatch, ending="failed")
    at = AppTest.from_function(section, default_timeout=60).run()
    at.button(key="start_loop").click().run()
    finish()
    at.run()
    assert not at.exception
    assert "no room" in at.error[0].value
