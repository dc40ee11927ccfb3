// A click that comes with the page counts for nothing: another window, closed between the two clicks of a double one, may
// have left the button under the pointer. Keys are not concerned.

import { $ } from "./dom.js";

const WAIT_MS = 700;
const buttons = $(".consent .go");
let timer = 0;

function wait() {
  buttons.classList.add("not-yet");
  clearTimeout(timer);
  timer = setTimeout(() => buttons.classList.remove("not-yet"), WAIT_MS);
}

for (const event of ["focus", "pageshow"]) addEventListener(event, wait);
document.addEventListener("visibilitychange", wait);
wait();
