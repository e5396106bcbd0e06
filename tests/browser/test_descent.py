"""The page "Gradient descent and SGD" in a real browser: the player, the table, the formula, and a dragged start."""

import pytest
from playwright.sync_api import expect

from core.descent import RACERS, Descent, descend
from core.points import PRESETS
from tests.browser.rest import rest
from tests.browser.test_mse import KEEP_VIEWS, PLACE

NOISY = PRESETS["noisy"].points
# The first picture of the page: the only one with a table.
RACE = "window.landscape = () => views.findLast((view) => 'printed' in view.getState({ data: () => true }).data);"


@pytest.fixture
def race(visit, app_address):
    """Open the page, wait for its picture, and count what is sent to the server from then on."""

    def open_page(query="", **options):
        sent = []

        def prepare(page):
            page.add_init_script(KEEP_VIEWS + RACE)
            page.on("websocket", lambda socket: socket.on("framesent", lambda frame: sent.append(frame)))  # noqa: PLW0108 - it marks its handlers

        page = visit(f"{app_address}/descent{query}", prepare, **options)
        page.locator(".player canvas").first.wait_for()
        page.wait_for_function("() => landscape()?.data('walk').length > 0")
        rest(page)
        return page, sent

    return open_page


def formula(page):
    return page.locator(".player .formula").first


def at_step(page, step):
    page.wait_for_function("(step) => landscape().signal('step') === step", arg=step)


def places(page, step):
    """Where each method stands at a step, by what the picture is given to draw."""
    rows = page.evaluate("() => landscape().data('walk').map(({ racer, step, w }) => [racer, step, w])")
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
    row = page.evaluate(
        "() => landscape().data('printed')[landscape().data('follow')[landscape().signal('step')].place]"
    )
    run = descend(NOISY, Descent(method="sgd", epochs=10))
    assert row["update"] == "39"
    assert row["w"] == f"{run.w[38]:.5g}"
    assert row["gradient"] == f"{run.gradient_w[38]:.4g}".replace("-", "−")


def test_a_dragged_start_is_where_all_paths_begin(race):
    page, _ = race()
    page.mouse.move(*page.evaluate(PLACE, ["loss", 1.0, 30.0]))
    page.mouse.down()
    page.mouse.move(*page.evaluate(PLACE, ["loss", 3.5, 30.0]), steps=8)
    page.wait_for_function("() => landscape().signal('w') === 3.5")
    assert page.evaluate("() => landscape().data('frame')[0].start") == 1  # the paths wait for the hand
    page.mouse.up()
    page.wait_for_function("() => landscape().data('frame')[0].start === 3.5")
    assert set(places(page, 0).values()) == {3.5}
    page.wait_for_function("() => new URLSearchParams(location.search).get('w') === '3.5'")
    page.reload()
    page.wait_for_function("() => landscape()?.data('frame')[0]?.start === 3.5")


def test_one_click_makes_the_first_picture_the_course_s_listing(race):
    page, _ = race("?listing=true")
    page.get_by_role("button", name="The course's gradient descent: 100 epochs").click()
    page.wait_for_function("() => landscape().data('follow').length === 301")
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
    assert page.evaluate("() => document.scrollingElement.scrollWidth") <= 390


def test_the_first_screen_fits(race):
    page, _ = race(viewport={"width": 1280, "height": 800})
    box = page.locator(".player .chart").first.bounding_box()
    assert box["y"] + box["height"] <= 800
