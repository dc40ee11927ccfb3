// The files of photos that are not uploaded yet, while the page of another photo is open: kept in the browser by account, and
// sent when the form is there again.

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
export const keepFiles = (files) => run((store) => store.put({ files, at: Date.now() }, account));

/** Takes out what was kept. */
export async function takeFiles() {
  const found = await run((store) => store.get(account));
  if (!found) return [];
  await run((store) => store.delete(account));
  return Date.now() - found.at < LASTS ? found.files : [];
}
