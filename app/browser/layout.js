/** Layout: charts as wide as their column, side by side where there is room, stacked where there is not. */

const NARROW = 560; // px; below it legends go under the plot
const COLUMN = 340; // px; the least that a plot in a row needs
const GAP = 20; // px; Vega-Lite's space between plots
const LEAST = 80; // px; no plot is narrower
const GROWTH = [[1900, 1.5], [1400, 1.25], [0, 1]]; // from this width on, plots are so many times as high as declared

const CONCATS = ["hconcat", "vconcat", "concat"];

/** Prepares a spec for a column of `available` px: stacks rows that are too tight, names each plot, sets heights. */
export function arrange(spec, available, height) {
  return named(stacked(spec, available), "plot", (node) => growth(available) * (height ?? node.height));
}

/** What `arrange` decides at this width; a change of it needs a new embedding. */
export function shape(spec, available) {
  return `${isNarrow(available) ? "narrow" : "wide"} ${growth(available)} ${outline(stacked(spec, available))}`;
}

function growth(available) {
  return GROWTH.find(([from]) => available >= from)[1];
}

/** A copy of a spec in which the plots of a row stand under each other where they would be too narrow. */
function stacked(node, available) {
  const kind = kindOf(node);
  if (!kind) return node;
  const columns = columnsOf(node);
  const tight = columns > 1 && available < COLUMN * columns;
  const children = node[kind].map((child) => stacked(child, tight ? available : available / columns));
  if (!tight) return { ...node, [kind]: children };
  const { [kind]: _, ...rest } = node;
  return { ...rest, vconcat: children };
}

function kindOf(node) {
  return CONCATS.find((concat) => node[concat]);
}

function columnsOf(node) {
  if (node.hconcat) return node.hconcat.length;
  return node.concat ? (node.columns ?? node.concat.length) : 1;
}

function outline(node) {
  const kind = kindOf(node);
  return kind ? `${kind}(${node[kind].map(outline)})` : "plot";
}

export function isNarrow(available) {
  return available < NARROW;
}

function named(node, name, heightOf) {
  const copy = { ...node, name: node.name ?? name };
  const kind = kindOf(copy);
  const height = heightOf(node);
  if (kind) copy[kind] = copy[kind].map((child, index) => named(child, `${copy.name}_${index}`, heightOf));
  else if (Number.isFinite(height)) copy.height = height; // and not a step per category, or Vega-Lite's own
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
    const kind = kindOf(node);
    if (kind) return { ...node, [kind]: node[kind].map(place) };
    return widths.has(node) ? { ...node, width: widths.get(node) } : node;
  };
  return place(spec);
}

function share(node, available, outer, plots) {
  const own = [`${node.name}_childWidth`, `${node.name}_width`, ...outer]; // of a row, of a column
  const width = Math.max(LEAST, Math.floor(available));
  if (node.vconcat) for (const row of node.vconcat) share(row, available, own, plots);
  else if (node.hconcat || node.concat) shareRow(node, available, own, plots);
  else if (!hasOwnWidth(node)) plots.push({ node, names: [`${node.name}_width`, ...outer], width });
}

function shareRow(node, available, outer, plots) {
  const children = node.hconcat ?? node.concat;
  const columns = columnsOf(node);
  const room = available - (columns - 1) * GAP;
  const weights = children.map(weight);
  const total = weights.slice(0, columns).reduce((sum, value) => sum + value, 0);
  children.forEach((child, index) => share(child, (room * weights[index]) / total, outer, plots));
}

/** Whether a plot's width follows from its content: a step per category, or a plot per facet. */
function hasOwnWidth({ width, encoding = {}, facet, repeat }) {
  return typeof width === "object" || [encoding.facet, encoding.column, facet, repeat].some(Boolean);
}

/** How much of a row a plot asks for: its declared width, relative to the others'. */
function weight(node) {
  const inner = node.vconcat ?? node.hconcat ?? node.concat;
  if (inner) return node.vconcat ? Math.max(...inner.map(weight)) : inner.map(weight).reduce((a, b) => a + b, 0);
  return typeof node.width === "number" ? node.width : 300;
}
