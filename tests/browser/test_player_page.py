"""The player on its page: its place in the link, its look, what can be saved of it, and how it comes and goes."""

import re
import struct
from xml.etree import ElementTree

import pytest
from playwright.sync_api import expect

from app.palette import QUANTITIES
from tests.browser.players import (
    ROOT,
    button,
    pixels,
    position,
    query,
    ready,
    wait_for_colour,
    wait_for_query,
    wait_until_fitted,
)


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

    def test_without_a_timeline_it_shows_what_it_begins_with(self, visit, demo_address):
        page = visit(f"{demo_address}/stream")
        player = ready(page)
        step = "() => viewWith('losses').signal('step')"
        position(player, 3, 3)
        page.wait_for_function(f"() => ({step})() === 2")
        page.get_by_role("button", name="less").click()
        expect(player.locator(".timeline")).to_be_hidden()
        page.wait_for_function(f"() => ({step})() === 0")
        page.get_by_role("button", name="more").click()
        position(player, 3, 3)
        page.wait_for_function(f"() => ({step})() === 2")

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
