// Enhances a newly loaded part of a page: placeholders, albums, relative times, folded captions.

import { $$, make, messages } from "./dom.js";
import { paintPlaceholder } from "./blurhash.js";
import { setUpAlbum } from "./albums.js";

export function enhance(root) {
  for (const box of $$("[data-blurhash]", root)) paintPlaceholder(box);
  for (const element of $$(".album", root)) setUpAlbum(element);
  for (const image of $$(".photo img, .cell img", root)) markIfLost(image);
  for (const text of $$(".post .post-text", root)) collapseCaption(text);
  updateTimes(root);
}

// A photo that cannot be loaded shows a message over a paler placeholder.
function markIfLost(image) {
  const lost = () => image.closest(".photo, .cell").classList.add("lost");
  if (image.complete && image.currentSrc && !image.naturalWidth) lost();
  else image.addEventListener("error", lost, { once: true });
}

function collapseCaption(text) {
  if (text.closest(".alone")) return;
  const caption = text.querySelector(".caption");
  if (!caption || caption.textContent.length < 280) return;
  text.classList.add("folded");
  const more = make("button", { type: "button", class: "more" }, messages.more);
  more.addEventListener("click", () => {
    text.classList.remove("folded");
    more.remove();
  });
  caption.after(more);
}

const units = [["year", 31557600], ["month", 2629800], ["week", 604800], ["day", 86400], ["hour", 3600], ["minute", 60]];
const lang = document.documentElement.lang;
const spoken = new Intl.RelativeTimeFormat(lang, { style: "narrow", numeric: "auto" });
const exact = new Intl.DateTimeFormat(lang, { dateStyle: "medium", timeStyle: "short" });

export function updateTimes(root = document) {
  for (const time of $$("time[datetime]", root)) {
    const at = new Date(time.dateTime);
    if (!time.title) time.title = exact.format(at);
    if (!("ago" in time.dataset)) continue;
    const seconds = (Date.now() - at) / 1000;
    const unit = units.find(([, size]) => seconds >= size);
    time.textContent = unit ? spoken.format(-Math.floor(seconds / unit[1]), unit[0]) : messages.now;
  }
}
setInterval(updateTimes, 60000);
