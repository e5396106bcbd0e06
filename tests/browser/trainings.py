"""Open the training page and read its first picture."""

import re

from playwright.sync_api import expect

from tests.browser.rest import rest

SMALL = "images=1000&epochs=3&lr=0.05&lang=en"
LONG = "epochs=100&images=10000&lang=en"
PATIENCE = 120_000  # ms, for a run on a busy machine
COMPARED = "compare=cnn~epochs-3~images-1000~lr-0.05~~mlp~epochs-3~images-1000~lr-0.05&lang=en"
ACCURACY = re.compile(r"test accuracy \d+\.\d\d %")


def open_training(visit, address, query, **options):
    page = visit(f"{address}/training?{query}", **options)
    page.locator(".player canvas").wait_for(timeout=PATIENCE)
    return page


def status(page):
    return page.get_by_test_id("stMain").get_by_test_id("stMarkdown")


def start(page):
    page.locator(".st-key-start button:enabled").click()


def caption(page):
    return page.locator(".player .caption")


def pixels(page):
    return page.locator(".player canvas").evaluate("canvas => canvas.toDataURL()")


def formula(page):
    return page.locator(".player .formula").inner_text()


def check_settings(page, network, *, schedule, **numbers):
    """The controls hold these values, those behind More as well, and so does the link once more."""
    chosen = page.get_by_test_id("stMain").locator(".st-key-model").get_by_role("radio", checked=True)
    expect(chosen).to_have_text(network, timeout=PATIENCE)
    outside = numbers.keys() & {"epochs", "lr", "images"}
    for name in outside:  # before anything is clicked, because the page may be on its way through other settings
        expect(page.locator(f".st-key-{name} input")).to_have_value(numbers[name], timeout=PATIENCE)
    rest(page)
    page.get_by_role("button", name="More", exact=True).click()
    for name in numbers.keys() - outside:
        expect(page.locator(f".st-key-{name} input")).to_have_value(numbers[name], timeout=PATIENCE)
    expect(page.locator(".st-key-schedule input")).to_have_value(re.compile(schedule))
    page.locator(".st-key-momentum input").press("Escape")  # which reaches the panel only from inside it
    expect(page.locator(".st-key-momentum input")).to_be_hidden()
    rest(page)
