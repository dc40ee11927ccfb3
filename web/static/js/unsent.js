// What was typed and not sent is kept in the browser by account: the next person who signs in there is another one. After
// signing out only that is left which nobody but this browser has, for its author when they sign in again.

import { account } from "./dom.js";

const PREFIX = `unsent-${account}-`;
const LASTS = 30 * 24 * 3600e3;

function parse(name) {
  try {
    return JSON.parse(localStorage.getItem(name));
  } catch {
    return null;
  }
}

/** Returns what is kept under a name, or nothing. */
export function recall(name) {
  return parse(PREFIX + name)?.value;
}

export function keep(name, value) {
  for (const one of Object.keys(localStorage).filter((key) => key.startsWith("unsent-"))) {
    if (Date.now() - (parse(one)?.at ?? 0) > LASTS) localStorage.removeItem(one);
  }
  try {
    localStorage.setItem(PREFIX + name, JSON.stringify({ value, at: Date.now() }));
  } catch {
    // Without storage it is only on the screen.
  }
}

export const forget = (name) => localStorage.removeItem(PREFIX + name);

/** Forgets the drafts of this account that the server has, too. */
function forgetSaved() {
  for (const name of Object.keys(localStorage)) {
    if (name.startsWith(`draft-${account}-`) && parse(name)?.isSaved) localStorage.removeItem(name);
  }
}
document.addEventListener("submit", (event) => {
  if (!event.defaultPrevented && event.submitter?.getAttribute("formaction") === "/sign-out") forgetSaved();
});

// A page that comes back as it was left, after somebody signed out, is not shown to who is there now.
try {
  localStorage.setItem("account", account);
} catch {
  // Without storage nothing is kept.
}
addEventListener("pageshow", (event) => {
  if (event.persisted && localStorage.getItem("account") !== account) location.reload();
});
