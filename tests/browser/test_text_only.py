"""A post with photos becomes one of words alone only when its author says so in words."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.async_api import Browser, Page, expect

from federation_tests.fediverse import Fediverse
from node.attachments import photo_rows
from tests.browser.composing import INPUT, add, compose, files, post_button, tool
from tests.browser.seen import place, signed_in

WITHOUT = "Post the caption without a photo"


async def _says_so(page: Page) -> None:
    for _ in range(2):
        await post_button(page).click()
        await expect(page.locator("#undecided")).to_contain_text("There is no photo in this post any more.")
        await expect(page.locator("#undecided")).to_be_focused()
    await page.get_by_role("button", name=WITHOUT).click()
    await expect(page.locator(".post")).to_contain_text("Look at this")


@pytest.mark.parametrize("is_reloaded", [False, True])
async def test_the_only_photo_is_broken_or_removed(
    fediverse: Fediverse, browser: Browser, tmp_path: Path, is_reloaded: bool
) -> None:
    _here, page = await compose(fediverse, browser)
    await page.wait_for_load_state("networkidle")
    await page.get_by_label("Caption", exact=True).fill("Look at this")
    if is_reloaded:
        await add(page, files(tmp_path, "good.jpg"))
        await tool(page, "Remove")
        await page.reload()
        await page.wait_for_load_state("networkidle")
        await expect(page.get_by_label("Caption", exact=True)).to_have_value("Look at this")
    else:
        await page.set_input_files(INPUT, files(tmp_path, "bad.pdf"))
        await expect(page.locator(".upload.failed")).to_have_count(1)
        await post_button(page).click()
        await page.locator("#undecided").get_by_role("button", name="Remove this photo").click()
        await expect(page.get_by_role("button", name=WITHOUT)).to_be_visible()
    await _says_so(page)


async def test_words_that_never_had_a_photo_are_posted_at_once(
    fediverse: Fediverse, browser: Browser
) -> None:
    _here, page = await compose(fediverse, browser)
    await page.wait_for_load_state("networkidle")
    await page.get_by_label("Caption", exact=True).fill("Only words")
    await post_button(page).click()
    await expect(page.locator(".post")).to_contain_text("Only words")


async def test_a_posted_photo_is_not_taken_out_silently(fediverse: Fediverse, browser: Browser) -> None:
    here = await place(fediverse)
    page = await (await signed_in(browser, here, here.alice, width=390)).new_page()
    await page.goto(here.url(f"/posts/{here.post.id}/edit"))
    await page.wait_for_load_state("networkidle")
    await tool(page, "Remove")
    await post_button(page, "Save").click()
    await expect(page.get_by_role("button", name=WITHOUT)).to_be_visible()
    assert len((await here.node.db.read(photo_rows.by_posts, [here.post.id]))[here.post.id]) == 1


@pytest.mark.parametrize("is_broken", [True, False])
async def test_without_scripts_a_box_says_so(
    fediverse: Fediverse, browser: Browser, tmp_path: Path, is_broken: bool
) -> None:
    here, page = await compose(fediverse, browser, scripts=False)
    await page.get_by_label("Caption", exact=True).fill("Look at this")
    await page.set_input_files(
        "input[name=photos] >> nth=0", files(tmp_path, "a.pdf" if is_broken else "a.jpg")
    )
    await page.get_by_role("button", name="Upload and add descriptions").click()
    await page.get_by_label("Post without this photo" if is_broken else "Remove", exact=True).check()
    for _ in range(2):
        await post_button(page).click()
        await expect(page.get_by_role("alert")).to_contain_text("There is no photo in this post any more.")
        await expect(page.get_by_label("Caption", exact=True)).to_have_value("Look at this")
    await page.get_by_label(WITHOUT).check()
    await post_button(page).click()
    await expect(page.locator(".post")).to_contain_text("Look at this")
    assert here.url("/p/bob/") in page.url
