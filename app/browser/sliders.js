/** The sliders under a picture, bound both ways to the chart's parameters. */
import { decimals, setRange } from "./dom.js";

export class Sliders {
  /**
   * @param {HTMLElement} element where they stand
   * @param {(param: string, value: number) => void} onInput called while the hand moves
   * @param {() => void} onRelease called when the hand lets go
   */
  constructor(element, onInput, onRelease) {
    this.element = element;
    this.onInput = onInput;
    this.onRelease = onRelease;
    this.rows = new Map();
  }

  /** Draws these sliders; inputs that stay the same keep focus and position. */
  show(sliders) {
    this.element.hidden = !sliders.length;
    const rows = new Map();
    for (const slider of sliders) rows.set(slider.param, this.rows.get(slider.param) ?? this.row(slider.param));
    const wanted = [...rows.values()].map(({ label }) => label);
    if (wanted.some((label, index) => this.element.children[index] !== label) || this.element.children.length > wanted.length) {
      this.element.replaceChildren(...wanted);
    }
    this.rows = rows;
    for (const slider of sliders) this.bound(slider);
  }

  row(param) {
    const label = document.createElement("label");
    const name = document.createElement("span");
    const input = Object.assign(document.createElement("input"), { type: "range" });
    const output = document.createElement("output");
    input.dataset.param = param;
    output.ariaLive = "off"; // the slider itself says its value
    input.addEventListener("input", () => this.onInput(param, input.valueAsNumber));
    input.addEventListener("change", () => this.onRelease());
    label.append(name, input, output);
    return { label, name, input, output };
  }

  bound(slider) {
    const row = this.rows.get(slider.param);
    row.digits = decimals(slider.step);
    row.names = slider.names;
    row.name.textContent = slider.label;
    Object.assign(row.input, { min: slider.minimum, max: slider.maximum, step: slider.step });
  }

  /** Shows the value that a parameter has now. */
  set(param, value) {
    const row = this.rows.get(param);
    if (!row) return;
    setRange(row.input, value);
    const named = row.names[Math.round((value - row.input.min) / row.input.step)];
    row.output.textContent = named ?? Number(value).toFixed(row.digits).replace("-", "\u2212");
    row.input.setAttribute("aria-valuetext", row.output.textContent);
  }
}
