"""What the server does beside the pages: check its settings, warm what takes long, tell the browser where it is."""

import gc
import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import streamlit
from starlette.middleware import Middleware
from starlette.responses import HTMLResponse
from starlette.types import ASGIApp, Receive, Scope, Send
from streamlit import config
from streamlit.logger import get_logger
from streamlit.starlette import App

from app.course import COURSE

# Settings that decide whether a class of thirty can work; values as in .streamlit/config.toml.
REQUIRED: dict[str, object] = {
    "runner.postScriptGC": False,
    "server.fileWatcherType": "none",
    "server.enableStaticServing": True,
    "browser.gatherUsageStats": False,
}

# Screen readers choose their voice by it.
LANGUAGE = (
    "document.documentElement.lang = new URLSearchParams(location.search).get('lang')"
    " ?? (navigator.language.startsWith('zh') ? 'zh' : 'en')"
)

_logger = get_logger("torchscape")


def settings_not_in_force() -> dict[str, object]:
    """Return each required setting that has another value, with that value."""
    return {name: config.get_option(name) for name, wanted in REQUIRED.items() if config.get_option(name) != wanted}


def warm() -> None:
    """Load what the first reader of a page would wait for; runs beside the first requests."""
    from app.vega import ensure_bundle
    from core import jobs

    jobs.warm()
    ensure_bundle()
    import plotly.graph_objects  # noqa: F401 - 3-D pictures

    gc.collect()
    gc.freeze()  # what is loaded now stays: later collections need not look at it


@asynccontextmanager
async def lifespan(_: App) -> AsyncIterator[dict[str, object]]:
    """Check and warm when the server starts, before the first reader comes; workers end with it by themselves."""
    for name, value in settings_not_in_force().items():
        _logger.warning(
            "%s is %r instead of %r: .streamlit/config.toml is not in force and many readers at once will wait",
            name,
            value,
            REQUIRED[name],
        )
    threading.Thread(target=warm, daemon=True, name="warm").start()
    yield {}


class DeepLinks:
    """Serve the page of the app under each page's path, with the server's address and frame.js written into it.

    Without the address the browser looks for the server below the page that was opened (`/mse/_stcore/health`) and
    logs two errors before it tries the right place.
    """

    def __init__(self, app: ASGIApp) -> None:
        self.app = app
        names = "|".join(entry.path for entry in COURSE)
        address = f"location.origin + location.pathname.replace(/\\/({names}|home)\\/?$/, '/')"
        html = (Path(streamlit.__file__).parent / "static" / "index.html").read_text(encoding="utf-8")
        html = html.replace("<title>Streamlit</title>", "<title>Torchscape</title>")
        frame = (Path(__file__).parent / "frame.js").read_text(encoding="utf-8")
        script = f"<script>window.__streamlit = {{BACKEND_BASE_URL: {address}}}; {LANGUAGE};\n{frame}</script>"
        self.page = HTMLResponse(html.replace("<head>", f"<head>{script}", 1), headers={"Cache-Control": "no-cache"})
        self.paths = {entry.path for entry in COURSE} | {"", "home"}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request for a page's path; pass everything else on."""
        if scope["type"] == "http" and scope["method"] == "GET" and scope["path"].strip("/") in self.paths:
            await self.page(scope, receive, send)
        else:
            await self.app(scope, receive, send)


middleware = [Middleware(DeepLinks)]
