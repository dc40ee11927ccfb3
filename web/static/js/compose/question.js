// The box above Post: why nothing is posted yet, and what can be done about it.

import { $, make } from "../dom.js";
import { changed, postButton } from "./form.js";

const box = $("#undecided");
let about = "";

/** What the box is about; "" while it is not shown. */
export const isAbout = () => about;

export function makeButton(text, act, classes = "") {
  const one = make("button", { type: "button", class: `button ${classes}` }, text);
  one.addEventListener("click", act);
  return one;
}

/** Shows a text with buttons. One that is shown already stays as it is, with its focus. */
export function showQuestion(what, text, ...buttons) {
  about = what;
  const shown = [text, ...buttons.map((one) => one.textContent)].join("\n");
  if (box.shown !== shown) {
    const hadFocus = box.contains(document.activeElement);
    box.replaceChildren(...text.split("\n").map((line) => make("p", {}, line)), make("p", { class: "row" }, ...buttons));
    if (hadFocus) focusQuestion();
  }
  box.shown = shown;
  box.hidden = false;
}

export const focusQuestion = () => box.focus({ preventScroll: true });

export function hideQuestion() {
  const hadFocus = box.contains(document.activeElement);
  about = box.shown = "";
  box.hidden = true;
  if (hadFocus) postButton.focus();
}

box.addEventListener("keydown", (event) => {
  if (event.key !== "Escape") return;
  event.preventDefault();
  hideQuestion();
  changed();
});
