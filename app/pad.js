/**
 * The pad: a digit is drawn with a mouse, a pen, a finger or the keyboard, and Python is told while it grows.
 *
 * Streamlit calls the default export when the component appears, and again whenever its data or the theme changes.
 * The modules in browser/ and pad/ are joined in front of this file by app/pad.py. At most one message is on its way: the next
 * one waits until Python's answer, whose `seen` names the message that it has seen, has come back. While a line grows, a
 * quicker way is taken where there is one (app/quick.py); there, too, one question waits for the answer to the one before.
 */
import { debounced, fill, oncePerFrame } from "./browser/dom.js";
import { Address } from "./browser/address.js";
import { onGrid, pointCount, read, simplified, written } from "./pad/strokes.js";
import { Paper } from "./pad/paper.js";

const APART = 4; // units that a hand moves before the stroke gets another point
const LOST = 1500; // ms after which an answer is no longer waited for
const KEY_STEP = 10; // units that an arrow key moves the pen; with Shift a fifth of that
const UNDOS = 100;
const ARROWS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };

const pads = new WeakMap(); // element -> Pad

export default function ({ data, parentElement, setTriggerValue }) {
  const root = parentElement.querySelector(".pad");
  const fresh = !pads.has(root);
  const pad = pads.get(root) ?? new Pad(root, data);
  pads.set(root, pad);
  pad.tell = (message) => setTriggerValue("drawn", message);
  const visit = pad.show(data, fresh);
  return () => {
    if (!pad.isLatest(visit)) return; // the call that replaced this one cleans up
    pads.delete(root);
    pad.close();
  };
}

class Pad {
  constructor(root, data) {
    const part = (name) => root.querySelector(`.${name}`);
    this.parts = { label: part("label"), hint: part("hint"), message: part("message"), announcer: part("announcer"), examples: part("examples") };
    this.buttons = Object.fromEntries([...root.querySelectorAll("[data-action]")].map((b) => [b.dataset.action, b]));
    this.root = root;
    this.canvas = root.querySelector("canvas");
    this.paper = new Paper(this.canvas);
    this.data = data;
    this.visits = 0;
    this.drawing = { strokes: [], example: null };
    this.past = []; // what undo goes back to, the latest last
    this.stroke = null; // the one that grows
    this.pointer = null; // the id of the pointer that draws it; null for the keyboard
    this.cursor = { x: data.side / 2, y: data.side / 2, down: false };
    this.keyed = false; // the keyboard was used last
    this.full = false; // a stroke was refused
    this.version = this.sent = this.seen = 0; // of the drawing: now, in the latest message, in the latest answer
    this.serial = Date.now(); // numbers of messages go on where another browser's tab may have stopped
    this.address = new Address(data.key);
    this.redraw = oncePerFrame(() => this.draw());
    this.paper.onload = () => this.redraw();
    this.announce = debounced(() => (this.parts.announcer.textContent = this.data.said ?? ""), 600);
    this.observer = new ResizeObserver(() => this.redraw());
    this.observer.observe(this.canvas);
    this.listen();
  }

  listen() {
    const { canvas, buttons } = this;
    canvas.addEventListener("pointerdown", (event) => this.press(event));
    canvas.addEventListener("pointermove", (event) => this.move(event));
    for (const type of ["pointerup", "pointercancel", "lostpointercapture"])
      canvas.addEventListener(type, (event) => event.pointerId === this.pointer && this.lift());
    canvas.addEventListener("keydown", (event) => this.key(event));
    canvas.addEventListener("blur", () => this.leave());
    buttons.undo.onclick = () => this.undo();
    buttons.clear.onclick = () => this.replace({ strokes: [], example: null });
  }

  /**
   * Takes what Python sent; a pad that has just appeared takes its drawing from Python or else from the shared link.
   * @returns {number} the serial number of this call
   */
  show(data, fresh) {
    const visit = ++this.visits;
    this.data = data;
    this.label(data.labels);
    if (fresh) {
      const linked = read(this.address.values.get("ink"), data);
      this.drawing = data.drawing ?? linked ?? this.drawing;
      if (!data.drawing && linked) this.change();
      else this.share();
    }
    if (data.seen === this.serial) this.answered();
    this.warn();
    this.announce();
    this.redraw();
    return visit;
  }

  isLatest(visit) {
    return visit === this.visits;
  }

  label(labels) {
    const { parts, canvas, buttons, data } = this;
    parts.label.textContent = data.label;
    parts.hint.textContent = labels.hint;
    this.root.setAttribute("aria-label", data.label);
    canvas.setAttribute("aria-label", labels.surface);
    canvas.setAttribute("aria-description", labels.keys);
    canvas.title = labels.keys;
    for (const [action, button] of Object.entries(buttons)) button.textContent = labels[action];
    parts.examples.setAttribute("aria-label", labels.examples);
    if (parts.examples.childElementCount === data.examples.length && this.named === labels.example) return;
    this.named = labels.example;
    parts.examples.replaceChildren(
      ...data.examples.map((example, digit) => {
        const button = Object.assign(document.createElement("button"), { type: "button", textContent: digit });
        button.title = fill(labels.example, { digit });
        button.setAttribute("aria-label", button.title);
        button.onclick = () => this.replace({ strokes: [], example });
        return button;
      }),
    );
  }

  // --- The hand

  press(event) {
    if (!event.isPrimary || event.button !== 0 || this.pointer !== null) return;
    event.preventDefault(); // no selection, and no drag of the page
    this.canvas.focus({ preventScroll: true });
    this.lift();
    this.keyed = false;
    this.pointer = event.pointerId;
    this.canvas.setPointerCapture(event.pointerId);
    this.begin(...this.paper.place(event, this.data.side));
  }

  move(event) {
    if (event.pointerId !== this.pointer) return;
    const events = event.getCoalescedEvents?.() ?? [];
    for (const each of events.length ? events : [event]) this.extend(...this.paper.place(each, this.data.side));
  }

  key(event) {
    const arrow = ARROWS[event.key];
    if (arrow && !event.ctrlKey && !event.metaKey && !event.altKey) this.steer(arrow, event.shiftKey ? KEY_STEP / 5 : KEY_STEP);
    else if (event.key === " " && !event.repeat) this.toggle();
    else if (event.key === "z" && (event.ctrlKey || event.metaKey)) this.undo();
    else if (event.key === "Delete" || event.key === "Backspace") this.replace({ strokes: [], example: null });
    else if (event.key === "Escape" && this.stroke) this.lift();
    else if (event.key !== " ") return;
    event.preventDefault();
    event.stopPropagation(); // nor does the page scroll, or a shortcut of the app act
    this.redraw();
  }

  steer([dx, dy], step) {
    const { side } = this.data;
    this.keyed = true;
    this.cursor.x = onGrid(this.cursor.x + step * dx, side);
    this.cursor.y = onGrid(this.cursor.y + step * dy, side);
    if (this.stroke) this.extend(this.cursor.x, this.cursor.y, 0);
    else this.say(fill(this.data.labels.place, this.percents()));
  }

  /** Puts the keyboard's pen on the paper, or lifts it. */
  toggle() {
    this.keyed = true;
    if (this.stroke) {
      this.lift();
      this.say(this.data.labels.up);
    } else {
      this.begin(this.cursor.x, this.cursor.y);
      this.cursor.down = true;
      this.say(fill(this.data.labels.down, this.percents()));
    }
  }

  percents() {
    const percent = (value) => Math.round((100 * value) / this.data.side);
    return { x: percent(this.cursor.x), y: percent(this.cursor.y) };
  }

  say(text) {
    this.announce.cancel();
    this.parts.announcer.textContent = text;
  }

  leave() {
    if (this.pointer === null) this.lift();
    this.keyed = false;
    this.redraw();
  }

  // --- The drawing

  begin(x, y) {
    const { strokes } = this.drawing;
    const { most, side } = this.data;
    if (strokes.length >= most.strokes || pointCount(strokes) >= most.points) {
      this.full = true;
      this.warn();
      return;
    }
    this.remember();
    this.stroke = [onGrid(x, side), onGrid(y, side)];
    this.drawing = { ...this.drawing, strokes: [...strokes, this.stroke] };
    this.change();
  }

  extend(x, y, apart = APART) {
    const { stroke } = this;
    if (!stroke || pointCount(this.drawing.strokes) >= this.data.most.points) return;
    const next = [onGrid(x, this.data.side), onGrid(y, this.data.side)];
    const moved = Math.hypot(next[0] - stroke.at(-2), next[1] - stroke.at(-1));
    if (!moved || moved < apart) return;
    stroke.push(...next);
    this.change();
  }

  /** Ends the stroke. */
  lift() {
    this.pointer = null;
    this.cursor.down = false;
    if (!this.stroke) return;
    const { strokes, example } = this.drawing;
    this.drawing = { strokes: [...strokes.slice(0, -1), simplified(this.stroke)], example };
    this.stroke = null;
    this.change();
  }

  replace(drawing) {
    this.lift();
    if (!this.drawing.strokes.length && !drawing.strokes.length && this.drawing.example === drawing.example) return;
    this.remember();
    this.drawing = drawing;
    this.change();
  }

  undo() {
    this.lift();
    if (!this.past.length) return;
    this.drawing = this.past.pop();
    this.change();
  }

  remember() {
    this.past = [...this.past.slice(1 - UNDOS), this.drawing];
  }

  change() {
    this.root.dataset.version = ++this.version;
    this.full = false;
    this.parts.message.textContent = "";
    if (!this.stroke) this.share();
    this.redraw();
    this.ask();
    this.send();
  }

  /** Says what is wrong with the drawing: what Python found, or that no more fits on the pad. */
  warn() {
    this.parts.message.textContent = this.data.message || (this.full ? this.data.labels.full : "");
  }

  share() {
    this.address.set("ink", written(this.drawing));
  }

  // --- Python

  /** Asks on the quick way what is seen now; its answer calls this again. Where nobody answers, Python is told instead. */
  async ask() {
    if (!this.asks() || this.asking || this.asked === this.version || this.closed) return;
    const version = (this.asked = this.version);
    this.asking = true;
    try {
      const answer = await post(this.data.quick, this.drawing);
      this.told(answer, version);
    } catch (error) {
      if (error.name !== "TimeoutError") this.refused = this.data.quick; // a busy server may answer the next question
      this.send();
    }
    this.asking = false;
    this.ask();
  }

  asks() {
    return this.data.live && this.data.quick && this.data.quick !== this.refused;
  }

  /** Hands on what was answered, unless Python has said something about a later state of the drawing. */
  told(answer, version) {
    if (this.closed || version < this.seen) return;
    this.seen = version;
    this.data = { ...this.data, said: answer.said };
    window.dispatchEvent(new CustomEvent("player-news", { detail: answer }));
    this.root.dataset.answered = version;
    this.announce();
  }

  /** Tells Python what is new, unless it has not answered yet; then its answer is what calls this again. */
  send() {
    clearTimeout(this.later);
    const news = this.version !== this.sent && (!this.stroke || (this.data.live && !this.asks()));
    if (!news || this.closed) return;
    const wait = this.waiting ? LOST - (performance.now() - this.sentAt) : 0;
    if (wait > 0) {
      this.later = setTimeout(() => this.send(), wait);
      return;
    }
    this.sent = this.version;
    this.sentAt = performance.now();
    this.waiting = true;
    this.tell({ serial: ++this.serial, ...this.drawing, lifted: !this.stroke });
  }

  answered() {
    this.waiting = false;
    if (this.sent < this.seen) this.asked = 0; // the bars go back to an earlier state: ask for the present one again
    this.seen = Math.max(this.seen, this.sent);
    this.root.dataset.answered = this.seen;
    this.ask();
    this.send();
  }

  draw() {
    const { strokes, example } = this.drawing;
    const blank = !strokes.length && example === null;
    this.parts.hint.hidden = !blank || this.keyed;
    this.buttons.clear.setAttribute("aria-disabled", blank);
    this.buttons.undo.setAttribute("aria-disabled", !this.past.length);
    this.paper.draw(this.drawing, this.data, this.keyed ? this.cursor : null);
  }

  close() {
    this.closed = true;
    clearTimeout(this.later);
    this.redraw.cancel();
    this.announce.cancel();
    this.observer.disconnect();
    this.address.close();
  }
}

async function post(address, question) {
  const response = await fetch(new URL(address, document.baseURI), {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify(question),
    signal: AbortSignal.timeout(LOST),
  });
  if (!response.ok) throw new Error(response.statusText);
  return response.json();
}
