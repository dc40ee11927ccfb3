"""A short message lies on no control and no heading, wherever the page has room, and catches no click."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.async_api import Browser, Page, expect

from federation_tests.fediverse import Fediverse
from tests.browser.composing import add, compose, files
from tests.browser.seen import place, signed_in

# What the message lies on, but for photos and other large things.
COVERED = """() => {
  const box = document.querySelector("#toast").getBoundingClientRect();
  const controls = document.querySelectorAll("a[href], button, summary, input, select, textarea, label, h1, h2, h3");
  return [...controls].filter((one) => one.checkVisibility({visibilityProperty: true, opacityProperty: true}))
    .filter((one) => [...one.getClientRects()].some((at) => at.width > 2 && at.height < innerHeight / 4
      && at.right > box.left && at.left < box.right && at.bottom > box.top && at.top < box.bottom))
    .map((one) => one.outerHTML.slice(0, 120));
}"""
SEEN = """() => {
  const box = document.querySelector("#toast").getBoundingClientRect();
  return box.height > 0 && box.top >= 0 && box.bottom <= innerHeight && box.left >= 0 && box.right <= innerWidth;
}"""


async def _judge(page: Page, text: str) -> list[str]:
    toast = page.locator("#toast")
    await expect(toast).to_have_text(text)
    assert await page.evaluate(SEEN)
    assert await toast.evaluate("one => getComputedStyle(one).pointerEvents") == "none"
    found: list[str] = await page.evaluate(COVERED)
    return found


@pytest.mark.parametrize(("width", "motion"), [(390, "no-preference"), (390, "reduce"), (1280, "reduce")])
async def test_a_restored_draft_is_announced_in_a_free_place(
    fediverse: Fediverse, browser: Browser, tmp_path: Path, width: int, motion: str
) -> None:
    _here, page = await compose(fediverse, browser, width=width)
    await page.set_viewport_size({"width": width, "height": 844})
    await page.emulate_media(reduced_motion="reduce" if motion == "reduce" else "no-preference")
    await add(page, files(tmp_path, "one.jpg"))
    await page.get_by_label("Caption").fill("A lake")
    await page.reload()
    assert await _judge(page, "Draft restored") == []


@pytest.mark.parametrize("width", [390, 1280])
async def test_an_action_that_failed_says_so_in_a_free_place(
    fediverse: Fediverse, browser: Browser, width: int
) -> None:
    here = await place(fediverse)
    page = await (await signed_in(browser, here, here.bob, width=width)).new_page()
    for path in ("/", f"/p/alice/{here.album.id}", f"/p/alice/{here.post.id}"):
        await page.goto(here.url(path))
        await page.wait_for_load_state("networkidle")
        await page.context.set_offline(True)
        await page.locator("[data-action=like]").first.click()
        covered = await _judge(page, "The connection was lost.")
        await page.context.set_offline(False)
        assert covered == [], path
