"""Every main screen at 320 pixels, and with text twice as large: nothing cut off, nothing on top of another thing."""

from __future__ import annotations

import pytest
from playwright.async_api import Browser, Page

from federation_tests.fediverse import Fediverse
from tests.browser.conftest import visitor
from tests.browser.seen import Place, place, signed_in

ANYBODY = ["/", "/explore", "/about", "/sign-in", "/sign-up", "/p/alice/{post}", "/posts/{album}/photos/2"]
SOMEBODY = [
    "/",
    "/explore",
    "/explore/tags",
    "/@alice",
    "/@alice/all",
    "/@bob",
    "/@bob/followers",
    "/p/alice/{post}",
    "/p/alice/{album}",
    "/posts/{post}/likes",
    "/posts/{post}/delete",
    "/posts/{post}/who-can-comment",
    "/people/{bob}/mute",
    "/tags/lake",
    "/notifications",
    "/follow-requests",
    "/bookmarks",
    "/drafts",
    "/search?q=lake",
    "/settings",
    "/settings/profile",
    "/settings/preferences",
    "/settings/password",
    "/settings/passkeys",
    "/settings/passkeys/offer",
    "/settings/two-step",
    "/settings/sessions",
    "/settings/people",
    "/settings/invites",
    "/settings/deletion",
    "/settings/moving",
    "/settings/deleted",
    "/report?person={bob}",
    "/admin/people",
    "/admin/sign-ups",
    "/admin/reports",
    "/admin/reports/{report}",
    "/admin/servers",
    "/admin/servers/b.test",
    "/admin/lists",
    "/admin/jobs",
    "/admin/deliveries",
    "/admin/log",
    "/nothing",
]

# What is only there for screen readers, scrolls by itself, or lies on a photo on purpose is left out.
PROBLEMS = """() => {
  const found = [];
  const name = (one) => one.outerHTML.slice(0, 110).replace(/\\s+/g, " ");
  const wide = document.documentElement.scrollWidth - document.documentElement.clientWidth;
  if (wide > 0) found.push(`${wide} pixels wider than the screen`);
  const seen = (one) => one.checkVisibility({visibilityProperty: true, opacityProperty: true})
    && !one.closest(".sr, .skip, .alt, .photo, .cell, .film, .nav-bar .label, .logo span, [inert]")
    && getComputedStyle(one).clipPath === "none";
  const scrolls = (one) => {
    for (let at = one.parentElement; at && at !== document.body; at = at.parentElement)
      if (/auto|scroll/.test(getComputedStyle(at).overflowX)) return true;
    return false;
  };
  for (const one of document.body.querySelectorAll("*")) {
    if (!seen(one) || one.closest("svg")) continue;
    const style = getComputedStyle(one);
    const box = one.getBoundingClientRect();
    if (!box.width || !box.height) continue;
    if ((box.left < -1 || box.right > innerWidth + 1) && !scrolls(one)) found.push(`beyond the screen: ${name(one)}`);
    const hasText = [...one.childNodes].some((node) => node.nodeType === 3 && node.textContent.trim());
    if (!hasText || style.display === "inline" || style.textOverflow === "ellipsis" || style.webkitLineClamp !== "none") continue;
    const isField = one.matches("textarea, select, option");
    const cutsOff = /hidden|clip/.test(style.overflowX + style.overflowY);
    const isControl = one.matches("a, button, summary, label, th, td, legend");
    if (!isField && (cutsOff || isControl) && (one.scrollWidth > one.clientWidth + 2 || one.scrollHeight > one.clientHeight + 2))
      found.push(`cut off: ${name(one)} ${one.scrollWidth}x${one.scrollHeight} in ${one.clientWidth}x${one.clientHeight}`);
  }
  const floats = (one) => {
    for (let at = one; at && at !== document.body; at = at.parentElement)
      if (/fixed|sticky|absolute/.test(getComputedStyle(at).position)) return true;
    return false;
  };
  const controls = [...document.querySelectorAll("a[href], button, input:not([type=hidden]), select, textarea, summary, h1, h2, p, dt, dd")]
    .filter((one) => seen(one) && !floats(one) && !one.closest("details:not([open]) > :not(summary)"));
  const boxes = controls.map((one) => [one, [...one.getClientRects()]]);
  for (let i = 0; i < boxes.length; i++) for (let j = i + 1; j < boxes.length; j++) {
    const [a, of] = boxes[i];
    const [b, others] = boxes[j];
    if (a.contains(b) || b.contains(a)) continue;
    for (const x of of) for (const y of others) {
      const across = Math.min(x.right, y.right) - Math.max(x.left, y.left);
      const down = Math.min(x.bottom, y.bottom) - Math.max(x.top, y.top);
      if (across > 3 && down > 3 && !inlineTogether(a, b)) found.push(`on top of each other: ${name(a)} and ${name(b)}`);
    }
  }
  // A word of a heading or a button is whole.
  for (const one of document.querySelectorAll("h1, h2, h3, .button, .tabs a, .who b")) {
    if (!seen(one)) continue;
    const walker = document.createTreeWalker(one, NodeFilter.SHOW_TEXT);
    for (let text = walker.nextNode(); text; text = walker.nextNode()) for (const word of text.data.matchAll(/\\p{L}+/gu)) {
      if (text.parentElement.closest(".sr")) continue;
      const range = document.createRange();
      range.setStart(text, word.index);
      range.setEnd(text, word.index + word[0].length);
      if (new Set([...range.getClientRects()].map((box) => Math.round(box.top))).size > 1)
        found.push(`a broken word: ${word[0]} in ${name(one)}`);
    }
  }
  // Links in the lines of a text may be higher than their lines.
  function inlineTogether(a, b) {
    return getComputedStyle(a).display === "inline" && getComputedStyle(b).display === "inline";
  }
  return [...new Set(found)].slice(0, 12);
}"""

SCREENS = {
    # Width, and how large the reader has set text in their browser (16 is usual).
    "320 pixels": (320, 16),
    "text twice as large on a phone": (390, 32),
    "text twice as large on a narrow phone": (320, 32),
    "text twice as large": (1280, 32),
}


async def _look(page: Page, here: Place, path: str) -> list[str]:
    places = {"post": here.post.id, "album": here.album.id, "bob": here.bob.id, "report": here.report}
    await page.goto(here.url(path.format(**places)), wait_until="load")
    return [f"{path}: {problem}" for problem in await page.evaluate(PROBLEMS)]


@pytest.mark.parametrize("screen", SCREENS)
async def test_nothing_is_cut_off_or_covered(fediverse: Fediverse, browser: Browser, screen: str) -> None:
    here = await place(fediverse)
    width, size = SCREENS[screen]
    problems: list[str] = []
    for context, paths in (
        (await visitor(browser, width=width), ANYBODY),
        (await signed_in(browser, here, here.alice, width=width), SOMEBODY),
    ):
        page = await context.new_page()
        await page.emulate_media(reduced_motion="reduce")
        client = await context.new_cdp_session(page)
        await client.send("Page.enable")
        await client.send("Page.setFontSizes", {"fontSizes": {"standard": size, "fixed": size - 3}})
        for path in paths:
            problems += await _look(page, here, path)
        await context.close()
    assert not problems, "\n".join(problems)
