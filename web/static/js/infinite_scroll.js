// Loads older posts while scrolling. The link stays a link, and Back returns to the same position.

import { $, $$, messages } from "./dom.js";
import { enhance } from "./enhance.js";

const stream = $("#stream");
const key = `stream:${location.pathname}${location.search}`;
let pages = 0;
let busy = false;

async function older() {
  const link = $(".older");
  if (busy || !link) return false;
  busy = true;
  link.setAttribute("aria-busy", "true");
  try {
    const answer = await fetch(link.href, { headers: { Accept: "text/html" } });
    if (!answer.ok) throw new Error();
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    const have = new Set($$("[data-entry]", stream).map((item) => item.dataset.entry));
    const added = [...($("#stream", page)?.children ?? [])].filter((item) => !have.has(item.dataset.entry));
    const holder = document.createElement("div");
    holder.append(...added);
    enhance(holder);
    stream.append(...holder.childNodes);
    const next = $(".older", page);
    if (next) link.href = next.getAttribute("href");
    else {
      watch.disconnect();
      link.remove();
    }
    pages += 1;
    return true;
  } catch {
    watch.disconnect();
    link.textContent = messages.again;
    return false;
  } finally {
    link.removeAttribute("aria-busy");
    busy = false;
  }
}

const watch = new IntersectionObserver((seen) => seen.some((one) => one.isIntersecting) && older(), { rootMargin: "1200px" });

addEventListener("pagehide", () => sessionStorage.setItem(key, JSON.stringify({ pages, y: scrollY })));
const kept = JSON.parse(sessionStorage.getItem(key) || "null");
if (kept?.pages && performance.getEntriesByType("navigation")[0]?.type === "back_forward") {
  for (let n = 0; n < Math.min(kept.pages, 20); n++) if (!(await older())) break;
  scrollTo({ top: kept.y, behavior: "instant" });
}
if ($(".older")) watch.observe($(".older"));
