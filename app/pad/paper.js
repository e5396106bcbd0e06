/** The surface that is drawn on: a canvas that shows strokes in the theme's colours, on any density of pixels. */

const TILE = 28; // px; the examples stand side by side in one picture, each of this size
const SPRITES = new Map(); // address -> the picture, or the promise of it

export class Paper {
  /** @param {HTMLCanvasElement} canvas */
  constructor(canvas) {
    this.canvas = canvas;
  }

  /** Where a pointer is, in units of the pad. */
  place(event, side) {
    const { left, top, width, height } = this.canvas.getBoundingClientRect();
    return [(side * (event.clientX - left)) / width, (side * (event.clientY - top)) / height];
  }

  /**
   * Draws everything anew.
   * @param {{strokes: number[][], example: number | null}} drawing
   * @param {{side: number, pen: number, sprite: string, examples: number[]}} data
   * @param {{x: number, y: number, down: boolean} | null} cursor of the keyboard, where it is in use
   */
  draw({ strokes, example }, data, cursor) {
    const { canvas } = this;
    const size = Math.round(canvas.clientWidth * devicePixelRatio);
    if (!size) return; // hidden
    if (canvas.width !== size) canvas.width = canvas.height = size;
    const pen = canvas.getContext("2d");
    const style = getComputedStyle(canvas);
    pen.setTransform(size / data.side, 0, 0, size / data.side, 0, 0);
    pen.clearRect(0, 0, data.side, data.side);
    pen.strokeStyle = pen.fillStyle = style.color;
    if (example !== null) this.stamp(pen, example, data);
    Object.assign(pen, { lineWidth: data.pen, lineCap: "round", lineJoin: "round" });
    for (const [x, y, ...rest] of strokes) {
      pen.beginPath();
      pen.arc(x, y, data.pen / 2, 0, 2 * Math.PI); // all of it where a hand only tapped: a line without length draws nothing
      pen.fill();
      pen.beginPath();
      pen.moveTo(x, y);
      for (let index = 0; index < rest.length; index += 2) pen.lineTo(rest[index], rest[index + 1]);
      pen.stroke();
    }
    if (cursor) this.point(pen, cursor, data, style.getPropertyValue("--accent"));
  }

  /** Draws one of the examples; once it is loaded, where it is not. */
  stamp(pen, example, data) {
    const sprite = loaded(data.sprite);
    if (sprite instanceof Promise) {
      sprite.then(() => this.onload?.());
      return;
    }
    const tile = Object.assign(document.createElement("canvas"), { width: TILE, height: TILE });
    const brush = tile.getContext("2d");
    brush.drawImage(sprite, TILE * data.examples.indexOf(example), 0, TILE, TILE, 0, 0, TILE, TILE);
    brush.globalCompositeOperation = "source-in"; // the picture says where ink is, the theme which colour it has
    brush.fillStyle = pen.fillStyle;
    brush.fillRect(0, 0, TILE, TILE);
    pen.imageSmoothingEnabled = false;
    pen.drawImage(tile, 0, 0, data.side, data.side);
  }

  point(pen, { x, y, down }, data, accent) {
    Object.assign(pen, { strokeStyle: accent, lineWidth: 3 });
    pen.beginPath();
    pen.arc(x, y, data.pen / 2, 0, 2 * Math.PI);
    pen.stroke();
    if (!down) return;
    Object.assign(pen, { fillStyle: accent });
    pen.beginPath();
    pen.arc(x, y, data.pen / 4, 0, 2 * Math.PI);
    pen.fill();
  }
}

function loaded(address) {
  if (!SPRITES.has(address)) {
    const image = Object.assign(new Image(), { src: address });
    SPRITES.set(address, image.decode().then(() => SPRITES.set(address, image), () => SPRITES.delete(address)));
  }
  return SPRITES.get(address);
}
