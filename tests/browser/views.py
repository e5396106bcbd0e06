"""Find and move what the pictures of a page show; views.js beside this file does the browser's part."""

from pathlib import Path

from tests.browser.rest import rest

SCRIPT = Path(__file__).with_suffix(".js")
DRAWN = "(source) => window.viewWith?.(source)?.data(source).length > 0"
TAKES_THE_HAND = "(source) => ['grab', 'ew-resize', 'ns-resize'].includes(canvasOf(viewWith(source)).style.cursor)"


def drawn(page, source):
    """Wait until a view has rows of this data source, and the page is at rest."""
    page.wait_for_function(DRAWN, arg=source, timeout=60_000)  # a server that has only just started is slow
    rest(page)


def press(page, source, plot, at):
    """Press the mouse at a value (x, y) of a plot that can be dragged, once the pointer shows that it can."""
    rest(page)
    move(page, source, plot, at)
    page.wait_for_function(TAKES_THE_HAND, arg=source)
    page.mouse.down()


def move(page, source, plot, at, *, steps=1):
    page.mouse.move(
        *page.evaluate("([source, ...at]) => placeOf(viewWith(source), ...at)", [source, plot, *at]), steps=steps
    )


def drag(page, source, plot, start, end, *, steps=20):
    """Press at one value of a plot and let go at another."""
    press(page, source, plot, start)
    move(page, source, plot, end, steps=steps)
    page.mouse.up()


def formula(page):
    """Return the formula of the page's first picture."""
    return page.locator(".player .formula").first


def check_width(page, most=390):
    """Nothing is wider than a phone."""
    assert page.evaluate("() => document.scrollingElement.scrollWidth") <= most


def check_first_screen(page, part):
    """The first picture's part of this class ends within a laptop's screen."""
    box = page.locator(f".player .{part}").first.bounding_box()
    assert box["y"] + box["height"] <= 800
