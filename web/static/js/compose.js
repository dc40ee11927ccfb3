// Choosing, uploading, ordering and describing photos, over a form that also works without scripts.

import { $, $$, csrf, icon, make, say, words } from "./dom.js";

const form = $("#compose");
const input = $("input[type=file]", form);
const list = $(".uploads", form);
const drop = $(".drop", form);
const caption = $("textarea[name=caption]", form);
const most = Number(form.dataset.most || 20);
const fresh = form.hasAttribute("data-draft");
let wanted = false;

const pending = () => $$(".upload[data-waiting]", list);

function tool(name, label, act) {
  const button = make("button", { type: "button", class: "tool", "aria-label": label, title: label }, icon(name));
  button.addEventListener("click", act);
  return button;
}

function edges() {
  const rows = $$(".upload", list);
  rows.forEach((row, n) => {
    $$(".tool", row).slice(0, 2).forEach((button, i) => (button.disabled = i === 0 ? n === 0 : n === rows.length - 1));
    const label = $("label", row);
    if (label) label.textContent = words.describe.replace("{n}", n + 1);
  });
  keep();
}

function move(row, step) {
  const other = step < 0 ? row.previousElementSibling : row.nextElementSibling;
  if (!other) return;
  if (step < 0) other.before(row);
  else other.after(row);
  edges();
  $(`.tool:nth-child(${step < 0 ? 1 : 2}):not(:disabled), .tool:not(:disabled)`, row)?.focus();
  say(words.moved.replace("{n}", $$(".upload", list).indexOf(row) + 1));
}

function tools(row) {
  const bar = make("div", { class: "row" });
  bar.append(
    tool("up", words.earlier, () => move(row, -1)),
    tool("down", words.later, () => move(row, 1)),
    tool("trash", words.remove, () => {
      row.request?.abort();
      row.remove();
      edges();
      settled();
      input.focus();
    }),
  );
  row.draggable = false;
  const thumb = $(".thumb", row);
  thumb.draggable = true;
  thumb.addEventListener("dragstart", (event) => {
    row.classList.add("held");
    event.dataTransfer.effectAllowed = "move";
    event.dataTransfer.setData("text/plain", "photo");
  });
  thumb.addEventListener("dragend", () => {
    row.classList.remove("held");
    edges();
  });
  return bar;
}

list.addEventListener("dragover", (event) => {
  const held = $(".held", list);
  const over = event.target.closest(".upload");
  if (!held || !over) return;
  event.preventDefault();
  const box = over.getBoundingClientRect();
  if (over !== held) over[event.clientY < box.top + box.height / 2 ? "before" : "after"](held);
});

function described(row, id, alt = "") {
  const field = make("textarea", { name: `alt-${id}`, id: `alt-${id}`, maxlength: "1500", placeholder: words.hint });
  field.value = alt;
  field.addEventListener("input", keep);
  row.dataset.photo = id;
  row.lastChild.replaceChildren(
    make("input", { type: "hidden", name: "photo", value: id }),
    make("label", { class: "small soft", for: `alt-${id}` }),
    field,
    tools(row),
  );
}

function blank(src, name) {
  const row = make("li", { class: "upload" }, make("img", { class: "thumb", src, alt: name, width: 104, height: 104 }), make("div"));
  list.append(row);
  return row;
}

function upload(file) {
  const row = blank(URL.createObjectURL(file), file.name);
  $(".thumb", row).addEventListener("error", (event) => event.target.setAttribute("src", words.blank), { once: true });
  const bar = make("progress", { max: 100, value: 0, "aria-label": `${words.uploading} ${file.name}` });
  const state = make("p", { class: "small soft" }, words.uploading);
  row.lastChild.append(bar, state);
  row.dataset.waiting = "";
  const request = (row.request = new XMLHttpRequest());
  request.open("POST", "/compose/photo");
  request.setRequestHeader("Accept", "application/json");
  request.setRequestHeader("X-CSRF", csrf());
  request.responseType = "json";
  request.upload.onprogress = (event) => {
    if (!event.lengthComputable) return;
    bar.value = (100 * event.loaded) / event.total;
    if (event.loaded === event.total) state.textContent = words.preparing;
  };
  request.onloadend = () => {
    delete row.dataset.waiting;
    const answer = request.response || {};
    if (request.status === 200) {
      if (answer.thumb) $(".thumb", row).src = answer.thumb;
      described(row, answer.id);
      if (answer.camera_summary) $("textarea", row).after(make("p", { class: "written small soft" }, `${words.written} ${answer.camera_summary}`));
    } else if (row.isConnected) {
      const message = answer.error || words.offline;
      const again = make("button", { type: "button", class: "button s" }, words.again);
      again.addEventListener("click", () => {
        row.remove();
        upload(file);
      });
      row.lastChild.replaceChildren(make("p", { role: "alert" }, make("b", {}, file.name), make("br"), message));
      const bin = make("div", { class: "row" }, tool("trash", words.remove, () => (row.remove(), edges())));
      if (!answer.error) bin.prepend(again);
      row.lastChild.append(bin);
    }
    edges();
    settled();
  };
  const body = new FormData();
  body.append("photo", file);
  request.send(body);
}

/** Two at a time: a phone's link is not made faster by twenty. */
const queue = [];
function settled() {
  while (queue.length && pending().length < 2) upload(queue.shift());
  if (wanted && !pending().length && !queue.length) {
    wanted = false;
    form.requestSubmit($("[value=post]", form));
  }
}

function take(files) {
  const photos = [...files];
  const room = most - $$(".upload", list).length - queue.length;
  if (photos.length > room) say(words.enough);
  queue.push(...photos.slice(0, Math.max(0, room)));
  settled();
}

input.addEventListener("change", () => {
  take(input.files);
  input.value = "";
});
for (const name of ["dragover", "dragleave", "drop"]) {
  drop.addEventListener(name, (event) => {
    event.preventDefault();
    drop.classList.toggle("over", name === "dragover");
    if (name === "drop") take(event.dataTransfer.files);
  });
}
addEventListener("paste", (event) => {
  const files = [...(event.clipboardData?.files ?? [])].filter((file) => file.type.startsWith("image/"));
  if (files.length) take(files);
});
form.addEventListener("submit", (event) => {
  if (event.submitter?.value !== "post") return;
  if (pending().length || queue.length) {
    event.preventDefault();
    wanted = true;
    say(words.waiting);
  } else if (fresh) localStorage.removeItem("draft");
});

/* A draft survives a lost connection; the server deletes photos that are in no post after a day. */
function keep() {
  if (!fresh) return;
  const photos = $$(".upload[data-photo]", list).map((row) => ({
    id: row.dataset.photo,
    alt: $("textarea", row).value,
    thumb: $(".thumb", row).src,
  }));
  const draft = { at: Date.now(), caption: caption.value, photos };
  if (draft.caption || photos.length) localStorage.setItem("draft", JSON.stringify(draft));
  else localStorage.removeItem("draft");
}
caption.addEventListener("input", keep);

for (const row of $$(".upload", list)) $(".row", row)?.replaceWith(tools(row));
if (fresh && !caption.value && !list.children.length) {
  const draft = JSON.parse(localStorage.getItem("draft") || "null");
  if (draft && Date.now() - draft.at < 20 * 3600e3) {
    caption.value = draft.caption;
    for (const photo of draft.photos) if (/^\d+$/.test(photo.id)) described(blank(photo.thumb, ""), photo.id, photo.alt);
    if (draft.caption || draft.photos.length) say(words.restored);
  }
}
edges();
