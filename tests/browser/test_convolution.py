"""The page "Convolution by hand" in a real browser: what is pointed at, the picture and the sum agree with torch."""

import pytest
import torch
from playwright.sync_api import expect
from torch.nn import functional as F

from app.palette import QUANTITIES
from core.matrices import INPUTS, KERNELS
from tests.browser.views import check_width, formula

# Where the cells of a kind lie on the page, row by row: "input", "weight" or "output".
PLACES = """(kind) => {
  const is = {
    input: (row) => row.pad !== undefined,
    weight: (row) => row.windex >= 0,
    output: (row) => row.pad === undefined && !(row.windex >= 0),
  }[kind];
  return marksOf(viewWith("kernel"), "rect")
    .filter(({ mark, item }) => mark.interactive !== false && is(item.datum)).map(middle);
}"""

# How many marks are drawn in a colour that only what is pointed at has.
LIT = """(lit) => {
  const count = { left: 0, right: 0 };
  for (const { mark, item, plot } of marksOf(viewWith("kernel"), "rect"))
    if (mark.interactive === false && item.fillOpacity > 0.3 && item.fill === lit)
      count[plot === "input_group" ? "left" : "right"] += 1;
  return count;
}"""

# Points at every given place in turn, without waiting for anything but the picture; returns what it says is there.
SWEEP = """async ([places, signal]) => {
  const view = viewWith("kernel");
  const canvas = canvasOf(view);
  const seen = [];
  for (const [clientX, clientY] of places) {
    canvas.dispatchEvent(new PointerEvent("pointermove", { clientX, clientY, bubbles: true, pointerType: "mouse" }));
    await view.runAsync();
    seen.push(view.signal(signal));
  }
  return seen;
}"""


@pytest.fixture
def picture(show):
    """Open the page and wait for its first picture."""
    return lambda query="", **options: show(f"convolution{query}", "kernel", **options)


def lit(page):
    return page.evaluate(LIT, QUANTITIES["momentum"].light)


def test_the_sum_under_the_pointer_is_torch_s_at_every_cell(picture):
    page, sent = picture()
    x, kernel = (torch.from_numpy(matrix.array) for matrix in (INPUTS["course"].matrix, KERNELS["course"].matrix))
    wanted = F.conv2d(x[None, None], kernel[None, None], padding=1)[0, 0]
    places = page.evaluate(PLACES, "output")
    assert len(places) == wanted.numel()
    sent.clear()
    for index, (left, top) in enumerate(places):
        page.mouse.move(left, top)
        page.wait_for_function("(at) => viewWith('kernel').signal('at') === at", arg=index)
        row, column = divmod(index, 5)
        expect(formula(page)).to_contain_text(f"[{row},{column}]")
        expect(formula(page).locator(".q-prediction").last).to_have_text(f"{wanted[row, column]:.0f}")
        expect(formula(page)).to_contain_text(f"Output [{row}, {column}]:")
        terms = [float(text) for text in formula(page).locator(".q-weight").all_text_contents()]
        assert terms == kernel.ravel().tolist()
    page.mouse.move(5, 5)
    page.wait_for_function("() => viewWith('kernel').signal('at') === viewWith('kernel').signal('step')")
    assert sent == []


def test_a_weight_lights_every_input_that_it_meets(picture):
    page, _ = picture("?padding=0&stride=2")
    for left, top in page.evaluate(PLACES, "weight"):
        page.mouse.move(left, top)
        page.wait_for_function("() => viewWith('kernel').signal('weight_at') >= 0")
        expect(formula(page)).to_contain_text("meets 4 inputs")
        assert lit(page)["left"] == 4


def test_an_input_lights_every_output_that_it_goes_to(picture):
    page, _ = picture("?padding=0")
    ones = torch.ones(1, 1, 3, 3)
    counts = F.conv_transpose2d(torch.ones(1, 1, 3, 3), ones).ravel().tolist()
    for (left, top), count in zip(page.evaluate(PLACES, "input"), counts, strict=True):
        page.mouse.move(left, top)
        expect(formula(page)).to_contain_text(f"counts in {count:.0f} output{'s' if count > 1 else ''}.")
        assert lit(page)["right"] == count


def test_what_the_stride_passes_over_is_marked_and_said(picture):
    page, _ = picture("?padding=0&stride=4&input=pooling")
    expect(page.get_by_text("7 of 16 input cells never meet a weight")).to_be_visible()
    left, top = page.evaluate(PLACES, "input")[-1]
    page.mouse.move(left, top)
    expect(formula(page)).to_contain_text("it is discarded")


def test_the_player_slides_the_window(picture):
    page, sent = picture("?convolution.step=3")
    page.wait_for_function("() => viewWith('kernel').signal('at') === 2")
    sent.clear()
    page.locator("[data-action=forward]").first.click()
    page.wait_for_function("() => viewWith('kernel').signal('at') === 3 && viewWith('kernel').signal('left') === 3")
    page.locator("[data-action=last]").first.click()
    expect(formula(page)).to_contain_text("[4,4]")
    assert sent == []


def test_a_finger_keeps_what_it_touched(picture):
    page, _ = picture(has_touch=True, viewport={"width": 390, "height": 844})
    page.evaluate("viewWith('kernel').container().scrollIntoView({ block: 'start' })")
    page.touchscreen.tap(*page.evaluate(PLACES, "input")[24])
    expect(formula(page)).to_contain_text("counts in 9 outputs")


def test_the_picture_follows_the_pointer(picture):
    kernel = "%3B".join(["1%202%203%204%203%202%201"] * 7)
    page, _ = picture(f"?input=digit&padding=3&kernel=own&k={kernel}")
    page.wait_for_function(f"() => ({PLACES})('weight').length === 49")
    for kind, count in (("output", 784), ("weight", 49), ("input", 34 * 34)):
        places = page.evaluate(PLACES, kind)
        assert len(places) == count
        every = max(1, count // 100)
        assert page.evaluate(SWEEP, [places[::every], f"{kind}_at"]) == list(range(0, count, every))


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_nothing_is_wider_than_a_phone(picture, lang):
    query = f"?lang={lang}&stack=true&pools=true&up=true&line=true"
    page, _ = picture(query, viewport={"width": 390, "height": 844})
    expect(page.locator(".player canvas")).to_have_count(6)
    check_width(page)


def test_the_first_screen_fits(picture):
    page, _ = picture(viewport={"width": 1280, "height": 800})
    box = page.locator(".player .timeline").first.bounding_box()
    assert box["y"] + box["height"] <= 800
    chart = page.locator(".player .chart").first.bounding_box()
    assert chart["y"] + chart["height"] <= box["y"] + 1


def test_a_phone_shows_the_picture_on_its_first_screen(picture):
    page, _ = picture(viewport={"width": 390, "height": 844})
    seen = page.locator(".player .timeline").first.bounding_box()["y"]
    assert page.locator(".player .chart").first.bounding_box()["y"] <= seen - 200


def test_folding_the_settings_only_hides_them(picture):
    page, _ = picture("?more=true&dilation=2&bias=1")
    expect(page.get_by_text("The output is 3 × 3")).to_be_visible()
    page.get_by_text("More settings").click()
    expect(page.get_by_text("In force from the closed section above: dilation 2, bias 1.")).to_be_visible()
    expect(page.get_by_text("The output is 3 × 3")).to_be_visible()
    page.wait_for_function("() => location.search.includes('dilation=2') && !location.search.includes('more=')")


def test_a_digit_opens_where_something_happens(picture):
    page, _ = picture("?input=digit")
    at = page.evaluate("() => viewWith('kernel').signal('step')")
    assert at > 0
    assert page.evaluate("(at) => viewWith('kernel').data('output')[at].value", at) > 1
