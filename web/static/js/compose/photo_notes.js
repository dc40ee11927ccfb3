// What is said of photos beside them: their own locations in the sheet of the post's, and whether the description
// of a photo still fits one that was put in its place.

import { $, icon, make } from "../dom.js";
import { fill, form, onChange, rows, texts } from "./form.js";
import { chosen } from "./photos.js";

const box = $(".own-places", form);
const places = box.closest("[data-option]");
const none = places.dataset.none;
let shown = "";

const ownPlace = (row) => $(".photo-marks [data-part=place]", row)?.textContent.trim() ?? "";

/** The buttons that lead to the locations of photos: of those that have one, and of the one that is shown. */
function showPlaces() {
  const all = rows();
  const listed = all.filter((row) => row.dataset.photo && (ownPlace(row) || row === chosen()));
  const found = listed.map((row) => {
    const text = ownPlace(row) || texts.usePlace;
    const name = fill(texts.thumb, { n: all.indexOf(row) + 1, total: all.length });
    return [row.dataset.photo, all.length > 1 ? `${name}: ${text}` : text];
  });
  places.dataset.none = [...new Set(all.map(ownPlace).filter(Boolean))].join(" · ") || none;
  box.hidden = !found.length;
  if (shown === JSON.stringify(found)) return;
  shown = JSON.stringify(found);
  const buttons = found.map(([id, text]) => {
    const button = make("button", { class: "button plain s", name: "do", value: `details-${id}.place` }, icon("place", "icon s"));
    button.append(make("span", {}, text));
    return make("li", {}, button);
  });
  $("ul", box).replaceChildren(...buttons);
}
onChange(showPlaces);

// By the ids of their photos, for as long as the tab is open: the page of a photo is another page.
const KEPT = "unchecked-descriptions";
const MOST = 100;
const read = () => JSON.parse(sessionStorage.getItem(KEPT) ?? "[]");

function keep(id, isUnchecked) {
  const others = read().filter((one) => one !== id);
  sessionStorage.setItem(KEPT, JSON.stringify(isUnchecked ? [...others, id].slice(-MOST) : others));
}

onChange(() => {
  const unchecked = read();
  for (const row of rows()) {
    const { photo, posted } = row.dataset;
    if (row.former) row.photoBefore ??= photo;
    else if (row.photoBefore) {
      if (row.photoBefore !== photo && photo) {
        keep(photo, true);
        unchecked.push(photo);
      }
      delete row.photoBefore;
    }
    const text = $("textarea", row);
    const note = $(".still-fits", row);
    const asks = text?.value.trim() && posted === undefined && unchecked.includes(photo);
    if (!asks) note?.remove();
    else if (!note) text.after(make("p", { class: "notice small still-fits", role: "status" }, texts.stillFits));
  }
});
form.addEventListener("input", ({ target }) => {
  const row = target.matches(".upload textarea") && target.closest(".upload");
  if (row) keep(row.dataset.photo, false);
});
