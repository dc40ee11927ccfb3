// The photo in the middle: drawn here, or, where WebGL2 is missing or was lost, a picture that the server makes.

import { make } from "../dom.js";
import * as geometry from "./geometry.js";
import * as recipes from "./recipe.js";
import { Renderer } from "./renderer.js";
import * as tables from "./tables.js";

const REST = 220; // milliseconds without a change, after which the server is asked
const SHARP = 120; // and after which a photo that was zoomed is drawn as fine as it is shown

export class Preview {
  /** `data` is that of the page; `drawn` is called after each picture that is not just passing. */
  constructor(data, drawn) {
    this.data = data;
    this.looks = Object.fromEntries(data.groups.flatMap((group) => group.looks.map((look) => [look.id, look])));
    this.drawn = drawn;
    this.recipe = recipes.read(data.recipe);
    this.split = 0;
    this.view = { scale: 1, x: 0, y: 0 }; // of the screen: nothing that is saved
    const share = Math.min(1, data.copyEdge / Math.max(...data.size));
    this.size = data.size.map((side) => Math.max(1, Math.round(side * share)));
    this.canvas = make("canvas", { class: "e-canvas", role: "img", "aria-label": data.alt || data.texts.photo });
    this.before = make("img", { class: "e-before", alt: "", hidden: "" });
    this.picture = make("img", { class: "e-picture", alt: data.alt || data.texts.photo, hidden: "" });
    this.box = make("div", { class: "e-photo" }, this.canvas, this.before, this.picture);
    this.note = make("div", { class: "e-note", role: "status" });
    this.stage = make("div", { class: "e-stage", role: "group", "aria-label": data.texts.photo }, this.box, this.note);
    this.canvas.addEventListener("webglcontextlost", (event) => {
      event.preventDefault();
      this.renderer = null;
      this.useServer();
    });
    this.canvas.addEventListener("webglcontextrestored", () => this.useRenderer());
    addEventListener("online", () => this.again?.());
    new ResizeObserver(() => this.show(this.recipe)).observe(this.stage);
    this.picture.addEventListener("error", () => this.say(data.texts.noPreview, () => this.ask()));
    this.picture.addEventListener("load", () => {
      if (!this.renderer) this.say(data.texts.fromServer);
    });
  }

  /** Says something over the photo, with a button where trying again may help. */
  say(text, again) {
    this.note.replaceChildren(text);
    this.note.hidden = !text;
    this.again = again && (() => (this.say(""), again()));
    if (!again) return;
    const button = make("button", { type: "button", class: "button s" }, this.data.texts.again);
    button.addEventListener("click", () => this.again());
    this.note.append(" ", button);
  }

  async start() {
    this.say(this.data.texts.getting);
    this.image = new Image();
    this.image.src = `/photos/${this.data.id}/copy`;
    try {
      await this.image.decode();
    } catch {
      return this.say(this.data.texts.noPreview, () => this.start());
    }
    this.size = [this.image.naturalWidth, this.image.naturalHeight];
    this.useRenderer();
  }

  useRenderer() {
    try {
      this.renderer = new Renderer(this.canvas);
      this.renderer.setSource(this.image);
    } catch {
      this.renderer = null;
      return this.useServer();
    }
    this.say("");
    this.canvas.hidden = false;
    this.picture.hidden = this.before.hidden = true;
    this.show(this.recipe);
  }

  useServer() {
    this.say(this.data.texts.fromServer);
    this.canvas.hidden = true;
    this.picture.hidden = false;
    this.ask();
  }

  /** Shows a recipe. While something moves, the server is not asked. */
  show(recipe, { isMoving = false } = {}) {
    this.recipe = recipe;
    this.isMoving = isMoving;
    this.fit();
    this.frame ??= requestAnimationFrame(() => {
      this.frame = undefined;
      this.draw();
    });
    clearTimeout(this.timer);
    if (!isMoving) this.timer = setTimeout(() => this.rest(), REST);
  }

  /** Gives the box the shape of the photo, as large as the stage has room for. */
  fit() {
    const style = getComputedStyle(this.stage);
    const across = this.stage.clientWidth - parseFloat(style.paddingLeft) - parseFloat(style.paddingRight);
    const down = this.stage.clientHeight - parseFloat(style.paddingTop) - parseFloat(style.paddingBottom);
    const cropped = geometry.croppedSize(this.recipe, this.size);
    const whole = Math.max(0.01, Math.min(across / cropped[0], down / cropped[1]));
    const { view } = this;
    const shown = cropped.map((side) => Math.max(1, side * whole * view.scale));
    [this.box.style.width, this.box.style.height] = shown.map((side) => `${side}px`);
    const bound = (at, room, side) => Math.min(Math.max(0, (side - room) / 2), Math.max(Math.min(0, (room - side) / 2), at));
    view.x = bound(view.x, this.stage.clientWidth, shown[0]);
    view.y = bound(view.y, this.stage.clientHeight, shown[1]);
    this.box.style.translate = `${view.x}px ${view.y}px`;
    /** How many pixels of the screen show one of the working copy while the whole of it is seen. */
    this.real = whole * Math.min(3, devicePixelRatio || 1);
    const fine = Math.min(1, this.real * view.scale);
    this.out = cropped.map((side) => Math.max(1, Math.round(side * fine)));
  }

  /** How long a side of the working copy is, of 1 for that of the photo. */
  get fineness() {
    return this.size[0] / this.data.size[0];
  }

  /** Shows the photo larger, or another part of it: at once as it is drawn, and then drawn anew. */
  place(view) {
    this.view = view;
    this.fit();
    clearTimeout(this.sharpening);
    this.sharpening = setTimeout(() => this.draw(), SHARP);
  }

  draw() {
    if (!this.renderer) return;
    const { recipe } = this;
    if (this.isDrawn && !tables.isExact(recipe) && !tables.knowsLook(recipe.look)) {
      this.loadLook(recipe.look);
      return;
    }
    const colours = tables.coloursOf(recipe);
    const options = { colours, effects: recipes.effects(recipe, this.looks), out: this.out, split: this.split };
    this.renderer.draw(recipe, options);
    this.isDrawn = true;
    this.canvas.dataset.shown = recipes.spell(recipe);
    this.canvas.dataset.exact = String(tables.isExact(recipe));
    if (!this.isMoving) this.drawn(this.image, recipe, colours);
  }

  async loadLook(look) {
    if (this.wanted === look) return;
    this.wanted = look;
    try {
      await tables.loadLook(look);
      if (this.recipe.look === look) this.show(this.recipe, { isMoving: this.isMoving });
    } catch {
      this.say(this.data.texts.noPreview, () => this.show(this.recipe));
    } finally {
      this.wanted = undefined;
    }
  }

  /** Nothing moves: the exact table of the server takes over, or its picture comes. */
  async rest() {
    if (!this.renderer) return this.image && this.ask();
    if (tables.isExact(this.recipe)) return;
    try {
      await tables.loadExact(this.recipe);
      if (!this.note.hidden) this.say("");
      this.draw();
    } catch {
      // What the browser computed stays: it is near, and the server computes what is saved.
    }
  }

  path(recipe) {
    return `/photos/${this.data.id}/preview?recipe=${encodeURIComponent(recipes.spell(recipe))}`;
  }

  ask() {
    const path = this.path(this.recipe);
    if (this.picture.getAttribute("src") === path && this.picture.complete && this.picture.naturalWidth) return;
    this.picture.src = path;
    this.picture.dataset.shown = recipes.spell(this.recipe);
  }

  /** Shows the photo as it was left of a place (0…1). */
  compare(split) {
    this.split = split;
    if (this.renderer) return this.draw();
    const path = this.path(recipes.shapeOnly(this.recipe));
    if (split && this.before.getAttribute("src") !== path) this.before.src = path;
    this.before.hidden = !split;
    this.picture.style.clipPath = split ? `inset(0 0 0 ${100 * split}%)` : "";
  }
}
