"""The page "The MSE landscape" in a real browser: what the hand does, the pictures and the numbers do."""

import numpy as np
import pytest
from playwright.sync_api import expect

from core import mse
from core.points import PRESETS
from tests.browser.views import check_first_screen, check_width, drag, formula

COURSE = PRESETS["course"].points

# What is drawn at the present w: the moving point, and the squares' sides across and upwards in pixels.
DRAWN = """() => {
  const view = viewWith("own");
  const loss = marksOf(view, "symbol").map(({ item }) => item.datum?.loss).find((value) => value !== undefined);
  const squares = marksOf(view, "rect").map(({ item }) => [item.width, item.height, item.datum?.residual]);
  return { loss, squares: squares.filter(([, , residual]) => residual !== undefined) };
}"""


@pytest.fixture
def landscape(show):
    """Open the page and wait for its first picture, the only one with each sample's own parabola."""
    return lambda query="", **options: show(f"mse{query}", "own", **options)


def check_numbers(page, wanted_w, points=COURSE):
    """The signal, the moving point, the formula and the slider agree with the core."""
    page.wait_for_function("(w) => Math.abs(viewWith('own').signal('w') - w) < 1e-9", arg=wanted_w)
    page.evaluate("() => viewWith('own').runAsync().then(() => null)")
    drawn = page.evaluate(DRAWN)
    exact = float(mse.sweep(points, np.array([wanted_w]))[0])
    assert drawn["loss"] == pytest.approx(exact, rel=1e-9, abs=1e-9)
    residuals = sorted(abs(residual) for _, _, residual in drawn["squares"])
    np.testing.assert_allclose(residuals, sorted(np.sqrt(mse.terms(points, wanted_w))), atol=1e-9)
    expect(formula(page).locator(".q-loss")).to_have_text(f"{exact:.2f}")
    terms = [f"{term:.2f}" for term in mse.terms(points, wanted_w)]
    expect(formula(page).locator(".q-residual")).to_have_text(terms)
    expect(page.locator(".player .sliders output").first).to_have_text(f"{wanted_w:.2f}".replace("-", "−"))
    return drawn


def test_dragging_either_picture_moves_both_and_asks_nobody(landscape):
    page, sent = landscape()
    check_numbers(page, 1.0)
    sent.clear()
    drag(page, "own", "data", (2.0, 2.0), (2.0, 6.0))
    check_numbers(page, 3.0)
    drag(page, "own", "loss", (3.0, 5.0), (0.5, 5.0))
    check_numbers(page, 0.5)
    page.wait_for_function("() => new URLSearchParams(location.search).get('mse.w') === '0.5'")
    assert sent == []


def test_every_residual_is_a_true_square(landscape):
    page, _ = landscape()
    for w in (3.0, 1.5, 0.5):
        drag(page, "own", "loss", (1.0, 5.0), (w, 5.0), steps=3)
        drawn = check_numbers(page, w)
        assert len(drawn["squares"]) == 3
        for width, height, _residual in drawn["squares"]:
            assert abs(width) == pytest.approx(abs(height), abs=1e-6)


def test_the_keyboard_moves_w_too(landscape):
    page, sent = landscape("?mse.w=1.3")
    check_numbers(page, 1.3)
    sent.clear()
    page.locator(".player .sliders input").first.focus()
    page.keyboard.press("ArrowRight")
    check_numbers(page, 1.31)
    page.keyboard.press("End")
    check_numbers(page, 4.0)
    expect(formula(page)).to_contain_text("a smaller w lowers the loss")
    assert sent == []


def test_the_minimum_is_named_when_it_is_reached(landscape):
    page, _ = landscape("?mse.w=2")
    check_numbers(page, 2.0)
    expect(formula(page)).to_contain_text("the curve is flat")


def test_other_points_are_new_data_in_the_same_picture(landscape):
    page, _ = landscape()
    page.get_by_text("A line with one outlier").click()
    page.wait_for_function("() => viewWith('own').data('points').length === 6")
    page.wait_for_function("() => new URLSearchParams(location.search).get('preset') === 'outlier'")
    exact = float(mse.sweep(PRESETS["outlier"].points, np.array([1.0]))[0])
    expect(formula(page).locator(".q-loss")).to_have_text(f"{exact:.2f}")


def test_what_is_typed_into_the_table_is_taken_or_refused(landscape):
    page, _ = landscape("?edit=true")
    cells = page.locator("[data-testid=stDataFrame] canvas").first
    cells.wait_for()
    cells.scroll_into_view_if_needed()

    def type_into_second_y(text):
        box = cells.bounding_box()
        page.mouse.dblclick(box["x"] + 0.75 * box["width"], box["y"] + 2.5 * 35)
        editor = page.locator("#portal textarea")
        editor.fill(text)
        editor.press("Enter")

    type_into_second_y("four")
    alert = page.locator("[data-testid=stAlert]")
    expect(alert).to_contain_text("Row 2, column y: “four” is not a number")
    expect(alert).to_have_count(1)
    check_numbers(page, 1.0)
    type_into_second_y("5")
    expect(alert).to_have_count(0)
    expect(formula(page).locator(".q-residual")).to_have_text(["1.00", "9.00", "9.00"])
    page.wait_for_function("() => new URLSearchParams(location.search).get('data') === '1,2;2,5;3,6'")
    page.reload()
    expect(formula(page).locator(".q-residual")).to_have_text(["1.00", "9.00", "9.00"])


def test_the_sweep_prints_what_the_listing_prints(landscape):
    page, _ = landscape("?sweep=true&sweep.step=11")
    prints = page.locator(".player .formula").nth(1)
    expect(prints).to_contain_text("w = 1")
    expect(prints.locator("tr").nth(3)).to_have_text("3639")
    expect(prints).to_contain_text("MSE = 4.66667")


def test_the_plane_follows_the_hand_in_both_directions(landscape):
    page, sent = landscape("?plane=true&plane.w=2")
    written = page.locator(".player .formula").nth(1)
    expect(written.locator(".q-loss")).to_have_text("0.00")
    page.locator(".player").nth(1).locator(".sliders input").nth(1).focus()
    sent.clear()
    page.keyboard.press("End")
    expect(written.locator(".q-loss")).to_have_text("4.00")  # every residual is b = 2
    assert sent == []


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_nothing_is_wider_than_a_phone(landscape, lang):
    page, _ = landscape(f"?lang={lang}&sweep=true&sum=true&losses=true", viewport={"width": 390, "height": 844})
    expect(page.locator(".player canvas")).to_have_count(4)
    check_width(page)


def test_the_first_screen_fits(landscape):
    page, _ = landscape(viewport={"width": 1280, "height": 800})
    check_first_screen(page, "sliders")
