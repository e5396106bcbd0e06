/** The theme: Streamlit's CSS variables and the app's quantities, as Vega needs them. */

const TOKEN = /@([a-z]+)\b/g;
const FALLBACK_FONTS = '"Noto Sans SC", "PingFang SC", "Microsoft YaHei", "Noto Sans CJK SC", sans-serif';

/**
 * Marks the player as light or dark and reads the colours that hold then.
 * @param {HTMLElement} root the player's element
 */
export function readTheme(root) {
  const style = getComputedStyle(root);
  const read = (name) => style.getPropertyValue(name).trim();
  root.dataset.theme = isDark(read("--st-background-color")) ? "dark" : "light";
  const list = (name) => read(name).split(",").map((colour) => colour.trim()).filter(Boolean);
  return {
    dark: root.dataset.theme === "dark",
    background: read("--st-background-color") || "#ffffff",
    text: read("--st-text-color") || read("--q-text"),
    muted: read("--q-muted"),
    grid: read("--q-grid"),
    size: parseFloat(style.fontSize), // px; larger where the reader asked for larger text
    font: `${read("--st-font") || "sans-serif"}, ${FALLBACK_FONTS}`,
    category: list("--st-chart-categorical-colors"),
    ramp: list("--st-chart-sequential-colors"),
    diverging: list("--st-chart-diverging-colors"),
    colour: (quantity) => read(`--q-${quantity}`),
  };
}

function isDark(colour) {
  const canvas = document.createElement("canvas").getContext("2d");
  canvas.fillStyle = colour || "#ffffff"; // whatever notation it has, it reads back as #rrggbb
  const [red, green, blue] = canvas.fillStyle.match(/[0-9a-f]{2}/gi).map((hex) => parseInt(hex, 16));
  return 0.299 * red + 0.587 * green + 0.114 * blue < 128;
}

/** A copy of a spec in which each token such as "@weight" is the colour it stands for; data stays as it is. */
export function withColours(node, theme) {
  if (typeof node === "string") return node.replace(TOKEN, (token, name) => theme.colour(name) || token);
  if (Array.isArray(node)) return node.map((child) => withColours(child, theme));
  if (node === null || typeof node !== "object") return node;
  const entries = Object.entries(node).map(([key, child]) =>
    key === "datasets" || key === "values" ? [key, child] : [key, withColours(child, theme)],
  );
  return Object.fromEntries(entries);
}

/** Vega's configuration in this theme; what a spec configures itself wins. */
export function vegaConfig(theme, narrow) {
  const small = Math.round(0.8 * theme.size);
  const normal = Math.round(0.87 * theme.size);
  const guide = { labelFont: theme.font, titleFont: theme.font, labelColor: theme.text, titleColor: theme.text };
  const range = {};
  for (const name of ["category", "ramp", "diverging"]) if (theme[name].length) range[name] = theme[name];
  if (range.ramp) range.heatmap = range.ramp;
  return {
    background: theme.background,
    font: theme.font,
    view: { stroke: null },
    axis: {
      ...guide,
      labelFontSize: small,
      titleFontSize: normal,
      titleFontWeight: "normal",
      titlePadding: 8,
      gridColor: theme.grid,
      domainColor: theme.muted,
      tickColor: theme.muted,
    },
    legend: {
      ...guide,
      labelFontSize: small,
      titleFontSize: small,
      titleFontWeight: "normal",
      orient: narrow ? "bottom" : "right",
    },
    title: {
      font: theme.font,
      color: theme.text,
      subtitleFont: theme.font,
      subtitleColor: theme.muted,
      fontSize: normal,
      fontWeight: 600,
      anchor: "start",
    },
    header: guide,
    style: { "guide-label": { font: theme.font }, "guide-title": { font: theme.font } },
    mark: { color: theme.colour("weight") },
    text: { font: theme.font, color: theme.text, fontSize: small },
    rule: { color: theme.muted },
    range,
  };
}
