// Forms beside each other: what was typed in one is still there after another was saved, and a text that is too long is
// refused before it is sent.

import { $$, messages, showToast } from "./dom.js";
import { surplus } from "./lengths.js";

const LASTS = 60e3; // a page comes back sooner than that, or the form was not sent
const key = `typed ${location.pathname}`;
const forms = $$("main form[method=post]");
const name = (form) => form.getAttribute("action");
const isText = (field) => field.name && !["hidden", "file", "password", "submit", "button"].includes(field.type);
const fields = (form) => [...form.elements].filter(isText);

function isChanged(field) {
  if (["checkbox", "radio"].includes(field.type)) return field.checked !== field.defaultChecked;
  if (field.options) return [...field.options].some((one) => one.selected !== one.defaultSelected);
  return field.value !== field.defaultValue;
}

const read = (field) => (["checkbox", "radio"].includes(field.type) ? field.checked : field.value);

function write(field, value) {
  if (typeof value === "boolean") field.checked = value;
  else field.value = value;
  field.dispatchEvent(new Event("input", { bubbles: true }));
}

function keep(sent) {
  const kept = {};
  for (const form of forms) {
    const changed = fields(form).map((field, at) => [at, field]).filter(([, field]) => isChanged(field));
    if (form !== sent && changed.length) kept[name(form)] = changed.map(([at, field]) => [at, field.name, read(field)]);
  }
  if (Object.keys(kept).length) sessionStorage.setItem(key, JSON.stringify({ at: Date.now(), kept }));
}

function restore() {
  const { at, kept } = JSON.parse(sessionStorage.getItem(key) ?? "{}");
  sessionStorage.removeItem(key);
  if (!kept || Date.now() - at > LASTS) return;
  for (const form of forms) {
    for (const [place, named, value] of kept[name(form)] ?? []) {
      const field = fields(form)[place];
      if (field?.name === named) write(field, value);
    }
  }
  showToast(messages.stillUnsaved);
}

for (const field of $$("main [data-most]")) {
  const check = () => {
    const n = surplus(field);
    field.setCustomValidity(n ? messages.tooLong.replace("{n}", n) : "");
  };
  field.addEventListener("input", check);
  check();
}

if (forms.length > 1) {
  document.addEventListener("submit", (event) => keep(event.target), true);
  restore();
}
