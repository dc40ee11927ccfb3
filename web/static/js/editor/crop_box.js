// The part of the photo that is kept: dragged, by its corners, and by arrow keys; thirds are drawn in it.

import { make } from "../dom.js";
import { MIN_CROP } from "./recipe.js";

const SMALLEST = 320; // pixels of the original
const CORNERS = [
  ["topLeft", 0, 1],
  ["topRight", 2, 1],
  ["bottomLeft", 0, 3],
  ["bottomRight", 2, 3],
];
const clamp = (value, low, high) => Math.min(Math.max(value, low), Math.max(low, high));

/** Returns the largest crop of this ratio (width by height) about the middle of another. `frame` is the photo's size. */
export function largest(ratio, frame, crop) {
  const part = (ratio * frame[1]) / frame[0];
  const [width, height] = [Math.max(MIN_CROP, Math.min(1, part)), Math.max(MIN_CROP, Math.min(1, 1 / part))];
  const left = clamp((crop[0] + crop[2]) / 2 - width / 2, 0, 1 - width);
  const top = clamp((crop[1] + crop[3]) / 2 - height / 2, 0, 1 - height);
  return [left, top, left + width, top + height];
}

export function moveBy(crop, across, down) {
  const [left, top, right, bottom] = crop;
  const [x, y] = [clamp(across, -left, 1 - right), clamp(down, -top, 1 - bottom)];
  return [left + x, top + y, right + x, bottom + y];
}

/** Returns the crop with a corner (places of its x and y in a crop) moved to a point; the opposite corner stays. */
export function resize(crop, [atX, atY], x, y, ratio, frame) {
  const [smallX, smallY] = frame.map((side) => Math.min(1, Math.max(MIN_CROP, SMALLEST / side)));
  const fixedX = crop[2 - atX];
  const fixedY = crop[4 - atY];
  const isRight = atX === 2;
  const isLower = atY === 3;
  const roomX = isRight ? 1 - fixedX : fixedX;
  const roomY = isLower ? 1 - fixedY : fixedY;
  let width = clamp(isRight ? x - fixedX : fixedX - x, Math.min(smallX, roomX), roomX);
  let height = clamp(isLower ? y - fixedY : fixedY - y, Math.min(smallY, roomY), roomY);
  if (ratio) {
    const part = (ratio * frame[1]) / frame[0];
    const most = Math.min(roomX, roomY * part);
    // What was moved further counts: across, or down.
    const before = crop[2] - crop[0];
    const wanted = Math.abs(width - before) > Math.abs(height * part - before) ? width : height * part;
    width = clamp(wanted, Math.min(most, Math.max(smallX, smallY * part)), most);
    height = width / part;
  }
  const next = [...crop];
  next[atX] = isRight ? fixedX + width : fixedX - width;
  next[atY] = isLower ? fixedY + height : fixedY - height;
  return next;
}

/** `state()` returns `{crop, ratio, frame}`; `moved(crop)` is called while it is changed, `rested()` afterwards. */
export function cropBox(texts, { state, moved, rested }) {
  const middle = make("button", { type: "button", class: "e-middle", "aria-label": texts.frame });
  const frame = make("div", { class: "e-frame" }, middle);
  const box = make("div", { class: "e-crop", hidden: "" }, frame);
  const corners = CORNERS.map(([name, x, y]) => {
    const corner = make("button", { type: "button", class: `e-corner ${name}`, "aria-label": texts[name] });
    frame.append(corner);
    hold(corner, (from, across, down) => change(from, [x, y], from[x] + across, from[y] + down));
    arrows(corner, (across, down) => {
      const { crop } = state();
      change(crop, [x, y], crop[x] + across, crop[y] + down);
    });
    return corner;
  });
  hold(middle, (from, across, down) => moved(moveBy(from, across, down)));
  arrows(middle, (across, down) => moved(moveBy(state().crop, across, down)));

  function change(from, corner, x, y) {
    const { ratio, frame: size } = state();
    moved(resize(from, corner, x, y, ratio, size));
  }

  function hold(element, act) {
    let start = null;
    element.addEventListener("pointerdown", (event) => {
      if (event.button) return;
      element.setPointerCapture(event.pointerId);
      start = { x: event.clientX, y: event.clientY, crop: state().crop };
    });
    element.addEventListener("pointermove", (event) => {
      if (!start) return;
      const { width, height } = box.getBoundingClientRect();
      act(start.crop, (event.clientX - start.x) / width, (event.clientY - start.y) / height);
    });
    const end = () => {
      if (start) rested();
      start = null;
    };
    element.addEventListener("pointerup", end);
    element.addEventListener("pointercancel", end);
  }

  function arrows(element, act) {
    element.addEventListener("keydown", (event) => {
      const by = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] }[event.key];
      if (!by || event.ctrlKey || event.metaKey || event.altKey) return;
      event.preventDefault();
      const step = event.shiftKey ? 0.1 : 0.01;
      act(by[0] * step, by[1] * step);
      rested();
    });
  }

  function show() {
    const [left, top, right, bottom] = state().crop.map((part) => 100 * part);
    Object.assign(frame.style, { left: `${left}%`, top: `${top}%`, right: `${100 - right}%`, bottom: `${100 - bottom}%` });
  }
  return { box, corners, show };
}
