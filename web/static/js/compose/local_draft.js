// What is typed is kept in the browser at once, so that a lost connection or a closed tab loses nothing; one tab a draft.

import { $, $$, account, make, showToast } from "../dom.js";
import { asksDescriptions, caption, changed, form, isNew, list, markPhotos, maxPhotos, onChange, rows, texts } from "./form.js";
import { addMissing, addUploaded, choose, fail } from "./photos.js";
import { draftId, onSaved, pauseSaving, saveOnServer, useDraft } from "./server_draft.js";

const LASTS = 20 * 3600e3;
const TYPED = "typed"; // what the form was at first is not known: it is saved as it is
const version = $("[name=version]", form)?.value ?? "";
// A quote is another post than the one that was begun before, and so is each post that is edited.
const once = $("[name=once]", form);
const quoted = $("[name=quote]", form)?.value;
let key = `draft-${account}-${isNew ? (quoted ? `quote-${quoted}` : "new") : form.dataset.post}`;
let isReady = false;
let isPaused = false;
let lock = "";
let isSent = false; // it may have been posted: nobody knows before there is an answer
let first = "";

/** By which name the browser keeps what is typed. main.js deletes it once the post is shown. */
export const localKey = () => key;

// A file cannot be kept, but its name can: the draft says what is missing when it is restored.
const OWN = /^(csrf|once|draft|photos?|missing.*|again-.*|version|quote|do|publish_zone|asks_descriptions|alt-.*|replace-.*)$/;

const nameOf = (row) => $("[name=missing]", row)?.value ?? "";
const words = (row) => $("textarea", row.description); // which a photo that failed does not show

function content() {
  const photos = $$(".upload[data-photo]", list).map((row) => ({
    id: row.dataset.photo,
    alt: $("textarea", row).value,
    thumb: row.dataset.thumb ?? "",
    preview: row.dataset.preview ?? "",
  }));
  const missing = rows().flatMap((row, at) => (row.dataset.photo ? [] : [{ name: nameOf(row), alt: words(row).value, at, reason: row.dataset.reason }]));
  const fields = [...new FormData(form)].filter(([name, value]) => !OWN.test(name) && typeof value === "string");
  return { photos, missing, fields };
}

function store(draft, isSaved = false) {
  const kept = { ...draft, at: Date.now(), id: draftId(), version, once: once?.value, asks: asksDescriptions?.isConnected, isSaved, isSent };
  try {
    localStorage.setItem(key, JSON.stringify(kept));
  } catch {
    // Without storage it is on the screen, and soon on the server.
  }
}
onSaved(() => localStorage.getItem(key) && store(content(), true));

/** The form is being sent, or was answered. If the answer to a post is lost, the draft that the server has no more may have
 * been posted or not. */
export function keepUntilAnswered(isPost) {
  isSent = isPost;
  if (localStorage.getItem(key)) store(content());
}

function save() {
  if (!isReady || isPaused) return;
  const draft = content();
  const text = JSON.stringify(draft);
  if (text === first) return;
  first = "";
  const isEmpty = isNew && !caption.value && !draft.photos.length && !draft.missing.length;
  if (isEmpty) localStorage.removeItem(key);
  else store(draft);
  if (isNew && (!isEmpty || draftId())) saveOnServer();
  if (draftId() && lock !== `draft ${draftId()}`) hold(`draft ${draftId()}`);
}
onChange(save);

function setFields(fields) {
  for (const field of form.elements) {
    if (!field.name || OWN.test(field.name) || field.type === "hidden") continue;
    const values = fields.filter(([name]) => name === field.name).map(([, value]) => value);
    if (field.type === "checkbox" || field.type === "radio") field.checked = values.includes(field.value);
    else if (values.length) field.value = values[0];
  }
}

/** Puts photos that are not uploaded yet in their places, with what was written of them. `adds` those that are not there. */
function placeMissing(missing, adds) {
  const left = new Set(rows().filter((row) => !row.dataset.photo));
  for (const one of (missing ?? []).slice(0, maxPhotos)) {
    const { name, alt, at, reason } = typeof one === "string" ? { name: one, alt: "" } : one; // as older pages kept it
    const row = [...left].find((other) => nameOf(other) === name) ?? (adds ? addMissing(String(name)) : null);
    if (!row) continue;
    left.delete(row);
    if (reason && row.matches(".failed")) fail(row, String(name), String(reason), false);
    words(row).value = alt;
    const there = rows()[at];
    if (there && there !== row) there.before(row);
  }
}

function restore(draft) {
  const known = new Map(rows().map((row) => [row.dataset.photo, row]));
  if (isNew) {
    useDraft(draft.id);
    once.value = draft.once || once.value; // it may have been posted, and the answer lost
    isSent = Boolean(draft.isSent);
  }
  if (draft.asks === false) asksDescriptions?.remove();
  setFields(draft.fields ?? []);
  if (draft.fields?.some(([name]) => name === "had_photos")) markPhotos();
  list.replaceChildren();
  for (const photo of draft.photos) {
    if (!/^\d+$/.test(photo.id)) continue;
    const row = known.get(photo.id) ?? addUploaded(photo);
    list.append(row);
    $("textarea", row).value = photo.alt;
  }
  placeMissing(draft.missing, true);
  if (rows().length) choose(rows()[0]);
}

/** Reads what is kept. A draft that was begun without its number in the address keeps its key when it has one. */
function read(id) {
  for (const name of Object.keys(localStorage).filter((one) => /^draft(-|$)/.test(one))) {
    const draft = JSON.parse(localStorage.getItem(name) || "null");
    if (!draft || Date.now() - draft.at > LASTS) localStorage.removeItem(name);
    else if (id && draft.id === id && name.startsWith(`draft-${account}-`)) key = name;
  }
  return JSON.parse(localStorage.getItem(key) || "null");
}

/** Shows that another tab has this draft. Until it is taken over, nothing is saved from here. */
function showOtherTab() {
  const box = $("#other-tab");
  const take = make("button", { type: "button", class: "button" }, texts.useThisTab);
  take.addEventListener("click", () => hold(lock, true));
  box.replaceChildren(texts.otherTab, make("p", { class: "row" }, take));
  box.hidden = false;
  isPaused = true;
  pauseSaving(true);
}

/** Whether another tab holds a name. A page that is being reloaded lets go of it a moment later. */
async function isHeld(name) {
  for (let n = 0; n < 5; n++) {
    const { held } = (await navigator.locks?.query()) ?? { held: [] };
    if (!held.some((one) => one.name === name)) return false;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  return true;
}

/** Holds a name for this tab until it is closed or another one takes it. Resolves once that is known. */
async function hold(name, steals = false) {
  lock = name;
  if (!navigator.locks) return;
  if (!steals) await isHeld(name);
  await new Promise((resolve) => {
    const taken = (found) => {
      resolve();
      if (!found) return showOtherTab();
      $("#other-tab").hidden = true;
      isPaused = false;
      pauseSaving(false);
      if (steals) changed();
      return new Promise(() => {});
    };
    const lost = () => lock === name && showOtherTab();
    navigator.locks.request(name, steals ? { steal: true } : { ifAvailable: true }, taken).catch(lost);
  });
}

/** Whether the server has a draft no more that it had: it was deleted or posted, perhaps from another device. */
async function isGone(id) {
  const answer = await fetch(`/compose?draft=${id}`, { method: "HEAD" }).catch(() => null);
  return answer?.status === 404;
}

/** Returns a draft without the photos that are in a post: it was posted from another device, and what was typed here is more. */
async function withoutPosted(draft) {
  const ids = draft.photos.map(({ id }) => id);
  if (!ids.length) return draft;
  const answer = await fetch(`/compose/posted?${new URLSearchParams(ids.map((id) => ["id", id]))}`).catch(() => null);
  if (!answer?.ok || answer.redirected) return draft;
  const { posted } = await answer.json();
  if (!posted.length) return draft;
  const photos = draft.photos.filter(({ id }) => !posted.includes(id));
  const fields = (draft.fields ?? []).filter(([name]) => name !== "had_photos");
  const isEmpty = !photos.length && !draft.missing?.length && !fields.find(([name]) => name === "caption")?.[1];
  return isEmpty ? null : { ...draft, photos, fields, once: "" };
}

/** Restores what is kept, where the server does not have it. Returns whether it did. */
export async function restoreDraft() {
  const id = isNew ? draftId() : "";
  if (id) key += `-${id}`;
  first = $$("textarea", form).some((one) => one.value !== one.defaultValue) ? TYPED : JSON.stringify(content());
  // A new post that is written in another tab stays there: this one is a post of its own.
  const own = `${key}-tab-${Date.now()}`;
  if (isNew && !id && (await isHeld(key))) key = own;
  let draft = read(id);
  if (isNew && draft && !draft.isSent) {
    draft = !id && draft.isSaved && (await isGone(draft.id)) ? null : await withoutPosted(draft);
    if (!draft) localStorage.removeItem(key);
  }
  const isUntouched = id ? draft?.isSaved === false && first !== TYPED : !isNew || (!caption.value && !rows().length);
  const isRestored = Boolean(draft) && isUntouched && (isNew || draft.version === version);
  if (isRestored) {
    first = TYPED;
    restore(draft);
    if (isNew) showToast(texts.restored);
    else showDiscard();
  } else if (draft && !isNew) {
    // What was saved is a newer version of the post; what did not arrive is still missing in it.
    placeMissing(draft.missing, true);
  } else if (draft && id) {
    placeMissing(draft.missing, false);
    store(content(), first !== TYPED);
  } else if (draft && isNew) key = own; // somebody typed before this was asked for
  if (isNew) await hold(id ? `draft ${id}` : key);
  isReady = true;
  changed();
  return isRestored;
}

/** Changes of a posted post that were not saved are here again, and can be given up. */
function showDiscard() {
  const box = $("#other-tab");
  const discard = make("button", { type: "button", class: "button" }, texts.discard);
  discard.addEventListener("click", () => {
    isReady = false;
    localStorage.removeItem(key);
    location.reload();
  });
  box.replaceChildren(texts.restoredChanges, make("p", { class: "row" }, discard));
  box.hidden = false;
}
