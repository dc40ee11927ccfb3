// Menus that open from a button: they close by a click beside them and by Escape, and arrow keys walk through them.

import { $, $$ } from "./dom.js";

document.addEventListener("click", (event) => {
  for (const menu of $$("details.menu[open]")) if (!menu.contains(event.target)) menu.open = false;
});

document.addEventListener("keydown", (event) => {
  if (event.key === "Escape") {
    for (const open of $$("details.menu[open], details.alt[open]")) {
      open.open = false;
      if (open.contains(document.activeElement)) $("summary", open).focus();
    }
    return;
  }
  const menu = event.target.closest?.("details.menu");
  if (!menu || !["ArrowDown", "ArrowUp", "Home", "End"].includes(event.key)) return;
  if (!menu.open && event.key !== "ArrowDown") return;
  event.preventDefault();
  menu.open = true;
  const entries = $$(".sheet :is(a, button)", menu).filter((entry) => entry.checkVisibility());
  const at = entries.indexOf(document.activeElement);
  const next = { ArrowDown: at + 1, ArrowUp: at < 0 ? -1 : at - 1, Home: 0, End: -1 }[event.key];
  entries.at(next % entries.length)?.focus();
});
