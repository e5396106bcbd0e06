"""Wait until a page has come to rest: what is clicked or typed before that may meet something that still moves."""

from playwright.sync_api import expect

STILL = """() => {
  const places = [...document.querySelectorAll('[data-testid=stBidiComponentIsolated]')]
    .map((host) => JSON.stringify([host.getBoundingClientRect(),
      host.shadowRoot?.querySelector('canvas')?.getBoundingClientRect()])).join();
  window.sameFor = places === window.placesBefore ? (window.sameFor ?? 0) + 1 : 0;
  window.placesBefore = places;
  return window.sameFor >= 12;
}"""  # called once a frame of the browser


def rest(page):
    """Wait until the script has ended and no picture has moved for a fifth of a second."""
    expect(page.locator("[data-testid=stApp][data-test-script-state=notRunning]")).to_be_attached()
    page.wait_for_function(STILL, polling="raf")
