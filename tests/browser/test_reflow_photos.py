"""The screens on which photos are posted and edited, at 320 pixels and with text twice as large: all can be used."""

from __future__ import annotations

from dataclasses import replace

import pytest
from playwright.async_api import Browser, Page

from federation_tests.fediverse import Fediverse
from node.attachments import photos
from node.posts.drafts import Draft
from node.publishing import publishing, saved_drafts
from tests.browser.seen import Place, place, signed_in
from tests.browser.test_reflow import PROBLEMS, SCREENS
from tests.support.pictures import picture

PATHS = [
    "/compose",
    "/compose?draft={draft}",
    "/posts/{post}/edit",
    "/photos/{photo}/details?part=focus",
    "/photos/{photo}/details?part=people",
    "/photos/{photo}/details?part=place",
    "/photos/{photo}/edit",
    "/p/alice/{shown}",
    "/",
]

CLEAR = """() => {
  const found = [];
  const name = (one) => one.outerHTML.slice(0, 110).replace(/\\s+/g, " ");
  for (const one of document.querySelectorAll(".e-top > *, .e-mid > *, .e-modes > *, .compose-bar .go > *, .photo-tools > *, .answer .button, .title > *, .byline .who b")) {
    if (!one.checkVisibility()) continue;
    const box = one.getBoundingClientRect();
    const isLow = box.bottom > innerHeight + 1 && (one.closest(".e-app") || getComputedStyle(one.parentElement.parentElement).position === "sticky");
    if (box.left < -1 || box.right > innerWidth + 1 || isLow) found.push(`beyond the screen: ${name(one)}`);
    if (one.scrollWidth > one.clientWidth + 2 && !one.matches("details")) found.push(`cut off: ${name(one)}`);
    for (const word of one.matches("button, h1") ? one.innerText.split(/\\s+/) : []) {
      const range = document.createRange();
      const text = [...one.childNodes].find((node) => node.nodeType === 3 && node.data.includes(word));
      if (!text || !word) continue;
      range.setStart(text, text.data.indexOf(word));
      range.setEnd(text, text.data.indexOf(word) + word.length);
      if (range.getClientRects().length > 1) found.push(`a broken word: ${word}`);
    }
  }
  const bar = document.querySelector(".compose-bar");
  if (bar && getComputedStyle(bar).position === "sticky" && bar.getBoundingClientRect().height > innerHeight / 4) found.push("the bar takes more than a quarter of the screen");
  for (const large of document.querySelectorAll(".upload.chosen .large")) {
    const tools = large.querySelector(".photo-tools").getBoundingClientRect();
    const photo = large.getBoundingClientRect();
    if (tools.top < photo.top + photo.height / 3 && tools.bottom > photo.top + 8 && tools.top < photo.bottom) found.push("the buttons cover the photo");
  }
  const drawn = document.querySelector(".e-photo")?.getBoundingClientRect();
  if (drawn && drawn.width < innerWidth / 2 && drawn.height < innerHeight / 4) found.push(`the photo is ${drawn.width} pixels wide`);
  return found;
}"""


async def paths_of(here: Place) -> list[str]:
    """The screens, for a draft of two photos and a post of one, on a node that keeps originals."""
    node = here.node
    node.config = replace(node.config, media=replace(node.config.media, keep_originals=True))
    made = [await photos.upload(node, here.alice, picture(900, 600, seed=90 + n)) for n in range(3)]
    ids = [one.id for one in made]
    draft = await node.db.write(
        saved_drafts.save, here.alice, Draft(caption="Half a thought", photo_ids=ids[:2])
    )
    post = await node.db.write(publishing.publish, here.alice, Draft(caption="A lake", photo_ids=ids[2:]))
    return [path.format(draft=draft.id, post=post.id, photo=ids[0], shown=here.post.id) for path in PATHS]


async def _look(page: Page, here: Place, path: str) -> list[str]:
    await page.goto(here.url(path), wait_until="networkidle")
    found = await page.evaluate(PROBLEMS) + await page.evaluate(CLEAR)
    return [f"{path}: {problem}" for problem in found]


@pytest.mark.parametrize("screen", SCREENS)
async def test_photos_can_be_posted_and_edited(fediverse: Fediverse, browser: Browser, screen: str) -> None:
    here = await place(fediverse)
    paths = await paths_of(here)
    width, size = SCREENS[screen]
    context = await signed_in(browser, here, here.alice, width=width)
    page = await context.new_page()
    await page.emulate_media(reduced_motion="reduce")
    client = await context.new_cdp_session(page)
    await client.send("Page.enable")
    await client.send("Page.setFontSizes", {"fontSizes": {"standard": size, "fixed": size - 3}})
    problems = [problem for path in paths for problem in await _look(page, here, path)]
    assert not problems, "\n".join(problems)
