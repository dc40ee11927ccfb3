"""The profile's page has several forms: saving one loses nothing that was typed in another, and no text is cut."""

from __future__ import annotations

from playwright.async_api import Browser, Page, expect

from federation_tests.fediverse import Fediverse
from node.accounts import accounts
from tests.browser.seen import Place, place, signed_in
from tests.support.pictures import picture

PICTURE = {"name": "me.jpg", "mimeType": "image/jpeg", "buffer": picture(300, 300)}


async def _open(browser: Browser, here: Place) -> Page:
    page = await (await signed_in(browser, here, here.bob, width=390)).new_page()
    await page.goto(here.url("/settings/profile"), wait_until="networkidle")
    return page


async def test_a_text_that_is_too_long_is_kept_and_not_sent(fediverse: Fediverse, browser: Browser) -> None:
    here = await place(fediverse)
    page = await _open(browser, here)
    bio, save = page.get_by_label("Bio"), page.locator(".profile-form button.main >> nth=0")
    await bio.fill("x" * 1500)
    assert (
        await bio.evaluate("one => one.validationMessage") == "500 characters too many. Nothing was sent yet."
    )
    await save.click()
    await expect(bio).to_be_focused()
    await expect(bio).to_have_value("x" * 1500)
    await bio.fill("x" * 1000)
    await save.click()
    await expect(page.get_by_role("status").first).to_be_visible()
    assert (await here.node.db.read(accounts.get, here.bob.id)).bio_source == "x" * 1000
