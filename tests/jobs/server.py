"""A server as far as jobs are concerned: owns the jobs, submits one run, tells how it goes on stdout.

python server.py STORE SPEC_JSON: submits the run, or with no SPEC_JSON goes on with what was interrupted.
"""

import json
import sys

from core.device import find_placement
from core.jobs import Jobs
from core.run import RunSpec
from core.store import Store

PLACEMENT = find_placement("cpu", 1)


def main() -> None:
    """Print "epoch N" when the first batch of epoch N arrives, then the last status."""
    jobs = Jobs(Store(sys.argv[1]), PLACEMENT)
    if len(sys.argv) > 2:
        jobs.submit(RunSpec(**json.loads(sys.argv[2])))
    else:
        jobs.resume_interrupted()
    for job in jobs.list():
        for epoch in range(1, job.spec.epochs + 1):
            job.wait_for(lambda job, e=epoch: not job.active or (job.batches and job.batches[-1].epoch >= e), 60)
            print(f"epoch {epoch}", flush=True)
        job.wait_for(lambda job: not job.active, 60)
        print(job.status, job.resumed_from, flush=True)


if __name__ == "__main__":
    main()
