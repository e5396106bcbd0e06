"""The picture of the two training loops: its rows, its sentences, and that neither is shown before it is complete."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.charts import compiled
from app.figures import loop
from core import loops
from core.loop_costs import lines_of
from core.loop_job import PHASES, Conditions, Line, Pass, Snapshot

CONDITIONS = Conditions(
    device="cpu", threads=1, dtype="bfloat16", layout="channels_last", load=0.5, cores=2, torch="2", when="2026-01-31"
)
LOOPS = tuple(
    (name, tuple(replace(line, seconds=seconds) for line in lines_of(getattr(loops, name), {}, 1)))
    for name, seconds in (("textbook", 0.002), ("ours", 0.001))
)
TESTS = (
    Pass(grad=False, seconds=0.1, spread=0.01, kept=0),
    Pass(grad=True, seconds=0.2, spread=0.02, kept=53_000_000),
)
STATE = Snapshot(finished=True, loops=LOOPS, tests=TESTS, conditions=CONDITIONS)


def test_each_line_is_a_row_and_a_bar():
    data = loop.chart_data(LOOPS)
    for name, lines in LOOPS:
        assert data[name]["code"].tolist() == [line.code for line in lines]
        assert data[name]["share"].sum() == pytest.approx(1)
    assert compiled(loop.chart, *(len(lines) for _name, lines in LOOPS))


def test_the_table_adds_up_the_lines_of_a_phase():
    table = loop.table(LOOPS)
    assert len(table) == len(PHASES)
    for column, (_name, lines) in zip(table.columns[1:3], LOOPS, strict=True):
        assert table[column].sum() == pytest.approx(1000 * loop.total(lines))


def test_the_sentences_give_the_ratio_and_what_no_grad_saves():
    said = " ".join(sentence for sentence, _kind in loop.verdict(STATE))
    theirs, own = (loop.total(lines) for _name, lines in LOOPS)
    assert f"{theirs / own:.2g} times as fast" in said
    assert "keep 53 MB" in said
    assert "good" in {kind for _sentence, kind in loop.verdict(STATE)}
    assert "not reliable" not in said
    busy = replace(STATE, conditions=replace(CONDITIONS, load=7.0))
    assert "not reliable" in loop.verdict(busy)[0][0]
    assert "good" not in {kind for _sentence, kind in loop.verdict(busy)}


@pytest.mark.parametrize(
    ("grad", "spread", "said"),
    [(0.2, 0.02, "saves time as well"), (0.12, 0.03, "No saving of time"), (0.05, 0.0, "has disturbed one of the two")],
)
def test_no_time_is_said_to_be_saved_that_could_be_chance(grad, spread, said):
    tests = (TESTS[0], replace(TESTS[1], seconds=grad, spread=spread))
    sentence, _kind = loop.verdict(replace(STATE, tests=tests))[-1]
    assert said in sentence


@given(st.lists(st.floats(0.001, 1), min_size=1, max_size=8))
def test_written_shares_make_up_100_percent(weights):
    shares = [weight / sum(weights) for weight in weights]
    written = [int(text.removesuffix(" %")) for text in loop.percents(shares)]
    assert sum(written) == 100
    assert all(abs(whole - 100 * share) < 1 + 1e-9 for whole, share in zip(written, shares, strict=True))


def test_nothing_is_said_before_it_is_complete():
    assert loop.verdict(replace(STATE, finished=False)) == []
    assert loop.verdict(replace(STATE, loops=LOOPS[:1])) == []


def test_the_words_name_each_phase_that_took_time():
    words = loop.in_words((("ours", (Line(code="x", phase="forward", seconds=0.0012),)),))
    assert "forward 1.2 ms" in words
    assert "backward" not in words
