// Says while a username is typed whether it can be had, and not only once the form is sent.

import { $, make } from "./dom.js";

const field = $("[data-check-name]");
const hint = $(`#h-${field.name}`);
const problem = make("p", { class: "wrong", role: "status" });
hint.after(problem);
let timer;

function show(text) {
  problem.textContent = text;
  // What the server refused before is about another name by now.
  hint.hidden = Boolean(text) || hint.classList.contains("wrong");
  if (text) field.setAttribute("aria-invalid", "true");
  else field.removeAttribute("aria-invalid");
  field.setAttribute("aria-describedby", text ? problem.id : hint.id);
}

async function check() {
  const name = field.value.trim();
  if (!name) return show("");
  const answer = await fetch(`/sign-up/name?name=${encodeURIComponent(name)}`, { headers: { Accept: "application/json" } }).catch(() => null);
  const found = answer?.ok ? await answer.json().catch(() => null) : null;
  if (found && field.value.trim() === name) show(found.problem);
}

problem.id = `p-${field.name}`;
field.addEventListener("input", () => {
  clearTimeout(timer);
  timer = setTimeout(check, 250);
});
