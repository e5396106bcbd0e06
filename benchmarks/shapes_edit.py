"""How long a reader waits between a change of a net of 30 layers and the new drawing, all of whose shapes change.

`python -m benchmarks.shapes_edit [--edits 40]` drives a real Chromium: it types another padding of the first layer
into the source of the shape detective, and measures from leaving the text to the frame that shows the new shapes.
"""

import argparse
import tempfile
from pathlib import Path

from playwright.sync_api import Page, sync_playwright

from benchmarks.conditions import conditions, summary
from benchmarks.serving import serving
from tests.browser.chromium import find

LAYERS = 30
MAX_EDITS = 200
# From leaving the text to the first frame after the picture's own numbers, which Vega writes while it draws, changed.
LEAVE_AND_WAIT = """
(area, formula) => new Promise((resolve) => {
  const before = formula.textContent;
  const observer = new MutationObserver(() => {
    if (formula.textContent === before) return;
    observer.disconnect();
    requestAnimationFrame(() => resolve(performance.now() - start));
  });
  observer.observe(formula, { subtree: true, childList: true, characterData: true });
  const start = performance.now();
  area.blur();
})
"""


def source(padding: int) -> str:
    """Write a chain of convolutions and activations."""
    first = f"    nn.Conv2d(1, 8, kernel_size=3, padding={padding}),\n    nn.ReLU(),\n"
    others = "    nn.Conv2d(8, 8, kernel_size=3, padding=1),\n    nn.ReLU(),\n" * (LAYERS // 2 - 1)
    return f"nn.Sequential(\n{first}{others})\n"


def edits(page: Page, count: int) -> list[float]:
    """Change the net back and forth and return how many ms each change took to show."""
    area, formula = page.locator("textarea").first, page.locator(".player .formula").first.element_handle()
    times = []
    for edit in range(count + 2):
        area.fill(source(1 + edit % 2))
        page.wait_for_load_state("networkidle")
        times.append(float(area.evaluate(LEAVE_AND_WAIT, formula)))
    return times[2:]  # the first of each fills the caches


def main() -> None:
    """Start the server, edit, print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--edits", type=int, default=40)
    args = parser.parse_args()
    if not 2 <= args.edits <= MAX_EDITS:
        parser.error(f"--edits must be 2 to {MAX_EDITS}")
    print(f"Change of a net of {LAYERS} layers on the page “The shape detective” ({conditions()})")
    with (
        tempfile.TemporaryDirectory() as home,
        serving(home=Path(home)) as address,
        sync_playwright() as playwright,
    ):
        browser = playwright.chromium.launch(executable_path=find(), args=["--no-sandbox"])
        page = browser.new_page(viewport={"width": 1280, "height": 800}, locale="en")
        page.goto(f"{address}/shapes")
        page.locator(".player canvas").first.wait_for()
        print(f"  from leaving the text to the new drawing: {summary(edits(page, args.edits))}")
        browser.close()


if __name__ == "__main__":
    main()
