"""Without a connection nothing is sent, nothing that was typed is lost, and the page says so where one looks."""

from __future__ import annotations

from pathlib import Path

from playwright.async_api import Browser, Page, expect

from federation_tests.fediverse import Fediverse
from node.accounts import accounts
from node.publishing import saved_drafts
from tests.browser.composing import bad_connection, files, open_as
from tests.browser.seen import complaints, place
from tests.browser.viewing import dialog

NOT_SENT = "Not sent. The connection was lost."


def _scripts_and_policy(found: list[str]) -> list[str]:
    """What a page complains of, without the requests that could not be sent."""
    return [
        one for one in found if "net::ERR_INTERNET_DISCONNECTED" not in one and not one.startswith("lost:")
    ]


async def _expect_toast(page: Page, text: str) -> None:
    await expect(page.locator("#toast")).to_have_text(text)


async def test_settings_stay_as_typed_and_are_saved_later(
    fediverse: Fediverse, browser: Browser, tmp_path: Path
) -> None:
    here = await place(fediverse)
    page = await open_as(browser, here, here.bob, here.url("/settings/profile"), width=390)
    found = complaints(page)
    form = page.locator("form[action='/settings/profile']")
    bio = form.locator("[name=bio]")
    await bio.fill("Lakes, mostly")
    await form.locator("#avatar-file").set_input_files(files(tmp_path, "me.jpg"))
    await form.locator("canvas").first.press("ArrowLeft")
    await page.context.set_offline(True)

    save = form.get_by_role("button", name="Save", exact=True)
    await save.click()
    await expect(form.get_by_role("alert")).to_have_text(NOT_SENT)
    await expect(form.locator("canvas").first).to_be_visible()
    await expect(bio).to_have_value("Lakes, mostly")

    await page.context.set_offline(False)
    await expect(page.get_by_role("alert")).to_have_count(0)
    await save.click()
    await expect(page.get_by_role("status").first).to_contain_text("Saved.")
    await expect(bio).to_have_value("Lakes, mostly")
    bob = await here.node.db.read(accounts.get, here.bob.id)
    assert (bob.bio_source, bool(bob.avatar_file)) == ("Lakes, mostly", True)
    assert _scripts_and_policy(found) == []


async def test_a_draft_that_was_not_deleted_is_kept_in_the_browser(
    fediverse: Fediverse, browser: Browser
) -> None:
    here = await place(fediverse)
    page = await open_as(browser, here, here.bob, here.url("/compose"))
    await page.get_by_label("Caption").fill("Half a thought")
    await expect(page.locator("#draft-state")).to_have_text("Draft saved")
    await page.goto(here.url("/drafts"), wait_until="networkidle")
    page.on("dialog", lambda one: one.accept())
    await page.context.set_offline(True)
    await page.get_by_role("button", name="Delete draft 1").click()
    await _expect_toast(page, NOT_SENT)
    kept = "Object.keys(localStorage).filter((one) => one.startsWith('draft-')).length"
    assert await page.evaluate(kept) == 1
    assert len(await here.node.db.read(saved_drafts.by_author, here.bob)) == 1

    await page.context.set_offline(False)
    await page.get_by_role("button", name="Delete draft 1").click()
    await expect(page.get_by_role("heading", name="No drafts")).to_be_visible()
    assert await page.evaluate(kept) == 0


async def test_menus_notifications_and_signing_out_stay_on_their_page(
    fediverse: Fediverse, browser: Browser
) -> None:
    here = await place(fediverse)
    page = await open_as(browser, here, here.alice, here.url("/@bob"))
    found = complaints(page)
    page.on("dialog", lambda one: one.accept())
    await page.context.set_offline(True)
    await page.locator("main details.menu summary").first.click()
    await page.get_by_role("button", name="Block").click()
    await _expect_toast(page, NOT_SENT)
    await page.context.set_offline(False)

    await page.goto(here.url("/notifications"), wait_until="networkidle")
    await page.context.set_offline(True)
    await page.get_by_role("button", name="Clear all").click()
    await _expect_toast(page, NOT_SENT)
    assert page.url == here.url("/notifications")
    await page.context.set_offline(False)

    await page.goto(here.url("/search"), wait_until="networkidle")
    await page.context.set_offline(True)
    await page.get_by_role("searchbox").fill("lake")
    await page.get_by_role("searchbox").press("Enter")
    await expect(page.get_by_role("alert")).to_contain_text("The connection was lost.")
    await expect(page.get_by_role("searchbox")).to_have_value("lake")
    assert _scripts_and_policy(found) == []


async def test_a_photo_of_a_grid_that_cannot_be_opened(fediverse: Fediverse, browser: Browser) -> None:
    here = await place(fediverse)
    page = await open_as(browser, here, here.bob, here.url("/@alice"))
    found = complaints(page)
    await page.context.set_offline(True)
    for _ in range(2):
        await page.locator(".cell").first.click()
        await _expect_toast(page, "The connection was lost.")
        await expect(dialog(page)).to_have_count(0)
        assert page.url == here.url("/@alice")
    await page.context.set_offline(False)
    await page.locator(".cell").first.click()
    await expect(dialog(page)).to_be_visible()
    assert _scripts_and_policy(found) == []


async def test_a_form_stays_while_the_server_cannot_be_reached(
    fediverse: Fediverse, browser: Browser, tmp_path: Path
) -> None:
    here = await place(fediverse)
    async with bad_connection(here, browser, "/settings/profile") as (page, connection):
        form = page.locator("form[action='/settings/profile']")
        bio, save = form.locator("[name=bio]"), form.get_by_role("button", name="Save", exact=True).first
        await bio.fill("Lakes, mostly")
        await form.locator("#avatar-file").set_input_files(files(tmp_path, "me.jpg"))
        await form.locator("canvas").first.press("ArrowLeft")
        connection.refuse()
        assert await page.evaluate("navigator.onLine")
        await save.click()
        await expect(form.get_by_role("alert").filter(has_text=NOT_SENT)).to_be_visible()
        await expect(form.locator("canvas").first).to_be_visible()
        await expect(bio).to_have_value("Lakes, mostly")

        await connection.accept()
        await save.click()
        await expect(page.get_by_role("status").first).to_contain_text("Saved.")
        bob = await here.node.db.read(accounts.get, here.bob.id)
        assert (bob.bio_source, bool(bob.avatar_file)) == ("Lakes, mostly", True)
