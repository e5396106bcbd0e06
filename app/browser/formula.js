/** The formula: a template of HTML or MathML whose numbers are signals of the chart. */

const PLACEHOLDER = /\{\{(.+?)\}\}/s;
const POWER = /(?<![\d.])(\d[\d.]*)e([+−-])(\d+)/g; // as d3 and JavaScript write a number with an exponent
const TINY = /(?<![\d.])0\.0000(0*)([1-9])(\d*)(?![\d.])/g; // what has so many zeros is easier to read as a power
const SUPERSCRIPTS = "⁰¹²³⁴⁵⁶⁷⁸⁹";

/**
 * Fills an element with the template and finds the live numbers in it.
 * @returns {Array<{signal: string, update: string, text: Text}>} a text node for each number, and its expression
 */
export function layFormula(element, template) {
  element.hidden = !template;
  element.innerHTML = template; // ours: it comes from a page's source, never from a reader
  const numbers = [];
  const walker = document.createTreeWalker(element, NodeFilter.SHOW_TEXT);
  for (let text = walker.nextNode(); text; text = walker.nextNode()) {
    const found = PLACEHOLDER.exec(text.data);
    if (!found) continue;
    const number = text.splitText(found.index);
    number.splitText(found[0].length); // what follows is the walker's next node
    number.data = "";
    numbers.push({ signal: `formula_${numbers.length}`, update: expression(found[1]), text: number });
    walker.currentNode = number;
  }
  return numbers;
}

/** The expression of one number: formatted, a dash where a data set is still empty or the value is no number. */
function expression(placeholder) {
  const [, value, format] = /^(.*?)(?:\|([^|]*))?$/s.exec(placeholder.replaceAll("||", "\u0000"));
  const source = value.replaceAll("\u0000", "||").trim();
  const filled = [...source.matchAll(/data\((['"])(.+?)\1\)/g)].map(([call]) => `length(${call})`);
  const shown = format === undefined ? `'' + (${source})` : `isFinite(${source}) ? format(${source}, '${format.trim()}') : '–'`;
  return filled.length ? `${filled.join(" && ")} ? (${shown}) : '–'` : shown;
}

/** Text as mathematics writes it: 8.18·10⁻⁹ for 8.18e-9, and 10⁻⁹ for 1e-9. */
function written(text) {
  const powers = (_, zeros, first, rest) => `${first}${rest && `.${rest}`}e−${5 + zeros.length}`;
  return String(text ?? "").replace(TINY, powers).replace(POWER, (_, mantissa, sign, digits) => {
    const power = [...digits].map((digit) => SUPERSCRIPTS[digit]).join("");
    return `${mantissa === "1" ? "" : `${mantissa}·`}10${sign === "+" ? "" : "⁻"}${power}`;
  });
}

/** The patch that adds the derived data sets and the numbers' signals to a compiled chart. */
export function formulaPatch(numbers, outputs) {
  return (vega) => {
    const derived = Object.entries(outputs).map(([name, how]) => ({ name, ...how }));
    vega.data = [...(vega.data ?? []), ...derived];
    vega.signals = [...(vega.signals ?? []), ...numbers.map(({ signal, update }) => ({ name: signal, update }))];
    return vega;
  };
}

/**
 * Shows the numbers whenever they change.
 * @param {function(): Array} current the numbers of the template that is laid out then
 */
export function followFormula(view, current) {
  current().forEach(({ signal }, index) => {
    view.addSignalListener(signal, (_, value) => (current()[index].text.data = written(value)));
  });
}

/** Shows the numbers now. */
export function fillFormula(view, numbers) {
  for (const { signal, text } of numbers) text.data = written(view.signal(signal));
}
