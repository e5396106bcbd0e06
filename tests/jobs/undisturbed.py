"""A run as this process trains it, undisturbed: what everything else has to agree with, bit for bit."""

import tempfile
from functools import cache

from core.device import find_placement
from core.kept import kept_run
from core.store import Store
from tests.core.test_train import numbers

PLACEMENT = find_placement("cpu", 1)


@cache
def undisturbed_store():
    folder = tempfile.TemporaryDirectory()
    return folder, Store(folder.name)


def undisturbed(spec):
    """Return the run as this process trains it."""
    _, store = undisturbed_store()
    list(kept_run(spec, PLACEMENT, store, owner="terminal"))
    return store.load(spec.key(PLACEMENT))


def agrees(job, entry, spec):
    """Compare what a page has, and what is kept, with the undisturbed run."""
    run = undisturbed(spec)
    assert job.status == "done"
    for name in ("batches", "epochs", "insides"):
        assert numbers(getattr(job, name)) == numbers(getattr(run, name)) == numbers(getattr(entry, name))
    assert entry.state == "done"
    assert entry.checkpoint.weights == run.checkpoint.weights
