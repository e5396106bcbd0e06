"""The Vega bundle that draws every chart, built on this machine from the package that carries it.

`vl_convert` holds Vega, Vega-Lite and vega-embed; one bundle of them is written to the static folder, from where
browsers load it once and keep it. Nothing is downloaded.
"""

import os
import tempfile
from functools import lru_cache
from importlib.metadata import version
from pathlib import Path
from threading import Lock

STATIC = Path(__file__).parent / "static"
SNIPPET = "window.vegaEmbed = vegaEmbed;"  # what the bundle leaves for the player
_building = Lock()


@lru_cache(maxsize=1)
def bundle() -> Path:
    """Return where the bundle lies or will lie; a new version has a new name, so browsers never keep an old one."""
    return STATIC / f"vega-{version('vl-convert-python')}.js"


def ensure_bundle() -> Path:
    """Build the bundle where it is missing (about 2 s, once per version) and return its path.

    Call it from a background thread when the server starts; a page that needs it sooner waits here for that thread.
    """
    path = bundle()
    with _building:
        if not path.exists():
            import vl_convert

            _write_beside_and_rename(path, vl_convert.javascript_bundle(SNIPPET))
    return path


def _write_beside_and_rename(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, beside = tempfile.mkstemp(dir=path.parent, prefix=".vega-", suffix=".js")
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(text)
        Path(beside).chmod(0o644)
        Path(beside).replace(path)
    except BaseException:
        Path(beside).unlink(missing_ok=True)
        raise
