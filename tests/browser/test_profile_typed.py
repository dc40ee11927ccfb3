"""The profile's page has several forms: saving one loses nothing that was typed in another, and no text is cut."""

from __future__ import annotations

from playwright.async_api import Browser, Page, expect

from federation_tests.fediverse import Fediverse
from node.accounts import accounts
from tests.browser.seen import Place, complaints, place, signed_in
from tests.support.pictures import picture

PICTURE = {"name": "me.jpg", "mimeType": "image/jpeg", "buffer": picture(300, 300)}


async def _open(browser: Browser, here: Place) -> Page:
    page = await (await signed_in(browser, here, here.bob, width=390)).new_page()
    await page.goto(here.url("/settings/profile"), wait_until="networkidle")
    return page


async def test_what_was_typed_in_another_form_is_there_after_one_was_saved(
    fediverse: Fediverse, browser: Browser
) -> None:
    here = await place(fediverse)
    page = await _open(browser, here)
    found = complaints(page)
    await page.get_by_label("Bio").fill("I like lakes")
    await page.get_by_label("Private account").check()
    await page.locator("#header-alt").fill("A lake, wide")
    await page.locator("#avatar-file").set_input_files(PICTURE)  # type: ignore[arg-type]
    await page.locator("form[action='/settings/avatar']").get_by_role("button", name="Save picture").click()

    await expect(page.get_by_role("status").first).to_have_text("Image saved.")
    await expect(page.get_by_text("Your other changes on this page are not saved yet.")).to_be_visible()
    await expect(page.get_by_label("Bio")).to_have_value("I like lakes")
    await page.locator("form[action='/settings/profile']").get_by_role("button", name="Save").click()
    await expect(page.locator("#header-alt")).to_have_value("A lake, wide")
    bob = await here.node.db.read(accounts.get, here.bob.id)
    assert (bob.bio_source, bob.is_locked, bool(bob.avatar_file)) == ("I like lakes", True, True)
    assert not found


async def test_a_refused_picture_leaves_everything_typed(fediverse: Fediverse, browser: Browser) -> None:
    here = await place(fediverse)
    page = await _open(browser, here)
    await page.get_by_label("Display name").fill("Bob of the lake")
    await page.get_by_label("Bio").fill("I like lakes")
    await page.locator("#avatar-alt").fill("Me at the lake")
    broken = {"name": "notes.pdf", "mimeType": "application/pdf", "buffer": b"%PDF-1.7"}
    await page.locator("#avatar-file").set_input_files(broken)  # type: ignore[arg-type]
    await page.locator("form[action='/settings/avatar']").get_by_role("button", name="Save picture").click()

    await expect(page.locator("#avatar-alt")).to_have_value("Me at the lake")
    await expect(page.get_by_label("Display name")).to_have_value("Bob of the lake")
    await expect(page.get_by_label("Bio")).to_have_value("I like lakes")


async def test_a_text_that_is_too_long_is_kept_and_not_sent(fediverse: Fediverse, browser: Browser) -> None:
    here = await place(fediverse)
    page = await _open(browser, here)
    bio, save = page.get_by_label("Bio"), page.locator("form[action='/settings/profile'] button.main")
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
