// Like, boost, bookmark, follow: shown at once, sent after that, undone with a message if refused.

import { $, $$, icon, showToast, send, messages } from "./dom.js";

function setPressed(button, on) {
  const action = button.dataset.action;
  const was = button.getAttribute("aria-pressed") === "true";
  if (was === on) return;
  button.setAttribute("aria-pressed", on);
  const path = button.getAttribute("formaction").replace(/[a-z]+$/, on ? `un${action}` : action);
  button.setAttribute("formaction", path);
  const tally = $(".n", button);
  if (tally) tally.textContent = Math.max(0, (parseInt(tally.textContent, 10) || 0) + (on ? 1 : -1)) || "";
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
  button.disabled = true;
  try {
    const answer = await send(button.getAttribute("formaction"));
    showFollowState(button.dataset.follow, answer);
    showToast(answer.message);
    if (answer.waits) pollFollowState(button.dataset.follow, answer.label);
  } catch (error) {
    showToast(error.message);
  }
  button.disabled = false;
  button.focus();
}

function likeWithHeart(photo) {
  const button = $('[data-action="like"]', photo.closest(".post"));
  if (!button) return;
  if (button.getAttribute("aria-pressed") !== "true") toggle(button);
  const heart = document.createElement("span");
  heart.className = "heart";
  heart.append(icon("heart"));
  photo.append(heart);
  setTimeout(() => heart.remove(), 750);
}

let tapped = { at: 0, on: null };
document.addEventListener("click", async (event) => {
  const button = event.target.closest("button");
  if (button?.dataset.action) {
    event.preventDefault();
    toggle(button);
  } else if (button?.dataset.follow) {
    event.preventDefault();
    follow(button);
  } else if (button?.dataset.copy) {
    await navigator.clipboard?.writeText(button.dataset.copy);
    showToast(messages.copied);
  } else if (button?.dataset.share) {
    if (navigator.share) navigator.share({ url: button.dataset.share }).catch(() => {});
    else navigator.clipboard?.writeText(button.dataset.share).then(() => showToast(messages.copied));
  } else if (button?.dataset.sure && !confirm(button.dataset.sure)) {
    event.preventDefault();
  }
  const photo = event.target.closest(".post .photo");
  if (!photo || event.target.closest("a, button, summary, .alt")) return;
  const now = Date.now();
  if (tapped.on === photo && now - tapped.at < 350) {
    likeWithHeart(photo);
    tapped = { at: 0, on: null };
  } else tapped = { at: now, on: photo };
});
