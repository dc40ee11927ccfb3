// A tap on a photo opens the full-screen viewer, a second one at once likes instead. Without scripts it is a link to a page.

import { $, icon } from "./dom.js";
import { toggle } from "./actions.js";

const SECOND_TAP_MS = 280;

/** Opens the viewer; if it cannot be loaded, the link does what it does without scripts. */
export async function openViewer(link) {
  try {
    const { open } = await import("./viewer.js");
    await open(link);
  } catch {
    location.href = link.href;
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

let tapped = { link: null, timer: 0 };
document.addEventListener("click", (event) => {
  const link = event.target.closest("[data-shots]");
  if (!link || event.defaultPrevented || event.ctrlKey || event.metaKey || event.shiftKey || event.altKey) return;
  event.preventDefault();
  const button = likeButton(link);
  const isSecond = tapped.link === link;
  clearTimeout(tapped.timer);
  tapped = { link: null, timer: 0 };
  // A key sends no second tap, and who cannot like need not wait for one.
  if (!button || event.detail === 0) openViewer(link);
  else if (isSecond) likeWithHeart(link.closest(".photo"), button);
  else {
    const open = () => {
      tapped = { link: null, timer: 0 };
      openViewer(link);
    };
    tapped = { link, timer: setTimeout(open, SECOND_TAP_MS) };
    import("./viewer.js").catch(() => {});
  }
});
