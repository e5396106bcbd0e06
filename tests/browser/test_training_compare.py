"""Several runs on one chart of the training page, in a browser."""

import pytest
from playwright.sync_api import expect

from app.figures.comparison import FAINT
from core import run_text
from core.run import RunSpec
from tests.browser.rest import rest
from tests.browser.trainings import COMPARED, PATIENCE, SMALL, caption, check_settings, open_training, pixels
from tests.browser.views import check_width


def row_of(page, run):
    """Return where a run's line of the legend is, in px on the page."""
    return page.evaluate(
        """(run) => {
          const rules = marksOf(viewWith("legend"), "rule")
            .filter(({ item, plot }) => plot.startsWith("legend") && item.datum?.run === run);
          return [rules[0].x + 100, rules[0].y];
        }""",
        run,
    )


def opacities(page):
    """Return the opacity of each run's loss curve, by the place of the run."""
    return page.evaluate(
        """() => Object.fromEntries(
          marksOf(viewWith("legend"), "line")
            .filter(({ mark, item }) => mark.name?.includes("marks") && "s0" in item.datum)
            .map(({ item }) => [item.datum.run, item.opacity]))"""
    )


def legend(page):
    """Return the texts of the legend that are in sight, by their lines."""
    return page.evaluate(
        """() => marksOf(viewWith("legend"), "text")
          .filter(({ item, plot }) => plot.startsWith("legend") && item.text)
          .map(({ item }) => item.text)"""
    )


def test_pointing_at_a_run_dims_the_others_everywhere(show, trained_address):
    page, _ = show(f"training?{COMPARED}", "legend")
    assert opacities(page) == {"0": 1, "1": 1}
    page.mouse.move(*row_of(page, 1))
    page.wait_for_function("() => marksOf(viewWith('legend'), 'line').some(({ item }) => item.opacity < 1)")
    assert opacities(page) == {"0": FAINT, "1": 1}
    page.mouse.move(5, 5)
    page.wait_for_function("() => marksOf(viewWith('legend'), 'line').every(({ item }) => item.opacity === 1)")


def test_the_legend_follows_the_playhead_and_the_curves_the_slider_without_the_server(show, trained_address):
    page, sent = show(f"training?{COMPARED}", "legend")
    last = legend(page)
    assert {"CNN", "MLP", "trained here"} <= set(last)
    page.locator(".player .scrub").focus()
    page.keyboard.press("Home")
    expect(caption(page)).to_contain_text("Test accuracy after epoch 1:")
    assert legend(page) != last
    before = pixels(page)
    page.locator(".player input[data-param=smooth]").focus()
    page.keyboard.press("Home")
    page.wait_for_function("(before) => canvasOf(viewWith('legend')).toDataURL() !== before", arg=before)
    assert not sent


def test_a_comparison_is_built_by_clicks_and_lives_in_the_link(visit, trained_address):
    page = open_training(visit, trained_address, SMALL)
    rest(page)
    page.locator(".st-key-add button:visible").first.click()
    text = run_text.write(RunSpec(epochs=3, train_images=1000, lr=0.05))
    page.wait_for_function("(text) => decodeURIComponent(location.search).includes(`compare=${text}`)", arg=text)
    page.get_by_role("radio", name="MLP").click()
    expect(page.get_by_text("leads").or_(page.get_by_text("are level")).first).to_be_visible()
    page.reload()
    expect(page.get_by_text("leads").or_(page.get_by_text("are level")).first).to_be_visible()
    page.locator(".st-key-leave button:visible").first.click()
    page.wait_for_function("!location.search.includes('compare')")


def heights(page):
    """Return how high the picture of the comparison is, and where its legend ends, in px."""
    return page.evaluate(
        """() => {
          const view = viewWith("legend");
          const lines = marksOf(view, "text").filter(({ item, plot }) => plot.startsWith("legend") && item.text);
          const box = canvasOf(view).getBoundingClientRect();
          return [box.height, Math.max(...lines.map(({ y }) => y)) - box.top - window.scrollY];
        }"""
    )


def test_the_picture_grows_with_the_runs_that_are_added_by_clicks(show, trained_address):
    page, _ = show(f"training?{COMPARED}", "legend")
    low, _ = heights(page)
    for name in ("Inception", "ResNet", "DenseNet"):
        page.get_by_role("radio", name=name).click()
        rest(page)  # the button adds the run of the settings that the page has seen
        page.locator(".st-key-add button:enabled:visible").first.click()  # and the next click follows at once
    page.wait_for_function("() => viewWith('legend')?.data('legend').some(({ run }) => run === 4)")
    rest(page)
    assert {"Inception", "ResNet", "DenseNet"} <= set(legend(page))
    high, end = heights(page)
    assert high > low
    assert end < high


def test_the_menu_of_comparisons_closes_when_one_is_chosen(visit, trained_address):
    page = open_training(visit, trained_address, SMALL)
    page.get_by_role("button", name="Compare", exact=True).click()
    prepared = page.get_by_role("button", name="With and without augmentation · 2 runs to train")
    prepared.click()
    expect(prepared).to_have_count(0)
    expect(page.get_by_text("2,000 images, 20 epochs:")).to_be_visible()
    page.wait_for_function("location.search.includes('compare=augmentation')")


def test_back_undoes_a_prepared_comparison_at_once(visit, trained_address):
    page = open_training(visit, trained_address, SMALL)
    page.get_by_role("button", name="Compare", exact=True).click()
    page.get_by_role("button", name="With and without augmentation · 2 runs to train").click()
    page.wait_for_function("location.search.includes('compare=augmentation')")
    rest(page)
    page.go_back()
    expect(page.get_by_text("2,000 images, 20 epochs:")).to_have_count(0, timeout=PATIENCE)
    check_settings(page, "CNN", epochs="3", lr="0.05", images="1000", shift="0", schedule="constant")


def test_a_comparison_fits_a_phone(show, trained_address):
    page, _ = show(f"training?{COMPARED}", "legend", viewport={"width": 390, "height": 844})
    check_width(page)
    assert {"CNN", "MLP", "trained here"} <= set(legend(page))


@pytest.mark.parametrize(("wide", "alike"), [(740, "y"), (660, "x")])
def test_the_plots_of_a_comparison_stand_under_each_other_where_they_would_be_narrow(
    show, trained_address, wide, alike
):
    page, _ = show(f"training?{COMPARED}", "legend", viewport={"width": wide, "height": 844})
    plots = page.evaluate(
        """() => scene(viewWith("legend"))
          .filter(({ mark }) => ["loss_group", "accuracy_group"].includes(mark.name))
          .map(({ x, y, item }) => ({ x, y, width: item.width }))"""
    )
    assert plots[0][alike] == pytest.approx(plots[1][alike])
    assert min(plot["width"] for plot in plots) > 250
