"""A tap on a photo opens it without waiting for a second one, which likes it instead and leaves no trace of the first."""

from __future__ import annotations

import pytest
from playwright.async_api import Browser, Page, expect

from federation_tests.fediverse import Fediverse
from tests.browser.composing import open_as
from tests.browser.seen import Place, complaints, place
from tests.browser.viewing import dialog


async def _home(fediverse: Fediverse, browser: Browser, width: int) -> tuple[Place, Page]:
    here = await place(fediverse)
    return here, await open_as(browser, here, here.alice, here.url("/"), width=width, touch=width == 390)


@pytest.mark.parametrize("width", [390, 1280])
async def test_one_tap_opens_the_photo_at_once(fediverse: Fediverse, browser: Browser, width: int) -> None:
    here, page = await _home(fediverse, browser, width)
    await page.clock.install()
    await page.reload()
    await page.wait_for_load_state("networkidle")
    shot = page.locator(f"#post-{here.post.id} .shot").first
    # From now on no time passes for the page: what waits, waits for ever.
    await page.clock.pause_at(await page.evaluate("Date.now() + 1000"))
    await shot.click()
    await expect(dialog(page)).to_be_visible()


@pytest.mark.parametrize("width", [390, 1280])
async def test_two_taps_like_and_nothing_stays_open(
    fediverse: Fediverse, browser: Browser, width: int
) -> None:
    here, page = await _home(fediverse, browser, width)
    found = complaints(page)
    entries = await page.evaluate("history.length")
    like = page.locator(f"#post-{here.post.id} [data-action=like]")
    shot = page.locator(f"#post-{here.post.id} .shot").first
    await shot.scroll_into_view_if_needed()
    await shot.dblclick()
    await expect(like).to_have_attribute("aria-pressed", "true")
    await expect(dialog(page)).to_have_count(0)
    await expect(page.locator(".heart")).to_have_count(0)
    assert page.url == here.url("/")
    assert await page.evaluate("history.length") == entries

    # Once more: a like is not taken back by that.
    await shot.dblclick()
    await expect(page.locator(".heart")).to_have_count(1)
    await expect(like).to_have_attribute("aria-pressed", "true")

    # A single one opens it, and Back closes it.
    await expect(page.locator(".heart")).to_have_count(0)
    await shot.click()
    await expect(dialog(page)).to_be_visible()
    await expect(page).to_have_url(here.url(f"/posts/{here.post.id}/photos/1"))
    await page.go_back()
    await expect(dialog(page)).to_have_count(0)
    await expect(page).to_have_url(here.url("/"))
    assert not found
