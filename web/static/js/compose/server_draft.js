// Saving the new post on the server while it is written.

import { $, make, sendFields } from "../dom.js";
import { changed, form, isNew, texts } from "./form.js";
import { uploads } from "./photos.js";

const state = $("#draft-state");
const DELAY = 1500;
let timer;
let saving;
let isLeaving = false;
let isPaused = false;
let last = "";
let whenSaved = () => {};

/** Says when the server has all that was typed. */
export const onSaved = (listener) => (whenSaved = listener);

export const draftId = () => $("[name=draft]", form)?.value ?? "";

/** Goes on with a saved draft: from now on it is that one which is saved and posted. */
export function useDraft(id) {
  if (!/^\d+$/.test(id ?? "")) return;
  const field = $("[name=draft]", form) ?? form.appendChild(make("input", { type: "hidden", name: "draft" }));
  field.value = id;
}

/** While another tab has the draft, only that one saves it. */
export const pauseSaving = (isOther) => (isPaused = isOther);

// A post with a time is saved by its button: half a change must not be posted.
const savesOnServer = () => isNew && !isPaused && !isLeaving && !$("[name=publish_at]", form)?.value;

/** The fields of the form without its files, which are sent by themselves. */
export function content() {
  const fields = new FormData(form);
  fields.delete("photos");
  return fields;
}

const written = (fields) => JSON.stringify([...fields].filter(([name]) => !["csrf", "draft"].includes(name)));

/** Saves after a moment without typing. */
export function saveOnServer() {
  clearTimeout(timer);
  if (savesOnServer()) timer = setTimeout(save, DELAY);
}

async function save() {
  clearTimeout(timer);
  if (!savesOnServer()) return;
  if (saving) return saving.then(save);
  const now = written(content());
  if (now === last) return;
  saving = sendFields("/drafts", content);
  const { status, answer, isSignedOut } = await saving;
  saving = undefined;
  if (status === 200) {
    last = now;
    const isKnown = draftId() === answer.id;
    useDraft(answer.id);
    if (!isKnown) changed();
    if (now === written(content())) whenSaved();
  }
  state.textContent = status === 200 ? texts.draftSaved : isSignedOut ? texts.signedOut : texts.draftNotSaved;
}

// What was uploaded is in the draft at once: a browser that crashes may lose what it kept itself.
uploads.whenUploaded = save;

/** Stops saving before the form is sent, and waits for a request that is still under way. */
export async function stopSaving() {
  clearTimeout(timer);
  isLeaving = true;
  await saving;
}

export const goOnSaving = () => (isLeaving = false);

addEventListener("pagehide", () => (isLeaving = true));
addEventListener("pageshow", goOnSaving);
