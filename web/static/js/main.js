// Every page works without scripts. Modules that only some pages need are loaded only there.

import { $, $$ } from "./dom.js";
import { enhance } from "./enhance.js";
import "./actions.js";
import "./theme.js";

enhance(document);
for (const tabs of $$(".tabs")) {
  const here = $("[aria-current]", tabs);
  if (here) tabs.scrollLeft = here.offsetLeft - (tabs.clientWidth - here.offsetWidth) / 2;
}
if ($("#stream + .older, .older[data-more]")) import("./infinite_scroll.js");
if ($("#compose")) import("./compose.js");
if (matchMedia("(hover: hover)").matches || $(".post")) import("./keyboard.js");

document.addEventListener("click", (event) => {
  for (const menu of $$("details.menu[open]")) if (!menu.contains(event.target)) menu.open = false;
});
document.addEventListener("keydown", (event) => {
  if (event.key !== "Escape") return;
  for (const open of $$("details.menu[open], details.alt[open]")) {
    open.open = false;
    if (open.contains(document.activeElement)) $("summary", open).focus();
  }
});
