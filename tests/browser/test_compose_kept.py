"""What is written is never lost: no network, a session that ended, two tabs, a posted album that is being changed."""

from __future__ import annotations

from pathlib import Path

from playwright.async_api import Browser, Page, expect

from federation_tests.fediverse import Fediverse
from node.attachments import photo_rows
from node.publishing import saved_drafts
from tests.browser.composing import (
    INPUT,
    add,
    compose,
    describe,
    described,
    files,
    open_as,
    post_button,
    post_undescribed,
    posted,
    thumbnail,
    tool,
)
from tests.browser.seen import Place, place, signed_in


async def test_without_network_post_says_so_in_its_place_and_posts_later(
    fediverse: Fediverse, browser: Browser, tmp_path: Path
) -> None:
    here, page = await compose(fediverse, browser)
    await add(page, files(tmp_path, "a.jpg"))
    await described(page).fill("One")
    await page.get_by_label("Caption").fill("From a tunnel")
    await page.context.set_offline(True)
    await post_button(page).click()
    await expect(page.locator("#undecided")).to_contain_text("There is no connection")
    await expect(page.locator("#undecided")).to_be_focused()
    await expect(page.get_by_label("Caption")).to_have_value("From a tunnel")
    await page.context.set_offline(False)
    await page.locator("#undecided").get_by_role("button", name="Try again").click()
    await expect(page.locator(".post")).to_contain_text("From a tunnel")
    assert await posted(here) == ["One"]


async def test_after_signing_in_again_in_another_tab_the_same_page_posts(
    fediverse: Fediverse, browser: Browser, tmp_path: Path
) -> None:
    here, page = await compose(fediverse, browser)
    await add(page, files(tmp_path, "a.jpg"))
    await described(page).fill("One")
    await page.get_by_label("Caption").fill("For a long time")
    await page.context.clear_cookies()
    await post_button(page).click()
    await expect(page.locator("#undecided")).to_contain_text("You are signed out")
    paths = files(tmp_path, "b.jpg", "c.jpg")
    await page.set_input_files(INPUT, paths[1:])
    await expect(page.locator(".upload.failed")).to_contain_text("You are signed out")

    again = await signed_in(browser, here, here.bob)  # a new session, whose form tokens are others
    await page.context.add_cookies(await again.cookies())  # type: ignore[arg-type]
    await page.locator(".upload.failed").get_by_role("button", name="Try again").click()
    await expect(page.locator(".upload[data-photo]")).to_have_count(2)
    await post_undescribed(page)
    await expect(page.locator(".post")).to_contain_text("For a long time")
    assert await posted(here) == ["One", ""]


async def _saved(here: Place) -> list[str]:
    return sorted(one.draft.caption for one in await here.node.db.read(saved_drafts.by_author, here.bob))


async def test_two_tabs_write_two_posts_and_one_draft_is_written_in_one_tab(
    fediverse: Fediverse, browser: Browser
) -> None:
    here, page = await compose(fediverse, browser, width=1280)
    await page.get_by_label("Caption").fill("In the first tab")
    await expect(page.locator("#draft-state")).to_have_text("Draft saved")
    other = await page.context.new_page()
    await other.goto(here.url("/compose"))
    await other.get_by_label("Caption").fill("In the second tab")
    await expect(other.locator("#draft-state")).to_have_text("Draft saved")
    assert await _saved(here) == ["In the first tab", "In the second tab"]

    # The draft of the first tab, opened in the second one, is not overwritten unless that is asked for.
    await other.goto(here.url("/drafts"))
    await other.get_by_role("link", name="In the first tab").click()
    await expect(other.locator("#other-tab")).to_contain_text("open in another tab")
    await other.get_by_label("Caption").fill("Moved to the second tab")
    await page.get_by_label("Caption").fill("Still in the first tab")
    while await _saved(here) != ["In the second tab", "Still in the first tab"]:
        await page.wait_for_timeout(100)
    await other.get_by_role("button", name="Use this tab instead").click()
    await expect(other.locator("#other-tab")).to_be_hidden()
    await expect(page.locator("#other-tab")).to_contain_text("open in another tab")
    while await _saved(here) != ["In the second tab", "Moved to the second tab"]:
        await page.wait_for_timeout(100)


async def test_what_is_chosen_besides_words_is_restored_too(fediverse: Fediverse, browser: Browser) -> None:
    _here, page = await compose(fediverse, browser)
    await page.route("**/drafts", lambda route: route.abort())
    await page.get_by_label("Caption").fill("Written in a tunnel")
    await page.locator("[data-option=place] summary").click()
    await page.locator("[name=place]").fill("Lofoten")
    await page.locator("[data-option=place]").get_by_role("button", name="Done").click()
    await page.locator(".audience summary").click()
    await page.get_by_role("radio", name="Unlisted").check()
    await page.reload()
    await expect(page.get_by_label("Caption")).to_have_value("Written in a tunnel")
    await expect(page.locator("[data-option=place] .value")).to_have_text("Lofoten")
    await expect(page.locator(".audience summary")).to_contain_text("Unlisted")


async def _edit_album(fediverse: Fediverse, browser: Browser, width: int) -> tuple[Place, Page]:
    here = await place(fediverse)
    url = here.url(f"/posts/{here.album.id}/edit")
    return here, await open_as(browser, here, here.alice, url, width=width)


async def _album(here: Place) -> list[str]:
    found = await here.node.db.read(photo_rows.by_posts, [here.album.id])
    return [photo.alt for photo in found[here.album.id]]


async def test_the_photos_of_a_posted_album_are_added_replaced_removed_and_put_in_order(
    fediverse: Fediverse, browser: Browser, tmp_path: Path
) -> None:
    here, page = await _edit_album(fediverse, browser, 390)
    await expect(page.locator(".thumbnail")).to_have_count(3)
    await add(page, files(tmp_path, "new.jpg"))
    await describe(page, "One", "Two", "Three", "Four")
    await thumbnail(page, 0).click()
    old = await page.locator(".upload").first.get_attribute("data-photo")
    async with page.expect_file_chooser() as choosing:
        await tool(page, "Replace this photo")
    await (await choosing.value).set_files(files(tmp_path, "other.jpg", "x.jpg")[1])
    await expect(page.locator(".upload").first).not_to_have_attribute("data-photo", old or "")
    await thumbnail(page, 3).click()
    await tool(page, "Move earlier")
    await thumbnail(page, 1).click()
    await tool(page, "Remove")
    await post_button(page, "Save").click()
    await expect(page.locator(".slides img")).to_have_count(3)
    assert await _album(here) == ["One", "Four", "Three"]
    await page.goto(here.url(f"/posts/{here.album.id}/history"))
    await expect(page.locator("main").get_by_role("listitem")).to_have_count(2)


async def test_changes_of_a_posted_album_outlive_a_closed_tab_and_can_be_discarded(
    fediverse: Fediverse, browser: Browser
) -> None:
    here, page = await _edit_album(fediverse, browser, 1280)
    await describe(page, "One")
    await thumbnail(page, 2).click()
    await tool(page, "Remove")
    await expect(page.locator(".upload")).to_have_count(2)
    await page.reload()
    await expect(page.locator(".upload")).to_have_count(2)
    await expect(page.locator(".upload textarea").first).to_have_value("One")
    await page.get_by_role("button", name="Discard them").click()
    await expect(page.locator(".upload")).to_have_count(3)
    await expect(page.locator(".upload textarea").first).to_have_value("The lake, 0")
    assert await _album(here) == ["The lake, 0", "The lake, 1", "The lake, 2"]


async def test_an_edit_over_a_newer_one_is_asked_about(fediverse: Fediverse, browser: Browser) -> None:
    here, page = await _edit_album(fediverse, browser, 390)
    other = await page.context.new_page()
    await other.goto(here.url(f"/posts/{here.album.id}/edit"))
    await other.get_by_label("Caption").fill("Changed first")
    await post_button(other, "Save").click()
    await expect(other.locator(".post").first).to_contain_text("Changed first")
    await page.get_by_label("Caption").fill("Changed second")
    await post_button(page, "Save").click()
    await expect(page.locator("#undecided")).to_contain_text("This post was changed in another tab")
    async with page.context.expect_page() as opened:
        await page.get_by_role("link", name="See that version").click()
    await expect((await opened.value).locator(".post").first).to_contain_text("Changed first")
    await expect(page.get_by_label("Caption")).to_have_value("Changed second")
    await post_button(page, "Save").click()
    await expect(page.locator(".post").first).to_contain_text("Changed second")
