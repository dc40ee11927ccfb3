// Edits that are not saved yet, kept in the browser: by photo, with the steps that can be undone, and the saved recipe from
// which they started. They outlive the tab; `touched` knows those of this one.

import * as recipes from "./recipe.js";

const PREFIX = "photo-edit-";
const TOUCHED = "photo-edits";
const MOST = 60;
const MAX_AGE = 30 * 24 * 3600e3;

function parse(text) {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

export const touched = () => parse(sessionStorage.getItem(TOUCHED)) ?? [];

/** Returns `{recipe, from, steps, at}` of a photo, or nothing. */
export function find(id) {
  const found = parse(localStorage.getItem(PREFIX + id));
  if (!found?.recipe || Date.now() - found.time > MAX_AGE) return null;
  return { ...found, recipe: recipes.read(found.recipe), from: found.from && recipes.read(found.from) };
}

export function keep(id, recipe, from, steps = [], at = 0) {
  const text = JSON.stringify({ recipe: recipes.toJson(recipe), from: recipes.toJson(from), steps, at, time: Date.now() });
  try {
    prune();
    localStorage.setItem(PREFIX + id, text);
  } catch {
    // Without storage there is nothing to keep it in; it is still on the screen.
  }
  sessionStorage.setItem(TOUCHED, JSON.stringify([...new Set([...touched(), id])].slice(-MOST)));
}

export function forget(ids) {
  for (const id of ids) localStorage.removeItem(PREFIX + id);
  sessionStorage.setItem(TOUCHED, JSON.stringify(touched().filter((id) => !ids.includes(id))));
}

/** The oldest go, so that their number has a bound. */
function prune() {
  const keys = Object.keys(localStorage).filter((key) => key.startsWith(PREFIX));
  const time = (key) => parse(localStorage.getItem(key))?.time ?? 0;
  const old = keys.sort((a, b) => time(b) - time(a)).filter((key, n) => n >= MOST || Date.now() - time(key) > MAX_AGE);
  for (const key of old) localStorage.removeItem(key);
}

/** The steps of one photo: undone, redone, and those of one slider in quick succession are one. */
export class Steps {
  constructor(first, { steps, at } = {}) {
    const isUsable = Array.isArray(steps) && steps.length > 0 && steps[at] !== undefined;
    this.list = isUsable ? steps : [recipes.toJson(first)];
    this.at = isUsable ? at : 0;
    this.tag = "";
    this.time = 0;
  }

  add(recipe, tag = "") {
    const next = recipes.toJson(recipe);
    if (JSON.stringify(next) === JSON.stringify(this.list[this.at])) return;
    const isSame = tag && tag === this.tag && this.at > 0 && Date.now() - this.time < 1000;
    const before = this.list.slice(0, isSame ? this.at : this.at + 1);
    this.list = [...before, next].slice(-MOST);
    this.at = this.list.length - 1;
    this.tag = tag;
    this.time = Date.now();
  }

  /** Returns the recipe that many steps away, or nothing. */
  go(by) {
    const found = this.list[this.at + by];
    if (!found) return null;
    this.at += by;
    this.tag = "";
    return recipes.read(found);
  }

  get canUndo() {
    return this.at > 0;
  }

  get canRedo() {
    return this.at < this.list.length - 1;
  }
}
