// The numbers in the navigation move while a page is open: asked for now and then while somebody looks at it.

import { $, $$ } from "./dom.js";

const pause = 30000;
const soon = 3000;
const news = $("#news");
let asked = Date.now();
let timer;

function show(counts) {
  for (const badge of $$("[data-count]")) {
    const count = counts[badge.dataset.count] ?? 0;
    badge.hidden = !count;
    $("span", badge).textContent = count > 99 ? "99+" : count;
  }
  if (news) news.hidden = !counts.unread_count;
}

async function ask() {
  clearTimeout(timer);
  if (document.hidden) return;
  asked = Date.now();
  const answer = await fetch("/notifications/counts", { headers: { Accept: "application/json" } }).catch(() => null);
  const counts = answer?.ok ? await answer.json().catch(() => null) : null;
  if (counts && !("unread_count" in counts)) return; // signed out in another tab
  if (counts) show(counts);
  timer = setTimeout(ask, pause);
}

document.addEventListener("visibilitychange", () => !document.hidden && Date.now() - asked > soon && ask());
// A page that Back has brought out of memory is as old as it was left.
addEventListener("pageshow", (event) => event.persisted && ask());
timer = setTimeout(ask, pause);
