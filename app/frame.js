/**
 * What the browser does for every page. It stands in the page's head (app/server.py), before Streamlit is loaded.
 */
(() => {
  const MADE_BY_HAND = ["pointerdown", "keydown", "click"];
  const LEADING_UP = "[class*='st-key-up_'] button"; // app.page.leading_up
  const PICTURE = "[data-testid='stMain'] [class*='st-key-player-']";
  const SENTENCES = 144; // px; the browser's header and what is said above a picture

  /*
   * One act of the reader is one step of Back. The server corrects the link with a message a parameter, and Streamlit
   * makes an entry of the history of each; all but the first of an act take the place of the one before.
   */
  let acted = false;
  for (const kind of MADE_BY_HAND) addEventListener(kind, () => (acted = true), { capture: true, passive: true });
  const push = history.pushState;
  history.pushState = function (...entry) {
    (acted ? push : history.replaceState).apply(history, entry);
    acted = false;
  };

  /* The Tab key enters a group of options at the chosen one, where Streamlit's segmented control has it enter at the
   * first; from there the arrow keys go on. */
  let byTab = false;
  addEventListener("keydown", ({ key }) => (byTab = key === "Tab"), true);
  addEventListener("pointerdown", () => (byTab = false), true);
  addEventListener("focusin", (event) => {
    const group = event.target.closest?.("[role='radiogroup']");
    const chosen = group?.querySelector("[role='radio'][aria-checked='true']");
    if (!byTab || !chosen || chosen === event.target || group.contains(event.relatedTarget)) return;
    event.stopImmediatePropagation();
    chosen.focus();
  }, true);

  /* Half of the world writes 0,5, of which a number field keeps 05. A field of whole numbers ignores commas as before:
   * there they part thousands. */
  addEventListener("beforeinput", (event) => {
    const { target, data } = event;
    if (data !== "," || target.type !== "number" || !(target.step % 1)) return;
    event.preventDefault();
    document.execCommand("insertText", false, ".");
  }, true);

  /* What a button far below sets stands at the head of the page; whoever presses it sees what it does. */
  addEventListener("click", ({ target }) => {
    const picture = document.querySelector(PICTURE);
    if (picture && target.closest?.(LEADING_UP)) bringIntoView(picture);
  });

  /** Scrolls to the first screen where the picture begins in its upper half, else, on a phone, to the picture. */
  function bringIntoView(picture) {
    const scroller = picture.closest("[data-testid='stMain']");
    const { top, bottom } = picture.getBoundingClientRect();
    if (top >= 0 && bottom <= innerHeight) return;
    const place = top + scroller.scrollTop;
    const still = matchMedia("(prefers-reduced-motion: reduce)").matches;
    scroller.scrollTo({ top: place < innerHeight / 2 ? 0 : place - SENTENCES, behavior: still ? "instant" : "smooth" });
  }
})();
