import math
import re

import pytest
from playwright.sync_api import expect

from app.figures.training import IMAGES_HEIGHT, PLOT_HEIGHT

SMALL = "images=1000&epochs=3&lr=0.05&lang=en"
LONG = "epochs=100&images=10000&lang=en"
PATIENCE = 120_000  # ms, for a run on a busy machine
ACCURACY = re.compile(r"test accuracy \d+\.\d\d %")


def open_training(visit, address, query, **options):
    page = visit(f"{address}/training?{query}", **options)
    page.locator(".player canvas").wait_for()
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


@pytest.fixture(scope="module")
def trained_address(app_address, chromium):
    """The app after the small run was trained in it."""
    page = chromium.new_page()
    page.goto(f"{app_address}/training?{SMALL}")
    page.locator(".st-key-start button").wait_for()
    if page.locator(".st-key-start button:enabled").count():
        start(page)
    page.get_by_text("Trained: test accuracy").wait_for(timeout=PATIENCE)
    page.close()
    return app_address


def test_a_run_is_watched_reloaded_shared_and_stopped(visit, app_address):
    page = open_training(visit, app_address, LONG)
    start(page)
    expect(status(page).filter(has_text=ACCURACY)).to_be_visible(timeout=PATIENCE)
    assert "images a second" in status(page).filter(has_text=ACCURACY).inner_text()
    before = pixels(page)
    page.wait_for_function(
        "(before) => document.querySelector('[data-testid=stBidiComponentIsolated]')"
        ".shadowRoot.querySelector('canvas').toDataURL() !== before",
        arg=before,
    )
    page.reload()
    expect(status(page).filter(has_text=ACCURACY)).to_be_visible()
    other = open_training(visit, app_address, LONG)
    expect(status(other).filter(has_text=ACCURACY)).to_be_visible()
    other.get_by_role("button", name="Stop").click()
    for reader in (other, page):
        expect(reader.get_by_text("Stopped after")).to_be_visible(timeout=3000)
        expect(reader.locator(".st-key-start button")).to_have_text(re.compile("Continue"))


def test_a_reader_who_only_looks_sees_what_another_one_does(visit, app_address):
    query = LONG + "&seed=1"
    waiting, acting = (open_training(visit, app_address, query) for _ in range(2))
    start(acting)
    expect(waiting.get_by_role("button", name="Stop")).to_be_visible()
    expect(waiting.locator(".st-key-start")).to_have_count(0)
    acting.get_by_role("button", name="Stop").click()
    expect(waiting.get_by_text("Stopped")).to_be_visible()
    expect(waiting.locator(".st-key-start button:enabled")).to_be_visible()


def test_a_finished_run_opens_at_once_and_is_scrubbed(visit, trained_address):
    page = open_training(visit, trained_address, SMALL)
    expect(page.locator(".st-key-start button")).to_be_disabled()
    expect(caption(page)).to_contain_text("Epoch 3 of 3")
    seen = {}
    page.locator(".player .scrub").focus()
    for epoch, key in ((3, "End"), (1, "Home"), (2, "ArrowRight")):
        page.keyboard.press(key)
        expect(caption(page)).to_contain_text(f"Epoch {epoch} of 3: train loss")
        seen[epoch] = (pixels(page), formula(page))
    assert len({picture for picture, _ in seen.values()}) == 3
    assert len({numbers for _, numbers in seen.values()}) == 3


def test_the_formula_follows_the_epoch_without_the_server(visit, trained_address):
    frames = []

    def count_frames(page):
        def keep(payload):  # Playwright marks the handler, which a built-in method does not allow
            frames.append(payload)

        page.on("websocket", lambda socket: socket.on("framesent", keep))

    page = open_training(visit, trained_address, SMALL, prepare=count_frames)
    expect(caption(page)).to_contain_text("Epoch 3 of 3")
    page.wait_for_load_state("networkidle")
    sent = len(frames)
    assert sent > 0
    page.locator(".player [data-action=first]").click()
    expect(caption(page)).to_contain_text("Epoch 1 of 3")
    numbers = re.search(r"ln\s*([\d.e−-]+)\s*=\s*([\d.]+)", formula(page))
    assert numbers
    assert -math.log(float(numbers[1].replace("−", "-"))) == pytest.approx(float(numbers[2]), abs=0.005 + 1e-9)
    assert len(frames) == sent


def test_the_link_opens_the_epoch(visit, trained_address):
    page = open_training(visit, trained_address, SMALL + "&run.step=0")
    expect(caption(page)).to_contain_text("Epoch 1 of 3")


def test_a_learning_rate_below_zero_is_refused_in_words_and_can_be_mended(visit, trained_address):
    page = visit(f"{trained_address}/training?{SMALL.replace('0.05', '-1')}")
    alert = page.get_by_test_id("stAlert")
    expect(alert).to_contain_text("The learning rate must be a number above 0")
    field = page.get_by_label("Learning rate")
    expect(field).to_have_value("-1")
    field.fill("0.05")
    field.press("Enter")
    expect(page.get_by_text("Trained: test accuracy")).to_be_visible()
    page.wait_for_function("location.search.includes('lr=0.05')")


def test_a_phone_shows_one_plot_below_the_other(visit, trained_address):
    page = open_training(visit, trained_address, SMALL, viewport={"width": 390, "height": 844})
    box = page.locator(".player canvas").bounding_box()
    assert box["width"] <= 390
    assert box["height"] > 2 * PLOT_HEIGHT + IMAGES_HEIGHT
