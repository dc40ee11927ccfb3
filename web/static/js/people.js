// Names of tagged people are put on the photo where the people are, while the list of them is open.

import { $, $$ } from "./dom.js";

/** Returns where a photo lies in its box: all of it, or the part that fills the box. */
function placeOf(image) {
  const box = image.getBoundingClientRect();
  const ratio = image.naturalWidth / image.naturalHeight || box.width / box.height;
  const fills = getComputedStyle(image).objectFit === "cover";
  const isWider = ratio > box.width / box.height;
  const width = isWider === fills ? box.height * ratio : box.width;
  const height = width / ratio;
  return { left: box.left + (box.width - width) / 2, top: box.top + (box.height - height) / 2, width, height };
}

function place(people) {
  const photo = people.closest(".photo");
  const image = $("img", photo);
  const box = photo.getBoundingClientRect();
  const lies = placeOf(image);
  for (const one of $$("li", people)) {
    const half = { x: one.offsetWidth / 2, y: one.offsetHeight / 2 };
    const x = lies.left - box.left + one.dataset.x * lies.width;
    const y = lies.top - box.top + one.dataset.y * lies.height;
    one.style.left = `${Math.max(4, Math.min(box.width - 2 * half.x - 4, x - half.x))}px`;
    one.style.top = `${Math.max(4, Math.min(box.height - 2 * half.y - 4, y - half.y))}px`;
  }
}

for (const people of $$("details.people")) {
  if (people.closest(".panorama")) continue; // it is moved under its names
  people.classList.add("placed");
  people.addEventListener("toggle", () => people.open && place(people));
  new ResizeObserver(() => people.open && place(people)).observe(people.closest(".photo"));
}
