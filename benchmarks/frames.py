"""How fast the player draws: `python -m benchmarks.frames`, about a minute.

Plays 200 steps of a heavy film (tests/browser/demo/film.py) in headless Chromium, with the machine at rest and with a
training job of the app's own kind on the same cores, and prints the time between two drawn steps.
"""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.metadata import version
from itertools import pairwise
from pathlib import Path
from statistics import median, quantiles

from playwright.sync_api import Browser, sync_playwright

from benchmarks.conditions import conditions
from benchmarks.serving import ROOT, serving
from core.jobs import Jobs
from core.run import RunSpec
from core.store import Store
from tests.browser.chromium import find

DEMO = ROOT / "tests" / "browser" / "demo" / "main.py"
STEPS = 200  # of tests/browser/demo/film.py
FLAGS = ("--no-sandbox", "--disable-background-networking")
GOAL = 30  # frames a second while a job trains
PLAYER = "document.querySelector('[data-testid=stBidiComponentIsolated]').shadowRoot.querySelector('.player')"

# Presses `press` and notes when each step is on the canvas; `again` presses once more after each.
RECORD = f"""
([press, again, last]) => new Promise((done) => {{
  const player = {PLAYER};
  const button = player.querySelector(`[data-action=${{press}}]`);
  const times = [performance.now()];
  const observer = new MutationObserver(() => {{
    times.push(performance.now());
    if (Number(player.dataset.step) === last) observer.disconnect(), done(times);
    else if (again) requestAnimationFrame(() => button.click());
  }});
  observer.observe(player, {{ attributes: true, attributeFilter: ['data-step'] }});
  button.click();
}})
"""


@contextmanager
def training(home: Path) -> Iterator[None]:
    """Train a CNN beside the measurement, as the app's server does."""
    jobs = Jobs(Store(home))
    job = jobs.submit(RunSpec(epochs=20))
    if not job.wait_for(lambda job: len(job.batches) > 10, timeout=60):
        raise RuntimeError("the training job did not start")
    try:
        yield
        if not job.active:
            raise RuntimeError("the training job ended before the measurement did")
    finally:
        jobs.close()


def measure(browser: Browser, address: str, situation: str) -> float:
    """Print how fast the film plays and how long one step takes; return the frames a second when it plays."""
    page = browser.new_page(viewport={"width": 1280, "height": 900})
    page.goto(f"{address}/film")
    page.locator(".player canvas").wait_for()
    page.wait_for_load_state("networkidle")
    played = page.evaluate(RECORD, ["play", False, STEPS - 1])
    page.locator("[data-action=first]").click()
    stepped = page.evaluate(RECORD, ["forward", True, STEPS - 1])
    page.close()
    rate = 1000 * (len(played) - 1) / (played[-1] - played[0])
    print(f"{situation}: plays {STEPS} steps at {rate:.0f} frames/s; {summary(intervals(stepped))} from step to step")
    return rate


def intervals(times: list[float]) -> list[float]:
    """Return the ms from one frame to the next."""
    return [later - earlier for earlier, later in pairwise(times)]


def summary(milliseconds: list[float]) -> str:
    """Return median and 95th percentile."""
    return f"median {median(milliseconds):.1f} ms, p95 {quantiles(milliseconds, n=20)[-1]:.1f} ms"


def main() -> int:
    """Measure at rest and beside a training job; the exit code says whether the goal was met."""
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        home = Path(folder)
        browser = playwright.chromium.launch(executable_path=find(), args=list(FLAGS))
        vega = f"vl-convert {version('vl-convert-python')}"
        print(f"frames: {conditions()}, {vega}, Chromium {browser.version}")
        with serving(DEMO, home=home) as address:
            measure(browser, address, "at rest")
            with training(home):
                rate = measure(browser, address, "beside a training job")
        browser.close()
    print(f"goal, beside a training job: {GOAL} frames/s; {'met' if rate >= GOAL else 'missed'}")
    return 0 if rate >= GOAL else 1


if __name__ == "__main__":
    raise SystemExit(main())
