// The light and dark switch changes the page at once; the same button, as a plain form, remembers it.

import { $$, send } from "./dom.js";

for (const button of $$("button[name=theme]")) {
  button.addEventListener("click", (event) => {
    event.preventDefault();
    const theme = button.value;
    if (theme === "system") delete document.documentElement.dataset.theme;
    else document.documentElement.dataset.theme = theme;
    for (const other of $$("button[name=theme]")) other.setAttribute("aria-pressed", other === button);
    send("/theme", { theme }).catch(() => {});
  });
}
