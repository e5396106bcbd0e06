"""Pictures of one page that share their time, in whatever order they come."""

import pytest
from playwright.sync_api import expect


@pytest.fixture
def page(opened):
    return opened("clocks")


@pytest.fixture
def opened(visit, demo_address):
    return lambda path: shown(visit(f"{demo_address}/{path}"))


def shown(page):
    for name in ("first", "second", "third"):
        figure(page, name).locator("canvas").wait_for()
    return page


def figure(page, name):
    return page.locator(f".st-key-player-{name} .player")


def check(page, link, **epochs):
    for name, epoch in epochs.items():
        expect(figure(page, name).locator(".position")).to_have_text(f"Epoch {epoch} / 5")
    page.wait_for_function("(link) => location.search === link", arg=link)


def test_what_follows_has_no_place_of_its_own_in_the_link(page):
    check(page, "", first=5, second=5, third=5)
    for name, key, epoch in (("third", "ArrowLeft", 4), ("second", "ArrowLeft", 3), ("first", "ArrowLeft", 2)):
        figure(page, name).locator(".scrub").press(key)
        check(page, f"?first.step={epoch}", first=epoch, second=epoch, third=epoch)
    figure(page, "third").locator(".scrub").press("Home")
    check(page, "?first.step=1&third.step=0", first=1, second=1, third=0)
    page.reload()
    check(page, "?first.step=1&third.step=0", first=1, second=1, third=0)
    figure(page, "third").locator("[data-action=play]").click()
    check(page, "", first=5, second=5, third=5)


@pytest.mark.parametrize("made", ["first", "last"])
def test_what_has_not_got_the_newest_epoch_yet_does_not_hold_up_the_others(opened, made):
    """As the sections of a run under way, which look for its epochs at other moments than the first picture."""
    page = opened(f"clocks?behind={made}")
    for name in ("second", "third"):
        expect(figure(page, name).locator(".position")).to_have_text("Epoch 2 / 2")
    check(page, f"?behind={made}", first=5)


def test_the_links_of_several_pictures_do_not_delay_each_other(page):
    """Each writes once, a moment after its last movement, whatever the others write meanwhile."""
    figure(page, "third").locator(".scrub").press("Home")
    check(page, "?first.step=1&third.step=0", first=1, third=0)
    page.evaluate("""() => {
      window.writer = setInterval(() => history.replaceState(history.state, "", `#${performance.now()}`), 20);
    }""")
    figure(page, "third").locator(".scrub").press("ArrowRight")
    check(page, "?first.step=1", first=1, third=1)
    page.evaluate("() => clearInterval(writer)")
