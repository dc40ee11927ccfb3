// The keys of the viewer. Tab stays inside of it.

import { $, $$ } from "./dom.js";

export const STEP = 1.5;

export function setUpKeys(dialog, view) {
  const press = (event) => {
    // A bar that is hidden loses the focus to the page, which must not make the keys dead.
    if (event.target !== document.body && !dialog.contains(event.target)) return undefined;
    if (event.key === "Escape") {
      event.preventDefault();
      return view.escape();
    }
    if (event.key === "Tab") return keepFocus(dialog, event);
    if (event.ctrlKey || event.metaKey || event.altKey) return undefined;
    const act = actOf(dialog, view, event.key);
    if (!act || (event.target.closest(".viewer-about-text, .viewer-alt") && event.key.startsWith("Arrow"))) return undefined;
    event.preventDefault();
    return act();
  };
  document.addEventListener("keydown", press);
  dialog.addEventListener("close", () => document.removeEventListener("keydown", press));
}

function actOf(dialog, view, key) {
  const { zoom, rtl } = view;
  const zoomed = !zoom.isAtRest;
  const step = innerWidth / 8;
  // A panorama is moved until its edge, before another photo comes.
  const sideways = (way) => {
    const beyond = zoomed || !zoom.isFit ? zoom.pan(-way * step, 0) : step;
    return zoomed || Math.abs(beyond) < step - 1 ? undefined : view.turn(way * rtl);
  };
  return {
    ArrowLeft: () => sideways(-1),
    ArrowRight: () => sideways(1),
    ArrowUp: () => zoomed && zoom.pan(0, step),
    ArrowDown: () => zoomed && zoom.pan(0, -step),
    Home: () => view.go(0),
    End: () => view.go(view.shots.length - 1),
    "+": () => zoom.by(STEP),
    "=": () => zoom.by(STEP),
    "-": () => zoom.by(1 / STEP),
    0: () => zoom.fitWhole(),
    1: () => zoom.real(),
    i: () => view.words && view.showAbout(!view.panel.isConnected),
    l: () => $("[data-action=like]", dialog)?.click(),
    d: () => view.save?.click(),
    f: () => view.toggleFull(),
  }[key];
}

function keepFocus(dialog, event) {
  const all = $$("button:not(:disabled), a[href], [tabindex='0']", dialog).filter((one) => one.checkVisibility({ visibilityProperty: true }));
  const [first, last] = [all[0], all.at(-1)];
  if (event.shiftKey ? document.activeElement === first : document.activeElement === last) {
    event.preventDefault();
    (event.shiftKey ? last : first).focus();
  }
}
