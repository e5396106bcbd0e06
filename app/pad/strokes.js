/** Strokes: each a flat list x, y, x, y … of whole numbers on the pad's grid. */

const GRID = 2; // units between two places that a point can have; so a coordinate fits a byte
const TOLERANCE = 1; // units that a stroke may move when points are left out of it
const LONGEST_LINK = 1500; // characters; a drawing that needs more is left out of the shared link

/** The nearest coordinate on the grid and on the pad. */
export function onGrid(value, side) {
  return Math.min(side, Math.max(0, GRID * Math.round(value / GRID)));
}

/** How many points some strokes have together. */
export function pointCount(strokes) {
  return strokes.reduce((sum, stroke) => sum + stroke.length / 2, 0);
}

/** The same stroke without the points that hardly matter (the method of Douglas and Peucker). */
export function simplified(stroke) {
  const kept = [stroke[0], stroke[1]];
  const open = stroke.length > 2 ? [[0, stroke.length / 2 - 1]] : [];
  while (open.length) {
    const [first, last] = open.pop();
    const [index, distance] = farthest(stroke, first, last);
    if (distance > TOLERANCE) open.push([index, last], [first, index]);
    else kept.push(stroke[2 * last], stroke[2 * last + 1]);
  }
  return kept;
}

/** The point between two others that is farthest from the line through them, and how far. */
function farthest(stroke, first, last) {
  const [x, y] = stroke.slice(2 * first, 2 * first + 2);
  const [dx, dy] = [stroke[2 * last] - x, stroke[2 * last + 1] - y];
  const length = Math.hypot(dx, dy);
  let [index, most] = [first, 0];
  for (let between = first + 1; between < last; between++) {
    const [px, py] = [stroke[2 * between] - x, stroke[2 * between + 1] - y];
    const distance = length ? Math.abs(px * dy - py * dx) / length : Math.hypot(px, py);
    if (distance > most) [index, most] = [between, distance];
  }
  return [index, most];
}

/** A drawing in the letters of a link: its example, a point, two bytes per stroke and two per point; undefined where
 * there is nothing to write, or too much. */
export function written({ strokes, example }) {
  if (!strokes.length && example === null) return undefined;
  const bytes = strokes.flatMap((stroke) => {
    const count = stroke.length / 2;
    return [count & 255, count >> 8, ...stroke.map((value) => value / GRID)];
  });
  const text = `${example ?? ""}.${btoa(String.fromCharCode(...bytes)).replace(/[+/=]/g, (c) => ({ "+": "-", "/": "_" })[c] ?? "")}`;
  return text.length > LONGEST_LINK ? undefined : text;
}

/** The drawing that a link holds; undefined where it holds none. */
export function read(text, { side, examples, most }) {
  const [, number, letters] = /^(\d*)\.([\w-]*)$/.exec(text ?? "") ?? [];
  if (letters === undefined) return undefined;
  const example = number === "" ? null : Number(number);
  if (example !== null && !examples.includes(example)) return undefined;
  try {
    const bytes = [...atob(letters.replace(/-/g, "+").replace(/_/g, "/"))].map((letter) => letter.charCodeAt(0));
    const strokes = [];
    for (let at = 0; at < bytes.length; ) {
      const end = at + 2 + 2 * (bytes[at] + 256 * bytes[at + 1]);
      if (!(end <= bytes.length) || end === at + 2) return undefined; // NaN, too, where a byte is missing
      strokes.push(bytes.slice(at + 2, end).map((value) => onGrid(GRID * value, side)));
      at = end;
    }
    const fits = strokes.length <= most.strokes && pointCount(strokes) <= most.points;
    return fits ? { strokes, example } : undefined;
  } catch {
    return undefined; // letters that are no bytes
  }
}
