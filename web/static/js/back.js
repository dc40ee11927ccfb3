// Back: to the page one came from, as it was left. Without scripts the link leads to the page above.

/** Pages that were left by sending what they are for: nobody wants to return to them. */
const DONE_WITH = /^\/(compose|sign-in|sign-up|setup|welcome|drafts|photos)(\/|$)|\/(edit|delete|who-can-comment)$/;

/** Whether the page before this one is of this node, and one to return to. */
function canReturn() {
  if (history.length < 2 || !document.referrer) return false;
  const from = new URL(document.referrer);
  return from.origin === location.origin && from.pathname !== location.pathname && !DONE_WITH.test(from.pathname);
}

document.addEventListener("click", (event) => {
  const isPlain = event.button === 0 && !(event.ctrlKey || event.metaKey || event.shiftKey || event.altKey);
  if (!isPlain || !event.target.closest("[data-back]") || !canReturn()) return;
  event.preventDefault();
  history.back();
});
