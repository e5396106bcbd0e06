import re

import pytest
from playwright.sync_api import expect

from core.digits import MAX_POINTS, PEN, SIDE
from tests.browser.rest import rest
from tests.browser.views import drawn

RUN = "images=3000&epochs=1&lr=0.1&lang=en"
PATIENCE = 120_000  # ms, for a run on a busy machine
SAYS = re.compile("sees an? |networks see an? |networks disagree")
ONE = [(140, 50), (140, 230)]
PHONE = {"viewport": {"width": 390, "height": 844}, "has_touch": True, "is_mobile": True}


def invitation(page):
    """What stands above the bars while nothing is drawn; a screen reader is told it as well, a moment later."""
    return page.locator(".player .words").filter(has_text="the networks say at once what they see")


def open_pad(visit, address, query="", **options):
    page = visit(f"{address}/pad{query}", **options)
    expect(page.locator(".pad canvas").nth(1)).to_be_visible(timeout=PATIENCE)
    expect(written(page, "calm")).to_be_visible(timeout=PATIENCE)
    return page


def surface(page, pad=0):
    canvas = page.locator(".pad canvas").nth(pad)
    canvas.scroll_into_view_if_needed()
    return canvas


def at(page, point, pad=0):
    """Return where a point of the pad is on the page, in px."""
    box = surface(page, pad).bounding_box()
    return box["x"] + point[0] / SIDE * box["width"], box["y"] + point[1] / SIDE * box["height"]


def draw(page, points, pad=0):
    page.mouse.move(*at(page, points[0], pad))
    page.mouse.down()
    for point in points[1:]:
        page.mouse.move(*at(page, point, pad), steps=12)
    page.mouse.up()


def written(page, name):
    return page.get_by_test_id("stMarkdown").filter(has_text=re.compile(f"^{name} "))


def number(page, name):
    return int(re.search(r"-?\d+", written(page, name).inner_text())[0])


def wait_for(page, name, pattern):
    expect(written(page, name)).to_have_text(re.compile(pattern), timeout=PATIENCE)


def dark_pixels(page, pad=0):
    """Return the share of the pad that has ink on the screen."""
    script = """(canvas) => {
      const { data } = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height);
      return data.filter((value, index) => index % 4 === 3 && value > 127).length / (data.length / 4);
    }"""
    return surface(page, pad).evaluate(script)


def button(page, name, pad=0):
    return page.get_by_role("group", name=("Live", "Calm")[pad]).get_by_role("button", name=name)


def test_a_line_of_the_mouse_arrives_as_it_was_drawn(visit, demo_address):
    page = open_pad(visit, demo_address)
    draw(page, ONE)
    wait_for(page, "points", r"\[2\]")  # a straight line needs no more
    assert written(page, "strokes").inner_text() == "strokes (((140, 50), (140, 230)),)"
    assert number(page, "ink") == pytest.approx(PEN * 180 + 3.14 * (PEN / 2) ** 2, rel=0.02)
    assert dark_pixels(page) == pytest.approx(number(page, "ink") / SIDE**2, rel=0.03)


@pytest.mark.parametrize("pointer", ["mouse", "pen", "touch", "keyboard"])
def test_a_tap_leaves_a_dot(visit, demo_address, pointer):
    page = open_pad(visit, demo_address, **(PHONE if pointer == "touch" else {}))
    if pointer == "touch":
        page.touchscreen.tap(*at(page, (140, 140)))
    elif pointer == "keyboard":
        surface(page).focus()
        for _press in range(2):
            page.keyboard.press(" ")
        surface(page).blur()  # with the focus goes the mark of the keyboard's pen
    else:
        x, y = at(page, (140, 140))
        devtools = page.context.new_cdp_session(page)
        for kind in ("mousePressed", "mouseReleased"):
            told = {"type": kind, "x": x, "y": y, "button": "left", "clickCount": 1, "pointerType": pointer}
            devtools.send("Input.dispatchMouseEvent", told)
    wait_for(page, "points", r"\[1\]")
    assert dark_pixels(page) == pytest.approx(3.14 * (PEN / 2) ** 2 / SIDE**2, rel=0.1)


def test_python_is_told_while_the_line_grows_and_never_twice_at_once(visit, demo_address):
    page = open_pad(visit, demo_address)
    page.mouse.move(*at(page, (60, 60)))
    page.mouse.down()
    page.mouse.move(*at(page, (220, 60)), steps=10)
    wait_for(page, "ink", r"ink [1-9]")
    first = number(page, "ink")
    before = number(page, "runs")
    page.mouse.move(*at(page, (220, 220)), steps=200)
    expect(written(page, "ink")).not_to_have_text(f"ink {first}")
    page.mouse.up()
    wait_for(page, "points", r"\[3\]")
    assert before < number(page, "runs") < before + 100


def test_a_calm_pad_tells_only_what_is_finished(visit, demo_address):
    page = open_pad(visit, demo_address)
    page.mouse.move(*at(page, (60, 60), pad=1))
    page.mouse.down()
    page.mouse.move(*at(page, (220, 60), pad=1), steps=30)
    wait_for(page, "calm", "calm 0, runs 1$")
    page.mouse.up()
    wait_for(page, "calm", r"calm [1-9]\d+, runs 2$")


def test_undo_and_clear(visit, demo_address):
    page = open_pad(visit, demo_address)
    expect(button(page, "Undo")).to_have_attribute("aria-disabled", "true")
    draw(page, ONE)
    draw(page, [(60, 140), (220, 140)])
    wait_for(page, "points", r"\[2, 2\]")
    button(page, "Undo").click()
    wait_for(page, "points", r"\[2\]")
    button(page, "Clear").click()
    wait_for(page, "ink", "ink 0$")
    assert dark_pixels(page) == 0
    button(page, "Undo").click()
    wait_for(page, "points", r"\[2\]")
    page.keyboard.press("Tab")
    surface(page).focus()
    page.keyboard.press("Control+z")
    wait_for(page, "ink", "ink 0$")


def test_a_digit_of_the_test_set_can_be_drawn_upon(visit, demo_address):
    page = open_pad(visit, demo_address)
    button(page, "Put a 3 of the test set").click()
    wait_for(page, "example", "example 18$")
    page.wait_for_function(
        "() => [...document.querySelectorAll('[data-testid=stBidiComponentIsolated]')].some((host) =>"
        " host.shadowRoot?.querySelector('.pad canvas')?.getContext('2d').getImageData(0, 0, 400, 400).data"
        ".some((value) => value > 200))"
    )
    assert dark_pixels(page) == pytest.approx(number(page, "ink") / SIDE**2, rel=0.1)
    draw(page, ONE)
    wait_for(page, "points", r"\[2\]")
    wait_for(page, "example", "example 18$")


def test_the_keyboard_draws_as_well(visit, demo_address):
    page = open_pad(visit, demo_address)
    surface(page).focus()
    for key in ["ArrowUp"] * 4 + [" "] + ["ArrowDown"] * 8 + [" "] + ["ArrowLeft"] * 2:
        page.keyboard.press(key)
    expect(written(page, "strokes")).to_have_text("strokes (((140, 100), (140, 180)),)", timeout=PATIENCE)
    page.keyboard.press("Delete")
    wait_for(page, "ink", "ink 0$")
    assert page.evaluate("() => document.querySelector('[data-testid=stMain]').scrollTop") == 0


def test_what_is_pressed_is_said_and_everything_has_a_name(visit, demo_address):
    page = open_pad(visit, demo_address)
    canvas = surface(page)
    expect(canvas).to_have_accessible_name("Drawing surface")
    expect(canvas).to_have_accessible_description(re.compile("Arrow keys move the pen"))
    canvas.focus()
    page.keyboard.press(" ")
    announcer = page.locator(".pad .announcer").first
    expect(announcer).to_have_text("Pen down, 50 % from the left, 50 % from the top")
    page.keyboard.press(" ")
    expect(announcer).to_have_text("Pen up")
    for digit in range(10):
        expect(button(page, f"Put a {digit} of the test set on the pad")).to_be_visible()


def test_a_finger_draws_and_does_not_scroll(visit, demo_address):
    page = open_pad(visit, demo_address, **PHONE)
    main = "() => document.querySelector('[data-testid=stMain]').scrollTop"
    start, before = at(page, (140, 230)), page.evaluate(main)
    touch = page.context.new_cdp_session(page)

    def send(kind, *points):
        touch.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": [{"x": x, "y": y} for x, y in points]})

    send("touchStart", start)
    for y in range(220, 40, -10):
        send("touchMove", at(page, (140, y)))
    send("touchEnd")
    wait_for(page, "points", r"\[2\]")
    assert page.evaluate(main) == before
    box = surface(page).bounding_box()
    assert box["x"] >= 0
    assert box["x"] + box["width"] <= 390
    assert box["width"] > 280


def test_the_link_opens_the_drawing(visit, demo_address):
    page = open_pad(visit, demo_address)
    button(page, "Put a 7 of the test set").click()
    draw(page, [(60, 61), (221, 60), (120, 240)])
    wait_for(page, "points", r"\[\d\]")
    page.wait_for_function(r"() => /live\.ink=0\.[\w-]{4,}/.test(location.search)")
    strokes, query = written(page, "strokes").inner_text(), page.evaluate("() => location.search")
    other = open_pad(visit, demo_address, query)
    expect(written(other, "strokes")).to_have_text(strokes)
    expect(written(other, "example")).to_have_text(re.compile("example 0$"))
    button(other, "Clear").click()
    other.wait_for_function("() => !location.search.includes('live.ink')")


@pytest.mark.parametrize("ink", ["x", ".AQ", "9999.", ".____", f".{'A' * 5000}"])
def test_nonsense_in_the_link_is_a_blank_pad(visit, demo_address, ink):
    page = open_pad(visit, demo_address, f"?live.ink={ink}")
    wait_for(page, "ink", "ink 0$")
    draw(page, ONE)
    wait_for(page, "points", r"\[2\]")


def test_a_drawing_has_an_end(visit, demo_address):
    page = open_pad(visit, demo_address)
    script = """(canvas, most) => {
      const box = canvas.getBoundingClientRect();
      const fire = (type, x, y) => canvas.dispatchEvent(new PointerEvent(type, { pointerId: 1, isPrimary: true,
        button: 0, clientX: box.left + x * box.width, clientY: box.top + y * box.height, bubbles: true }));
      canvas.setPointerCapture = () => {};
      fire('pointerdown', 0.1, 0.1);
      for (let n = 0; n < most + 500; n++) fire('pointermove', n % 2 ? 0.1 : 0.9, (n % 97) / 97);
      fire('pointerup', 0.5, 0.5);
      fire('pointerdown', 0.5, 0.5);
    }"""
    surface(page).evaluate(script, MAX_POINTS)
    expect(page.locator(".pad .message").first).to_have_text("The pad is full: undo or clear something.")
    wait_for(page, "points", r"\[[12]\d\d\d\]")
    assert sum(map(int, re.findall(r"\d+", written(page, "points").inner_text()))) <= MAX_POINTS


# --- On the training page, with a trained network behind it


@pytest.fixture(scope="module")
def trained_address(app_address, chromium):
    """The app after a small run was trained in it."""
    page = chromium.new_page()
    page.goto(f"{app_address}/training?{RUN}")
    page.locator(".st-key-start button").wait_for(timeout=PATIENCE)
    if page.locator(".st-key-start button:enabled").count():
        page.locator(".st-key-start button:enabled").click()
    page.get_by_text("Trained: test accuracy").wait_for(timeout=PATIENCE)
    page.close()
    return app_address


def test_the_prediction_follows_the_pen(visit, trained_address):
    page = visit(f"{trained_address}/training?{RUN}&digit=true")
    status = page.locator(".player .said").filter(has_text=SAYS)
    expect(invitation(page)).to_be_visible(timeout=PATIENCE)
    drawn(page, "bars")
    page.mouse.move(*at(page, ONE[0]))
    page.mouse.down()
    page.mouse.move(*at(page, ONE[1]), steps=20)
    expect(status).to_be_visible(timeout=PATIENCE)  # while the pen is still down
    page.mouse.up()
    page.wait_for_function("() => viewWith('bars').data('bars').some((bar) => bar.seen && bar.digit === 1)")
    bars = page.evaluate("() => viewWith('bars').data('bars').filter((bar) => bar.net === 0)")
    assert sum(bar["probability"] for bar in bars) == pytest.approx(1, abs=1e-3)
    drawn(page, "cells")
    assert page.evaluate("() => viewWith('marks').data('images').length") == 5
    assert page.evaluate("() => viewWith('cells').data('cells').length") == 28 * 28


def open_digit(page, address):
    page.goto(f"{address}/training?{RUN}&digit=true")
    expect(invitation(page)).to_be_visible(timeout=PATIENCE)
    surface(page)
    rest(page)


def predicted(page):
    return page.locator(".player .said").filter(has_text=SAYS)


def test_while_a_line_grows_the_page_does_not_run(tab, trained_address):
    asked = []

    def prepare(page):
        page.on("request", lambda request: asked.append(request.url) if "/quick/" in request.url else None)

    opened = tab(trained_address, prepare)
    page, told = opened.page, opened.sent
    open_digit(page, trained_address)
    told.clear()
    page.mouse.move(*at(page, ONE[0]))
    page.mouse.down()
    page.mouse.move(*at(page, ONE[1]), steps=20)
    expect(predicted(page)).to_be_visible(timeout=PATIENCE)
    page.wait_for_function("() => viewWith('bars').data('bars').some((bar) => bar.seen && bar.digit === 1)")
    assert asked
    assert not told
    page.mouse.up()
    expect(page.get_by_text("How it is made small.")).to_be_visible(timeout=PATIENCE)
    assert told


@pytest.mark.parametrize("hindered", [{"status": 404}, {"status": 200, "body": "<html>"}, None], ids=str)
def test_without_the_quick_way_the_page_answers(chromium, trained_address, hindered):
    page = chromium.new_page(locale="en-GB")  # and not `visit`: the browser itself complains about the request
    page.route("**/quick/*", lambda route: route.fulfill(**hindered) if hindered else route.abort())
    open_digit(page, trained_address)
    page.mouse.move(*at(page, ONE[0]))
    page.mouse.down()
    page.mouse.move(*at(page, ONE[1]), steps=20)
    expect(predicted(page)).to_be_visible(timeout=PATIENCE)
    page.mouse.up()
    expect(page.get_by_text("How it is made small.")).to_be_visible(timeout=PATIENCE)
    page.close()


def test_on_a_phone_the_bars_take_the_column_and_the_images_stand_in_two_rows(visit, trained_address):
    page = visit(f"{trained_address}/training?{RUN}&digit=true", **PHONE)
    expect(invitation(page)).to_be_visible(timeout=PATIENCE)
    page.locator(".pad").get_by_role("button", name="Put a 7 of the test set").click()
    drawn(page, "marks")
    sizes = page.evaluate("() => ['bars', 'marks'].map((name) => [viewWith(name).width(), viewWith(name).height()])")
    (bars, _height), (images, high) = sizes
    assert bars > 0.8 * 390
    tile = images / 3
    assert tile > 100
    assert high > 2 * tile
    assert page.evaluate("() => document.documentElement.scrollWidth") <= 390
