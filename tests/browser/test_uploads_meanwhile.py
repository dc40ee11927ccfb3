"""Uploads go on while the page of another photo of the post is open, and it says how far they are."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from playwright.async_api import Browser, Page, Route, expect

from federation_tests.fediverse import Fediverse
from tests.browser.composing import (
    INPUT,
    add,
    all_posted,
    compose,
    describe,
    files,
    post_button,
    post_undescribed,
    thumbnail,
)
from tests.browser.seen import Place

SENT = "**/compose/photo"
SHOWN = "row => row.description.querySelector('textarea').value"


async def _leave_while_uploading(
    fediverse: Fediverse, browser: Browser, tmp_path: Path, to: str
) -> tuple[Place, Page, list[int]]:
    """Opens a page of the first photo while the second waits for its connection; and what the server then answers."""
    here, page = await compose(fediverse, browser)
    await add(page, files(tmp_path, "a.jpg"))
    await describe(page, "One")
    await page.route(SENT, lambda route: route.abort())
    await page.set_input_files(INPUT, files(tmp_path, "b.jpg"))
    await expect(page.locator(".upload[data-waiting]")).to_have_count(1)
    answers: list[int] = []
    page.on(
        "response", lambda got: answers.append(got.status) if got.url.endswith("/compose/photo") else None
    )
    await page.locator(f".upload.chosen .photo-tools .{to}").click()
    await page.wait_for_url("**/photos/**")
    await expect(page.locator(".meanwhile")).to_contain_text("The upload continues by itself.")
    return here, page, answers


@pytest.mark.parametrize("to", ["details", "edit"])
async def test_a_photo_is_uploaded_while_another_is_looked_at(
    fediverse: Fediverse, browser: Browser, tmp_path: Path, to: str
) -> None:
    here, page, answers = await _leave_while_uploading(fediverse, browser, tmp_path, to)
    await expect(page.get_by_role("progressbar", name="Uploads")).to_be_visible()
    await page.unroute(SENT)

    await expect(page.get_by_text("All photos of the post are uploaded.")).to_be_visible()
    await page.get_by_role("button", name="Done", exact=True).first.click()
    await page.wait_for_load_state("networkidle")
    await expect(page.locator(".upload[data-photo]")).to_have_count(2)
    await post_undescribed(page)

    await expect(page.locator(".post")).to_be_visible()
    assert answers == [200]
    assert await all_posted(here) == [["One", ""]]


@pytest.mark.parametrize("how", ["details", "edit", "reload"])
async def test_a_photo_on_its_way_keeps_its_place_and_its_description(
    fediverse: Fediverse, browser: Browser, tmp_path: Path, how: str
) -> None:
    here, page = await compose(fediverse, browser)
    await add(page, files(tmp_path, "a.jpg"))
    held = asyncio.Event()

    async def wait_for_second(route: Route) -> None:
        if b"b.jpg" in (route.request.post_data_buffer or b"") and not held.is_set():
            await route.abort()
        else:
            await route.continue_()

    await page.route(SENT, wait_for_second)
    await page.set_input_files(INPUT, files(tmp_path, "b.jpg", "c.jpg"))
    await expect(page.locator(".upload[data-photo]")).to_have_count(2)
    await describe(page, "One", "Two", "Three")
    await expect(page.locator("#draft-state")).to_have_text("Draft saved")
    await thumbnail(page, 0).click()
    if how == "reload":
        await page.reload(wait_until="networkidle")
    else:
        await page.locator(f".upload.chosen .photo-tools .{how}").click()
        await page.wait_for_url("**/photos/**")
        await page.get_by_role("button", name="Done", exact=True).first.click()
        await page.wait_for_url("**/compose?*")
    await page.wait_for_load_state("networkidle")
    held.set()
    names = [await row.evaluate(SHOWN) for row in await page.locator(".upload").all()]

    assert names == ["One", "Two", "Three"]
    if how != "reload":  # which loses the file, so that it has to be chosen again
        await expect(page.locator(".upload[data-photo]")).to_have_count(3)
        await post_button(page).click()
        await expect(page.locator(".post")).to_be_visible()
        assert await all_posted(here) == [["One", "Two", "Three"]]


async def test_what_was_not_uploaded_meanwhile_goes_on_in_the_form(
    fediverse: Fediverse, browser: Browser, tmp_path: Path
) -> None:
    _here, page, answers = await _leave_while_uploading(fediverse, browser, tmp_path, "details")
    await page.get_by_role("button", name="Done", exact=True).first.click()
    await page.wait_for_url("**/compose?*")
    await page.unroute(SENT)

    await expect(page.locator(".upload[data-photo]")).to_have_count(2)
    assert answers == [200]
