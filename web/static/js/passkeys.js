// Passkeys: signing in with one, also from the suggestions of the name field, adding one, also by itself after a password, and telling the browser which are left.

import { $, $$, messages, send } from "./dom.js";

const isHere = Boolean(window.PublicKeyCredential?.parseRequestOptionsFromJSON);
// A challenge of the server is good for ten minutes; what waits for somebody to choose a passkey gets a new one before.
const RENEW_MS = 8 * 60 * 1000;
let waiting;

/** Ends a request that waits, since a browser allows one at a time, and returns the signal of the next. */
function nextSignal() {
  waiting?.abort();
  waiting = new AbortController();
  return waiting.signal;
}

async function ask(button, mediation) {
  const path = button.dataset.passkey;
  const creates = button.hasAttribute("data-creates");
  const conditional = creates && mediation ? { conditional: "1" } : {};
  const signal = nextSignal();
  const options = await send(`${path}/options`, conditional);
  const credential = creates
    ? await navigator.credentials.create({ publicKey: PublicKeyCredential.parseCreationOptionsFromJSON(options), mediation, signal })
    : await navigator.credentials.get({ publicKey: PublicKeyCredential.parseRequestOptionsFromJSON(options), mediation, signal });
  const fields = { credential: JSON.stringify(credential.toJSON()), next: button.dataset.next, ...conditional };
  const answer = await send(path, fields).catch((error) => {
    if (error.status === 404) forget(options.rpId, credential.id);
    throw Object.assign(error, { wasChosen: true });
  });
  // A form that waits in the page is shown by the server to who is signed in now, before it is sent.
  const waitingForm = $("[name=unsent]")?.form;
  if (waitingForm) waitingForm.submit();
  else location.assign(answer.path);
}

/** Has the browser no longer offer a passkey that was removed here. */
const forget = (rpId, credentialId) =>
  PublicKeyCredential.signalUnknownCredential?.({ rpId, credentialId }).catch(() => {});

function show(button, error) {
  const isNone = error.name === "NotAllowedError" || error.name === "AbortError";
  const problem = $("[data-passkey-problem]", button.parentElement);
  problem.textContent = error.name === "InvalidStateError" ? messages.hasPasskey : isNone ? messages.noPasskey : error.message;
  problem.hidden = false;
}

/** Waits until somebody chooses a passkey among the suggestions of the name field. */
async function suggest(button) {
  if (!(await PublicKeyCredential.isConditionalMediationAvailable?.())) return;
  const renewal = setTimeout(() => suggest(button), RENEW_MS);
  try {
    await ask(button, "conditional");
  } catch (error) {
    if (error.name === "AbortError" || error.name === "NotAllowedError") return;
    show(button, error);
    if (error.wasChosen) suggest(button);
  } finally {
    clearTimeout(renewal);
  }
}

/** Has a browser that has just filled in a password add a passkey beside it, if it does so by itself; else the button is there. */
async function createByItself(button) {
  const can = await PublicKeyCredential.getClientCapabilities?.();
  if (can?.conditionalCreate) await ask(button, "conditional").catch(() => {});
}

for (const button of $$("[data-passkey]")) {
  if (!isHere) {
    button.closest(".passkey").hidden = true;
    continue;
  }
  button.addEventListener("click", async () => {
    button.disabled = true;
    $("[data-passkey-problem]", button.parentElement).hidden = true;
    try {
      await ask(button);
    } catch (error) {
      // Who has been here for long says first that it is still them.
      if (error.status === 403 && button.hasAttribute("data-creates")) location.assign(`/confirm?next=${location.pathname}`);
      show(button, error);
      if (button.hasAttribute("data-conditional") && !button.hasAttribute("data-creates")) suggest(button);
    } finally {
      button.disabled = false;
    }
  });
  if (button.hasAttribute("data-conditional")) (button.hasAttribute("data-creates") ? createByItself : suggest)(button);
}

const can = $("[name=can_have_passkey]");
if (can && isHere && (await PublicKeyCredential.isUserVerifyingPlatformAuthenticatorAvailable())) can.value = "1";

const accepted = $("[data-accepted]")?.dataset.accepted;
if (isHere && accepted) PublicKeyCredential.signalAllAcceptedCredentials?.(JSON.parse(accepted)).catch(() => {});
