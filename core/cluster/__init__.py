"""Training on several machines: the same jobs, on a Dask cluster instead of this machine's own processes.

An app server whose TORCHSCAPE_SCHEDULER names a scheduler (tcp://host:8786) asks it for workers. Equal runs are one
task, whichever servers ask for them. The scheduler keeps what a task has reported while the task is wanted (`book`), so
that a server may come late and a worker may be lost; each server keeps the finished epochs in its own store, so that no
folder has to be shared. Everything that needs Dask is in `book`, `work` and `engine`; nothing else imports them.
"""

from __future__ import annotations

import os
from importlib.util import find_spec

from core.errors import InputError

SCHEDULER = "TORCHSCAPE_SCHEDULER"  # the variable that names the scheduler
PORT = 8786  # of the scheduler


class ClusterError(InputError):
    """The cluster cannot be used now; what is missing may come by itself."""


def scheduler_address() -> str | None:
    """Return the address of the scheduler that this server uses, None where it trains by itself."""
    return os.environ.get(SCHEDULER, "").strip() or None


def check_library() -> None:
    """Raise InputError where the library for clusters is not installed."""
    if find_spec("distributed") is None:
        raise InputError(
            "Training on several machines needs the package distributed: install what {file} lists, or leave"
            " {variable} empty to train on this machine.",
            file="requirements-cluster.txt",
            variable=SCHEDULER,
        )


def hush() -> None:
    """Have Dask log only what is wrong, in this process and in those that it starts; call it before Dask is loaded."""
    os.environ.setdefault("DASK_LOGGING__DISTRIBUTED", "warning")
