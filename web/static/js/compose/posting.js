// Post: not before every photo is uploaded or decided about, and never away from what was written unless it is safe.

import { $, make, sendFields, showToast } from "../dom.js";
import { surplus, tooLong } from "../lengths.js";
import { asksDescriptions, caption, changed, failed, fill, form, hadPhotos, input, isNew, markPhotos, onChange, pending, postButton, rows, texts } from "./form.js";
import { refreshPhotos } from "./fresh.js";
import { keepFiles } from "./kept_files.js";
import { chosen, failWithout, nameWaiting, removeFailed, startUploads, uploads } from "./photos.js";
import { keepUntilAnswered, localKey } from "./local_draft.js";
import { focusQuestion, hideQuestion, isAbout, makeButton, showQuestion } from "./question.js";
import { content, goOnSaving, stopSaving } from "./server_draft.js";
import { show, showFailed } from "./strip.js";

const progress = $("#progress");
let postsWhenUploaded = false;
let isSending = false;
let isTextOnly = false;
let isOver = false; // all of it is on the server: Back is another post
let undo = null;

/** The line above Post: what is missing, what is being uploaded, what was removed a moment ago. */
function showProgress() {
  const [missing, waiting, total] = [failed().length, pending().length, rows().length];
  let parts = [];
  if (waiting && postsWhenUploaded) parts = [isNew ? texts.waiting : texts.savingLater];
  else if (waiting) parts = [fill(total === 1 ? texts.uploadingOne : texts.uploadingMany, { n: waiting, total })];
  if (missing && !isAbout()) {
    const text = fill(missing === 1 ? texts.oneMissing : texts.manyMissing, { n: missing, total });
    parts = [`${text} ${parts[0] ?? ""}`];
    if (!chosen()?.classList.contains("failed")) parts.push(makeButton(texts.show, showFailed, "s"));
  } else if (!parts.length && undo) parts = [texts.removed, makeButton(texts.undo, undo, "s")];
  const shown = `${parts[0]} ${parts.length}`;
  if (progress.shown === shown) return; // what is announced once is not announced again
  progress.shown = shown;
  progress.replaceChildren(...parts);
}
onChange(() => {
  if (rows().length) markPhotos();
  questions[isAbout()]?.();
  showProgress();
});
uploads.whenRemoved = (row, bringBack) => {
  undo = () => {
    undo = null;
    progress.shown = "";
    bringBack();
  };
  progress.shown = "";
  showProgress();
};
uploads.whenFinished = () => {
  if (!postsWhenUploaded) return;
  postsWhenUploaded = false;
  form.requestSubmit(postButton);
};

/** Asks what to do about photos that are not uploaded, while there are any. */
function askAboutMissing() {
  const bad = failed();
  if (!bad.length) return hideQuestion();
  const text = bad.length === 1 ? texts.missingOne : fill(texts.missingMany, { n: bad.length });
  const retries = () => failed().map((row) => $(".retry", row)).filter(Boolean);
  const drop = () => {
    removeFailed();
    if (isWithoutPhotos()) ask("textOnly");
  };
  const buttons = [makeButton(bad.length === 1 ? texts.dropOne : texts.dropMany, drop)];
  if (retries().length) buttons.unshift(makeButton(texts.again, () => retries().forEach((retry) => retry.click())));
  showQuestion("missing", text, ...buttons);
}

/** The photos that are new in the post and have no description, until somebody has chosen to post them anyway. */
function undescribed() {
  if (!asksDescriptions?.isConnected) return [];
  const isNewOne = (row) => row.dataset.waiting || !("posted" in row.dataset);
  return rows().filter((row) => !("failed" in row.dataset) && isNewOne(row) && !$("textarea", row).value.trim());
}

const anyway = () => (!isNew ? texts.saveAnyway : $("[name=publish_at]", form)?.value ? texts.scheduleAnyway : texts.postAnyway);

function askAboutDescriptions() {
  const n = undescribed().length;
  if (!n) return hideQuestion();
  const text = n === 1 ? texts.undescribedOne : fill(texts.undescribedMany, { n });
  const describe = () => {
    const [row] = undescribed();
    hideQuestion();
    show(row);
    $("textarea", row).focus();
  };
  const postAnyway = () => {
    asksDescriptions.remove();
    hideQuestion();
    changed();
    form.requestSubmit(postButton);
  };
  const buttons = [makeButton(n === 1 ? texts.describeOne : texts.describeMany, describe)];
  buttons.push(makeButton(anyway(), postAnyway));
  showQuestion("descriptions", text, ...buttons);
}

const isWithoutPhotos = () => hadPhotos() && !rows().length && Boolean(caption.value.trim());

/** A post that had photos becomes one of words alone only if its author says so. */
function askTextOnly() {
  if (!isWithoutPhotos()) return hideQuestion();
  const post = () => {
    isTextOnly = true;
    form.requestSubmit(postButton);
  };
  showQuestion("textOnly", texts.noPhoto, makeButton(texts.addPhotos, () => input.click()), makeButton(texts.textOnly, post));
}

const questions = { missing: askAboutMissing, descriptions: askAboutDescriptions, textOnly: askTextOnly };

function ask(what) {
  questions[what]();
  showProgress();
  focusQuestion();
}

/** Why the post is not published, and what to do about it. It goes when it is tried again. */
function showProblem(text, ...more) {
  showQuestion("problem", text, ...more);
  focusQuestion();
}

/** A link to what was saved meanwhile, in another tab, so that what is typed here stays. */
const otherVersion = () => make("a", { class: "button", href: `/posts/${form.dataset.post}`, target: "_blank" }, texts.seeVersion);

/** Says which texts are too long, and shows the first of them. */
function showTooLong(fields) {
  const name = (field) => $(`label[for="${field.id}"]`, form).textContent.trim();
  const lines = fields.map((field) => fill(texts.tooLong, { name: name(field), n: surplus(field) }));
  const row = fields[0].closest(".upload");
  if (row) show(row);
  showProblem(lines.join("\n"));
}

function endSending() {
  isTextOnly = false;
  isSending = false;
  goOnSaving();
  postButton.removeAttribute("aria-disabled");
  showToast("");
}

// Back, to the page as it was left.
addEventListener("pageshow", (event) => {
  if (!event.persisted) return;
  if (isOver) location.reload();
  else {
    endSending();
    refreshPhotos();
  }
});

async function send(submitter) {
  if (isSending) return;
  isSending = true;
  const what = submitter?.value ?? "post";
  hideQuestion();
  postButton.setAttribute("aria-disabled", "true");
  const isLater = Boolean($("[name=publish_at]", form)?.value);
  showToast(isLater ? texts.scheduling : isNew ? texts.sending : texts.saving);
  await stopSaving();
  if (isNew) keepUntilAnswered(what === "post");
  const leadsToPhoto = /^(edit|details)-/.test(what);
  if (leadsToPhoto && pending().length) await keepFiles(nameWaiting());
  const fields = () => {
    const all = content();
    all.set("do", what);
    if (isTextOnly) all.set("text_only", "1");
    return all;
  };
  const { status, answer, isSignedOut } = await sendFields(form.getAttribute("action"), fields);
  if (status === 200 && answer.path) {
    const isFinished = ["post", "draft"].includes(what);
    if (isFinished) sessionStorage.setItem("posting", localKey());
    isOver = isFinished || !isNew;
    if (isFinished && isNew) history.replaceState(null, "", "/compose");
    location.assign(answer.path);
    return;
  }
  endSending();
  if (isNew && status >= 400 && status < 500) keepUntilAnswered(false);
  const version = $("[name=version]", form);
  const isOutdated = Boolean(version && answer.version && version.value !== answer.version);
  if (isOutdated) version.value = answer.version;
  if (answer.photos) failWithout(answer.photos);
  const again = makeButton(texts.again, () => form.requestSubmit(submitter));
  const signIn = make("a", { class: "button", href: "/sign-in?next=/drafts", target: "_blank" }, texts.signIn);
  if (isSignedOut) showProblem(texts.signedOut, signIn, again);
  else if (!status) showProblem(texts.notPosted, again);
  else if (status === 422 || status === 409) showProblem(answer.error || texts.failed, ...(isOutdated ? [otherVersion()] : []));
  else showProblem(answer.error || texts.failed, again);
  startUploads();
}

form.addEventListener("submit", (event) => {
  event.preventDefault();
  const { submitter } = event;
  const what = submitter?.value ?? "post";
  if (what === "post" && failed().length && !pending().length) return ask("missing");
  // Also before they are all uploaded: who has pressed Post may look away until then.
  if (what === "post" && undescribed().length) return ask("descriptions");
  if (what === "post" && pending().length) {
    postsWhenUploaded = true;
    showProgress();
    return;
  }
  const long = what === "post" ? tooLong(form) : [];
  if (long.length) return showTooLong(long);
  if (what === "post" && isWithoutPhotos() && !isTextOnly) return ask("textOnly");
  send(submitter);
});

// The page came from a form that was sent before this script was there.
if ($("#undecided p")) ask("descriptions");
