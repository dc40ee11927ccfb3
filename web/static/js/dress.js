// What a freshly arrived piece of a page gets: placeholders, albums, relative times, folded captions.

import { $$, make, words } from "./dom.js";
import { paint } from "./blur.js";
import { album } from "./album.js";

export function dress(root) {
  for (const box of $$("[data-blurhash]", root)) paint(box);
  for (const element of $$(".album", root)) album(element);
  for (const image of $$(".photo img, .cell img", root)) miss(image);
  for (const said of $$(".post .said", root)) fold(said);
  times(root);
}

// What cannot be had is said in words, over a paler placeholder.
function miss(image) {
  const lost = () => image.closest(".photo, .cell").classList.add("lost");
  if (image.complete && image.currentSrc && !image.naturalWidth) lost();
  else image.addEventListener("error", lost, { once: true });
}

function fold(said) {
  if (said.closest(".alone")) return;
  const caption = said.querySelector(".caption");
  if (!caption || caption.textContent.length < 280) return;
  said.classList.add("folded");
  const more = make("button", { type: "button", class: "more" }, words.more);
  more.addEventListener("click", () => {
    said.classList.remove("folded");
    more.remove();
  });
  caption.after(more);
}

const units = [["year", 31557600], ["month", 2629800], ["week", 604800], ["day", 86400], ["hour", 3600], ["minute", 60]];
const lang = document.documentElement.lang;
const spoken = new Intl.RelativeTimeFormat(lang, { style: "narrow", numeric: "auto" });
const exact = new Intl.DateTimeFormat(lang, { dateStyle: "medium", timeStyle: "short" });

export function times(root = document) {
  for (const time of $$("time[datetime]", root)) {
    const at = new Date(time.dateTime);
    if (!time.title) time.title = exact.format(at);
    if (!("ago" in time.dataset)) continue;
    const seconds = (Date.now() - at) / 1000;
    const unit = units.find(([, size]) => seconds >= size);
    time.textContent = unit ? spoken.format(-Math.floor(seconds / unit[1]), unit[0]) : words.now;
  }
}
setInterval(times, 60000);
