"""Many sessions of one server, on either engine."""

import json
import subprocess
import sys

import pytest

from tests.jobs.lab import ROOT, WAIT

pytestmark = pytest.mark.slow


@pytest.mark.parametrize("engine", ["processes", "cluster"])
def test_ten_sessions_share_twenty_jobs(engine, request, tmp_path):
    """In a process of its own, whose memory is measured."""
    address = request.getfixturevalue("lab").address if engine == "cluster" else ""
    before = request.getfixturevalue("lab").tasks() if address else 0
    done = subprocess.run(
        [sys.executable, "-m", "tests.jobs.sessions", str(tmp_path), address],
        cwd=ROOT, capture_output=True, text=True, check=True, timeout=WAIT,
    )  # fmt: skip
    said = json.loads(done.stdout)
    assert said["states"] == ["done"] * 20
    assert said["workers"] == 20  # none was started twice
    assert said["lost"] == []
    assert said["grown"] < 50e6  # bytes
    if address:
        assert request.getfixturevalue("lab").tasks() - before == 20
