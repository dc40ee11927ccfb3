"""Post asks once about photos that have no description: a decision of their author, and never in the way twice."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from playwright.async_api import Browser, Locator, Page, Route, expect

from federation_tests.fediverse import Fediverse
from tests.browser.composing import (
    INPUT,
    add,
    compose,
    describe,
    described,
    files,
    open_as,
    post_button,
    posted,
    thumbnail,
    tool,
)
from tests.browser.seen import place

QUESTION = "2 photos have no description."


def _asked(page: Page) -> Locator:
    return page.locator("#undecided")


def _answer(page: Page, name: str) -> Locator:
    return _asked(page).get_by_role("button", name=name)


@pytest.mark.parametrize("width", [390, 1280])
async def test_describe_them_leads_to_each_description_and_then_it_is_posted(
    fediverse: Fediverse, browser: Browser, tmp_path: Path, width: int
) -> None:
    here, page = await compose(fediverse, browser, width=width, touch=width == 390)
    await add(page, files(tmp_path, "a.jpg", "b.jpg", "c.jpg"))
    await describe(page, "One")
    await page.get_by_label("Caption").fill("Three of them")
    await post_button(page).click()

    await expect(_asked(page)).to_contain_text(QUESTION)
    await expect(_asked(page)).to_be_focused()
    await expect(_asked(page)).to_be_in_viewport()
    await _answer(page, "Describe them").click()
    await expect(thumbnail(page, 1)).to_have_attribute("aria-pressed", "true")
    await expect(described(page)).to_be_focused()
    await expect(described(page)).to_be_in_viewport()
    await expect(_asked(page)).to_be_hidden()
    await page.keyboard.type("Two")

    # What is asked is what is so: one is left, and when it is described there is nothing to ask.
    await post_button(page).click()
    await expect(_asked(page)).to_contain_text("1 photo has no description.")
    await thumbnail(page, 2).click()
    await described(page).fill("Three")
    await expect(_asked(page)).to_be_hidden()
    await post_button(page).click()
    await expect(page.locator(".post")).to_contain_text("Three of them")
    assert await posted(here) == ["One", "Two", "Three"]


async def test_it_is_answered_by_keyboard_alone(
    fediverse: Fediverse, browser: Browser, tmp_path: Path
) -> None:
    here, page = await compose(fediverse, browser, width=1280)
    await add(page, files(tmp_path, "a.jpg", "b.jpg"))
    await page.get_by_label("Caption").focus()
    await page.keyboard.type("By keyboard")
    await page.keyboard.press("Control+Enter")
    await expect(_asked(page)).to_be_focused()
    await page.keyboard.press("Escape")
    await expect(_asked(page)).to_be_hidden()
    await expect(post_button(page)).to_be_focused()
    # Pressing Post once more is no answer: two presses in a row publish nothing unread.
    for _ in range(2):
        await page.keyboard.press("Control+Enter")
        await expect(_asked(page)).to_be_focused()
    assert await posted(here) == []
    await page.keyboard.press("Tab")
    await expect(_answer(page, "Describe them")).to_be_focused()
    await page.keyboard.press("Tab")
    await page.keyboard.press("Enter")
    await expect(page.locator(".post")).to_contain_text("By keyboard")
    assert await posted(here) == ["", ""]


async def test_it_is_asked_at_once_while_photos_are_being_sent_and_then_it_posts_by_itself(
    fediverse: Fediverse, browser: Browser, tmp_path: Path
) -> None:
    here, page = await compose(fediverse, browser)
    held: list[Route] = []

    async def hold(route: Route) -> None:
        held.append(route)

    await page.route("**/compose/photo", hold)
    await page.set_input_files(INPUT, files(tmp_path, "a.jpg", "b.jpg"))
    await expect(page.locator(".upload[data-waiting=uploading]")).to_have_count(2)
    await page.get_by_label("Caption").fill("On the way")
    await post_button(page).click()
    await expect(_asked(page)).to_contain_text(QUESTION)
    await _answer(page, "Post anyway").click()
    await expect(page.locator("#progress")).to_contain_text("Posting when all photos are uploaded")
    for route in held:
        await route.continue_()
    await expect(page.locator(".post")).to_contain_text("On the way")
    assert await posted(here) == ["", ""]


async def test_a_photo_that_failed_is_asked_about_first(
    fediverse: Fediverse, browser: Browser, tmp_path: Path
) -> None:
    here, page = await compose(fediverse, browser)
    await page.set_input_files(INPUT, files(tmp_path, "bad.pdf", "good.jpg"))
    await expect(page.locator(".upload.failed")).to_have_count(1)
    await expect(page.locator(".upload[data-photo]")).to_have_count(1)
    await page.get_by_label("Caption").fill("One of two")
    await post_button(page).click()
    await expect(_asked(page)).to_contain_text("1 photo was not uploaded")
    await _answer(page, "Remove this photo").click()
    await post_button(page).click()
    await expect(_asked(page)).to_contain_text("1 photo has no description.")
    await _answer(page, "Post anyway").click()
    await expect(page.locator(".post")).to_contain_text("One of two")
    assert await posted(here) == [""]


async def test_after_post_anyway_it_is_not_asked_again_although_the_connection_was_lost(
    fediverse: Fediverse, browser: Browser, tmp_path: Path
) -> None:
    here, page = await compose(fediverse, browser)
    await add(page, files(tmp_path, "a.jpg", "b.jpg"))
    await page.get_by_label("Caption").fill("From a tunnel")
    await expect(page.locator("#draft-state")).to_have_text("Draft saved")
    await page.context.set_offline(True)
    await post_button(page).click()
    await _answer(page, "Post anyway").click()
    await expect(_asked(page)).to_contain_text("There is no connection")
    await page.context.set_offline(False)
    await page.reload()
    await expect(page.get_by_label("Caption")).to_have_value("From a tunnel")
    await page.wait_for_load_state("networkidle")
    await post_button(page).click()
    await expect(page.locator(".post")).to_contain_text("From a tunnel")
    assert await posted(here) == ["", ""]


async def test_a_draft_is_saved_without_a_question_and_a_scheduled_post_is_asked_about(
    fediverse: Fediverse, browser: Browser, tmp_path: Path
) -> None:
    here, page = await compose(fediverse, browser)
    await add(page, files(tmp_path, "a.jpg", "b.jpg"))
    await page.get_by_label("Caption").fill("Later")
    at = f"{datetime.now(UTC) + timedelta(days=2):%Y-%m-%dT%H:%M}"

    async def schedule() -> None:
        await page.wait_for_load_state("networkidle")
        await page.locator("summary", has_text="Schedule").click()
        await page.get_by_label("Post later").fill(at)
        await page.locator("[data-option=schedule]").get_by_role("button", name="Done").click()

    await schedule()
    await page.get_by_role("button", name="Save draft").click()
    await page.get_by_role("link", name="Later").click()
    await schedule()
    await post_button(page, "Schedule").click()
    await expect(_asked(page)).to_contain_text(QUESTION)
    await _answer(page, "Schedule anyway").click()
    await expect(page.get_by_role("heading", name="Drafts")).to_be_visible()
    await expect(page.locator("main")).to_contain_text("Will be posted")
    assert await posted(here) == []


async def test_a_posted_album_is_asked_about_for_photos_that_are_added_or_replaced(
    fediverse: Fediverse, browser: Browser, tmp_path: Path
) -> None:
    here = await place(fediverse)
    edit = here.url(f"/posts/{here.album.id}/edit")
    page = await open_as(browser, here, here.alice, edit, width=390)
    await described(page).fill("")
    await post_button(page, "Save").click()
    await expect(page.locator(".slides img")).to_have_count(3)

    await page.goto(edit)
    await page.wait_for_load_state("networkidle")
    await add(page, files(tmp_path, "new.jpg"))
    async with page.expect_file_chooser() as choosing:
        await tool(page, "Replace this photo")
    before = await page.locator(".upload").first.get_attribute("data-photo")
    await (await choosing.value).set_files(files(tmp_path, "x.jpg", "other.jpg")[1])
    await expect(page.locator(".upload").first).not_to_have_attribute("data-photo", before or "")
    await post_button(page, "Save").click()
    await expect(_asked(page)).to_contain_text(QUESTION)
    await _answer(page, "Save anyway").click()
    await expect(page.locator(".slides img")).to_have_count(4)


@pytest.mark.parametrize("width", [390, 1280])
async def test_without_scripts_the_page_comes_back_with_the_question_and_all_that_was_typed(
    fediverse: Fediverse, browser: Browser, tmp_path: Path, width: int
) -> None:
    here, page = await compose(fediverse, browser, width=width, scripts=False)
    await page.set_input_files(INPUT, files(tmp_path, "a.jpg", "b.jpg", "c.jpg"))
    await page.get_by_role("button", name="Upload and add descriptions").click()
    await page.get_by_label("Describe photo 1 of 3").fill("One")
    await page.get_by_label("Caption").fill("No script was run")
    await post_button(page).click()
    await expect(_asked(page)).to_contain_text(QUESTION)
    await expect(_asked(page)).to_be_in_viewport()
    await expect(page.get_by_label("Caption")).to_have_value("No script was run")
    await expect(page.get_by_label("Describe photo 1 of 3")).to_have_value("One")
    await _asked(page).get_by_role("link", name="Describe them").click()
    await expect(page.get_by_label("Describe photo 2 of 3")).to_be_focused()
    await expect(page.get_by_label("Describe photo 2 of 3")).to_be_in_viewport()
    await page.keyboard.type("Two")
    await post_button(page).click()
    await expect(_asked(page)).to_contain_text("1 photo has no description.")
    await _answer(page, "Post anyway").click()
    await expect(page.locator(".post")).to_contain_text("No script was run")
    assert await posted(here) == ["One", "Two", ""]


async def test_who_does_not_want_to_be_asked_is_not(
    fediverse: Fediverse, browser: Browser, tmp_path: Path
) -> None:
    here, page = await compose(fediverse, browser)
    await page.goto(here.url("/settings/preferences"))
    await page.get_by_label("Ask before posting photos without a description").uncheck()
    await page.get_by_role("button", name="Save").last.click()
    await expect(page.get_by_label("Ask before posting photos without a description")).not_to_be_checked()
    await page.goto(here.url("/compose"))
    await page.wait_for_load_state("networkidle")
    await add(page, files(tmp_path, "a.jpg"))
    await page.get_by_label("Caption").fill("Unasked")
    await post_button(page).click()
    await expect(page.locator(".post")).to_contain_text("Unasked")
    assert await posted(here) == [""]
