"""A page change fades, and where the fade is given up the browser reports no error."""

from __future__ import annotations

import asyncio

from playwright.async_api import Browser, Route

from federation_tests.fediverse import Fediverse
from tests.browser.composing import open_as
from tests.browser.seen import complaints, place


async def test_a_page_whose_styles_are_slow(fediverse: Fediverse, browser: Browser) -> None:
    here = await place(fediverse)
    page = await open_as(browser, here, here.bob, here.url("/compose"))
    found = complaints(page)

    async def slow(route: Route) -> None:
        await asyncio.sleep(5)  # longer than a browser keeps the picture of the page before
        await route.continue_()

    await page.route("**/*.css", slow)
    await page.get_by_role("link", name="Drafts").click()
    await page.wait_for_url("**/drafts", wait_until="networkidle")
    assert found == []
