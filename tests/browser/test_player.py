"""The player's timeline and its parameters, in a browser."""

import numpy as np
import pytest
from playwright.sync_api import expect

from tests.browser.players import (
    ROOT,
    X,
    Y,
    box_of,
    button,
    pixels,
    point,
    position,
    ready,
    scrolled,
    swipe,
    wait_for_pixels,
    wait_for_query,
    wait_until_fitted,
)


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

    @pytest.mark.parametrize("drag", [("loss", 3.0, 10.0, 3.0), ("data", 3.0, 7.5, 2.5)], ids=["loss", "data"])
    def test_dragging_sets_the_parameter_and_sends_nothing(self, tab, demo_address, drag):
        view, x, y, w = drag
        opened = tab(demo_address)
        page, sent = opened.page, opened.sent
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
