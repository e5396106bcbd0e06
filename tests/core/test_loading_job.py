"""The measurement of loading times: what it finds, that there is one at a time, and that nothing outlives it."""

import json
import os
import select
import subprocess
import sys
from dataclasses import asdict
from pathlib import Path

import numpy as np
import pytest

from core import loading_job
from core.datasets import mnist
from core.loading_job import Conditions, Measurement, Snapshot, Timing
from core.packed import WAYS, pack
from tests.core.watched import BLOCK, Watched, program, wait_for

ROOT = Path(__file__).parents[2]
CONDITIONS = Conditions(
    cores=2, memory=8, load=0.5, system="Linux", torch="2", when="2026-01-31 13:45", on_disk=1, decoded=2, batch_size=32
)
TIMING = Timing(
    way="demand", workers=2, reading=0.1, first_batch=2.0, waiting=1.0, training=0.5, samples=600, memory=480_000
)
LINES = [
    {"kind": "conditions", **asdict(CONDITIONS)},
    {"kind": "progress", "done": 0.5, "way": "demand", "workers": 2},
    {"kind": "timing", **asdict(TIMING)},
]


@pytest.fixture(scope="module")
def packed(tmp_path_factory):
    return pack(tmp_path_factory.mktemp("packed"))


@pytest.mark.parametrize("way", WAYS)
def test_both_ways_read_the_same_images(packed, way):
    images = WAYS[way](packed)
    assert len(images) == 60_000
    for index in (0, 1, 31_415, 59_999):
        np.testing.assert_array_equal(images[index], mnist().train_images[index])
    assert images.memory == {"demand": 8 * 60_001, "once": 60_000 * 28 * 28}[way]


@pytest.mark.slow
def test_the_program_measures_with_and_without_workers(packed):
    code = (
        "import sys; from pathlib import Path; from core import loading_time as t\n"
        "t.BATCHES, t.PLAN = 2, (('demand', 0), ('demand', 1), ('once', 0))\n"
        f"t.main(Path({str(packed)!r}))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, check=True, capture_output=True, text=True, timeout=120
    )
    records = [json.loads(line) for line in done.stdout.splitlines()]
    assert records[-1] == {"kind": "done"}
    (conditions,) = (record for record in records if record["kind"] == "conditions")
    assert conditions["decoded"] == 60_000 * 3 * 128 * 128 * 4
    timings = [record for record in records if record.pop("kind") == "timing"]
    assert [(timing["way"], timing["workers"]) for timing in timings] == [("demand", 0), ("demand", 1), ("once", 0)]
    for timing in (Timing(**values) for values in timings):
        assert timing.samples == 64
        assert min(timing.waiting, timing.training, timing.first_batch) > 0
    assert timings[1]["first_batch"] > timings[0]["first_batch"]  # the worker has to load torch first
    parts = [record["done"] for record in records if "done" in record]
    assert parts == sorted(parts)
    assert parts[-1] == 1


@pytest.mark.slow
@pytest.mark.skipif(not hasattr(os, "pidfd_open"), reason="needs Linux, where the end of any process can be waited for")
def test_the_program_and_its_workers_end_when_the_server_does(packed):
    code = (
        "import sys; from pathlib import Path; from tests.core.watched import Watched, wait_for\n"
        f"m = Watched(Path({str(packed)!r})); m.start()\n"
        "wait_for(m, lambda snapshot: any(timing.workers == 0 for timing in snapshot.timings), 120)\n"
        "print(m._process.pid, flush=True); sys.stdin.read()\n"
    )
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
    with subprocess.Popen([sys.executable, "-c", code], cwd=ROOT, **pipes, text=True) as server:
        group = int(server.stdout.readline())
        assert living(group)
        server.kill()
    while processes := living(group):  # a last worker may just have been started
        for process in processes:
            assert ends(process, seconds=20)


def living(group):
    """Return the processes of a group that still run; one whose parent has not asked for its end is no more."""
    found = subprocess.run(["ps", "-eo", "pgid=,pid=,stat="], check=True, capture_output=True, text=True).stdout
    rows = (line.split() for line in found.splitlines())
    return [int(pid) for member_of, pid, state in rows if int(member_of) == group and not state.startswith("Z")]


def ends(process, seconds):
    """Wait for the end of a process, and say whether it came."""
    try:
        end = os.pidfd_open(process)
    except ProcessLookupError:
        return True
    try:
        return bool(select.select([end], [], [], seconds)[0])
    finally:
        os.close(end)


def test_what_is_measured_is_shown_and_kept(tmp_path):
    measurement = Watched(tmp_path, program(*LINES, {"kind": "done"}))
    assert measurement.snapshot == Snapshot()
    measurement.start()
    found = wait_for(measurement, lambda snapshot: snapshot.finished and (tmp_path / "latest.json").exists())
    assert (found.conditions, found.timings, found.error) == (CONDITIONS, (TIMING,), None)
    again = Measurement(tmp_path).snapshot
    assert (again.conditions, again.timings, again.finished, again.running) == (CONDITIONS, (TIMING,), True, False)


@pytest.mark.parametrize("content", ["", "[]", "{}", '{"format": 1, "conditions": {}, "timings": []}', '{"format": 9}'])
def test_a_damaged_result_is_measured_again(tmp_path, content):
    (tmp_path / "latest.json").write_text(content)
    assert Measurement(tmp_path).snapshot == Snapshot()


def test_one_runs_at_a_time_and_stops_when_it_is_told(tmp_path):
    measurement = Watched(tmp_path, program(*LINES, then=BLOCK))
    measurement.start()
    wait_for(measurement, lambda snapshot: snapshot.timings)
    process = measurement._process
    measurement.start()
    assert measurement._process is process
    assert measurement.snapshot.running
    assert (measurement.snapshot.way, measurement.snapshot.workers) == ("demand", 2)
    measurement.stop()
    assert process.wait(10) != 0
    stopped = measurement.snapshot
    assert stopped == Snapshot(stopped=stopped.stopped)  # everybody is told
    assert ":" in stopped.stopped
    measurement.stop()
    assert measurement.snapshot is stopped  # nothing ran
    measurement.start()
    assert measurement.snapshot.stopped == ""
    wait_for(measurement, lambda snapshot: snapshot.timings)
    measurement.stop()


def test_it_measures_twice_and_remembers_how_long_it_took(tmp_path):
    measurement = Watched(tmp_path, program(*LINES, {"kind": "done"}))
    for _time in range(2):
        measurement.start()
        found = wait_for(measurement, lambda snapshot: snapshot.finished)
        assert found.timings == (TIMING,)
        assert Measurement(tmp_path).snapshot.took == found.took > 0
    measurement.program = program(*LINES, then=BLOCK)
    measurement.start()
    assert measurement.snapshot.took == found.took  # so that the page can say how long it may take
    measurement.stop()


@pytest.mark.parametrize(
    ("ending", "reason"),
    [
        ("raise SystemExit(3)", "exit code 3"),
        ("print(json.dumps({'kind': 'failed', 'reason': 'OSError: no space left'}))", "no space left"),
    ],
)
def test_a_measurement_that_fails_says_why_and_the_last_one_stays(tmp_path, ending, reason):
    Measurement(tmp_path)._keep(Snapshot())  # nothing to keep: no file
    assert not (tmp_path / "latest.json").exists()
    good = Watched(tmp_path, program(*LINES, {"kind": "done"}))
    good.start()
    wait_for(good, lambda _: (tmp_path / "latest.json").exists())
    measurement = Watched(tmp_path, program(LINES[0], then=ending))
    measurement.start()
    found = wait_for(measurement, lambda snapshot: snapshot.error is not None and not snapshot.running)
    assert reason in str(found.error)
    assert found.timings == (TIMING,)


def test_a_server_has_one_measurement(tmp_path, monkeypatch):
    monkeypatch.setenv("TORCHSCAPE_HOME", str(tmp_path))
    monkeypatch.setattr(loading_job, "_measurement", None)
    assert loading_job.measurement() is loading_job.measurement()
    assert loading_job.measurement().kept_file.parent == tmp_path / "loading"
