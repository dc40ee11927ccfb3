// Comments are answered where they stand: a field under each, kept while one writes, and shown before it has arrived.

import { $, $$, csrf, make, messages, number, send } from "./dom.js";
import { enhance } from "./enhance.js";
import { surplus } from "./lengths.js";
import * as unsent from "./unsent.js";

const key = (form) => `comment-${form.getAttribute("action")}`;
const field = (form) => $("textarea", form);

/** Keeps what is typed until it is sent, also if the field is closed or the page is left. */
function keep(form) {
  const box = field(form);
  box.value ||= unsent.recall(key(form)) ?? "";
  box.addEventListener("input", () => (box.value ? unsent.keep(key(form), box.value) : unsent.forget(key(form))));
  box.addEventListener("keydown", (event) => {
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) form.requestSubmit();
    if (event.key === "Escape" && form.matches(".reply")) close(form);
  });
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    post(form, box.value);
  });
  $("[data-cancel], .plain", form)?.addEventListener("click", (event) => {
    event.preventDefault();
    close(form);
  });
}

function close(form) {
  const comment = form.previousElementSibling;
  form.remove();
  $("[data-reply]", comment)?.focus();
}

function openReply(link) {
  const id = link.dataset.reply;
  const comment = link.closest(".comment");
  const open = $(`#reply-${id}`);
  if (open) return field(open).focus();
  const name = `reply-to-${id}`;
  const form = make("form", { class: "answer reply", id: `reply-${id}`, method: "post", action: `/posts/${id}/comment` });
  const cancel = make("button", { type: "button", class: "button plain", "data-cancel": "" }, messages.cancel);
  form.append(
    make("input", { type: "hidden", name: "csrf", value: csrf() }),
    make("input", { type: "hidden", name: "back", value: location.pathname }),
    make("label", { for: name }, messages.replyTo.replace("{name}", link.dataset.name)),
    make("textarea", { id: name, name: "caption", rows: 2, "data-most": 5000, required: "" }),
    make("span", { class: "row" }, cancel, make("button", { class: "button main" }, messages.reply)),
  );
  comment.after(form);
  keep(form);
  field(form).focus({ preventScroll: true });
  form.scrollIntoView({ block: "nearest" });
  return undefined;
}

/** Where a new comment belongs: after the others at the same place. */
function threadOf(form) {
  if (!form.matches(".reply")) {
    const section = form.closest(".comments");
    let root = $(":scope > .thread", section);
    if (!root) form.before((root = make("div", { class: "thread" })));
    return root;
  }
  let below = form.nextElementSibling;
  if (below?.matches(".branch")) {
    below.open = true;
    below = $(".thread", below);
  }
  if (!below?.matches(".thread")) form.after((below = make("div", { class: "thread" })));
  return below;
}

function pending(text) {
  const state = make("p", { class: "unsent soft", role: "status" }, messages.sending);
  const face = $("#answer .avatar")?.cloneNode() ?? make("span");
  const words = make("div", { class: "caption", dir: "auto" }, text);
  return { state, row: make("article", { class: "comment pending" }, face, make("div", { class: "body" }, words, state)) };
}

function showProblem(form, text) {
  $(".problem", form)?.remove();
  if (!text) return;
  form.append(make("p", { class: "problem", role: "alert" }, text));
  field(form).focus();
}

/** What the server does not take is in its field again, to be changed. */
function takeBack(form, row, text, problem) {
  if (form.isConnected) row.remove();
  else row.replaceWith(form);
  field(form).value ||= text;
  showProblem(form, problem);
}

async function post(form, text) {
  const over = surplus(field(form));
  showProblem(form, over ? messages.tooLong.replace("{n}", number.format(over)) : "");
  if (over) return;
  const action = form.getAttribute("action");
  const { row, state } = pending(text);
  threadOf(form).append(row);
  field(form).value = "";
  $(".characters-left", form)?.remove();
  row.tabIndex = -1;
  if (form.matches(".reply")) {
    row.focus({ preventScroll: true });
    form.remove();
  }
  row.scrollIntoView({ block: "nearest" });
  const once = `${Date.now()}-${Math.random()}`; // or trying again after a lost answer would post it twice
  const attempt = async () => {
    if (state.contains(document.activeElement)) row.focus();
    state.replaceChildren(messages.sending);
    try {
      const { id } = await send(action, { caption: text, once });
      unsent.forget(key(form));
      await replace(row, id);
    } catch (error) {
      if (error.status === 422) return takeBack(form, row, text, error.message);
      const again = make("button", { type: "button", class: "button s" }, messages.again);
      again.addEventListener("click", attempt);
      const signIn = make("a", { class: "button s", href: "/sign-in", target: "_blank" }, messages.signIn);
      state.replaceChildren(make("span", {}, `${messages.notSent} ${error.message}`), ...(error.isSignedOut ? [signIn] : []), again);
    }
  };
  await attempt();
}

/** Puts the comment as the server shows it in the place of the one that was typed. */
async function replace(row, id) {
  const answer = await fetch(location.pathname, { headers: { Accept: "text/html" } }).catch(() => null);
  const page = answer?.ok ? new DOMParser().parseFromString(await answer.text(), "text/html") : null;
  const made = page && $(`#post-${id}`, page);
  if (!made) {
    $(".unsent", row).remove();
    row.classList.remove("pending");
    return;
  }
  const title = $("#comments-title", page);
  if (title) $("#comments-title").textContent = title.textContent;
  enhance(made);
  const hadFocus = row.contains(document.activeElement);
  row.replaceWith(made);
  if (!hadFocus) return;
  made.tabIndex = -1;
  made.focus({ preventScroll: true });
}

document.addEventListener("click", (event) => {
  const link = event.target.closest("[data-reply]");
  if (!link || event.ctrlKey || event.metaKey || event.shiftKey) return;
  event.preventDefault();
  openReply(link);
});
for (const form of $$("form.answer")) keep(form);
