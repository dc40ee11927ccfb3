"""A photo that is there is edited and described in detail while others are being uploaded or have failed."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.async_api import Browser, Page, Route, expect

from federation_tests.fediverse import Fediverse
from tests.browser.composing import INPUT, add, compose, described, files, post_button, posted, thumbnail
from tests.browser.seen import place, signed_in


async def _open(page: Page, what: str) -> None:
    await thumbnail(page, 0).click()
    await page.locator(f".upload.chosen .{what}").click()
    await page.wait_for_url(f"**/photos/*/{what}**")
    await page.wait_for_load_state("networkidle")


async def _done(page: Page) -> None:
    await page.locator("text=Done >> visible=true").first.click()
    await page.wait_for_url("**/compose**")
    await page.wait_for_load_state("networkidle")


@pytest.mark.parametrize("what", ["edit", "details"])
async def test_a_failed_photo_stays_named_and_stops_nobody(
    fediverse: Fediverse, browser: Browser, tmp_path: Path, what: str
) -> None:
    here, page = await compose(fediverse, browser)
    await page.wait_for_load_state("networkidle")
    await page.get_by_label("Caption").fill("Both of them")
    await page.set_input_files(INPUT, files(tmp_path, "good.jpg", "bad.pdf"))
    await expect(page.locator(".upload[data-photo]")).to_have_count(1)
    await expect(page.locator(".upload.failed")).to_have_count(1)
    await _open(page, what)
    await _done(page)

    await expect(page.locator(".upload.failed")).to_contain_text("bad.pdf")
    await expect(page.get_by_label("Caption")).to_have_value("Both of them")
    await post_button(page).click()
    await expect(page.locator("#undecided")).to_contain_text("1 photo was not uploaded")
    assert await posted(here) == []


@pytest.mark.parametrize("what", ["edit", "details"])
async def test_an_upload_goes_on_when_one_comes_back(
    fediverse: Fediverse, browser: Browser, tmp_path: Path, what: str
) -> None:
    here, page = await compose(fediverse, browser)
    await page.wait_for_load_state("networkidle")
    paths = files(tmp_path, "one.jpg", "two.jpg", "three.jpg")
    await add(page, paths[:1])
    await described(page).fill("One")

    async def never(route: Route) -> None:
        """The connection is slow: no answer comes while the page is open."""

    await page.route("**/compose/photo", never)
    await page.set_input_files(INPUT, paths[1:])
    await expect(page.locator(".upload[data-waiting]")).to_have_count(2)
    await _open(page, what)
    await page.unroute("**/compose/photo")
    await _done(page)

    await expect(page.locator(".upload[data-photo]")).to_have_count(3)
    await post_button(page).click()
    await expect(page.locator(".slides img")).to_have_count(3)
    assert await posted(here) == ["One", "", ""]


async def test_a_posted_album_says_after_an_edit_what_is_missing(
    fediverse: Fediverse, browser: Browser, tmp_path: Path
) -> None:
    here = await place(fediverse)
    page = await (await signed_in(browser, here, here.alice, width=390)).new_page()
    await page.goto(here.url(f"/posts/{here.album.id}/edit"))
    await page.wait_for_load_state("networkidle")
    await page.set_input_files(INPUT, files(tmp_path, "bad.pdf"))
    await expect(page.locator(".upload.failed")).to_have_count(1)
    await page.get_by_label("Caption").fill("New words")
    await _open(page, "details")
    await page.get_by_role("link", name="Done").click()
    await page.wait_for_url("**/posts/*/edit")
    await expect(page.get_by_label("Caption")).to_have_value("New words")
    await expect(page.locator(".upload.failed")).to_contain_text("bad.pdf")
    await expect(page.locator(".upload[data-photo]")).to_have_count(3)
