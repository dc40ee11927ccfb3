// Enhances a newly loaded part of a page: placeholders, albums, relative times, folded captions.

import { $$, make, messages } from "./dom.js";
import { paintPlaceholder } from "./blurhash.js";
import { setUpAlbum } from "./albums.js";
import { setUpPanorama } from "./panoramas.js";
import { updateTimes } from "./times.js";

export function enhance(root) {
  for (const box of $$("[data-blurhash]", root)) paintPlaceholder(box);
  for (const element of $$(".album", root)) setUpAlbum(element);
  for (const photo of $$(".panorama", root)) setUpPanorama(photo);
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
