// Sends the form although the session ended meanwhile, once somebody has signed in again in another tab.

import { renewToken } from "../dom.js";

/** Sends fields as JSON is asked for. Resolves to the status (0: no connection) and the answer. */
export async function sendFields(path, fields) {
  const send = async () => {
    const answer = await fetch(path, { method: "POST", body: fields(), headers: { Accept: "application/json" } }).catch(() => null);
    return { status: answer?.status ?? 0, answer: (await answer?.json().catch(() => null)) ?? {} };
  };
  const sent = await send();
  return sent.status === 403 && (await renewToken()) ? send() : sent;
}
