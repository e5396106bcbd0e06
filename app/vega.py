"""The Vega bundle that draws every chart, built on this machine from the package that carries it.

`vl_convert` holds Vega, Vega-Lite and vega-embed; one bundle of them is written to the static folder, from where
browsers load it once and keep it. Nothing is downloaded.
"""

from functools import lru_cache
from importlib.metadata import version
from pathlib import Path
from threading import Lock

from core.files import write_file

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

            path.parent.mkdir(parents=True, exist_ok=True)
            write_file(path, vl_convert.javascript_bundle(SNIPPET).encode())
    return path
