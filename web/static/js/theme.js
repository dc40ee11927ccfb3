// Switches between the light and the dark theme at once; the same button, as a plain form, saves the choice.

import { $$, account, send, showToast } from "./dom.js";

for (const button of $$("button[name=theme]")) {
  button.addEventListener("click", (event) => {
    event.preventDefault();
    const theme = button.value;
    if (theme === "system") delete document.documentElement.dataset.theme;
    else document.documentElement.dataset.theme = theme;
    for (const other of $$("button[name=theme]")) other.setAttribute("aria-pressed", other === button);
    send("/theme", { theme }).catch((error) => account && showToast(error.message));
  });
}
