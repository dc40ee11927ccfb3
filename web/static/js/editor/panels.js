// The three panels under or beside the photo: looks, adjustments, crop. Each returns its element and `show(recipe)`.

import { $$, icon, make } from "../dom.js";
import { slider } from "./sliders.js";

const SVG = "http://www.w3.org/2000/svg";

function svg(tag, attributes) {
  const element = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  return element;
}

function press(classes, label, act, ...children) {
  const button = make("button", { type: "button", class: classes, ...(label ? { "aria-label": label, title: label } : {}) }, ...children);
  button.addEventListener("click", act);
  return button;
}

/** `change(recipe, {isMoving, tag})` is called with what was chosen; `rested()` when a slider was let go. */
export function looksPanel(data, { current, change, rested }) {
  const { texts, columns, side } = data;
  const all = ["", ...data.groups.flatMap((group) => group.looks.map((look) => look.id))];
  const names = Object.fromEntries(data.groups.flatMap((group) => group.looks.map((look) => [look.id, look.name])));
  const strength = slider({
    name: texts.strength,
    low: 0,
    zero: 100,
    moved: (value) => change({ ...current(), strength: value }, { isMoving: true, tag: "strength" }),
    rested,
  });
  const tiles = all.map((id, n) => {
    const picture = svg("svg", { viewBox: `${(n % columns) * side} ${Math.floor(n / columns) * side} ${side} ${side}`, "aria-hidden": "true" });
    picture.append(svg("image", { width: columns * side, height: columns * side }));
    const note = data.groups.flatMap((group) => group.looks).find((look) => look.id === id)?.note;
    const label = make("span", {}, id ? names[id] : texts.original);
    const tile = press("e-look", "", () => change({ ...current(), look: id, strength: 100 }, {}), picture, label);
    if (note) tile.append(make("span", { class: "sr" }, note));
    tile.dataset.look = id;
    return tile;
  });
  const strip = make("div", { class: "e-looks" }, make("div", { class: "e-family" }, tiles[0]));
  let n = 1;
  for (const group of data.groups) {
    const members = tiles.slice(n, (n += group.looks.length));
    strip.append(make("div", { class: "e-family", role: "group", "aria-label": group.name }, make("span", { class: "e-name" }, group.name), ...members));
  }
  const element = make("div", { class: "e-panel of-looks" }, make("div", { class: "e-sliders" }, strength.element), strip);

  function show(recipe) {
    for (const tile of tiles) tile.setAttribute("aria-pressed", String(tile.dataset.look === recipe.look));
    strength.element.hidden = !recipe.look;
    strength.element.firstChild.textContent = texts.strength.replace("{look}", names[recipe.look] ?? "");
    strength.set(recipe.look ? recipe.strength : 100);
  }
  let wanted = "";
  /** Shows the looks on the photo. Throws where their sheet did not come: the tiles stay as they were. */
  const setSwatches = async (path) => {
    if (wanted === path) return;
    wanted = path;
    const sheet = new Image();
    sheet.src = path;
    try {
      await sheet.decode();
    } catch (error) {
      if (wanted !== path) return;
      wanted = "";
      throw error;
    }
    if (wanted === path) for (const image of $$("image", strip)) image.setAttribute("href", path);
  };
  const reveal = () => $$("[aria-pressed=true]", strip)[0]?.scrollIntoView({ block: "nearest", inline: "center" });
  return { element, show, setSwatches, reveal };
}

/** Sliders, of which a phone shows the one whose button was pressed. */
function chosenSlider(entries, strip) {
  const choose = (id) => {
    for (const one of entries) {
      one.slider.element.classList.toggle("on", one.id === id);
      one.button.setAttribute("aria-pressed", String(one.id === id));
    }
  };
  for (const one of entries) one.button.addEventListener("click", () => choose(one.id));
  if (strip) for (const one of entries) strip.append(one.button);
  choose(entries[0].id);
}

export function adjustPanel(data, { current, change, rested, auto }) {
  const { texts } = data;
  const entries = [];
  const sliders = make("div", { class: "e-sliders" });
  const strip = make("div", { class: "e-strip", role: "group", "aria-label": texts.tools });
  const autos = [
    press("e-auto", "", auto, texts.auto),
    press("e-tool", "", auto, icon("auto"), make("span", {}, texts.auto)),
  ];
  strip.append(autos[1]);
  data.tools.forEach((group, n) => {
    const heading = make("h2", {}, group.name);
    const box = make("div", { class: "e-group", role: "group", "aria-label": group.name }, make("div", { class: "e-heading" }, heading));
    if (!n) box.firstChild.append(autos[0]);
    for (const { id, name, low } of group.tools) {
      const moved = (value) => change({ ...current(), adjust: { ...current().adjust, [id]: value } }, { isMoving: true, tag: id });
      const one = { id, slider: slider({ name, low, moved, rested }), button: press("e-tool", "", () => {}, icon(`tool-${id}`), make("span", {}, name)) };
      box.append(one.slider.element);
      entries.push(one);
    }
    sliders.append(box);
  });
  chosenSlider(entries, strip);
  const element = make("div", { class: "e-panel of-adjust" }, sliders, strip);

  function show(recipe, isAuto) {
    for (const { id, slider: one, button } of entries) {
      one.set(recipe.adjust[id] ?? 0);
      button.classList.toggle("set", Boolean(recipe.adjust[id]));
    }
    for (const button of autos) button.setAttribute("aria-pressed", String(isAuto));
  }
  return { element, sliders, show };
}

const upright = (id) => id.split(":").reverse().join(":");

/** `choose(id)` is called with a shape; `turn()` and `mirror()` with the photo as it stands. */
export function cropPanel(data, { current, change, rested, choose, turn, mirror }) {
  const { texts } = data;
  const axes = [
    ["straighten", data.mostDegrees, 0.1, "°"],
    ["vertical", 100, 1, ""],
    ["horizontal", 100, 1, ""],
  ].map(([id, most, step, unit]) => {
    const moved = (value) => change({ ...current(), [id]: value }, { isMoving: true, tag: id });
    const one = slider({ name: texts[id], low: -most, high: most, step, unit, moved, rested });
    one.element.classList.add("dial");
    return { id, slider: one, button: press("e-axis", "", () => {}, icon(`tool-${id}`), make("span", {}, texts[id])) };
  });
  const turns = [press("e-key", texts.turn, turn, icon("turn")), press("e-key", texts.mirror, mirror, icon("mirror"))];
  const row = make("div", { class: "e-axes", role: "group", "aria-label": texts.crop }, ...turns);
  chosenSlider(axes, row);
  const shapes = data.shapes.map(({ id, name, ratio }) => {
    const drawn = svg("svg", { viewBox: "0 0 24 24", class: "icon", "aria-hidden": "true" });
    const label = make("span", {}, name);
    return { id, ratio, name, drawn, label, button: press("e-tool", "", () => choose(id), drawn, label) };
  });
  const strip = make("div", { class: "e-strip shapes", role: "group", "aria-label": texts.shape }, ...shapes.map((one) => one.button));
  const sliders = make("div", { class: "e-sliders" }, ...axes.map((one) => one.slider.element));
  const element = make("div", { class: "e-panel of-crop" }, row, sliders, strip);

  /** `shape` is `{id, isUpright, frame}`: what was chosen, and whether it was tapped to stand the other way. */
  function show(recipe, shape) {
    for (const { id, slider: one, button } of axes) {
      one.set(recipe[id]);
      button.classList.toggle("set", Boolean(recipe[id]));
    }
    for (const one of shapes) {
      const isChosen = one.id === shape.id;
      const isOther = isChosen && shape.isOther;
      one.button.setAttribute("aria-pressed", String(isChosen));
      const own = one.ratio || shape.frame[0] / shape.frame[1];
      const ratio = isOther ? 1 / own : own;
      const [width, height] = ratio > 1 ? [18, 18 / ratio] : [18 * ratio, 18];
      one.drawn.replaceChildren(svg("rect", { x: 12 - width / 2, y: 12 - height / 2, width, height, rx: 2, ...(one.id === "free" ? { "stroke-dasharray": "3 2.5" } : {}) }));
      one.label.textContent = isOther && one.ratio ? upright(one.name) : one.name;
    }
  }
  return { element, show };
}
