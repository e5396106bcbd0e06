"""Find a Chromium for the browser tests, and install one where there is none.

`python -m tests.browser.chromium` is what `make chromium` runs: Debian's package where there is apt and the right to
use it, else Playwright's own build. The headless shell comes first: without a window system to serve it opens a page
in two thirds of the time.
"""

import os
import shutil
import subprocess
import sys
from pathlib import Path

SHELL = "chromium-headless-shell"
NAMES = (SHELL, "chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
FONTS = "fonts-noto-cjk"  # without Chinese fonts the pictures of Chinese pages show boxes


def find() -> str | None:
    """Return the path of a browser that can be driven, or None."""
    for name in NAMES:
        if path := shutil.which(name):
            return path
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        path = playwright.chromium.executable_path
    return path if Path(path).exists() else None


def install() -> None:
    """Install the headless shell where Debian's packages can be had, else a browser where there is none."""
    if not shutil.which(SHELL) and shutil.which("apt-get") and os.geteuid() == 0:
        subprocess.run(["apt-get", "update", "-qq"], check=False)
        subprocess.run(["apt-get", "install", "-y", "-qq", SHELL, FONTS], check=False)
    if find() is None:
        subprocess.run([sys.executable, "-m", "playwright", "install", "chromium"], check=True)


def main() -> int:
    """Install what is missing and say what will be used."""
    install()
    path = find()
    print(path or "No Chromium could be installed: the browser tests will be skipped.")
    return 0 if path or not os.environ.get("CI") else 1


if __name__ == "__main__":
    raise SystemExit(main())
