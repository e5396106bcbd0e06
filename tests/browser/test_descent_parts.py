"""The sections of the gradient descent page in a real browser: what the hand does, the pictures and sentences do."""

import numpy as np
import pytest
from playwright.sync_api import expect

from app.figures import average, rates, terrain
from app.figures.descent_runs import Settings, run
from core.chord import chord
from core.descent import descend
from core.ema import ema
from core.points import PRESETS
from core.terrain import TERRAINS
from core.walk import walk
from tests.browser.views import check_width, drawn

COURSE, NOISY = PRESETS["course"].points, PRESETS["noisy"].points

# The rows that the circles of a plot are drawn from.
DRAWN = """([source, plot]) => marksOf(viewWith(source), "symbol")
  .filter((found) => found.plot.startsWith(`${plot}_`)).map(({ item }) => item.datum)"""


@pytest.fixture
def opened(show):
    """Open the page with one section, and wait for its picture."""

    def open_page(section, source, query="", **options):
        page, sent = show(f"descent?{section}=true{query}", source, **options)
        return page, page.locator(f".st-key-{section}").last, sent

    return open_page


def slide(page, part, param, keys):
    """Move a slider with the keyboard."""
    part.locator(f".sliders input[data-param={param}]").focus()
    for key in keys:
        page.keyboard.press(key)


@pytest.mark.parametrize(
    ("share", "words"),
    [(0.5, "until a tenth is left: 1."), (1.0, "just as far away"), (1.1, "there a run is stopped")],
)
def test_the_path_of_the_rate_under_the_hand_is_gradient_descent(opened, share, words):
    page, part, sent = opened("rates", "factors", f"&preset=course&rates.share={share}")
    frame = rates.path_data(COURSE, Settings().spec("gd"), "en")["frame"].iloc[0]
    exact = descend(COURSE, Settings(lr=share * frame["edge"], epochs=rates.UPDATES).spec("gd"))
    drawn = {row["update"]: row["w"] for row in page.evaluate(DRAWN, ["factors", "path"]) if "update" in row}
    assert len(drawn) >= 10
    for update, w in drawn.items():
        assert w == pytest.approx(exact.w[update - 1] if update else 1.0, rel=1e-7, abs=1e-9)
    expect(part.locator(".formula").first).to_contain_text(words)
    slide(page, part, "share", ["End"])
    expect(part.locator(".formula").first).to_contain_text("2 times as far away")
    assert sent == []


def test_the_rate_that_is_looked_at_becomes_the_page_s(opened):
    page, part, _ = opened("rates", "factors", "&preset=noisy")
    part.get_by_role("slider", name="learning rate to look at").focus()
    page.keyboard.press("Home")
    first = part.locator("[data-testid=stSliderThumbValue]")
    expect(first).not_to_have_text("0.009771")
    part.get_by_role("button", name="Use this learning rate").click()
    page.wait_for_function("() => Number(new URLSearchParams(location.search).get('lr')) < 0.001")


def test_a_cell_of_the_floor_shows_its_runs(opened):
    page, part, sent = opened("floor", "cells", "&preset=noisy")
    formula = part.locator(".formula")
    expect(formula).to_contain_text("batches of 1: a constant rate")
    slide(page, part, "row", ["End"])
    expect(formula).to_contain_text("batches of 12: no floor")
    expect(part.get_by_role("slider", name="batch size")).to_have_attribute("aria-valuetext", "12")
    slide(page, part, "column", ["Home"])
    expect(formula).to_contain_text("lr = 0.0001953, batches of 12")
    expect(part.get_by_role("slider", name="learning rate")).to_have_attribute("aria-valuetext", "0.000195")
    assert sent == []


def test_the_hand_moves_the_start_along_the_curve(opened):
    page, part, sent = opened("terrain", "walks")
    formula = part.locator(".formula")
    expect(formula).to_contain_text("In a local minimum")
    slide(page, part, "start", ["Home"])
    expect(formula).to_contain_text("In the lowest minimum")
    ground = TERRAINS["two-valleys"]
    walked = walk("two-valleys", (ground.window[0][0],), ground.lr, terrain.STEPS)
    page.evaluate("() => viewWith('walks').runAsync().then(() => null)")
    drawn = {row["update"]: row["x"] for row in page.evaluate(DRAWN, ["walks", "curve"]) if "update" in row}
    assert len(drawn) == len(walked.value)
    for update, x in drawn.items():
        assert x == pytest.approx(walked.at[update, 0], abs=1e-12)
    assert sent == []


def test_a_nudge_off_the_ridge_leaves_the_saddle(opened):
    page, part, sent = opened("terrain", "walks", "&terrain.view=surface")
    formula = part.locator(".formula")
    expect(formula).to_contain_text("At a saddle point")
    slide(page, part, "v", ["ArrowRight"])
    expect(formula).to_contain_text("It left the picture downhill")
    assert sent == []


def test_the_chord_says_by_how_much_the_curve_rises_above_it(opened):
    page, part, sent = opened("terrain", "ends", "&terrain.view=chord")
    formula = part.locator(".formula")
    a, b = (page.evaluate(f"() => viewWith('ends').signal('{end}')") for end in ("a", "b"))
    rise = chord("two-valleys", (a,), (b,), count=round((b - a) / 0.02) + 1).rise
    expect(formula).to_contain_text(f"by {rise:.3g}: it is not convex")
    slide(page, part, "a", ["End"])
    expect(formula).to_contain_text("the curve stays below the chord")
    assert sent == []


@pytest.mark.parametrize("beta", [0.5, 0.98])
def test_the_average_follows_beta(opened, beta):
    page, part, sent = opened("average", "losses", f"&preset=noisy&average.beta={beta}")
    losses = run(NOISY, Settings().spec("sgd")).loss[: average.FIRST]
    view = "viewWith('losses')"
    page.wait_for_function(f"(beta) => Math.abs({view}.signal('beta') - beta) < 1e-9", arg=beta)
    column = f"b{round(50 * beta)}"
    shown = page.evaluate(f"() => {view}.data('losses').map((row) => row['{column}'])")
    np.testing.assert_allclose(shown, ema(losses, beta), rtol=1e-12)
    expect(part.locator(".formula")).to_contain_text(f"= {1 / (1 - beta):.3g} values count")
    slide(page, part, "beta", ["Home"])
    expect(part.locator(".formula")).to_contain_text("the average is the last value itself")
    assert sent == []


def test_the_table_of_costs_is_measured_on_request(opened):
    _, part, _ = opened("cost", "frame")
    part.get_by_role("button", name="Measure on this machine").click()
    expect(part).to_contain_text("times as long as the vectorised full batch", timeout=30_000)
    expect(part.locator("canvas").first).to_be_visible()


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_nothing_is_wider_than_a_phone(opened, lang):
    query = f"&lang={lang}&preset=noisy&floor=true&terrain=true&average=true"
    page, _, _ = opened("rates", "factors", query, viewport={"width": 390, "height": 844})
    for source in ("cells", "walks", "losses"):
        drawn(page, source)
    check_width(page)
