"""Take the pictures of the home page and of the README from the running app: `make pictures`.

The pictures are committed, so that the app shows them without a browser at hand; take them again when a page looks
different. The training page shows a kept run, so the runs of `python -m core warm` are trained first where missing.
"""

import os
import subprocess
import sys
from pathlib import Path

from playwright.sync_api import Browser, sync_playwright

from app.course import COURSE, ROOT
from benchmarks.serving import serving
from core.store import Store
from tests.browser.chromium import find

PICTURES = ROOT / "app" / "static" / "pictures"
FLAGS = ("--no-sandbox", "--disable-background-networking", "--disable-component-update", "--disable-sync")


def take(browser: Browser, address: str, path: str, theme: str) -> None:
    """Take the first figure of a page, and for the README the whole first screen of the first page."""
    context = browser.new_context(viewport={"width": 1280, "height": 800}, color_scheme=theme, locale="en")
    page = context.new_page()
    page.goto(f"{address}/{path}")
    figure = page.locator(".player").first
    figure.locator("canvas").wait_for()
    page.wait_for_load_state("networkidle")
    figure.locator(".chart").screenshot(path=PICTURES / f"{path}-{theme}.png")
    if path == COURSE[0].path and theme == "light":
        page.screenshot(path=PICTURES / "readme.png")
    context.close()


def main() -> None:
    """Train what is shown, start the app, take the pictures."""
    subprocess.run([sys.executable, "-m", "core", "warm"], cwd=ROOT, check=True)
    PICTURES.mkdir(parents=True, exist_ok=True)
    with (
        sync_playwright() as playwright,
        serving(home=Path(os.environ.get("TORCHSCAPE_HOME") or Store().root)) as address,
    ):
        browser = playwright.chromium.launch(executable_path=find(), args=list(FLAGS))
        for entry in COURSE:
            for theme in ("light", "dark"):
                take(browser, address, entry.path, theme)
        browser.close()


if __name__ == "__main__":
    main()
