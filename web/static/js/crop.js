// Takes a profile or header picture that is picked or dropped, and chooses the part of it that is shown: dragged, by
// arrow keys, and with a zoom by slider, wheel or two fingers. What was not changed is sent as it is, and the server
// crops it to its middle, as it does without scripts.

import { $, $$, make, messages } from "./dom.js";

const widest = 1600;
const most = 4;

const kinds = /^image\/(jpeg|png|webp|gif|avif|hei[cf])$/;
const endings = /\.(jpe?g|jfif|png|webp|gif|avif|hei[cf])$/i;

for (const field of $$("[data-crop]")) {
  const input = $("input[type=file]", field);
  const changed = () => begin(field, input, Number(field.dataset.crop));
  input.addEventListener("change", changed);
  $("[data-unpick]", field).addEventListener("click", () => {
    input.value = "";
    changed();
    input.focus();
  });
  takeDrops($(".picture-field", field), input, changed);
}

/** Whether a file may be a picture that the server takes. Not every system knows what a HEIC file is. */
const isPicture = (file) => kinds.test(file.type) || endings.test(file.name);

function takeDrops(box, input, changed) {
  const over = (event, isOver) => {
    event.preventDefault();
    box.classList.toggle("over", isOver);
  };
  for (const name of ["dragenter", "dragover"]) box.addEventListener(name, (event) => over(event, true));
  box.addEventListener("dragleave", (event) => over(event, box.contains(event.relatedTarget)));
  box.addEventListener("drop", (event) => {
    over(event, false);
    const files = [...event.dataTransfer.files];
    const file = files.find(isPicture) ?? files[0];
    if (file) give(input, file);
    if (file) changed();
  });
}

function give(input, file) {
  const files = new DataTransfer();
  files.items.add(file);
  input.files = files.files;
}

async function begin(field, input, ratio) {
  const [file] = input.files;
  const refused = file && !isPicture(file) ? messages.notAPicture.replace("{name}", () => file.name) : "";
  $("[data-refused]", field).textContent = refused;
  input.removeAttribute("aria-invalid");
  if (refused) {
    // What was picked before stays, with its crop.
    if (field.picked) give(input, field.picked);
    else input.value = "";
    return;
  }
  $(".crop", field)?.remove();
  field.crop = null;
  field.picked = file;
  $("[data-unpick]", field).hidden = !file;
  $(".file-name", field).textContent = file ? file.name : "";
  if (!file) return;
  const box = make("div", { class: "crop" });
  input.closest(".picture-field").prepend(box);
  const picture = await createImageBitmap(file).catch(() => null);
  if (input.files[0] !== file) return;
  if (!picture) {
    box.append(make("p", { class: "small soft" }, messages.noPreview));
    return;
  }
  field.crop = setUp(box, picture, ratio);
}

function setUp(box, picture, ratio) {
  const canvas = make("canvas", { tabindex: "0", role: "img", "aria-label": messages.crop, "aria-description": messages.cropHint });
  const zoom = make("input", { type: "range", min: "1", max: most, step: "0.01", value: "1" });
  const label = make("label", { class: "small" }, messages.zoom, zoom);
  box.append(canvas, make("p", { class: "small soft" }, messages.cropHint), label);
  canvas.width = 640;
  canvas.height = Math.round(640 / ratio);
  const context = canvas.getContext("2d");
  const view = { x: picture.width / 2, y: picture.height / 2, isChanged: false };
  const whole = Math.min(picture.width, picture.height * ratio); // as wide as the part can be
  const width = () => whole / Number(zoom.value);
  const clamp = (value, half, size) => Math.min(size - half, Math.max(half, value));

  function draw(target = context) {
    const [across, down] = [width(), width() / ratio];
    view.x = clamp(view.x, across / 2, picture.width);
    view.y = clamp(view.y, down / 2, picture.height);
    const { width: w, height: h } = target.canvas;
    target.clearRect(0, 0, w, h);
    target.drawImage(picture, view.x - across / 2, view.y - down / 2, across, down, 0, 0, w, h);
  }

  function move(dx, dy) {
    view.x += dx;
    view.y += dy;
    view.isChanged = true;
    draw();
  }

  function zoomBy(factor) {
    zoom.value = Number(zoom.value) * factor;
    move(0, 0);
  }

  const fingers = new Map(); // and the mouse: where each pointer on the picture is
  const apart = () => {
    const [one, other] = [...fingers.values()];
    return Math.hypot(one.x - other.x, one.y - other.y);
  };
  canvas.addEventListener("pointerdown", (event) => {
    if (event.button) return;
    event.preventDefault();
    canvas.focus();
    canvas.setPointerCapture(event.pointerId);
    fingers.set(event.pointerId, { x: event.clientX, y: event.clientY });
  });
  canvas.addEventListener("pointermove", (event) => {
    const before = fingers.get(event.pointerId);
    if (!before) return;
    const distance = fingers.size === 2 && apart();
    const scale = width() / canvas.clientWidth / fingers.size;
    fingers.set(event.pointerId, { x: event.clientX, y: event.clientY });
    move((before.x - event.clientX) * scale, (before.y - event.clientY) * scale);
    if (distance) zoomBy(apart() / distance);
  });
  for (const name of ["pointerup", "pointercancel"]) {
    canvas.addEventListener(name, (event) => fingers.delete(event.pointerId));
  }
  canvas.addEventListener(
    "wheel",
    (event) => {
      event.preventDefault();
      zoomBy(Math.exp(-event.deltaY / 500));
    },
    { passive: false },
  );
  canvas.addEventListener("keydown", (event) => {
    const step = width() / (event.shiftKey ? 4 : 40);
    const by = { ArrowLeft: [-step, 0], ArrowRight: [step, 0], ArrowUp: [0, -step], ArrowDown: [0, step] }[event.key];
    if (!by) return;
    event.preventDefault();
    move(...by);
  });
  zoom.addEventListener("input", () => move(0, 0));
  draw();

  const cut = () => {
    const target = make("canvas");
    target.width = Math.max(1, Math.round(Math.min(widest, width())));
    target.height = Math.max(1, Math.round(target.width / ratio));
    draw(target.getContext("2d"));
    return new Promise((done) => target.toBlob(done, "image/webp", 0.95));
  };
  return { view, cut };
}

let isCutting = false;

document.addEventListener("submit", async (event) => {
  const form = event.target;
  const fields = $$("[data-crop]", form).filter((one) => one.crop?.view.isChanged);
  if (event.defaultPrevented || (!isCutting && !fields.length)) return;
  event.preventDefault();
  if (isCutting) return;
  isCutting = true;
  for (const field of fields) {
    const { cut } = field.crop;
    field.crop = null; // the next submit sends what was cut
    const blob = await cut();
    if (blob) give($("input[type=file]", field), new File([blob], `picture.${blob.type.split("/")[1]}`, { type: blob.type }));
  }
  isCutting = false;
  form.requestSubmit(event.submitter);
});
