// People and hashtags are suggested while they are typed in a caption or comment; says when few characters are left.

import { make, messages, number } from "./dom.js";
import { lengthOf, surplus } from "./lengths.js";

const TOKEN = /(?:^|[^\p{L}\p{N}_/@#&])([@#][\p{L}\p{M}\p{N}_.@-]{1,60})$/u;
// Where only people can be named.
const NAME = /^[\p{L}\p{M}\p{N}_.-]{1,60}$/u;
const DELAY = 120;
const FEW = 500;

const EDGE = 8;

const list = make("ul", { id: "suggestions", class: "suggestions", role: "listbox", "aria-label": messages.suggestionList, hidden: "" });
const counted = make("p", { class: "sr", role: "status" });
let field;
let timer;
let request;
let markedFor = ""; // what was typed when the marked suggestion was marked

const options = () => [...list.children];
const active = () => list.querySelector("[aria-selected=true]");

function typed() {
  if (field.selectionStart !== field.selectionEnd) return "";
  const before = field.value.slice(0, field.selectionStart);
  if (field.matches("[data-suggest]") && NAME.test(before)) return before;
  return before.match(TOKEN)?.[1] ?? "";
}

function close() {
  clearTimeout(timer);
  request?.abort();
  list.hidden = true;
  counted.textContent = "";
  field?.removeAttribute("aria-activedescendant");
}

function mark(option) {
  for (const one of options()) one.setAttribute("aria-selected", String(one === option));
  field.setAttribute("aria-activedescendant", option.id);
  markedFor = typed();
  option.scrollIntoView({ block: "nearest" });
}

function insert(option) {
  const end = field.selectionStart;
  const start = end - typed().length;
  field.setRangeText(`${option.dataset.text} `, start, end, "end");
  close();
  field.dispatchEvent(new Event("input", { bubbles: true }));
}

function show(found) {
  list.replaceChildren(
    ...found.map(({ text, name, image }, n) => {
      const option = make("li", { id: `suggestion-${n}`, role: "option", "aria-selected": "false" });
      option.dataset.text = text;
      if (image) option.append(make("img", { class: "avatar", src: image, alt: "", width: 32, height: 32 }));
      const names = make("span", { class: "who" }, make("b", {}, name));
      if (image) names.append(make("span", { class: "handle" }, text));
      option.append(names);
      return option;
    }),
  );
  field.after(list, counted);
  field.setAttribute("aria-autocomplete", "list");
  field.setAttribute("aria-controls", list.id);
  list.hidden = !found.length;
  field.removeAttribute("aria-activedescendant");
  if (found.length) {
    place();
    mark(options()[0]);
  }
  counted.textContent = found.length ? messages.suggestions.replace("{n}", found.length) : "";
}

/** Puts the list under the field or, where there is more room, over it: on the page, and not on what is typed. */
function place() {
  const { offsetTop: top, height } = visualViewport;
  const width = document.documentElement.clientWidth;
  const box = field.getBoundingClientRect();
  const above = box.top - top - EDGE;
  const below = top + height - box.bottom - EDGE;
  list.style.maxHeight = "";
  const isAbove = list.offsetHeight > below && above > below;
  list.style.maxHeight = `${Math.min(list.offsetHeight, isAbove ? above : below)}px`;
  const left = Math.max(EDGE, Math.min(box.left, width - list.offsetWidth - EDGE));
  list.style.left = list.style.top = "0";
  const origin = list.getBoundingClientRect();
  list.style.left = `${left - origin.left}px`;
  list.style.top = `${(isAbove ? box.top - list.offsetHeight - 4 : box.bottom + 4) - origin.top}px`;
}

async function ask(token) {
  request?.abort();
  request = new AbortController();
  try {
    const answer = await fetch(`/search/suggestions?q=${encodeURIComponent(/^[@#]/.test(token) ? token : `@${token}`)}`, {
      headers: { Accept: "application/json" },
      signal: request.signal,
    });
    if (!answer.ok) return;
    const found = await answer.json();
    if (document.activeElement === field && typed() === token) show(found);
  } catch {
    // Without an answer there are no suggestions; what is typed stays.
  }
}

function showCharactersLeft() {
  const left = Number(field.dataset.most) - lengthOf(field);
  let counter = field.parentElement.querySelector(".characters-left");
  if (left > FEW) return counter?.remove();
  if (!counter) {
    counter = make("p", { class: "characters-left small soft", role: "status" });
    field.after(counter);
  }
  const over = surplus(field);
  counter.classList.toggle("wrong", Boolean(over));
  const text = over ? messages.tooManyCharacters : messages.charactersLeft;
  counter.textContent = text.replace("{n}", number.format(over || left));
}

document.addEventListener("input", (event) => {
  if (!event.target.matches("textarea[name=caption], [data-suggest]")) return;
  if (field !== event.target) {
    close();
    field = event.target;
  }
  if (field.dataset.most && field.matches("textarea")) showCharactersLeft();
  const token = typed();
  clearTimeout(timer);
  if (token) timer = setTimeout(() => ask(token), DELAY);
  else close();
});

document.addEventListener(
  "keydown",
  (event) => {
    if (list.hidden || event.target !== field || event.isComposing) return;
    const all = options();
    const at = all.indexOf(active());
    const isPlain = !event.shiftKey && !event.ctrlKey && !event.metaKey && !event.altKey;
    // While something else is typed than what the list is about, nothing of it is taken.
    const takes = isPlain && ["Enter", "Tab"].includes(event.key) && markedFor === typed();
    if (event.key === "ArrowDown") mark(all[(at + 1) % all.length]);
    else if (event.key === "ArrowUp") mark(all[(at <= 0 ? all.length : at) - 1]);
    else if (takes) insert(all[at]);
    else if (event.key === "Escape") close();
    else return;
    event.preventDefault();
    event.stopPropagation();
  },
  true,
);

list.addEventListener("pointerdown", (event) => event.preventDefault()); // the caption keeps the focus
list.addEventListener("click", (event) => {
  const option = event.target.closest("[role=option]");
  if (option) insert(option);
});
document.addEventListener("focusout", (event) => {
  if (event.target === field) close();
});
