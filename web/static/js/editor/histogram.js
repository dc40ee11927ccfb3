// How much of the photo is dark and how much is bright. It is computed from a small copy, since to read what the graphics
// processor drew would make everything wait for it.

import { make } from "../dom.js";
import * as geometry from "./geometry.js";
import { NODES } from "./tools_table.js";

const BINS = 64;
const POINTS = 56; // along each side of the photo
const SIDE = 256; // pixels of the copy
const SVG = "http://www.w3.org/2000/svg";

/** Returns what a table makes of a colour: that of the nearest node, which is near enough for counting. */
function lookUp(table, [r, g, b]) {
  const node = (v) => Math.min(NODES - 1, Math.max(0, Math.round(v * (NODES - 1))));
  const at = ((node(b) * NODES + node(g)) * NODES + node(r)) * 3;
  const move = [r, g, b].map((v) => v - node(v) / (NODES - 1));
  return [0, 1, 2].map((n) => table[at + n] + move[n]);
}

function copyOf(image) {
  const scale = Math.min(1, SIDE / Math.max(image.naturalWidth, image.naturalHeight));
  const [width, height] = [image.naturalWidth, image.naturalHeight].map((side) => Math.max(1, Math.round(side * scale)));
  const context = make("canvas", { width, height }).getContext("2d", { willReadFrequently: true });
  context.drawImage(image, 0, 0, width, height);
  return context.getImageData(0, 0, width, height);
}

export function histogram(label) {
  const svg = document.createElementNS(SVG, "svg");
  const attributes = { class: "e-histogram", viewBox: `0 0 ${BINS} 56`, preserveAspectRatio: "none", role: "img", "aria-label": label };
  for (const [name, value] of Object.entries(attributes)) svg.setAttribute(name, value);
  const path = document.createElementNS(SVG, "path");
  svg.append(path);
  let copy;

  function brightness(map, colours, x, y) {
    const [u, v, depth] = map.map((row) => row[0] * (x + 0.5) + row[1] * (y + 0.5) + row[2]);
    const { width, height, data } = copy.pixels;
    const inside = (place, side) => Math.min(side - 1, Math.max(0, Math.floor(place)));
    const at = (inside(v / depth, height) * width + inside(u / depth, width)) * 4;
    let colour = [data[at] / 255, data[at + 1] / 255, data[at + 2] / 255];
    if (colours.first) colour = lookUp(colours.first, colour);
    if (colours.second) {
      const looked = lookUp(colours.second, colour);
      colour = colour.map((value, n) => value + colours.strength * (looked[n] - value));
    }
    return 0.2126 * colour[0] + 0.7152 * colour[1] + 0.0722 * colour[2];
  }

  /** Shows a photo as a recipe makes it, with the colours that it is drawn with. */
  function show(image, recipe, colours) {
    if (!svg.getClientRects().length) return;
    if (copy?.image !== image) copy = { image, pixels: copyOf(image) };
    const { width, height } = copy.pixels;
    const map = geometry.map(recipe, [width, height], [POINTS, POINTS]);
    const counts = new Array(BINS).fill(0);
    for (let y = 0; y < POINTS; y++) {
      for (let x = 0; x < POINTS; x++) {
        const bin = Math.floor(brightness(map, colours, x, y) * BINS);
        counts[Math.min(BINS - 1, Math.max(0, bin))] += 1;
      }
    }
    const most = Math.max(...counts.slice(1, -1), 1);
    const heights = counts.map((count) => 56 - 54 * Math.min(1, count / most));
    path.setAttribute("d", `M0 56${heights.map((y, n) => `L${n + 0.5} ${y.toFixed(1)}`).join("")}L${BINS} 56z`);
  }
  return { element: svg, show };
}
