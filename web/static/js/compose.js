// The page on which a post is written: photos, words and the rest over a form that also works without scripts.

import { $, $$ } from "./dom.js";
import { keepFocusIn } from "./focus.js";
import { changed, failed, form, input, rows } from "./compose/form.js";
import { takeFiles as takeKept } from "./compose/kept_files.js";
import { addFiles, chosen, isTyping, resume, setUpRows } from "./compose/photos.js";
import { refreshPhotos, showLeftEdits } from "./compose/fresh.js";
import { restoreDraft } from "./compose/local_draft.js";
import { show } from "./compose/strip.js";
import "./compose/photo_notes.js";
import "./compose/options.js";
import "./compose/server_draft.js";
import "./compose/posting.js";

for (const one of $$(".plain-only", form)) one.remove();

const inputs = $$("input[type=file]", form);
/** Who chose by keyboard goes on with the first of the new photos; a touch opens no keyboard on the screen. */
const takeFiles = (one) => {
  const isByKeyboard = !isTyping() && Boolean(document.activeElement?.matches("#compose :focus-visible"));
  const [row] = addFiles(one.files);
  one.value = "";
  if (!row || !isByKeyboard) return;
  show(row);
  ($(".words textarea", row) ?? $("button", row.thumbnail)).focus();
};
for (const one of inputs) one.addEventListener("change", () => takeFiles(one));
for (const button of $$("[data-add]", form)) {
  button.addEventListener("click", () => (button.dataset.add === "camera" ? $("[capture]", form) : input).click());
}

const nearest = () => (rows().length ? $("button", (chosen() ?? rows()[0]).thumbnail) : input);
for (const part of [$(".pictures", form), $("#progress")]) keepFocusIn(part, nearest);

const hasFiles = (event) => event.dataTransfer?.types.includes("Files");
for (const name of ["dragover", "dragleave", "drop"]) {
  addEventListener(name, (event) => {
    if (!hasFiles(event)) return;
    event.preventDefault();
    form.classList.toggle("over", name === "dragover");
    if (name === "drop") addFiles(event.dataTransfer.files);
  });
}
addEventListener("paste", (event) => {
  const files = [...(event.clipboardData?.files ?? [])].filter((file) => file.type.startsWith("image/"));
  if (!files.length) return;
  event.preventDefault();
  addFiles(files);
});
form.addEventListener("input", (event) => {
  if (event.target.type !== "file") changed();
});

// What was typed comes back from the draft, whole. A browser that puts back the words alone, without the photos, would have
// them taken for a post that was just begun.
form.autocomplete = "off";
setUpRows();
// The editor leads back to the photo that was edited.
const edited = /^#photo-(\d+)$/.exec(location.hash)?.[1];
if (edited) history.replaceState(history.state, "", location.pathname + location.search);
function goOnWith(id) {
  const row = rows().find((one) => one.dataset.photo === id);
  if (!row) return;
  show(row);
  $(".photo-tools .edit", row)?.focus();
}
restoreDraft().then(async (isRestored) => {
  if (edited) goOnWith(edited);
  if (isRestored) refreshPhotos();
  else showLeftEdits();
  if (failed().length) resume(await takeKept());
});
// What was chosen before this script had come.
for (const one of inputs) if (one.files.length) takeFiles(one);
