/** The picture: one Vega view on a canvas, embedded anew only when its spec, its theme or its arrangement changes. */
import { decodeRows } from "./vega.js";
import { drawnWidth } from "./dom.js";
import { vegaConfig, withColours } from "./theme.js";
import { arrange, isNarrow, plotWidths, shape, withWidths } from "./layout.js";

const FRAME = 50; // px; first guess at what axes and padding add to a plot's width
const NUMBERS = { decimal: ".", thousands: ",", grouping: [3], currency: ["", ""], percent: " %" }; // as in our sentences
const EXACT = 2; // px; widths are whole numbers, so a row of plots may miss its column by that

export class Picture {
  /** @param {HTMLElement} element where the canvas stands */
  constructor(element) {
    this.element = element;
  }

  /**
   * Draws a chart, keeping the canvas where only the data is new.
   * @param {object} chart `spec` (JSON), `data`, `height`, `patches` of the compiled chart and what they depend on
   * @param {object} theme from `readTheme`
   * @param {Object<string, number>} params values that the chart's parameters take
   * @returns {Promise<boolean>} whether the view is a new one
   */
  async show(chart, theme, params) {
    const spec = JSON.parse(chart.spec);
    const width = this.element.clientWidth;
    const { height, dependencies } = chart;
    const identity = JSON.stringify([chart.spec, dependencies, height, theme, shape(spec, width)]);
    const fresh = identity !== this.identity;
    if (fresh) await this.embed(chart, arrange(withColours(spec, theme), width, height), theme, params);
    else await this.update(chart.data, params);
    this.identity = identity;
    return fresh;
  }

  async embed(chart, spec, theme, params) {
    const width = this.element.clientWidth;
    const frame = FRAME * (spec.hconcat?.length ?? 1); // the fit corrects it
    const host = document.createElement("div");
    host.ariaHidden = "true"; // the element around it has our text alternative, Vega adds one of its own
    const rows = Object.entries(chart.data).map(([name, source]) => [name, decodeRows(source)]);
    const datasets = { ...spec.datasets, ...Object.fromEntries(rows) };
    const result = await window.vegaEmbed(host, { ...withWidths(spec, width, frame), datasets }, {
      actions: false,
      defaultStyle: false,
      formatLocale: NUMBERS,
      renderer: "canvas",
      config: vegaConfig(theme, isNarrow(width)),
      tooltip: { theme: theme.dark ? "dark" : "light" },
      patch: (vega) => chart.patches.reduce((patched, patch) => patch(patched), withTextSize(vega, theme)),
    });
    this.finalize();
    Object.assign(this, { result, spec, frame, fitted: width, view: result.view, canvas: host.querySelector("canvas") });
    this.digests = digests(chart.data);
    for (const [name, value] of Object.entries(params)) this.view.signal(name, value);
    await this.view.runAsync();
    await this.fit();
    this.element.replaceChildren(host);
  }

  async update(data, params) {
    const changed = Object.entries(data).filter(([name, { digest }]) => digest !== this.digests[name]);
    for (const [name, source] of changed) if (this.has(name)) this.view.data(name, decodeRows(source));
    this.digests = digests(data);
    await this.set(params);
  }

  has(name) {
    return this.result.vgSpec.data.some((data) => data.name === name);
  }

  /** Sets parameters and draws. */
  async set(params) {
    for (const [name, value] of Object.entries(params)) this.view.signal(name, value);
    await this.view.runAsync();
  }

  /** Whether this column asks for another arrangement than the present one. */
  outgrown(chart) {
    return !this.identity?.endsWith(`${JSON.stringify(shape(JSON.parse(chart.spec), this.element.clientWidth))}]`);
  }

  /** Makes the picture as wide as its column; what axes and legends add is known only once they are drawn. */
  async fit() {
    const width = this.element.clientWidth;
    if (this.fitted !== width) await this.setWidths(width);
    for (let round = 0; round < 2; round++) {
      const excess = drawnWidth(this.canvas) - width;
      if (Math.abs(excess) <= EXACT) return;
      this.frame += excess;
      await this.setWidths(width);
    }
  }

  async setWidths(width) {
    const signals = new Set(["width", ...this.result.vgSpec.signals.map(({ name }) => name)]); // every view has a width
    for (const { names, width: plot } of plotWidths(this.spec, width, this.frame)) {
      const name = names.find((candidate) => signals.has(candidate));
      if (name) this.view.signal(name, plot);
    }
    this.fitted = width;
    this.view.resize();
    await this.view.runAsync();
  }

  /** The picture as a file, larger than on screen so that it prints well. */
  toURL(kind) {
    return this.view.toImageURL(kind, 2);
  }

  finalize() {
    this.result?.finalize();
  }
}

/** Gives expressions the size of the text in px as `em`. */
function withTextSize(vega, theme) {
  return { ...vega, signals: [...(vega.signals ?? []), { name: "em", value: theme.size }] };
}

function digests(data) {
  return Object.fromEntries(Object.entries(data).map(([name, { digest }]) => [name, digest]));
}
