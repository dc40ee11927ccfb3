// Sending a photo in pieces: after a lost connection, a restart of the server or a reload of the page it continues with
// what has not arrived yet. The protocol is tus 1.0.0, see web/pages/photos/uploads.py. A small file goes in one request.

import { csrf } from "./dom.js";

const PIECE = 2 * 1024 * 1024;
const WAITS = [1, 2, 4, 8, 15, 30, 30]; // seconds between tries that bring nothing
const OFFLINE_WAIT = 30; // seconds until it is tried all the same: not every browser knows when it is online
const STALL = 30e3;
const RENDERING = 180e3;
const KEPT = "uploads";
const MAX_KEPT = 40;
const DAY = 24 * 3600e3;
const SAMPLE = 64 * 1024;
const TEMPORARY = [0, 408, 423, 429, 502, 503, 504];
const GONE = [401, 403, 404, 410]; // HEAD says no more; the next request does

const sending = new Set();

/**
 * Sends a photo. `progress(share)` is told how much of it has arrived, 0 to 1, and `waiting(reason)` that it waits before it
 * continues. Resolves to the HTTP status and what the server answered; the status is 0 where the connection was lost for too
 * long, and `answer.isUnreadable` says that the browser cannot read the file any more. `signal` ends it, and deletes what
 * has arrived.
 */
export async function sendFile(file, { progress, waiting = () => {}, signal }) {
  const job = { progress, waiting, tries: 0, isAborted: false, path: "", stop: undefined };
  signal.addEventListener("abort", () => {
    job.isAborted = true;
    job.stop?.();
    if (!job.path) return;
    call({}, "DELETE", job.path);
    forget(job.key);
  });
  try {
    return await (file.size > PIECE ? sendAlone(file, job) : sendWhole(file, job));
  } catch (error) {
    if (!(error instanceof DOMException)) throw error;
    return { status: 422, answer: { isUnreadable: true } };
  }
}

async function sendWhole(file, job) {
  for (;;) {
    const body = new FormData();
    body.append("photo", file);
    const said = await call(job, "POST", "/compose/photo", {}, body, (loaded, total) => job.progress(loaded / total));
    if (!(await mayTryAgain(file, job, said))) return said;
  }
}

/** Another window or row that sends the same file has its own upload, so that neither disturbs the other. */
async function sendAlone(file, job) {
  const key = await fingerprint(file);
  const send = async (isAlone) => {
    if (isAlone) {
      job.key = key;
      sending.add(key);
    }
    try {
      return await sendInPieces(file, job);
    } finally {
      if (isAlone) sending.delete(key);
    }
  };
  if (sending.has(key)) return send(false);
  if (!navigator.locks) return send(true);
  return navigator.locks.request(`upload ${key}`, { ifAvailable: true }, (lock) => send(Boolean(lock)));
}

async function sendInPieces(file, job) {
  job.path = recall(job.key);
  let offset; // undefined: the server has to be asked
  for (;;) {
    let said;
    if (!job.path) {
      said = await call(job, "POST", "/uploads", { "Upload-Length": file.size });
      if (said.status === 201) {
        job.path = said.header("Location");
        offset = 0;
        remember(job.key, job.path);
        continue;
      }
    } else if (offset === undefined) {
      said = await call(job, "HEAD", job.path);
      if (said.status === 200) {
        offset = Number(said.header("Upload-Offset"));
        job.progress(offset / file.size);
        continue;
      }
      if (GONE.includes(said.status)) {
        job.path = "";
        continue;
      }
    } else if (offset < file.size) {
      const from = offset;
      said = await call(
        job,
        "PATCH",
        job.path,
        { "Upload-Offset": from, "Content-Type": "application/offset+octet-stream" },
        file.slice(from, from + PIECE),
        (loaded) => job.progress(Math.min(from + loaded, file.size - 1) / file.size),
      );
      if (said.status === 204) {
        offset = Number(said.header("Upload-Offset"));
        if (offset > from) job.tries = 0;
        continue;
      }
    } else {
      job.progress(1);
      const body = new FormData();
      body.append("upload", job.path.split("/").pop());
      said = await call(job, "POST", "/compose/photo", {}, body);
      if ([200, 422].includes(said.status)) {
        forget(job.key);
        job.path = "";
        return said;
      }
    }
    if (said.status === 404) {
      forget(job.key);
      job.path = "";
    }
    offset = undefined;
    const isBehind = [404, 409].includes(said.status) && job.tries++ < WAITS.length;
    if (!isBehind && !(await mayTryAgain(file, job, said))) return said;
  }
}

/** Waits before the next try, where one makes sense after what was `said`. Returns whether it does. */
async function mayTryAgain(file, job, said) {
  const isTemporary = TEMPORARY.includes(said.status) && said.wait <= 30;
  if (job.isAborted || !isTemporary) return false;
  if (!said.status) await file.slice(0, 1).arrayBuffer(); // throws where it is the file that is gone
  const isOffline = navigator.onLine === false;
  if (!isOffline && job.tries >= WAITS.length) return false;
  job.waiting(said.answer.error ?? "");
  await new Promise((resolve) => {
    const wait = isOffline ? OFFLINE_WAIT : said.wait || WAITS[job.tries++];
    const timer = setTimeout(go, 1000 * wait);
    function go() {
      clearTimeout(timer);
      removeEventListener("online", comesBack);
      resolve();
    }
    function comesBack() {
      job.tries = 0;
      go();
    }
    addEventListener("online", comesBack);
    job.stop = go;
  });
  return !job.isAborted;
}

/** Sends one request. The status is 0 where there was no answer. */
function call(job, method, path, headers = {}, body = undefined, progress = undefined) {
  return new Promise((resolve) => {
    const request = new XMLHttpRequest();
    let timer;
    const watch = (time) => {
      clearTimeout(timer);
      timer = setTimeout(() => request.abort(), time);
    };
    job.stop = () => request.abort();
    request.open(method, path);
    const all = { Accept: "application/json", "X-CSRF": csrf(), "Tus-Resumable": "1.0.0", ...headers };
    for (const [name, value] of Object.entries(all)) request.setRequestHeader(name, value);
    request.responseType = "json";
    request.upload.onprogress = (event) => {
      watch(event.loaded < event.total ? STALL : RENDERING);
      progress?.(event.loaded, event.total);
    };
    request.onloadend = () => {
      clearTimeout(timer);
      const header = (name) => request.getResponseHeader(name) ?? "";
      resolve({
        status: request.status,
        answer: request.response ?? {},
        wait: request.status ? Number(header("Retry-After")) || 0 : 0,
        header,
      });
    };
    if (job.isAborted) resolve({ status: 0, answer: {}, wait: 0 });
    else {
      watch(body ? STALL : RENDERING);
      request.send(body);
    }
  });
}

/** What tells a file from others: its size and parts of its content. The name and date of one file may change on a phone. */
async function fingerprint(file) {
  let [high, low] = [0xdeadbeef, 0x41c6ce57];
  for (const share of [0, 1 / 3, 2 / 3, 1]) {
    const start = Math.floor(share * (file.size - SAMPLE));
    for (const byte of new Uint8Array(await file.slice(start, start + SAMPLE).arrayBuffer())) {
      high = Math.imul(high ^ byte, 2654435761);
      low = Math.imul(low ^ byte, 1597334677);
      high ^= high >>> 15;
    }
  }
  return `${file.size}-${(high >>> 0).toString(36)}${(low >>> 0).toString(36)}`;
}

/* Where the uploads of this browser are, so that they continue after a reload once the same file is chosen again. */

function kept() {
  try {
    const found = JSON.parse(localStorage.getItem(KEPT) || "{}");
    const isCurrent = ([, one]) => Date.now() - one.at < DAY && /^\/uploads\/\d+$/.test(one.path);
    return Object.fromEntries(Object.entries(found).filter(isCurrent));
  } catch {
    return {};
  }
}

function keep(all) {
  const newest = Object.entries(all).sort(([, one], [, other]) => other.at - one.at);
  try {
    localStorage.setItem(KEPT, JSON.stringify(Object.fromEntries(newest.slice(0, MAX_KEPT))));
  } catch {
    // Without storage an upload continues as long as the page is open.
  }
}

const recall = (key) => (key && kept()[key]?.path) || "";

function remember(key, path) {
  if (key) keep({ ...kept(), [key]: { path, at: Date.now() } });
}

function forget(key) {
  const { [key]: _gone, ...rest } = kept();
  if (key) keep(rest);
}
