/**
 * Dragging in a plot sets parameters, in the browser alone.
 *
 * Each drag is a signal of the chart, {x, y} in the plot's units; the parameters that it moves are updated from it by
 * Vega itself, within the bounds and on the steps of their sliders.
 */
import { drawnWidth, oncePerFrame } from "./dom.js";

const POINTER = /(?<![.\w'"])([xy])\b(?!\s*\()/g; // x and y in an expression, but neither `.x` nor a call of x()

/** The patch that lets the drags of a compiled chart move its parameters. */
export function dragPatch(drags, sliders) {
  return (vega) => {
    for (const [name, value] of Object.entries(boundSignals(drags, sliders))) vega.signals.push({ name, value });
    drags.forEach(({ set }, index) => {
      const signal = dragSignal(index);
      vega.signals.unshift({ name: signal, value: null });
      for (const [param, expression] of Object.entries(set)) {
        const target = vega.signals.find(({ name }) => name === param);
        const update = bounded(param, expression.replace(POINTER, `${signal}.$1`));
        target.on = [...(target.on ?? []), { events: { signal }, update }];
      }
    });
    return vega;
  };
}

/** The bounds of the dragged parameters, as signals of the chart, so that other bounds do not need another chart. */
export function boundSignals(drags, sliders) {
  const dragged = new Set(drags.flatMap(({ set }) => Object.keys(set)));
  const bounds = sliders.filter(({ param }) => dragged.has(param));
  return Object.fromEntries(
    bounds.map(({ param, minimum, maximum, step }) => [boundSignal(param), { minimum, maximum, step }]),
  );
}

function dragSignal(index) {
  return `drag_${index}`;
}

function boundSignal(param) {
  return `${param}_bounds`;
}

function bounded(param, value) {
  const [minimum, maximum, step] = ["minimum", "maximum", "step"].map((end) => `${boundSignal(param)}.${end}`);
  const snap = `clamp(${minimum} + round(((${value}) - ${minimum}) / ${step}) * ${step}, ${minimum}, ${maximum})`;
  return `isFinite(${value}) ? round(${snap} * 1e10) / 1e10 : ${param}`;
}

export class Drags {
  /**
   * @param {View} view a Vega view
   * @param {HTMLCanvasElement} canvas the one it draws on
   * @param {Array<{view: string, set: Object<string, string>}>} drags parameter -> expression of x and y
   * @param {() => void} onRelease called when the hand lets go
   */
  constructor(view, canvas, drags, onRelease) {
    this.view = view;
    this.onRelease = onRelease;
    this.canvas = canvas;
    this.drags = drags.map(({ view: plot, set }, index) => ({
      plot,
      signal: dragSignal(index),
      params: Object.keys(set),
      ...axes(set),
    }));
    this.move = oncePerFrame((at) => this.view.signal(this.active.drag.signal, at).runAsync());
    if (drags.length) this.listen();
  }

  listen() {
    const { canvas } = this;
    canvas.style.touchAction = "pan-y pinch-zoom"; // a phone still scrolls; see claimTouch for plots dragged upwards
    canvas.addEventListener("touchstart", (event) => this.claimTouch(event), { passive: false });
    canvas.addEventListener("pointerdown", (event) => this.start(event));
    canvas.addEventListener("pointermove", (event) => this.hover(event));
    canvas.addEventListener("pointerup", (event) => this.stop(event));
    canvas.addEventListener("pointercancel", () => this.cancel());
  }

  /** Keeps the page from scrolling where the vertical position matters. */
  claimTouch(event) {
    const found = event.touches.length === 1 && this.find(this.position(event.touches[0]));
    if (found && found.drag.y) event.preventDefault();
  }

  /** Begins to drag; a finger that may be about to scroll the page moves nothing yet. */
  start(event) {
    if (event.button || !event.isPrimary) return;
    this.active = this.find(this.position(event));
    if (!this.active) return;
    this.canvas.setPointerCapture(event.pointerId);
    this.before = this.active.drag.params.map((param) => [param, this.view.signal(param)]);
    if (event.pointerType === "touch" && !this.active.drag.y) this.touched = event;
    else this.apply(event);
  }

  hover(event) {
    if (this.touched && !this.decide(event)) return;
    if (this.active) this.apply(event);
    else if (event.pointerType === "mouse") this.canvas.style.cursor = cursor(this.find(this.position(event))?.drag);
  }

  /** The first movement of a finger decides: sideways it drags, up or down it scrolls. Returns whether it drags. */
  decide(event) {
    const across = Math.abs(event.clientX - this.touched.clientX);
    const along = Math.abs(event.clientY - this.touched.clientY);
    if (across === 0 && along === 0) return false;
    this.touched = undefined;
    if (along > across) this.active = undefined;
    return along <= across;
  }

  apply(event) {
    const { area, x, y } = this.active;
    const [left, top] = this.position(event);
    this.move({
      x: x?.invert?.(clamp(left - area.x, 0, area.width)),
      y: y?.invert?.(clamp(top - area.y, 0, area.height)),
    });
  }

  /** Ends a drag; a finger that never moved has tapped. */
  stop(event) {
    if (this.touched) this.apply(event);
    this.move.flush();
    if (this.active) this.onRelease();
    this.touched = this.active = undefined;
  }

  /** The browser took the finger to scroll: everything is as it was. */
  cancel() {
    this.move.cancel();
    if (this.active && !this.touched) {
      for (const [param, value] of this.before) this.view.signal(param, value);
      this.view.runAsync();
    }
    this.touched = this.active = undefined;
  }

  /** The pointer in the coordinates of the chart's root group. */
  position(event) {
    const box = this.canvas.getBoundingClientRect();
    const [left, top] = this.view.origin();
    const padding = this.view.padding();
    const scale = drawnWidth(this.canvas) / box.width || 1; // not 1 where CSS shrinks the canvas
    return [(event.clientX - box.left) * scale - left - padding.left, (event.clientY - box.top) * scale - top - padding.top];
  }

  /** The drag whose plot is under a point, with that plot's area and scales. */
  find([left, top]) {
    const root = this.view.scenegraph().root.items[0];
    for (const drag of this.drags) {
      const area = findGroup(root, `${drag.plot}_group`, 0, 0) ?? { x: 0, y: 0, width: root.width, height: root.height };
      if (left < area.x || left > area.x + area.width || top < area.y || top > area.y + area.height) continue;
      return { drag, area, x: this.scale(drag.plot, "x"), y: this.scale(drag.plot, "y") };
    }
    return undefined;
  }

  /** A plot's scale; the plots of one chart may share it, and then it has no plot's name. */
  scale(plot, channel) {
    const scales = this.view._runtime.scales; // the public `scale` throws for a name that is not there
    const name = [`${plot}_${channel}`, channel].find((candidate) => scales[candidate]);
    return name && this.view.scale(name);
  }

  close() {
    this.move.cancel();
  }
}

/** Which directions the expressions use. */
function axes(set) {
  const used = Object.values(set).flatMap((expression) => [...expression.matchAll(POINTER)].map(([, axis]) => axis));
  return { x: used.includes("x"), y: used.includes("y") };
}

function clamp(value, low, high) {
  return Math.min(high, Math.max(low, value));
}

function cursor(drag) {
  if (!drag) return "";
  if (drag.x && drag.y) return "grab";
  return drag.x ? "ew-resize" : "ns-resize";
}

/** The place and size of a named group in the scene, relative to the root group. */
function findGroup(group, name, left, top) {
  for (const mark of group.items ?? []) {
    if (mark.marktype !== "group") continue;
    for (const item of mark.items ?? []) {
      const x = left + (item.x ?? 0);
      const y = top + (item.y ?? 0);
      if (mark.name === name) return { x, y, width: item.width, height: item.height };
      const inner = findGroup(item, name, x, y);
      if (inner) return inner;
    }
  }
  return undefined;
}
