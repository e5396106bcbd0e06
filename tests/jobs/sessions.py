"""Ten sessions of one server submit twenty runs, each run by two of them; says on stdout what became of it.

python sessions.py STORE [SCHEDULER]: in processes of this server, or on a cluster.
"""

import gc
import json
import sys
import threading

import psutil

from core.device import find_placement
from core.job import Job
from core.jobs import Jobs, cluster_jobs
from core.run import RunSpec
from core.store import Store

WAIT = 300  # seconds
SPECS = [RunSpec(model="mlp", epochs=2, train_images=200, batch_size=8, seed=seed) for seed in range(20)]
SESSIONS = 10


def session(jobs: Jobs, number: int, seen: list[Job]) -> None:
    """Submit four runs that another session submits too, and watch them to the end, as a page does."""
    mine = [SPECS[(2 * number + step) % len(SPECS)] for step in range(4)]
    for job in [jobs.submit(spec) for spec in mine]:
        job.wait_for(lambda job: not (job.active or job.at_work), WAIT)
        seen.append(job)


def lost(job: Job) -> bool:
    """Say whether anything that the run must have reported is missing, or there twice."""
    spec = job.spec
    steps = list(range(1, spec.steps_per_epoch * spec.epochs + 1))
    return (
        [batch.step for batch in job.batches] != steps
        or [epoch.epoch for epoch in job.epochs] != list(range(1, spec.epochs + 1))
        or [inside.epoch for inside in job.insides] != list(range(spec.epochs + 1))
    )


def main() -> None:
    """Print the states, the number of workers, the runs with holes, and by how many bytes this process has grown."""
    store = Store(sys.argv[1])
    jobs = cluster_jobs(sys.argv[2], store) if sys.argv[2] else Jobs(store, find_placement("cpu", 1), slots=2)
    workers = []
    start_worker = jobs._start_worker

    def count(task):
        workers.append(task.spec)
        return start_worker(task)

    jobs._start_worker = count
    before = psutil.Process().memory_info().rss
    seen: list[Job] = []
    threads = [threading.Thread(target=session, args=(jobs, number, seen)) for number in range(SESSIONS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    gc.collect()
    said = {
        "states": [jobs.get(spec).status for spec in SPECS],
        "workers": len(workers),
        "lost": sorted({job.key for job in seen if lost(job)}),
        "grown": psutil.Process().memory_info().rss - before,
    }
    jobs.close()
    print(json.dumps(said))


if __name__ == "__main__":
    main()
