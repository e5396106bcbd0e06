"""Run a page as Streamlit runs it, without a browser, and read what it says."""

import subprocess
import sys
from functools import partial
from pathlib import Path

from streamlit.testing.v1 import AppTest

ROOT = Path(__file__).parents[2]
PATIENCE = 60  # s that a run of a page may take on a busy machine


def visitor(name):
    """Return the function that opens the page of this file name."""
    return partial(_opened, ROOT / "pages" / f"{name}.py")


def _opened(path, *sections, lang="en", **query):
    """Run a page with these sections open and these parameters in its link."""
    at = AppTest.from_file(str(path), default_timeout=PATIENCE)
    at.session_state["lang"] = lang
    for name, value in (dict.fromkeys(sections, "true") | query).items():
        at.query_params[name] = value
    at.run()
    return at


def sentences(at):
    """Return what is said about input, after checking that nothing crashed."""
    assert not at.exception
    return [element.value for element in (*at.error, *at.warning)]


def said(at):
    """Return all that a page says in words, formulas and code."""
    return " ".join(element.value for element in (*at.markdown, *at.latex, *at.caption, *at.code))


def words_of(at):
    """Return the words of a page in lower case, without the signs around them."""
    return {word.strip(".,;:()*") for word in said(at).lower().split()}


def check_without_torch(name, sections):
    """Open a page with these sections in a process of its own, and see that it never loads torch."""
    program = (
        "import sys\n"
        "from tests.pages.visits import sentences, visitor\n"
        f"sentences(visitor({name!r})(*{sections!r}))\n"
        "assert 'torch' not in sys.modules\n"
    )
    done = subprocess.run([sys.executable, "-c", program], check=False, capture_output=True, text=True, cwd=ROOT)
    assert done.returncode == 0, done.stderr[-2000:]
