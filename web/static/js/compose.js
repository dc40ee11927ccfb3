// Choosing, uploading, ordering and describing photos, over a form that also works without scripts.

import { $, $$, csrf, icon, make, showToast, messages } from "./dom.js";

const form = $("#compose");
const input = $("input[type=file]", form);
const list = $(".uploads", form);
const drop = $(".drop", form);
const caption = $("textarea[name=caption]", form);
const maxPhotos = Number(form.dataset.maxPhotos || 20);
const savesDraft = form.hasAttribute("data-draft");
let postsWhenUploaded = false;

const pending = () => $$(".upload[data-waiting]", list);

function tool(name, label, act) {
  const button = make("button", { type: "button", class: "tool", "aria-label": label, title: label }, icon(name));
  button.addEventListener("click", act);
  return button;
}

function updateOrder() {
  const rows = $$(".upload", list);
  rows.forEach((row, n) => {
    $$(".tool", row).slice(0, 2).forEach((button, i) => (button.disabled = i === 0 ? n === 0 : n === rows.length - 1));
    const label = $("label", row);
    if (label) label.textContent = messages.describe.replace("{n}", n + 1);
  });
  saveDraft();
}

function move(row, step) {
  const other = step < 0 ? row.previousElementSibling : row.nextElementSibling;
  if (!other) return;
  if (step < 0) other.before(row);
  else other.after(row);
  updateOrder();
  $(`.tool:nth-child(${step < 0 ? 1 : 2}):not(:disabled), .tool:not(:disabled)`, row)?.focus();
  showToast(messages.moved.replace("{n}", $$(".upload", list).indexOf(row) + 1));
}

function tools(row) {
  const bar = make("div", { class: "row" });
  bar.append(
    tool("up", messages.earlier, () => move(row, -1)),
    tool("down", messages.later, () => move(row, 1)),
    tool("trash", messages.remove, () => {
      row.request?.abort();
      row.remove();
      updateOrder();
      startUploads();
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
    updateOrder();
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

function showDescription(row, id, alt = "") {
  const field = make("textarea", { name: `alt-${id}`, id: `alt-${id}`, maxlength: "1500", placeholder: messages.hint });
  field.value = alt;
  field.addEventListener("input", saveDraft);
  row.dataset.photo = id;
  row.lastChild.replaceChildren(
    make("input", { type: "hidden", name: "photo", value: id }),
    make("label", { class: "small soft", for: `alt-${id}` }),
    field,
    tools(row),
  );
}

function addRow(src, name) {
  const row = make("li", { class: "upload" }, make("img", { class: "thumb", src, alt: name, width: 104, height: 104 }), make("div"));
  list.append(row);
  return row;
}

function upload(file) {
  const row = addRow(URL.createObjectURL(file), file.name);
  $(".thumb", row).addEventListener("error", (event) => event.target.setAttribute("src", messages.blank), { once: true });
  const bar = make("progress", { max: 100, value: 0, "aria-label": `${messages.uploading} ${file.name}` });
  const state = make("p", { class: "small soft" }, messages.uploading);
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
    if (event.loaded === event.total) state.textContent = messages.preparing;
  };
  request.onloadend = () => {
    delete row.dataset.waiting;
    const answer = request.response || {};
    if (request.status === 200) {
      if (answer.thumb) $(".thumb", row).src = answer.thumb;
      showDescription(row, answer.id);
      if (answer.camera_summary) {
        const summary = `${messages.metadata} ${answer.camera_summary}`;
        $("textarea", row).after(make("p", { class: "camera-summary small soft" }, summary));
      }
    } else if (row.isConnected) {
      const problem = answer.error || messages.offline;
      const retryButton = make("button", { type: "button", class: "button s" }, messages.again);
      retryButton.addEventListener("click", () => {
        row.remove();
        upload(file);
      });
      row.lastChild.replaceChildren(make("p", { role: "alert" }, make("b", {}, file.name), make("br"), problem));
      const buttons = make("div", { class: "row" }, tool("trash", messages.remove, () => (row.remove(), updateOrder())));
      if (!answer.error) buttons.prepend(retryButton);
      row.lastChild.append(buttons);
    }
    updateOrder();
    startUploads();
  };
  const body = new FormData();
  body.append("photo", file);
  request.send(body);
}

/** Two uploads at a time: a phone's connection is not made faster by twenty. */
const queue = [];
function startUploads() {
  while (queue.length && pending().length < 2) upload(queue.shift());
  if (postsWhenUploaded && !pending().length && !queue.length) {
    postsWhenUploaded = false;
    form.requestSubmit($("[value=post]", form));
  }
}

function addFiles(files) {
  const photos = [...files];
  const room = maxPhotos - $$(".upload", list).length - queue.length;
  if (photos.length > room) showToast(messages.tooMany);
  queue.push(...photos.slice(0, Math.max(0, room)));
  startUploads();
}

input.addEventListener("change", () => {
  addFiles(input.files);
  input.value = "";
});
for (const name of ["dragover", "dragleave", "drop"]) {
  drop.addEventListener(name, (event) => {
    event.preventDefault();
    drop.classList.toggle("over", name === "dragover");
    if (name === "drop") addFiles(event.dataTransfer.files);
  });
}
addEventListener("paste", (event) => {
  const files = [...(event.clipboardData?.files ?? [])].filter((file) => file.type.startsWith("image/"));
  if (files.length) addFiles(files);
});
form.addEventListener("submit", (event) => {
  if (event.submitter?.value !== "post") return;
  if (pending().length || queue.length) {
    event.preventDefault();
    postsWhenUploaded = true;
    showToast(messages.waiting);
  } else if (savesDraft) localStorage.removeItem("draft");
});

/* A draft survives a lost connection; the server deletes photos that are in no post after a day. */
function saveDraft() {
  if (!savesDraft) return;
  const photos = $$(".upload[data-photo]", list).map((row) => ({
    id: row.dataset.photo,
    alt: $("textarea", row).value,
    thumb: $(".thumb", row).src,
  }));
  const draft = { at: Date.now(), caption: caption.value, photos };
  if (draft.caption || photos.length) localStorage.setItem("draft", JSON.stringify(draft));
  else localStorage.removeItem("draft");
}
caption.addEventListener("input", saveDraft);

for (const row of $$(".upload", list)) $(".row", row)?.replaceWith(tools(row));
if (savesDraft && !caption.value && !list.children.length) {
  const draft = JSON.parse(localStorage.getItem("draft") || "null");
  if (draft && Date.now() - draft.at < 20 * 3600e3) {
    caption.value = draft.caption;
    for (const photo of draft.photos) if (/^\d+$/.test(photo.id)) showDescription(addRow(photo.thumb, ""), photo.id, photo.alt);
    if (draft.caption || draft.photos.length) showToast(messages.restored);
  }
}
updateOrder();
