// The shape of an edited picture, by the formulas of `media/editing/geometry.py`: one map from a point of the result to
// a point of the upright picture, in pixels from the top left corner.

const STRENGTH = 0.35; // of the perspective at its limit
// From a point of the result to one of the source, both from the middle: x = a·x + b·y, y = c·x + d·y.
const CLOCKWISE = { 0: [1, 0, 0, 1], 90: [0, 1, -1, 0], 180: [-1, 0, 0, -1], 270: [0, -1, 1, 0] };

const multiply = (left, right) =>
  [0, 1, 2].map((row) => [0, 1, 2].map((column) => [0, 1, 2].reduce((sum, n) => sum + left[row][n] * right[n][column], 0)));

function signs({ turn, flip }) {
  const [a, b, c, d] = CLOCKWISE[turn];
  return flip ? [-a, b, -c, d] : [a, b, c, d];
}

export const isWarped = ({ straighten, vertical, horizontal }) => Boolean(straighten || vertical || horizontal);

/** Returns the size of the picture once it is turned. */
export const frameSize = (recipe, [width, height]) => (recipe.turn % 180 ? [height, width] : [width, height]);

// As Python rounds: halves to the even number.
function round(value) {
  const low = Math.floor(value);
  const part = value - low;
  if (part === 0.5) return low + (low % 2);
  return part < 0.5 ? low : low + 1;
}

/** Returns the crop in whole pixels: left, top, right, bottom. */
export function box(recipe, size) {
  const [width, height] = frameSize(recipe, size);
  const [left, top, right, bottom] = recipe.crop;
  const x = Math.min(width - 1, round(left * width));
  const y = Math.min(height - 1, round(top * height));
  return [x, y, Math.max(x + 1, round(right * width)), Math.max(y + 1, round(bottom * height))];
}

export function croppedSize(recipe, size) {
  const [left, top, right, bottom] = box(recipe, size);
  return [right - left, bottom - top];
}

function correction(width, height, { straighten, vertical, horizontal }) {
  const aspect = width / height;
  const [kx, ky] = [(STRENGTH * horizontal) / 100 / aspect, (STRENGTH * vertical) / 100];
  const angle = (straighten * Math.PI) / 180;
  const [cos, sin] = [Math.cos(angle), Math.sin(angle)];
  let zoom = 1;
  for (const [u, v] of [[-aspect, -1], [aspect, -1], [-aspect, 1], [aspect, 1]]) {
    const depth = kx * u + ky * v;
    for (const [reached, limit] of [[Math.abs(u * cos + v * sin), aspect], [Math.abs(v * cos - u * sin), 1]]) {
      if (reached - limit * depth > 0) zoom = Math.min(zoom, limit / (reached - limit * depth));
    }
  }
  const toMiddle = [
    [(2 * zoom * aspect) / width, 0, -zoom * aspect],
    [0, (2 * zoom) / height, -zoom],
    [0, 0, 1],
  ];
  const correct = [
    [cos, sin, 0],
    [-sin, cos, 0],
    [kx, ky, 1],
  ];
  const toPixels = [
    [width / 2 / aspect, 0, width / 2],
    [0, height / 2, height / 2],
    [0, 0, 1],
  ];
  return multiply(toPixels, multiply(correct, toMiddle));
}

/** Returns the map from points of a result of the size `out` to points of the upright picture of the size `size`. */
export function map(recipe, size, out) {
  const [width, height] = frameSize(recipe, size);
  const [left, top, right, bottom] = box(recipe, size);
  const [a, b, c, d] = signs(recipe);
  const place = [
    [(right - left) / out[0], 0, left],
    [0, (bottom - top) / out[1], top],
    [0, 0, 1],
  ];
  const back = [
    [a, b, (size[0] - a * width - b * height) / 2],
    [c, d, (size[1] - c * width - d * height) / 2],
    [0, 0, 1],
  ];
  const found = isWarped(recipe) ? multiply(correction(width, height, recipe), place) : place;
  return multiply(back, found);
}
