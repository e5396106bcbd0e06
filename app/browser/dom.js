/** Small helpers for the DOM. */

const SVG = "http://www.w3.org/2000/svg";

/** Outlines of the icons on a 24 x 24 grid. */
const ICONS = {
  play: "M7 4.5v15l12.5-7.5z",
  pause: "M7 5h3.6v14H7z M13.4 5H17v14h-3.6z",
  back: "M17 5v14L8.5 12z M6 5h2v14H6z",
  forward: "M7 5v14l8.5-7z M16 5h2v14h-2z",
  first: "M19 5v14l-7-7z M12 5v14l-7-7z M3.5 5h1.7v14H3.5z",
  last: "M5 5v14l7-7z M12 5v14l7-7z M18.8 5h1.7v14h-1.7z",
  png: "M5 4h14v16H5z M7 6v8l3-3 3 3 2-2 2 2V6z M14.5 7.5h1.8v1.8h-1.8z",
  svg: "M4 4h4v4H4z M16 4h4v4h-4z M16 16h4v4h-4z M7.4 8.6l1.2-1.2 8 8-1.2 1.2z",
};

/** Puts an icon and its label, which is also the tooltip, on a button. */
export function dress(button, icon, label) {
  button.title = label;
  button.setAttribute("aria-label", label);
  if (button.dataset.icon === icon) return;
  button.dataset.icon = icon;
  const svg = document.createElementNS(SVG, "svg");
  svg.setAttribute("viewBox", "0 0 24 24");
  svg.setAttribute("aria-hidden", "true");
  const path = document.createElementNS(SVG, "path");
  path.setAttribute("d", ICONS[icon]);
  path.setAttribute("fill-rule", "evenodd");
  svg.append(path);
  button.replaceChildren(svg);
}

/** Fills `{name}` in a translated sentence. */
export function fill(sentence, values) {
  return sentence.replace(/\{(\w+)\}/g, (_, name) => values[name]);
}

/** A function that runs `action` once, `delay` ms after its last call; `.cancel()` forgets a pending one, which
 * `.pends()` tells of. */
export function debounced(action, delay) {
  let timer;
  const run = () => {
    timer = undefined;
    action();
  };
  const later = () => {
    clearTimeout(timer);
    timer = setTimeout(run, delay);
  };
  later.cancel = () => (timer = clearTimeout(timer));
  later.pends = () => timer !== undefined;
  return later;
}

/** A function that runs `action` at most once a frame, with its latest argument; `.flush()` runs a pending one now. */
export function oncePerFrame(action) {
  let frame = 0;
  let latest;
  const run = () => {
    frame = 0;
    action(latest);
  };
  const soon = (argument) => {
    latest = argument;
    frame ||= requestAnimationFrame(run);
  };
  soon.cancel = () => {
    cancelAnimationFrame(frame);
    frame = 0;
  };
  soon.flush = () => {
    if (!frame) return;
    soon.cancel();
    run();
  };
  return soon;
}

/** The value that a range input would take for `value`: inside the bounds, on a step. */
export function snapped({ minimum, maximum, step }, value) {
  const nearest = minimum + Math.round((value - minimum) / step) * step;
  const inside = Math.min(maximum, Math.max(minimum, nearest));
  return Number(inside.toFixed(10));
}

/** Moves a range input; `--fill` is how much of its line is coloured. */
export function setRange(input, value) {
  input.value = value;
  const part = (value - input.min) / (input.max - input.min || 1);
  input.style.setProperty("--fill", `${100 * part}%`);
}

/** How many digits after the point a slider with this step shows. */
export function decimals(step) {
  const [, fraction = "", exponent = "0"] = /^\d+(?:\.(\d+))?(?:e([+-]?\d+))?$/.exec(String(step)) ?? [];
  return Math.max(0, fraction.length - Number(exponent));
}

/** The width in CSS px that a canvas was drawn for; Vega sets no style on screens of one device pixel per CSS px. */
export function drawnWidth(canvas) {
  return parseFloat(canvas.style.width) || canvas.width;
}
