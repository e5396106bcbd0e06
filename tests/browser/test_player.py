import re
import struct
from urllib.parse import parse_qs, urlsplit
from xml.etree import ElementTree

import numpy as np
import pytest
from playwright.sync_api import expect

from app.palette import QUANTITIES

X = np.array([1.0, 2.0, 3.0])  # the points of the demo's first page
Y = 2 * X
ROOT = "document.querySelector('[data-testid=stBidiComponentIsolated]').shadowRoot"


def ready(page):
    page.locator(".player canvas").wait_for()
    return page.locator(".player").first


def button(player, action):
    return player.locator(f"[data-action={action}]")


def position(player, step, steps=41):
    expect(player.locator(".position")).to_have_text(f"{step} / {steps}")


def query(page):
    return {name: value for name, (value,) in parse_qs(urlsplit(page.url).query).items()}


def wait_for_query(page, **wanted):
    """Wait until the query string says this; `demo_w` stands for `demo.w`, None for absent."""
    wanted = {name.replace("_", "."): value for name, value in wanted.items()}
    page.wait_for_function(
        "(wanted) => Object.entries(wanted).every(([n, v]) => new URLSearchParams(location.search).get(n) === v)",
        arg=wanted,
    )


def pixels(page):
    return page.evaluate(f"() => {ROOT}.querySelector('canvas').toDataURL()")


def wait_for_pixels(page, wanted):
    page.wait_for_function(f"(wanted) => {ROOT}.querySelector('canvas').toDataURL() === wanted", arg=wanted)


def wait_for_colour(page, colour):
    """Wait until exactly this colour is somewhere on the canvas."""
    page.wait_for_function(
        f"""(wanted) => {{
          const canvas = {ROOT}.querySelector('canvas');
          const {{ data }} = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height);
          const [r, g, b] = wanted.match(/[0-9a-f]{{2}}/gi).map((hex) => parseInt(hex, 16));
          for (let i = 0; i < data.length; i += 4)
            if (data[i] === r && data[i + 1] === g && data[i + 2] === b) return true;
          return false;
        }}""",
        arg=colour,
    )


def point(page, view, x, y):
    """Where a value lies on the page: the plots' edges are found by what Vega drew."""
    box = page.locator(".player canvas").bounding_box()
    half = box["width"] / 2
    left = box["x"] + {"data": 49, "loss": half + 54}[view]
    right = box["x"] + {"data": half - 11, "loss": box["width"] - 6}[view]
    height = {"data": 10, "loss": 20}[view]
    return left + (right - left) * x / 4, box["y"] + 11 + 240 * (1 - y / height)


def wait_until_fitted(page):
    page.wait_for_function(f"""() => {{
      const [canvas, column] = ['canvas', '.chart'].map((name) => {ROOT}.querySelector(name).clientWidth);
      return Math.abs(canvas - column) <= 2;
    }}""")


def swipe(page, start, end, moves=8):
    """Move a finger over the page with real touch events, which the browser may take for scrolling."""
    session = page.context.new_cdp_session(page)
    touch = "Input.dispatchTouchEvent"
    session.send(touch, {"type": "touchStart", "touchPoints": [{"x": start[0], "y": start[1]}]})
    for part in np.linspace(0, 1, moves + 1)[1:]:
        x, y = (float(a + part * (b - a)) for a, b in zip(start, end, strict=True))
        session.send(touch, {"type": "touchMove", "touchPoints": [{"x": x, "y": y}]})
    session.send(touch, {"type": "touchEnd", "touchPoints": []})


def scrolled(page):
    return page.evaluate("() => document.querySelector('[data-testid=stMain]').scrollTop")


def box_of(locator):
    box = locator.bounding_box()
    return box["y"], box["y"] + box["height"]


@pytest.fixture
def demo(visit, demo_address):
    return lambda query="", **options: visit(f"{demo_address}/{query}", **options)


class TestTimeline:
    def test_play_reaches_the_end_and_the_picture_moves(self, demo):
        page = demo()
        player = ready(page)
        before = pixels(page)
        player.locator(".speed").select_option("4")
        button(player, "play").click()
        expect(button(player, "play")).to_have_attribute("aria-label", "Pause")
        position(player, 41)
        expect(button(player, "play")).to_have_attribute("aria-label", "Play")
        assert pixels(page) != before

    def test_pause_keeps_the_step_and_play_from_the_end_starts_again(self, demo):
        page = demo("?demo.step=41")
        player = ready(page)
        button(player, "play").click()
        page.wait_for_function(f"() => {ROOT}.querySelector('.player').dataset.step === '3'")
        button(player, "play").click()
        expect(button(player, "play")).to_have_attribute("aria-label", "Play")
        paused = player.locator(".position").inner_text()
        assert paused != "41 / 41"
        page.evaluate("() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))")
        assert player.locator(".position").inner_text() == paused

    def test_steps_go_forward_and_back_and_the_picture_with_them(self, demo):
        page = demo()
        player = ready(page)
        first = pixels(page)
        button(player, "forward").click()
        position(player, 2)
        button(player, "back").click()
        position(player, 1)
        wait_for_pixels(page, first)
        button(player, "last").click()
        position(player, 41)
        button(player, "forward").click(force=True)  # it says that it is disabled, and does nothing
        position(player, 41)
        button(player, "first").click()
        position(player, 1)

    def test_scrubbing_shows_and_says_the_caption_of_the_step(self, demo):
        player = ready(demo())
        player.locator(".scrub").fill("10")
        position(player, 11)
        expect(player.locator(".caption")).to_have_text("At w = 1.0 the loss is 4.667.")
        expect(player.locator("[role=status]")).to_have_text("Step 11 of 41. At w = 1.0 the loss is 4.667.")

    def test_the_keyboard_drives_it(self, demo):
        page = demo()
        player = ready(page)
        player.focus()
        for key, step in [("End", 41), ("ArrowLeft", 40), ("Home", 1), ("ArrowRight", 2)]:
            page.keyboard.press(key)
            position(player, step)
        page.keyboard.press("5")
        expect(player.locator(".speed")).to_have_value("4")
        page.keyboard.press("Space")
        position(player, 41)

    def test_a_focused_control_keeps_its_own_keys(self, demo):
        page = demo()
        player = ready(page)
        player.locator("[data-param=w]").focus()
        page.keyboard.press("ArrowRight")
        expect(player.locator(".sliders output")).to_have_text("1.05")
        position(player, 1)
        button(player, "forward").focus()
        page.keyboard.press("Space")
        position(player, 2)
        expect(button(player, "play")).to_have_attribute("aria-label", "Play")

    def test_space_never_scrolls_the_page(self, visit, demo_address):
        page = visit(f"{demo_address}/surface", viewport={"width": 1200, "height": 300})
        player = ready(page)
        page.evaluate("() => addEventListener('keydown', (event) => (window.prevented = event.defaultPrevented))")
        for focused in (player, player.locator("[data-param=w]")):
            focused.focus()
            page.keyboard.press("Space")
            assert page.evaluate("() => window.prevented")
        player.locator("[data-save=png]").focus()  # a button is pressed by it
        with page.expect_download():
            page.keyboard.press("Space")

    def test_it_stays_in_view_while_the_figure_is(self, demo):
        page = demo(viewport={"width": 1200, "height": 500})
        player = ready(page)
        wait_until_fitted(page)
        top, bottom = box_of(player)
        assert top < 440
        assert bottom > 520
        assert box_of(player.locator(".timeline"))[1] == pytest.approx(500, abs=1)
        player.locator(".export").evaluate("(element) => element.closest('.player').scrollIntoView({block: 'end'})")
        assert box_of(player.locator(".timeline"))[1] == pytest.approx(box_of(player)[1], abs=1)

    @pytest.mark.parametrize("size", [(1200, 500), (390, 500)])
    def test_it_covers_nothing_that_is_scrolled_into_view_and_fades_what_is_under_it(self, demo, size):
        page = demo(viewport=dict(zip(("width", "height"), size, strict=True)))
        player = ready(page)
        wait_until_fitted(page)
        fade = (
            "(element) => [element, element.parentElement].map(one => getComputedStyle(one, '::before').content)"
            ".filter(content => content !== 'none').length > 0"
        )
        timeline = player.locator(".timeline")
        player.locator(".chart").evaluate("(element) => element.scrollIntoView({block: 'end'})")
        assert box_of(player.locator(".chart"))[1] < box_of(timeline)[0]
        page.wait_for_function(f"() => ({fade})({ROOT}.querySelector('.timeline'))")
        player.locator(".export").evaluate("(element) => element.closest('.player').scrollIntoView({block: 'end'})")
        page.wait_for_function(f"() => !({fade})({ROOT}.querySelector('.timeline'))")

    def test_it_does_not_jump_when_a_caption_has_another_number_of_lines(self, demo):
        page = demo(viewport={"width": 390, "height": 2000})
        player = ready(page)
        wait_until_fitted(page)
        player.locator(".caption").evaluate("(element) => (element.style.maxWidth = '12.5em')")  # some need two lines
        page.set_viewport_size({"width": 380, "height": 2000})
        page.wait_for_function(f"() => {ROOT}.querySelector('.caption').style.minHeight.startsWith('4')")
        tops = []
        for step in ("0", "10", "40"):
            player.locator(".scrub").fill(step)
            tops.append(box_of(player.locator(".timeline"))[0])
        assert tops == pytest.approx([tops[0]] * 3)

    def test_reduced_motion_takes_the_same_time_with_few_pictures(self, demo):
        page = demo(reduced_motion="reduce")
        player = ready(page)
        page.evaluate(f"""() => {{
          const options = {{ attributes: true, attributeFilter: ['data-step'] }};
          window.drawn = 0;
          new MutationObserver(() => (window.drawn += 1))
            .observe({ROOT}.querySelector('.player'), options);
        }}""")
        player.locator(".speed").select_option("4")
        button(player, "play").click()
        position(player, 41)
        expect(button(player, "play")).to_have_attribute("aria-label", "Play")
        assert 2 <= page.evaluate("() => window.drawn") <= 5  # 41 steps at 33 a second last 1.2 s


class TestParameters:
    def test_a_slider_moves_the_picture_and_the_formula(self, demo):
        page = demo()
        player = ready(page)
        before = pixels(page)
        player.locator("[data-param=w]").fill("2.5")
        expect(player.locator(".number-w")).to_have_text("2.50")
        assert pixels(page) != before

    @pytest.mark.parametrize("w", [0.0, 0.85, 2.0, 3.95])
    def test_the_formula_says_what_python_computes(self, demo, w):
        player = ready(demo(f"?demo.w={w}"))
        expect(player.locator(".number-w")).to_have_text(f"{w:.2f}")
        expect(player.locator(".number-mse")).to_have_text(f"{np.mean((w * X - Y) ** 2):.4f}")

    @pytest.mark.parametrize(
        ("w", "written"),
        [
            (0, "0 0 0"),
            (1, "10⁻¹⁰ 10³⁰ 10⁻⁵"),
            (2.55, "2.55·10⁻¹⁰ 2.55·10³⁰ 2.55·10⁻⁵"),
            (0.05, "5·10⁻¹² 5·10²⁸ 5·10⁻⁷"),
        ],
    )
    def test_the_formula_writes_small_and_large_numbers_with_powers_of_ten(self, demo, w, written):
        expect(ready(demo(f"?demo.w={w}")).locator(".number-powers")).to_have_text(written)

    @pytest.mark.parametrize(("view", "x", "y", "w"), [("loss", 3.0, 10.0, 3.0), ("data", 3.0, 7.5, 2.5)])
    def test_dragging_sets_the_parameter_and_sends_nothing(self, demo, view, x, y, w):
        sent = []

        def listen(page):
            page.on("websocket", lambda socket: socket.on("framesent", lambda frame: sent.extend([frame])))

        page = demo(prepare=listen)
        player = ready(page)
        page.wait_for_load_state("networkidle")
        before = len(sent)
        page.mouse.move(*point(page, view, x - 0.8, y + 2))
        page.mouse.down()
        page.mouse.move(*point(page, view, x, y), steps=20)
        page.mouse.up()
        page.wait_for_function("() => location.search.includes('demo.w=')")
        shown = float(player.locator(".sliders output").inner_text())
        assert shown == pytest.approx(w, abs=0.1)
        wait_for_query(page, demo_w=f"{shown:g}")
        expect(player.locator(".number-w")).to_have_text(f"{shown:.2f}")
        expect(player.locator(".number-mse")).to_have_text(f"{np.mean((shown * X - Y) ** 2):.4f}")
        assert before > 0
        assert len(sent) == before

    def test_both_directions_of_a_single_plot_set_a_parameter_each(self, visit, demo_address):
        page = visit(f"{demo_address}/surface")
        player = ready(page)
        box = player.locator("canvas").bounding_box()
        page.mouse.click(box["x"] + box["width"] / 2 + 18, box["y"] + 11 + 75)  # a quarter below the top
        values = [float(text.replace("−", "-")) for text in player.locator(".sliders output").all_inner_texts()]
        assert values == pytest.approx([0.0, 1.0], abs=0.1)

    def test_a_drag_beyond_the_plot_stays_within_the_slider(self, demo):
        page = demo()
        player = ready(page)
        page.mouse.move(*point(page, "loss", 3, 10))
        page.mouse.down()
        page.mouse.move(1190, 300, steps=5)
        page.mouse.up()
        expect(player.locator(".sliders output")).to_have_text("4.00")

    def test_a_finger_drags_too(self, demo):
        page = demo(has_touch=True)
        player = ready(page)
        x, y = point(page, "loss", 3, 10)
        page.touchscreen.tap(x, y)
        expect(player.locator(".sliders output")).to_have_text("3.00")

    @pytest.mark.parametrize("wobble", [0, 4])
    def test_a_finger_that_scrolls_moves_no_parameter(self, demo, wobble):
        page = demo(has_touch=True, is_mobile=True, viewport={"width": 1200, "height": 600})
        player = ready(page)
        wait_until_fitted(page)
        x, y = point(page, "loss", 3, 10)
        swipe(page, (x, y), (x + wobble, y - 150))
        page.wait_for_function("() => document.querySelector('[data-testid=stMain]').scrollTop > 50")
        expect(player.locator(".sliders output")).to_have_text("1.00")

    def test_a_finger_that_moves_sideways_drags(self, demo):
        page = demo(has_touch=True, is_mobile=True, viewport={"width": 1200, "height": 600})
        player = ready(page)
        wait_until_fitted(page)
        swipe(page, point(page, "loss", 1, 10), point(page, "loss", 3, 9.5))
        expect(player.locator(".sliders output")).to_have_text("3.00")
        assert scrolled(page) == 0


class TestLink:
    def test_step_and_parameters_are_written_and_read(self, demo):
        page = demo()
        player = ready(page)
        player.locator(".scrub").fill("10")
        player.locator("[data-param=w]").fill("1.3")
        wait_for_query(page, demo_step="11", demo_w="1.3")
        page.reload()
        player = ready(page)
        position(player, 11)
        expect(player.locator(".sliders output")).to_have_text("1.30")
        button(player, "first").click()
        player.locator("[data-param=w]").fill("1")
        wait_for_query(page, demo_step=None, demo_w=None)

    @pytest.mark.parametrize(
        ("nonsense", "step", "w", "link"),
        [
            ("?demo.step=abc&demo.w=", 1, "1.00", {}),
            ("?demo.step=9999&demo.w=99", 41, "4.00", {"demo.step": "41", "demo.w": "4"}),
            ("?demo.step=-5&demo.w=-1e308", 1, "0.00", {"demo.w": "0"}),
            ("?demo.step=NaN&demo.w=Infinity", 1, "1.00", {}),
            ("?demo.step=2.6&demo.w=1.234&demo.x=7&demo.=8", 3, "1.25", {"demo.step": "3", "demo.w": "1.25"}),
        ],
    )
    def test_nonsense_is_ignored_or_brought_within_bounds_and_the_link_corrected(self, demo, nonsense, step, w, link):
        page = demo(nonsense)
        player = ready(page)
        position(player, step)
        expect(player.locator(".sliders output")).to_have_text(w)
        wait_for_query(page, **{"demo_step": None, "demo_w": None, "demo_x": None} | link)

    def test_it_survives_the_widgets_of_the_page(self, demo):
        page = demo("?other=1")
        player = ready(page)
        player.locator(".scrub").fill("10")
        wait_for_query(page, demo_step="11", other="1")
        for _ in range(2):
            page.get_by_role("slider", name="count").press("ArrowRight")
        wait_for_query(page, demo_step="11", count="5", other="1")
        position(player, 11)

    def test_it_vanishes_with_the_page_and_is_back_with_it(self, demo):
        page = demo()
        ready(page).locator(".scrub").fill("10")
        wait_for_query(page, demo_step="11")
        page.get_by_role("link", name="Other").click()
        page.get_by_text("Nothing is drawn here.").wait_for()
        expect(page.locator(".player")).to_have_count(0)
        page.wait_for_function("() => !location.search.includes('demo')")
        page.go_back()
        position(ready(page), 11)

    def test_it_survives_a_correction_by_the_server(self, demo):
        page = demo("?demo.step=5&count=99")  # the server drops this count and writes the query string anew
        player = ready(page)
        wait_for_query(page, count=None, demo_step="5")
        player.locator(".scrub").fill("20")
        wait_for_query(page, demo_step="21")
        page.get_by_role("slider", name="count").press("ArrowLeft")
        wait_for_query(page, count="2", demo_step="21")
        page.get_by_role("button", name="rewrite").click()
        wait_for_query(page, rewritten="1", demo_step="21")

    def test_it_vanishes_with_the_chart(self, visit, demo_address):
        page = visit(f"{demo_address}/still?bars.step=3&kept=1")
        ready(page)
        wait_for_query(page, bars_step=None, kept="1")


class TestLook:
    @pytest.mark.parametrize("scheme", ["light", "dark"])
    def test_tokens_become_the_colours_of_the_theme(self, demo, scheme):
        page = demo(color_scheme=scheme)
        player = ready(page)
        weight = getattr(QUANTITIES["weight"], scheme)
        wait_for_colour(page, weight)
        colour = player.locator(".formula .q-weight").first.evaluate("(element) => getComputedStyle(element).color")
        assert [int(n) for n in re.findall(r"\d+", colour)] == [int(weight[i : i + 2], 16) for i in (1, 3, 5)]

    def test_the_theme_can_change_while_the_page_is_open(self, demo):
        page = demo(color_scheme="light")
        player = ready(page)
        player.locator(".scrub").fill("10")
        player.locator("[data-param=w]").fill("1.3")
        page.emulate_media(color_scheme="dark")
        expect(player).to_have_attribute("data-theme", "dark")
        wait_for_colour(page, QUANTITIES["weight"].dark)
        position(player, 11)
        expect(player.locator(".sliders output")).to_have_text("1.30")
        expect(player.locator(".number-w")).to_have_text("1.30")

    @pytest.mark.parametrize("width", [390, 768, 1200, 2560])
    def test_the_picture_is_as_wide_as_its_column(self, demo, width):
        page = demo(viewport={"width": width, "height": 900})
        player = ready(page)
        wait_until_fitted(page)
        height = player.locator("canvas").bounding_box()["height"]
        assert (height > 500) == (width == 390)  # stacked on a phone
        assert page.evaluate("() => document.documentElement.scrollWidth <= innerWidth")

    def test_it_follows_the_window_and_keeps_its_place(self, demo):
        page = demo("?demo.step=7&demo.w=1.3")
        player = ready(page)
        for width in (390, 1500, 700):
            page.set_viewport_size({"width": width, "height": 900})
            wait_until_fitted(page)
            position(player, 7)
            expect(player.locator(".number-w")).to_have_text("1.30")

    def test_controls_are_large_enough_for_a_finger(self, demo):
        player = ready(demo(viewport={"width": 390, "height": 900}))
        for control in player.locator("button, select, input").all():
            box = control.bounding_box()
            assert box["width"] >= 40
            assert box["height"] >= 40

    def test_it_can_be_read_without_seeing_it(self, demo):
        page = demo()
        ready(page)
        page.get_by_role("img", name="Three points, a line through the origin, and the loss over w.").wait_for()
        page.get_by_role("slider", name="weight w").wait_for()
        for name in (
            "First step",
            "One step back",
            "Play",
            "One step forward",
            "Last step",
            "Save as PNG",
            "Save as SVG",
        ):
            page.get_by_role("button", name=name, exact=True).wait_for()
        page.get_by_role("slider", name="Step", exact=True).wait_for()
        page.get_by_role("combobox", name="Speed").wait_for()

    def test_only_our_own_text_alternative_is_read(self, demo):
        page = demo()
        player = ready(page)
        assert player.locator(".chart > *").count() == 1
        expect(player.locator(".chart > *")).to_have_attribute("aria-hidden", "true")
        tree = page.context.new_cdp_session(page).send("Accessibility.getFullAXTree")["nodes"]
        names = [node["name"]["value"] for node in tree if not node["ignored"] and "name" in node]
        assert "Three points, a line through the origin, and the loss over w." in names
        assert not [name for name in names if "Vega" in name]

    def test_its_labels_are_in_the_language_of_the_reader(self, demo):
        page = demo(locale="zh-CN")
        ready(page)
        page.get_by_role("button", name="播放", exact=True).wait_for()
        page.get_by_role("button", name="前进一步", exact=True).wait_for()


class TestExport:
    def test_png_of_the_current_frame(self, demo, tmp_path):
        page = demo("?demo.step=12")
        player = ready(page)
        with page.expect_download() as download:
            player.locator("[data-save=png]").click()
        assert download.value.suggested_filename == "demo-step-12.png"
        download.value.save_as(tmp_path / "frame.png")
        png = (tmp_path / "frame.png").read_bytes()
        assert png.startswith(b"\x89PNG\r\n\x1a\n")
        width, _height = struct.unpack(">II", png[16:24])
        assert width == pytest.approx(2 * player.locator("canvas").bounding_box()["width"], abs=4)
        assert len(png) > 10_000

    def test_svg_of_the_current_frame(self, demo, tmp_path):
        page = demo("?demo.step=12", color_scheme="dark")
        player = ready(page)
        with page.expect_download() as download:
            player.locator("[data-save=svg]").click()
        assert download.value.suggested_filename == "demo-step-12.svg"
        download.value.save_as(tmp_path / "frame.svg")
        text = (tmp_path / "frame.svg").read_text(encoding="utf-8")
        assert ElementTree.fromstring(text).tag == "{http://www.w3.org/2000/svg}svg"  # noqa: S314 - our own file
        assert QUANTITIES["background"].dark.lower() in text.lower()
        assert QUANTITIES["loss"].dark.lower() in text.lower()

    def test_a_chart_without_a_timeline_is_named_without_a_step(self, visit, demo_address):
        page = visit(f"{demo_address}/still")
        player = ready(page)
        expect(player.locator(".timeline")).to_be_hidden()
        with page.expect_download() as download:
            player.locator("[data-save=png]").click()
        assert download.value.suggested_filename == "bars.png"


class TestLife:
    def test_new_data_keeps_the_canvas_and_follows_the_end(self, visit, demo_address):
        page = visit(f"{demo_address}/stream")
        player = ready(page)
        position(player, 3, 3)
        page.evaluate(f"() => {{ window.canvas = {ROOT}.querySelector('canvas'); }}")
        before = pixels(page)
        page.get_by_role("button", name="more").click()
        position(player, 5, 5)
        page.wait_for_function(f"(old) => {ROOT}.querySelector('canvas').toDataURL() !== old", arg=before)
        button(player, "back").click()
        position(player, 4, 5)
        page.get_by_role("button", name="more").click()
        position(player, 4, 7)
        assert page.evaluate(f"() => {ROOT}.querySelector('canvas') === window.canvas")
        page.get_by_role("img", name="Loss of 7 epochs, falling.").wait_for()

    def test_it_goes_back_to_the_start_where_its_step_is_no_more(self, visit, demo_address):
        page = visit(f"{demo_address}/stream?start=0&run.step=2")
        player = ready(page)
        more, less = (page.get_by_role("button", name=name) for name in ("more", "less"))
        position(player, 2, 3)
        more.click()
        position(player, 2, 5)
        button(player, "forward").click()
        button(player, "forward").click()
        position(player, 4, 5)
        less.click()
        position(player, 1, 3)
        wait_for_query(page, run_step=None)
        more.click()  # and the end does not hold it
        position(player, 1, 5)
        button(player, "last").click()
        less.click()  # where it was put at the end it stays there
        position(player, 3, 3)

    def test_it_may_vanish_while_it_plays(self, demo):
        page = demo()
        player = ready(page)
        button(player, "play").click()
        page.wait_for_function(f"() => {ROOT}.querySelector('.player').dataset.step === '3'")
        page.get_by_role("link", name="Still").click()
        page.get_by_role("img", name="Two bars.").wait_for()
        page.get_by_role("switch", name="draw").press("Space")
        expect(page.locator(".player")).to_have_count(0)

    def test_without_the_bundle_it_says_so(self, chromium, demo_address):
        with chromium.new_context() as context:
            page = context.new_page()
            page.route("**/vega-*.js", lambda route: route.abort())
            page.goto(demo_address)
            expect(page.get_by_role("alert")).to_contain_text("The charting library did not load.")


def test_the_page_runs_again_where_the_hand_lets_go_and_not_before(visit, demo_address):
    page = visit(f"{demo_address}/release")
    ready(page)
    said = page.get_by_text("run 1 from 1")
    expect(said).to_be_visible()
    wait_until_fitted(page)
    box = page.locator(".player canvas").bounding_box()
    output = page.locator(".player .sliders output")
    page.mouse.move(box["x"] + 0.3 * box["width"], box["y"] + 0.5 * box["height"])
    page.mouse.down()
    page.mouse.move(box["x"] + 0.8 * box["width"], box["y"] + 0.5 * box["height"], steps=10)
    page.wait_for_function(f"() => Number({ROOT}.querySelector('.sliders output').textContent) > 2")
    expect(said).to_be_visible()  # while it drags, the page waits
    page.mouse.up()
    expect(page.get_by_text(f"run 2 from {float(output.inner_text()):g}")).to_be_visible()
    assert query(page) == {}  # the value is the page's now, not the player's


def test_a_slider_is_released_by_the_keyboard_too(visit, demo_address):
    page = visit(f"{demo_address}/release")
    ready(page)
    page.locator(".player .sliders input").focus()
    page.keyboard.press("ArrowRight")
    expect(page.get_by_text("run 2 from 1.1")).to_be_visible()
    page.keyboard.press("End")
    expect(page.get_by_text("run 3 from 4")).to_be_visible()
    expect(page.locator(".player .sliders output")).to_have_text("4.0")
