"""Loading torch beside the pages: a server that draws charts does not need it until a page runs a network.

The import takes a second or two, in which nobody's page should wait.
"""

import gc
import threading

_lock = threading.Lock()
_loading: threading.Thread | None = None
_loaded = threading.Event()


def torch_ready() -> bool:
    """Say whether torch can be used without waiting; where it cannot, begin to load it in the background."""
    global _loading  # noqa: PLW0603 - one import for the whole process is the point
    with _lock:
        if _loading is None:
            _loading = threading.Thread(target=_load, daemon=True, name="load-torch")
            _loading.start()
    return _loaded.is_set()


def wait_for_torch(seconds: float) -> bool:
    """Return whether torch can be used, after waiting for it at most so long."""
    return torch_ready() or _loaded.wait(seconds)


def _load() -> None:
    try:
        import torch

        with torch.inference_mode():  # the first operations make what the later ones use
            torch.nn.functional.conv2d(torch.zeros(1, 1, 8, 8), torch.zeros(1, 1, 3, 3))
        gc.collect()
        gc.freeze()  # its many objects stay: later collections need not look at them
    finally:
        _loaded.set()  # even where it failed: whoever uses torch then meets the error itself
