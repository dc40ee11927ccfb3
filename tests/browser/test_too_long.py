"""A text that is too long is kept whole: how much is too many stands beside it, and it is not sent."""

from __future__ import annotations

import pytest
from playwright.async_api import Browser, Locator, Page, expect

from federation_tests.fediverse import Fediverse
from node.database import Reader
from tests.browser.composing import compose, post_button
from tests.browser.seen import place, signed_in

TOO_LONG = "word " * 1_200 + "END"


async def _paste(page: Page, field: Locator, text: str) -> None:
    await field.focus()
    await page.keyboard.insert_text(text)


def _posts(tx: Reader) -> int:
    count: int = tx.value("SELECT COUNT(*) FROM posts")
    return count


@pytest.mark.parametrize("width", [390, 1280])
async def test_a_long_caption_is_kept_and_refused_where_the_eye_is(
    fediverse: Fediverse, browser: Browser, width: int
) -> None:
    here, page = await compose(fediverse, browser, width=width)
    await page.wait_for_load_state("networkidle")
    before = await here.node.db.read(_posts)
    caption = page.get_by_label("Caption", exact=True)
    await _paste(page, caption, TOO_LONG)
    await expect(caption).to_have_value(TOO_LONG)
    await expect(page.locator("#count-caption")).to_have_text("1,003 too many")

    await post_button(page).click()

    await expect(page.locator("#undecided")).to_contain_text("Caption: 1,003 characters too many.")
    await expect(page.locator("#undecided")).to_be_focused()
    await expect(caption).to_have_value(TOO_LONG)
    assert await here.node.db.read(_posts) == before
    await page.reload()
    await expect(caption).to_have_value(TOO_LONG)
    await page.locator("[data-option=warning] summary").click()
    await _paste(page, page.get_by_label("Content warning"), "w" * 503)
    await expect(page.get_by_label("Content warning")).to_have_value("w" * 503)
    await caption.fill("https://lake.example/" + "x" * 6_000)  # a link counts as 23
    await expect(page.locator("#count-caption")).to_have_text("23 / 5,000")
    await post_button(page).click()
    await expect(page.locator("#undecided")).to_contain_text("Content warning: 3 characters too many.")
    if width < 1_000:
        await page.locator("[data-option=warning] summary").click()
    await page.get_by_label("Content warning").fill("")
    await page.keyboard.press("Escape")
    await post_button(page).click()
    await expect(page.locator(".post")).to_contain_text("lake.example")


@pytest.mark.parametrize("is_reply", [False, True])
async def test_a_long_comment_is_kept_and_refused_where_it_stands(
    fediverse: Fediverse, browser: Browser, is_reply: bool
) -> None:
    here = await place(fediverse)
    page = await (await signed_in(browser, here, here.bob, width=390, touch=True)).new_page()
    await page.goto(here.url(f"/posts/{here.post.id}"))
    await page.wait_for_load_state("networkidle")
    before = await here.node.db.read(_posts)
    if is_reply:
        await page.get_by_role("link", name="Reply").first.click()
    form = page.locator("form.answer.reply" if is_reply else "#answer")
    field = form.locator("textarea")
    await field.fill("short")
    width = (await field.bounding_box() or {})["width"]
    await field.fill("")
    await _paste(page, field, TOO_LONG)
    await expect(field).to_have_value(TOO_LONG)
    await expect(form.locator(".characters-left")).to_contain_text("1,003 too many")
    assert (await field.bounding_box() or {})["width"] == pytest.approx(width, abs=1)

    await form.locator("button.main").click()

    await expect(form.get_by_role("alert")).to_contain_text("1,003 characters too many")
    await expect(field).to_have_value(TOO_LONG)
    assert await here.node.db.read(_posts) == before
    await field.fill("Short enough")
    await form.locator("button.main").click()
    await expect(page.locator(".comment", has_text="Short enough")).to_be_visible()
    await expect(page.locator(".comment.pending")).to_have_count(0)


async def test_without_scripts_the_server_refuses_and_keeps_the_text(
    fediverse: Fediverse, browser: Browser
) -> None:
    here, page = await compose(fediverse, browser, scripts=False)
    caption = page.get_by_label("Caption", exact=True)
    await caption.fill(TOO_LONG)
    await post_button(page).click()
    await expect(page.get_by_role("alert")).to_contain_text("The caption is too long")
    await expect(caption).to_have_value(TOO_LONG)

    await page.goto(here.url(f"/posts/{here.post.id}"))
    await page.get_by_label("Your comment").fill(TOO_LONG)
    await page.locator("#answer button").click()
    await expect(page.get_by_role("alert")).to_contain_text("too long")
    await expect(page.get_by_label("Your comment")).to_have_value(TOO_LONG)
