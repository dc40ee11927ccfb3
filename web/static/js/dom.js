// Helpers of all other modules: finding elements, sending an action, showing a short message.

export const $ = (selector, root = document) => root.querySelector(selector);
export const $$ = (selector, root = document) => [...root.querySelectorAll(selector)];

/** Whose page this is. What the browser keeps is kept by account: the next person who signs in there is another one. */
export const account = document.documentElement.dataset.account ?? "";

const { lang } = document.documentElement;
/** How the reader writes dates and numbers: in the language of the page, as the browser's own country does. */
export const locale = navigator.languages?.find((name) => name.toLowerCase().split("-")[0] === lang.split("-")[0]) ?? lang;
export const number = new Intl.NumberFormat(locale);

const element = $("#messages");
export const messages = element ? JSON.parse(element.textContent) : {};

export function make(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  element.append(...children);
  return element;
}

/** Puts an item of a list in the place of another by moving those between: what a finger is on never leaves the document. */
export function putAt(item, other) {
  const all = [...item.parentElement.children];
  const [from, to] = [all.indexOf(item), all.indexOf(other)];
  if (from < to) item.before(...all.slice(from + 1, to + 1));
  else item.after(...all.slice(to, from));
}

export function icon(name, classes = "icon") {
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  svg.setAttribute("class", classes);
  svg.setAttribute("aria-hidden", "true");
  const use = document.createElementNS("http://www.w3.org/2000/svg", "use");
  use.setAttribute("href", `${messages.icons}#${name}`);
  svg.append(use);
  return svg;
}

let toast;
let toastTimer;
/** Says something for a moment. What lies under a modal dialog is neither seen nor read out, so it goes into that. */
export function showToast(text) {
  toast ??= $("#toast");
  const top = $$("dialog:modal").at(-1) ?? document.body;
  if (toast.parentElement !== top) top.append(toast);
  toast.style.removeProperty("bottom");
  toast.textContent = text;
  moveToFreePlace(top);
  clearTimeout(toastTimer);
  toastTimer = setTimeout(() => (toast.textContent = ""), 4000);
}

const KEPT_FREE = "a[href], button, summary, input, select, textarea, label, h1, h2, h3, .nav-bar, .compose-bar";

/** Moves the message up from its place, or down, until it lies on no control and no heading. On a photo it may lie. */
function moveToFreePlace(top) {
  const box = toast.getBoundingClientRect();
  if (!box.height) return;
  const isInTheWay = ({ left, right, top, bottom, width, height }) =>
    width > 2 && height < innerHeight / 4 && right > box.left && left < box.right && bottom > 0 && top < innerHeight;
  const taken = $$(KEPT_FREE, top)
    .filter((one) => one.checkVisibility({ visibilityProperty: true, opacityProperty: true }))
    .flatMap((one) => [...one.getClientRects()].filter(isInTheWay));
  const isFree = (y) => taken.every(({ top, bottom }) => bottom + 4 <= y || top - 4 >= y + box.height);
  const places = Array.from({ length: Math.ceil(innerHeight / 8) }, (_, n) => box.top - 8 * n);
  places.push(...places.map((y) => 2 * box.top - y));
  const free = places.find((y) => y >= 8 && y + box.height <= innerHeight - 8 && isFree(y));
  if (free !== undefined) toast.style.bottom = `${innerHeight - free - box.height}px`;
}

/** The CSRF token comes from the page's own form, so that a request of a script is checked like any form. */
export const csrf = () => $("#actions [name=csrf]")?.value ?? "";

/** Takes the form token of a new page. Returns false if nobody is signed in, or somebody else. */
async function renewToken() {
  const answer = await fetch("/drafts", { headers: { Accept: "text/html" } }).catch(() => null);
  if (!answer?.ok || answer.redirected) return false;
  const page = new DOMParser().parseFromString(await answer.text(), "text/html");
  const token = page.querySelector("#actions [name=csrf]")?.value;
  if (!token || page.documentElement.dataset.account !== account) return false;
  for (const field of $$("[name=csrf]")) field.value = token;
  return true;
}

/**
 * Sends something, and once more if its session ended and the same person has signed in again in another tab. `attempt`
 * resolves to an object with the status; that is returned with `isSignedOut`, whether nobody is signed in now, or somebody else.
 */
export async function sendSignedIn(attempt) {
  const sent = await attempt();
  // The form token belongs to the session: a wrong one may mean that it has ended.
  if (sent.status !== 401 && sent.status !== 403) return { ...sent, isSignedOut: false };
  const isRenewed = await renewToken();
  return { ...(isRenewed ? await attempt() : sent), isSignedOut: !isRenewed };
}

/** Sends fields, for an answer as JSON. Resolves to the status (0: no connection), the answer, and `isSignedOut`. */
export function sendFields(path, fields) {
  return sendSignedIn(async () => {
    const headers = { Accept: "application/json", "X-CSRF": csrf() };
    const answer = await fetch(path, { method: "POST", body: fields(), headers }).catch(() => null);
    return { status: answer?.status ?? 0, ok: answer?.ok, answer: (await answer?.json().catch(() => null)) ?? {} };
  });
}

/** Sends an action. Resolves to the answer; throws an error with a text for the person, the status and the answer. */
export async function send(path, fields = {}) {
  const body = new FormData();
  for (const [name, value] of Object.entries(fields)) body.append(name, value);
  const { status, ok, answer, isSignedOut } = await sendFields(path, () => body);
  if (ok) return answer;
  if (!status) throw new Error(messages.offline);
  const text = isSignedOut && account ? messages.signedOut : answer.error || messages.failed;
  throw Object.assign(new Error(text), { status, answer, isSignedOut });
}
