// Puts the items of a list in another order: a mouse drags at once, a finger after it has rested for a moment.

import { putAt } from "../dom.js";

const REST = 250;
const SLIP = 8; // how far a finger or a mouse may go before it is no longer a press
const EDGE = 40;

/** `dropped` is called with the item that was dragged, once it lies where it is to stay. */
export function setUpDrag(list, selector, dropped) {
  let held = null;

  function start() {
    held.isDragging = true;
    held.item.classList.add("held");
    scroll();
  }

  /** While an item is held at an edge of the list, the list moves on. */
  function scroll() {
    if (!held?.isDragging) return;
    const box = list.getBoundingClientRect();
    if (held.x < box.left + EDGE) list.scrollLeft -= 8;
    else if (held.x > box.right - EDGE) list.scrollLeft += 8;
    requestAnimationFrame(scroll);
  }

  function place() {
    const over = document.elementFromPoint(held.x, held.y)?.closest(selector);
    if (!over || over === held.item || over.parentElement !== list) return;
    putAt(held.item, over);
  }

  function end(isDropped) {
    clearTimeout(held.rest);
    const { item, isDragging } = held;
    held = null;
    item.classList.remove("held");
    if (!isDragging) return;
    // The click that follows would choose whatever lies below.
    const stop = (event) => (event.preventDefault(), event.stopPropagation());
    list.addEventListener("click", stop, { capture: true, once: true });
    setTimeout(() => list.removeEventListener("click", stop, { capture: true }));
    if (isDropped) dropped(item);
  }

  list.addEventListener("pointerdown", (event) => {
    const item = event.target.closest(selector);
    if (!item || event.button || held) return;
    held = { item, id: event.pointerId, x: event.clientX, y: event.clientY, from: [event.clientX, event.clientY], isMouse: event.pointerType === "mouse" };
    if (!held.isMouse) held.rest = setTimeout(start, REST);
  });
  addEventListener("pointermove", (event) => {
    if (held?.id !== event.pointerId) return;
    [held.x, held.y] = [event.clientX, event.clientY];
    if (!held.isDragging && Math.hypot(held.x - held.from[0], held.y - held.from[1]) < SLIP) return;
    if (!held.isDragging && !held.isMouse) return end(false); // the finger scrolls
    if (!held.isDragging) start();
    place();
  });
  addEventListener("pointerup", (event) => held?.id === event.pointerId && end(true));
  addEventListener("pointercancel", (event) => held?.id === event.pointerId && end(true));
  list.addEventListener("touchmove", (event) => held?.isDragging && event.preventDefault(), { passive: false });
  list.addEventListener("contextmenu", (event) => held && !held.isMouse && event.preventDefault());
  list.addEventListener("dragstart", (event) => event.preventDefault());
}
