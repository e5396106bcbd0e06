/** The timeline: where the playhead is, and how it moves. */
import { dress, fill, setRange } from "./dom.js";

const SPEEDS = [0.25, 0.5, 1, 2, 4];
const WHOLE = 5; // s that the whole film takes at speed 1, within the rates below
const RATES = [2, 40]; // steps a second at speed 1, least and most
const CALM = 500; // ms between two redraws for a reader who prefers reduced motion: same duration, fewer pictures

export class Timeline {
  /**
   * @param {HTMLElement} root the player's element
   * @param {(step: number) => Promise<void>} draw draws a step; playing waits for it
   * @param {(step: number) => void} onRest called where the playhead comes to rest, not while it plays
   */
  constructor(root, draw, onRest) {
    this.element = root.querySelector(".timeline");
    this.scrub = root.querySelector(".scrub");
    this.position = root.querySelector(".position");
    this.speeds = root.querySelector(".speed");
    this.buttons = Object.fromEntries(
      [...this.element.querySelectorAll("button")].map((button) => [button.dataset.action, button]),
    );
    this.draw = draw;
    this.onRest = onRest;
    this.steps = 0;
    this.first = 1; // the number that the first step has for the reader
    this.moments = []; // or the epochs of all of them, which are said instead
    this.step = 0;
    this.playing = false;
    this.still = matchMedia("(prefers-reduced-motion: reduce)");
    this.listen(root);
  }

  listen(root) {
    this.speeds.replaceChildren(...SPEEDS.map((speed) => new Option(`${speed}×`, speed, speed === 1, speed === 1)));
    for (const [action, button] of Object.entries(this.buttons)) button.onclick = () => this.act(action);
    this.scrub.oninput = () => this.rest(this.scrub.valueAsNumber);
    root.onkeydown = (event) => this.onKey(event);
  }

  /** Labels the controls in the reader's language. */
  label(labels) {
    this.labels = labels;
    for (const action of ["first", "back", "forward", "last"]) dress(this.buttons[action], action, labels[action]);
    this.scrub.setAttribute("aria-label", labels.scrub);
    this.speeds.setAttribute("aria-label", labels.speed);
    this.speeds.title = labels.speed;
    this.element.setAttribute("aria-label", labels.timeline);
    this.refresh();
  }

  /**
   * Sets how many steps there are. A playhead that rested at the end stays at the end; one whose step is no more goes
   * back to `start`, for the end would hold it from then on.
   */
  resize(steps, start) {
    const before = this.steps;
    const atEnd = before > 0 && this.step === before - 1 && !this.playing;
    this.steps = steps;
    this.element.hidden = steps === 0;
    if (atEnd) this.step = steps - 1;
    else if (before > 0 && this.step >= steps) {
      this.playing = false;
      this.step = start;
    }
    this.step = Math.max(0, this.inside(this.step));
    this.refresh();
  }

  inside(step) {
    return Math.min(this.steps - 1, Math.max(0, Math.round(step)));
  }

  act(action) {
    const to = { first: 0, back: this.step - 1, forward: this.step + 1, last: this.steps - 1 };
    if (action === "play") this.toggle();
    else this.rest(to[action]);
  }

  /** Keys while the focus is in the figure; a control that knows a key itself keeps it. */
  onKey(event) {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const control = event.composedPath()[0];
    const keeps = { SELECT: true, BUTTON: event.key === " " || event.key === "Enter", INPUT: control !== this.scrub && event.key !== " " };
    if (keeps[control.tagName]) return;
    if (event.key === " ") event.preventDefault(); // the page does not scroll, even where there is nothing to play
    if (!this.steps) return;
    const speed = SPEEDS[Number(event.key) - 1];
    const keys = { " ": "play", ArrowLeft: "back", ArrowRight: "forward", Home: "first", End: "last" };
    if (speed) this.speeds.value = speed;
    else if (keys[event.key]) this.act(keys[event.key]);
    else return;
    event.preventDefault();
  }

  toggle() {
    if (this.playing) this.stop();
    else this.play();
  }

  /** Plays to the end, from the start where it is at the end. The clock decides the step, so slow drawing skips some. */
  async play() {
    if (this.step >= this.steps - 1) this.step = 0;
    const run = (this.playing = Symbol("run"));
    let position = this.step;
    let drawn = -Infinity;
    let before = await nextFrame();
    while (this.playing === run && this.step < this.steps - 1) {
      const now = await nextFrame();
      position = Math.min(this.steps - 1, position + ((now - before) / 1000) * this.rate());
      before = now;
      if (this.playing !== run) return;
      if (this.still.matches && now - drawn < CALM && position < this.steps - 1) continue;
      if (Math.floor(position) === this.step && drawn > 0) continue;
      drawn = now;
      this.step = Math.floor(position);
      this.refresh();
      await this.draw(this.step);
    }
    if (this.playing === run) this.stop();
  }

  /** Steps a second at the chosen speed. */
  rate() {
    const [least, most] = RATES;
    return Number(this.speeds.value) * Math.min(most, Math.max(least, this.steps / WHOLE));
  }

  /** Shows a step and stays there. */
  rest(step) {
    this.step = this.inside(step);
    this.draw(this.step);
    this.stop();
  }

  /** Shows the position of a step that is drawn by somebody else. */
  go(step) {
    this.playing = false;
    this.step = this.inside(step);
    this.refresh();
  }

  stop() {
    this.playing = false;
    this.refresh();
    this.onRest(this.step);
  }

  refresh() {
    if (!this.labels) return;
    const values = this.values();
    dress(this.buttons.play, this.playing ? "pause" : "play", this.playing ? this.labels.pause : this.labels.play);
    this.scrub.max = Math.max(0, this.steps - 1);
    setRange(this.scrub, this.step);
    this.scrub.setAttribute("aria-valuetext", this.said());
    const written = this.moments.length ? this.labels.epoch : "{step} / {steps}";
    this.position.textContent = fill(written, values);
    this.position.style.minWidth = `${fill(written, { ...values, step: values.steps }).length}ch`;
    // aria-disabled and not disabled: a disabled button would lose the focus, and the keys with it
    this.buttons.play.ariaDisabled = this.steps < 2;
    for (const action of ["first", "back"]) this.buttons[action].ariaDisabled = this.step === 0;
    for (const action of ["forward", "last"]) this.buttons[action].ariaDisabled = this.step >= this.steps - 1;
  }

  /** What the reader hears of the position. */
  said() {
    return fill(this.moments.length ? this.labels.epoch : this.labels.position, this.values());
  }

  /** What the reader is told of the position. */
  values() {
    const number = (step) => this.moments[step] ?? step + this.first;
    return { step: number(this.step), steps: number(this.steps - 1) };
  }

  close() {
    this.playing = false;
  }
}

function nextFrame() {
  return new Promise(requestAnimationFrame);
}
