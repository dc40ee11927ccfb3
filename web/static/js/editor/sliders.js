// Sliders: they stick to 0, a double tap on the name sets them to 0, and keys move them by 1 or by 10.

import { make, number } from "../dom.js";

const STICKS = 3;
let last = 0;

export const signed = (value) => (value > 0 ? `+${number.format(value)}` : number.format(value).replace("-", "−"));

/** `moved(value)` is called while it moves, `rested()` afterwards. */
export function slider({ name, low = -100, high = 100, step = 1, zero = 0, unit = "", moved, rested }) {
  const id = `slider-${++last}`;
  const label = make("label", { for: id }, name);
  const output = make("span", { class: "e-value", "aria-hidden": "true" }); // the slider itself says it
  const input = make("input", { type: "range", id, min: low, max: high, step });
  const element = make("div", { class: "e-slider" }, label, output, input);
  const isSigned = low < 0;
  let isHeld = false;

  function set(value) {
    input.value = value;
    const text = (isSigned ? signed(value) : number.format(value)) + unit;
    output.textContent = text;
    input.setAttribute("aria-valuetext", text);
    const part = (amount) => (100 * (amount - low)) / (high - low);
    element.style.setProperty("--from", `${Math.min(part(value), part(isSigned ? 0 : low))}%`);
    element.style.setProperty("--to", `${Math.max(part(value), part(isSigned ? 0 : low))}%`);
    element.classList.toggle("set", value !== zero);
    element.classList.toggle("signed", isSigned);
  }

  function go(value, isDone) {
    const inside = Number(Math.min(high, Math.max(low, value)).toFixed(1)) + 0;
    set(inside);
    moved(inside);
    if (isDone) rested();
  }

  input.addEventListener("pointerdown", () => (isHeld = true));
  for (const end of ["pointerup", "pointercancel", "lostpointercapture"]) input.addEventListener(end, () => (isHeld = false));
  input.addEventListener("input", () => {
    const value = Number(input.value);
    const near = (STICKS * (high - low)) / 200;
    go(isHeld && Math.abs(value - zero) <= near ? zero : value);
  });
  input.addEventListener("change", () => rested());
  input.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const by = { ArrowRight: 1, ArrowUp: 1, ArrowLeft: -1, ArrowDown: -1, PageUp: 10, PageDown: -10 }[event.key];
    if (!by) return;
    event.preventDefault();
    const many = event.shiftKey && Math.abs(by) === 1 ? 10 : 1;
    go(Number(input.value) + by * many * step, true);
  });
  label.addEventListener("dblclick", () => go(zero, true));
  set(zero);
  return { element, input, set };
}
