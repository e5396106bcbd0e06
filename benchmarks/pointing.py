"""How soon the picture of a convolution follows the pointer: `python -m benchmarks.pointing`, half a minute.

Opens the largest picture of the page "Convolution by hand" in headless Chromium (a digit of 28×28 with a border of 3
and a kernel of 7×7), moves the pointer from cell to cell, and measures from the pointer's event until Vega has drawn.
Exit code 1 where fewer than 30 pictures a second would be seen.
"""

import tempfile
from pathlib import Path
from statistics import median

from playwright.sync_api import sync_playwright

from benchmarks.conditions import conditions, summary
from benchmarks.serving import serving
from tests.browser.chromium import find
from tests.browser.rest import rest
from tests.browser.test_convolution import PLACES
from tests.browser.views import SCRIPT

GOAL = 1000 / 30  # ms, median
POINTS = 100  # of each kind of cell, at most
LARGEST = "input=digit&padding=3&kernel=own&k=" + "%3B".join(["1%202%203%204%203%202%201"] * 7)

# Points at every given place in turn, as fast as the browser draws; returns the ms that each took.
SWEEP = """async (places) => {
  const view = viewWith("kernel");
  const canvas = canvasOf(view);
  const times = [];
  for (const [clientX, clientY] of places) {
    await new Promise(requestAnimationFrame);
    const start = performance.now();
    canvas.dispatchEvent(new PointerEvent("pointermove", { clientX, clientY, bubbles: true, pointerType: "mouse" }));
    await view.runAsync();
    times.push(performance.now() - start);
  }
  return times;
}"""


def main() -> int:
    """Point at cells of each kind; the exit code says whether the goal was met."""
    with tempfile.TemporaryDirectory() as home, serving(home=Path(home)) as address, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=find(), args=["--no-sandbox"])
        print(f"pointing: {conditions()}, Chromium {browser.version}")
        page = browser.new_page(viewport={"width": 1280, "height": 800}, locale="en")
        page.add_init_script(path=SCRIPT)
        page.goto(f"{address}/convolution?{LARGEST}")
        rest(page)
        page.wait_for_function(f"() => ({PLACES})('weight').length === 49")
        slowest = 0.0
        for kind in ("output", "weight", "input"):
            places = page.evaluate(PLACES, kind)
            times = page.evaluate(SWEEP, places[:: max(1, len(places) // POINTS)])
            slowest = max(slowest, median(times))
            print(f"  {kind}: {summary(times)}")
        browser.close()
    return 0 if slowest <= GOAL else 1


if __name__ == "__main__":
    raise SystemExit(main())
