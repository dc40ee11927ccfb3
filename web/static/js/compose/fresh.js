// After Back, a photo may look otherwise than when its page was left: the pictures are those of the server, and an edit that
// was begun and left is named.

import { $, $$, make } from "../dom.js";
import { changed, form, isNew, rows, texts } from "./form.js";
import { choose, showPictures } from "./photos.js";
import { draftId } from "./server_draft.js";

async function loadForm() {
  const path = isNew ? `/compose?draft=${draftId()}` : form.getAttribute("action");
  if (isNew && !draftId()) return null;
  const answer = await fetch(path, { headers: { Accept: "text/html" } }).catch(() => null);
  return answer?.ok && !answer.redirected ? new DOMParser().parseFromString(await answer.text(), "text/html") : null;
}

/** Shows the photos, and what was set for them, as the server has them now. */
export async function refreshPhotos() {
  const page = await loadForm();
  for (const row of page ? rows() : []) {
    const now = row.dataset.photo && $(`.upload[data-photo="${row.dataset.photo}"]`, page);
    if (!now) continue;
    $(".photo-marks", row)?.remove();
    $(".photo-tools", row).before(...$$(".photo-marks", now));
    if (now.dataset.thumb === row.dataset.thumb) continue;
    const preview = $(".large > img", now)?.getAttribute("src");
    showPictures(row, { thumb: now.dataset.thumb, preview, surround: $(".large", now).className });
  }
  changed();
  await showLeftEdits();
}

function leftEdit(row, discard) {
  const goOn = make("button", { type: "button", class: "button s" }, texts.goOnEditing);
  goOn.addEventListener("click", () => $(".photo-tools .edit", row).click());
  const drop = make("button", { type: "button", class: "button s plain" }, texts.discardEdit);
  const note = make("div", { class: "left-edit notice small", role: "status" }, make("p", {}, texts.leftEdit), make("p", { class: "row" }, goOn, drop));
  drop.addEventListener("click", () => {
    discard();
    note.remove();
  });
  return note;
}

/** Says which photos have edits that nobody applied or discarded, and shows the first of them. */
export async function showLeftEdits() {
  if (!Object.keys(localStorage).some((key) => key.startsWith("photo-edit-"))) return;
  const kept = await import("../editor/kept.js").catch(() => null);
  if (!kept) return;
  let isFirst = true;
  for (const row of rows()) {
    $(".left-edit", row)?.remove();
    const { photo } = row.dataset;
    const edit = photo && $(".photo-tools .edit", row) && kept.find(photo);
    if (!edit || (edit.at === 0 && edit.steps.length)) continue;
    $(".large", row).after(leftEdit(row, () => kept.forget([photo])));
    if (isFirst) choose(row);
    isFirst = false;
  }
}
