"""The page "Convolution by hand" in a real browser: what is pointed at, the picture and the sum agree with torch."""

from statistics import median

import pytest
import torch
from playwright.sync_api import expect
from torch.nn import functional as F

from app.palette import QUANTITIES
from core.matrices import INPUTS, KERNELS
from tests.browser.rest import rest
from tests.browser.test_mse import KEEP_VIEWS

# The first picture: the only chart that has a kernel and a position on the page above all others.
PICTURE = "window.picture = () => views.find((view) => 'kernel' in view.getState({ data: () => true }).data);"

# Where the cells of a kind lie on the page, row by row: "input", "weight" or "output".
PLACES = """(kind) => {
  const view = picture();
  const is = {
    input: (row) => row.pad !== undefined,
    weight: (row) => row.windex >= 0,
    output: (row) => row.pad === undefined && !(row.windex >= 0),
  }[kind];
  const box = view.container().querySelector("canvas").getBoundingClientRect();
  const [left, top] = view.origin();
  const { left: padLeft, top: padTop } = view.padding();
  const found = [];
  const walk = (group, x, y) => {
    for (const mark of group.items ?? []) {
      for (const item of mark.items ?? []) {
        if (mark.marktype === "group") walk(item, x + (item.x ?? 0), y + (item.y ?? 0));
        else if (mark.marktype === "rect" && mark.interactive !== false && is(item.datum))
          found.push([x + item.x + item.width / 2, y + item.y + item.height / 2]);
      }
    }
  };
  walk(view.scenegraph().root.items[0], box.left + left + padLeft, box.top + top + padTop);
  return found;
}"""

# How many marks are drawn in a colour that only what is pointed at has.
LIT = """() => {
  const count = { left: 0, right: 0 };
  const walk = (group, side) => {
    for (const mark of group.items ?? []) {
      for (const item of mark.items ?? []) {
        if (mark.marktype === "group") walk(item, mark.name === "input_group" ? "left" : "right");
        else if (mark.marktype === "rect" && item.fillOpacity > 0.3 && mark.interactive === false && item.fill === lit)
          count[side] += 1;
      }
    }
  };
  walk(picture().scenegraph().root.items[0], "");
  return count;
}"""

# Points at every given place in turn, as fast as the browser draws; returns the ms that each took.
SWEEP = """async (places) => {
  const view = picture();
  const canvas = view.container().querySelector("canvas");
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


@pytest.fixture
def picture(visit, app_address):
    """Open the page, wait for its first picture, and note what is sent to the server."""

    def open_page(query="", **options):
        sent = []

        def prepare(page):
            page.add_init_script(KEEP_VIEWS + PICTURE)
            page.on("websocket", lambda socket: socket.on("framesent", lambda frame: sent.append(frame)))  # noqa: PLW0108 - it marks its handlers

        page = visit(f"{app_address}/convolution{query}", prepare, **options)
        page.locator(".player canvas").first.wait_for()
        page.wait_for_function(f"() => picture() && ({PLACES})('output').length > 0")
        rest(page)
        return page, sent

    return open_page


def written(page):
    return page.locator(".player .formula").first


def lit(page):
    return page.evaluate(f"() => {{ const lit = {QUANTITIES['momentum'].light!r}; return ({LIT})(); }}")


def test_the_sum_under_the_pointer_is_torch_s_at_every_cell(picture):
    page, sent = picture()
    x, kernel = (torch.from_numpy(matrix.array) for matrix in (INPUTS["course"].matrix, KERNELS["course"].matrix))
    wanted = F.conv2d(x[None, None], kernel[None, None], padding=1)[0, 0]
    places = page.evaluate(PLACES, "output")
    assert len(places) == wanted.numel()
    sent.clear()
    for index, (left, top) in enumerate(places):
        page.mouse.move(left, top)
        page.wait_for_function("(at) => picture().signal('at') === at", arg=index)
        row, column = divmod(index, 5)
        expect(written(page)).to_contain_text(f"[{row},{column}]")
        expect(written(page).locator(".q-prediction").last).to_have_text(f"{wanted[row, column]:.0f}")
        expect(written(page)).to_contain_text(f"Output [{row}, {column}]:")
        terms = [float(text) for text in written(page).locator(".q-weight").all_text_contents()]
        assert terms == kernel.ravel().tolist()
    page.mouse.move(5, 5)
    page.wait_for_function("() => picture().signal('at') === picture().signal('step')")
    assert sent == []


def test_a_weight_lights_every_input_that_it_meets(picture):
    page, _ = picture("?padding=0&stride=2")
    for left, top in page.evaluate(PLACES, "weight"):
        page.mouse.move(left, top)
        page.wait_for_function("() => picture().signal('weight_at') >= 0")
        expect(written(page)).to_contain_text("meets 4 inputs")
        assert lit(page)["left"] == 4


def test_an_input_lights_every_output_that_it_goes_to(picture):
    page, _ = picture("?padding=0")
    ones = torch.ones(1, 1, 3, 3)
    counts = F.conv_transpose2d(torch.ones(1, 1, 3, 3), ones).ravel().tolist()
    for (left, top), count in zip(page.evaluate(PLACES, "input"), counts, strict=True):
        page.mouse.move(left, top)
        expect(written(page)).to_contain_text(f"counts in {count:.0f} output{'s' if count > 1 else ''}.")
        assert lit(page)["right"] == count


def test_what_the_stride_passes_over_is_marked_and_said(picture):
    page, _ = picture("?padding=0&stride=4&input=pooling")
    expect(page.get_by_text("7 of 16 input cells never meet a weight")).to_be_visible()
    left, top = page.evaluate(PLACES, "input")[-1]
    page.mouse.move(left, top)
    expect(written(page)).to_contain_text("it is discarded")


def test_the_player_slides_the_window(picture):
    page, sent = picture("?convolution.step=3")
    page.wait_for_function("() => picture().signal('at') === 2")
    sent.clear()
    page.locator("[data-action=forward]").first.click()
    page.wait_for_function("() => picture().signal('at') === 3 && picture().signal('left') === 3")
    page.locator("[data-action=last]").first.click()
    expect(written(page)).to_contain_text("[4,4]")
    assert sent == []


def test_a_finger_keeps_what_it_touched(picture):
    page, _ = picture(has_touch=True, viewport={"width": 390, "height": 844})
    page.evaluate("picture().container().scrollIntoView({ block: 'start' })")
    page.touchscreen.tap(*page.evaluate(PLACES, "input")[24])
    expect(written(page)).to_contain_text("counts in 9 outputs")


def test_the_picture_follows_the_pointer(picture):
    kernel = "%3B".join(["1%202%203%204%203%202%201"] * 7)
    page, _ = picture(f"?input=digit&padding=3&kernel=own&k={kernel}")
    page.wait_for_function(f"() => ({PLACES})('weight').length === 49")
    for kind, count in (("output", 784), ("weight", 49), ("input", 34 * 34)):
        places = page.evaluate(PLACES, kind)
        assert len(places) == count
        assert median(page.evaluate(SWEEP, places[:: max(1, count // 100)])) < 1000 / 30, kind


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_nothing_is_wider_than_a_phone(picture, lang):
    query = f"?lang={lang}&stack=true&pools=true&up=true&line=true"
    page, _ = picture(query, viewport={"width": 390, "height": 844})
    expect(page.locator(".player canvas")).to_have_count(6)
    assert page.evaluate("() => document.scrollingElement.scrollWidth") <= 390


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
    at = page.evaluate("() => picture().signal('step')")
    assert at > 0
    assert page.evaluate("(at) => picture().data('output')[at].value", at) > 1
