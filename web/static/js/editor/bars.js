// The bar above the photo, the strip of photos beside it, the modes, and the question before changes are discarded.

import { icon, make } from "../dom.js";

export function key(name, label, act, classes = "") {
  const button = make("button", { type: "button", class: `e-key ${classes}`, "aria-label": label, title: label }, icon(name));
  button.addEventListener("click", act);
  return button;
}

function word(classes, text, act) {
  const button = make("button", { type: "button", class: classes }, text);
  button.addEventListener("click", act);
  return button;
}

export const wordButton = word;

/** `acts` has `cancel`, `undo`, `redo`, `copy` (or nothing where there is one photo), `reset`, `done`. */
export function topBar(texts, title, tools, acts) {
  const undo = key("undo", texts.undo, acts.undo);
  const redo = key("redo", texts.redo, acts.redo);
  const done = word("button main e-done", texts.done, acts.done);
  const cancel = word("e-cancel", texts.cancel, acts.cancel);
  const summary = make("summary", { class: "e-key", "aria-label": texts.more, title: texts.more }, icon("more"));
  const menu = make("div", { class: "sheet" });
  const more = make("details", { class: "e-more menu" }, summary, menu);
  const entry = (text, act) => menu.append(word("", text, () => ((more.open = false), summary.focus(), act())));
  if (acts.copy) entry(texts.copy, acts.copy);
  entry(texts.reset, acts.reset);
  const middle = make("div", { class: "e-mid" }, undo, redo, ...tools, more);
  const element = make("header", { class: "e-top" }, cancel, make("h1", { class: "e-title" }, title), middle, done);
  return { element, undo, redo, done, cancel, more };
}

/** Links to the other photos of the post; `edited(id)` says whether a photo is marked. */
export function film(data, edited) {
  const items = data.photos.map((photo, n) => {
    const label = data.texts.position.replace("{n}", n + 1).replace("{total}", data.photos.length);
    const dot = make("span", { class: "e-dot", hidden: "" }, make("span", { class: "sr" }, data.texts.changed));
    const image = make("img", { src: photo.thumb, alt: "", width: 60, height: 60 });
    const link = make("a", { href: `/photos/${photo.id}/edit?back=${encodeURIComponent(data.back)}` }, image, make("span", { class: "sr" }, label), dot);
    if (photo.id === data.id) link.setAttribute("aria-current", "page");
    return { photo, link, dot };
  });
  const element = make("nav", { class: "e-film", "aria-label": data.texts.photos }, ...items.map((one) => one.link));
  const show = () => {
    for (const { photo, dot } of items) dot.hidden = !edited(photo.id);
  };
  show();
  return { element, show };
}

/** Three tabs, with arrow keys between them. */
export function modes(texts, panels, chosen) {
  const names = Object.keys(panels);
  const tabs = names.map((name) => {
    const tab = make("button", { type: "button", role: "tab", id: `e-tab-${name}`, "aria-controls": `e-panel-${name}` }, texts[name]);
    tab.addEventListener("click", () => choose(name));
    panels[name].id = `e-panel-${name}`;
    panels[name].setAttribute("role", "tabpanel");
    panels[name].setAttribute("aria-labelledby", tab.id);
    return tab;
  });
  const element = make("div", { class: "e-modes", role: "tablist", "aria-label": texts.modes }, ...tabs);
  element.addEventListener("keydown", (event) => {
    const by = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    if (!by) return;
    event.preventDefault();
    const next = (tabs.indexOf(document.activeElement) + by + tabs.length) % tabs.length;
    choose(names[next]);
    tabs[next].focus();
  });
  function choose(name) {
    names.forEach((one, n) => {
      tabs[n].setAttribute("aria-selected", String(one === name));
      tabs[n].tabIndex = one === name ? 0 : -1;
      panels[one].hidden = one !== name;
    });
    chosen(name);
  }
  return { element, choose };
}

/** Asks before changes are discarded. */
export function ask(texts, discard) {
  const buttons = make("p", { class: "row" });
  const dialog = make("dialog", { class: "e-ask", "aria-label": texts.discardQuestion }, make("p", {}, texts.discardQuestion), buttons);
  buttons.append(
    word("button plain", texts.discard, () => (dialog.close(), discard())),
    word("button", texts.keep, () => dialog.close()),
  );
  dialog.addEventListener("close", () => dialog.remove());
  document.body.append(dialog);
  dialog.showModal();
  buttons.lastChild.focus();
}
