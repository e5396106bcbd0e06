"""The training jobs of one server: a queue, a few slots, and everything that the pages read.

Equal specs share one job. A job lives in a process of its own (core.worker) or, on another engine, wherever
`start_worker` puts it; all results live in the store, so a job outlives its process and its server.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable

from core.cluster import ClusterError, check_library, scheduler_address
from core.device import Placement, find_placement, usable_cores
from core.entries import is_imported
from core.errors import InputError
from core.job import Job, Worker
from core.kept import WorkerDiedError
from core.run import RunSpec
from core.shipped import Shipped, load_shipped, shipped_by_key, shipped_runs
from core.store import DamagedEntryError, Store
from core.worker import Finished, ProcessWorker, Task, warm_up

MAX_RESTARTS = 3  # of a worker that dies
RUNS_ON_A_GPU = 2
REMEMBERED = 32  # jobs that are kept in memory after their end; the store has them all
REMEMBERED_BYTES = 24_000_000  # that these jobs may have together
ON_CLUSTER = 256  # runs that a server follows at once on a cluster, which has its own queue
RETRY = 5.0  # seconds between two tries to reach a cluster


def runs_at_once(placement: Placement) -> int:
    """Return how many runs this machine trains side by side, at least one; a core is left for the server.

    A small run leaves a GPU idle between its launches, and a second one uses these moments. There are no more, because
    processes take turns on a GPU rather than share it, and each brings some hundred megabytes of CUDA with it. Nobody
    asks the GPU beforehand whether it has room: only the runs know what they need, and one that finds too little says
    so. (Reasoned, not measured.)
    """
    beside_the_server = max(1, (usable_cores() - 1) // placement.threads)
    return beside_the_server if placement.device == "cpu" else min(beside_the_server, RUNS_ON_A_GPU)


class Jobs:
    """The queue of one server. All methods may be called from any thread."""

    def __init__(
        self,
        store: Store | None = None,
        placement: Placement | None = None,
        slots: int | None = None,
        start_worker: Callable[[Task], Worker] = ProcessWorker,
    ) -> None:
        """Use the user's store, the best placement beside a server, and the slots of `runs_at_once`."""
        self.store = store or Store()
        self.placement = placement or find_placement(shared=True)
        self._slots = slots or runs_at_once(self.placement)
        self._start_worker = start_worker
        self._jobs: dict[str, Job] = {}  # trained here
        self._others: dict[str, Job] = {}  # shipped and imported
        self._queue: deque[Job] = deque()
        self._running: set[Job] = set()
        self._closed = False
        self._lock = threading.RLock()

    def submit(self, spec: RunSpec, *, fresh_here: bool = False) -> Job:
        """Return the job of this spec: the one under way, the kept result, or a new one that waits for a slot.

        An interrupted run goes on after its last finished epoch. `fresh_here` trains it here even where it ships with
        the project.
        """
        with self._lock:
            kept = self._here(spec.key(self.placement), spec) if fresh_here else self.get(spec)
            if kept and (kept.active or kept.status == "done"):
                return kept
            job = Job(spec, self.placement, kept)
            self._remember(job)
            self._queue.append(job)
            self._fill_slots()
            return job

    def get(self, what: RunSpec | str) -> Job | None:
        """Return the job of a spec or key, from memory or from the store; never starts one.

        A run that is kept but not finished comes as a cancelled job with the epochs that it has. A run that was not
        trained here comes from those that ship with the project, or by its key from the imported ones; see `origin`.
        """
        with self._lock:
            if isinstance(what, str):
                return self._here(what, None) or self._elsewhere(what, shipped_by_key(what))
            job = self._here(what.key(self.placement), what)
            if job is not None and (job.active or job.epochs or job.notices or job.status == "failed"):
                return job
            found = next((run for run in shipped_runs() if run.spec == what), None)
            return (self._elsewhere(found.summary.key, found) if found else None) or job

    def cancel(self, key: str) -> None:
        """Stop a job within a step, or take it out of the queue; what is finished stays kept."""
        with self._lock:
            job = self._jobs.get(key)
            if job is None or not job.active:
                return
            job.status, job.position = "cancelled", 0
            if job in self._queue:
                self._queue.remove(job)
                self._fill_slots()
            if job.worker:
                job.worker.cancel()
        job.tell()

    def list(self) -> list[Job]:
        """Return the jobs in memory, the latest first."""
        with self._lock:
            return list(self._jobs.values())[::-1]

    def resume_interrupted(self) -> None:
        """Go on with the runs that were being trained when the server ended; cancelled ones stay as they are."""
        for run in self.store.runs():
            if run.to_resume and run.spec is not None and run.spec.key(self.placement) == run.key:
                self.submit(run.spec)

    def close(self) -> None:
        """End all workers at once, as the end of the server does; their runs can be resumed."""
        with self._lock:
            self._closed = True
            self._queue.clear()
            running = list(self._running)
            for job in running:
                if job.worker:
                    job.worker.kill()
        for job in running:
            job.wait_for(lambda job: not job.at_work, timeout=10)

    def _here(self, key: str, spec: RunSpec | None) -> Job | None:
        """Return the job of a run that was or is trained here."""
        job = self._jobs.get(key)
        if job and (job.active or job.at_work or job.stamp == self.store.stamp(key)):
            return job
        return (None if is_imported(key) else self._from_store(key, spec)) or job

    def _elsewhere(self, key: str, shipped: Shipped | None) -> Job | None:
        """Return the job of a run that was trained elsewhere: the shipped one, or an imported one of that key."""
        if shipped is None and not is_imported(key):
            return None
        stamp = shipped or self.store.stamp(key)
        job = self._others.get(key)
        if job is None or job.stamp != stamp:
            try:
                entry = load_shipped(shipped) if shipped else self.store.load(key)
            except InputError:
                return None  # damaged; an imported run was set aside
            if entry is None:
                return None
            job = Job(entry.spec, entry.placement, entry)
            job.key, job.origin, job.stamp = key, "shipped" if shipped else "imported", stamp
            job.status, job.cached = ("done" if entry.state == "done" else "cancelled"), entry.state == "done"
            self._remember(job)
        return job

    def _from_store(self, key: str, spec: RunSpec | None) -> Job | None:
        """Read a kept run into memory; a damaged one becomes a cancelled job without epochs that says so."""
        try:
            entry = self.store.load(key)
        except DamagedEntryError as error:
            if spec is None:
                return None
            job = Job(spec, self.placement)
            job.notices.append(error)
        else:
            if entry is None:
                return None
            job = Job(entry.spec, entry.placement, entry)
            job.cached = entry.state == "done"
        job.status = "done" if job.cached else "cancelled"
        job.stamp = self.store.stamp(key)
        self._remember(job)
        return job

    def _remember(self, job: Job) -> None:
        """Keep a job in memory, and forget those that ended longest ago where there are too many."""
        jobs = self._jobs if job.origin == "here" else self._others
        jobs.pop(job.key, None)
        jobs[job.key] = job
        for remembered in (self._others, self._jobs):
            ended = [one for one in remembered.values() if not one.active and not one.at_work and one is not job]
            size = sum(one.size for one in ended)
            for place, one in enumerate(ended):
                if len(ended) - place <= REMEMBERED and size <= REMEMBERED_BYTES // 2:
                    break
                size -= one.size
                del remembered[one.key]

    def _fill_slots(self) -> None:
        """Start jobs while there are slots; the caller holds the lock."""
        started = []
        while self._queue and len(self._running) < self._slots and not self._closed:
            job = self._queue.popleft()
            job.status, job.position, job.at_work = "running", 0, True
            self._running.add(job)
            started.append(job)
        for position, job in enumerate(self._queue, start=1):
            job.position = position
        for job in started:
            threading.Thread(target=self._run, args=(job,), daemon=True, name=f"job-{job.key}").start()
            job.tell()

    def _run(self, job: Job) -> None:
        """Follow a job to its end, in a thread of its own."""
        try:
            status, error = self._follow(job)
        except OSError as problem:
            reason = problem.strerror or type(problem).__name__
            status, error = "failed", InputError("No training process could be started ({reason}).", reason=reason)
        with self._lock:
            job.at_work, job.worker, job.stamp = False, None, self.store.stamp(job.key)
            self._running.discard(job)
            job.end(status, error)
            self._fill_slots()

    def _follow(self, job: Job) -> tuple[str, InputError | None]:
        """Start a worker, and again where one dies; return the job's last status and what went wrong."""
        task = Task(spec=job.spec, placement=job.placement, root=self.store.root, limit=self.store.limit)
        while True:
            worker = self._start_worker(task)
            with self._lock:
                job.worker = worker
                if job.status == "cancelled":
                    worker.cancel()
                if self._closed:
                    worker.kill()
            try:
                for events in worker.events():
                    job.apply(events)
                    if isinstance(events[-1], Finished):
                        return _last_status(events[-1])
            except WorkerDiedError as death:
                if self._closed or job.status == "cancelled":
                    return "cancelled", None
                job.restarts += 1
                if job.restarts > MAX_RESTARTS:
                    return "failed", InputError(
                        "The training process ended {count} times without a word ({reason}). Start the run again; it"
                        " goes on after its last finished epoch.",
                        count=job.restarts,
                        reason=str(death),
                    )


def _last_status(last: Finished) -> tuple[str, InputError | None]:
    if last.error is not None:
        return "failed", last.error
    return ("cancelled" if last.cancelled else "done"), None


_manager: Jobs | None = None
_manager_lock = threading.Lock()


_refused: tuple[float, ClusterError] | None = None  # when, and why there were no jobs


def manager() -> Jobs:
    """Return this process's jobs, made at the first call: on this machine, or on the cluster that is named.

    Raises InputError where there is no such cluster or no place to keep runs; the next call tries again.
    """
    global _manager, _refused  # noqa: PLW0603 - one queue for the whole process is the point
    with _manager_lock:
        if _manager is None:
            if _refused and time.monotonic() < _refused[0] + RETRY:
                raise _refused[1].with_traceback(None)
            try:
                address = scheduler_address()
                _manager = cluster_jobs(address) if address else Jobs()
            except ClusterError as error:
                _refused = time.monotonic(), error
                raise
        return _manager


def cluster_jobs(address: str, store: Store | None = None) -> Jobs:
    """Return jobs whose runs are trained by a cluster. Raises InputError where it or the library for it is missing."""
    check_library()
    from core.cluster.engine import Cluster

    cluster = Cluster(address)
    try:
        placement = cluster.placement()
    except ClusterError:
        cluster.close()
        raise
    return Jobs(store, placement, slots=ON_CLUSTER, start_worker=cluster.start)


def warm() -> None:
    """Start what training needs in the background and go on with the runs that the last server left; returns at once.

    Called once when the server starts. Until it is through, a job takes 3 s to its first metric instead of 0.3 s.
    """
    threading.Thread(target=_warm, daemon=True, name="warm-training").start()


def _warm() -> None:
    while True:
        try:
            manager().resume_interrupted()  # first, so that a reader who comes at once finds them under way
            if not scheduler_address():
                warm_up()
        except ClusterError:
            time.sleep(RETRY)  # in a lab, machines start in any order
        except (InputError, OSError):
            return  # the first job meets the same trouble and says so on its page
        else:
            return
