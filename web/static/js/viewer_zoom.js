// How large the photo in the viewer is and where: sizes, bounds, and the file that is sharp enough.

import { $ } from "./dom.js";

const SHARP = 1.1; // how much a file may be enlarged before a larger one is loaded
const LARGEST_FROM = 1.2;
const MEDIUM_EDGE = 1080;
const PANORAMA_HEIGHT = 0.62; // of the stage

const between = (low, value, high) => Math.min(high, Math.max(low, value));

export class Zoom {
  constructor(view) {
    this.view = view;
    this.scale = this.rest = 1;
    this.x = this.y = 0;
  }

  /** Sizes a photo so that the whole of it is seen, never larger than it is. */
  fit(n) {
    const { stage, frames, shots } = this.view;
    const image = $("img", frames[n]);
    const shot = shots[n];
    const width = shot.width || image.naturalWidth;
    const height = shot.height || image.naturalHeight;
    if (!width || !height) return null;
    const part = Math.min(stage.clientWidth / width, stage.clientHeight / height, 1);
    const size = { width: width * part, height: height * part, real: 1 / (part * devicePixelRatio) };
    image.style.width = `${size.width}px`;
    image.style.height = `${size.height}px`;
    if (n === this.view.n) {
      this.size = size;
      this.sharpen();
    }
    return size;
  }

  /** Back to how a photo is first seen: whole, or a panorama at a height at which one sees something. */
  reset() {
    this.size = this.fit(this.view.n);
    this.scale = this.rest = 1;
    this.x = this.y = 0;
    const { size, view } = this;
    if (size && view.shot.panorama) {
      const wanted = (PANORAMA_HEIGHT * view.stage.clientHeight) / size.height;
      this.scale = this.rest = Math.max(1, Math.min(wanted, 2 * size.real));
      this.x = (-(view.shot.focus ?? 0) * size.width * this.scale) / 2;
    }
    this.apply(false);
  }

  get isFit() {
    return this.scale <= 1.001;
  }

  get isAtRest() {
    return Math.abs(this.scale - this.rest) < 0.001;
  }

  get highest() {
    return Math.max(4, 2 * (this.size?.real ?? 1));
  }

  get percent() {
    return Math.round((100 * this.scale) / this.size.real);
  }

  /** The middle of the photo at rest, and what it may be seen in. */
  get room() {
    const stage = this.view.stage.getBoundingClientRect();
    const ground = this.view.ground.getBoundingClientRect();
    return { x: stage.left + stage.width / 2, y: stage.top + stage.height / 2, stage, ground };
  }

  /** Zooms about a point of the screen, the middle if none is given. `loose`: fingers may go beyond the ends a little. */
  by(factor, x, y, loose = false) {
    this.to(this.scale * factor, x, y, loose);
  }

  to(scale, x, y, loose = false) {
    if (!this.size) return;
    const { room } = this;
    const [px, py] = [x ?? room.x, y ?? room.y];
    const next = loose ? between(0.7, scale, this.highest * 1.2) : between(1, scale, this.highest);
    const ratio = next / this.scale;
    this.x = px - room.x - (px - room.x - this.x) * ratio;
    this.y = py - room.y - (py - room.y - this.y) * ratio;
    this.scale = next;
    this.apply(!loose, loose);
  }

  toggle(x, y) {
    if (!this.isAtRest) this.reset();
    else this.to(Math.max(this.size?.real ?? 2, this.size?.real > this.rest * 1.2 ? 0 : this.rest * 2), x, y);
    this.glide();
  }

  real() {
    if (this.size) this.to(Math.max(1, this.size.real));
  }

  fitWhole() {
    this.to(1);
  }

  /** Moves a zoomed photo; returns by how much it would have gone over an edge sideways. */
  pan(dx, dy, loose = false) {
    if (!this.size) return 0;
    this.x += dx;
    this.y += dy;
    if (loose) {
      this.apply(false, true);
      return 0;
    }
    const wanted = this.x;
    this.apply(false);
    return wanted - this.x;
  }

  settle() {
    if (!this.size) return;
    if (this.scale < this.rest) this.reset();
    else this.to(between(1, this.scale, this.highest));
    this.glide();
  }

  glide() {
    const { image } = this.view;
    image.classList.add("settles");
    image.addEventListener("transitionend", () => image.classList.remove("settles"), { once: true });
  }

  /** Keeps the photo over the screen where it is larger, and in the middle where it is not. */
  bound() {
    const { room, size, scale } = this;
    const [width, height] = [size.width * scale, size.height * scale];
    const { ground } = room;
    const wide = width > ground.width ? [ground.right - room.x - width / 2, ground.left - room.x + width / 2] : [0, 0];
    const tall = height > ground.height ? [ground.bottom - room.y - height / 2, ground.top - room.y + height / 2] : [0, 0];
    this.x = between(wide[0], this.x, wide[1]);
    this.y = between(tall[0], this.y, tall[1]);
  }

  apply(_settles, loose = false) {
    const { image } = this.view;
    if (this.size && !loose) this.bound();
    image.style.translate = `${this.x}px ${this.y}px`;
    image.style.scale = this.scale;
    this.sharpen();
    this.view.zoomed();
  }

  /** Loads a larger file when this one would show its pixels. */
  sharpen() {
    const { shot, image } = this.view;
    if (!this.size || !image.src || !shot.large) return;
    const needed = this.size.width * this.scale * devicePixelRatio;
    const medium = MEDIUM_EDGE * Math.min(1, shot.width / shot.height || 1);
    let source = "";
    if (this.scale >= LARGEST_FROM * this.rest && needed > medium) source = shot.largest;
    else if (needed > medium * SHARP) source = shot.large;
    if (!source || shot.sharp === source || shot.sharp === shot.largest) return;
    shot.sharp = source;
    const next = new Image();
    next.src = source;
    next.decode().then(() => {
      if (shot.sharp !== source) return;
      shot.now = source;
      image.src = source;
    }).catch(() => (shot.sharp = ""));
  }

  /** Draws where one is: a map of a zoomed photo, a bar under a panorama. */
  draw(map, reach) {
    const { size, view, room } = this;
    const panorama = Boolean(view.shot.panorama) && !this.isFit;
    map.hidden = !size || this.isAtRest;
    reach.hidden = !size || !panorama || !this.isAtRest;
    if (!size || (map.hidden && reach.hidden)) return;
    const [width, height] = [size.width * this.scale, size.height * this.scale];
    const left = between(0, (room.ground.left - (room.x + this.x - width / 2)) / width, 1);
    const top = between(0, (room.ground.top - (room.y + this.y - height / 2)) / height, 1);
    const across = Math.min(1, room.ground.width / width);
    const down = Math.min(1, room.ground.height / height);
    const bar = reach.firstChild;
    Object.assign(bar.style, { left: `${100 * left}%`, width: `${100 * across}%` });
    const [picture, part] = map.children;
    const source = view.shot.medium || view.shot.now;
    if (picture.getAttribute("src") !== source) picture.src = source;
    picture.style.aspectRatio = `${size.width} / ${size.height}`;
    Object.assign(part.style, { left: `${100 * left}%`, top: `${100 * top}%`, width: `${100 * across}%`, height: `${100 * down}%` });
  }
}
