// The photos of the form: added, uploaded two at a time, failed, tried again, replaced, removed and brought back.

import { $, $$, icon, make, putAt, sendSignedIn, showToast } from "../dom.js";
import { changed, failed, fill, form, isNew, list, maxPhotos, pending, rows, texts } from "./form.js";
import { sendFile } from "../uploads.js";

const template = $("#upload-template").content.firstElementChild;
for (const one of $$(".plain-only", template)) one.remove();
export const uploads = { whenFinished: () => {}, whenRemoved: () => {}, whenUploaded: () => {} };
let fresh = 0; // photos that have no id yet get a number, so that their labels find their fields

/** The row that is shown, with its photo large. */
export const chosen = () => $(".upload.chosen", list);

export function choose(row) {
  for (const other of rows()) other.classList.toggle("chosen", other === row);
  changed();
}

export const isTyping = () => document.activeElement?.matches("#compose :is(textarea, select, input:not([type=file]))") ?? false;

function showImage(row, src, alt = "") {
  const figure = $(".large", row);
  for (const old of $$(":scope > :is(img, .icon)", figure)) old.remove();
  const blank = icon("photos");
  if (!src) return figure.prepend(blank);
  const image = make("img", { src, alt });
  image.addEventListener("error", () => image.replaceWith(blank), { once: true });
  figure.prepend(image);
}

function setThumb(row, src) {
  if (src) row.dataset.thumb = src;
  else delete row.dataset.thumb;
}

/** Names the fields of a row after a photo, or after nothing that the server knows. */
function nameFields(row, id) {
  const mark = id ?? `new${++fresh}`;
  const [photo, text, label, count] = ["[name=photo]", "textarea", "label", ".count"].map((one) => $(one, row));
  photo.value = id ?? "";
  photo.disabled = !id;
  text.id = `alt-${mark}`;
  if (id) text.name = text.id;
  else text.removeAttribute("name");
  label.htmlFor = text.id;
  count.id = `count-${mark}`;
  text.setAttribute("aria-describedby", count.id);
  for (const name of ["edit", "details"]) {
    const button = $(`.photo-tools .${name}`, row);
    if (button) button.value = `${name}-${mark}`;
  }
  if (id) row.dataset.photo = id;
  else delete row.dataset.photo;
}

function createRow() {
  const row = template.cloneNode(true);
  row.classList.remove("chosen");
  row.prepend(make("input", { type: "hidden", name: "photo" }));
  nameFields(row, null);
  setUpRow(row);
  list.append(row);
  return row;
}

function setUpRow(row) {
  row.description = $(".words", row);
  for (const button of $$("[data-do]", row)) {
    button.addEventListener("click", () => {
      button.closest("details").open = false;
      const acts = { replace: () => pickReplacement(row), earlier: () => move(row, -1), later: () => move(row, 1), remove: () => remove(row) };
      acts[button.dataset.do]();
      if (row.isConnected) $(".photo-menu summary", row).focus();
    });
  }
}

/** What is not uploaded yet, or never was, stays in the form by its name: without it the server publishes nothing. */
function setMissing(row, name) {
  $("[name=missing]", row)?.remove();
  if (name !== null) row.prepend(make("input", { type: "hidden", name: "missing", value: name.slice(0, 100) }));
}

function wait(row) {
  row.classList.remove("failed");
  delete row.dataset.failed;
  delete row.dataset.reason;
  row.dataset.waiting = "queued";
  row.share = 0;
  $(".failure", row)?.remove();
  if (!row.description.isConnected) row.append(row.description);
  setMissing(row, row.former ? null : row.file.name);
  const bar = make("progress", { max: 1, value: 0, "aria-label": `${texts.uploading} ${row.file.name}` });
  $(".large", row).after(make("div", { class: "sending" }, bar, make("p", { class: "small soft" }, texts.queued)));
}

/** Shows that a photo is not in the post. It stays until its author tries again or removes it. */
export function fail(row, name, problem, canRetry) {
  delete row.dataset.waiting;
  row.dataset.failed = "";
  if (!canRetry) row.dataset.reason = problem; // it is still so when the draft is opened again
  row.classList.add("failed");
  $(".sending", row)?.remove();
  $(".failure", row)?.remove();
  setMissing(row, name);
  if (!row.former) row.description.remove();
  const buttons = make("div", { class: "row" });
  const add = (classes, text, act) => {
    const button = make("button", { type: "button", class: `button ${classes}` }, text);
    button.addEventListener("click", act);
    buttons.append(button);
  };
  if (canRetry) {
    add("retry", texts.again, () => {
      wait(row);
      changed();
      startUploads();
    });
  }
  if (row.former) add("", texts.keepFormer, () => (showFormer(row), changed(), startUploads()));
  add("", texts.remove, () => remove(row));
  const reason = make("p", {}, make("b", {}, name), problem);
  $(".large", row).after(make("div", { class: "failure", role: "alert" }, reason, buttons));
}

function finish(row, answer) {
  delete row.dataset.waiting;
  delete row.former;
  delete row.dataset.posted;
  $(".sending", row)?.remove();
  setMissing(row, null);
  nameFields(row, answer.id);
  setThumb(row, answer.thumb);
  row.dataset.preview = answer.preview ?? answer.thumb;
  $(".large", row).className = `large ${answer.surround ?? ""}`;
  showImage(row, answer.preview ?? answer.thumb);
  for (const old of $$(".camera-summary, .photo-marks, .words .notice", row)) old.remove();
  if (answer.camera_summary) {
    row.description.append(make("p", { class: "camera-summary small soft" }, `${texts.metadata} ${answer.camera_summary}`));
  }
  if (answer.notice) row.description.append(make("p", { class: "notice small", role: "status" }, answer.notice));
}

async function upload(row) {
  const { file } = row;
  const [bar, state] = [$("progress", row), $(".sending p", row)];
  const say = (text) => {
    if (state.textContent !== text) state.textContent = text; // once, for a screen reader
  };
  say(texts.uploading);
  row.dataset.waiting = "uploading";
  row.request = new AbortController();
  const progress = (share) => {
    bar.value = row.share = share;
    say(share < 1 ? texts.uploading : texts.preparing);
    uploads.progress?.(row);
  };
  const waiting = (reason) => say(reason || texts.continues);
  const send = () => sendFile(file, { progress, waiting, signal: row.request.signal });
  const { status, answer, isSignedOut } = await sendSignedIn(send);
  if (!row.isConnected || row.file !== file || !row.dataset.waiting) return startUploads();
  const isUploaded = status === 200 && answer.id;
  if (isUploaded) finish(row, answer);
  else {
    // What the server refused for itself stays refused; anything else may work later.
    const unexplained = answer.isUnreadable ? texts.lost : status ? texts.failed : texts.offline;
    const problem = isSignedOut ? texts.signedOut : answer.error || unexplained;
    fail(row, file.name, problem, ![413, 422].includes(status));
    if (!isTyping()) choose(row);
  }
  changed();
  if (isUploaded) uploads.whenUploaded();
  startUploads();
}

/** Two uploads at a time: a phone's connection is not made faster by twenty. */
export function startUploads() {
  const waiting = pending();
  const running = waiting.filter((row) => row.dataset.waiting === "uploading").length;
  const next = waiting.filter((row) => row.dataset.waiting === "queued");
  for (const row of next.slice(0, Math.max(0, 2 - running))) upload(row);
  if (!waiting.length) uploads.whenFinished();
}

function begin(row, file) {
  row.file = file;
  const src = URL.createObjectURL(file);
  setThumb(row, src);
  showImage(row, src);
  wait(row);
}

/** Names the photos that wait as missing, also those that were to replace another, and returns their files. */
export function nameWaiting() {
  return pending().map((row) => {
    setMissing(row, row.file.name);
    return row.file;
  });
}

/** Goes on with files that were being uploaded when the page was left: each takes the place of a missing photo. */
export function resume(kept) {
  for (const { file, answer } of kept) {
    const isIt = (row) => $("[name=missing]", row)?.value.trim() === file.name.slice(0, 100).trim();
    const row = failed().find(isIt);
    if (!row) continue;
    begin(row, file);
    if (answer) finish(row, answer);
  }
  changed();
  startUploads();
}

/** Adds files, and starts to upload them. Returns their rows. */
export function addFiles(files) {
  const photos = [...files];
  if (!photos.length) return [];
  const room = Math.max(0, maxPhotos - rows().filter((row) => !row.classList.contains("surplus")).length);
  const added = photos.slice(0, room).map((file) => {
    const row = createRow();
    begin(row, file);
    return row;
  });
  const surplus = photos.slice(room);
  if (surplus.length) added.push(addSurplus(surplus));
  if (!chosen()) choose(added[0]);
  changed();
  startUploads();
  return added;
}

/** One row for all photos that are more than a post can have, so that they are not left out silently. */
function addSurplus(files) {
  const row = addMissing(files.map((file) => file.name).join(", "), texts.surplus.replace("{n}", files.length));
  row.classList.add("surplus");
  return row;
}

export function addMissing(name, problem = texts.lost) {
  const row = createRow();
  showImage(row, "");
  fail(row, name, problem, false);
  return row;
}

/** A photo that is uploaded already, of a draft of this browser. */
export function addUploaded({ id, thumb, preview }) {
  const row = createRow();
  finish(row, { id, thumb, preview: preview || thumb });
  return row;
}

/** Puts an uploaded photo in the place of one that was called missing, with what was written of that. */
export function takeUploaded(row, photo) {
  const made = addUploaded(photo);
  $("textarea", made).value = $("textarea", row.description).value;
  row.replaceWith(made);
  if (row.classList.contains("chosen")) choose(made);
}

export function move(row, step) {
  const all = rows();
  const at = all.indexOf(row) + step;
  if (at < 0 || at >= all.length) return;
  putAt(row, all[at]);
  moved(row);
}

export function moved(row) {
  changed();
  showToast(fill(texts.moved, { n: rows().indexOf(row) + 1 }));
}

/** Takes a photo out. It can be brought back until something else is removed. */
export function remove(row) {
  const [before, after] = [row.previousElementSibling, row.nextElementSibling];
  const wasUploading = row.dataset.waiting === "uploading";
  row.request?.abort();
  row.remove();
  if (row.classList.contains("chosen")) {
    row.classList.remove("chosen");
    const next = failed()[0] ?? after ?? before;
    if (next) choose(next);
  }
  changed();
  startUploads();
  uploads.whenRemoved(row, () => {
    const place = after?.isConnected ? after : null;
    list.insertBefore(row, place);
    if (wasUploading) {
      $(".sending", row)?.remove();
      wait(row);
    }
    choose(row);
    startUploads();
  });
}

export function removeFailed() {
  for (const row of failed()) row.remove();
  if (!chosen() && rows().length) choose(rows()[0]);
  changed();
  startUploads();
}

function pickReplacement(row) {
  const picker = make("input", { type: "file", accept: "image/*,.heic,.heif,.avif" });
  picker.addEventListener("change", () => picker.files[0] && replace(row, picker.files[0]));
  picker.click();
}

/** Puts another photo in the place of one, with the same description. The old one stays until the new one is there. */
function replace(row, file) {
  const { photo, thumb, preview } = row.dataset;
  if (photo) row.former ??= { thumb, preview, surround: $(".large", row).className };
  row.request?.abort();
  $(".sending", row)?.remove();
  begin(row, file);
  changed();
  startUploads();
}

function showFormer(row) {
  showPictures(row, row.former);
  delete row.former;
  delete row.dataset.failed;
  row.classList.remove("failed");
  $(".failure", row)?.remove();
  setMissing(row, null);
}

/** Shows other pictures of the same photo. */
export function showPictures(row, { thumb, preview, surround }) {
  setThumb(row, thumb);
  row.dataset.preview = preview || thumb;
  $(".large", row).className = surround;
  showImage(row, preview || thumb);
}

/** Photos that the server no longer has: `there` are the ids of those that it has. */
export function failWithout(there) {
  for (const row of rows()) {
    if (!row.dataset.photo || there.includes(row.dataset.photo)) continue;
    const name = fill(texts.thumb, { n: rows().indexOf(row) + 1, total: rows().length });
    nameFields(row, null);
    fail(row, row.file?.name ?? name, texts.lost, Boolean(row.file));
  }
}

/** Sets up the photos that came with the page. */
export function setUpRows() {
  for (const row of rows()) {
    if ("failed" in row.dataset) {
      const name = $("[name=missing]", row).value;
      const missing = addMissing(name);
      row.replaceWith(missing);
    } else {
      setUpRow(row);
      row.dataset.preview = $(".large > img", row)?.getAttribute("src") ?? "";
      $("textarea", row).setAttribute("aria-describedby", $(".count", row).id);
    }
  }
  if (!chosen() && rows().length) choose(rows()[0]);
  changed();
}
