"""The browser's part of a component: modules joined into the one script that Streamlit takes, and served as a file.

Streamlit sends a component's script along with it on every run; only a loader travels, the script itself lies in the
static folder, from where browsers load it once and keep it.
"""

import hashlib
import re
from collections.abc import Iterable
from pathlib import Path

from app.vega import STATIC
from core.files import write_file

_LOADER = """
const script = import(new URL("app/static/%s", document.baseURI).href);
export default function (component) {
  let close, closed = false;
  script.then((module) => {
    if (!closed) close = module.default(component);
  });
  return () => {
    closed = true;
    close?.();
  };
}
"""


def joined(files: Iterable[Path]) -> str:
    """Join modules, of which each uses only what stands before it, dropping the imports between them."""
    source = "\n".join(file.read_text(encoding="utf-8") for file in files)
    source = re.sub(r"^import [^;]+;\n", "", source, flags=re.MULTILINE)
    return re.sub(r"^export (?!default)", "", source, flags=re.MULTILINE)


def published(name: str, ending: str, content: bytes) -> Path:
    """Write a file to the static folder, named by its content so that browsers may keep it, and return its path."""
    path = STATIC / f"{name}-{hashlib.sha256(content).hexdigest()[:16]}.{ending}"
    if not path.exists():
        write_file(path, content)
    return path


def loader(script: Path) -> str:
    """Return what travels in the place of a script of the static folder."""
    return _LOADER % script.name
