"""The page "Gradient descent and SGD" in a real browser: the player, the table, the formula, and a dragged start."""

import pytest
from playwright.sync_api import expect

from core.descent import RACERS, Descent, descend
from core.points import PRESETS
from tests.browser.views import check_first_screen, check_width, formula, move, press

NOISY = PRESETS["noisy"].points


@pytest.fixture
def race(show):
    """Open the page and wait for its first picture, the only one with a table."""
    return lambda query="", **options: show(f"descent{query}", "printed", **options)


def at_step(page, step):
    page.wait_for_function("(step) => viewWith('printed').signal('step') === step", arg=step)


def places(page, step):
    """Where each method stands at a step, by what the picture is given to draw."""
    rows = page.evaluate("() => viewWith('printed').data('walk').map(({ racer, step, w }) => [racer, step, w])")
    return {racer: w for racer, at, w in rows if at == step}


def test_the_player_walks_through_the_updates_forward_and_back_and_asks_nobody(race):
    page, sent = race("?clock=updates")
    run = descend(NOISY, Descent(method="sgd", epochs=10))
    sent.clear()
    for action, step in (("forward", 1), ("forward", 2), ("forward", 3), ("back", 2), ("last", 120), ("first", 0)):
        page.locator(f".player [data-action={action}]").first.click()
        at_step(page, step)
        if step:
            expect(formula(page)).to_contain_text(f"{run.w[step - 1]:.6g}")
            expect(formula(page)).to_contain_text(f"{run.gradient_w[step - 1]:.5g}".replace("-", "−"))
            expect(page.locator(".player .caption").first).to_contain_text(f"update {step} of 120")
    expect(page.locator(".player .caption").first).to_contain_text("has made no update yet")
    expect(formula(page)).not_to_contain_text("NaN")
    assert sent == []


def test_all_methods_stand_where_the_core_says(race):
    page, _ = race()
    runs = {racer: descend(NOISY, how.enter(Descent(epochs=10))) for racer, how in RACERS.items()}
    for step in (12, 24, 120):  # after whole epochs
        found = places(page, step)
        for racer, run in runs.items():
            assert found[racer] == run.w[step // 12 * run.updates_per_epoch - 1]


def test_the_table_in_the_picture_follows_the_step(race):
    page, _ = race("?race.step=40&clock=updates")
    at_step(page, 39)
    row = page.evaluate("""() => {
      const view = viewWith("printed");
      return view.data("printed")[view.data("follow")[view.signal("step")].place];
    }""")
    run = descend(NOISY, Descent(method="sgd", epochs=10))
    assert row["update"] == "39"
    assert row["w"] == f"{run.w[38]:.5g}"
    assert row["gradient"] == f"{run.gradient_w[38]:.4g}".replace("-", "−")


def test_a_dragged_start_is_where_all_paths_begin(race):
    page, _ = race()
    press(page, "printed", "loss", (1.0, 30.0))
    move(page, "printed", "loss", (3.5, 30.0), steps=8)
    page.wait_for_function("() => viewWith('printed').signal('w') === 3.5")
    assert page.evaluate("() => viewWith('printed').data('frame')[0].start") == 1  # the paths wait for the hand
    page.mouse.up()
    page.wait_for_function("() => viewWith('printed').data('frame')[0].start === 3.5")
    assert set(places(page, 0).values()) == {3.5}
    page.wait_for_function("() => new URLSearchParams(location.search).get('w') === '3.5'")
    page.reload()
    page.wait_for_function("() => viewWith('printed')?.data('frame')[0]?.start === 3.5")


def test_one_click_makes_the_first_picture_the_course_s_listing(race):
    page, _ = race("?listing=true")
    page.get_by_role("button", name="The course's gradient descent: 100 epochs").click()
    page.wait_for_function("() => viewWith('printed').data('follow').length === 301")
    page.locator(".player [data-action=forward]").first.click()
    expect(formula(page)).to_contain_text("1.09333")  # 1 - 0.01 · (-28/3)


def test_the_start_is_dragged_on_the_map_too(race):
    page, _ = race("?plane=true")
    expect(page.locator(".player canvas")).to_have_count(2)
    page.locator(".player").nth(1).locator(".sliders input").nth(1).focus()
    page.keyboard.press("End")
    page.wait_for_function("() => new URLSearchParams(location.search).get('b') !== null")


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_nothing_is_wider_than_a_phone(race, lang):
    page, _ = race(f"?lang={lang}&plane=true&listing=true", viewport={"width": 390, "height": 844})
    expect(page.locator(".player canvas")).to_have_count(2)
    check_width(page)


def test_the_first_screen_fits(race):
    page, _ = race(viewport={"width": 1280, "height": 800})
    check_first_screen(page, "chart")
