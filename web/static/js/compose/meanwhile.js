// Goes on with the uploads of the form while the page of one of its photos is open, and says there how far they are. What has
// arrived is kept for the form; what has not, the form goes on with.

import { account, make } from "../dom.js";
import { sendFile } from "../uploads.js";
import { keepAnswer, readKept } from "./kept_files.js";

/** `uploadTexts` has `uploading` with {n}, `continues`, `uploaded` and `notUploaded`. It is shown in `place`. */
export async function goOn(place, uploadTexts) {
  const kept = await readKept();
  const left = (kept?.files ?? []).map((file, n) => [file, n]).filter(([, n]) => !kept.answers[n]);
  if (!left.length) return;
  const work = (lock) => lock && sendAll(left, kept.at, place, uploadTexts);
  // Another tab that shows a photo of the form may be sending them.
  if (navigator.locks) await navigator.locks.request(`unsent photos ${account}`, { ifAvailable: true }, work);
  else await work(true);
}

async function sendAll(left, at, place, uploadTexts) {
  const state = make("p", { role: "status" });
  const bar = make("progress", { max: left.length, value: 0, "aria-label": uploadTexts.uploads });
  const box = make("div", { class: "meanwhile small soft" }, state, bar);
  const say = (text) => {
    if (state.textContent !== text) state.textContent = text; // once, for a screen reader
  };
  let hasFailed = false;
  place.append(box);
  for (const [n, [file, number]] of left.entries()) {
    const uploading = () => say(uploadTexts.uploading.replace("{n}", left.length - n));
    const progress = (share) => {
      bar.value = n + share;
      uploading();
    };
    const waiting = (reason) => say(reason || uploadTexts.continues);
    uploading();
    const { status, answer } = await sendFile(file, { progress, waiting, signal: new AbortController().signal });
    if (status === 200 && answer.id) await keepAnswer(at, number, answer);
    else hasFailed = true;
  }
  bar.remove();
  say(hasFailed ? uploadTexts.notUploaded : uploadTexts.uploaded);
}
