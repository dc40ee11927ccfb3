// An album scrolls sideways by itself; this adds arrows, dots and a count.

import { $, $$, icon, make, messages } from "./dom.js";

export function setUpAlbum(element) {
  const slides = $(".slides", element);
  const total = slides.children.length;
  if (total < 2) return;
  const rtl = document.documentElement.dir === "rtl" ? -1 : 1; // not by style: it is set up before it is in the page
  const at = () => Math.round(Math.abs(slides.scrollLeft) / (slides.clientWidth || 1));
  const go = (n) => slides.scrollTo({ left: rtl * n * slides.clientWidth, behavior: "smooth" });
  const addArrow = (side, step, label) => {
    const button = make("button", { type: "button", class: `album-arrow ${side}`, "aria-label": label }, icon(step < 0 ? "left" : "right"));
    button.addEventListener("click", () => go(at() + step));
    element.append(button);
    return button;
  };
  const back = addArrow("prev", -1, messages.previous);
  const on = addArrow("next", 1, messages.next);
  const position = $(".position", element);
  const post = element.closest(".post, .comment");
  const dots = $$(".dots i", post);
  const film = $$(".film a", post);
  film.forEach((link, n) => link.addEventListener("click", (event) => (event.preventDefault(), go(n))));
  let shown = -1;
  const show = () => {
    const n = at();
    if (n === shown) return;
    shown = n;
    back.disabled = n === 0;
    on.disabled = n === total - 1;
    if (position) position.textContent = `${n + 1} / ${total}`;
    dots.forEach((dot, i) => dot.classList.toggle("on", i === n));
    film.forEach((link, i) => (i === n ? link.setAttribute("aria-current", "true") : link.removeAttribute("aria-current")));
  };
  slides.addEventListener("scroll", show, { passive: true });
  slides.addEventListener("keydown", (event) => {
    const step = { ArrowLeft: -rtl, ArrowRight: rtl }[event.key];
    if (!step) return;
    event.preventDefault();
    go(at() + step);
  });
  show();
}
