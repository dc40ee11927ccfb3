// Copies and shares addresses, and always says what came of it: without a clipboard it shows the text to copy.

import { $, make, showToast, messages } from "./dom.js";

export async function copyText(text, said = messages.copied) {
  try {
    await navigator.clipboard.writeText(text);
    showToast(said);
  } catch {
    showForCopying(text);
  }
}

export async function share(url) {
  if (!navigator.share) return copyText(url, messages.linkCopied);
  try {
    await navigator.share({ url });
  } catch (error) {
    // Whoever closes the system's dialog has decided; any other failure leaves copying.
    if (error.name !== "AbortError") copyText(url, messages.linkCopied);
  }
}

// A page that came over plain HTTP has no clipboard, and a browser may refuse it.
function showForCopying(text) {
  const field = make("input", { type: "text", readonly: "", value: text, "aria-label": messages.copyThis });
  const close = make("button", { type: "button", class: "button" }, messages.close);
  const dialog = make("dialog", { class: "stack", "aria-label": messages.copyThis }, make("h2", {}, messages.copyThis), field, close);
  close.addEventListener("click", () => dialog.close());
  dialog.addEventListener("close", () => dialog.remove());
  document.body.append(dialog);
  dialog.showModal();
  $("input", dialog).select();
}
