/** Vega: loading it once, and the little that the player asks of it. */

let loading;

/**
 * Loads the bundle from the app's static folder, once for all charts.
 * @param {string} file its name; it stands beside the page, also under a base path
 * @returns {Promise<void>} rejected when the server cannot be reached; the next call tries again
 */
export function loadVega(file) {
  loading ??= new Promise((resolve, reject) => {
    const script = document.createElement("script");
    script.src = new URL(`app/static/${file}`, document.baseURI).href;
    script.onload = resolve;
    script.onerror = () => {
      loading = undefined;
      script.remove();
      reject(new Error("offline"));
    };
    document.head.append(script);
  });
  return loading;
}

/** Turns one encoded data source (see `encoded` in player.py) into the rows that Vega takes. */
export function decodeRows({ rows, columns }) {
  const decoded = Object.entries(columns).map(([name, column]) => [name, decodeColumn(column)]);
  return Array.from({ length: rows }, (_, row) => {
    const record = {};
    for (const [name, column] of decoded) record[name] = column[row];
    return record;
  });
}

function decodeColumn(column) {
  if (Array.isArray(column)) return column;
  const bytes = Uint8Array.from(atob(column), (character) => character.charCodeAt(0));
  return new Float64Array(bytes.buffer);
}
