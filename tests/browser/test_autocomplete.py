"""Mentions and hashtags are completed while one types: by keyboard, by touch, and never in the way."""

from __future__ import annotations

import pytest
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


@pytest.mark.parametrize("key", ["Enter", "Tab"])
async def test_the_only_suggestion_is_marked_at_once_and_taken_by(
    key: str, fediverse: Fediverse, browser: Browser
) -> None:
    _here, page = await _caption(fediverse, browser)
    caption = page.get_by_label("Caption")
    await caption.press_sequentially("With @bo")
    await expect(page.locator(".suggestions [aria-selected=true]")).to_contain_text("@bob")
    await expect(caption).to_have_attribute("aria-activedescendant", "suggestion-0")
    await caption.press(key)
    await expect(caption).to_have_value("With @bob ")
    await expect(caption).to_be_focused()
    await expect(caption).not_to_have_attribute("aria-activedescendant", "suggestion-0")


async def test_arrows_move_from_the_first_and_other_keys_do_what_they_did(
    fediverse: Fediverse, browser: Browser
) -> None:
    here, page = await _caption(fediverse, browser)
    await here.node.db.write(lambda tx: publish(tx, here.bob, "At the #LakeComo"))
    caption, marked = page.get_by_label("Caption"), page.locator(".suggestions [aria-selected=true]")
    await caption.press_sequentially("#lake")
    await expect(page.locator(".suggestions li")).to_have_count(3)
    all_ = await page.locator(".suggestions li").all_inner_texts()
    await expect(marked).to_have_text(all_[0])
    await caption.press("ArrowDown")
    await expect(marked).to_have_text(all_[1])
    await caption.press("ArrowUp")
    await caption.press("ArrowUp")
    await expect(marked).to_have_text(all_[2])
    await caption.press("Shift+Enter")
    await expect(caption).to_have_value("#lake\n")
    await expect(page.locator(".suggestions")).to_be_hidden()
    await caption.press("Enter")
    await expect(caption).to_have_value("#lake\n\n")

    await caption.press_sequentially("#lakeg")
    await expect(page.locator(".suggestions li")).to_have_count(1)
    await caption.press("Escape")
    await caption.press("Enter")
    await expect(caption).to_have_value("#lake\n\n#lakeg\n")
    await caption.press("Tab")
    await expect(caption).not_to_be_focused()


async def test_a_suggestion_for_what_was_typed_before_is_not_taken(
    fediverse: Fediverse, browser: Browser
) -> None:
    _here, page = await _caption(fediverse, browser)
    caption = page.get_by_label("Caption")
    await caption.press_sequentially("With @bo")
    await expect(page.locator(".suggestions li")).to_have_count(1)
    await page.route("**/search/suggestions*", lambda _route: None)
    await caption.press_sequentially("xer")
    await caption.press("Enter")
    await expect(caption).to_have_value("With @boxer\n")


async def test_a_comment_takes_it_and_a_search_stays_as_typed(fediverse: Fediverse, browser: Browser) -> None:
    here, page = await _caption(fediverse, browser)
    await page.goto(here.url(f"/posts/{here.post.id}"), wait_until="networkidle")
    comment = page.get_by_label("Your comment")
    await comment.press_sequentially("Hello @ali")
    await expect(page.locator(".suggestions [aria-selected=true]")).to_contain_text("@alice")
    await comment.press("Enter")
    await expect(comment).to_have_value("Hello @alice ")

    await page.goto(here.url("/search"), wait_until="networkidle")
    await page.get_by_role("searchbox").press_sequentially("@ali")
    await page.get_by_role("searchbox").press("Enter")
    await page.wait_for_url("**/search?q=%40ali")


async def test_it_says_when_few_characters_are_left(fediverse: Fediverse, browser: Browser) -> None:
    _here, page = await _caption(fediverse, browser)
    caption = page.get_by_label("Caption")
    await caption.fill("x" * 4_000)
    await expect(page.locator(".characters-left")).to_have_count(0)
    await caption.fill("x" * 4_990)
    await expect(page.locator(".characters-left")).to_have_text("Characters left: 10")
