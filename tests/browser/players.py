"""Find and read the players of the demo's pages."""

from urllib.parse import parse_qs, urlsplit

import numpy as np
from playwright.sync_api import expect

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
