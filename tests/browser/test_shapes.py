"""The shape detective in a real browser: the drawing, pointing and pressing, and the views that change the net."""

import pytest
from playwright.sync_api import expect

from core.shapes.inspection import inspect
from core.shapes.presets import PRESETS
from tests.browser.rest import rest
from tests.browser.views import check_width, formula

CNN = PRESETS["cnn"].text()
SHAPE = (64, 1, 28, 28)

# Where the boxes that are drawn lie on the page: index -> [left, top] of the middle.
PLACES = """() => Object.fromEntries(marksOf(viewWith("boxes"), "rect")
  .filter(({ mark, item }) => mark.interactive !== false && item.datum?.index >= 0)
  .map((found) => [found.item.datum.index, middle(found)]))"""


@pytest.fixture
def net(show):
    """Open the page and wait for its drawing."""
    return lambda query="", **options: show(f"shapes{query}", "boxes", **options)


def source(page):
    return page.get_by_role("textbox", name="PyTorch source")


def write(page, text):
    source(page).fill(text)
    source(page).press("Control+Enter")


def test_the_keys_walk_through_the_net_without_the_server(net):
    page, sent = net()
    rows = inspect(CNN, SHAPE).report.rows
    expect(formula(page)).to_contain_text("⌊(28 + 2·0 − 1·(5 − 1) − 1)/1⌋ + 1 = 24")
    sent.clear()
    page.locator(".player").first.focus()
    for row in rows[1:]:
        page.keyboard.press("ArrowRight")
        expect(formula(page)).to_contain_text(f"→ {row.out_shape}")
    expect(page.locator(".player .caption").first).to_contain_text("320 inputs are 20·4·4")
    assert sent == []


def test_a_box_under_the_pointer_shows_its_numbers(net):
    page, sent = net("?net=inception")
    rows = inspect(PRESETS["inception"].text(), SHAPE).report.rows
    sent.clear()
    places = page.evaluate(PLACES)
    assert len(places) >= 9
    for index, (left, top) in places.items():
        page.mouse.move(left, top)
        expect(formula(page)).to_contain_text(f"→ {rows[int(index)].out_shape}")
        expect(formula(page)).to_contain_text(rows[int(index)].node.name)
    page.mouse.move(5, 5)
    expect(formula(page)).to_contain_text("conv1")
    assert sent == []


def test_a_long_net_scrolls_along(net):
    page, _ = net("?net=googlenet&shapes.step=190")
    assert min(map(int, page.evaluate(PLACES))) > 150
    page.locator(".player").first.focus()
    page.keyboard.press("Home")
    page.wait_for_function(f"() => 0 in ({PLACES})()")


def test_typed_source_is_drawn_diagnosed_and_repaired(net):
    page, _ = net()
    write(page, CNN.replace("320", "1280"))
    expect(page.get_by_text("mat1 and mat2 shapes cannot be multiplied (64x320 and 1280x10)").first).to_be_visible()
    page.wait_for_function("() => viewWith('boxes').data('boxes').some((box) => box.kind === 'error')")
    assert "source=" in page.url
    page.get_by_role("button", name="Write nn.Linear(320, 10)").click()
    page.wait_for_function("() => !viewWith('boxes').data('boxes').some((box) => box.kind === 'error')")
    expect(source(page)).to_have_value(CNN)


def test_the_playhead_goes_to_the_layer_that_fails(net):
    page, _ = net()
    expect(formula(page)).to_contain_text("conv1")
    write(page, CNN.replace("320", "500"))
    expect(formula(page)).to_contain_text("fc: (64, 320) → ?")
    page.locator(".player").first.focus()
    page.keyboard.press("Home")
    expect(formula(page)).to_contain_text("conv1")
    write(page, CNN.replace("320", "501"))
    expect(page.get_by_text("501x10").first).to_be_visible()
    expect(formula(page)).to_contain_text("conv1")  # who walked back stays there


@pytest.mark.parametrize("text", [CNN, "nn.Sequential(nn.Conv2d(1, 4, 3))"])
def test_a_mistyped_input_does_not_touch_the_source(net, text):
    page, _ = net()
    write(page, text)
    size = page.get_by_role("textbox", name="Input: C, H, W")
    for wrong, right in (("abc", "1, 40, 40"), ("1,0,28", "(1,28,28)")):
        rest(page)  # what is typed while the page is drawn anew may be written over
        size.fill(wrong)
        size.press("Enter")
        expect(page.get_by_text("still shows the input from before")).to_be_visible()
        expect(source(page)).to_have_value(text)
        rest(page)
        size.fill(right)
        size.press("Enter")
        expect(page.get_by_text("still shows the input from before")).to_have_count(0)
        expect(source(page)).to_have_value(text)


def test_a_verdict_of_a_mistake_stands_above_the_drawing(net):
    page, _ = net(viewport={"width": 390, "height": 844})
    write(page, CNN.replace("320", "500"))
    verdict = page.get_by_text("cannot work")
    expect(verdict).to_be_visible()
    assert verdict.bounding_box()["y"] < page.locator(".player").first.bounding_box()["y"]


def test_source_that_cannot_be_read_keeps_the_drawing(net):
    page, _ = net("?net=lenet")
    write(page, "nn.Sequential(\n    nn.Conv2d(1, 6, 5),\n    import os\n)")
    expect(page.get_by_text("Line 2: ").or_(page.get_by_text("Line 3: ")).first).to_be_visible()
    assert page.evaluate("() => viewWith('boxes').data('boxes').length") == 13
    write(page, "nn.Sequential(\n    nn.Conv2d(1, 6, 5),\n)")
    page.wait_for_function("() => viewWith('boxes').data('boxes').length === 2")


def test_a_pressed_box_is_marked_and_can_be_doubled(net):
    page, _ = net("?view=layer")
    expect(page.get_by_role("textbox", name="Marked layer")).to_have_value("Conv2d")
    left, top = page.evaluate(PLACES)["1"]
    page.mouse.move(left, top)
    page.wait_for_function("() => viewWith('boxes').signal('over_box') === 1")
    page.mouse.down()
    page.mouse.up()
    expect(page.get_by_role("textbox", name="Marked layer")).to_have_value("MaxPool2d")
    page.get_by_role("button", name="Duplicate").click()
    page.wait_for_function("() => viewWith('boxes').data('boxes').length === 10")


def test_the_table_shows_the_same_net(net):
    page, _ = net("?view=table")
    page.get_by_test_id("stDataFrame").first.wait_for()
    page.get_by_role("radio", name="as source").click()
    expect(source(page)).to_have_value(CNN)


def patiently(attempt, times=8):
    """Try again until an attempt succeeds; the last failure counts."""
    for _ in range(times - 1):
        try:
            return attempt()
        except AssertionError:
            pass
    return attempt()


def test_a_cell_of_the_table_changes_the_net(net):
    page, _ = net("?net=lenet&view=table", viewport={"width": 1280, "height": 1800})  # nothing scrolls meanwhile
    table = page.get_by_test_id("stDataFrame").first
    expect(table.get_by_text("1, 6, kernel_size=5")).to_be_attached()
    page.wait_for_load_state("networkidle")
    editor = page.locator(".gdg-input")

    def opened():
        box = table.locator("canvas").first.bounding_box()
        page.mouse.click(box["x"] + 260, box["y"] + 53)  # the arguments of the first layer
        page.keyboard.press("Enter")
        expect(editor).to_be_visible(timeout=2_000)

    patiently(opened)  # a grid that is still being laid out does not take the click
    editor.fill("1, 8, 5")
    editor.press("Enter")
    page.get_by_role("button", name="Write nn.Conv2d(8, 16, kernel_size=5)").click()
    page.wait_for_function("() => viewWith('boxes').data('shapes').some((shape) => shape.long === '(64, 8, 28, 28)')")
    expect(page.get_by_text("becomes (64, 10)")).to_be_visible()


def test_a_link_reopens_net_and_step(net):
    page, _ = net("?source=nn.Sequential(nn.Conv2d(1,+4,+3),nn.Flatten(),nn.Linear(?,+2))&input=1,+8,+8&shapes.step=3")
    expect(formula(page)).to_contain_text("in_features = 4·6·6 = 144")
    expect(formula(page)).to_contain_text("→ (64, 2)")


@pytest.mark.parametrize("lang", ["en", "zh"])
@pytest.mark.parametrize("view", ["source", "table", "layer"])
def test_nothing_is_wider_than_a_phone(net, lang, view):
    query = f"?lang={lang}&view={view}&net=inception&totals=true&solve=true&practice=true&code=true"
    page, _ = net(query, viewport={"width": 390, "height": 844})
    check_width(page)
    assert page.locator(".player").first.bounding_box()["width"] <= 390


def test_the_first_screen_fits(net):
    page, _ = net(viewport={"width": 1280, "height": 800})
    box = page.locator(".player .timeline").first.bounding_box()
    assert box["y"] + box["height"] <= 800
    chart = page.locator(".player .chart").first.bounding_box()
    assert chart["y"] + chart["height"] <= box["y"] + 1
