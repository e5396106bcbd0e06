"""A server and a Chromium for the browser tests, and a page that fails its test when the browser complains."""

import os
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import sync_playwright

from benchmarks.serving import serving
from tests.browser.chromium import find
from tests.browser.trainings import COMPARED, PATIENCE, SMALL, start
from tests.browser.views import SCRIPT, drawn

DEMO = Path(__file__).parent / "demo" / "main.py"
FLAGS = ("--no-sandbox", "--disable-background-networking", "--disable-component-update", "--disable-sync")


def pytest_collection_modifyitems(items):
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.browser)


@pytest.fixture(scope="session")
def chromium():
    if (path := find()) is None:
        missing = "no Chromium; `make chromium` installs one"
        pytest.fail(missing) if os.environ.get("CI") else pytest.skip(missing)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=list(FLAGS))
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def app_address(tmp_path_factory):
    """The address of the app, with an empty store of runs."""
    with serving(home=tmp_path_factory.mktemp("home")) as address:
        yield address


@pytest.fixture(scope="session")
def trained_address(app_address, chromium):
    """The app after the small run was trained in it."""
    page = chromium.new_page()
    page.goto(f"{app_address}/training?{SMALL}")
    page.locator(".st-key-start button").wait_for()
    if page.locator(".st-key-start button:enabled").count():
        start(page)
    page.get_by_text("Trained: test accuracy").wait_for(timeout=PATIENCE)
    page.goto(f"{app_address}/training?{COMPARED}")
    page.get_by_role("button", name="Train the missing run").click()
    page.locator(".player .scrub:visible").wait_for(timeout=PATIENCE)
    page.close()
    return app_address


@pytest.fixture(scope="session")
def demo_address(tmp_path_factory):
    """The address of the small app that mounts the player in every way."""
    with serving(DEMO, home=tmp_path_factory.mktemp("home")) as address:
        yield address


@pytest.fixture
def demo(visit, demo_address):
    """Open the demo's first page."""
    return lambda query="", **options: visit(f"{demo_address}/{query}", **options)


@pytest.fixture(scope="session")
def kept_contexts(chromium):
    """Browser contexts by their options: what the next test opens finds the app's scripts in the browser's cache."""
    contexts = {}
    yield contexts
    for context in contexts.values():
        context.close()


@pytest.fixture
def visit(chromium, kept_contexts):
    """Open pages, each in a context of its own; a complaint on the console or a request elsewhere fails the test.

    `prepare(page)` is called before the page is loaded; other options are those of a browser context.
    """
    contexts, pages, complaints, taken = [], [], [], set()

    def context_of(options):
        """Take the kept context; a second page like it, which must not know the first, gets a context of its own."""
        name = repr(sorted(options.items()))
        if name in taken:
            contexts.append(chromium.new_context(**options))
            return contexts[-1]
        taken.add(name)
        return kept_contexts.get(name) or kept_contexts.setdefault(name, chromium.new_context(**options))

    def open_page(address, prepare=None, **options):
        context = context_of({"viewport": {"width": 1200, "height": 900}, "locale": "en-GB"} | options)
        page = context.new_page()
        pages.append(page)
        forget(page, address)
        page.set_default_timeout(20_000)
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on("console", lambda message: complaints.append(message.text) if is_complaint(message) else None)
        page.on("request", lambda request: complaints.append(request.url) if is_elsewhere(request.url) else None)
        if prepare:
            prepare(page)
        page.goto(address)
        return page

    yield open_page
    for opened in (*pages, *contexts):
        opened.close()
    assert complaints == []


def forget(page, address):
    """Forget what pages before this one left in the browser, but for its cache of scripts."""
    origin = "{0.scheme}://{0.netloc}".format(urlsplit(address))
    kinds = "cookies,local_storage,indexeddb,service_workers"
    page.context.new_cdp_session(page).send("Storage.clearDataForOrigin", {"origin": origin, "storageTypes": kinds})


@pytest.fixture
def show(visit, app_address):
    """Open a page of the app and wait for the picture that draws from a data source, until all is at rest.

    Returns the page and the list of what it sends to the server from then on.
    """

    def open_page(path, source, **options):
        sent = []

        def prepare(page):
            page.add_init_script(path=SCRIPT)
            page.on("websocket", lambda socket: socket.on("framesent", lambda frame: sent.append(frame)))  # noqa: PLW0108 - it marks its handlers

        page = visit(f"{app_address}/{path}", prepare, **options)
        drawn(page, source)
        sent.clear()
        return page, sent

    return open_page


def is_complaint(message):
    # On a deep link into the demo Streamlit first looks for its server below the page's own path (the app tells it);
    # the browser comments on how Plotly draws in 3-D, above all without a graphics card.
    is_advice = message.text.startswith(("[.WebGL-", "Canvas2D: Multiple readback"))
    return message.type in {"error", "warning"} and not is_advice and "/_stcore/" not in message.location.get("url", "")


def is_elsewhere(url):
    return not url.startswith(("http://localhost:", "http://127.0.0.1:", "data:", "blob:"))
