import re

import pytest
from playwright.sync_api import expect

from app.course import COURSE
from app.i18n import translations
from tests.browser.rest import rest

SCREENS = {
    "laptop": {"viewport": {"width": 1280, "height": 800}, "color_scheme": "light"},
    "projector": {"viewport": {"width": 1920, "height": 1080}, "color_scheme": "dark"},
    "phone": {"viewport": {"width": 390, "height": 844}, "has_touch": True, "is_mobile": True},
}
WIDER_THAN_THE_SCREEN = """
Math.max(...[document.documentElement, document.querySelector('[data-testid="stMain"]')]
  .map(element => element.scrollWidth - element.clientWidth))
"""

SCROLLED = "document.querySelector('[data-testid=stMain]').scrollTop"


def title_of(path, language):
    translate = translations(language).gettext
    return next((translate(entry.title) for entry in COURSE if entry.path == path), "Torchscape")


def open_fully(visit, address, path, language="en", **options):
    page = visit(f"{address}/{path}?lang={language}", **options)
    page.get_by_role("heading", level=1, name=title_of(path, language)).wait_for()
    if path:
        page.locator(".player canvas").first.wait_for()
    return page


@pytest.mark.parametrize("screen", ["phone", "projector"])
def test_the_map_leads_to_every_page_and_each_fits_the_screen(visit, app_address, screen):
    """On a projector also after its window has become a laptop's; in Chinese each page's own tests look."""
    page = open_fully(visit, app_address, "", **SCREENS[screen])
    check_fit(page)
    for entry in COURSE:
        page.get_by_test_id("stMain").get_by_test_id("stPageLink-NavLink").filter(has_text=entry.title).click()
        page.get_by_role("heading", level=1, name=entry.title).wait_for()
        assert page.evaluate("location.pathname") == f"/{entry.path}"
        page.locator(".player canvas").first.wait_for()
        rest(page)
        check_fit(page)
        if screen == "projector":
            resize(page, SCREENS["laptop"]["viewport"])
            check_fit(page)
            resize(page, SCREENS["projector"]["viewport"])
        page.go_back()
        page.get_by_role("heading", level=1, name=title_of("", "en")).wait_for()


def resize(page, size):
    page.set_viewport_size(size)
    page.wait_for_function("(width) => innerWidth === width", arg=size["width"])
    rest(page)


def check_fit(page):
    assert page.evaluate(WIDER_THAN_THE_SCREEN) <= 0
    assert page.locator('[data-testid="stException"]').count() == 0


@pytest.mark.parametrize("path", ["", "training"])
def test_the_language_follows_the_browser_and_the_switch_is_kept_in_the_link(visit, app_address, path):
    page = visit(f"{app_address}/{path}", locale="zh-CN")
    page.get_by_role("heading", level=1, name=title_of(path, "zh")).wait_for()
    assert page.evaluate("document.documentElement.lang") == "zh"
    page.get_by_role("radio", name="English").click()
    page.get_by_role("heading", level=1, name=title_of(path, "en")).wait_for()
    page.wait_for_function("location.search.includes('lang=en')")
    page.reload()
    page.get_by_role("heading", level=1, name=title_of(path, "en")).wait_for()


@pytest.mark.parametrize("path", ["", "training"])
def test_a_phone_shows_it_in_chinese(visit, app_address, path):
    check_fit(open_fully(visit, app_address, path, "zh", **SCREENS["phone"]))


def test_the_language_stays_when_the_page_changes(visit, app_address):
    page = open_fully(visit, app_address, "", "zh")
    page.get_by_test_id("stSidebarNavLink").filter(has_text=title_of("mse", "zh")).click()
    page.get_by_role("heading", level=1, name=title_of("mse", "zh")).wait_for()


def test_the_theme_follows_the_system_and_can_be_switched(visit, app_address):
    page = open_fully(visit, app_address, "", color_scheme="dark")
    wait_for_ground(page, "rgb(14, 17, 23)")
    page.emulate_media(color_scheme="light")
    wait_for_ground(page, "rgb(255, 255, 255)")
    page.get_by_test_id("stMainMenu").click()
    page.get_by_role("menuitemradio", name="Dark").click()
    wait_for_ground(page, "rgb(14, 17, 23)")


def wait_for_ground(page, colour):
    page.wait_for_function(
        "(colour) => getComputedStyle(document.querySelector('.stApp')).backgroundColor === colour", arg=colour
    )


def test_a_page_that_was_set_is_one_step_of_back(visit, app_address):
    page = open_fully(visit, app_address, "descent", fresh=True)
    before = page.evaluate("history.length")
    page.get_by_text("More settings", exact=True).click()
    for name, value in {"Learning rate": "0.03", "Start of w": "0.5"}.items():
        field = page.get_by_label(name, exact=True)
        field.fill(value)
        field.press("Enter")
    page.wait_for_function("location.search.includes('lr=0.03') && location.search.includes('w=0.5')")
    for path in ("mse", "descent"):
        page.get_by_test_id("stSidebarNavLink").filter(has_text=title_of(path, "en")).click()
        page.get_by_role("heading", level=1, name=title_of(path, "en")).wait_for()
    page.wait_for_function("location.search.includes('lr=0.03') && location.search.includes('w=0.5')")
    assert page.evaluate("history.length") == before + 2
    page.go_back()
    page.get_by_role("heading", level=1, name=title_of("mse", "en")).wait_for()
    page.go_back()
    page.get_by_role("heading", level=1, name=title_of("descent", "en")).wait_for()
    expect(page.get_by_label("Learning rate", exact=True)).to_have_value("0.03")


@pytest.mark.parametrize(("screen", "motion"), [("laptop", "no-preference"), ("phone", "reduce")])
@pytest.mark.parametrize("path", ["batches", "training"])
def test_a_suggestion_brings_the_picture_into_view(visit, app_address, path, screen, motion):
    page = visit(f"{app_address}/{path}?try=true&lang=en", reduced_motion=motion, **SCREENS[screen])
    page.locator(".player canvas").first.wait_for()
    rest(page)
    button = page.locator("[class*='st-key-up_'] button").nth(1)
    button.scroll_into_view_if_needed()
    scrolled = page.evaluate(SCROLLED)
    assert scrolled > 300
    button.click()
    if motion == "reduce":
        assert page.evaluate(SCROLLED) < scrolled - 300  # at once
    rest(page)
    box = page.locator(".player").first.bounding_box()
    assert 0 < box["y"] < SCREENS[screen]["viewport"]["height"] / 2
    status = page.get_by_test_id("stMain").get_by_test_id("stMarkdown").filter(has=page.locator("[role=img]")).first
    assert status.bounding_box()["y"] > 0


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_link_that_has_the_keyboard_has_a_ring(visit, app_address, scheme):
    page = open_fully(visit, app_address, "", color_scheme=scheme)
    for kind in ("stSidebarNavLink", "stPageLink-NavLink"):
        links = page.get_by_test_id(kind)
        links.nth(len(COURSE) - 1).wait_for()
        rest(page)
        links.first.focus()
        page.keyboard.press("Tab")
        expect(links.nth(1)).to_be_focused()
        width, style, ring, ground = links.nth(1).evaluate(
            "link => [...['outlineWidth', 'outlineStyle', 'outlineColor'].map(name => getComputedStyle(link)[name]),"
            " getComputedStyle(document.querySelector('.stApp')).backgroundColor]"
        )
        assert (width, style) == ("2px", "solid")
        assert abs(brightness(ring) - brightness(ground)) > 128


def brightness(colour):
    return sum(map(float, re.findall(r"[\d.]+", colour)[:3])) / 3


def test_the_keyboard_enters_a_choice_at_what_is_chosen(visit, app_address):
    page = visit(f"{app_address}/mse?preset=noisy&lang=en")
    page.locator(".player canvas").first.wait_for()
    rest(page)
    options = page.get_by_role("radiogroup", name="Data").get_by_role("radio")
    chosen = page.get_by_role("radiogroup", name="Data").get_by_role("radio", checked=True)
    expect(chosen).not_to_have_text(options.first.inner_text())
    page.get_by_test_id("stMainMenuButton").focus()
    for _ in range(2):  # past the page's own scroll bar
        page.keyboard.press("Tab")
    expect(chosen).to_be_focused()
    page.keyboard.press("ArrowLeft")  # from there the arrows go on
    expect(chosen).not_to_be_focused()
    page.keyboard.press("Shift+Tab")
    expect(options.and_(page.locator(":focus"))).to_have_count(0)


@pytest.mark.parametrize("locale", ["en-GB", "de-DE"])
def test_a_typed_comma_is_the_decimal_point_but_parts_thousands_of_whole_numbers(visit, app_address, locale):
    page = visit(f"{app_address}/training?lang=en", locale=locale)
    page.locator(".player canvas").first.wait_for()
    rest(page)
    for name, typed, read in [("Learning rate", "0,02", "0.02"), ("Epochs", "1,2", "12")]:
        field = page.get_by_role("spinbutton", name=name, exact=True)
        field.fill("")
        field.press_sequentially(typed)
        field.press("Enter")
        expect(field).to_have_value(read)
        rest(page)
    page.wait_for_url(re.compile(r"lr=0\.02&.*epochs=12|epochs=12&.*lr=0\.02"))
