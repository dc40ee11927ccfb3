// Like, boost, bookmark, follow: shown at once, sent after that, undone with a message if refused.

import { copyText, share } from "./copying.js";
import { $, $$, showToast, send, messages } from "./dom.js";

/** The same button under the post and in the viewer: both show what was pressed. */
function twins(button) {
  const [, id] = button.getAttribute("formaction").match(/^\/posts\/(\d+)\//) ?? [];
  return id ? $$(`[data-action="${button.dataset.action}"][formaction^="/posts/${id}/"]`) : [button];
}

function setPressed(button, on) {
  for (const one of twins(button)) setOnePressed(one, on);
}

function setOnePressed(button, on) {
  const action = button.dataset.action;
  const was = button.getAttribute("aria-pressed") === "true";
  if (was === on) return;
  button.setAttribute("aria-pressed", on);
  const path = button.getAttribute("formaction").replace(/[a-z]+$/, on ? `un${action}` : action);
  button.setAttribute("formaction", path);
  const tally = $(".n", button);
  // "1.2K" is the same with one more.
  if (tally && /^\d*$/.test(tally.textContent)) tally.textContent = Math.max(0, Number(tally.textContent) + (on ? 1 : -1)) || "";
}

export async function toggle(button) {
  const on = button.getAttribute("aria-pressed") !== "true";
  const path = button.getAttribute("formaction");
  setPressed(button, on);
  try {
    await send(path);
  } catch (error) {
    setPressed(button, !on);
    showToast(error.message || messages.failed);
  }
}

function showFollowState(id, { label, next, follows }) {
  for (const button of $$(`[data-follow="${id}"]`)) {
    button.textContent = label;
    button.setAttribute("formaction", next);
    button.classList.toggle("main", !follows);
  }
}

// Another server usually accepts within a second or two.
async function pollFollowState(id, label) {
  for (const pause of [1500, 4000, 10000]) {
    await new Promise((done) => setTimeout(done, pause));
    const headers = { Accept: "application/json" };
    const answer = await fetch(`/people/${id}/standing`, { headers }).catch(() => null);
    if (!answer?.ok || $(`[data-follow="${id}"]`)?.textContent !== label) return;
    const state = await answer.json();
    showFollowState(id, state);
    if (!state.waits) return;
  }
}

async function follow(button) {
  if (button.getAttribute("aria-disabled") === "true") return;
  button.setAttribute("aria-disabled", "true"); // and not disabled, which would take the focus from it
  try {
    const answer = await send(button.getAttribute("formaction"));
    showFollowState(button.dataset.follow, answer);
    showToast(answer.message);
    if (answer.waits) pollFollowState(button.dataset.follow, answer.label);
  } catch (error) {
    showToast(error.message);
  }
  button.removeAttribute("aria-disabled");
}

/** Deletes what the browser keeps of a draft that was deleted, or it would be there again in a new post. */
export function forgetDraft(id) {
  for (const [name, kept] of Object.entries(localStorage)) {
    if (name.startsWith("draft-") && JSON.parse(kept)?.id === id) localStorage.removeItem(name);
  }
}

document.addEventListener("click", async (event) => {
  const link = event.target.closest("a[data-share]");
  if (link && !event.ctrlKey && !event.metaKey && !event.shiftKey) {
    event.preventDefault();
    share(link.dataset.share);
    return;
  }
  const button = event.target.closest("button");
  if (button?.dataset.action) {
    event.preventDefault();
    toggle(button);
  } else if (button?.dataset.follow) {
    event.preventDefault();
    follow(button);
  } else if (button?.dataset.copy) {
    copyText(button.dataset.copy);
  } else if (button?.dataset.sure && !confirm(button.dataset.sure)) {
    event.preventDefault();
  } else if (button?.dataset.draft) {
    sessionStorage.setItem("deleting", button.dataset.draft);
  }
});
