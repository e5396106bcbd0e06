"""The page "Epochs, batches, iterations" in a real browser: the belt moves without asking the server."""

import pytest
from playwright.sync_api import expect

from core.loading import Loading
from tests.browser.views import check_width

# The numbers of the tokens of each colour of rim, and where they stand: { row, y, current } of every drawn token.
TOKENS = """() => marksOf(viewWith("samples"), "symbol").filter(({ item }) => item.datum?.row !== undefined)
  .map(({ item }) => ({ row: item.datum.row, y: item.y, x: item.x, current: item.strokeWidth === 3.5 }))"""

SPEC = Loading()  # what the page shows first
WHOLE = [batch.tolist() for epoch in range(SPEC.epochs) for batch in SPEC.batches(epoch)]


@pytest.fixture
def belt(show):
    """Open the page and wait for its belt."""
    return lambda query="", **options: show(f"batches{query}", "samples", **options)


def button(page, name):
    return page.locator(".player").first.get_by_role("button", name=name, exact=True)


def check_step(page, step, whole=WHOLE, iterations=SPEC.iterations):
    """The position, the tokens in the present batch, and the counters agree with the core."""
    expect(page.locator(".player .position").first).to_have_text(f"{step + 1} / {len(whole)}")
    page.wait_for_function(
        f"(rows) => {{ const now = ({TOKENS})().filter(({{ current }}) => current);"
        "const low = Math.max(...now.map(({ y }) => y)), tray = now.filter(({ y }) => y === low);"
        "return tray.sort((a, b) => a.x - b.x).map(({ row }) => row).join() === rows; }",
        arg=",".join(map(str, whole[step])),
    )
    counters = page.locator(".player .formula .q-batch:is(b)")
    seen = sum(len(batch) for batch in whole[: step + 1])
    expect(counters).to_have_text([str(step // iterations + 1), str(step % iterations + 1), str(seen)])


def test_the_belt_moves_forward_and_back_and_asks_nobody(belt):
    page, sent = belt()
    check_step(page, 0)
    sent.clear()
    for _ in range(4):
        button(page, "One step forward").click()
    check_step(page, 4)
    button(page, "One step back").click()
    check_step(page, 3)
    button(page, "Last step").click()
    check_step(page, len(WHOLE) - 1)
    page.locator(".player").first.get_by_role("slider", name="Step").focus()
    page.keyboard.press("Home")
    check_step(page, 0)
    button(page, "Play").click()
    check_step(page, len(WHOLE) - 1)
    assert sent == []


def test_a_link_reopens_the_settings_and_the_step(belt):
    page, _ = belt()
    button(page, "One step forward").click()
    button(page, "One step forward").click()
    check_step(page, 2)
    page.get_by_text("drop_last", exact=True).click()
    spec = Loading(drop_last=True)
    whole = [batch.tolist() for epoch in range(spec.epochs) for batch in spec.batches(epoch)]
    check_step(page, 2, whole, spec.iterations)
    page.wait_for_function("() => location.search.includes('drop_last=true') && location.search.includes('belt.step=')")
    again, _ = belt(page.evaluate("() => location.search"))
    check_step(again, 2, whole, spec.iterations)


def test_all_rows_are_a_choice_that_brings_its_batch_size(belt):
    page, _ = belt()
    page.get_by_role("radio", name="All 768 rows").or_(page.get_by_role("button", name="All 768 rows")).first.click()
    expect(page.locator(".player .position").first).to_have_text("1 / 72")
    expect(page.locator(".player .formula").first).to_contain_text("24")
    page.wait_for_function("() => location.search.includes('rows=all')")


def test_the_gradient_page_opens_with_the_same_batches(belt):
    page, _ = belt("?batch_size=3&seed=7", fresh=True)
    before = page.evaluate("() => history.length")
    page.get_by_role("link", name="See what this batch size does to the gradient").click()
    page.wait_for_url("**/descent?*seed=7*")
    page.locator(".player canvas").first.wait_for()
    for name, value in (("Batch size", "3"), ("Seed", "7")):
        expect(page.get_by_role("spinbutton", name=name).or_(page.get_by_label(name)).first).to_have_value(value)
    assert "method=minibatch-shuffled" in page.url
    assert page.evaluate("() => history.length") == before + 1  # the link is as that page would write it
    page.go_back()
    page.wait_for_url("**/batches?*seed=7*")


def test_a_batch_size_that_fits_stays_and_the_belt_starts_anew(belt):
    page, _ = belt("?batch_size=4")
    for _step in range(3):
        button(page, "One step forward").click()
    size = page.get_by_role("spinbutton", name="Batch size")
    size.fill("12")
    size.press("Enter")
    position = page.locator(".player .position").first
    expect(position).to_have_text("1 / 3")  # there is no fourth step
    size.fill("4")
    size.press("Enter")
    expect(position).to_have_text("1 / 9")
    page.get_by_role("radio", name="All 768 rows").or_(page.get_by_role("button", name="All 768 rows")).first.click()
    expect(position).to_have_text("1 / 576")
    expect(size).to_have_value("4")


def test_back_undoes_a_suggestion_with_the_batch_size_that_belongs_to_the_rows(belt):
    page, _ = belt("?try=true&lang=en")
    position = page.locator(".player .position").first
    before = position.text_content()
    page.locator(".st-key-up_2 button").click()
    page.wait_for_function("location.search.includes('rows=all') && location.search.includes('shuffle=false')")
    expect(page.get_by_role("spinbutton", name="Batch size")).to_have_value("32")
    page.go_back()
    expect(page.get_by_role("spinbutton", name="Batch size")).to_have_value("5")
    expect(page.get_by_role("switch", name="shuffle")).to_be_checked()
    expect(position).to_have_text(before)


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_nothing_is_wider_than_a_phone(belt, lang):
    page, _ = belt(f"?lang={lang}&split=true&reading=true&data=true", viewport={"width": 390, "height": 844})
    page.locator(".player canvas").nth(2).wait_for()
    check_width(page)
    for box in page.locator(".player").all():
        assert box.bounding_box()["width"] <= 390
