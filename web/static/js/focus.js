// Keeps the keyboard's place: where the element with the focus is removed, hidden or disabled by a script, the focus goes to
// what is nearest, and never back to the start of the page.

const FOCUSABLE = "a[href], button, input:not([type=hidden]), select, textarea, summary, [tabindex]:not([tabindex='-1'])";
const places = [];
let last = null;
let around = []; // the ancestors of `last` while it was there

const isSeen = (element) => element.isConnected && element.checkVisibility({ visibilityProperty: true }) && !element.closest("[inert]");
const isUsable = (element) => isSeen(element) && !element.matches(":disabled");

/** Says where the focus goes if it is lost within an element: `find` returns another one, or nothing. */
export const keepFocusIn = (root, find) => places.push([root, find]);

function besides(element) {
  const all = [...element.parentElement.querySelectorAll(FOCUSABLE)];
  const at = all.indexOf(element);
  return [...all.slice(at + 1), ...all.slice(0, at).reverse()].find(isUsable);
}

function nearest() {
  const isThere = isSeen(last);
  const summary = last.isConnected && !isThere && last.closest("details")?.querySelector("summary");
  const found = isThere ? besides(last) : summary && isUsable(summary) ? summary : null;
  const [, find] = places.find(([root]) => around.includes(root)) ?? [];
  return found ?? find?.() ?? around.find(isSeen);
}

function check() {
  const now = document.activeElement;
  if (!last || isUsable(last) || (now && now !== document.body && now !== last)) return;
  const next = nearest() ?? document.getElementById("main");
  if (!next.matches(FOCUSABLE)) next.tabIndex = -1;
  next.focus({ preventScroll: true });
  next.scrollIntoView({ block: "nearest", inline: "nearest" });
}

document.addEventListener("focusin", (event) => {
  last = event.target;
  around = event.composedPath().filter((one) => one instanceof Element && one !== last && one !== document.body && one !== document.documentElement);
});
// Who clicks beside everything has left it.
document.addEventListener("focusout", (event) => {
  if (event.relatedTarget) return;
  setTimeout(() => {
    if (last && document.activeElement === document.body && document.hasFocus() && isUsable(last)) last = null;
  });
});
new MutationObserver(check).observe(document.body, {
  subtree: true,
  childList: true,
  attributeFilter: ["hidden", "disabled", "open", "inert", "class"],
});
