// A form that the browser itself sends leaves its page, and without a connection for one that says nothing of what was
// typed. So whether the server answers is asked first. If it does not, the form is not sent, and says why: beside its
// button where something can be typed, or as a toast.

import { $$, make, messages, showToast } from "./dom.js";

const PATIENCE = 15e3;
const GONE = [502, 504]; // a proxy before the server says that it is away

const forget = () => $$(".not-sent").forEach((one) => one.remove());

function tell(form, submitter) {
  const text = `${messages.notSent} ${messages.offline}`;
  const isTyped = [...form.elements].some((one) => one.matches("input:not([type=hidden]), textarea, select"));
  if (!isTyped || !form.contains(submitter)) return showToast(text);
  const place = submitter.closest(".row, .input-row") ?? submitter;
  place.before(make("p", { class: "notice bad small not-sent", role: "alert" }, text));
}

async function isReachable() {
  if (navigator.onLine === false) return false;
  const options = { method: "HEAD", cache: "no-store", signal: AbortSignal.timeout(PATIENCE) };
  const answer = await fetch("/health", options).catch(() => null);
  return Boolean(answer) && !GONE.includes(answer.status);
}

let asking = null;
let passing = null;

// All others have said by then whether the form may be sent. They are not asked again when it is.
addEventListener("submit", (event) => event.target === passing && event.stopImmediatePropagation(), true);
addEventListener("submit", async (event) => {
  const { target: form, submitter } = event;
  forget();
  if (event.defaultPrevented || form.method === "dialog") return;
  if (form.method === "get" && navigator.onLine !== false) return; // its address has what was typed
  event.preventDefault();
  if (asking === form) return;
  asking = form;
  const isThere = await isReachable();
  asking = null;
  if (!isThere) return tell(form, submitter);
  passing = form;
  form.requestSubmit(submitter);
  passing = null;
});
addEventListener("online", forget);
