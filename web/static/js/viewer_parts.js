// The elements of the viewer: its bars, the strip of photos, what is known about a photo.

import { icon, locale, make, number } from "./dom.js";

const share = new Intl.NumberFormat(locale, { style: "percent" });

export const percent = (value) => share.format(value / 100);

export function control(classes, name, label, act) {
  const button = make("button", { type: "button", class: `viewer-button ${classes}`, "aria-label": label, title: label }, icon(name));
  button.addEventListener("click", act);
  return button;
}

/** One photo on the track. Its image gets a source when it is near. */
export function frame(alt) {
  const image = make("img", { alt, draggable: "false", decoding: "async" });
  return make("div", { class: "viewer-frame" }, image);
}

export function failure(words, again) {
  const button = make("button", { type: "button", class: "button" }, words.again);
  const box = make("div", { class: "viewer-failed", role: "alert" }, make("p", {}, words.failed), button);
  button.addEventListener("click", () => (box.remove(), again()));
  return box;
}

/** Zoom out, how large it is, zoom in. */
export function zoomBar(words, { smaller, toggle, larger }) {
  const level = make("button", { type: "button", class: "viewer-level" }, words.fit);
  level.addEventListener("click", toggle);
  const bar = make("div", { class: "viewer-zoom" }, control("", "less", words.smaller, smaller), level, control("", "new", words.larger, larger));
  return { bar, level };
}

export function film(words, shots, go) {
  const buttons = shots.map((shot, n) => {
    const label = words.position.replace("{n}", n + 1).replace("{total}", shots.length);
    const image = make("img", { src: shot.thumb || shot.medium, alt: "", width: 56, height: 56, loading: "lazy" });
    const button = make("button", { type: "button", "aria-label": label }, image);
    button.addEventListener("click", () => go(n));
    return button;
  });
  return { strip: make("div", { class: "viewer-film", role: "group", "aria-label": words.film }, ...buttons), buttons };
}

/** Who made the post, and its first words; a link to it. */
export function author(data) {
  const face = make("img", { class: "avatar", src: data.avatar, alt: "", width: 32, height: 32 });
  const caption = make("span", {}, make("b", {}, make("bdi", {}, data.author)));
  if (data.caption) caption.append(" ", make("bdi", {}, data.caption));
  const link = make("a", { class: "viewer-author", href: data.path, title: data.words.open }, face, caption);
  link.append(make("span", { class: "sr" }, ` ${data.words.open}`));
  return link;
}

/** The like button is the post's own, twice: `actions.js` presses both. */
export function response(data, twin) {
  const row = make("div", { class: "viewer-response" });
  if (data.like) {
    const pressed = twin ? twin.getAttribute("aria-pressed") === "true" : data.like.endsWith("unlike");
    const path = twin?.getAttribute("formaction") ?? data.like;
    const count = make("span", { class: "n" }, twin?.querySelector(".n")?.textContent ?? data.likes);
    const like = make("button", { type: "button", class: "action", "data-action": "like", "aria-pressed": pressed, formaction: path, title: data.words.like });
    like.append(icon("heart", "icon fills"), make("span", { class: "sr" }, data.words.like), count);
    row.append(like);
  }
  const comments = make("a", { class: "action", href: `${data.path}#comments`, title: data.words.comments }, icon("comment"));
  comments.append(make("span", { class: "sr" }, `${data.words.comments} `), make("span", { class: "n" }, data.comments));
  row.append(comments);
  return row;
}

const pixels = (shot) => (shot.width && shot.height ? `${number.format(shot.width)} × ${number.format(shot.height)}` : "");

export function about(words, shot, close) {
  const head = make("div", { class: "viewer-about-head" }, make("h2", { id: "viewer-about" }, words.about), control("", "close", words.closeAbout, close));
  const text = make("p", { class: shot.alt ? "viewer-words" : "viewer-words soft", dir: "auto" }, shot.alt || words.noDescription);
  const panel = make("div", { class: "viewer-about-text", tabindex: "0", role: "group", "aria-labelledby": "viewer-about" }, make("h3", {}, words.description), text);
  const known = make("template");
  known.innerHTML = shot.about; // made and escaped by this node: web/html/photo_metadata.py
  panel.append(known.content);
  if (shot.notice) panel.append(make("p", { class: "viewer-words" }, shot.notice));
  const facts = [pixels(shot), shot.bytes].filter(Boolean).join(", ");
  if (facts) panel.append(make("dl", { class: "facts metadata" }, make("dt", {}, words.file), make("dd", {}, facts)));
  const size = pixels(shot);
  const save = make("a", { class: "button", href: shot.largest, download: shot.saveAs }, icon("download", "icon s"), size ? `${words.download} (${size})` : words.download);
  panel.append(save);
  return [head, panel];
}
