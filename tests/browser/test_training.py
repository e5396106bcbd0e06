"""The training page in a browser: one run, its settings and its link."""

import math
import os
import re
from urllib.parse import parse_qs, urlsplit

import pytest
from playwright.sync_api import expect

from app.figures.training import IMAGES_HEIGHT
from app.figures.training_axes import PLOT_HEIGHT
from core.models import MODELS
from tests.browser.rest import rest
from tests.browser.trainings import (
    ACCURACY,
    LONG,
    PATIENCE,
    SMALL,
    caption,
    check_settings,
    formula,
    open_training,
    pixels,
    start,
    status,
)
from tests.browser.views import check_width


def test_start_trains_what_the_field_shows(visit, app_address):
    page = open_training(visit, app_address, "model=mlp&epochs=60&images=5000&seed=192&lang=en")
    page.locator(".st-key-start button:enabled").wait_for()
    page.get_by_role("spinbutton", name="Epochs").fill("2")
    start(page)  # without Enter: the click takes the number over and starts
    expect(page.get_by_text("Trained: test accuracy")).to_be_visible(timeout=PATIENCE)
    expect(page.get_by_role("spinbutton", name="Epochs")).to_have_value("2")
    expect(caption(page)).to_contain_text("Epoch 2 of 2")


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
    expect(status(page).filter(has_text=ACCURACY)).to_be_visible(timeout=PATIENCE)
    other = open_training(visit, app_address, LONG)
    expect(status(other).filter(has_text=ACCURACY)).to_be_visible(timeout=PATIENCE)
    other.locator(".st-key-stop button:visible").first.click()
    for reader in (other, page):
        expect(reader.get_by_text("Stopped after")).to_be_visible(timeout=PATIENCE)
        expect(reader.locator(".st-key-start button")).to_have_text(re.compile("Continue"))


def test_a_reader_who_only_looks_sees_what_another_one_does(visit, app_address):
    query = LONG + "&seed=1"
    waiting, acting = (open_training(visit, app_address, query) for _ in range(2))
    start(acting)
    expect(waiting.locator(".st-key-stop button:visible").first).to_be_visible()
    expect(waiting.locator(".st-key-start")).to_have_count(0)
    acting.locator(".st-key-stop button:visible").first.click()
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


def test_the_formula_follows_the_epoch_without_the_server(show, trained_address):
    page, frames = show(f"training?{SMALL}", "mistakes")
    expect(caption(page)).to_contain_text("Epoch 3 of 3")
    page.locator(".player [data-action=first]").click()
    expect(caption(page)).to_contain_text("Epoch 1 of 3")
    numbers = re.search(r"ln\s*\(\s*([\d.]+)(?:·10⁻([⁰¹²³⁴-⁹]+))?\s*\)\s*=\s*([\d.]+)", formula(page))
    assert numbers
    power = int((numbers[2] or "0").translate(str.maketrans("⁰¹²³⁴⁵⁶⁷⁸⁹", "0123456789")))
    assert -math.log(float(numbers[1]) / 10**power) == pytest.approx(float(numbers[3]), abs=0.005 + 1e-9)
    assert frames == []


def test_the_link_opens_the_epoch(visit, trained_address):
    page = open_training(visit, trained_address, SMALL + "&run.step=0")
    expect(caption(page)).to_contain_text("Epoch 1 of 3")


def test_a_learning_rate_below_zero_is_refused_in_words_and_can_be_mended(visit, trained_address):
    page = visit(f"{trained_address}/training?{SMALL.replace('0.05', '-1')}")
    alert = page.get_by_test_id("stAlert")
    expect(alert).to_contain_text("The learning rate must be a number from 0.00000001 to 10")
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


@pytest.mark.parametrize("_run", ["new", "kept"])
def test_the_quick_run_is_one_click(show, _run):
    """Also where it is kept, and the page goes at once from a run of ten epochs to one that has nothing to play."""
    page, _ = show("training?lang=en", "mistakes")
    expect(caption(page)).to_contain_text("Epoch 10 of 10")
    page.locator(".st-key-quick button:visible").first.click()
    expect(page.get_by_text("Trained: test accuracy 9")).to_be_visible(timeout=PATIENCE)
    expect(page.locator(".player .formula")).to_have_text(re.compile(r"has the label \d\.[^–]*\d$"))
    expect(page.get_by_label("Learning rate")).to_have_value("0.1")
    page.wait_for_function("location.search.includes('epochs=1&') && location.search.includes('images=10000&')")
    page.wait_for_function(  # the two accuracies of the only epoch
        """() => marksOf(viewWith("mistakes"), "text")
          .filter(({ item, plot }) => plot.startsWith("accuracy") && /^[\\d.]+\\s?%$/.test(item.text)).length === 2"""
    )


def test_back_undoes_a_press_at_once_and_forward_does_it_again(visit, app_address):
    page = open_training(visit, app_address, "seed=7&lang=en", fresh=True)
    before = page.evaluate("history.length")
    page.get_by_role("radio", name="MLP").click()
    page.wait_for_function("location.search.includes('model=mlp')")
    page.locator(".st-key-quick button:visible").first.click()
    page.wait_for_function("location.search.includes('schedule=onecycle')")
    assert page.evaluate("history.length") == before + 2
    page.go_back()
    check_settings(page, "MLP", epochs="10", lr="0.01", images="60000", momentum="0.5", seed="7", schedule="constant")
    page.go_back()
    check_settings(page, "CNN", epochs="10", lr="0.01", images="60000", momentum="0.5", seed="7", schedule="constant")
    page.go_forward()
    page.go_forward()
    check_settings(page, "MLP", epochs="1", lr="0.1", images="10000", momentum="0.8", seed="7", schedule="one cycle")


def test_settings_of_a_click_last_after_more_was_open(visit, app_address):
    page = open_training(visit, app_address, "model=mlp&momentum=0.8&schedule=onecycle&lang=en")
    check_settings(page, "MLP", momentum="0.8", schedule="one cycle")
    page.get_by_text("Things to try").click()
    page.get_by_role("button", name="1,000 images, 40 epochs").click()
    page.wait_for_function("location.search.includes('images=1000')")
    type_epochs(page, 41)
    assert not {"momentum", "schedule", "model"} & set(parse_qs(urlsplit(page.url).query))
    check_settings(page, "CNN", epochs="41", images="1000", momentum="0.5", schedule="constant")
    while "schedule=onecycle" not in page.url:
        page.go_back()
        rest(page)
    type_epochs(page, 9)
    check_settings(page, "MLP", epochs="9", images="60000", momentum="0.8", schedule="one cycle")


def type_epochs(page, epochs):
    rest(page)
    field = page.get_by_role("spinbutton", name="Epochs", exact=True)
    field.fill(str(epochs))
    field.press("Enter")
    page.wait_for_function(f"/epochs={epochs}(&|$)/.test(location.search)")
    rest(page)


def test_the_settings_behind_more_fit_a_phone(visit, trained_address):
    page = open_training(visit, trained_address, SMALL, viewport={"width": 390, "height": 844})
    page.get_by_role("button", name="More", exact=True).click()
    turn = page.get_by_label("Turn images by up to (degrees)")
    turn.fill("10")
    turn.press("Enter")
    expect(page.get_by_alt_text("A training image as the first eight epochs may see it")).to_be_visible(
        timeout=PATIENCE
    )
    check_width(page)


def test_a_file_that_is_too_large_is_refused_in_our_words(visit, trained_address, tmp_path):
    page = open_training(visit, trained_address, SMALL + "&card=true")
    refused = page.get_by_text("The file marked red was not taken: an exported run is a zip archive of at most 32 MB.")
    upload = page.locator(".st-key-card_upload input[type=file]")
    upload.wait_for(state="attached")
    expect(refused).to_be_hidden()
    large = tmp_path / "run.zip"
    large.write_bytes(b"")
    os.truncate(large, 40_000_000)
    upload.set_input_files(large)
    expect(refused).to_be_visible()


def test_every_network_can_be_chosen_on_a_phone(visit, trained_address):
    page = open_training(visit, trained_address, SMALL, viewport={"width": 390, "height": 844})
    networks = page.locator(".st-key-model").get_by_role("radio")
    boxes = [networks.nth(place).bounding_box() for place in range(networks.count())]
    assert len(boxes) == len(MODELS)
    assert all(box["x"] >= 0 and box["x"] + box["width"] <= 390 for box in boxes)


def test_what_is_written_under_the_mistakes_does_not_collide_on_a_phone(show, trained_address):
    page, _ = show(f"training?{SMALL}", "mistakes", viewport={"width": 390, "height": 844})
    boxes = page.evaluate(
        """() => marksOf(viewWith("mistakes"), "text")
          .filter(({ item, plot }) => plot.startsWith("mistakes") && item.datum?.rank !== undefined)
          .map(({ item: { bounds } }) => [bounds.x1, bounds.x2, bounds.y1, bounds.y2])"""
    )
    assert len(boxes) == 18
    for place, (left, right, top, bottom) in enumerate(boxes):
        for x1, x2, y1, y2 in boxes[:place]:
            assert x2 < left or right < x1 or y2 < top or bottom < y1
