// A form that the browser itself sends leaves its page, and without a connection for one that says nothing of what was
// typed. So it is not sent then, and says why: beside its button where something can be typed, or as a toast.

import { $$, make, messages, showToast } from "./dom.js";

const forget = () => $$(".not-sent").forEach((one) => one.remove());

document.addEventListener("submit", (event) => {
  const { target: form, submitter } = event;
  forget();
  if (event.defaultPrevented || navigator.onLine !== false || form.method === "dialog") return;
  event.preventDefault();
  const text = `${messages.notSent} ${messages.offline}`;
  const isTyped = [...form.elements].some((one) => one.matches("input:not([type=hidden]), textarea, select"));
  if (!isTyped || !form.contains(submitter)) return showToast(text);
  const place = submitter.closest(".row, .input-row") ?? submitter;
  place.before(make("p", { class: "notice bad small not-sent", role: "alert" }, text));
});
addEventListener("online", forget);
