"""Mentions and hashtags are completed while one types: by keyboard, by touch, and never in the way."""

from __future__ import annotations

from playwright.async_api import Browser, Page, expect

from federation_tests.fediverse import Fediverse
from tests.browser.seen import Place, place, signed_in
from tests.support.posting import publish


async def _caption(fediverse: Fediverse, browser: Browser, width: int = 1280) -> tuple[Place, Page]:
    here = await place(fediverse)
    await here.node.db.write(lambda tx: publish(tx, here.bob, "At the #LakeGeneva"))
    page = await (await signed_in(browser, here, here.bob, width=width)).new_page()
    await page.goto(here.url("/compose"), wait_until="networkidle")
    return here, page


async def test_by_keyboard(fediverse: Fediverse, browser: Browser) -> None:
    _here, page = await _caption(fediverse, browser)
    caption = page.get_by_label("Caption")
    await caption.press_sequentially("With @bo")
    await expect(page.locator(".suggestions li")).to_have_count(1)
    await caption.press("ArrowDown")
    await expect(page.locator(".suggestions [aria-selected=true]")).to_contain_text("@bob")
    await caption.press("Enter")
    await expect(caption).to_have_value("With @bob ")
    await expect(page.locator(".suggestions")).to_be_hidden()

    await caption.press_sequentially("at #lakeg")
    await expect(page.locator(".suggestions li")).to_have_count(1)
    await caption.press("Escape")
    await expect(page.locator(".suggestions")).to_be_hidden()
    await expect(caption).to_have_value("With @bob at #lakeg")
    assert page.url.endswith("/compose"), "Enter and Escape did nothing else"


async def test_by_touch(fediverse: Fediverse, browser: Browser) -> None:
    _here, page = await _caption(fediverse, browser, 390)
    caption = page.get_by_label("Caption")
    await caption.press_sequentially("At #lakeg")
    await page.locator(".suggestions li").click()
    await expect(caption).to_have_value("At #LakeGeneva ")
    await expect(caption).to_be_focused()
    assert await page.evaluate("document.documentElement.scrollWidth") <= 390


async def test_enter_makes_a_line_where_nothing_was_chosen(fediverse: Fediverse, browser: Browser) -> None:
    _here, page = await _caption(fediverse, browser)
    caption = page.get_by_label("Caption")
    await caption.press_sequentially("With @bo")
    await expect(page.locator(".suggestions li")).to_have_count(1)
    await caption.press("Enter")
    await expect(caption).to_have_value("With @bo\n")


async def test_it_says_when_few_characters_are_left(fediverse: Fediverse, browser: Browser) -> None:
    _here, page = await _caption(fediverse, browser)
    caption = page.get_by_label("Caption")
    await caption.fill("x" * 4_000)
    await expect(page.locator(".characters-left")).to_have_count(0)
    await caption.fill("x" * 4_990)
    await expect(page.locator(".characters-left")).to_have_text("Characters left: 10")
