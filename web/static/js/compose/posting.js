// Post: not before every photo is uploaded or decided about, and never away from what was written unless it is safe.

import { $, make, showToast } from "../dom.js";
import { surplus, tooLong } from "../lengths.js";
import { refreshPhotos } from "./fresh.js";
import { caption, failed, fill, form, hadPhotos, input, isNew, markPhotos, onChange, pending, postButton, rows, texts } from "./form.js";
import { choose, chosen, failWithout, nameWaiting, removeFailed, startUploads, uploads } from "./photos.js";
import { keepFiles } from "./kept_files.js";
import { localKey } from "./local_draft.js";
import { content, goOnSaving, stopSaving } from "./server_draft.js";
import { isSignedOut, sendFields } from "./session.js";
import { showFailed } from "./strip.js";

const progress = $("#progress");
const undecided = $("#undecided");
let postsWhenUploaded = false;
let isSending = false;
let isTextOnly = false;
let isOver = false; // all of it is on the server: Back is another post
let undo = null;

function button(text, act, classes = "s") {
  const one = make("button", { type: "button", class: `button ${classes}` }, text);
  one.addEventListener("click", act);
  return one;
}

/** The line above Post: what is missing, what is being uploaded, what was removed a moment ago. */
function showProgress() {
  const [missing, waiting, total] = [failed().length, pending().length, rows().length];
  let parts = [];
  if (waiting && postsWhenUploaded) parts = [isNew ? texts.waiting : texts.savingLater];
  else if (waiting) parts = [fill(texts.uploadingMany, { n: waiting, total })];
  if (missing && undecided.hidden) {
    const text = fill(missing === 1 ? texts.oneMissing : texts.manyMissing, { n: missing, total });
    parts = [`${text} ${parts[0] ?? ""}`];
    if (!chosen()?.classList.contains("failed")) parts.push(button(texts.show, showFailed));
  } else if (!parts.length && undo) parts = [texts.removed, button(texts.undo, undo)];
  const shown = `${parts[0]} ${parts.length}`;
  if (progress.shown === shown) return; // what is announced once is not announced again
  progress.shown = shown;
  progress.replaceChildren(...parts);
}
onChange(() => {
  if (rows().length) markPhotos();
  if (rows().length && undecided.reason === texts.noPhoto) hideProblem();
  showUndecided();
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
function showUndecided(isAsked = false) {
  if (undecided.reason) return;
  const bad = failed();
  if (!bad.length) undecided.hidden = true;
  if (!bad.length || (undecided.hidden && !isAsked)) return;
  const text = bad.length === 1 ? texts.missingOne : texts.missingMany.replace("{n}", bad.length);
  const buttons = make("p", { class: "row" });
  const retries = bad.map((row) => $(".retry", row)).filter(Boolean);
  if (retries.length) buttons.append(button(texts.again, () => retries.forEach((retry) => retry.click()), ""));
  const drop = () => {
    removeFailed();
    if (isWithoutPhotos()) askTextOnly();
    else postButton.focus();
  };
  buttons.append(button(bad.length === 1 ? texts.dropOne : texts.dropMany, drop, ""));
  undecided.replaceChildren(make("p", {}, text), buttons);
  undecided.hidden = false;
}

/** Why the post is not published, and what to do about it. It goes when it is tried again. */
function showProblem(text, ...more) {
  undecided.reason = text;
  undecided.replaceChildren(...text.split("\n").map((line) => make("p", {}, line)), make("p", { class: "row" }, ...more));
  undecided.hidden = false;
  undecided.focus({ preventScroll: true });
}

const isWithoutPhotos = () => hadPhotos() && !rows().length && Boolean(caption.value.trim());

/** A post that had photos becomes one of words alone only if its author says so. */
function askTextOnly() {
  const post = () => {
    isTextOnly = true;
    form.requestSubmit(postButton);
  };
  showProblem(texts.noPhoto, button(texts.addPhotos, () => input.click(), ""), button(texts.textOnly, post, ""));
}

/** Says which texts are too long, and shows the first of them. */
function showTooLong(fields) {
  const name = (field) => $(`label[for="${field.id}"]`, form).textContent.trim();
  const lines = fields.map((field) => fill(texts.tooLong, { name: name(field), n: surplus(field) }));
  const row = fields[0].closest(".upload");
  if (row) choose(row);
  showProblem(lines.join("\n"));
}

function hideProblem() {
  undecided.reason = "";
  undecided.hidden = true;
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
  hideProblem();
  postButton.setAttribute("aria-disabled", "true");
  const isLater = Boolean($("[name=publish_at]", form)?.value);
  showToast(isLater ? texts.scheduling : isNew ? texts.sending : texts.saving);
  await stopSaving();
  const leadsToPhoto = /^(edit|details)-/.test(submitter?.value ?? "");
  if (leadsToPhoto && pending().length) await keepFiles(nameWaiting());
  const fields = () => {
    const all = content();
    all.set("do", submitter?.value ?? "post");
    if (isTextOnly) all.set("text_only", "1");
    return all;
  };
  const { status, answer } = await sendFields(form.getAttribute("action"), fields);
  if (status === 200 && answer.path) {
    const isFinished = ["post", "draft"].includes(submitter?.value ?? "post");
    if (isFinished) sessionStorage.setItem("posting", localKey());
    isOver = isFinished || !isNew;
    if (isFinished && isNew) history.replaceState(null, "", "/compose");
    location.assign(answer.path);
    return;
  }
  endSending();
  if (answer.version && $("[name=version]", form)) $("[name=version]", form).value = answer.version;
  if (answer.photos) failWithout(answer.photos);
  const again = button(texts.again, () => form.requestSubmit(submitter), "");
  const signIn = make("a", { class: "button", href: "/sign-in?next=/drafts", target: "_blank" }, texts.signIn);
  if (isSignedOut(status)) showProblem(texts.signedOut, signIn, again);
  else if (!status) showProblem(texts.notPosted, again);
  else if (status === 422 || status === 409) showProblem(answer.error || texts.failed);
  else showProblem(answer.error || texts.failed, again);
  startUploads();
}

form.addEventListener("submit", (event) => {
  event.preventDefault();
  const { submitter } = event;
  const what = submitter?.value ?? "post";
  if (what === "post" && pending().length) {
    postsWhenUploaded = true;
    showProgress();
    return;
  }
  if (what === "post" && failed().length) {
    undecided.reason = "";
    showUndecided(true);
    showProgress();
    undecided.focus({ preventScroll: true });
    return;
  }
  const long = what === "post" ? tooLong(form) : [];
  if (long.length) return showTooLong(long);
  if (what === "post" && isWithoutPhotos() && !isTextOnly) return askTextOnly();
  send(submitter);
});
