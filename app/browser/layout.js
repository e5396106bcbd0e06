/** Layout: charts as wide as their column, side by side where there is room, stacked where there is not. */

const NARROW = 560; // px; below it legends go under the plot
const COLUMN = 300; // px; the least that a plot in a row needs
const GAP = 20; // px; Vega-Lite's space between plots
const LEAST = 80; // px; no plot is narrower

const CONCATS = ["hconcat", "vconcat", "concat"];

/** Prepares a spec for a column of `available` px: names each plot, stacks rows that are too tight, sets heights. */
export function arrange(spec, available, height) {
  return named(spec, "plot", available, height);
}

/** What `arrange` decides at this width; a change of it needs a new embedding. */
export function shape(spec, available) {
  const rows = rowLengths(spec).map((length) => (isTight(length, available) ? "stacked" : "row"));
  return [isNarrow(available) ? "narrow" : "wide", ...rows].join(" ");
}

export function isNarrow(available) {
  return available < NARROW;
}

function isTight(length, available) {
  return available < COLUMN * length;
}

/** The number of plots in each row, however deep it stands. */
function rowLengths(node) {
  const own = node.hconcat ? [node.hconcat.length] : [];
  const kind = CONCATS.find((concat) => node[concat]);
  return kind ? [...own, ...node[kind].flatMap(rowLengths)] : own;
}

function named(node, name, available, height) {
  const { hconcat, ...rest } = node;
  const stacks = hconcat && isTight(hconcat.length, available);
  const copy = { ...(stacks ? { ...rest, vconcat: hconcat } : node), name: node.name ?? name };
  const kind = CONCATS.find((concat) => copy[concat]);
  if (kind) copy[kind] = copy[kind].map((child, index) => named(child, `${copy.name}_${index}`, available, height));
  else if (height) copy.height = height;
  return copy;
}

/**
 * The width of every plot so that the picture is `available` px wide.
 * @param {object} spec an arranged spec
 * @param {number} frame px that axes, legends and padding add to the widest row
 * @returns {Array<{node: object, names: string[], width: number}>} with the signals that can set it, best first
 */
export function plotWidths(spec, available, frame) {
  const plots = [];
  share(spec, available - frame, ["width"], plots);
  return plots;
}

/** A copy of an arranged spec in which every plot has its width. */
export function withWidths(spec, available, frame) {
  const widths = new Map(plotWidths(spec, available, frame).map(({ node, width }) => [node, width]));
  const place = (node) => {
    const kind = CONCATS.find((concat) => node[concat]);
    if (kind) return { ...node, [kind]: node[kind].map(place) };
    return typeof node.width === "object" ? node : { ...node, width: widths.get(node) };
  };
  return place(spec);
}

function share(node, available, outer, plots) {
  const own = [`${node.name}_childWidth`, ...outer];
  const rows = node.vconcat;
  if (rows) for (const row of rows) share(row, available, own, plots);
  else if (node.hconcat || node.concat) shareRow(node, available, own, plots);
  else plots.push({ node, names: [`${node.name}_width`, ...outer], width: Math.max(LEAST, Math.floor(available)) });
}

function shareRow(node, available, outer, plots) {
  const children = node.hconcat ?? node.concat;
  const columns = node.hconcat ? children.length : (node.columns ?? children.length);
  const room = available - (columns - 1) * GAP;
  const weights = children.map(weight);
  const total = weights.slice(0, columns).reduce((sum, value) => sum + value, 0);
  children.forEach((child, index) => share(child, (room * weights[index]) / total, outer, plots));
}

/** How much of a row a plot asks for: its declared width, relative to the others'. */
function weight(node) {
  const inner = node.vconcat ?? node.hconcat ?? node.concat;
  if (inner) return node.vconcat ? Math.max(...inner.map(weight)) : inner.map(weight).reduce((a, b) => a + b, 0);
  return typeof node.width === "number" ? node.width : 300;
}
