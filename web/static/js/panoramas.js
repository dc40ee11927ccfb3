// A panorama is moved sideways in its frame: by the browser itself, and here with the mouse and the arrow keys.

import { $ } from "./dom.js";

const STEP = 0.1;

export function setUpPanorama(photo) {
  const box = $(".scrub", photo);
  const image = $("img", box);
  const reach = photo.nextElementSibling?.matches(".reach") ? photo.nextElementSibling : null;
  const range = () => box.scrollWidth - box.clientWidth;
  const show = () => {
    if (!reach || range() <= 0) return;
    const part = box.clientWidth / box.scrollWidth;
    const bar = reach.firstElementChild;
    bar.style.width = `${100 * part}%`;
    bar.style.translate = `${(100 * box.scrollLeft) / box.clientWidth}%`;
    reach.classList.add("known");
  };
  // It begins where its author put the focal point, the middle if they did not.
  let begun = false;
  const begin = () => {
    if (begun || range() <= 0) return;
    begun = true;
    box.scrollLeft = ((1 + Number(box.dataset.focus)) / 2) * box.scrollWidth - box.clientWidth / 2;
  };
  box.addEventListener("scroll", show, { passive: true });
  new ResizeObserver(() => (begin(), show())).observe(image);
  box.addEventListener("keydown", (event) => {
    const step = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
    if (!step) return;
    event.preventDefault();
    box.scrollBy({ left: step * STEP * box.scrollWidth, behavior: "smooth" });
  });
  box.addEventListener("dragstart", (event) => event.preventDefault());
  box.addEventListener("pointerdown", (event) => {
    if (event.pointerType !== "mouse" || event.button) return;
    const from = { x: event.clientX, left: box.scrollLeft };
    let moved = false;
    const move = (now) => {
      moved ||= Math.abs(now.clientX - from.x) > 4;
      if (moved) box.scrollLeft = from.left - (now.clientX - from.x);
    };
    const end = () => {
      removeEventListener("pointermove", move);
      // The click that ends a drag opens nothing.
      if (moved) box.addEventListener("click", (click) => (click.preventDefault(), click.stopPropagation()), { capture: true, once: true });
    };
    addEventListener("pointermove", move);
    addEventListener("pointerup", end, { once: true });
  });
}
