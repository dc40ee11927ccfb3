// The form of a post: its parts, its texts, and who wants to know when something in it changes.

import { $, $$, make, number } from "../dom.js";

export const form = $("#compose");
export const list = $(".uploads", form);
export const input = $(".drop input", form);
export const caption = $("textarea[name=caption]", form);
export const postButton = $(".compose-bar [value=post]", form);
/** The field that is in the form until photos without a description may be posted. */
export const asksDescriptions = $("[name=asks_descriptions]", form);
export const texts = JSON.parse($("#compose-texts").textContent);
export const isNew = form.hasAttribute("data-draft");
export const maxPhotos = Number(form.dataset.maxPhotos);

/** The photos of the post in their order: those that are uploaded, that wait, and that failed. */
export const rows = () => [...list.children];
export const pending = () => $$(".upload[data-waiting]", list);
export const failed = () => $$(".upload[data-failed]", list);

/** Remembers that this is a post with photos, whatever becomes of them: it is not posted as words alone unless asked. */
export function markPhotos() {
  if (!hadPhotos()) form.append(make("input", { type: "hidden", name: "had_photos", value: "1" }));
}
export const hadPhotos = () => Boolean($("[name=had_photos]", form));

export function fill(text, values) {
  return text.replace(/\{(\w+)\}/g, (_, name) => (typeof values[name] === "number" ? number.format(values[name]) : values[name]));
}

const listeners = [];
export const onChange = (listener) => listeners.push(listener);

/** Says that something that was typed, chosen or uploaded is not what it was. */
export function changed() {
  for (const listener of listeners) listener();
}
