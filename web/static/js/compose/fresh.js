// After Back, a photo may look otherwise than when its page was left: the pictures are those of the server, and an edit that
// was begun and left is named.

import { $, $$, make } from "../dom.js";
import { changed, form, isNew, rows, texts } from "./form.js";
import { choose, showPictures, takeUploaded } from "./photos.js";
import { draftId } from "./server_draft.js";

async function loadForm() {
  const path = isNew ? `/compose?draft=${draftId()}` : form.getAttribute("action");
  if (isNew && !draftId()) return null;
  const answer = await fetch(path, { headers: { Accept: "text/html" } }).catch(() => null);
  return answer?.ok && !answer.redirected ? new DOMParser().parseFromString(await answer.text(), "text/html") : null;
}

const previewOf = (row) => $(".large > img", row)?.getAttribute("src");

/** What the browser kept may be older than the draft of the server: photos that are there are not called missing. */
function takeArrived(page) {
  const there = $$(".upload", page);
  rows().forEach((row, at) => {
    const { photo: id, thumb } = there[at]?.dataset ?? {};
    const isHere = rows().some((other) => other.dataset.photo === id);
    if (id && !isHere && "failed" in row.dataset && !row.file) takeUploaded(row, { id, thumb, preview: previewOf(there[at]) });
  });
}

/** Shows the photos, and what was set for them, as the server has them now. */
export async function refreshPhotos() {
  const page = await loadForm();
  if (page && isNew) takeArrived(page);
  for (const row of page ? rows() : []) {
    const now = row.dataset.photo && $(`.upload[data-photo="${row.dataset.photo}"]`, page);
    if (!now) continue;
    $(".photo-marks", row)?.remove();
    $(".photo-tools", row).before(...$$(".photo-marks", now));
    if (now.dataset.thumb === row.dataset.thumb) continue;
    showPictures(row, { thumb: now.dataset.thumb, preview: previewOf(now), surround: $(".large", now).className });
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
