"""What the server does once, beside the pages: check its settings and warm what takes long.

Nothing here is waited for: the home page is served while this goes on.
"""

import gc
import threading
from functools import lru_cache

from streamlit import config
from streamlit.logger import get_logger

# Settings that decide whether a class of thirty can work; values as in .streamlit/config.toml.
REQUIRED = {
    "runner.postScriptGC": False,
    "server.fileWatcherType": "none",
    "server.enableStaticServing": True,
    "browser.gatherUsageStats": False,
}

_logger = get_logger("torchscape")


def settings_not_in_force() -> dict[str, object]:
    """Return each required setting that has another value, with that value."""
    return {name: config.get_option(name) for name, wanted in REQUIRED.items() if config.get_option(name) != wanted}


def _warm() -> None:
    from app.vega import ensure_bundle
    from core import jobs

    ensure_bundle()
    jobs.warm()
    import plotly.graph_objects  # noqa: F401 - imported so that the first page that needs it does not wait

    gc.collect()
    gc.freeze()  # what is loaded now stays: later collections need not look at it


@lru_cache(maxsize=1)
def begin() -> None:
    """Run once in a server's life; later calls return at once."""
    for name, value in settings_not_in_force().items():
        _logger.warning(
            "%s is %r instead of %r: .streamlit/config.toml is not in force, pages will answer slowly to many readers",
            name,
            value,
            REQUIRED[name],
        )
    threading.Thread(target=_warm, daemon=True, name="warm").start()
