// The strip of thumbnails: chosen by a tap, put in order by dragging or Alt and an arrow key, removed by Delete.

import { $, $$, make } from "../dom.js";
import { failed, fill, form, list, onChange, rows, texts } from "./form.js";
import { choose, chosen, move, moved, remove, uploads } from "./photos.js";
import { setUpDrag } from "./drag.js";

const strip = $(".strip", form);
const another = $(".another", strip);
const template = $("#thumbnail-template").content.firstElementChild;
for (const old of $$(".thumbnail", strip)) old.remove();

function thumbnail(row) {
  if (row.thumbnail) return row.thumbnail;
  const item = (row.thumbnail = template.cloneNode(true));
  item.row = row;
  $("button", item).addEventListener("click", () => choose(row));
  return item;
}

function showThumb(item, src) {
  const image = $("img", item);
  if (image?.getAttribute("src") === (src ?? null)) return;
  image?.remove();
  if (!src) return;
  const next = make("img", { src, alt: "", width: 64, height: 64, draggable: "false" });
  next.addEventListener("error", () => next.remove(), { once: true });
  $("button", item).prepend(next);
}

/** The strip as the rows of the form are. What is focused stays so. */
function update() {
  const all = rows();
  const focused = document.activeElement;
  const shown = chosen();
  form.classList.toggle("has-photos", all.length > 0);
  for (const old of $$(".thumbnail", strip)) if (!all.includes(old.row)) old.remove();
  all.forEach((row, n) => {
    const item = thumbnail(row);
    const place = strip.children[n];
    if (place !== item) strip.insertBefore(item, place ?? another);
    const state = "failed" in row.dataset ? "failed" : row.dataset.waiting ? "waiting" : "";
    const isDescribed = Boolean($("textarea", row)?.value.trim());
    const names = { n: n + 1, total: all.length };
    item.className = `thumbnail ${state} ${isDescribed ? "described" : ""}`;
    showThumb(item, row.dataset.thumb);
    const button = $("button", item);
    button.setAttribute("aria-pressed", String(row === shown));
    button.tabIndex = row === shown || (!shown && n === 0) ? 0 : -1;
    $(".name", item).textContent = fill(texts.thumb, names);
    $(".face", item).textContent = isDescribed ? "ALT" : "+ ALT";
    $(".state", item).textContent = { failed: texts.thumbFailed, waiting: texts.uploading }[state] ?? (isDescribed ? texts.described : texts.undescribed);
    $(".ring .done", item).setAttribute("stroke-dasharray", `${Math.round(100 * (row.share ?? 0))} 100`);
    $(".place", row).textContent = fill(texts.place, names);
    const large = $(".large > img", row);
    if (large) large.alt = $("textarea", row)?.value.trim() || fill(texts.thumb, names);
    const label = $("label", row);
    if (label) label.textContent = fill(texts.describe, names);
    for (const [name, isLast] of [["earlier", n === 0], ["later", n === all.length - 1]]) {
      const tool = $(`[data-do=${name}]`, row);
      if (tool) tool.disabled = isLast;
    }
  });
  if (strip.contains(focused) && document.activeElement !== focused) focused.focus({ preventScroll: true });
}
onChange(update);
uploads.progress = (row) => row.thumbnail && $(".ring .done", row.thumbnail).setAttribute("stroke-dasharray", `${Math.round(100 * row.share)} 100`);

/** Chooses a photo, and brings its thumbnail into view. */
export function show(row) {
  choose(row);
  row.thumbnail.scrollIntoView({ block: "nearest", inline: "nearest" });
}

function focusOn(row) {
  show(row);
  $("button", row.thumbnail).focus({ preventScroll: true });
}

strip.addEventListener("keydown", (event) => {
  const row = event.target.closest(".thumbnail")?.row;
  if (!row || event.ctrlKey || event.metaKey || event.shiftKey) return;
  const all = rows();
  const forward = getComputedStyle(strip).direction === "rtl" ? "ArrowLeft" : "ArrowRight";
  const isArrow = event.key === "ArrowLeft" || event.key === "ArrowRight";
  const step = event.key === forward ? 1 : -1;
  if (event.altKey && isArrow) {
    move(row, step);
    focusOn(row);
  } else if (event.altKey) return;
  else if (isArrow) focusOn(all[Math.min(all.length - 1, Math.max(0, all.indexOf(row) + step))]);
  else if (event.key === "Home" || event.key === "End") focusOn(all.at(event.key === "Home" ? 0 : -1));
  else if (event.key === "Delete" || event.key === "Backspace") {
    remove(row);
    if (chosen()) focusOn(chosen());
    else $(".drop input", form).focus();
  } else return;
  event.preventDefault();
});

setUpDrag(strip, ".thumbnail", (item) => {
  const order = $$(".thumbnail", strip).map((one) => one.row);
  if (order.some((row, n) => list.children[n] !== row)) {
    list.append(...order);
    choose(item.row);
    moved(item.row);
  }
});

/** Shows the first photo that is not there. */
export const showFailed = () => focusOn(failed()[0]);
