// How large the photo in the editor is shown: by buttons, keys, the wheel, two taps and two fingers. Where it is larger than
// its place, it is dragged, or moved with the arrow keys.

import { locale, make } from "../dom.js";
import { key } from "./bars.js";

const STEP = 1.5;
const SLIP = 6; // pixels that a finger may move before it drags
const ARROW = 60;
const OWN = "button, .e-crop"; // what has gestures of its own

const percent = new Intl.NumberFormat(locale, { style: "percent" });

/** `allowed()` says whether the photo may be zoomed now; `held()` whether a finger on it shows the photo as it was. */
export function zoom(texts, preview, { allowed, held }) {
  const { stage } = preview;
  const level = make("button", { type: "button", class: "e-level" });
  const smaller = key("less", texts.smaller, () => by(1 / STEP), "e-step");
  const larger = key("new", texts.larger, () => by(STEP), "e-step");
  const element = make("div", { class: "e-zoom" }, smaller, level, larger);
  level.addEventListener("click", () => toggle());
  const pointers = new Map();
  let last = null;
  let isDragged = false;

  function show() {
    const { scale } = preview.view;
    const isFit = scale <= 1.001;
    level.textContent = isFit ? texts.fit : percent.format(scale * preview.real * preview.fineness);
    level.title = isFit ? texts.larger : texts.fitHint;
    for (const one of [smaller, level, larger]) one.disabled = !allowed();
    smaller.disabled ||= isFit;
    larger.disabled ||= scale >= most() - 0.001;
    stage.classList.toggle("is-zoomed", !isFit);
    if (isFit) stage.removeAttribute("tabindex");
    else stage.tabIndex = 0;
  }

  const most = () => Math.max(4, 2 / preview.real);

  /** Zooms about a point of the screen, the middle if none is given. */
  function to(scale, x, y) {
    if (!allowed()) return;
    const { view } = preview;
    const box = preview.box.getBoundingClientRect();
    const [middleX, middleY] = [box.left + box.width / 2 - view.x, box.top + box.height / 2 - view.y];
    const next = Math.min(most(), Math.max(1, scale));
    const ratio = next / view.scale;
    const about = (point, middle, at) => (point === undefined ? at * ratio : point - middle - (point - middle - at) * ratio);
    preview.place({ scale: next, x: about(x, middleX, view.x), y: about(y, middleY, view.y) });
    show();
  }

  const by = (factor, x, y) => to(preview.view.scale * factor, x, y);
  const fit = () => to(1);
  const toggle = (x, y) => to(preview.view.scale > 1.001 ? 1 : Math.max(2, 1 / preview.real), x, y);

  function pan(x, y) {
    const { view } = preview;
    preview.place({ ...view, x: view.x + x, y: view.y + y });
  }

  const middle = () => {
    const all = [...pointers.values()];
    const [a, b] = [all[0], all[1] ?? all[0]];
    return { x: (a.x + b.x) / 2, y: (a.y + b.y) / 2, spread: Math.hypot(a.x - b.x, a.y - b.y) };
  };

  stage.addEventListener("pointerdown", (event) => {
    if (event.button || !allowed() || event.target.closest(OWN)) return;
    pointers.set(event.pointerId, { x: event.clientX, y: event.clientY });
    last = middle();
    isDragged = pointers.size > 1;
  });
  addEventListener("pointermove", (event) => {
    if (!pointers.has(event.pointerId) || held()) return;
    pointers.set(event.pointerId, { x: event.clientX, y: event.clientY });
    const now = middle();
    isDragged ||= Math.hypot(now.x - last.x, now.y - last.y) > SLIP;
    if (!isDragged) return;
    if (pointers.size > 1 && last.spread) by(now.spread / last.spread, now.x, now.y);
    pan(now.x - last.x, now.y - last.y);
    last = now;
  });
  for (const end of ["pointerup", "pointercancel"]) {
    addEventListener(end, (event) => {
      if (pointers.delete(event.pointerId) && pointers.size) last = middle();
    });
  }
  stage.addEventListener("dblclick", (event) => !event.target.closest(OWN) && toggle(event.clientX, event.clientY));
  stage.addEventListener(
    "wheel",
    (event) => {
      event.preventDefault();
      const lines = event.deltaMode === 1 ? 16 : 1;
      by(Math.exp(-event.deltaY * lines * (event.ctrlKey ? 0.01 : 0.002)), event.clientX, event.clientY);
    },
    { passive: false },
  );
  stage.addEventListener("keydown", (event) => {
    const way = { ArrowLeft: [1, 0], ArrowRight: [-1, 0], ArrowUp: [0, 1], ArrowDown: [0, -1] }[event.key];
    if (!way || event.target !== stage) return;
    event.preventDefault();
    pan(ARROW * way[0], ARROW * way[1]);
  });

  return { element, show, fit, keys: { "+": () => by(STEP), "=": () => by(STEP), "-": () => by(1 / STEP), 0: fit } };
}
