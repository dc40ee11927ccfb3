// Before and after: the photo as it was while one holds it or the key, or both with a divider between them.

import { icon, make } from "../dom.js";

const HOLD = 150; // milliseconds
const STEP = 0.02;
const SLIP = 6; // pixels that a finger which rests may move

/** `allowed()` says whether holding the photo means anything now. */
export function compare(texts, preview, allowed) {
  const key = make("button", { type: "button", class: "e-key e-compare", "aria-label": texts.compare, "aria-pressed": "false" }, icon("compare"));
  const knob = make("button", {
    type: "button",
    class: "e-knob",
    role: "slider",
    "aria-label": texts.divider,
    "aria-valuemin": "0",
    "aria-valuemax": "100",
  }, icon("compare"));
  const tags = ["before", "after"].map((name) => make("span", { class: `e-tag ${name}`, "aria-hidden": "true" }, texts[name]));
  const divider = make("div", { class: "e-divider", hidden: "" }, knob, ...tags);
  preview.box.append(divider);
  let at = 0.5;
  let isDivided = false;
  let isHeld = false;

  function show() {
    divider.hidden = !isDivided || isHeld;
    divider.style.setProperty("--at", `${100 * at}%`);
    knob.setAttribute("aria-valuenow", Math.round(100 * at));
    key.setAttribute("aria-pressed", String(isDivided));
    preview.box.classList.toggle("was", isHeld);
    preview.compare(isHeld ? 1 : isDivided ? at : 0);
  }

  function divide(wanted) {
    isDivided = wanted;
    show();
  }

  function hold(wanted) {
    if (isHeld === wanted) return;
    isHeld = wanted;
    show();
  }

  /** Held longer than a tap: the photo as it was. Returns whether a tap came of it. */
  function watch(element, tapped) {
    let timer;
    let wasHeld = false;
    let from;
    const isMoved = (event) => Math.hypot(event.clientX - from.clientX, event.clientY - from.clientY) > SLIP;
    element.addEventListener("pointermove", (event) => from && isMoved(event) && clearTimeout(timer));
    element.addEventListener("pointerdown", (event) => {
      if (event.button || !allowed() || event.target.closest(".e-divider button")) return;
      clearTimeout(timer);
      if (!event.isPrimary) return hold(false); // two fingers zoom
      from = event;
      wasHeld = false;
      timer = setTimeout(() => {
        wasHeld = true;
        hold(true);
      }, HOLD);
    });
    for (const end of ["pointerup", "pointercancel", "pointerleave"]) {
      element.addEventListener(end, () => {
        clearTimeout(timer);
        hold(false);
      });
    }
    element.addEventListener("contextmenu", (event) => event.preventDefault());
    if (tapped) element.addEventListener("click", () => wasHeld || tapped());
    element.addEventListener("keydown", () => (wasHeld = false));
  }
  watch(key, () => divide(!isDivided));
  watch(preview.box);

  function put(value) {
    at = Math.min(1, Math.max(0, value));
    show();
  }
  knob.addEventListener("pointerdown", (event) => knob.setPointerCapture(event.pointerId));
  knob.addEventListener("pointermove", (event) => {
    if (!knob.hasPointerCapture(event.pointerId)) return;
    const box = preview.box.getBoundingClientRect();
    put((event.clientX - box.left) / box.width);
  });
  knob.addEventListener("keydown", (event) => {
    const by = { ArrowLeft: -STEP, ArrowDown: -STEP, ArrowRight: STEP, ArrowUp: STEP }[event.key];
    if (by === undefined) return;
    event.preventDefault();
    put(at + by);
  });
  show();
  return { key, hold, isHeld: () => isHeld, end: () => divide(false) };
}
