"""One thread of a server for all that a page asks of torch for a moment, and torch loaded beside the pages.

The import takes a second or two, in which nobody's page should wait. One thread, because torch keeps much for each
thread that uses it, and a forward pass of one image is too little work for more.
"""

from __future__ import annotations

import gc
import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from functools import cache
from typing import TypeVar

from core.device import spin_briefly

Result = TypeVar("Result")

_lock = threading.Lock()


def torch_ready() -> bool:
    """Say whether torch can be used without waiting; where it cannot, begin to load it in the background."""
    with _lock:  # two first readers would load it twice
        return _loaded().done()


def in_torch_thread(function: Callable[[], Result]) -> Result:
    """Return what a function returns that uses torch; waits for torch where it is not loaded."""
    with _lock:
        _loaded()
    return _thread().submit(function).result()


@cache
def _thread() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(max_workers=1, thread_name_prefix="torch")


@cache
def _loaded() -> Future[None]:
    return _thread().submit(_load)


def _load() -> None:
    spin_briefly()
    import torch

    import core.train  # noqa: F401 - it builds the networks

    torch.set_num_threads(1)
    with torch.inference_mode():  # the first operations make what the later ones use
        torch.nn.functional.conv2d(torch.zeros(1, 1, 8, 8), torch.zeros(1, 1, 3, 3))
    gc.collect()
    gc.freeze()  # its many objects stay: later collections need not look at them
