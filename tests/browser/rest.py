"""Wait until a page has come to rest: what is clicked or typed before that may meet something that still moves."""

# Called once a frame of the browser: whether the script has ended, every player has drawn what it was sent last, and
# no picture has moved for a fifth of a second.
STILL = """() => {
  const hosts = [...document.querySelectorAll('[data-testid=stBidiComponentIsolated]')];
  const players = hosts.map((host) => host.shadowRoot?.querySelector('.player')).filter(Boolean);
  const ended = document.querySelector('[data-testid=stApp]')?.dataset.testScriptState === 'notRunning';
  const canvases = players.map((player) => player.querySelector('canvas')).filter(Boolean);
  const places = JSON.stringify([...hosts, ...canvases].map((element) => element.getBoundingClientRect()));
  const same = ended && players.every((player) => 'drawn' in player.dataset) && places === window.placesBefore;
  window.sameFor = same ? (window.sameFor ?? 0) + 1 : 0;
  window.placesBefore = places;
  return window.sameFor >= 12;
}"""


def rest(page):
    """Wait until the script has ended, every picture is drawn and takes the hand, and none has moved for a while."""
    page.evaluate("() => { window.sameFor = 0; }")
    page.wait_for_function(STILL, polling="raf")
