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
def kept_tabs(chromium):
    """Tabs by their options: one that is used again opens a page in half the time, its scripts being at hand."""
    tabs = {}
    yield tabs
    for tab in tabs.values():
        tab.close()


@pytest.fixture
def tab(request, chromium, kept_tabs):
    """Open pages, each in a tab that knows nothing of pages before; a complaint of the browser fails the test.

    `prepare(page)` is called before the page is loaded; other options are those of a browser context. A tab that is
    prepared or `fresh`, or the second one with the same options, is of this test only, and so are those of a test
    that fails.
    """
    used, failed = {}, request.session.testsfailed

    def open_tab(address, prepare=None, *, fresh=False, **options):
        options = {"viewport": {"width": 1200, "height": 900}, "locale": "en-GB"} | options
        name = repr(sorted(options.items()))
        if prepare or fresh or name in used:
            name = len(used)
        tab = used[name] = kept_tabs.pop(name, None) or Tab(chromium.new_context(**options))
        if prepare:
            prepare(tab.page)
        tab.open(address, options)
        return tab

    yield open_tab
    complaints = [complaint for tab in used.values() for complaint in tab.complaints]
    for name, tab in used.items():
        if isinstance(name, int) or request.session.testsfailed > failed:
            tab.close()
        else:
            tab.leave()
            kept_tabs[name] = tab
    assert complaints == []


@pytest.fixture
def visit(tab):
    """Open pages, as `tab` does."""
    return lambda *address, **options: tab(*address, **options).page


class Tab:
    """A page in a browser context of its own, what it sends to the server and what the browser complains about."""

    def __init__(self, context):
        self.sent, self.complaints = [], []
        self.page = page = context.new_page()
        self.devtools = context.new_cdp_session(page)
        page.set_default_timeout(20_000)
        page.add_init_script(path=SCRIPT)
        page.on("pageerror", lambda error: self.complaints.append(str(error)))
        page.on("console", lambda message: self.complaints.append(message.text) if is_complaint(message) else None)
        page.on("request", lambda request: self.complaints.append(request.url) if is_elsewhere(request.url) else None)
        page.on("websocket", lambda socket: socket.on("framesent", lambda frame: self.sent.append(frame)))  # noqa: PLW0108 - it marks its handlers

    def open(self, address, options):
        """Open a page and forget what those before it left in the browser, but for its cache of scripts."""
        self.sent.clear()
        self.complaints.clear()
        origin = "{0.scheme}://{0.netloc}".format(urlsplit(address))
        kinds = "cookies,local_storage,indexeddb,service_workers"
        self.devtools.send("Storage.clearDataForOrigin", {"origin": origin, "storageTypes": kinds})
        self.page.set_viewport_size(options["viewport"])
        self.page.emulate_media(color_scheme=options.get("color_scheme", "light"))
        self.page.goto(address)

    def leave(self):
        """Leave the app, with the pointer in a corner."""
        self.page.evaluate("sessionStorage.clear()")
        self.page.goto("about:blank")
        self.page.mouse.move(0, 0)

    def close(self):
        """Close it with all that it knows."""
        self.page.context.close()


@pytest.fixture
def show(tab, app_address):
    """Open a page of the app and wait for the picture that draws from a data source, until all is at rest.

    Returns the page and the list of what it sends to the server from then on.
    """

    def open_page(path, source, **options):
        opened = tab(f"{app_address}/{path}", **options)
        drawn(opened.page, source)
        opened.sent.clear()
        return opened.page, opened.sent

    return open_page


def is_complaint(message):
    # On a deep link into the demo Streamlit first looks for its server below the page's own path (the app tells it);
    # the browser comments on how Plotly draws in 3-D, above all without a graphics card.
    is_advice = message.text.startswith(("[.WebGL-", "Canvas2D: Multiple readback"))
    return message.type in {"error", "warning"} and not is_advice and "/_stcore/" not in message.location.get("url", "")


def is_elsewhere(url):
    return not url.startswith(("http://localhost:", "http://127.0.0.1:", "data:", "blob:"))
