"""The sections with a run's results and with the inside of its network, in a browser, over a run that ships."""

import re

from playwright.sync_api import expect

from tests.browser.rest import rest
from tests.browser.views import TAKES_THE_HAND, check_width, drawn, move, press

NUMBER = re.compile(r"[−-]?\d+(?:\.\d+)?(?:e[−-]?\d+)?")
PATIENCE = 60_000  # ms, for what the server draws on a busy machine
CHANGES_OF_THE_LINK = """() => new Promise((done) => {
  let count = 0;
  navigation.addEventListener("currententrychange", () => count++);
  setTimeout(() => done(count), 1000); // four times as long as a picture waits before it writes
})"""
AT = "() => viewWith('output').signal('at')"


def figure(page, key):
    return page.locator(f".st-key-player-{key} .player")


def caption(page, key):
    return figure(page, key).locator(".caption")


def position(page, key):
    return figure(page, key).locator(".position")


def reach(page, source):
    """Scroll a picture below the page's first one to where the pointer can reach it."""
    drawn(page, source)
    page.evaluate("(source) => canvasOf(viewWith(source)).scrollIntoView({ block: 'center' })", source)
    rest(page)


def click(page, source, plot, at):
    move(page, source, plot, at)
    page.wait_for_function(TAKES_THE_HAND, arg=source)
    page.mouse.down()
    page.mouse.up()


def heading(page, start):
    """Wait until all headings of the images begin so."""
    page.wait_for_function(
        "(start) => viewWith('heading')?.data('heading').every((row) => row.text.startsWith(start))", arg=start
    )


def test_a_cell_is_chosen_by_click_and_keys_and_follows_the_epoch_without_the_server(show):
    page, sent = show("training?results=true&run.step=4&lang=en", "cells")
    expect(caption(page, "confusion")).to_contain_text("After epoch 4,")  # where the first picture stands
    heading(page, "4 seen as 9")
    reach(page, "cells")
    press(page, "cells", "matrix", (3, 5))
    page.mouse.up()
    heading(page, "5 seen as 3")
    page.wait_for_function("() => location.search.includes('label=5') && location.search.includes('seen=3')")
    rest(page)
    figure(page, "confusion").locator("[data-param=label]").focus()
    page.keyboard.press("ArrowRight")
    heading(page, "6 seen as 3")
    rest(page)
    sent.clear()
    figure(page, "confusion").locator(".scrub").focus()
    page.keyboard.press("Home")
    expect(caption(page, "confusion")).to_contain_text("After epoch 1,")
    page.keyboard.press("End")
    expect(caption(page, "confusion")).to_contain_text("After epoch 10,")
    assert sent == []


def numbers(page):
    """The terms and the total of the formula, as a reader sees them."""
    shown = figure(page, "maps").locator(".formula math mn").all_text_contents()
    return [float(text.strip("()").replace("−", "-")) for text in shown]


def decimals(page):
    shown = figure(page, "maps").locator(".formula math mn").all_text_contents()
    return max(len(text.partition(".")[2]) for text in shown)


def check_sum(page):
    *terms, total = numbers(page)
    assert len(terms) == 6  # four channels, the others, the bias
    assert round(sum(terms), decimals(page)) == total


def test_pointing_at_a_pixel_shows_the_sum_that_made_it_without_the_server(show):
    page, sent = show("training?inside=true&look=image&layer=4&image=8&lang=en", "output")
    reach(page, "output")
    values = page.evaluate("() => viewWith('output').data('output').map((row) => row.values[10])")
    assert values[page.evaluate(AT)] == max(values)
    check_sum(page)
    sent.clear()
    seen = {page.evaluate(AT)}
    for place in ((0.8, 0.2), (0.9, 0.1), (0.85, 0.3)):
        move(page, "output", "apart", place)
        page.wait_for_function("(seen) => !seen.includes(viewWith('output').signal('at'))", arg=list(seen))
        seen.add(at := page.evaluate(AT))
        check_sum(page)
        assert abs(numbers(page)[-1] - values[at]) < 0.01
    figure(page, "maps").locator(".scrub").focus()
    expect(position(page, "maps")).to_have_text("Epoch 10 / 10")
    page.keyboard.press("Home")
    expect(caption(page, "maps")).to_contain_text("Before the first step")
    expect(position(page, "maps")).to_have_text("Epoch 0 / 10")
    check_sum(page)
    assert sent == []


def test_a_layer_is_chosen_by_the_keyboard_and_a_map_by_a_click(show):
    page, _ = show("training?inside=true&look=image&lang=en", "output")
    expect(page.get_by_text("conv1: convolution, 10 maps of 24 × 24")).to_be_visible()
    figure(page, "maps").locator("[data-param=layer]").focus()
    page.keyboard.press("ArrowRight")
    expect(page.get_by_text("max pool: max pooling")).to_be_visible()
    reach(page, "output")
    click(page, "maps", "maps", (2.5, 1.5))
    page.wait_for_function("() => location.search.includes('map=6')")
    page.wait_for_function("() => viewWith('frame')?.data('frame')[0].title === 'map 7'")


def test_the_timelines_of_all_sections_go_together_without_the_server(show):
    page, sent = show("training?results=true&inside=true&run.step=4&lang=en", "layers")
    drawn(page, "cells")
    sent.clear()
    check_epoch(page, 4, "run", "confusion", "inside")
    for moved, key, epoch in (("run", "ArrowLeft", 3), ("confusion", "End", 10), ("inside", "ArrowLeft", 9)):
        figure(page, moved).locator(".scrub").press(key)
        check_epoch(page, epoch, "run", "confusion", "inside")
    page.wait_for_function("() => location.search.endsWith('&run.step=9')")  # the sections' places follow from it
    figure(page, "inside").locator(".scrub").press("Home")
    check_epoch(page, 1, "run", "confusion")  # nothing was tested before the first step
    check_epoch(page, 0, "inside")
    page.wait_for_function("() => location.search.includes('inside.step=0') && location.search.includes('run.step=1')")
    assert page.evaluate(CHANGES_OF_THE_LINK) == 0  # both have a place in it, and leave the other's alone
    figure(page, "inside").locator("[data-action=play]").click()
    check_epoch(page, 10, "run", "confusion", "inside")
    page.wait_for_function("() => !location.search.includes('step=')")  # they are where they are at first
    assert sent == []
    figure(page, "inside").locator(".scrub").press("Home")
    page.wait_for_function("() => location.search.includes('inside.step=0') && location.search.includes('run.step=1')")
    page.reload()
    check_epoch(page, 1, "run", "confusion")
    check_epoch(page, 0, "inside")


def test_what_is_opened_later_joins_the_timelines(show):
    page, _ = show("training?inside=true&lang=en", "layers")
    figure(page, "inside").locator(".scrub").press("Home")
    figure(page, "inside").locator(".scrub").press("ArrowRight")
    figure(page, "inside").locator(".scrub").press("ArrowRight")
    page.get_by_test_id("stMain").get_by_role("radio", name="One image").click()
    page.wait_for_function("() => window.viewWith('maps')?.data('maps').length", timeout=60_000)
    page.locator("summary").filter(has_text="Results: what").click()
    check_epoch(page, 2, "run", "maps", "confusion")
    expect(page.get_by_text("Measured with a fixed batch")).to_have_count(0)  # it belongs to the layers
    figure(page, "maps").locator(".scrub").press("ArrowRight")
    check_epoch(page, 3, "run", "maps", "confusion")
    page.get_by_role("button", name="Compare", exact=True).click()
    page.get_by_role("button", name="The course's four nets · ready").click()
    expect(position(page, "runs")).to_have_text("Epoch 3 / 10", timeout=PATIENCE)


def test_the_timelines_of_a_run_under_way_end_at_its_last_epoch(visit, app_address):
    query = "model=mlp&epochs=10&images=1000&seed=77&results=true&inside=true&lang=en"
    page = visit(f"{app_address}/training?{query}")
    page.locator(".st-key-start button:enabled").click()
    page.get_by_text("Trained: test accuracy").wait_for(timeout=PATIENCE)
    check_epoch(page, 10, "run", "confusion", "inside")
    page.wait_for_function("() => !location.search.includes('step=')")


def check_epoch(page, epoch, *keys):
    for key in keys:
        expect(position(page, key)).to_have_text(f"Epoch {epoch} / 10", timeout=PATIENCE)
        expect(caption(page, key)).to_contain_text("Before the first" if epoch == 0 else re.compile(rf"poch {epoch}\b"))


def test_a_phone_shows_all_of_it(show):
    page, _ = show("training?results=true&inside=true&lang=en", "layers", viewport={"width": 390, "height": 844})
    drawn(page, "cells")
    check_width(page)
    expect(position(page, "inside")).to_have_text("Epoch 10 / 10")
    for canvas in page.locator(".player canvas").all():
        assert canvas.bounding_box()["width"] <= 390
