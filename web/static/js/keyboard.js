// Keyboard shortcuts: j k l b r f / n and ? for the list. Never while the user types, never with a modifier.

import { $, $$, make, messages } from "./dom.js";
import { toggle } from "./actions.js";
import { openViewer } from "./photos.js";

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

/** The photo of a post that is seen: of an album the one it was left at. */
function shownPhoto(post) {
  const links = $$(".shot", post).filter((link) => !link.closest(".comment"));
  const slides = $(".slides", post);
  return links[slides ? Math.round(Math.abs(slides.scrollLeft) / (slides.clientWidth || 1)) : 0];
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
  f: () => current() && shownPhoto(current()) && openViewer(shownPhoto(current())),
  n: () => (location.href = "/compose"),
  "/": () => ($("input[type=search]") ? $("input[type=search]").focus() : (location.href = "/search")),
  "?": help,
  r: () => {
    const box = $("#answer textarea");
    if (box) box.focus();
    else if (current()) location.href = `/posts/${current().dataset.post}#answer`;
  },
};

/** On the page of an album the arrows turn it, wherever the focus is; on that of a photo they lead to the next. */
function turnAlbum(event) {
  const isForward = (event.key === "ArrowRight") === (document.documentElement.dir !== "rtl");
  const link = $(`.photo-turns [rel=${isForward ? "next" : "prev"}]`);
  if (link && !event.target.closest(".is-panorama")) return link.click();
  const slides = $(".alone .slides");
  if (!slides || event.target.closest(".slides, .scrub, .menu")) return;
  event.preventDefault();
  slides.dispatchEvent(new KeyboardEvent("keydown", { key: event.key }));
}

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented) return;
  if ($("dialog:modal") || event.target.closest("input, textarea, select, [contenteditable]")) return;
  if (event.key === "ArrowLeft" || event.key === "ArrowRight") return turnAlbum(event);
  const act = acts[event.key];
  if (!act) return;
  event.preventDefault();
  act();
});
