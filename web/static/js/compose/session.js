// Sends the form although the session ended meanwhile, once somebody has signed in again in another tab.

import { $$, account } from "../dom.js";

/** Takes the form token of a new page. Returns false if nobody is signed in, or somebody else. */
export async function renewToken() {
  const answer = await fetch("/drafts", { headers: { Accept: "text/html" } }).catch(() => null);
  if (!answer?.ok || answer.redirected) return false;
  const page = new DOMParser().parseFromString(await answer.text(), "text/html");
  const token = page.querySelector("#actions [name=csrf]")?.value;
  if (!token || page.documentElement.dataset.account !== account) return false;
  for (const field of $$("[name=csrf]")) field.value = token;
  return true;
}

/** Sends fields as JSON is asked for. Resolves to the status (0: no connection) and the answer. */
export async function sendFields(path, fields) {
  const send = async () => {
    const answer = await fetch(path, { method: "POST", body: fields(), headers: { Accept: "application/json" } }).catch(() => null);
    return { status: answer?.status ?? 0, answer: (await answer?.json().catch(() => null)) ?? {} };
  };
  const sent = await send();
  return sent.status === 403 && (await renewToken()) ? send() : sent;
}

/** Whether an answer means that nobody is signed in any more: the token of the form belongs to the session. */
export const isSignedOut = (status) => status === 401 || status === 403;
