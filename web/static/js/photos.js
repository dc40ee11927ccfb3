// A tap on a photo opens the full-screen viewer. A second one at once closes what has just begun to open, and likes.
// Without scripts it is a link to a page.

import { $, icon, messages, showToast } from "./dom.js";
import { toggle } from "./actions.js";

const SECOND_TAP_MS = 280;
const NEAR = 40; // pixels

let loading = null;

/** Loads the viewer, for all who ask in the order in which they do. */
function loadViewer() {
  loading ??= import("./viewer.js");
  loading.catch(() => (loading = null));
  return loading;
}

/** Opens the viewer; if it cannot be loaded, the link does what it does without scripts. */
export async function openViewer(link, forMs = 0) {
  try {
    const { open } = await loadViewer();
    await open(link, forMs);
  } catch {
    if (navigator.onLine === false) showToast(messages.offline);
    else location.href = link.href;
  }
}

const likeButton = (link) => (link.matches(".shot") ? $('button[data-action="like"]', link.closest(".comment, .post") ?? link) : null);

function likeWithHeart(photo, button) {
  if (button.getAttribute("aria-pressed") !== "true") toggle(button);
  const heart = document.createElement("span");
  heart.className = "heart";
  heart.append(icon("heart"));
  photo.append(heart);
  setTimeout(() => heart.remove(), 750);
}

// The address of the viewer is that of the page of its photo. Where Back or Forward lead to another address than that of
// this page without loading it, because the viewer was there or was loaded anew, it is loaded now.
const loaded = location.pathname;
addEventListener("popstate", () => location.pathname !== loaded && location.reload());

let first = null; // the tap that has just opened the viewer
const isSecond = (event) => first && event.timeStamp - first.at < SECOND_TAP_MS && Math.hypot(event.clientX - first.x, event.clientY - first.y) < NEAR;

async function likeInstead({ link, button }) {
  const shown = await loadViewer().catch(() => null);
  shown?.abandon();
  likeWithHeart(link.closest(".photo"), button);
}

// In the capture phase: the viewer may lie over the photo already, and must not take the second tap for one of its own.
document.addEventListener(
  "click",
  (event) => {
    const tap = first;
    const isLike = isSecond(event);
    first = null;
    if (!isLike) return;
    event.preventDefault();
    event.stopPropagation();
    likeInstead(tap);
  },
  { capture: true },
);

// What was closed meanwhile is opened anew by the next tap.
document.addEventListener("keydown", () => (first = null), { capture: true });
addEventListener("popstate", () => (first = null));

document.addEventListener("click", (event) => {
  const link = event.target.closest("[data-shots]");
  if (!link || event.defaultPrevented || event.ctrlKey || event.metaKey || event.shiftKey || event.altKey) return;
  event.preventDefault();
  const button = likeButton(link);
  // A key sends no second tap.
  if (!button || event.detail === 0) return openViewer(link);
  first = { link, button, at: event.timeStamp, x: event.clientX, y: event.clientY };
  openViewer(link, SECOND_TAP_MS);
});
