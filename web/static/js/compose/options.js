// The rows and sheets of what else can be said about a post: what is chosen stands beside their names; counters; times.

import { $, $$, locale } from "../dom.js";
import { lengthOf, surplus } from "../lengths.js";
import { timeZone } from "../times.js";
import { caption, fill, form, list, onChange, postButton, rows, texts } from "./form.js";

const time = $("[name=publish_at]", form);

/** What the fields of an option say in few words; '' where they say nothing. */
function valueOf(option) {
  const parts = [];
  for (const field of $$("input:not([type=hidden]), select", option)) {
    if (field.type === "checkbox") {
      if (field.checked) parts.push(field.dataset.short);
    } else if (field.tagName === "SELECT") {
      const text = field.selectedOptions[0].textContent.trim();
      if (field.selectedIndex > 0) parts.push(field.dataset.label ? `${field.dataset.label}: ${text}` : text);
    } else if (field === time) {
      if (time.value) parts.push(new Intl.DateTimeFormat(locale, { dateStyle: "medium", timeStyle: "short" }).format(new Date(time.value)));
    } else if (field.value.trim()) parts.push(field.value.trim());
  }
  return parts.join(", ");
}

function showCount(field, counter) {
  const over = surplus(field);
  const most = Number(field.dataset.most);
  counter.textContent = over ? fill(texts.tooMany, { n: over }) : fill(texts.count, { n: lengthOf(field), most });
  counter.classList.toggle("wrong", Boolean(over));
  field.setAttribute("aria-invalid", String(Boolean(over)));
}

onChange(() => {
  for (const option of $$("[data-option]", form)) {
    const value = valueOf(option);
    const shown = $(".value", option);
    shown.textContent = value || option.dataset.none;
    shown.classList.toggle("set", Boolean(value));
  }
  for (const row of rows()) {
    const field = $("textarea", row);
    if (field) showCount(field, $(".count", row));
  }
  showCount(caption, $("#count-caption"));
});
caption.setAttribute("aria-describedby", "count-caption");

const options = $$(".option", form);
function close(option) {
  option.open = false;
  $("summary", option).focus();
}
for (const option of options) {
  $("[data-done]", option).addEventListener("click", () => close(option));
  option.addEventListener("keydown", (event) => {
    if (event.key !== "Escape" || !option.open || event.defaultPrevented) return;
    event.preventDefault();
    close(option);
  });
}
// Many phones have no way to empty a field of a date.
$("[data-now]", form)?.addEventListener("click", ({ target }) => {
  time.value = "";
  time.dispatchEvent(new Event("input", { bubbles: true }));
  close(target.closest(".option"));
});
const isSheet = matchMedia("(max-width: 59.99rem)");
const floats = (option) => isSheet.matches || option.classList.contains("audience");
function closeOthers({ target }) {
  for (const option of options) if (option.open && floats(option) && !option.contains(target)) option.open = false;
}
document.addEventListener("pointerdown", closeOthers);
// A tap on a label first moves the focus to what is around the sheet.
document.addEventListener("focusin", (event) => event.target.contains($(".option[open]", form)) || closeOthers(event));
// A field that is not valid is seen, also where its sheet is closed.
form.addEventListener(
  "invalid",
  (event) => {
    const option = event.target.closest(".option");
    if (option) option.open = true;
  },
  true,
);
// Enter in a field of a sheet is Done, not Post.
form.addEventListener("keydown", (event) => {
  const option = event.key === "Enter" && event.target.matches("input:not([type=file])") && event.target.closest(".option");
  if (!option || event.isComposing) return;
  event.preventDefault();
  if (floats(option)) close(option);
});

/** Times are typed in the zone in which the other pages show them. The page was made in another one if that was not known. */
function setUpTime() {
  const format = new Intl.DateTimeFormat("sv", { timeZone, dateStyle: "short", timeStyle: "short" });
  const local = (date) => format.format(date).replace(" ", "T");
  const zone = $("[name=publish_zone]", form);
  if (zone.value !== timeZone && time.value) time.value = local(new Date(Number(time.dataset.at)));
  zone.value = timeZone;
  time.min = local(new Date(Date.now() + 6 * 60e3)); // the server asks for five minutes
  $("#h-publish_at", form).textContent = fill(texts.postLater, { zone: timeZone.replaceAll("_", " ") });
  onChange(() => (postButton.textContent = time.value ? texts.schedule : texts.post));
}
if (time) setUpTime();

form.addEventListener("keydown", (event) => {
  if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) form.requestSubmit($(".compose-bar [value=post]", form));
});
document.addEventListener("keydown", (event) => {
  if (event.key !== "e" || event.ctrlKey || event.metaKey || event.altKey || event.target.closest("input, textarea, select, dialog")) return;
  $(".upload.chosen .edit", list)?.click();
});
