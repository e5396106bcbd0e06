"""How long a reader waits between a click on the MSE page and the new page, with a training job beside it.

`python -m benchmarks.repaint [--clicks 40]` drives a real Chromium: it starts a training run on the training page,
then opens and closes a section of the MSE page, switches its data back and forth and, for comparison in the same run,
the toggle of a page that holds nothing else. Server, training and browser share the machine.
"""

import argparse
import tempfile
from pathlib import Path
from statistics import median

from playwright.sync_api import Locator, Page, sync_playwright

from benchmarks.conditions import conditions, summary
from benchmarks.serving import serving
from tests.browser.chromium import find

BARE = Path(__file__).with_name("bare_page.py")
MAX_CLICKS = 200
# From the click to the first frame in which the text of the page is another one.
CLICK_AND_WAIT = """
(button) => new Promise((resolve) => {
  const main = document.querySelector('[data-testid="stMain"]');
  const text = () => [...main.querySelectorAll('[data-testid="stMarkdown"]')].map((e) => e.textContent).join();
  const before = text();
  const observer = new MutationObserver(() => {
    if (text() === before) return;
    observer.disconnect();
    requestAnimationFrame(() => resolve(performance.now() - start));
  });
  observer.observe(main, {subtree: true, childList: true, characterData: true});
  const start = performance.now();
  button.click();
})
"""


def clicks(page: Page, buttons: list[Locator], count: int) -> list[float]:
    """Click the buttons in turn and return how many ms each click took to show."""
    handles = [button.element_handle() for button in buttons]
    times = []
    for click in range(count + 2):
        page.wait_for_load_state("networkidle")
        times.append(float(page.evaluate(CLICK_AND_WAIT, handles[click % len(handles)])))
    return times[2:]  # the first of each fills the caches


def start_training(page: Page, address: str) -> None:
    """Start a run that is long enough for the whole measurement."""
    page.goto(f"{address}/training?epochs=50&seed=1")
    page.get_by_role("button", name="Start").click()
    page.get_by_role("button", name="Stop").wait_for()


def main() -> None:
    """Start both servers and the training, click, print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--clicks", type=int, default=40)
    args = parser.parse_args()
    if not 2 <= args.clicks <= MAX_CLICKS:
        parser.error(f"--clicks must be 2 to {MAX_CLICKS}")
    print(f"Repaint after a click, with a training job beside it ({conditions()})")
    with (
        tempfile.TemporaryDirectory() as home,
        serving(home=Path(home)) as address,
        serving(BARE, home=Path(home)) as bare,
        sync_playwright() as playwright,
    ):
        browser = playwright.chromium.launch(executable_path=find(), args=["--no-sandbox"])
        options = {"viewport": {"width": 1280, "height": 800}, "locale": "en"}
        start_training(browser.new_page(**options), address)
        page = browser.new_page(**options)
        page.goto(f"{address}/mse")
        page.locator(".player canvas").first.wait_for()
        section = page.get_by_test_id("stExpander").filter(has_text="closed form").locator("summary")
        toggled = clicks(page, [section], args.clicks)
        switched = clicks(page, [page.get_by_role("radio").nth(n) for n in (3, 2)], args.clicks)
        page.goto(bare)
        theirs = clicks(page, [page.get_by_role("switch").or_(page.get_by_role("checkbox")).first], args.clicks)
        browser.close()
    for what, times in (("a section opened or closed", toggled), ("other data in every picture", switched)):
        print(f"  MSE page, {what}: {summary(times)}, {median(times) / median(theirs):.1f} times the bare page")
    print(f"  bare page with one toggle: {summary(theirs)}")


if __name__ == "__main__":
    main()
