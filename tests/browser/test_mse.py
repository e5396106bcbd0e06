"""The page "The MSE landscape" in a real browser: what the hand does, the pictures and the numbers do."""

import numpy as np
import pytest
from playwright.sync_api import expect

from core import mse
from core.points import PRESETS
from tests.browser.rest import rest

COURSE = PRESETS["course"].points

# Keeps every Vega view that is embedded in `views`, so that a test can read its signals and data.
KEEP_VIEWS = """
window.views = [];
let embed;
Object.defineProperty(window, "vegaEmbed", {
  get: () => embed && (async (...rest) => {
    const result = await embed(...rest);
    window.views.push(result.view);
    return result;
  }),
  set: (value) => (embed = value),
});
// The first picture of the page: the only chart with each sample's own parabola.
window.landscape = () => views.findLast((view) => "own" in view.getState({ data: () => true }).data);
"""

# Where a value of a plot lies on the page.
PLACE = """([view, x, y]) => {
  const chart = landscape();
  const find = (group, left, top) => {
    for (const mark of group.items ?? []) {
      if (mark.marktype !== "group") continue;
      for (const item of mark.items) {
        const place = { x: left + (item.x ?? 0), y: top + (item.y ?? 0) };
        const found = mark.name === `${view}_group` ? place : find(item, place.x, place.y);
        if (found) return found;
      }
    }
  };
  const group = find(chart.scenegraph().root.items[0], 0, 0);
  const box = chart.container().querySelector("canvas").getBoundingClientRect();
  const [left, top] = chart.origin();
  const { left: padLeft, top: padTop } = chart.padding();
  return [
    box.left + left + padLeft + group.x + chart.scale(`${view}_x`)(x),
    box.top + top + padTop + group.y + chart.scale(`${view}_y`)(y),
  ];
}"""

# What is drawn at the present w: the moving point, and the squares' sides across and upwards in pixels.
DRAWN = """() => {
  const found = { w: landscape().signal("w"), squares: [] };
  const walk = (group) => {
    for (const mark of group.items ?? []) {
      for (const item of mark.items ?? []) {
        if (mark.marktype === "group") walk(item);
        if (mark.marktype === "symbol" && item.datum?.loss !== undefined) found.loss = item.datum.loss;
        if (mark.marktype === "rect" && item.datum?.residual !== undefined)
          found.squares.push([item.width, item.height, item.datum.residual]);
      }
    }
  };
  walk(landscape().scenegraph().root.items[0]);
  return found;
}"""


@pytest.fixture
def landscape(visit, app_address):
    """Open the page, wait for its picture, and count what is sent to the server from then on."""

    def open_page(query="", **options):
        sent = []

        def prepare(page):
            page.add_init_script(KEEP_VIEWS)
            page.on("websocket", lambda socket: socket.on("framesent", lambda frame: sent.append(frame)))  # noqa: PLW0108 - it marks its handlers

        page = visit(f"{app_address}/mse{query}", prepare, **options)
        page.locator(".player canvas").first.wait_for()
        page.wait_for_function("() => landscape()?.data('points').length > 0")
        rest(page)
        page.wait_for_function(f"() => ({DRAWN})().loss !== undefined")
        return page, sent

    return open_page


def drag(page, view, start, end, steps=20):
    """Press at one value of a plot and let go at another; returns after the last move was drawn."""
    page.mouse.move(*page.evaluate(PLACE, [view, *start]))
    page.mouse.down()
    page.mouse.move(*page.evaluate(PLACE, [view, *end]), steps=steps)
    page.mouse.up()


def formula(page):
    return page.locator(".player .formula").first


def check_numbers(page, wanted_w, points=COURSE):
    """The signal, the moving point, the formula and the slider agree with the core."""
    page.wait_for_function("(w) => Math.abs(landscape().signal('w') - w) < 1e-9", arg=wanted_w)
    page.evaluate("() => landscape().runAsync().then(() => null)")
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
    drag(page, "data", (2.0, 2.0), (2.0, 6.0))
    check_numbers(page, 3.0)
    drag(page, "loss", (3.0, 5.0), (0.5, 5.0))
    check_numbers(page, 0.5)
    page.wait_for_function("() => new URLSearchParams(location.search).get('mse.w') === '0.5'")
    assert sent == []


def test_every_residual_is_a_true_square(landscape):
    page, _ = landscape()
    for w in (3.0, 1.5, 0.5):
        drag(page, "loss", (1.0, 5.0), (w, 5.0), steps=3)
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
    page.wait_for_function("() => landscape().data('points').length === 6")
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
    wide = page.evaluate("() => document.scrollingElement.scrollWidth")
    assert wide <= 390


def test_the_first_screen_fits(landscape):
    page, _ = landscape(viewport={"width": 1280, "height": 800})
    box = page.locator(".player .sliders").first.bounding_box()
    assert box["y"] + box["height"] <= 800
