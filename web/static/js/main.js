// Every page works without scripts. Modules that only some pages need are loaded only there.

import { $, $$ } from "./dom.js";
import { enhance } from "./enhance.js";
import { forgetDraft } from "./actions.js";
import "./back.js";
import "./focus.js";
import "./menus.js";
import "./offline.js";
import "./photos.js";
import "./theme.js";
import "./unsent.js";

enhance(document);
for (const tabs of $$(".tabs")) {
  const here = $("[aria-current]", tabs);
  if (here) tabs.scrollLeft = here.offsetLeft - (tabs.clientWidth - here.offsetWidth) / 2;
}
if ($("#stream + .older, .older[data-more]")) import("./infinite_scroll.js");
if ($("#answer, [data-reply]")) import("./comments.js");
if ($("#compose")) import("./compose.js");
if ($("textarea[name=caption], [data-suggest]")) import("./autocomplete.js");
if ($(".photo-details")) import("./details.js");
if ($("details.people")) import("./people.js");
if ($("[data-count]")) import("./badges.js");
if ($("[data-check-name]")) import("./name_check.js");
if ($(".consent .go")) import("./consent.js");
for (const button of $$("[data-print]")) {
  button.hidden = false;
  button.addEventListener("click", () => print());
}
if ($("[data-passkey], [data-accepted]")) import("./passkeys.js");
if ($("[data-crop]")) import("./crop.js");
if (location.pathname.startsWith("/settings/") || $("#f-reason[data-most]")) import("./typed.js");
if ($("#photo-editor")) import("./editor/editor.js");
else if (matchMedia("(hover: hover)").matches || $(".post, .photo-turns")) import("./keyboard.js");

// What was typed is kept until the page of the post, or the list of drafts, has come: an error or a session that ended
// loses nothing.
const posting = sessionStorage.getItem("posting");
if (posting) {
  sessionStorage.removeItem("posting");
  if (location.pathname.startsWith("/p/") || location.pathname === "/drafts") localStorage.removeItem(posting);
}

// What the browser keeps of a draft is kept until the server has deleted it.
const deleting = location.pathname === "/drafts" && sessionStorage.getItem("deleting");
if (deleting) {
  sessionStorage.removeItem("deleting");
  if (!$(`[data-draft="${deleting}"]`)) forgetDraft(deleting);
}

// A comment that the address names is seen, also among replies that are folded.
function unfold() {
  const target = location.hash.length > 1 && document.getElementById(decodeURIComponent(location.hash.slice(1)));
  const branch = target && target.closest("details.branch:not([open])");
  if (!branch) return;
  branch.open = true;
  target.scrollIntoView();
}
addEventListener("hashchange", unfold);
unfold();
