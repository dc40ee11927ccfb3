// The photo editor, in place of the form that works without scripts. What is changed is kept in the browser at once, and
// saved by Done: all photos of the post that were changed in this browser, or none.

import { $, make, messages, send } from "../dom.js";
import { keepFocusIn } from "../focus.js";
import * as bars from "./bars.js";
import { compare } from "./compare.js";
import { cropBox, largest } from "./crop_box.js";
import { frameSize } from "./geometry.js";
import { histogram } from "./histogram.js";
import * as kept from "./kept.js";
import * as panels from "./panels.js";
import { Preview } from "./preview.js";
import * as recipes from "./recipe.js";
import { zoom } from "./zoom.js";

const data = JSON.parse($("#photo-editor").textContent);
const { texts } = data;
const AUTO = ["levels", "exposure", "shadows", "highlights", "contrast", "vibrance", "warmth", "tint"];
const SWATCH_REST = 700;

const own = data.photos.find((photo) => photo.id === data.id);
const saved = Object.fromEntries(data.photos.map((photo) => [photo.id, recipes.read(photo.recipe)]));
// Each photo has a grain of its own, from its first edit on.
const withSeed = (edit, seed) => (recipes.isNeutral(edit) ? { ...edit, seed } : edit);
const seeded = (edit) => withSeed(edit, own.seed);
const found = kept.find(data.id);
let start = found?.from ?? saved[data.id]; // the saved recipe from which this edit started
let recipe = seeded(found?.recipe ?? recipes.read(data.recipe));
const steps = new kept.Steps(seeded(recipes.read(data.recipe)), found ?? undefined);
let mode = "looks";
let shape = { id: "original", isOther: false };
let auto = null;
let isSaving = false;
let swatchTimer;
let areSwatchesMissing = false;

const isChanged = (id) => {
  const edit = id === data.id ? recipe : kept.find(id)?.recipe;
  return Boolean(edit) && !recipes.areSame(edit, saved[id]);
};
const isEdited = (id) => !recipes.isNeutral(id === data.id ? recipe : (kept.find(id)?.recipe ?? saved[id]));
/** The photos that Done saves. */
const changed = () => data.photos.map((photo) => photo.id).filter(isChanged);
const startOf = (id) => (id === data.id ? start : (kept.find(id)?.from ?? saved[id]));
/** Those of them that were saved by another tab or app since the edit started. */
const outdated = () => changed().filter((id) => !recipes.areSame(startOf(id), saved[id]));

const bars_ = {};
const graph = histogram(texts.histogram);
const preview = new Preview(data, graph.show);
const comparing = compare(texts, preview, () => mode !== "crop");
const zooming = zoom(texts, preview, { allowed: () => mode !== "crop", held: comparing.isHeld });
const frame = () => frameSize(recipe, data.size);

function ratio() {
  if (shape.id === "free") return 0;
  const chosen = data.shapes.find((one) => one.id === shape.id).ratio || frame()[0] / frame()[1];
  return shape.isOther ? 1 / chosen : chosen;
}

/** Returns the shape that a crop has, where nobody chose one. */
function shapeOf({ crop }) {
  if (crop.every((part, n) => part === recipes.WHOLE[n])) return { id: "original", isOther: false };
  const [width, height] = frame();
  const is = ((crop[2] - crop[0]) * width) / ((crop[3] - crop[1]) * height);
  for (const { id, ratio: one } of data.shapes) {
    if (one && Math.abs(is / one - 1) < 0.005) return { id, isOther: false };
    if (one && Math.abs(is * one - 1) < 0.005) return { id, isOther: true };
  }
  return { id: "free", isOther: false };
}

function show({ isMoving = false } = {}) {
  const isAuto = Boolean(auto) && AUTO.every((name) => JSON.stringify(recipe.adjust[name] ?? 0) === JSON.stringify(auto.found[name] ?? 0));
  looks.show(recipe);
  adjust.show(recipe, isAuto);
  crop.show(recipe, { ...shape, frame: frame() });
  box.show();
  preview.show(mode === "crop" ? { ...recipe, crop: recipes.WHOLE } : recipe, { isMoving });
  zooming.show();
  if (isMoving) return;
  bars_.top.undo.disabled = !steps.canUndo;
  bars_.top.redo.disabled = !steps.canRedo;
  bars_.film?.show();
  clearTimeout(swatchTimer);
  if (mode === "looks") swatchTimer = setTimeout(showSwatches, bars_.hasSwatches ? SWATCH_REST : 0);
}

async function showSwatches() {
  bars_.hasSwatches = true;
  try {
    await looks.setSwatches(`/photos/${data.id}/swatches?recipe=${encodeURIComponent(recipes.spell(recipes.swatchesOnly(recipe)))}`);
    if (areSwatchesMissing) tell("");
    areSwatchesMissing = false;
  } catch {
    areSwatchesMissing = true;
    tell(texts.noSwatches, texts.again, showSwatches);
  }
}
addEventListener("online", () => areSwatchesMissing && showSwatches());

let moving = "";
function change(next, { isMoving = false, tag = "" } = {}) {
  recipe = next;
  moving = tag;
  if (isMoving) show({ isMoving });
  else rested();
}

/** Something was changed and is let go: one more step to undo. */
function rested() {
  steps.add(recipe, moving);
  store();
  show();
}

const store = () => kept.keep(data.id, recipe, start, steps.list, steps.at);

function step(by) {
  const next = steps.go(by);
  if (!next) return;
  recipe = next;
  shape = shapeOf(recipe);
  store();
  show();
}

async function toggleAuto() {
  const levels = Object.fromEntries(AUTO.map((name) => [name, recipe.adjust[name]]));
  if (auto && AUTO.every((name) => JSON.stringify(levels[name] ?? 0) === JSON.stringify(auto.found[name] ?? 0))) {
    const { before } = auto;
    auto = null;
    return change({ ...recipe, adjust: without({ ...recipe.adjust, ...before }) });
  }
  try {
    const answer = await fetch(`/photos/${data.id}/levels?recipe=${encodeURIComponent(recipes.spell(recipe))}`, { headers: { Accept: "application/json" } });
    if (!answer.ok) throw new Error(String(answer.status));
    const adjusted = recipes.read((await answer.json()).recipe).adjust;
    auto = { before: levels, found: Object.fromEntries(AUTO.map((name) => [name, adjusted[name]])) };
    change({ ...recipe, adjust: without({ ...recipe.adjust, ...auto.found }) });
  } catch {
    preview.say(texts.noAuto, toggleAuto);
  }
}

const without = (adjust) => Object.fromEntries(Object.entries(adjust).filter(([, value]) => value !== undefined));

function chooseShape(id) {
  const isOther = shape.id === id && id !== "free" && id !== "1:1" ? !shape.isOther : false;
  shape = { id, isOther };
  if (id === "free") return show();
  change({ ...recipe, crop: id === "original" && !isOther ? [...recipes.WHOLE] : largest(ratio(), frame(), recipe.crop) });
}

function turnBy(act) {
  if (shape.id !== "original" && shape.id !== "free" && act === recipes.turned) shape = { ...shape, isOther: shape.id !== "1:1" && !shape.isOther };
  change(act(recipe));
}

const hooks = { current: () => recipe, change, rested };
const looks = panels.looksPanel(data, hooks);
const adjust = panels.adjustPanel(data, { ...hooks, auto: toggleAuto });
adjust.sliders.prepend(graph.element);
const crop = panels.cropPanel(data, {
  ...hooks,
  choose: chooseShape,
  turn: () => turnBy(recipes.turned),
  mirror: () => turnBy(recipes.mirrored),
});
const box = cropBox(texts, {
  state: () => ({ crop: recipe.crop, ratio: ratio(), frame: frame() }),
  moved: (next) => {
    if (shape.id === "original" && shape.isOther === false && ratio() === 0) shape = { id: "free", isOther: false };
    change({ ...recipe, crop: next }, { isMoving: true, tag: "crop" });
  },
  rested,
});
preview.box.append(box.box);

/** The look and the adjustments go to the other photos; each keeps its own shape. */
function copyToAll() {
  const others = data.photos.filter((photo) => photo.id !== data.id);
  const before = others.map((photo) => [photo.id, kept.find(photo.id)]);
  for (const { id, seed } of others) {
    const is = kept.find(id)?.recipe ?? saved[id];
    kept.keep(id, recipes.withColoursOf(withSeed(is, seed), recipe), startOf(id));
  }
  bars_.film.show();
  const text = others.length === 1 ? texts.copiedOne : texts.copied.replace("{n}", others.length);
  tell(text, texts.undo, () => {
    for (const [id, entry] of before) putBack(id, entry);
    tell("");
  });
}

function putBack(id, entry) {
  if (entry) kept.keep(id, entry.recipe, startOf(id), entry.steps, entry.at);
  else kept.forget([id]);
  bars_.film?.show();
}

/** Asks which edit of a photo is to stay that another tab or app saved meanwhile; `then` follows where it is this one. */
function askWhich(then) {
  const ids = outdated();
  const others = ids.filter((id) => id !== data.id);
  const text = ids.length > 1 ? texts.outdatedMany.replace("{n}", ids.length) : others.length ? texts.outdatedOther : texts.outdated;
  const mine = () => {
    for (const id of others) kept.keep(id, kept.find(id).recipe, saved[id], kept.find(id).steps, kept.find(id).at);
    start = saved[data.id];
    store();
    wrong.replaceChildren();
    then();
  };
  const theirs = () => {
    const before = [recipe, others.map((id) => [id, kept.find(id)])];
    kept.forget(others);
    if (ids.includes(data.id)) take(saved[data.id]);
    wrong.replaceChildren();
    bars_.film?.show();
    tell(texts.tookTheirs, texts.undo, () => {
      if (ids.includes(data.id)) take(before[0]);
      for (const [id, entry] of before[1]) putBack(id, entry);
      tell("");
    });
  };
  wrong.replaceChildren(text, " ", bars.wordButton("button s", texts.keepMine, mine), " ", bars.wordButton("button s", texts.takeTheirs, theirs));
}

function take(edit) {
  auto = null;
  start = saved[data.id];
  shape = shapeOf(edit);
  change(seeded(edit));
}

const said = make("div", { class: "e-said", role: "status" });
const wrong = make("div", { class: "e-wrong", role: "alert" });

function tell(text, label, act) {
  said.replaceChildren(text);
  if (text && label) said.append(" ", bars.wordButton("button s", label, act));
}

/** Goes back to where the editor was opened, to this photo: compose.js chooses it. */
function leave() {
  location.assign(data.back.includes("#") ? data.back : `${data.back}#photo-${data.id}`);
}

function setSaving(is) {
  isSaving = is;
  bars_.top.done.setAttribute("aria-disabled", String(is)); // and not disabled, which would take the focus from it
  bars_.top.done.textContent = is ? texts.saving : texts.done;
}

// Back, from the page to which Done led, may show this one as it was left.
addEventListener("pageshow", (event) => event.persisted && setSaving(false));

async function save() {
  const ids = changed();
  if (isSaving) return;
  if (!ids.length) {
    kept.forget([data.id]);
    return leave();
  }
  setSaving(true);
  wrong.replaceChildren();
  const edits = ids.flatMap((id) => [
    [`recipe-${id}`, id === data.id ? recipe : kept.find(id).recipe],
    [`start-${id}`, startOf(id)],
  ]);
  try {
    await send("/photos/edits", Object.fromEntries(edits.map(([name, edit]) => [name, recipes.spell(edit)])));
    kept.forget([data.id, ...ids]);
    for (const [name, edit] of edits) if (name.startsWith("recipe-")) saved[name.slice(7)] = edit;
    start = saved[data.id];
    leave();
  } catch (error) {
    setSaving(false);
    for (const [id, edit] of Object.entries(error.answer?.recipes ?? {})) saved[id] = recipes.read(edit);
    if (outdated().length) askWhich(save);
    else wrong.append(`${texts.notSaved} ${error.message} `, bars.wordButton("button s", texts.again, save));
    if (error.isSignedOut) {
      const next = encodeURIComponent(location.pathname + location.search);
      wrong.append(" ", make("a", { class: "button s", href: `/sign-in?next=${next}` }, texts.signIn));
    }
    $("button", wrong).focus();
  }
}

function cancel() {
  const ids = changed();
  const discard = () => {
    kept.forget([data.id, ...ids]);
    leave();
  };
  if (ids.length) bars.ask(texts, discard);
  else discard();
}

function reset() {
  auto = null;
  shape = { id: "original", isOther: false };
  change(seeded(recipes.neutral()));
}

function enter(name) {
  if (name === "crop") {
    comparing.end();
    zooming.fit(); // the crop is of the whole photo
  }
  mode = name;
  comparing.key.disabled = name === "crop";
  box.box.hidden = name !== "crop";
  app.dataset.mode = name;
  show();
  if (name === "looks") looks.reveal();
}

document.addEventListener("keydown", (event) => {
  if ($("dialog[open]") || event.altKey) return;
  const act = event.ctrlKey || event.metaKey ? combined(event) : single(event);
  if (!act) return;
  event.preventDefault();
  act();
});
document.addEventListener("keyup", (event) => event.key === "\\" && comparing.hold(false));

function combined(event) {
  const name = event.key.toLowerCase();
  if (name === "z") return () => step(event.shiftKey ? 1 : -1);
  return { y: () => step(1), s: save }[name];
}

function single(event) {
  if (event.key === "Escape") return event.target.closest(".e-more") ? null : cancel; // that closes the menu
  const name = { 1: "looks", 2: "adjust", 3: "crop" }[event.key];
  if (name) return () => tabs.choose(name);
  if (event.key === "\\") return mode === "crop" || event.repeat ? null : () => comparing.hold(true);
  if (event.key === "r") return () => turnBy(recipes.turned);
  if (event.key === "R") return () => turnBy(recipes.mirrored);
  return zooming.keys[event.key];
}

const many = data.photos.length > 1;
const at = data.photos.indexOf(own);
const title = many ? texts.position.replace("{n}", at + 1).replace("{total}", data.photos.length) : texts.title;
bars_.top = bars.topBar(texts, title, [comparing.key, zooming.element], {
  cancel,
  undo: () => step(-1),
  redo: () => step(1),
  copy: many ? copyToAll : null,
  reset,
  done: save,
});
const tabs = bars.modes(texts, { looks: looks.element, adjust: adjust.element, crop: crop.element }, enter);
const foot = make("div", { class: "e-foot" });
if (many) {
  const copy = bars.wordButton("button", texts.copy, copyToAll);
  copy.title = texts.copyHint;
  foot.append(copy);
}
foot.append(bars.wordButton("button plain", texts.reset, reset));
const side = make("section", { class: "e-side", "aria-label": texts.tools }, tabs.element, looks.element, adjust.element, crop.element, foot);
const app = make("div", { class: "e-app" }, bars_.top.element, preview.stage, side, make("div", { class: "e-words" }, wrong, said));
if (many) {
  bars_.film = bars.film(data, isEdited);
  bars_.top.element.after(bars_.film.element);
  app.classList.add("many");
}
keepFocusIn(app, () => $("[role=tab][aria-selected=true]", app));
shape = shapeOf(recipe);
document.body.classList.add("has-app");
$("#main").replaceChildren(app);
$(".e-film [aria-current]")?.scrollIntoView({ block: "nearest", inline: "center" });
tabs.choose("looks");
preview.start();
const unsaved = changed();
const isOwn = Boolean(found) && unsaved.includes(data.id);
if (isOwn || unsaved.some((id) => !kept.touched().includes(id))) {
  if (unsaved.length > 1) tell(texts.restoredMany.replace("{n}", unsaved.length));
  else tell(isOwn ? texts.restored : texts.restoredOther);
}
if (isOwn) store();
if (outdated().length) askWhich(() => {});
import("../compose/meanwhile.js").then(({ goOn }) => goOn($(".e-words", app), texts)).catch(() => {}); // or the form sends them
