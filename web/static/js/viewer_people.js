// Names of tagged people on the photo in the viewer, where the people are. A button shows and hides them.

import { make } from "./dom.js";
import { control } from "./viewer_parts.js";

const EDGE = 8;

const between = (low, value, high) => Math.max(low, Math.min(high, value));

export class People {
  constructor(view) {
    this.view = view;
    this.isShown = false;
    this.button = control("", "people", view.words.people, () => this.toggle());
    this.button.setAttribute("aria-expanded", "false");
    this.list = make("ul", { class: "viewer-people", "aria-label": view.words.people });
  }

  toggle() {
    this.isShown = !this.isShown;
    this.change();
    this.place();
  }

  /** Draws the names of another photo. They are in its frame, and so move with it. */
  change() {
    const { shot, frames, n } = this.view;
    this.button.hidden = !shot.people.length;
    this.button.setAttribute("aria-expanded", this.isShown);
    this.list.replaceChildren(...shot.people.map((one) => make("li", {}, make("a", { href: one.path }, make("bdi", {}, one.name)))));
    this.list.hidden = !this.isShown || !shot.people.length;
    frames[n].append(this.list);
  }

  place() {
    const { shot, stage, zoom } = this.view;
    if (this.list.hidden || !zoom.size) return;
    const at = (share, length, moved, room, own) => {
      const middle = room / 2 + moved + (share - 0.5) * length * zoom.scale;
      return `${between(EDGE, middle - own / 2, room - own - EDGE)}px`;
    };
    shot.people.forEach((one, i) => {
      const item = this.list.children[i];
      item.style.left = at(one.x, zoom.size.width, zoom.x, stage.clientWidth, item.offsetWidth);
      item.style.top = at(one.y, zoom.size.height, zoom.y, stage.clientHeight, item.offsetHeight);
    });
  }
}
