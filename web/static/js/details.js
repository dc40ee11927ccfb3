// The point on a photo, on the page of its details: dragged or tapped, and sent with the form's own button.

import { goOn } from "./compose/meanwhile.js";
import { $ } from "./dom.js";

const form = $(".photo-details");
const photo = $(".spot-stage input", form);
const circle = $(".point", form);
const fields = { x: $("[name=x]", form), y: $("[name=y]", form) };
const person = $("[name=person]", form);

goOn($("#meanwhile"), JSON.parse(form.dataset.uploads));

const within = (share) => Math.min(1, Math.max(0, share));

const inGrid = $(".grid-preview img", form);

/** By how many fifths of the way a square of the grid moves: see `focus_class` in web/html/helpers.py. */
const step = (position, ratio) => (ratio <= 1 ? 2 : Math.round(4 * within((position * ratio - 0.5) / (ratio - 1))));

function show() {
  const [x, y] = [fields.x.value, fields.y.value];
  circle.setAttribute("cx", `${x}%`);
  circle.setAttribute("cy", `${y}%`);
  const ratio = photo.width / photo.height;
  if (inGrid) inGrid.className = `fx${step(x / 100, ratio)} fy${step(y / 100, 1 / ratio)}`;
}

function move(event) {
  const box = photo.getBoundingClientRect();
  fields.x.value = (100 * within((event.clientX - box.left) / box.width)).toFixed(1);
  fields.y.value = (100 * within((event.clientY - box.top) / box.height)).toFixed(1);
  show();
}

if (photo) {
  form.classList.add("live");
  photo.removeAttribute("name");
  photo.addEventListener("dragstart", (event) => event.preventDefault());
  photo.addEventListener("pointerdown", (event) => {
    if (event.button) return;
    photo.setPointerCapture(event.pointerId);
    move(event);
  });
  photo.addEventListener("pointermove", (event) => {
    if (photo.hasPointerCapture(event.pointerId)) move(event);
  });
  // The photo is a button that sends the form: here it only says where.
  photo.addEventListener("click", (event) => {
    event.preventDefault();
    if (person && !person.value.trim()) person.focus();
  });
  photo.addEventListener("keydown", (event) => {
    const step = { ArrowLeft: ["x", -1], ArrowRight: ["x", 1], ArrowUp: ["y", -1], ArrowDown: ["y", 1] }[event.key];
    if (!step) return;
    event.preventDefault();
    const field = fields[step[0]];
    field.value = Math.min(100, Math.max(0, Number(field.value) + step[1] * (event.shiftKey ? 10 : 1))).toFixed(1);
    show();
  });
  for (const field of Object.values(fields)) field.addEventListener("input", show);
}
