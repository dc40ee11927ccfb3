"""Back to the page of a new post: everything is there as it was left, with the back/forward cache and without it."""

from __future__ import annotations

import contextlib
import shutil
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from playwright.async_api import Browser, Page, async_playwright, expect
from playwright.async_api import TimeoutError as TimedOut

from federation_tests.fediverse import Fediverse
from tests.browser.composing import add, compose, describe, described, files, post_button, posted, thumbnail
from tests.browser.conftest import FLAGS


@pytest.fixture
async def keeping_browser(browser: Browser) -> AsyncIterator[Browser]:
    """A browser that keeps a page as it was while another is shown, as those of people do."""
    async with async_playwright() as playwright:
        running = await playwright.chromium.launch(
            executable_path=shutil.which("chromium") or shutil.which("chromium-browser"),
            args=FLAGS,
            ignore_default_args=["--disable-back-forward-cache"],
        )
        yield running
        await running.close()


async def _begin(page: Page, tmp_path: Path) -> None:
    await page.wait_for_load_state("networkidle")
    await add(page, files(tmp_path, "a.jpg", "b.jpg"))
    await describe(page, "One", "Two")
    await page.get_by_label("Caption").fill("Two photos from the garden")
    await expect(page.locator("#draft-state")).to_have_text("Draft saved")


async def _go_back(page: Page) -> None:
    with contextlib.suppress(TimedOut):  # a page that comes out of the cache is not loaded
        await page.go_back(timeout=5_000)


async def _is_whole(page: Page) -> None:
    await expect(page.locator(".upload[data-photo]")).to_have_count(2)
    await expect(page.get_by_label("Caption")).to_have_value("Two photos from the garden")
    await thumbnail(page, 1).click()
    await expect(described(page)).to_have_value("Two")


WAYS = [".upload.chosen .edit", ".upload.chosen .details", "a.drafts", ".compose-top .tool"]


@pytest.mark.parametrize("way", WAYS)
async def test_back_shows_the_photos_and_the_caption(
    fediverse: Fediverse, browser: Browser, tmp_path: Path, way: str
) -> None:
    here, page = await compose(fediverse, browser)
    await _begin(page, tmp_path)
    await page.locator(way).click()
    await expect(page.locator("#compose")).to_have_count(0)
    await page.wait_for_load_state("networkidle")

    await _go_back(page)

    await _is_whole(page)
    await post_button(page).click()
    await expect(page.locator(".post")).to_contain_text("Two photos from the garden")
    assert await posted(here) == ["One", "Two"]


@pytest.mark.parametrize("way", WAYS)
async def test_a_page_out_of_the_cache_works_as_before(
    fediverse: Fediverse, keeping_browser: Browser, tmp_path: Path, way: str
) -> None:
    here, page = await compose(fediverse, keeping_browser)
    await _begin(page, tmp_path)
    await page.locator(way).click()
    await expect(page.locator("#compose")).to_have_count(0)
    await page.wait_for_load_state("networkidle")

    await _go_back(page)

    await _is_whole(page)
    await page.locator(".upload.chosen .details").click()
    await expect(page.get_by_role("heading", name="Photo details")).to_be_visible()
    await _go_back(page)
    await _is_whole(page)
    await post_button(page).click()
    await expect(page.locator(".post")).to_contain_text("Two photos from the garden")
    assert await posted(here) == ["One", "Two"]


@pytest.mark.parametrize("is_kept", [False, True])
async def test_back_after_posting_is_a_new_post(
    fediverse: Fediverse, browser: Browser, keeping_browser: Browser, tmp_path: Path, is_kept: bool
) -> None:
    here, page = await compose(fediverse, keeping_browser if is_kept else browser)
    await _begin(page, tmp_path)
    await post_button(page).click()
    await expect(page.locator(".post")).to_contain_text("Two photos from the garden")

    await _go_back(page)

    await expect(page.get_by_label("Caption")).to_have_value("")
    await expect(page.locator(".upload")).to_have_count(0)
    await page.get_by_label("Caption").fill("Another one")
    await post_button(page).click()
    await expect(page.locator(".post")).to_contain_text("Another one")
    assert await posted(here) == []


@pytest.mark.parametrize("is_kept", [False, True])
async def test_an_edit_that_was_left_is_named_and_one_that_is_done_is_seen(
    fediverse: Fediverse, browser: Browser, keeping_browser: Browser, tmp_path: Path, is_kept: bool
) -> None:
    here, page = await compose(fediverse, keeping_browser if is_kept else browser)
    await _begin(page, tmp_path)
    await thumbnail(page, 0).click()
    before = await page.locator(".upload.chosen .large img").get_attribute("src") or ""
    await page.locator(".upload.chosen .edit").click()
    await page.locator(".e-look[data-look=soot]").click()
    await expect(page.get_by_role("button", name="Undo")).to_be_enabled()
    await _go_back(page)
    await thumbnail(page, 0).click()
    await expect(page.locator(".upload.chosen")).to_contain_text("not been applied")

    await page.locator(".upload.chosen").get_by_role("button", name="Go on editing").click()
    await page.get_by_role("button", name="Done", exact=True).click()
    await _is_whole(page)
    await thumbnail(page, 0).click()
    await expect(page.locator(".upload.chosen .large img")).not_to_have_attribute("src", before)
    after = await page.locator(".upload.chosen .large img").get_attribute("src") or ""
    await _go_back(page)
    await _go_back(page)
    await _is_whole(page)
    await thumbnail(page, 0).click()
    await expect(page.locator(".upload.chosen .large img")).to_have_attribute("src", after)
    await expect(page.locator(".upload.chosen")).not_to_contain_text("not been applied")
    await page.locator(".upload.chosen .edit").click()
    await expect(page.locator(".e-look[data-look=soot]")).to_have_attribute("aria-pressed", "true")
    assert here.url("/photos/") in page.url
