/**
 * The player: one chart with its formula, captions, sliders and timeline, as a Streamlit component.
 *
 * Streamlit calls the default export when the component appears, and again whenever its data or the theme changes.
 * The modules in browser/ are joined in front of this file by app/player.py.
 */
import { debounced, dress, snapped } from "./browser/dom.js";
import { loadVega } from "./browser/vega.js";
import { readTheme } from "./browser/theme.js";
import { Address } from "./browser/address.js";
import { fillFormula, followFormula, formulaPatch, layFormula } from "./browser/formula.js";
import { Sliders } from "./browser/sliders.js";
import { boundSignals, dragPatch, Drags } from "./browser/drag.js";
import { Clock } from "./browser/clock.js";
import { Timeline } from "./browser/timeline.js";
import { Picture } from "./browser/picture.js";

const RELEASED = 120; // ms after which a hand that let go has let go, and not only pressed an arrow key again
const LONGEST = 5; // captions by number of characters, among which is the one with the most lines

const SIGNS = { neutral: "arrow_forward", good: "check_circle", warning: "warning", bad: "error" }; // as in app/page.py

const players = new WeakMap(); // element -> Player

export default function ({ data, parentElement, setTriggerValue }) {
  const root = parentElement.querySelector(".player");
  const player = players.get(root) ?? new Player(root, data.key);
  players.set(root, player);
  player.send = (values) => setTriggerValue("released", values);
  const visit = player.show(data);
  return () => {
    if (!player.isLatest(visit)) return; // the call that replaced this one cleans up
    players.delete(root);
    player.close();
  };
}

class Player {
  constructor(root, key) {
    this.root = root;
    this.visits = 0;
    this.values = {}; // parameter -> value
    this.defaults = {}; // parameter -> value that the shared link leaves out
    this.bounds = {}; // parameter -> its slider
    this.told = {}; // parameter -> values that the page was told and has not sent back yet
    const part = (name) => root.querySelector(`.${name}`);
    this.parts = { formula: part("formula"), said: part("said"), chart: part("chart"), message: part("message"), caption: part("caption"), announcer: part("announcer") };
    this.address = new Address(key);
    this.picture = new Picture(this.parts.chart);
    this.sliders = new Sliders(part("sliders"), (param, value) => this.steer(param, value), () => this.release());
    this.timeline = new Timeline(root, (step) => this.move(step), (step) => this.restAt(step));
    this.clock = new Clock(root, (step) => this.follow(step), () => this.timeline.playing || this.shareStep());
    this.announce = debounced(() => this.speak(), 400);
    this.release = debounced(() => this.report(), RELEASED);
    this.drawing = Promise.resolve();
    const refit = debounced(() => this.refit(), 120);
    this.observer = new ResizeObserver(refit);
    this.observer.observe(this.parts.chart);
    for (const button of root.querySelectorAll("[data-save]")) button.onclick = () => this.save(button.dataset.save);
    this.onNews = ({ detail }) => detail.key === this.data?.key && this.take(detail);
    window.addEventListener("player-news", this.onNews);
  }

  /**
   * Takes what Python sent; the picture follows as soon as it can.
   * @returns {number} the serial number of this call
   */
  show(data) {
    const visit = ++this.visits;
    this.data = data;
    this.label(data.labels);
    this.takeSliders(data.sliders);
    this.takeSteps(data);
    this.address.keepOnly([...(data.releases ? [] : Object.keys(this.bounds)), ...(data.timed ? ["step"] : [])]);
    this.redraw();
    return visit;
  }

  isLatest(visit) {
    return visit === this.visits;
  }

  /** Takes what another component was told on a quicker way (see `News` in player.py), until Python sends something. */
  take({ data, ...news }) {
    this.data = { ...this.data, ...news, data: { ...this.data.data, ...data } };
    this.label(this.data.labels);
    this.redraw();
  }

  label(labels) {
    this.timeline.label(labels);
    for (const button of this.root.querySelectorAll("[data-save]")) {
      dress(button, button.dataset.save, labels[button.dataset.save]);
    }
    this.root.setAttribute("aria-label", labels.chart);
    this.root.setAttribute("aria-description", this.data.steps ? labels.keys : "");
    this.parts.chart.setAttribute("aria-label", this.data.alt);
    this.say(this.data);
  }

  /** Shows the sentence above the picture. */
  say({ said, kind }) {
    const { said: line } = this.parts;
    line.hidden = !said;
    line.dataset.kind = kind;
    line.querySelector(".sign").textContent = SIGNS[kind];
    line.querySelector(".words").textContent = said;
  }

  /** Takes the sliders: a new default moves the parameter there, a first one comes from the shared link. */
  takeSliders(sliders) {
    this.sliders.show(sliders);
    this.bounds = Object.fromEntries(sliders.map((slider) => [slider.param, slider]));
    for (const param of Object.keys(this.values)) if (!this.bounds[param]) delete this.values[param];
    for (const slider of sliders) {
      const { param } = slider;
      const shared = param in this.defaults || this.data.releases ? undefined : this.address.number(param);
      const moved = slider.value !== this.defaults[param] && !this.isEcho(slider);
      const wanted = shared ?? (moved ? slider.value : this.values[param]);
      this.defaults[param] = slider.value;
      this.put(param, wanted);
    }
  }

  /** Whether the page sends back what the hand told it; by now the hand may be elsewhere, and keeps its place. */
  isEcho({ param, value }) {
    const place = (this.told[param] ?? []).indexOf(value);
    this.told[param] = place < 0 ? [] : this.told[param].slice(place + 1);
    return place >= 0;
  }

  /** Takes the number of steps; when there are any for the first time, the shared link says which is shown; a page that
   * begins to call for `start` moves the playhead there. */
  takeSteps({ steps, start, first, calls, moments, timed }) {
    Object.assign(this.timeline, { first, moments });
    this.clock.take(moments);
    const usual = this.clock.asked() ?? start;
    const joined = this.clock.joined();
    const place = this.address.number("step");
    const arrives = steps && !this.timeline.steps;
    if (!this.timeline.steps) this.timeline.step = (place ?? (joined ?? start) + first) - first;
    this.timeline.resize(steps, start);
    if (calls && this.calls === false) this.timeline.step = start;
    this.calls = calls;
    this.clock.step = this.timeline.step;
    if (arrives) this.clock.arrive(place !== undefined);
    this.defaults.step = usual;
    if (steps) this.values.step = this.timeline.step;
    else if (timed) this.values.step = 0; // without a timeline the picture shows what it begins with
    if (!steps && this.address.number("step") === undefined) this.address.set("step", undefined);
    if (steps && !this.timeline.playing) this.share("step", this.timeline.step, this.timeline.step + first);
    this.reserve();
  }

  /** Draws the latest data; calls that come while the browser draws share one drawing. */
  redraw() {
    if (this.waiting) return;
    this.waiting = true;
    delete this.root.dataset.drawn;
    this.drawing = this.drawing.then(async () => {
      this.waiting = false;
      await this.draw();
      if (!this.waiting) this.root.dataset.drawn = ""; // what Python sent last is on the canvas and takes the hand
    });
  }

  async draw() {
    const { data, parts } = this;
    if (this.closed || !parts.chart.clientWidth) return; // hidden: the observer calls when it appears
    try {
      await loadVega(data.bundle);
      const params = { ...this.values, ...boundSignals(data.drags, data.sliders) };
      const fresh = await this.picture.show(this.chart(), readTheme(this.root), params);
      if (this.closed) this.picture.finalize();
      else this.connect(fresh);
      parts.message.hidden = true;
    } catch (error) {
      this.fail(error);
    }
  }

  /** What the picture needs: the live numbers and the drags are patched into the compiled chart. */
  chart() {
    const { spec, data, height, formula, outputs, drags, sliders } = this.data;
    const patches = [formulaPatch(this.numbers(formula), outputs), dragPatch(drags, sliders)];
    const expressions = this.live.map(({ update }) => update);
    const params = sliders.map(({ param }) => param);
    return { spec, data, height, patches, dependencies: [expressions, outputs, drags, params] };
  }

  /** The live numbers of the formula; its elements are kept while the template stays the same. */
  numbers(template) {
    if (template !== this.template) this.live = layFormula(this.parts.formula, template);
    this.template = template;
    return this.live;
  }

  connect(fresh) {
    const { view, canvas } = this.picture;
    fillFormula(view, this.live);
    if (!fresh) return;
    this.drags?.close();
    this.drags = new Drags(view, canvas, this.data.drags, () => this.release());
    followFormula(view, () => this.live);
    for (const param of Object.keys(this.bounds)) view.addSignalListener(param, (_, value) => this.put(param, value));
  }

  fail(error) {
    const { labels } = this.data;
    this.parts.message.textContent = error.message === "offline" ? labels.offline : labels.failed;
    this.parts.message.hidden = false;
    if (error.message !== "offline") console.error(error);
  }

  /** A slider moves its parameter. */
  steer(param, value) {
    this.put(param, value);
    this.picture.view?.signal(param, value).runAsync();
  }

  /** Gives a parameter a value within its slider's bounds, and shows it there and in the link. */
  put(param, value) {
    this.values[param] = snapped(this.bounds[param], value);
    this.sliders.set(param, this.values[param]);
    if (!this.data.releases) this.share(param, this.values[param]);
  }

  /** Tells the page where the hand let go, where that is news and the page wants to know. */
  async report() {
    if (!this.data.releases || !this.picture.view) return;
    await this.picture.view.runAsync(); // a drag's last move may not have arrived yet
    const params = Object.keys(this.bounds);
    if (params.every((param) => this.values[param] === snapped(this.bounds[param], this.defaults[param]))) return;
    for (const param of params) this.told[param] = [...(this.told[param] ?? []), this.values[param]];
    this.send(Object.fromEntries(params.map((param) => [param, this.values[param]])));
  }

  share(name, value, shown = value) {
    this.address.set(name, value === this.defaults[name] ? undefined : shown);
  }

  /** The reader, or the film, moves the playhead; the pictures that share its clock follow. */
  move(step) {
    this.clock.tell(step);
    return this.drawStep(step);
  }

  /** The playhead goes where that of another picture went. */
  follow(step) {
    this.timeline.go(step);
    this.drawStep(step);
    this.shareStep();
  }

  async drawStep(step) {
    this.values.step = step;
    this.caption();
    if (this.picture.view) await this.picture.set({ step });
    this.root.dataset.step = step; // what is on the canvas now
  }

  restAt() {
    this.shareStep();
    this.announce();
  }

  /** The link leaves out the step that the page's first picture asks for. */
  shareStep() {
    const { step, first } = this.timeline;
    this.defaults.step = this.clock.asked() ?? this.data.start;
    this.share("step", step, step + first);
  }

  caption() {
    this.parts.caption.textContent = this.data.captions[this.timeline.step] ?? "";
  }

  /** Keeps as many lines free as the longest captions need, so that the timeline does not jump while it plays. */
  reserve() {
    const { caption } = this.parts;
    const longest = [...this.data.captions].sort((a, b) => b.length - a.length).slice(0, LONGEST);
    caption.hidden = !longest.length;
    caption.style.minHeight = "";
    const heights = longest.map((text) => {
      caption.textContent = text;
      return caption.offsetHeight;
    });
    const height = Math.max(0, ...heights);
    if (height) caption.style.minHeight = `${height}px`; // 0 where the figure is hidden
    this.caption();
  }

  /** Says the position and its sentence to a screen reader. */
  speak() {
    const { labels, captions } = this.data;
    const { step } = this.timeline;
    this.parts.announcer.textContent = `${this.timeline.said()}. ${captions[step] ?? ""}`;
  }

  refit() {
    this.reserve();
    if (!this.picture.view || this.picture.outgrown(this.data)) this.redraw();
    else if (this.parts.chart.clientWidth) this.picture.fit();
  }

  async save(kind) {
    if (!this.picture.view) return;
    const { name, steps } = this.data;
    const file = steps ? `${name}-step-${this.timeline.values().step}.${kind}` : `${name}.${kind}`;
    Object.assign(document.createElement("a"), { href: await this.picture.toURL(kind), download: file }).click();
  }

  close() {
    this.closed = true;
    window.removeEventListener("player-news", this.onNews);
    this.observer.disconnect();
    this.announce.cancel();
    this.release.cancel();
    this.timeline.close();
    this.clock.close();
    this.drags?.close();
    this.address.close();
    this.picture.finalize();
  }
}
