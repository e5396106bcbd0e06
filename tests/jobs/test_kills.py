"""A worker that is killed, with each of the models, on either engine: nothing that was finished is lost."""

import os
import signal

import pytest

from core.jobs import Jobs
from core.models import MODELS
from core.run import RunSpec
from core.store import Store
from tests.jobs.lab import WAIT
from tests.jobs.undisturbed import PLACEMENT, agrees

SMALL = {
    "inception": {"branch3x3": False, "branch5x5": False},
    "stack": {"depth": 8, "channels": 4},
    "densenet": {"growth": 4, "layers": 1},
}

pytestmark = pytest.mark.slow


@pytest.mark.parametrize("engine", ["processes", "cluster"])
@pytest.mark.parametrize("model", MODELS)
def test_a_killed_worker_goes_on_after_its_last_epoch(model, engine, request, tmp_path):
    spec = RunSpec(model=model, options=SMALL.get(model, {}), epochs=2, train_images=400, batch_size=4, seed=1)
    lab = request.getfixturevalue("lab") if engine == "cluster" else None
    jobs = lab.jobs(tmp_path) if lab else Jobs(Store(tmp_path), PLACEMENT)
    job = jobs.submit(spec)
    assert job.wait_for(lambda job: job.epochs, WAIT)
    os.kill(lab.pid_of(job.key) if lab else job.worker.process.pid, signal.SIGKILL)
    assert job.wait_for(lambda job: not job.active, WAIT)
    assert (job.restarts, job.error) == (1, None)
    agrees(job, jobs.store.load(job.key), spec)
    jobs.close()
