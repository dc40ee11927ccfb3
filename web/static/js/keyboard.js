// Keyboard shortcuts: j k l b r f / n and ? for the list. Never while the user types, never with a modifier.

import { $, $$, icon, make, messages } from "./dom.js";
import { toggle } from "./actions.js";

let at = null;
const posts = () => $$(".post");
const current = () => (at?.isConnected ? at : posts().find((post) => post.getBoundingClientRect().bottom > 120));

function move(step) {
  const all = posts();
  if (!all.length) return;
  const n = at?.isConnected ? all.indexOf(at) + step : all.indexOf(current());
  const next = all[Math.min(all.length - 1, Math.max(0, n))];
  at?.classList.remove("at");
  at = next;
  at.classList.add("at");
  at.tabIndex = -1;
  at.focus({ preventScroll: true });
  at.scrollIntoView({ block: "start" });
}

function action(name) {
  const button = current() && $(`[data-action="${name}"]`, current());
  if (button && !button.disabled) toggle(button);
}

function viewer(post) {
  const shots = $$(".photo img", post);
  if (!shots.length) return;
  let n = 0;
  const slides = $(".slides", post);
  if (slides) n = Math.round(Math.abs(slides.scrollLeft) / slides.clientWidth);
  const image = make("img", { alt: "" });
  const dialog = make("dialog", { class: "viewer", "aria-label": messages.viewer }, image);
  const show = (step) => {
    n = Math.min(shots.length - 1, Math.max(0, n + step));
    image.src = shots[n].dataset.large || shots[n].currentSrc || shots[n].src;
    image.alt = shots[n].alt;
  };
  const button = (classes, name, label, act) => {
    const made = make("button", { type: "button", class: classes, "aria-label": label }, icon(name));
    made.addEventListener("click", act);
    dialog.append(made);
  };
  button("close", "close", messages.close, () => dialog.close());
  if (shots.length > 1) {
    button("album-arrow prev", "left", messages.previous, () => show(-1));
    button("album-arrow next", "right", messages.next, () => show(1));
  }
  dialog.addEventListener("keydown", (event) => {
    if (event.key === "ArrowLeft") show(-1);
    if (event.key === "ArrowRight") show(1);
  });
  dialog.addEventListener("close", () => dialog.remove());
  show(0);
  document.body.append(dialog);
  dialog.showModal();
}

function help() {
  const list = make("dl", { class: "facts" });
  for (const [key, meaning] of messages.keys) list.append(make("dt", {}, make("kbd", {}, key)), make("dd", {}, meaning));
  const closeButton = make("button", { type: "button", class: "button", autofocus: "" }, messages.close);
  const dialog = make("dialog", { "aria-label": messages.keyboard, class: "stack" }, make("h2", {}, messages.keyboard), list, closeButton);
  closeButton.addEventListener("click", () => dialog.close());
  dialog.addEventListener("close", () => dialog.remove());
  document.body.append(dialog);
  dialog.showModal();
}

const acts = {
  j: () => move(1),
  k: () => move(-1),
  l: () => action("like"),
  b: () => action("boost"),
  f: () => current() && viewer(current()),
  n: () => (location.href = "/compose"),
  "/": () => ($("input[type=search]") ? $("input[type=search]").focus() : (location.href = "/search")),
  "?": help,
  r: () => {
    const box = $("#answer textarea");
    if (box) box.focus();
    else if (current()) location.href = `/posts/${current().dataset.post}#answer`;
  },
};

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented) return;
  if (event.target.closest("input, textarea, select, [contenteditable], dialog")) return;
  const act = acts[event.key];
  if (!act) return;
  event.preventDefault();
  act();
});
for (const button of $$("[data-full]")) button.addEventListener("click", () => viewer(button.closest(".post")));
