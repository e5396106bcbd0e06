"""Run a page as Streamlit runs it, without a browser, and read what it says."""

import json
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


def _opened(path, /, *sections, lang="en", **query):
    """Run a page with these sections open and these parameters in its link."""
    at = AppTest.from_file(str(path), default_timeout=PATIENCE)
    at.session_state["lang"] = lang
    for name, value in (dict.fromkeys(sections, "true") | query).items():
        at.query_params[name] = value
    at.run()
    return at


def visitor_of_app(name, patience=PATIENCE):
    """Return the function that opens the page of this file name in the whole app, by a link, as a new reader."""
    return partial(_opened_in_app, ROOT / "pages" / f"{name}.py", patience)


def _opened_in_app(path, patience, /, *sections, lang="en", **query):
    at = AppTest.from_file(str(ROOT / "app" / "main.py"), default_timeout=patience)
    at.query_params["lang"] = lang
    at.run().switch_page(str(path))
    for name, value in ({"lang": lang} | dict.fromkeys(sections, "true") | query).items():
        at.query_params[name] = str(value)
    return fine(at.run())


def fine(at):
    """Return a page after checking that nothing crashed."""
    assert not at.exception
    return at


def pictures(at):
    """Return what each player got, by its key."""
    sent = [json.loads(component.proto.json) for component in at.get("bidi_component")]
    return {data["key"]: data for data in sent}


def sentences(at):
    """Return what is said about input, after checking that nothing crashed."""
    fine(at)
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
