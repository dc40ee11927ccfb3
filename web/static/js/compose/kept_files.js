// The files of photos that are not uploaded yet, while the page of another photo is open: kept in the browser by account. That
// page sends them, and the form goes on when it is there again.

import { account } from "../dom.js";

const NAME = "unsent-photos";
const STORE = "files";
const LASTS = 20 * 3600e3;

const open = () =>
  new Promise((resolve) => {
    const opening = indexedDB.open(NAME, 1);
    opening.onupgradeneeded = () => opening.result.createObjectStore(STORE);
    opening.onsuccess = () => resolve(opening.result);
    opening.onerror = () => resolve(null);
  });

/** Runs one transaction. Resolves to what was read; to nothing where a browser has no room or no such storage. */
async function run(act) {
  const database = await open();
  if (!database) return undefined;
  return new Promise((resolve) => {
    const transaction = database.transaction(STORE, "readwrite");
    const asked = act(transaction.objectStore(STORE));
    const end = (value) => {
      database.close();
      resolve(value);
    };
    transaction.oncomplete = () => end(asked.result);
    transaction.onabort = () => end(undefined);
  });
}

/** Keeps files, in place of those that were kept before. */
export const keepFiles = (files) => run((store) => store.put({ files, answers: {}, at: Date.now() }, account));

/** Returns what is kept: `files`, what the server answered to those it has, by number, and since when; or nothing. */
export async function readKept() {
  const found = await run((store) => store.get(account));
  return found && Date.now() - found.at < LASTS ? found : null;
}

/** Keeps the answer to a file, unless others are kept by now than those of `at`. */
export async function keepAnswer(at, number, answer) {
  const found = await readKept();
  if (found?.at !== at) return;
  found.answers[number] = answer;
  await run((store) => store.put(found, account));
}

/** Takes out what was kept: each file, and the answer if it was sent. */
export async function takeFiles() {
  const found = await readKept();
  await run((store) => store.delete(account));
  return (found?.files ?? []).map((file, number) => ({ file, answer: found.answers[number] }));
}
