// The full-screen viewer: a dialog with the photos of one post side by side, loaded when somebody opens a photo.
// Back closes it, since opening it adds an entry to the history, with the address of the page of the photo; the album
// below follows it.

import { share } from "./copying.js";
import { $, $$, make, messages, showToast } from "./dom.js";
import { setUpGestures } from "./viewer_gestures.js";
import { STEP, setUpKeys } from "./viewer_keys.js";
import * as parts from "./viewer_parts.js";
import { People } from "./viewer_people.js";
import { Zoom } from "./viewer_zoom.js";

const IDLE_MS = 3000;

let viewer = null;
let wanted = null;
let leaving = Promise.resolve();

/** Opens the viewer at the photo of a link: that of a photo of a post, or of a square of a grid. For so long it may be abandoned. */
export async function open(link, forMs = 0) {
  wanted = link;
  await leaving;
  if (viewer || wanted !== link) return;
  viewer = new Viewer(link);
  await viewer.start(forMs);
}

/** Closes a viewer that has just begun to open, as if it had not. */
export function abandon() {
  wanted = null;
  viewer?.close();
}

class Viewer {
  constructor(link) {
    this.link = link;
    this.slides = link.closest(".slides");
    this.links = this.slides ? $$(".shot", this.slides) : [link];
    this.n = Math.max(0, this.links.indexOf(link));
    this.page = location.pathname;
    this.card = link.closest(".comment, .post");
    this.rtl = document.documentElement.dir === "rtl" ? -1 : 1;
    this.shots = this.links.map((one) => this.fromPage(one));
    this.words = null;
    this.moved = false;
  }

  /** What the page knows of a photo already, so that it is seen before anything is asked. */
  fromPage(link) {
    const image = $("img", link);
    const isSquare = link.matches(".cell");
    const seen = image.complete && image.naturalWidth ? image.currentSrc : "";
    const [width, height] = isSquare ? [0, 0] : [Number(image.getAttribute("width")), Number(image.getAttribute("height"))];
    return { now: isSquare ? "" : seen, medium: "", large: "", largest: link.href, thumb: "", width, height, alt: image.alt };
  }

  async start(forMs) {
    this.dialog = make("dialog", { class: forMs ? "viewer slowly" : "viewer", "aria-label": messages.viewer });
    this.ground = make("div", { class: "viewer-ground" });
    this.track = make("div", { class: "viewer-track" });
    this.stage = make("div", { class: "viewer-stage" }, this.track);
    this.counter = make("p", { class: "viewer-counter", "aria-hidden": "true" });
    this.status = make("p", { class: "sr", role: "status" });
    const close = parts.control("viewer-close", "close", messages.close, () => this.close());
    this.top = make("div", { class: "viewer-top" }, close, this.counter);
    this.dialog.append(this.ground, this.top, this.stage, this.status);
    this.zoom = new Zoom(this);
    this.fill();
    document.body.append(this.dialog);
    this.dialog.showModal();
    this.popped = () => this.finish(true);
    this.entering = forMs ? setTimeout(() => this.enter(), forMs) : this.enter();
    this.dialog.addEventListener("close", () => this.finish(false));
    this.dialog.addEventListener("cancel", (event) => (event.preventDefault(), this.escape()));
    setUpKeys(this.dialog, this);
    this.dialog.addEventListener("click", (event) => this.follow(event));
    setUpGestures(this.dialog, this);
    this.watch = new ResizeObserver(() => this.sizeOfStage() !== this.drawnFor && this.show());
    this.watch.observe(this.stage);
    this.wake = this.wake.bind(this);
    for (const kind of ["pointermove", "pointerdown", "keydown"]) this.dialog.addEventListener(kind, this.wake);
    this.wake();
    this.show();
    await this.load();
  }

  /** The viewer becomes a place in the history, which Back leaves: soon, or when something is done in it. */
  enter() {
    if (this.isPlace) return;
    this.isPlace = true;
    clearTimeout(this.entering);
    history.pushState({ viewer: true }, "", this.address);
    addEventListener("popstate", this.popped);
  }

  /** The place in the history has the address of the photo that is seen. */
  rename() {
    if (this.isPlace) history.replaceState({ viewer: true }, "", this.address);
  }

  /** Asks for what the page does not know: every photo of the post, its sizes, its description, and the words. */
  async load() {
    const answer = await fetch(`/posts/${this.link.dataset.shots}/photos`, { headers: { Accept: "application/json" } }).catch(() => null);
    const data = answer?.ok ? await answer.json().catch(() => null) : null;
    if (!this.dialog.isConnected) return;
    if (!data) {
      // The photo itself is seen, unless it was only a square; then its page is better, with a connection.
      if (!this.shots[this.n].width) answer ? location.replace(this.link.href) : (this.close(), showToast(messages.offline));
      return;
    }
    const known = data.photos.length === this.shots.length ? this.shots : [];
    if (!known.length) this.n = Math.min(this.number, data.photos.length) - 1;
    this.shots = data.photos.map((shot, n) => ({ ...shot, now: known[n]?.now || "", alt: shot.alt || known[n]?.alt || "", described: shot.alt }));
    this.words = data.words;
    this.build(data);
    this.fill();
    this.show();
    this.rename();
  }

  build(data) {
    const { words } = data;
    const zoom = parts.zoomBar(words, {
      smaller: () => this.zoom.by(1 / STEP),
      toggle: () => this.toggleReal(),
      larger: () => this.zoom.by(STEP),
    });
    this.level = zoom.level;
    this.altButton = make("button", { type: "button", class: "viewer-button viewer-alt-button", "aria-expanded": "false" }, "ALT");
    this.altButton.append(make("span", { class: "sr" }, ` ${words.description}`));
    this.altButton.addEventListener("click", () => this.showAlt(!this.altShown));
    this.aboutButton = parts.control("", "info", words.about, () => this.showAbout(!this.panel.isConnected));
    this.aboutButton.setAttribute("aria-expanded", "false");
    this.save = make("a", { class: "viewer-button", download: "", title: words.download, "aria-label": words.download });
    this.save.append(parts.control("", "download", "", () => {}).firstChild);
    const pass = parts.control("", "share", words.share, () => share(new URL(this.address, location.href).href));
    this.people = new People(this);
    const tools = make("div", { class: "viewer-tools" }, zoom.bar, this.people.button, this.altButton, this.aboutButton, pass, this.save);
    if (document.fullscreenEnabled) tools.append(parts.control("viewer-full", "full", words.full, () => this.toggleFull()));
    this.alt = make("p", { class: "viewer-alt", dir: "auto", hidden: "", tabindex: "0" });
    this.panel = make("aside", { class: "viewer-about", "aria-label": words.about });
    this.map = make("div", { class: "viewer-map", "aria-hidden": "true" }, make("img", { alt: "" }), make("i"));
    this.reach = make("div", { class: "viewer-reach", "aria-hidden": "true" }, make("i"));
    this.top.after(tools);
    const response = parts.response(data, this.card && $('button[data-action="like"]', this.card));
    this.dialog.append(parts.author(data), response, this.alt, this.reach, this.map);
    if (this.shots.length > 1) {
      const film = parts.film(words, this.shots, (n) => this.go(n));
      this.filmButtons = film.buttons;
      this.back = parts.control("viewer-arrow prev", this.rtl > 0 ? "left" : "right", words.previous, () => this.turn(-1));
      this.next = parts.control("viewer-arrow next", this.rtl > 0 ? "right" : "left", words.next, () => this.turn(1));
      this.dialog.append(this.back, this.next, film.strip);
    }
  }

  /** One element for each photo; those that are there already keep their picture. */
  fill() {
    if (this.frames?.length !== this.shots.length) {
      this.track.replaceChildren(...this.shots.map((shot) => parts.frame(shot.alt)));
      this.frames = [...this.track.children];
    }
    this.frames.forEach((frame, n) => ($("img", frame).alt = this.shots[n].alt));
  }

  /** Which photo of its post the link leads to, where the page does not show the others. */
  get number() {
    return Number(this.link.dataset.number ?? this.link.pathname.match(/\/photos\/(\d+)$/)?.[1] ?? 1);
  }

  get address() {
    return `/posts/${this.link.dataset.shots}/photos/${this.words || this.slides ? this.n + 1 : this.number}`;
  }

  get shot() {
    return this.shots[this.n];
  }

  get image() {
    return $("img", this.frames[this.n]);
  }

  sizeOfStage() {
    return `${this.stage.clientWidth} ${this.stage.clientHeight}`;
  }

  /** Draws everything anew for the current photo: after turning, loading and a change of the size of the screen. */
  show() {
    this.drawnFor = this.sizeOfStage();
    const total = this.shots.length;
    const position = (this.words?.position ?? "{n} / {total}").replace("{n}", this.n + 1).replace("{total}", total);
    this.counter.textContent = total > 1 ? position : "";
    const said = [total > 1 ? position : "", this.shot.alt].filter(Boolean).join(". ");
    if (this.status.textContent !== said) this.status.textContent = said;
    this.frames.forEach((frame, i) => {
      frame.style.translate = `${this.rtl * i * 100}%`;
      frame.inert = i !== this.n;
      if (Math.abs(i - this.n) <= 1) this.feed(i);
    });
    this.place(0, false);
    this.people?.change();
    this.zoom.reset();
    if (!this.words) return;
    if (this.back) {
      this.back.disabled = this.n === 0;
      this.next.disabled = this.n === total - 1;
      this.filmButtons.forEach((button, i) => button.setAttribute("aria-current", i === this.n));
      const now = this.filmButtons[this.n];
      now.parentElement.scrollTo({ left: now.offsetLeft - now.parentElement.clientWidth / 2 + 28 });
    }
    this.save.href = this.shot.largest;
    this.save.download = this.shot.saveAs;
    this.altButton.hidden = !this.shot.described;
    this.showAlt(this.altShown && Boolean(this.shot.described));
    if (this.panel.isConnected && this.told !== this.shot) this.describe();
    this.zoomed();
  }

  /** Gives a photo on the track the file that is there already, or the one of a feed; a larger one follows when it is needed. */
  feed(n) {
    const image = $("img", this.frames[n]);
    const shot = this.shots[n];
    if (!image.src && (shot.now || shot.medium)) {
      image.addEventListener("error", () => this.failed(n), { once: true });
      image.addEventListener("load", () => this.zoom.fit(n), { once: true });
      image.src = shot.now || shot.medium;
    }
    this.zoom.fit(n);
  }

  failed(n) {
    const [frame, image] = [this.frames[n], $("img", this.frames[n])];
    if (!this.words || !frame.isConnected) return;
    image.hidden = true;
    const again = () => {
      image.hidden = false;
      image.removeAttribute("src");
      this.shots[n].now = "";
      this.feed(n);
    };
    frame.append(parts.failure(this.words, again));
  }

  /** Called whenever the zoom has changed: the bars step back, the map shows where one is. */
  zoomed() {
    const { zoom } = this;
    this.dialog.classList.toggle("is-zoomed", !zoom.isAtRest);
    if (!this.words) return;
    this.people.place();
    this.level.textContent = zoom.isFit ? this.words.fit : parts.percent(zoom.percent);
    this.level.title = zoom.isFit ? this.words.realHint : this.words.fitHint;
    zoom.draw(this.map, this.reach);
  }

  // What the gestures ask for.

  isZoomed() {
    return !this.zoom.isFit;
  }

  isAtRest() {
    return this.zoom.isAtRest;
  }

  zoomBy(factor, x, y, loose = false) {
    this.zoom.by(factor, x, y, loose);
  }

  pan(dx, dy, loose = false) {
    return this.zoom.pan(dx, dy, loose);
  }

  toggleReal(x, y) {
    this.zoom.toggle(x, y);
  }

  toggleChrome = () => this.dialog.classList.toggle("is-bare");

  /** Moves the track under the finger; at its ends it resists. */
  slide(dx) {
    const atEnd = (this.rtl * dx > 0 && this.n === 0) || (this.rtl * dx < 0 && this.n === this.shots.length - 1);
    this.place(atEnd ? dx * 0.3 : dx, false);
  }

  pull(dy) {
    this.track.style.translate = `${-this.rtl * this.n * 100}% ${dy}px`;
    this.ground.style.opacity = Math.max(0.2, 1 - dy / 400);
    this.dialog.classList.add("is-held");
  }

  release() {
    this.ground.style.opacity = "";
    this.dialog.classList.remove("is-held");
    this.place(0, true);
    this.zoom.settle();
  }

  place(dx, settles) {
    this.track.classList.toggle("settles", settles);
    this.track.style.translate = `calc(${-this.rtl * this.n * 100}% + ${dx}px) 0`;
  }

  /** Goes to the photo before or after; false at the ends. `isSwipe`: the step is where the finger went, not in which order. */
  turn(step, isSwipe = false) {
    return this.go(this.n + (isSwipe ? this.rtl * step : step));
  }

  go(n) {
    if (n < 0 || n >= this.shots.length || n === this.n) return false;
    this.n = n;
    this.moved = true;
    this.show();
    this.place(0, true);
    this.enter();
    this.rename();
    return true;
  }

  showAlt(on) {
    this.altShown = on;
    this.alt.hidden = !on;
    this.alt.textContent = this.shot.described ?? "";
    this.altButton.setAttribute("aria-expanded", Boolean(on));
  }

  describe() {
    this.told = this.shot;
    const shot = { ...this.shot, alt: this.shot.described };
    this.panel.replaceChildren(...parts.about(this.words, shot, () => this.showAbout(false)));
  }

  showAbout(on = true) {
    if (!this.words || on === this.panel.isConnected) return;
    this.aboutButton.setAttribute("aria-expanded", on);
    if (on) this.showAlt(false);
    this.dialog.classList.toggle("has-about", on);
    if (on) {
      this.describe();
      this.dialog.append(this.panel);
      $("button", this.panel).focus();
    } else {
      this.panel.remove();
      this.aboutButton.focus();
    }
    this.show();
  }

  toggleFull() {
    if (document.fullscreenElement) document.exitFullscreen();
    else this.dialog.requestFullscreen().catch(() => {});
  }

  /** The bars go when the mouse rests, and come back with it. */
  wake(event) {
    clearTimeout(this.idle);
    this.dialog.classList.remove("is-idle");
    if (event?.pointerType === "mouse") this.idle = setTimeout(() => this.dialog.classList.add("is-idle"), IDLE_MS);
  }

  escape() {
    if (!this.zoom.isAtRest) this.zoom.reset();
    else if (this.words && this.panel.isConnected) this.showAbout(false);
    else this.close();
  }

  /** A link to another page takes the place of the viewer in the history, so that Back leads to where it was opened. */
  follow(event) {
    const link = event.target.closest("a[href]");
    if (!link || link.hasAttribute("download") || event.ctrlKey || event.metaKey || event.shiftKey) return;
    if (link.origin !== location.origin || link.target) return;
    event.preventDefault();
    this.enter();
    if (link.pathname !== this.page) {
      this.finish(true); // or a page that is kept for Back would still show it
      return location.replace(link.href);
    }
    this.close();
    leaving.then(() => $(link.hash || "#main")?.scrollIntoView());
  }

  close() {
    this.dialog.close();
  }

  finish(isBack) {
    if (viewer !== this) return;
    viewer = null;
    removeEventListener("popstate", this.popped);
    this.watch.disconnect();
    for (const timer of [this.idle, this.entering]) clearTimeout(timer);
    if (document.fullscreenElement) document.exitFullscreen();
    this.dialog.close();
    this.dialog.remove();
    if (!isBack && this.isPlace) {
      leaving = new Promise((done) => addEventListener("popstate", done, { once: true }));
      history.back();
    }
    if (this.slides && this.moved) this.slides.scrollTo({ left: this.rtl * this.n * this.slides.clientWidth, behavior: "instant" });
    (this.links[this.n] ?? this.link).focus({ preventScroll: true });
  }
}
