// How long a text is, as the server counts it, and by how much it is too long. Nothing is cut: a field says its limit in
// `data-most`, holds whatever is typed or pasted, and is refused when it is sent.

import { $$ } from "./dom.js";

const LINK = /https?:\/\/[^\s<>"]+/giu;
const LINK_LENGTH = 23;
const HANDLE = /(^|[^\p{L}\p{N}_@/])(@[\p{L}\p{M}\p{N}_.-]+)@[\p{L}\p{N}_.:-]+/giu;

/** Of a caption a link counts as at most 23 characters, and of a mention only the name: see node/posts/drafts.py. */
export function lengthOf(field) {
  const most = Number(field.dataset.most);
  const length = [...field.value].length;
  if (length <= most || field.name !== "caption") return length;
  const counted = field.value.replace(LINK, (link) => link.slice(0, LINK_LENGTH)).replace(HANDLE, "$1$2");
  return [...counted].length;
}

export const surplus = (field) => Math.max(0, lengthOf(field) - Number(field.dataset.most));

/** The fields of a form that hold more than they may. */
export const tooLong = (form) => $$("[data-most]", form).filter((field) => surplus(field));
